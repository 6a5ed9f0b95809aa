"""Where the lanes of an approach part, and whom a queue that reaches back that far shuts off from the lanes beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .coverage import SPACE
from .intersection import Intersection

Floats = npt.NDArray[np.float64]

LEAST = 0.01
"""Mean arrivals [veh/s] below which a lane counts as having these."""


class Pockets:
    """The pockets of one intersection.

    room    (n_lanes,) vehicles each lane holds from where it parts from others
    beside  (n_lanes, n_lanes) bool: whom a queue longer than that holds up
    """

    def __init__(self, site: Intersection) -> None:
        row = {lane.name: k for k, lane in enumerate(site.lanes)}
        self.room = np.array([max(lane.length / SPACE, 1.0) for lane in site.lanes])
        self.beside = np.zeros((len(row), len(row)), dtype=np.bool_)
        for detector in site.detectors:
            lanes = [row[name] for name in detector.lanes if name in row]
            if len(lanes) > 1:
                self.beside[np.ix_(lanes, lanes)] = True
        np.fill_diagonal(self.beside, False)

    def damming(self, queue: Floats, mean: Floats, overflow: float, most: float) -> Floats:
        """(n_lanes,) how many vehicles wait for each of a lane's, at most `most`: more than one where its queue shuts others off.

        It begins to at the share `overflow` of its room, and does wholly where that is full; `mean` (n_lanes,) [veh/s] arrives.
        """
        over: Floats = np.clip((queue / self.room - overflow) / (1.0 - overflow), 0.0, 1.0)
        behind: Floats = np.clip(self.beside @ mean / np.maximum(mean, LEAST), 0.0, most - 1.0)
        return 1.0 + over * behind
