"""Demand where only links are counted: turning shares, balanced turning counts, and how well counts are met (GEH)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import CountsError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Turning:
    """Shares (n_in, n_out) of each inflow that leaves by each outflow, what is left unexplained, and how sure it is.

    residual : (n_out,) [veh] root mean square of what the shares do not explain per interval;
    sure : (n_in,) False where the counts cannot tell this inflow's shares and the prior spoke.
    """

    shares: Floats
    residual: Floats
    sure: NDArray[np.bool_]


def turning_shares(
    inflow: ArrayLike,
    outflow: ArrayLike,
    allowed: ArrayLike | None = None,
    *,
    prior: ArrayLike | None = None,
    forgetting: float = 1.0,
) -> Turning:
    """Shares b with outflow = inflow @ b, b >= 0, each row summing to 1, of least squared error (Cremer and Keller 1987).

    inflow : (n_intervals, n_in), outflow : (n_intervals, n_out) [veh], outflow already shifted by the time it takes
    through the junction; allowed : (n_in, n_out) bool; prior : (n_in, n_out) shares to lean on where counts say nothing
    (default: evenly over what is allowed); forgetting : weight of an interval against the next one, 1 for all alike.
    A convex problem, solved by projected gradients with momentum. Raises CountsError for counts that do not fit together.
    """
    q, y = np.asarray(inflow, dtype=float), np.asarray(outflow, dtype=float)
    if q.ndim != 2 or y.ndim != 2 or q.shape[0] != y.shape[0] or q.shape[0] == 0:
        raise CountsError(f"inflow and outflow need the same intervals in rows: {q.shape} and {y.shape}")
    if not (np.all(np.isfinite(q)) and np.all(np.isfinite(y)) and np.all(q >= 0.0) and np.all(y >= 0.0)):
        raise CountsError("counts for turning shares must be complete and not negative: fill the gaps first")
    if not 0.0 < forgetting <= 1.0:
        raise CountsError(f"forgetting must lie in (0, 1], not {forgetting:g}")
    may = np.ones((q.shape[1], y.shape[1]), dtype=bool) if allowed is None else np.asarray(allowed, dtype=bool)
    if may.shape != (q.shape[1], y.shape[1]) or not may.any(axis=1).all():
        raise CountsError(
            f"every one of the {q.shape[1]} inflows needs at least one of the {y.shape[1]} outflows allowed"
        )
    even = may / may.sum(axis=1, keepdims=True)
    lean = even if prior is None else _onto_simplex(np.where(may, np.asarray(prior, dtype=float), 0.0), may)
    weight = np.sqrt(forgetting ** np.arange(q.shape[0] - 1, -1, -1))[:, None]
    a, b = q * weight, y * weight
    gram, cross = a.T @ a, a.T @ b
    top = float(np.linalg.eigvalsh(gram)[-1]) if gram.size else 0.0
    ridge = 1e-6 * max(top, 1e-12)
    curve = gram + ridge * np.eye(gram.shape[0])
    step = 1.0 / (top + ridge)
    share, ahead, momentum = lean.copy(), lean.copy(), 1.0
    for _ in range(20_000):
        moved = _onto_simplex(ahead - step * (curve @ ahead - cross - ridge * lean), may)
        if float(((ahead - moved) * (moved - share)).sum()) > 0.0:
            momentum = 1.0  # the momentum points uphill: begin it again
        following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum * momentum))
        ahead = moved + (momentum - 1.0) / following * (moved - share)
        change = float(np.abs(moved - share).max())
        share, momentum = moved, following
        if change < 1e-10:
            break
    values, vectors = np.linalg.eigh(gram)
    unseen = vectors[:, values <= 1e-9 * max(top, 1e-12)]
    sure = ~(np.abs(unseen) > 1e-6).any(axis=1) if unseen.size else np.ones(q.shape[1], dtype=bool)
    return Turning(share, np.sqrt(((q @ share - y) ** 2).mean(axis=0)), sure)


def _onto_simplex(rows: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """The nearest rows that are not negative, sum to 1 and are zero where not allowed (Duchi et al. 2008)."""
    masked = np.where(allowed, rows, -np.inf)
    falling = -np.sort(-masked, axis=1)
    finite = np.where(np.isfinite(falling), falling, 0.0)
    rank = np.arange(1, rows.shape[1] + 1)
    level = (np.cumsum(finite, axis=1) - 1.0) / rank
    kept = (np.isfinite(falling) & (falling > level)).sum(axis=1)
    cut = level[np.arange(rows.shape[0]), np.maximum(kept, 1) - 1]
    return np.where(allowed, np.maximum(rows - cut[:, None], 0.0), 0.0)


def balanced(seed: ArrayLike, inflow: ArrayLike, outflow: ArrayLike, *, rounds: int = 1000) -> Floats:
    """Turning counts (n_in, n_out) [veh] nearest in proportion to `seed` that add up to both sides (Furness 1965).

    Outflow is scaled to the total inflow first when they differ. Zero in `seed` stays zero.
    Raises CountsError when the seed cannot be brought into agreement with the counts.
    """
    table = np.array(seed, dtype=float)
    rows, columns = np.asarray(inflow, dtype=float), np.asarray(outflow, dtype=float)
    if table.shape != (rows.size, columns.size) or np.any(table < 0.0) or np.any(rows < 0.0) or np.any(columns < 0.0):
        raise CountsError(f"a seed of {table.shape} does not fit {rows.size} inflows and {columns.size} outflows")
    total = float(rows.sum())
    if total == 0.0:
        return np.zeros_like(table)
    if columns.sum() <= 0.0:
        raise CountsError("vehicles come in but none was counted going out: check the exit detectors")
    columns = columns * total / columns.sum()
    for _ in range(rounds):
        table *= np.divide(rows, table.sum(axis=1), out=np.zeros_like(rows), where=table.sum(axis=1) > 0.0)[:, None]
        sums = table.sum(axis=0)
        table *= np.divide(columns, sums, out=np.zeros_like(columns), where=sums > 0.0)
        if np.abs(table.sum(axis=1) - rows).max() < 1e-9 * total:
            break
    if np.abs(table.sum(axis=1) - rows).max() > 1e-3 * total:
        worst = int(np.abs(table.sum(axis=1) - rows).argmax())
        raise CountsError(
            f"the turns allowed from inflow {worst} cannot carry its {rows[worst]:g} vehicles to the exits counted"
        )
    return table


def geh(model: ArrayLike, count: ArrayLike) -> Floats:
    """GEH statistic of hourly flows [veh/h]: sqrt(2 (m - c)^2 / (m + c)); 0 where both are 0.

    >>> round(float(geh(1000, 900)), 2)
    3.24
    """
    m, c = np.asarray(model, dtype=float), np.asarray(count, dtype=float)
    total = m + c
    return np.asarray(np.sqrt(2.0 * (m - c) ** 2 / np.where(total > 0.0, total, 1.0)))
