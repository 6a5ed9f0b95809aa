"""Queues nobody sees: the chance of every length of every lane's queue, by who comes and by who is counted behind it (a Bayes filter)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST = 40
"""Lengths that are told apart: a queue of more is taken for one less."""
WRONG, LONGER = 0.0005, 0.8
"""Chance in a second that a queue is another than was believed, and how likely one of a vehicle more is then."""
SELDOM, STRAY = 0.3, 0.02
"""Chances [1/s] at least that somebody comes out of a queue, and out of none."""


class UnseenQueues:
    """Of n lanes; every second who came, and then whether anybody was seen to leave.

    chance  (n_lanes, MOST) of each length [veh]
    """

    def __init__(self, queue: Floats) -> None:
        """Hardly anything is known; somewhat more than `queue` (n_lanes,) [veh] wait in the mean."""
        self.chance = _falling((queue + 1.0) / (queue + 2.0))

    def copy(self) -> UnseenQueues:
        """The same, to look ahead from."""
        other = UnseenQueues.__new__(UnseenQueues)
        other.chance = self.chance.copy()
        return other

    @property
    def mean(self) -> Floats:
        """(n_lanes,) [veh] that wait."""
        return np.asarray(self.chance @ np.arange(MOST))

    @property
    def waits(self) -> Floats:
        """(n_lanes,) the chance that anybody waits."""
        return 1.0 - self.chance[:, 0]

    def come(self, coming: Floats) -> None:
        """In this second `coming` (n_lanes,) [veh] come, one at most."""
        one = np.minimum(coming, 1.0)[:, None]
        moved = self.chance[:, :-1] * one
        self.chance[:, :-1] -= moved
        self.chance[:, 1:] += moved

    def leave(self, rate: Floats) -> None:
        """One leaves a queue with the chance `rate` (n_lanes,), and nobody would see it."""
        moved = self.chance[:, 1:] * rate[:, None]
        self.chance[:, 1:] -= moved
        self.chance[:, :-1] += moved

    def doubt(self, judged: Floats) -> None:
        """All may be otherwise, where it can be judged, (n_lanes,) in [0, 1]: whom one surely believes in would wait for ever."""
        self.chance += WRONG * judged[:, None] * (_falling(np.array([LONGER])) - self.chance)

    def nobody_left(self, rate: Floats) -> None:
        """Nobody left whom one would have seen, though a queue would have let one go with the chance `rate` (n_lanes,)."""
        self.chance[:, 1:] *= 1.0 - rate[:, None]
        self.chance /= self.chance.sum(axis=1, keepdims=True)

    def one_left(self, whose: Floats, rate: Floats, coming: Floats) -> None:
        """One was seen to leave, a lane's with the chance `whose` (n_lanes,): out of its queue, or as he came."""
        waited = np.maximum(rate, SELDOM)[:, None] * self.chance[:, 1:]
        rolled = np.maximum(coming, STRAY) * self.chance[:, 0]
        after = np.zeros_like(self.chance)
        after[:, :-1] = waited
        after[:, 0] += rolled
        after /= after.sum(axis=1, keepdims=True)
        self.chance += whose[:, None] * (after - self.chance)


def _falling(ratio: Floats) -> Floats:
    """(n, MOST) chances of which each is `ratio` (n,) of the one before."""
    chance = ratio[:, None] ** np.arange(MOST)
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))
