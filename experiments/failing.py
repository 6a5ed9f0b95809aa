"""Loops that fail: what a cabinet would say whose loops are dead, stuck, chattering, or miss every other vehicle.

For experiments only: how much delay a strategy loses when its eyes fail. Lamps and requests are the cabinet's own.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..core.counts import Counts
from ..core.intersection import Intersection
from ..core.ports import Cabinet, Refusal, Status, Wish

CHATTERS = 0.7
"""Vehicles a chattering loop reports each second though none is there."""
MISSES = 0.5
"""Share of its vehicles a dull loop does not see."""


class Failure(enum.IntEnum):
    """What is wrong with a loop. The cabinet reports none of it."""

    NONE = 0
    DEAD = 1
    STUCK = 2
    CHATTERING = 3
    DULL = 4


def failures(site: Intersection, share: float, seed: int, *, blind: bool = False) -> npt.NDArray[np.int32]:
    """(n_detectors,) of Failure: each loop fails with probability `share`, in any of the four ways; all are dead where `blind`.

    The same seed fails the same loops under every strategy.
    """
    if blind:
        return np.full(len(site.detectors), Failure.DEAD, dtype=np.int32)
    found = []
    for loop in site.detectors:  # each has its own luck, so that it does not depend on which others there are
        drawn = np.random.default_rng([seed, zlib.crc32(site.name.encode()), zlib.crc32(loop.name.encode())])
        found.append(int(drawn.integers(1, len(Failure))) if drawn.random() < share else Failure.NONE)
    return np.array(found, dtype=np.int32)


class FailingLoops:
    """A cabinet some of whose loops fail from the start; else the cabinet given."""

    def __init__(self, cabinet: Cabinet, failing: npt.NDArray[np.int32], seed: int) -> None:
        self._cabinet = cabinet
        self._dead, self._stuck, self._chattering, self._dull = (failing == kind for kind in list(Failure)[1:])
        self._drawn = np.random.default_rng([seed, 1, zlib.crc32(cabinet.intersection.name.encode())])
        self._missed = np.zeros(len(failing), dtype=np.bool_)

    @property
    def intersection(self) -> Intersection:
        """The site."""
        return self._cabinet.intersection

    def read(self) -> Counts:
        """What the loops said since the last read."""
        said = self._cabinet.read()
        vehicles, occupancy = said.vehicles.copy(), said.occupancy.copy()
        draw = self._drawn.random((2, len(vehicles)))
        came = self._dull & (vehicles > 0)
        self._missed[came] = draw[0, came] < MISSES
        unseen = self._dead | (self._dull & self._missed)
        vehicles[unseen | self._stuck] = 0
        occupancy[unseen] = 0.0
        occupancy[self._stuck] = 1.0
        ghosts = self._chattering & (draw[1] < CHATTERS)
        vehicles[ghosts] += 1
        occupancy[ghosts] = np.maximum(occupancy[ghosts], 0.3)
        return Counts(said.time, said.interval, vehicles, occupancy, said.fault)

    def status(self) -> Status:
        """The cabinet's own."""
        return self._cabinet.status()

    def request(self, wish: Wish, calls: Sequence[bool] | npt.NDArray[np.bool_] | None = None) -> Refusal:
        """The cabinet's own."""
        return self._cabinet.request(wish, calls)
