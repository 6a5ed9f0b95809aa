"""What a learned agent sees of an intersection: the traffic state, from loops alone, as one vector of numbers in [0,
1]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..core.coverage import fit
from ..core.intersection import Intersection
from ..core.ports import Wish
from ..core.state import TrafficState

Vector = npt.NDArray[np.float32]

SOON, LATER = 10, 30
"""Arrivals are summed over the next `SOON` seconds, and from there to `LATER`."""
LONG = 60.0
"""Gaps and green times are told up to this [s]."""
RED = 120.0
"""Red times are told up to this [s]."""


class Observation:
    """Makes the vector of one intersection; `names` says what stands where.

    Lane by lane: share of the lane chain that is queued, arrivals soon and later over what a green could discharge,
    gap, occupancy of the stop-line loop, confidence. Group by group: call, red time with a call. Then: one-hot of the
    stage, whether it can be changed now, how long it has been green. All clipped to [0, 1].
    """

    def __init__(self, site: Intersection) -> None:
        self._places = np.array([fit(lane.chain) for lane in site.lanes])
        self._stages = len(site.stages)
        lanes, groups = [lane.name for lane in site.lanes], [group.name for group in site.groups]
        told = ("queue", "soon", "later", "gap", "occupied", "confidence")
        self.names = (
            *(f"{what} {lane}" for what in told for lane in lanes),
            *(f"{what} {group}" for what in ("call", "red") for group in groups),
            *(f"stage {stage.name}" for stage in site.stages),
            "free",
            "elapsed",
        )

    @property
    def size(self) -> int:
        """Length of the vector."""
        return len(self.names)

    def __call__(self, state: TrafficState) -> Vector:
        """The vector of a state, (size,) float32; a new array each time."""
        stage = np.zeros(self._stages)
        if state.stage >= 0:
            stage[state.stage] = 1.0
        able = np.maximum(state.saturation, 0.1)
        parts = (
            state.queue / self._places,
            state.arrivals[:, :SOON].sum(axis=1) / (able * SOON),
            state.arrivals[:, SOON:LATER].sum(axis=1) / (able * (LATER - SOON)),
            state.gap / LONG,
            state.occupied,
            state.confidence,
            state.calls,
            state.red / RED,
            stage,
            [not state.in_interstage, state.elapsed / LONG],
        )
        return np.clip(np.concatenate(parts), 0.0, 1.0).astype(np.float32)


class Policy:
    """A controller out of any function from the observed vector to a stage row, asked every `interval` seconds.

    A trained agent becomes an arm of a comparison by a class of one's own that loads the agent and hands its prediction
    to this.
    """

    def __init__(self, site: Intersection, choose: Callable[[Vector], int], interval: int = 5) -> None:
        self._observation, self._choose, self._interval = Observation(site), choose, interval
        self._seconds = 0
        self._wish: Wish = None

    def decide(self, state: TrafficState) -> Wish:
        """The stage chosen last."""
        if self._seconds % self._interval == 0:
            self._wish = int(self._choose(self._observation(state)))
        self._seconds += 1
        return self._wish
