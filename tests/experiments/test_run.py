"""One run from files to metrics, and again from its manifest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from signalwright.core.errors import InputError, ResultError
from signalwright.experiments.result import read_result
from signalwright.experiments.run import rerun, run_key, run_once, verify
from signalwright.experiments.spec import RunSpec

pytest.importorskip("libsumo")

OWN = "own_strategies:Rotation"


def a_spec(controller: str = "plan", **values: object) -> RunSpec:
    return RunSpec("cross", controller, **{"seed": 3, "end": 200.0, **values})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run under a strategy named by import path, kept in a directory."""
    out = tmp_path_factory.mktemp("runs") / "own"
    run_once(a_spec(OWN, tables=True), out, command=["signalwright", "run", "cross"])
    return out


def test_row(kept: Path) -> None:
    """The row of a run is flat, says what was run and counts every vehicle of its window."""
    row = json.loads((kept / "result.json").read_text())
    assert {name: row[name] for name in ("scenario", "controller", "timing", "seed", "begin", "end", "scale")} == {
        "scenario": "cross", "controller": OWN, "timing": "safe", "seed": 3, "begin": 0.0, "end": 200.0, "scale": 1.0,
    }  # fmt: skip
    assert all(isinstance(value, (str, int, float)) for value in row.values())
    assert row["scheduled"] >= row["inserted"] > row["arrived"] > 0
    assert row["delay"] > 0
    assert row["teleports"] == row["collisions"] == 0


def test_same_again(kept: Path) -> None:
    """A rerun from the manifest gives the same numbers and the same trips."""
    again = rerun(kept)
    assert again.identical, again.numbers
    assert again.causes == ()
    assert again.result.trips.equals(read_result(kept).trips)


def test_changed_manifest_is_found_out(kept: Path, tmp_path: Path) -> None:
    """A manifest with another delay, version and file hash is told apart, each by name."""
    manifest = json.loads((kept / "manifest.json").read_text())
    manifest["result"]["delay"] += 1
    manifest["versions"]["numpy"] = "1.0"
    manifest["inputs"]["cross.net.xml"] = "0"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    again = rerun(tmp_path / "manifest.json")
    assert set(again.numbers) == {"delay"}
    assert again.numbers["delay"][0] == again.numbers["delay"][1] + 1
    assert any("numpy: 1.0 then" in cause for cause in again.causes)
    assert any("cross.net.xml" in cause for cause in again.causes)


def test_seed_and_scale_matter() -> None:
    """Another seed, scale or strategy is another run with another name and other numbers; transport is the same run."""
    specs = [a_spec(), a_spec(seed=4), a_spec(scale=1.5), a_spec("webster"), a_spec(jitter=30.0)]
    assert len({run_key(spec) for spec in specs}) == len(specs)
    assert run_key(a_spec(transport="traci")) == run_key(a_spec())


def test_tables_and_transport() -> None:
    """Keeping lane tables changes no number, nor does TraCI; lanes lose what the vehicles lose."""
    plain, tables = run_once(a_spec()), run_once(a_spec(tables=True, transport="traci"))
    assert tables.differences(plain.row) == {}
    assert tables.trips.equals(plain.trips)
    lanes = tables.tables["lanes.parquet"]
    on_road = lanes.filter(~lanes["lane"].str.starts_with(":"))
    vehicles, all_lanes = float(tables.trips["time_loss"].sum()), float(on_road["time_loss"].sum())
    assert 0.8 * vehicles < all_lanes <= 1.02 * vehicles


def test_jitter_is_paired() -> None:
    """Departures are put off alike under every strategy, and within the jitter."""
    plan, own = (run_once(a_spec(name, jitter=20.0)) for name in ("plan", OWN))
    both = plan.trips.join(own.trips, on="id", suffix="_own")
    assert len(both) > 100
    assert np.allclose(both["scheduled"], both["scheduled_own"], atol=1e-9)


def test_progress(tmp_path: Path) -> None:
    """Progress goes up to one."""
    shares: list[float] = []
    run_once(a_spec(end=60.0), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C in the middle leaves no directory, and the next run is not disturbed."""

    def stop(share: float) -> None:
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_once(a_spec(), tmp_path / "out", progress=stop)
    assert os.listdir(tmp_path) == []
    run_once(a_spec(end=30.0), tmp_path / "out")
    assert (tmp_path / "out" / "result.json").exists()


def test_strategy_per_light() -> None:
    """One light under another strategy, the rest by their plan; a light that is not there is named."""
    only = run_once(a_spec("plan", lights={"cross": OWN}))
    every = run_once(a_spec(OWN))
    assert only.row["delay"] == every.row["delay"]
    with pytest.raises(InputError, match="J77"):
        run_once(a_spec("plan", lights={"J77": OWN}))


def test_native_arms() -> None:
    """SUMO's two adaptive rules and Webster's plan are strategies like any other, and three different ones."""
    delays = {
        name: run_once(a_spec(name)).row["delay"] for name in ("plan", "sumo-actuated", "sumo-delay-based", "webster")
    }
    assert len(set(delays.values())) == 4


def test_bad_names() -> None:
    """Unknown strategies and scenarios are found before anything is simulated, with the nearest right name."""
    with pytest.raises(InputError, match="did you mean 'webster'"):
        verify([a_spec("wobster")])
    with pytest.raises(InputError, match="no_such_module"):
        verify([a_spec("no_such_module:Thing")])
    with pytest.raises(InputError, match="own_strategies:Nothing"):
        verify([a_spec("own_strategies:Nothing")])
    with pytest.raises(InputError, match=r"nowhere\.sumocfg"):
        verify([RunSpec("nowhere.sumocfg", "plan")])


def test_bad_manifest(tmp_path: Path) -> None:
    """What is no manifest, or of another format, is refused by its name."""
    (tmp_path / "m.json").write_text('{"format": 99}')
    with pytest.raises(ResultError, match="format 99"):
        rerun(tmp_path / "m.json")
    with pytest.raises(ResultError, match="is no manifest"):
        rerun(tmp_path / "none.json")
