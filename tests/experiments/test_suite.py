"""Ready suites and reference results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from signalwright.core.errors import InputError, ResultError
from signalwright.experiments.compare import compare
from signalwright.experiments.spec import scenario_path
from signalwright.experiments.suite import ARMS, check_reference, suite, write_reference

pytest.importorskip("libsumo")


def test_shipped() -> None:
    """The shipped suite runs every arm on every shipped scenario at both timings; its keys can be changed."""
    runs = suite("shipped").runs()
    assert {(Path(run.scenario).name, run.arm, run.timing) for run in runs} == {
        (scenario, arm, timing)
        for scenario in ("cross", "corridor", "grid")
        for arm in ARMS
        for timing in ("safe", "resco")
    }
    assert {run.seed for run in suite("shipped", seeds=2).runs()} == {1, 2}


def test_other_suites(tmp_path: Path) -> None:
    """Suites of others' data are found in the folder given, by their own names; where they are not, the name is
    told."""
    for name in ("cologne1", "cologne3", "ingolstadt1", "ingolstadt7", "grid4x4"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.sumocfg").touch()
    assert {scenario_path(run.scenario).stem for run in suite("resco", tmp_path).runs()} == {
        "cologne1", "cologne3", "ingolstadt1", "ingolstadt7", "grid4x4",
    }  # fmt: skip
    (tmp_path / "run.sumocfg").touch()
    assert suite("bologna", tmp_path).runs()[0].scenario == str(tmp_path / "run.sumocfg")
    with pytest.raises(InputError, match="holds no cologne1"):
        suite("resco", tmp_path / "cologne3")
    with pytest.raises(InputError, match="needs the folder"):
        suite("resco")
    with pytest.raises(InputError, match="did you mean 'shipped'"):
        suite("shiped")


def test_reference(tmp_path: Path) -> None:
    """Results kept as a reference come out the same, hold no path of this machine, and a changed number is found
    out."""
    spec = suite("shipped", scenarios=["cross"], controllers=["plan"], timing="safe", seeds=2, end=60.0)
    compare(spec, tmp_path / "b", workers=1)
    file = tmp_path / "reference.json"
    assert write_reference(tmp_path / "b", file) == 2
    text = file.read_text()
    assert str(tmp_path) not in text
    assert str(scenario_path("cross").parent) not in text
    assert [check.rerun.identical for check in check_reference(file)] == [True, True]
    held = json.loads(text)
    held["runs"][0]["result"]["stops"] += 1
    file.write_text(json.dumps(held))
    (check,) = check_reference(file, every=2)
    assert set(check.rerun.numbers) == {"stops"}
    assert check.what == "cross, plan, safe, 1"


def test_bad_reference(tmp_path: Path) -> None:
    """What is no reference file is refused; nor is one written of nothing."""
    (tmp_path / "x.json").write_text('{"format": 1}')
    with pytest.raises(ResultError, match="no reference results"):
        list(check_reference(tmp_path / "x.json"))
    with pytest.raises(ResultError, match="holds no batch"):
        write_reference(tmp_path, tmp_path / "y.json")
