"""Who stands at the head of a lane that stalls: which way this vehicle can mean to go, and which stages let it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SETS_OFF = 9.0
"""Seconds from the change to a stage that lets a movement go freely after which whoever still stands there does not mean to go that way,
or cannot."""


class Heads:
    """The heads of the lanes of one intersection.

    may  (n_lanes, n_moves) bool: the movements that can be meant by whoever stands at the head; none where it is blocked
    """

    def __init__(self, uses: Bools, free: Bools) -> None:
        """`uses` (n_lanes, n_moves): the lane is used by the movement; `free` (n_stages, n_moves): it is green and need not give way."""
        self._uses, self._free = uses, free
        self.may = uses.copy()
        self._freed_for: Floats = np.zeros(free.shape[1])

    def second(self, stage: int, stalled: Floats) -> None:
        """One more second of `stage`, in which these lanes (n_lanes,) stalled where that is above 0."""
        self._freed_for = np.where(self._free[stage], self._freed_for + 1.0, 0.0)
        stalls = (stalled > 0.0)[:, None]
        self.may = np.where(stalls, self.may & (self._freed_for < SETS_OFF), self._uses)

    def lets_go(self, lane: int) -> Bools:
        """(n_stages,) whether the stage lets go whoever stands at the head of the lane."""
        lets_go: Bools = np.any(self._free & self.may[lane], axis=1)
        return lets_go
