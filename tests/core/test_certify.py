"""Certify: a plan becomes a SafePlan, or every reason why not is given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from checker import Judge
from signalwright.core.certify import SafePlan, certify
from signalwright.core.errors import UnsafePlan
from signalwright.core.intersection import GroupKind, Intersection, SignalGroup, Stage
from signalwright.core.plan import Plan, cycle_of
from signalwright.core.sequencer import Sequencer
from strategies import sites


def site(**changes: object) -> Intersection:
    """Main road, side road and a crossing over the main road with 12 s of clearance."""
    conflict = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], dtype=bool)
    arguments: dict[str, object] = {
        "groups": (
            SignalGroup("main", ()),
            SignalGroup("side", ()),
            SignalGroup("walk", (), GroupKind.PEDESTRIAN, min_green=7.0, amber=0.0),
        ),
        "stages": (
            Stage("1", frozenset({"main"})),
            Stage("2", frozenset({"side", "walk"})),
            Stage("3", frozenset({"side"})),
        ),
        "conflict": conflict,
        "yields": np.zeros((3, 3), dtype=bool),
        "intergreen": np.array([[0, 5, 5], [4, 0, 0], [12, 0, 0]], dtype=float),
    }
    return Intersection("mill", **(arguments | changes))  # type: ignore[arg-type]


def test_cycle_is_derived() -> None:
    """The cycle is greens plus interstages: 30 + 10 s of green, 5 s and 12 s between."""
    plan = Plan("day", ("1", "2"), (30, 10))
    assert cycle_of(plan, site()) == 57
    safe = certify(plan, site())
    assert (safe.cycle, safe.starts) == (57, (0, 42))
    assert [safe.stage_at(t) for t in (0, 41, 42, 56, 57)] == [0, 0, 1, 1, 0]


def test_every_reason_is_given() -> None:
    """A plan with several faults is refused with all of them, each naming its group."""
    with pytest.raises(UnsafePlan) as refused:
        certify(Plan("bad", ("1", "3"), (200, 3)), site())
    text = str(refused.value)
    assert "walk is never green" in text
    assert "side is green for" in text
    assert "side is red for" in text


def test_unknown_stage_names_those_there_are() -> None:
    """A stage the site lacks is answered with those it has."""
    with pytest.raises(UnsafePlan, match="mill has no stage 9; it has 1, 2, 3"):
        certify(Plan("p", ("1", "9"), (30, 10)), site())


def test_clearance_of_an_earlier_stage_counts() -> None:
    """The crossing ended one stage ago still holds the main road back until its clearance is over."""
    with pytest.raises(
        UnsafePlan, match="main cannot be green on time in stage 1: the intergreen from walk needs 5 s more"
    ):
        certify(Plan("p", ("1", "2", "3"), (30, 10, 3)), site())
    assert certify(Plan("p", ("1", "2", "3"), (30, 10, 8)), site()).cycle == 57


def test_only_certify_makes_a_safe_plan() -> None:
    """A SafePlan cannot be made by hand."""
    plan = Plan("p", ("1", "2"), (30, 10))
    with pytest.raises(TypeError, match="certify"):
        SafePlan(plan, site(), (0, 1), (0, 42), 57)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_safe_plan_runs_as_written(data: st.DataObject) -> None:
    """Asked for on time, the sequencer shows a certified plan without a breach and refuses nothing once in step."""
    place = data.draw(sites(max_groups=6))
    names = [s.name for s in place.stages]
    order = data.draw(st.permutations(names))[: data.draw(st.integers(2, max(2, len(names))))]
    assume(len(order) > 1)
    plan = Plan(
        "any", tuple(order), tuple(data.draw(st.lists(st.integers(5, 40), min_size=len(order), max_size=len(order))))
    )
    try:
        safe = certify(plan, place)
    except UnsafePlan:
        return
    sequencer, judge = Sequencer(place), Judge(place)
    for second in range(4 * safe.cycle):
        sequencer.grant(safe.stage_at(second))
        if second > 2 * safe.cycle:
            assert sequencer.stage == safe.stage_at(second)
        for _ in range(9):
            judge.see(sequencer.aspects.tolist())
            sequencer.elapse(1)
            sequencer.grant(None)
        judge.see(sequencer.aspects.tolist())
        sequencer.elapse(1)
    assert judge.breaches == []
