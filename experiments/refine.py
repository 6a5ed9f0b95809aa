"""The last polish of plans, in the simulator itself: many lights are altered at once, each judged by its own queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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
PATIENCE = 8
"""Rounds without anything better after which it is enough."""
BEHIND = 0.5
"""Share of all the time lost under what it is compared with that a trial may lose more, before it is given up."""
CONFIRMED = 50
"""What is added to the number of a seed where what won a brief trial must win again."""
STRETCHES = (0.8, 0.88, 0.94, 1.06, 1.14, 1.25)


@dataclass(frozen=True, slots=True)
class Judged:
    """A trial's `cost` [s/veh], of a gridlock more than its delay, and the time lost {light: [s/veh]}; of one that was given up
    infinite, and nothing. `presence` is what it was given up by (see watched), of so many `vehicles`."""

    cost: float
    by_light: Mapping[str, float]
    presence: Sequence[float] = ()
    vehicles: int = 0

    def within(self, behind: float = BEHIND) -> tuple[float, ...]:
        """The limits [veh s] of a trial that is given up once it has lost that much more, in shares of all the time lost here."""
        return tuple(presence + behind * self.cost * self.vehicles for presence in self.presence)


class Judge(Protocol):
    """Plans under one numbered seed, over the whole window or a `brief` piece of it; those far behind another, tried under the
    same, are given up."""

    def __call__(
        self, plans: Sequence[Plans], seed: int, brief: bool = False, beside: Judged | None = None
    ) -> Sequence[Judged]: ...


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
    share: float = 1.0,
) -> Plans:
    """The best plans found in about `trials` simulations from `start`, which is kept where nothing does better.

    Each round tries alterations of the best so far for a brief piece of the window, which counts as this `share` of a trial: one
    in each neighbourhood of `near`, so that whose queues it changed can be told. The alterations that saved most come together;
    these or the best of the crowd, whichever is better, take the place of the best so far if they win again over the whole
    window, under another seed. The lights of `donors` may be taken over one by one. With `keep` cycles stay as they are, the
    lights that are `firm` lose no stage. `told` hears what is left, and the best cost, after each round; PATIENCE rounds without
    anything better end it.
    """
    best, left, idle, number = start, float(trials), 0, 0
    while left >= (CROWD + 2) * share + 2 and idle < PATIENCE:
        here = judge([best], number, brief=True)[0]
        crowd = [_altered(best, near, donors, rng, keep, firm) for _ in range(CROWD)]
        found = judge([plans for plans, _ in crowd], number, brief=True, beside=here)
        together = _together(best, here, crowd, found, near)
        again = judge([together], number, brief=True, beside=here) if together else []
        left -= (CROWD + 1 + len(again)) * share
        chances = [*zip(found, (plans for plans, _ in crowd), strict=True), *((one, together) for one in again)]
        one, plans = min(chances, key=lambda each: each[0].cost)
        idle, number = idle + 1, number + 1
        if plans is None or one.cost >= here.cost:
            continue
        before = judge([best], number + CONFIRMED)[0]
        after = judge([plans], number + CONFIRMED, beside=before)[0]
        left -= 2
        if after.cost < before.cost:
            best, idle = plans, 0
        told(round(left), min(before.cost, after.cost))
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


def _together(
    best: Plans,
    here: Judged,
    crowd: Sequence[tuple[Plans, tuple[str, ...]]],
    found: Sequence[Judged],
    near: Mapping[str, frozenset[str]],
) -> Plans | None:
    """The alterations that saved time brought together, None where that is one of the crowd, or none did."""
    saved: dict[str, tuple[float, int]] = {}
    for k, ((_plans, taken), one) in enumerate(zip(crowd, found, strict=True)):
        if len(taken) == len(best) > 1 or not one.by_light:
            continue
        for light in taken:
            gain = _saved(light, taken, here, one, near)
            if gain > max(BY_CHANCE * here.cost, saved.get(light, (0.0, 0))[0]):
                saved[light] = (gain, k)
    together = {light: crowd[saved[light][1]][0][light] if light in saved else safe for light, safe in best.items()}
    return together if saved and all(together != plans for plans, _ in crowd) else None


def _saved(light: str, taken: Sequence[str], here: Judged, one: Judged, near: Mapping[str, frozenset[str]]) -> float:
    """Time [s/veh] that one of the altered lights saved in its neighbourhood, shared with those it has in common with others."""
    gain = 0.0
    for other in near[light]:
        answers = sum(other in near[each] for each in taken)
        gain += (here.by_light.get(other, 0.0) - one.by_light.get(other, 0.0)) / answers
    return gain
