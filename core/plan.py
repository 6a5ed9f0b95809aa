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


def share_out(total: int, weights: tuple[float, ...], minima: tuple[int, ...]) -> tuple[int, ...]:
    """Divide `total` [s] by `weights` into whole seconds that add up to it, none under its minimum.

    Largest remainders first; raises ValueError when the minima alone exceed the total.

    >>> share_out(60, (1.0, 1.0, 2.0), (5, 20, 5))
    (13, 20, 27)
    """
    if sum(minima) > total:
        raise ValueError(f"minimum greens of {sum(minima)} s do not fit into {total} s")
    fixed: dict[int, int] = {}
    while True:
        free = [k for k in range(len(weights)) if k not in fixed]
        left = total - sum(fixed.values())
        weight = sum(weights[k] for k in free) or 1.0
        exact = {
            k: left * (weights[k] / weight if weight and any(weights[f] for f in free) else 1 / len(free)) for k in free
        }
        short = [k for k in free if exact[k] < minima[k]]
        if not short:
            break
        fixed.update({k: minima[k] for k in short})
    whole = {k: int(exact[k]) for k in free}
    spare = total - sum(fixed.values()) - sum(whole.values())
    for k in sorted(free, key=lambda k: (whole[k] - exact[k], k))[:spare]:
        whole[k] += 1
    shares = fixed | whole
    return tuple(shares[k] for k in range(len(weights)))
