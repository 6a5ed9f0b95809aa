"""The planner: what it returns is certified, loads, is written once, and is drawn; nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.core.plan import Plan, cycle_of
from signalwright.experiments.bench import IN_FORCE
from signalwright.experiments.planner import Planned, plan_scenario
from signalwright.experiments.planout import write_planned
from signalwright.experiments.validate import judged
from signalwright.experiments.worked import worked_out
from validate_rows import rows


def greens(planned: Planned) -> dict[str, Plan]:
    """The plans that were found, without their sites."""
    return {light: safe.plan for light, safe in planned.plans.items()}


@pytest.fixture(scope="module")
def planned() -> Iterator[Planned]:
    """A plan for ten minutes of the shipped corridor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signalwright.experiments.planner.ENDURANCE", 4)
        yield plan_scenario("corridor", timing="safe", cycles=[80], seeds=1, polish=0, end=600, workers=1)


def test_every_light_has_a_certified_plan_at_one_cycle(planned: Planned) -> None:
    """The network candidates share their cycle, and the programs in force were tried beside them."""
    assert IN_FORCE in {c.name for c in planned.candidates}
    assert len(planned.candidates) > 1
    for candidate in planned.candidates:
        if candidate.cycle is not None:
            assert {safe.cycle for safe in candidate.plans.values()} == {candidate.cycle}
            assert set(candidate.plans) == set(planned.lights)
    assert planned.candidates[0].score == min(c.score for c in planned.candidates)


def test_the_calculation_agrees_with_the_plan(planned: Planned) -> None:
    """Greens and interstages add up to the cycle, x = q C / (s g) on every lane, movements carry the lanes' delay, d3 is a term."""
    plans = planned.plans or next(c.plans for c in planned.candidates if c.plans)
    for light, safe in plans.items():
        site = planned.lights[light].intersection
        worked = worked_out(site, safe.plan, planned.flows[light])
        assert sum(worked.greens) + sum(worked.interstages) == worked.cycle == cycle_of(safe.plan, site)
        for row in worked.lanes:
            expected = row.flow * worked.cycle / (row.saturation_flow * row.effective_green)
            assert row.saturation_degree == pytest.approx(expected)
            assert row.delay == pytest.approx(row.uniform_delay + row.incremental_delay)
        assert sum(row.flow for row in worked.movements) == pytest.approx(sum(row.flow for row in worked.lanes))
        mean = sum(row.flow * row.delay for row in worked.movements) / sum(row.flow for row in worked.movements)
        assert mean == pytest.approx(worked.delay)
        later = worked_out(site, safe.plan, planned.flows[light], {row.lane: 5.0 for row in worked.lanes})
        for row in later.lanes:
            assert row.initial_queue_delay > 0.0
            assert row.delay == pytest.approx(row.uniform_delay + row.incremental_delay + row.initial_queue_delay)


def test_files_are_written_once(planned: Planned, tmp_path: Path) -> None:
    """Plan, SUMO file, calculation and report are written; a second time only when asked; the report fetches nothing."""
    written = write_planned(planned, tmp_path / "out", "new")
    assert {path.name for path in written} >= {"calculation.json", "report.html", "figures"}
    drawn = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert drawn == {
        "time-space.png",
        *(f"{kind} {one.light}.png" for one in planned.worked for kind in ("map", "times")),
    }
    assert all((tmp_path / "out" / "figures" / name).read_bytes()[:4] == b"\x89PNG" for name in drawn)
    assert json.loads((tmp_path / "out" / "calculation.json").read_text())["chosen"] == planned.chosen.name
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 1 + 2 * len(planned.worked)
    assert "<script" not in page
    assert 'src="http' not in page
    with pytest.raises(InputError, match="already"):
        write_planned(planned, tmp_path / "out", "new")


def test_the_report_shows_the_verdict(planned: Planned) -> None:
    """With a verdict its words stand in the page, and each lane's queue against its room."""
    from signalwright.experiments.planreport import report_html

    made = [
        row | {"lanes": {"road_0": {"queue": 31.0, "room": 77.0, "spilled": False}}}
        for row in rows([40.0, 42.0, 41.0], [30.0, 31.5, 31.0])
    ]
    verdict = judged(made, "s", "p", looks=1)
    page = report_html(replace(planned, worked=planned.worked[:1]), verdict)
    assert verdict.words in page
    assert "<td>road_0</td>" in page
    assert "<td>77</td><td>31</td>" in page


def test_an_interrupted_search_ends_as_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while plans are altered: the same call makes none of its trials again, comes to the same plans, and cleans up."""
    monkeypatch.setattr("signalwright.experiments.planner.ENDURANCE", 4)
    journal = tmp_path / "out" / "trials.jsonl"
    told: list[str] = []

    def cut_off(text: str) -> None:
        if "looking for gridlocks" in text:
            raise KeyboardInterrupt

    def search(told: Callable[[str], None], journal: Path | None = None) -> Planned:
        return plan_scenario(
            "cross", timing="resco", cycles=[60], seeds=1, polish=12, end=400, workers=1, journal=journal, told=told
        )

    with pytest.raises(KeyboardInterrupt):
        search(cut_off, journal)
    made = len(journal.read_text().splitlines())
    assert made > 12
    again = search(told.append, journal)
    assert told[0] == f"{made} trials are known from a search that was interrupted"
    assert greens(again) == greens(search(lambda text: None))
    assert all(safe.cycle == 60 for candidate in again.candidates for safe in candidate.plans.values())
    assert not journal.exists()


def test_a_cycle_shorter_than_the_minima_is_one_clear_message() -> None:
    """The light that needs more and how much are named, before anything is simulated."""
    with pytest.raises(InputError, match=r"a cycle of 12 s is shorter than the minima: light \w+ needs \d+ s"):
        plan_scenario("cross", cycles=[12], end=300)


def test_no_traffic_is_one_clear_message() -> None:
    """Flows of nothing, and flows for a light that is not there, are refused."""
    with pytest.raises(InputError, match="no light nowhere"):
        plan_scenario("cross", {"nowhere": {}}, end=300)
    with pytest.raises(InputError, match="no traffic"):
        plan_scenario("cross", {}, end=300)
