"""Small lawful changes of a plan: green, offset, cycle, order of stages, a stage more or less, another plan's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.certify import SafePlan, certify
from ..core.errors import UnsafePlan
from ..core.intersection import Intersection
from ..core.plan import Plan, cycle_of

Plans = Mapping[str, SafePlan]

TRIES = 40
"""Draws before an alteration that certifies is given up."""
LEAST = 5
"""Green [s] that a stage which is put in begins with."""
PUT_IN = (6, 8, 10, 14, 20, 30)
"""Greens [s] that are tried for a stage that is missing, the first lawful one taken."""

WAYS = {
    "green": 0.28,
    "longer": 0.14,
    "offset": 0.2,
    "cycle": 0.13,
    "order": 0.06,
    "more": 0.05,
    "less": 0.06,
    "other": 0.08,
}
"""What is altered at a light, and how often."""


def altered_light(
    safe: SafePlan,
    rng: np.random.Generator,
    others: Sequence[SafePlan] = (),
    *,
    bound: bool = True,
    keep: bool = False,
    firm: bool = False,
) -> SafePlan:
    """The plan of one light with one lawful change, itself where none was found.

    others: plans for the same light that it may be replaced by. bound: an offset means something, since other lights
    have the same cycle. keep: the cycle stays what it is; firm: so do its stages, if perhaps in another order.
    """
    ways, weights = list(WAYS), np.array(list(WAYS.values()))
    weights = weights * [way != "other" or bool(others) for way in ways] * [way != "offset" or bound for way in ways]
    for _ in range(TRIES):
        way = str(rng.choice(ways, p=weights / weights.sum()))
        plan = _changed(safe, way, rng, others)
        if plan is None:
            continue
        if keep:
            plan = with_cycle(plan, safe.intersection, safe.cycle)
        if firm and not set(safe.plan.stages) <= set(plan.stages):
            continue
        if plan == safe.plan or (keep and cycle_of(plan, safe.intersection) != safe.cycle):
            continue
        try:
            return certify(plan, safe.intersection)
        except UnsafePlan:
            continue
    return safe


def fuller(safe: SafePlan) -> list[SafePlan]:
    """The plan with a stage of the site that it leaves out put in where the site has it, one after the other."""
    plan, names = safe.plan, [stage.name for stage in safe.intersection.stages]
    made = []
    for k, name in enumerate(names):
        if name in plan.stages:
            continue
        before = next((n for n in [*names[:k][::-1], *names[:k:-1]] if n in plan.stages), plan.stages[-1])
        at = plan.stages.index(before) + 1
        stages = (*plan.stages[:at], name, *plan.stages[at:])
        for green in PUT_IN:
            greens = (*plan.greens[:at], green, *plan.greens[at:])
            try:
                made.append(certify(Plan(plan.name, stages, greens, plan.offset), safe.intersection))
                break
            except UnsafePlan:
                continue
    return made


def shifted(safe: SafePlan) -> list[SafePlan]:
    """The plan a quarter, a half and three quarters of its cycle later."""
    plan = safe.plan
    made = []
    for quarter in (1, 2, 3):
        offset = (plan.offset + quarter * safe.cycle // 4) % safe.cycle
        made.append(certify(Plan(plan.name, plan.stages, plan.greens, offset), safe.intersection))
    return made


def stretched(safe: SafePlan, factor: float) -> Plan:
    """The plan at a longer or shorter cycle; lights that share one keep sharing it, their offsets scaled alike."""
    cycle = max(safe.cycle + 1 if factor > 1 else 1, round(safe.cycle * factor))
    return with_cycle(safe.plan, safe.intersection, cycle)


def with_cycle(plan: Plan, site: Intersection, cycle: int) -> Plan:
    """The plan at this cycle [s], its greens in proportion as far as whole seconds allow; as it is where they do not."""
    now = cycle_of(plan, site)
    room = cycle - (now - sum(plan.greens))
    exact = np.array(plan.greens, dtype=float) * room / sum(plan.greens)
    least = np.array([min(green, LEAST) for green in plan.greens])
    if room < least.sum():
        return plan
    greens = np.maximum(np.floor(exact).astype(int), least)
    while greens.sum() != room:
        step = 1 if greens.sum() < room else -1
        at = np.where(greens + step < least, -np.inf, step * (exact - greens))
        greens[int(np.argmax(at))] += step
    return Plan(plan.name, plan.stages, tuple(int(g) for g in greens), round(plan.offset * cycle / now) % cycle)


def _changed(safe: SafePlan, way: str, rng: np.random.Generator, others: Sequence[SafePlan]) -> Plan | None:
    plan, n = safe.plan, len(safe.plan.stages)
    if way == "green":
        return _moved(plan, rng) if n > 1 else None
    if way == "longer":
        greens = list(plan.greens)
        k = int(rng.integers(n))
        greens[k] = max(1, greens[k] + int(rng.choice((-6, -4, -3, -2, 2, 3, 4, 6))))
        return Plan(plan.name, plan.stages, tuple(greens), plan.offset)
    if way == "offset":
        step = int(rng.choice((-0.25, -0.12, -0.06, -0.03, 0.03, 0.06, 0.12, 0.25, 0.5)) * safe.cycle)
        return Plan(plan.name, plan.stages, plan.greens, (plan.offset + step) % safe.cycle)
    if way == "cycle":
        return stretched(safe, float(rng.choice((0.75, 0.85, 0.92, 1.08, 1.18, 1.33))))
    if way == "order":
        return _reordered(plan, rng) if n > 2 else None
    if way == "more":
        return _with_another(safe, rng)
    if way == "less":
        return _without(safe, int(rng.integers(n)), rng) if n > 2 else None
    other = others[int(rng.integers(len(others)))]
    if other.cycle != safe.cycle and rng.random() < 0.7:
        return with_cycle(other.plan, other.intersection, safe.cycle)
    return other.plan


def _moved(plan: Plan, rng: np.random.Generator) -> Plan:
    """Some seconds of green from one stage to another."""
    i, j = rng.choice(len(plan.greens), 2, replace=False)
    greens = list(plan.greens)
    amount = min(int(rng.integers(1, 8)), greens[i] - 1)
    greens[i] -= amount
    greens[j] += amount
    return Plan(plan.name, plan.stages, tuple(greens), plan.offset)


def _reordered(plan: Plan, rng: np.random.Generator) -> Plan:
    """Two stages change places."""
    i, j = rng.choice(len(plan.stages), 2, replace=False)
    places = list(range(len(plan.stages)))
    places[i], places[j] = places[j], places[i]
    return Plan(plan.name, tuple(plan.stages[k] for k in places), tuple(plan.greens[k] for k in places), plan.offset)


def _with_another(safe: SafePlan, rng: np.random.Generator) -> Plan:
    """A stage of the site more, one that has its green already perhaps, at the cost of the others."""
    plan, stages = safe.plan, [stage.name for stage in safe.intersection.stages]
    missing = [name for name in stages if name not in plan.stages]
    new = str(rng.choice(missing if missing and rng.random() < 0.8 else stages))
    at = int(rng.integers(len(plan.stages) + 1))
    greens = [max(LEAST, round(green * 0.9)) for green in plan.greens]
    names = [*plan.stages[:at], new, *plan.stages[at:]]
    return Plan(plan.name, tuple(names), (*greens[:at], LEAST + int(rng.integers(0, 4)), *greens[at:]), plan.offset)


def _without(safe: SafePlan, k: int, rng: np.random.Generator) -> Plan:
    """A stage less, its green shared out among the others, or saved."""
    plan = safe.plan
    spare = int(rng.choice((0, plan.greens[k])))
    names = [*plan.stages[:k], *plan.stages[k + 1 :]]
    greens = [*plan.greens[:k], *plan.greens[k + 1 :]]
    total = sum(greens)
    shared = [green + spare * green // total for green in greens]
    return Plan(plan.name, tuple(names), tuple(shared), plan.offset)
