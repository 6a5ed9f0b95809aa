"""The results that ship: whole, shown in the README, and the same when made again."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from signalwright.experiments.reference import (
    BEGIN,
    END,
    check_reference,
    reference_path,
    reference_runs,
    reference_table,
)
from signalwright.experiments.suite import ARMS

pytest.importorskip("libsumo")

README = Path(__file__).resolve().parents[2] / "README.md"
QUICK = ("plan", "sumo-actuated", "webster")


def test_shipped_results() -> None:
    """The reference that ships has every strategy on every shipped scenario with five seeds, at safe timing."""
    runs = pl.DataFrame([run["result"] for run in reference_runs(reference_path("shipped"))])
    cells = runs.group_by("scenario", "controller").len()
    assert set(cells["scenario"]) == {"cross", "corridor", "grid"}
    assert set(cells["controller"]) == set(ARMS)
    assert (len(cells), set(cells["len"])) == (3 * len(ARMS), {5})
    assert set(runs["timing"]) == {"safe"}
    assert runs["teleports"].sum() == 0


def test_readme_shows_the_reference() -> None:
    """The README's table is the one that the shipped results give."""
    assert f"{BEGIN}\n{reference_table(reference_path('shipped'))}{END}" in README.read_text(encoding="utf-8")


def test_shipped_results_come_out_again(tmp_path: Path) -> None:
    """A sample of the shipped results comes out the same to the last digit; `signalwright reference check` makes all of them again."""
    held = json.loads(reference_path("shipped").read_text(encoding="utf-8"))
    held["runs"] = [
        run
        for run in held["runs"]
        if (run["spec"]["scenario"], run["spec"]["seed"]) == ("cross", 1) and run["spec"]["controller"] in QUICK
    ]
    (tmp_path / "sample.json").write_text(json.dumps(held))
    checks = list(check_reference(tmp_path / "sample.json"))
    assert {check.what: check.numbers for check in checks} == {f"cross, {arm}, safe, 1": {} for arm in QUICK}
