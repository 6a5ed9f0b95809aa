"""How long queues have not been cleared, and what a change of stage costs then: what it loses, everyone who comes later waits for too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .state import TrafficState

Floats = npt.NDArray[np.float64]

CLEARED, GONE = 1.0, 0.5
"""Vehicles below which a queue is cleared, in green and at any time."""
BELIEVED = 0.5
"""Confidence from which a lane's queue is believed."""
USUAL, LONGEST = 180.0, 580.0
"""Seconds that queues stand in ordinary traffic too, and after which it makes no more difference."""
EACH = 60.0
"""Seconds of backlog for each vehicle that stands in a queue, at most: a short one is nearly over, however old it is."""
LOST = 1.5
"""Vehicles that a change of stage keeps from getting through: its lost seconds times what a stage lets go."""


class Backlog:
    """The backlog of one intersection.

    toll    [veh s] that a change of stage costs beyond what can be foreseen: once a lane has not been cleared for long, there is
            more traffic than the junction lets through. A backlog that grew so long takes as long to go, and every vehicle that a
            change keeps back, in whichever lane, waits for that long.
    """

    def __init__(self, n_lanes: int) -> None:
        self._age: Floats = np.zeros(n_lanes)
        self.toll = 0.0

    def second(self, state: TrafficState) -> None:
        """One more second."""
        cleared = (state.queue < np.where(state.greened > 0.0, CLEARED, GONE)) | (state.confidence < BELIEVED)
        self._age = np.where(cleared, 0.0, self._age + 1.0)
        left = np.clip(np.minimum(self._age - USUAL, EACH * state.queue), 0.0, LONGEST - USUAL)
        self.toll = LOST * float(left.max(initial=0.0))
