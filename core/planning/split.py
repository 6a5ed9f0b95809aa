"""Whole seconds that always add up: how a cycle is shared out among stages."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

NOTHING = 1e-12
"""Weights below this share of the greatest are none: they would only overflow."""


def fill(total: float, weights: ArrayLike, minima: ArrayLike, maxima: ArrayLike | None = None) -> NDArray[np.float64]:
    """Share `total` [s] in proportion to `weights` (n,), held between `minima` and `maxima` (n,) [s].

    The share of each is min(max(level * weight, minimum), maximum) at the one level that uses the whole of `total`.
    Shares of weight 0 get their minimum; when nothing else can take what is left, it is spread evenly over those
    that still have room.

    Raises `InputError` when the minima do not fit into `total`, or the maxima cannot use it.
    """
    weight = np.asarray(weights, dtype=float)
    low = np.asarray(minima, dtype=float)
    high = np.full(weight.shape, math.inf) if maxima is None else np.asarray(maxima, dtype=float)
    if weight.shape != low.shape or weight.shape != high.shape:
        raise InputError(f"shares need as many minima and maxima as weights: {weight.size}, {low.size}, {high.size}")
    if not np.all(np.isfinite(weight)) or np.any(weight < 0.0) or np.any(low < 0.0) or np.any(high < low):
        raise InputError("weights and minima of shares must be finite and not negative, maxima not below minima")
    weight = weight / (weight.max(initial=0.0) or 1.0)
    weight = np.where(weight < NOTHING, 0.0, weight)
    slack = 1e-9 * max(1.0, abs(total))
    if total < float(low.sum()) - slack:
        raise InputError(f"{total:g} s cannot hold the minima, which need {float(low.sum()):g} s: lengthen the cycle")
    if total > float(high.sum()) + slack:
        raise InputError(f"{total:g} s cannot be used up: the maxima allow {float(high.sum()):g} s; shorten the cycle")
    share = low.copy()
    for heavy in (weight, np.ones_like(weight)):
        rest = total - float(share.sum())
        if rest <= slack:
            break
        share = _level(total, heavy, share, high)
    return share


def _level(
    total: float, weight: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The largest level not using more than `total`, found on the breakpoints of a piecewise linear function."""
    heavy = weight > 0.0
    if not np.any(heavy):
        return low
    points = np.concatenate((low[heavy] / weight[heavy], high[heavy] / weight[heavy]))
    points = np.unique(points[np.isfinite(points)])
    used = [float(np.clip(level * weight, low, high).sum()) for level in points]
    at = int(np.searchsorted(used, total, side="right"))
    base = float(points[at - 1]) if at else 0.0
    share = np.clip(base * weight, low, high)
    free = heavy & (share < high) & (base * weight >= low)
    slope = float(weight[free].sum())
    if slope > 0.0:
        rest = total - float(share.sum())
        share = np.minimum(share + rest * (np.where(free, weight, 0.0) / slope), high)
    return share


def whole(shares: ArrayLike, total: int, minima: ArrayLike | None = None) -> NDArray[np.int64]:
    """Round `shares` (n,) [s] to whole seconds that sum to `total` exactly, each within one second of its share.

    Largest remainders; `minima` (n,) in whole seconds are never undercut when the shares themselves respect them.
    Raises `InputError` when the shares do not already sum to `total`.
    """
    share = np.asarray(shares, dtype=float)
    if share.size == 0 or abs(float(share.sum()) - total) > 1e-6 * max(1.0, abs(total)):
        raise InputError(f"shares of {float(share.sum()):g} s cannot be rounded to a total of {total} s")
    floor = np.floor(share + 1e-9).astype(np.int64)
    if minima is not None:
        floor = np.maximum(floor, np.asarray(minima, dtype=np.int64))
    short = int(total - floor.sum())
    remainder = share - floor
    if short > 0:
        floor[np.argsort(-remainder, kind="stable")[:short]] += 1
    return floor


def share_out(total: int, weights: ArrayLike, minima: ArrayLike, maxima: ArrayLike | None = None) -> NDArray[np.int64]:
    """Whole-second greens (n,) [s] that sum to `total` [s], in proportion to `weights`, between the given bounds.

    >>> share_out(50, [0.3, 0.2, 0.0], [5, 5, 7]).tolist()
    [26, 17, 7]

    Raises `InputError` when the bounds cannot be met.
    """
    low = np.ceil(np.asarray(minima, dtype=float) - 1e-9)
    high = None if maxima is None else np.floor(np.asarray(maxima, dtype=float) + 1e-9)
    return whole(fill(float(total), weights, low, high), int(total), low.astype(np.int64))
