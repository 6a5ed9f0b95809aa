"""Ranking of candidates: a gridlock outweighs any mean, and what locks under heavy demand is not chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pytest

from signalwright.core.certify import SafePlan, certify
from signalwright.core.errors import UnsafePlan
from signalwright.core.intersection import Intersection
from signalwright.core.plan import Plan
from signalwright.core.planning.fixed import CROSS_PRODUCT, needed_stages
from signalwright.experiments.alter import fuller
from signalwright.experiments.bench import IN_FORCE, TRAINING, Bench, Candidate, endured, hardened, mended
from signalwright.experiments.refine import Judged
from signalwright.networks.netfile import read_lights
from sumo_material import load

LIGHT = read_lights(load("shipped-cross"))["cross"]
PLANS: Mapping[str, SafePlan] = {
    "cross": certify(
        Plan("p", tuple(s.name for s in LIGHT.intersection.stages), tuple(30 for _ in LIGHT.intersection.stages)),
        LIGHT.intersection,
    )
}


class Heavy:
    """A bench on which the named candidates' plans lock under heavy demand."""

    def __init__(self, **locks: int) -> None:
        self.asked: list[str] = []
        self.found = locks

    def broken(self, plans: Mapping[str, SafePlan]) -> dict[int, Judged]:
        """By the number of entries: each candidate has one more."""
        name = f"c{len(plans)}"
        self.asked.append(name)
        return {seed: Judged(300.0, {}) for seed in range(self.found.get(name, 0))}


def candidates() -> list[Candidate]:
    """c1 best, then c2, then the programs in force, then c3."""
    made = [Candidate(f"c{k}", {str(j): PLANS["cross"] for j in range(k)}, delays=(20.0 + k,) * 4) for k in (1, 2, 3)]
    return [made[0], made[1], Candidate(IN_FORCE, {}, delays=(22.5,) * 4), made[2]]


def test_a_gridlock_outweighs_any_mean() -> None:
    """One lock in four seeds puts the best mean last; without, spread and worst seed are added to the mean."""
    steady = Candidate("a", PLANS, delays=(30.0, 30.0, 30.0, 30.0))
    wild = Candidate("b", PLANS, delays=(20.0, 20.0, 20.0, 58.0))
    lucky = Candidate("c", PLANS, delays=(20.0, 20.0, 20.0, 20.0), locks=1)
    assert sorted([lucky, wild, steady], key=lambda c: c.rank) == [steady, wild, lucky]
    assert steady.score == pytest.approx(30.0)
    assert wild.score > 29.5 + 0.25 * 28.5


def test_what_locks_under_heavy_demand_comes_last() -> None:
    """The second is chosen where the first locks, the programs in force where both do; nothing behind them is tried."""
    bench = Heavy(c1=2)
    assert [c.name for c in endured(cast(Bench, bench), candidates())] == ["c2", IN_FORCE, "c3", "c1"]
    assert bench.asked == ["c1", "c2"]
    both = endured(cast(Bench, Heavy(c1=1, c2=1)), candidates())
    assert [c.name for c in both] == [IN_FORCE, "c3", "c1", "c2"]
    assert [c.locks for c in both] == [0, 0, 1, 1]


def test_where_the_programs_in_force_lock_too_the_rank_decides() -> None:
    """No plan is held to more than what is there."""
    locked = [c if c.plans else Candidate(IN_FORCE, {}, delays=(90.0,) * 4, locks=2) for c in candidates()]
    bench = Heavy(c1=5)
    assert endured(cast(Bench, bench), locked) == locked
    assert bench.asked == []


def test_busy_turns_keep_their_stage() -> None:
    """The more a turn may give way, the fewer stages are left; one that is busier than the bound keeps what protects it."""
    scenario = load("shipped-grid")
    dropped = 0
    for light in read_lights(scenario).values():
        site = light.intersection
        busy = {m.name: 600.0 for m in site.movements}
        counts = [len(needed_stages(site, busy, give_way=bound)) for bound in (0.0, CROSS_PRODUCT, float("inf"))]
        assert counts[0] == counts[1] >= counts[2]
        quiet = {m.name: 60.0 for m in site.movements}
        assert len(needed_stages(site, quiet, give_way=CROSS_PRODUCT)) == counts[2]
        dropped += counts[0] - counts[2]
    assert dropped > 0


