"""Plans: stages in order with their greens and an offset, in whole seconds; the cycle is derived."""

from __future__ import annotations

from dataclasses import dataclass

from .intersection import Intersection


@dataclass(frozen=True, slots=True)
class Plan:
    """A fixed-time plan for one intersection.

    `stages` are stage names in order; `greens` [s] how long each is held from the moment its last group turned green;
    `offset` [s] shifts the start of the first stage's interstage against the common zero of time.
    """

    name: str
    stages: tuple[str, ...]
    greens: tuple[int, ...]
    offset: int = 0


def cycle_of(plan: Plan, intersection: Intersection) -> int:
    """Cycle [s]: the greens and the interstages between them, so it cannot disagree with either."""
    return sum(plan.greens) + sum(interstages_of(plan, intersection))


def interstages_of(plan: Plan, intersection: Intersection) -> tuple[int, ...]:
    """Interstage before each stage [s], the first one from the last stage."""
    rows = [intersection.stage_index[name] for name in plan.stages]
    return tuple(intersection.interstage(rows[k - 1], rows[k]) for k in range(len(rows)))
