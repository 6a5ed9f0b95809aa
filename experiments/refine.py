"""The last polish of a plan, in the simulator itself: alter one light, or all at once, and keep what does better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..core.certify import SafePlan, certify
from ..core.errors import UnsafePlan
from ..core.plan import Plan

Plans = Mapping[str, SafePlan]
Judge = Callable[[Sequence[Plans], Sequence[int]], list[float]]
"""Mean delays [s/veh] of plans over numbered seeds."""

CROWD = 6
"""Alterations tried side by side."""
TRIES = 40
"""Draws before an alteration that certifies is given up."""


def refined(start: Plans, judge: Judge, trials: int, rng: np.random.Generator, *, seeds: int = 2) -> Plans:
    """The best plans found in about `trials` simulations from `start`, which is kept where nothing does better.

    Each round draws alterations of the best so far and judges them all with the same fresh seeds, the best among them:
    a lucky draw has to win again to stay.
    """
    best, fresh = start, 0
    while trials >= (CROWD + 1) * seeds:
        crowd = [best, *(altered(best, rng) for _ in range(CROWD))]
        values = judge(crowd, range(fresh, fresh + seeds))
        fresh, trials = fresh + seeds, trials - len(crowd) * seeds
        best = crowd[int(np.argmin(values))]
    return best


def altered(plans: Plans, rng: np.random.Generator) -> Plans:
    """The plans with a small lawful change: green moved between stages, an offset shifted, or all cycles stretched."""
    names = list(plans)
    for _ in range(TRIES):
        kind = rng.random()
        changed = dict(plans)
        try:
            if kind < 0.3:
                factor = float(rng.choice((0.85, 0.92, 1.08, 1.18)))
                changed = {name: _certified(_stretched(safe, factor), safe) for name, safe in plans.items()}
            else:
                some = rng.choice(
                    names, size=min(len(names), 1 + int(rng.integers(0, max(1, len(names) // 3)))), replace=False
                )
                for name in some:
                    safe = plans[str(name)]
                    plan = _moved(safe.plan, rng) if kind < 0.75 or len(names) == 1 else _shifted(safe, rng)
                    changed[str(name)] = _certified(plan, safe)
        except UnsafePlan:
            continue
        if changed != plans:
            return changed
    return plans


def _certified(plan: Plan, like: SafePlan) -> SafePlan:
    return certify(plan, like.intersection)


def _moved(plan: Plan, rng: np.random.Generator) -> Plan:
    """Some seconds of green from one stage to another."""
    if len(plan.greens) < 2:
        return plan
    i, j = rng.choice(len(plan.greens), 2, replace=False)
    greens = list(plan.greens)
    amount = min(int(rng.integers(1, 7)), greens[i] - 1)
    greens[i] -= amount
    greens[j] += amount
    return Plan(plan.name, plan.stages, tuple(greens), plan.offset)


def _shifted(safe: SafePlan, rng: np.random.Generator) -> Plan:
    plan = safe.plan
    step = int(rng.choice((-12, -8, -4, -2, 2, 4, 8, 12)))
    return Plan(plan.name, plan.stages, plan.greens, (plan.offset + step) % safe.cycle)


def _stretched(safe: SafePlan, factor: float) -> Plan:
    """The plan at a longer or shorter cycle; lights that share one keep sharing it, their offsets scaled alike."""
    plan, cycle = safe.plan, max(safe.cycle + 1 if factor > 1 else 1, round(safe.cycle * factor))
    lost = safe.cycle - sum(plan.greens)
    room = cycle - lost
    exact = np.array(plan.greens, dtype=float) * room / sum(plan.greens)
    greens = np.floor(exact).astype(int)
    for k in np.argsort(greens - exact)[: max(0, room - int(greens.sum()))]:
        greens[k] += 1
    return Plan(plan.name, plan.stages, tuple(int(g) for g in greens), round(plan.offset * cycle / safe.cycle) % cycle)