class Repairing:
    """A bench on which light b breaks down in seed 1901 unless its cycle is long."""

    keep = False
    side = 2

    def judged(
        self, plans: Sequence[Mapping[str, SafePlan]], seed: int, brief: bool = False, beside: Judged | None = None
    ) -> list[Judged]:
        """Seed TRAINING + 1 is a usual one."""
        return [self.one(of_all, seed) for of_all in plans]

    def one(self, plans: Mapping[str, SafePlan], seed: int) -> Judged:
        """The delay at a is always 30 s, at b 5 s or far more."""
        worse = 200.0 if seed != TRAINING + 1 and plans["b"].cycle < 120 else 5.0
        return Judged(30.0 + worse, {"a": 30.0, "b": worse})


def test_the_light_that_breaks_down_is_given_another_plan() -> None:
    """Of the other plans the one under which it comes through is taken, for that light alone."""
    site, names = LIGHT.intersection, tuple(s.name for s in LIGHT.intersection.stages)
    longer = certify(Plan("p", names, tuple(60 for _ in names)), site)
    assert longer.cycle > 120 > PLANS["cross"].cycle
    plans = {"a": PLANS["cross"], "b": PLANS["cross"]}
    bench = cast(Bench, Repairing())
    broken = {1901: Judged(230.0, {"a": 30.0, "b": 200.0})}
    assert mended(bench, plans, broken, [{"a": longer, "b": longer}]) == ({"a": PLANS["cross"], "b": longer}, "b")
    assert mended(bench, plans, broken, []) == (plans, "b")


def test_a_plan_under_which_traffic_meets_unluckily_comes_later() -> None:
    """Where no other stages help and another offset does, the light keeps its stages and greens and comes at that time."""

    class Meeting(Repairing):
        """Traffic breaks down at light b unless it is half a cycle late."""

        def one(self, plans: Mapping[str, SafePlan], seed: int) -> Judged:
            """Seed TRAINING + 1 is a usual one."""
            late = plans["b"].plan.offset == plans["b"].cycle // 2
            worse = 5.0 if late or seed == TRAINING + 1 else 200.0
            return Judged(30.0 + worse, {"a": 30.0, "b": worse})

    plans = {"a": PLANS["cross"], "b": PLANS["cross"]}
    found, light = mended(cast(Bench, Meeting()), plans, {1901: Judged(230.0, {"a": 30.0, "b": 200.0})}, [])
    assert light == "b"
    assert found["a"] == plans["a"]
    assert (found["b"].plan.stages, found["b"].plan.greens) == (plans["b"].plan.stages, plans["b"].plan.greens)
    assert found["b"].plan.offset == plans["b"].cycle // 2


def test_a_plan_that_breaks_down_gets_the_stages_it_left_out() -> None:
    """Every missing stage is tried in its place, at the light to blame; it is firm from then on, and others are left alone."""
    site, names = LIGHT.intersection, [s.name for s in LIGHT.intersection.stages]
    full = PLANS["cross"]
    few = next(
        safe
        for k in range(len(names))
        if (safe := _lawful(Plan("p", tuple(n for n in names if n != names[k]), (30,) * (len(names) - 1)), site))
    )
    assert [set(safe.plan.stages) for safe in fuller(few)] == [set(names)]
    assert fuller(full) == []
    asked: list[frozenset[str]] = []

    class Locking(Repairing):
        """Light b breaks down while it leaves a stage out."""

        def one(self, plans: Mapping[str, SafePlan], seed: int) -> Judged:
            """Only seed TRAINING + 1 never breaks down."""
            locks = seed != TRAINING + 1 and len(plans["b"].plan.stages) < len(names)
            return Judged(200.0 if locks else 20.0, {"a": 10.0, "b": 190.0 if locks else 10.0})

        def broken(self, plans: Mapping[str, SafePlan]) -> dict[int, Judged]:
            """Seed 1901, as long as it does."""
            return {1901: one} if (one := self.one(plans, 1901)).cost > 100.0 else {}

    def better(plans: Mapping[str, SafePlan], firm: frozenset[str]) -> Mapping[str, SafePlan]:
        asked.append(firm)
        return plans

    ended = hardened(cast(Bench, Locking()), {"a": few, "b": few}, [], better, lambda text: None)
    assert ended["a"] == few
    assert set(ended["b"].plan.stages) == set(names)
    assert asked == [frozenset({"b"})]


def _lawful(plan: Plan, site: Intersection) -> SafePlan | None:
    try:
        return certify(plan, site)
    except UnsafePlan:
        return None
