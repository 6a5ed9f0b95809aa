"""Where the lanes of an approach part, and whom a queue that reaches back that far shuts off from the lanes beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .coverage import fit
from .intersection import Intersection

Floats = npt.NDArray[np.float64]

LEAST = 0.01
"""Mean arrivals [veh/s] below which a lane counts as having these."""
LASTS = 60.0
"""Seconds over which it is told how much of the time a queue reaches back so far: about a cycle."""
ENOUGH = 0.5
"""Part of its room that a queue beside must fill for nobody behind to be missed: it has somebody to send without them."""


class Pockets:
    """The pockets of one intersection.

    room    (n_lanes,) vehicles each lane holds from where it parts from others
    beside  (n_lanes, n_lanes) bool: whom a queue longer than that holds up
    """

    def __init__(self, site: Intersection, overflow: float, most: float) -> None:
        """A queue begins to shut others off at the share `overflow` of its room, and does wholly where that is full; `most` vehicles
        at most count as waiting for each that stands in it."""
        row = {lane.name: k for k, lane in enumerate(site.lanes)}
        self.room = np.array([fit(lane.length) for lane in site.lanes])
        self.beside = np.zeros((len(row), len(row)), dtype=np.bool_)
        for detector in site.detectors:
            lanes = [row[name] for name in detector.lanes if name in row]
            if len(lanes) > 1:
                self.beside[np.ix_(lanes, lanes)] = True
        np.fill_diagonal(self.beside, False)
        self._overflow, self._most = overflow, most
        self._usually = np.zeros(len(row))

    def second(self, queue: Floats) -> None:
        """One more second of the queues (n_lanes,)."""
        self._usually += (self._full(queue) - self._usually) / LASTS

    def damming(self, queue: Floats, mean: Floats) -> Floats:
        """(n_lanes,) how many vehicles wait for each of a lane's: more than one where its queue shuts others off; `mean` (n_lanes,)
        [veh/s] arrives.

        Those beside it miss whom it shuts off as soon as they run out of others. The street behind is in the way of others for as
        long as it is full: what counts for it is how much of the last minute it was. A queue that is just full would be
        served until it just is not any more, and with full queues all around each green would end after a few vehicles.
        """
        runs_out = np.clip(1.0 - queue / (ENOUGH * self.room), 0.0, 1.0)
        now = self._full(queue) * self._behind(mean * runs_out, mean)
        return 1.0 + np.maximum(now, self._usually * self._behind(mean, mean))

    def _full(self, queue: Floats) -> Floats:
        full: Floats = np.clip((queue / self.room - self._overflow) / (1.0 - self._overflow), 0.0, 1.0)
        return full

    def _behind(self, others: Floats, mean: Floats) -> Floats:
        """(n_lanes,) vehicles of `others` for each of a lane's own."""
        behind: Floats = np.clip(self.beside @ others / np.maximum(mean, LEAST), 0.0, self._most - 1.0)
        return behind
