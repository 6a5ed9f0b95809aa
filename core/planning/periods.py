"""Time-of-day periods from a day of counts: where one plan should give way to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import CountsError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Period:
    """Intervals first..last-1 of the day that share a plan: `flow` (n_series,) [veh/h] to plan for, number of the plan."""

    first: int
    last: int
    flow: Floats
    plan: int


def periods(
    flow: ArrayLike,
    *,
    interval: float = 900.0,
    shortest: int = 2,
    most: int = 8,
    plans: int | None = None,
    design: float = 0.5,
) -> tuple[Period, ...]:
    """Split a day of flows (n_intervals, n_series) [veh/h], intervals of `interval` [s], where the traffic changes.

    The best split of every number of periods up to `most` is found by dynamic programming on the squared error of the
    square roots of the counts (which have the same variance 1/4 whatever the count, if arrivals are random); the number
    is the one with the least Bayesian information criterion, its noise taken from second differences of the day, so
    that slow drifts do not look like noise. No period is shorter than `shortest` intervals. `plans` bounds how many
    plans there are: the periods most alike then share one. `design`: quantile of the flow within a period to plan for.
    Raises CountsError for a day with gaps, negative flows or too few intervals.
    """
    day = np.asarray(flow, dtype=float)
    if day.ndim != 2 or day.shape[0] < 2 * shortest or shortest < 1:
        raise CountsError(f"a day of counts needs at least {2 * shortest} intervals in rows, got {day.shape[0]}")
    if not np.all(np.isfinite(day)) or np.any(day < 0.0):
        raise CountsError("flows of a day must be complete and not negative: fill the gaps first")
    root = np.sqrt(day * interval / 3600.0)
    n, series = root.shape
    error = _segment_errors(root)
    most = min(most, n // shortest)
    cost = np.full((most + 1, n + 1), np.inf)
    back = np.zeros((most + 1, n + 1), dtype=np.intp)
    cost[0, 0] = 0.0
    for k in range(1, most + 1):
        for end in range(k * shortest, n + 1):
            starts = np.arange((k - 1) * shortest, end - shortest + 1)
            total = cost[k - 1, starts] + error[starts, end]
            best = int(total.argmin())
            cost[k, end], back[k, end] = total[best], starts[best]
    noise = max(0.25, float(np.var(np.diff(root, n=2, axis=0)) / 6.0)) if n > 4 else 0.25
    criterion = cost[1:, n] / noise + np.arange(most) * (series + 1) * np.log(n * series)
    count = int(criterion.argmin()) + 1
    cuts = [n]
    for k in range(count, 0, -1):
        cuts.append(int(back[k, cuts[-1]]))
    cuts.reverse()
    spans = list(zip(cuts[:-1], cuts[1:], strict=True))
    kind = _alike(root, spans, count if plans is None else max(1, plans))
    shared = {p: np.concatenate([day[a:b] for (a, b), q in zip(spans, kind, strict=True) if q == p]) for p in set(kind)}
    return tuple(Period(a, b, np.quantile(shared[p], design, axis=0), p) for (a, b), p in zip(spans, kind, strict=True))


def _segment_errors(root: Floats) -> Floats:
    """Squared error (n + 1, n + 1) of taking the mean over intervals a..b-1."""
    sums = np.vstack((np.zeros(root.shape[1]), np.cumsum(root, axis=0)))
    squares = np.concatenate(([0.0], np.cumsum((root**2).sum(axis=1))))
    n = root.shape[0]
    length = np.maximum(np.arange(n + 1)[None, :] - np.arange(n + 1)[:, None], 1)
    total = ((sums[None, :, :] - sums[:, None, :]) ** 2).sum(axis=2)
    return np.asarray(squares[None, :] - squares[:, None] - total / length)


def _alike(root: Floats, spans: list[tuple[int, int]], plans: int) -> list[int]:
    """Number of the plan of each period: the two groups whose union costs least are joined until few enough are left."""
    groups = [[k] for k in range(len(spans))]

    def spread(members: list[int]) -> float:
        rows = np.concatenate([root[a:b] for a, b in (spans[k] for k in members)])
        return float(((rows - rows.mean(axis=0)) ** 2).sum())

    while len(groups) > plans:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i)]
        i, j = min(
            pairs, key=lambda p: spread(groups[p[0]] + groups[p[1]]) - spread(groups[p[0]]) - spread(groups[p[1]])
        )
        groups[j] += groups.pop(i)
    groups.sort(key=min)
    number = {k: g for g, members in enumerate(groups) for k in members}
    return [number[k] for k in range(len(spans))]
