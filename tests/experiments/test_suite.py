"""Ready suites."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.experiments.spec import scenario_path
from signalwright.experiments.suite import ARMS, suite

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


def test_a_window() -> None:
    """With a window every run ends that long after its scenario begins."""
    runs = suite("shipped", window=300.0, seeds=1).runs()
    assert {run.end for run in runs} == {300.0}


def test_bad_suites() -> None:
    """A suite nobody knows, or one without its folder, is one line with the remedy, also on the command line."""
    for words, message in (
        (["--suite", "shiped"], "did you mean 'shipped'"),
        (["--suite", "resco"], "needs the folder"),
        ([], "--suite"),
    ):
        command = [sys.executable, "-m", "signalwright", "compare", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
