"""The critical path search: least green that covers every movement's need, and which movements decide it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EPS = 1e-9


@dataclass(frozen=True, slots=True)
class Cover:
    """Greens (n_stages,) [s] of least total, and `price` (n_needs,): how much of each need stands in that total.

    Where each movement is green in consecutive stages the prices are 0 or 1 and name the critical path.
    """

    greens: NDArray[np.float64]
    price: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Sum of the greens [s]."""
        return float(self.greens.sum())


def cover(serves: NDArray[np.bool_], needs: NDArray[np.float64]) -> Cover:
    """Smallest sum of stage greens g >= 0 (n_stages,) with `serves @ g >= needs` (n_needs, n_stages), (n_needs,) [s].

    A linear program; its dual, max needs @ price with price @ serves <= 1, starts feasible at price = 0, so a plain
    simplex with Bland's rule (which cannot cycle) solves both at once: the prices are the critical movements, the
    reduced costs of the slacks the greens. Every row of `serves` with a positive need must have a stage.
    """
    n_needs, n_stages = serves.shape
    table = np.zeros((n_stages + 1, n_needs + n_stages + 1))
    table[:-1, :n_needs] = serves.T
    table[:-1, n_needs:-1] = np.eye(n_stages)
    table[:-1, -1] = 1.0
    table[-1, :n_needs] = -needs
    basis = np.arange(n_needs, n_needs + n_stages)
    scale = _EPS * max(1.0, float(np.abs(needs).max(initial=0.0)))
    while True:
        entering = np.flatnonzero(table[-1, :-1] < -scale)
        if entering.size == 0:
            break
        column = int(entering[0])
        rising = np.flatnonzero(table[:-1, column] > _EPS)
        ratio = table[rising, -1] / table[rising, column]
        tied = rising[ratio <= ratio.min() + _EPS]
        row = int(tied[np.argmin(basis[tied])])
        table[row] /= table[row, column]
        others = np.arange(n_stages + 1) != row
        table[others] -= np.outer(table[others, column], table[row])
        basis[row] = column
    price = np.zeros(n_needs + n_stages)
    price[basis] = table[:-1, -1]
    return Cover(greens=np.maximum(table[-1, n_needs:-1], 0.0), price=price[:n_needs])
