"""The last polish of plans, in the simulator itself: many lights are altered at once, each judged by its own queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.certify import certify
from ..core.errors import UnsafePlan
from .alter import Plans, altered_light, stretched

CROWD = 6
"""Alterations tried side by side."""
BY_CHANCE = 0.01
"""Share of all time lost that a light's alteration must save to be taken for more than chance."""
ALL = 0.15
"""How often all cycles are stretched together, instead of lights altered one by one."""
PATIENCE = 4
"""Rounds without anything better after which it is enough."""
STRETCHES = (0.8, 0.88, 0.94, 1.06, 1.14, 1.25)


@dataclass(frozen=True, slots=True)
class Judged:
    """A trial's `cost` [s/veh], of a gridlock more than its delay, and the time lost {light: [s/veh]}."""

    cost: float
    by_light: Mapping[str, float]


Judge = Callable[[Sequence[Plans], int], Sequence[Judged]]
"""Plans under one numbered seed."""


def refined(
    start: Plans,
    judge: Judge,
    near: Mapping[str, frozenset[str]],
    trials: int,
    rng: np.random.Generator,
    donors: Sequence[Plans] = (),
    told: Callable[[int, float], None] = lambda left, cost: None,
    keep: bool = False,
    firm: frozenset[str] = frozenset(),
) -> Plans:
    """The best plans found in about `trials` simulations from `start`, which is kept where nothing does better.

    Each round tries alterations of the best so far under the seed it was tried under itself: one in each neighbourhood of
    `near`, so that whose queues it changed can be told. The alterations that saved most come together in a challenger,
    which takes the place of the best if it does better under that seed and a fresh one taken together. The lights of
    `donors` may be taken over one by one. With `keep` cycles stay as they are, the lights that are `firm` lose no stage.
    `told` hears what is left, and the best cost, after each round; PATIENCE rounds without anything better end it.
    """
    best, seed = start, 0
    if trials < CROWD + 4:
        return best
    here = judge([best], seed)[0]
    trials -= 1
    idle = 0
    while trials >= CROWD + 3 and idle < PATIENCE:
        crowd = [_altered(best, near, donors, rng, keep, firm) for _ in range(CROWD)]
        found = judge([plans for plans, _ in crowd], seed)
        challengers = _challengers(best, here, crowd, found, near)
        again = judge([plans for plans, known in challengers if known is None], seed)
        fresh = judge([best, *(plans for plans, _ in challengers)], seed + 1)
        trials -= CROWD + len(again) + len(fresh)
        seed += 1
        rest = iter(again)
        sums = [known.cost if known is not None else next(rest).cost for _, known in challengers]
        first = here.cost + fresh[0].cost
        totals = [one + two.cost for one, two in zip(sums, fresh[1:], strict=True)]
        here = fresh[0]
        idle += 1
        if totals and min(totals) < first:
            k = int(np.argmin(totals))
            best, here, idle = challengers[k][0], fresh[1 + k], 0
        told(trials, here.cost)
    return best


def _altered(
    best: Plans,
    near: Mapping[str, frozenset[str]],
    donors: Sequence[Plans],
    rng: np.random.Generator,
    keep: bool,
    firm: frozenset[str],
) -> tuple[Plans, tuple[str, ...]]:
    """Altered plans, and the lights that were altered: none borders on another, all of them where all were stretched."""
    if len(best) > 1 and not keep and rng.random() < ALL:
        factor = float(rng.choice(STRETCHES))
        try:
            return {n: certify(stretched(safe, factor), safe.intersection) for n, safe in best.items()}, tuple(best)
        except UnsafePlan:
            pass
    changed, taken = dict(best), list[str]()
    for name in rng.permutation(list(best)):
        light = str(name)
        if taken and not near[light].isdisjoint(taken):
            continue
        safe = best[light]
        bound = any(best[other].cycle == safe.cycle for other in near[light] - {light})
        others = [plans[light] for plans in donors if light in plans and plans[light].plan != safe.plan]
        changed[light] = altered_light(safe, rng, others, bound=bound, keep=keep, firm=light in firm)
        if changed[light] is not safe:
            taken.append(light)
    return changed, tuple(taken)


def _challengers(
    best: Plans,
    here: Judged,
    crowd: Sequence[tuple[Plans, tuple[str, ...]]],
    found: Sequence[Judged],
    near: Mapping[str, frozenset[str]],
) -> list[tuple[Plans, Judged | None]]:
    """What is worth a fresh seed: the alterations that saved time, brought together, and the best of the crowd as it stands."""
    top = int(np.argmin([one.cost for one in found]))
    challengers: list[tuple[Plans, Judged | None]] = []
    if found[top].cost < here.cost:
        challengers.append((crowd[top][0], found[top]))
    saved: dict[str, tuple[float, int]] = {}
    for k, ((_plans, taken), one) in enumerate(zip(crowd, found, strict=True)):
        if len(taken) == len(best) > 1:
            continue
        for light in taken:
            gain = _saved(light, taken, here, one, near)
            if gain > max(BY_CHANCE * here.cost, saved.get(light, (0.0, 0))[0]):
                saved[light] = (gain, k)
    together = {light: crowd[saved[light][1]][0][light] if light in saved else safe for light, safe in best.items()}
    if saved and all(together != plans for plans, _ in crowd):
        challengers.append((together, None))
    return challengers


def _saved(light: str, taken: Sequence[str], here: Judged, one: Judged, near: Mapping[str, frozenset[str]]) -> float:
    """Time [s/veh] that one of the altered lights saved in its neighbourhood, shared with those it has in common with others."""
    gain = 0.0
    for other in near[light]:
        answers = sum(other in near[each] for each in taken)
        gain += (here.by_light.get(other, 0.0) - one.by_light.get(other, 0.0)) / answers
    return gain
