"""Agents that learn, and agents from a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from signalwright.core.errors import InputError
from signalwright.core.intersection import Intersection, Stage
from signalwright.experiments.agent import FEATURES, Agent, Scores, read_agent
from signalwright.experiments.arms import source
from signalwright.experiments.compare import compare
from signalwright.experiments.observation import Observation
from signalwright.experiments.provenance import file_hash
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec, batch
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import scenario_path

pytest.importorskip("libsumo")

QUEUE = tuple(float(name == "queue") for name in FEATURES)


def lanes_of(site: Intersection, stage: Stage) -> set[str]:
    """The lanes a stage lets go."""
    groups = [group for group in site.groups if group.name in stage.green]
    return {lane for group in groups for movement in group.movements for lane in movement.lanes}


def test_scores_by_hand() -> None:
    """With the queue as its only weight an agent asks for the stage whose lanes have the longest mean queue."""
    (light,) = read_lights(read_scenario(scenario_path("cross"))).values()
    site = light.intersection
    names = Observation(site).names
    choose = Scores(site, np.array(QUEUE))
    asked = 0
    for row, stage in enumerate(site.stages):
        lanes = lanes_of(site, stage)
        others = {lane for other in site.stages if other is not stage for lane in lanes_of(site, other)}
        alone = lanes - others
        seen = np.array([float(name.startswith("queue ") and name[6:] in alone) for name in names], np.float32)
        if seen.any():
            assert choose(seen) == row
            asked += 1
    assert asked >= 2


def test_training_and_comparing(tmp_path: Path) -> None:
    """Training gives the same agent again with the same seed; the agent is an arm of a comparison, its file's hash in the manifest."""
    pytest.importorskip("cma")
    pytest.importorskip("gymnasium")
    from signalwright.experiments.learn import train

    one, two = (train("cross", generations=1, end=40.0) for _ in range(2))
    assert one == two
    assert one.trained["view"] == "loops"
    path = tmp_path / "agent.json"
    one.write(path)
    assert read_agent(path) == Agent(one.weights, one.interval, json.loads(json.dumps(one.trained)))
    spec = batch(
        "spec", {"scenarios": "cross", "controllers": ["plan", str(path)], "seeds": 1, "end": 120.0, "tables": False}
    )
    done = compare(spec, tmp_path / "b", workers=1)
    assert done.failures == ()
    assert done.runs["controller"].to_list() == ["plan", str(path)]
    manifest = json.loads((tmp_path / "b" / "runs" / done.runs["key"][1] / "manifest.json").read_text())
    assert manifest["strategies"][str(path)] == file_hash(path) == source(str(path))
    with pytest.raises(InputError, match="1 or more"):
        train("cross", generations=0)


def test_bad_agents(tmp_path: Path) -> None:
    """A file that is not there, no JSON, of another kind, or of an agent that saw more than the run shows, is refused by name."""
    path = tmp_path / "agent.json"
    with pytest.raises(InputError, match="cannot be read"):
        read_agent(path)
    path.write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        read_agent(path)
    path.write_text('{"weights": [1], "interval": 5, "features": ["queue"], "trained": {}}')
    with pytest.raises(InputError, match="signalwright learn"):
        read_agent(path)
    Agent(QUEUE, trained={"view": "full"}).write(path)
    with pytest.raises(InputError, match="--view full"):
        run_once(RunSpec("cross", str(path), end=30.0))
    assert run_once(RunSpec("cross", str(path), end=60.0, view="full")).row["view"] == "full"
