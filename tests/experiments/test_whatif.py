"""What-if: a branch goes on as the simulation itself would, both ways of branching agree, and a plan takes over lawfully."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signalwright.core.certify import certify
from signalwright.core.errors import InputError
from signalwright.core.plan import Plan
from signalwright.experiments.metrics import read_trips
from signalwright.experiments.whatif import FORCE, what_if
from signalwright.networks.handover import Handover
from signalwright.networks.netfile import read_lights
from signalwright.networks.planfile import plan_file, write_plan_file
from signalwright.networks.simulator import InProcess, can_branch
from signalwright.networks.sumo import open_street
from sumo_material import load

pytest.importorskip("libsumo")


def plan_for(scenario: str, path: Path, green: int) -> Path:
    """A plan file with all stages of every light green for so long."""
    lights = read_lights(load(f"shipped-{scenario}"))
    plans = {}
    for name, light in lights.items():
        stages = tuple(stage.name for stage in light.intersection.stages)
        least = max(group.min_green for group in light.intersection.groups)
        plans[name] = certify(
            Plan("new", stages, tuple(max(green, int(least) + 1) for _ in stages)), light.intersection
        )
    write_plan_file(plan_file(lights, {"new": plans}, "safe"), path)
    return path


@pytest.mark.skipif(not can_branch(), reason="the system cannot fork, or does not tell the files that are open")
def test_a_branch_goes_on_as_the_simulation_would(tmp_path: Path) -> None:
    """Trip by trip a copy of the process ends as the uninterrupted simulation does, each in files of its own."""
    scenario = load("shipped-corridor")
    copy = tmp_path / "copy"
    copy.mkdir()
    with open_street(scenario, {}, outputs=tmp_path / "own", seed=3, end=600.0) as street:
        for _second in range(200):
            street.tick()
        assert isinstance(street.simulator, InProcess)

        def go_on() -> None:
            while street.tick():
                pass
            street.close()

        number = street.simulator.branch(tmp_path / "own", copy, go_on)
        assert os.waitpid(number, 0)[1] == 0
        while street.tick():
            pass
    own, other = (read_trips(folder / "tripinfo.xml", 600.0).vehicles for folder in (tmp_path / "own", copy))
    assert len(own) > 50
    assert own.equals(other)


def test_both_ways_of_branching_agree(tmp_path: Path) -> None:
    """The corridor from 300 s on under a plan of long greens: worse than what is in force, by a copy and by a saved state."""
    slow = plan_for("corridor", tmp_path / "slow.toml", 45)
    found = {
        way: what_if("corridor", [slow], 300.0, 400.0, way=way)
        for way in ("fork", "state")
        if way == "state" or can_branch()
    }
    for prospects in found.values():
        force, plan = prospects.plans
        assert (force.plan, plan.plan) == (FORCE, "slow")
        assert force.vehicles == plan.vehicles
        assert force.arrived + force.left == force.vehicles
        assert plan.difference > 0.0
        assert prospects.best is force
        assert "keep what is in force" in prospects.words
        assert plan.taken is not None
        assert 300.0 <= plan.taken < 420.0
    if can_branch():  # SUMO draws the departures of a flow anew from a saved state on
        for one, other in zip(found["fork"].plans, found["state"].plans, strict=True):
            assert one.vehicles == pytest.approx(other.vehicles, rel=0.1)
            assert one.delay == pytest.approx(other.delay, rel=0.2)


def test_a_light_is_taken_over_without_a_jump(tmp_path: Path) -> None:
    """From the second it is taken no green ends without amber and none is shorter than its minimum, and it comes into step."""
    scenario = load("shipped-cross")
    ((name, light),) = read_lights(scenario).items()
    stages = tuple(stage.name for stage in light.intersection.stages)
    least = max(group.min_green for group in light.intersection.groups)
    plan = certify(Plan("new", stages, tuple(int(least) + 15 for _ in stages), 11), light.intersection)
    one, shown, stage_wanted = Handover(light, plan), [], []
    with open_street(scenario, {}, outputs=tmp_path, end=600.0) as street:
        assert isinstance(street.simulator, InProcess)
        while street.time < 600.0:
            letters = one.letters(street.time, street.simulator.shown(name))
            if letters is not None:
                street.show(name, letters)
            stage_wanted.append((street.time, plan.stage_at(street.time)))
            if not street.tick():
                break
            shown.append(street.simulator.shown(name))
    assert one.taken is not None
    assert one.taken < 180.0
    minima = {
        link.index: light.intersection.groups[link.group].min_green for link in light.links if link.group is not None
    }
    for link in light.links:
        if link.group is None or link.crossing:
            continue
        letters_of = "".join(state[link.index] for state in shown[int(one.taken) :])
        assert "Gr" not in letters_of
        assert "gr" not in letters_of
        runs = letters_of.replace("g", "G").replace("y", "|").replace("u", "|").replace("r", "|").split("|")
        whole = [run for run in runs[1:-1] if run]
        assert all(len(run) >= minima[link.index] for run in whole)
    last = plan.stage_at(599.0)
    green = light.stage_letters(last)
    assert sum(a in "gG" for a in green) > 0
    assert len({state for state in shown[-plan.cycle :]}) == len(
        {state for state in shown[-2 * plan.cycle : -plan.cycle]}
    )


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    """A time before the begin, and a plan for another net, are refused with one message each."""
    plan = plan_for("cross", tmp_path / "plan.toml", 15)
    with pytest.raises(InputError, match="must not lie before the begin"):
        what_if("cross", [plan], -5.0)
    with pytest.raises(InputError, match="plan for another net"):
        what_if("corridor", [plan], 10.0)


def test_when_nobody_drives_there_is_nothing_to_compare(tmp_path: Path) -> None:
    """A time long after the last arrival is refused, not answered with zeros."""
    path = plan_for("cross", tmp_path / "plan.toml", 20)
    with pytest.raises(InputError, match="nobody is under way in cross from 99999 s on"):
        what_if("cross", [path], 99_999.0, 60.0)
