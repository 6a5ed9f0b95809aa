"""Max pressure on loop estimates: each second the stage that would serve the most, if it serves enough more than the present one."""

from __future__ import annotations

import numpy as np

from ..core.intersection import Intersection
from ..core.kernels.pressure import best_stage
from ..core.ports import Wish
from ..core.state import TrafficState

GAIN = 1.2
"""How many times the pressure of the present stage another must have."""

TOLL = 0.5
"""[veh^2/s] it must have besides: a change costs time, whatever it gains."""

AHEAD = 4
"""[s] of arrivals that count as waiting."""

LEAST_ROOM = 1.0
"""[veh] an exit must have room for, or its movements count nothing."""

GIVING_WAY = 0.4
"""What a movement that gives way to another green one counts."""


class MaxPressure:
    """Varaiya's rule (2013) with decisions each second; hysteresis stands for the lost time that the rule does not know."""

    def __init__(
        self, intersection: Intersection, *, gain: float = GAIN, toll: float = TOLL, ahead: int = AHEAD
    ) -> None:
        site = intersection
        lane_row = {lane.name: row for row, lane in enumerate(site.lanes)}
        exit_row = {way.name: row for row, way in enumerate(site.exits)}
        entries = []
        row = 0
        for g, group in enumerate(site.groups):
            for movement in group.movements:
                entries += [
                    (lane_row[name], row, exit_row.get(movement.destination, -1), g)
                    for name in movement.lanes
                    if name in lane_row
                ]
                row += 1
        table = np.array(entries, dtype=np.int32).reshape(-1, 4)
        self._lane, self._movement, self._exit, of_group = (np.ascontiguousarray(table[:, k]) for k in range(4))
        green = site.stage_greens
        gives_way = np.array(
            [[bool((site.yields[j] & stage).any()) for j in range(len(site.groups))] for stage in green]
        )
        quality = np.where(gives_way, GIVING_WAY, 1.0) * green
        self._quality = np.ascontiguousarray(quality[:, of_group])
        self._pressure = np.zeros(len(green))
        self._gain, self._toll, self._ahead = gain, toll, ahead

    def decide(self, state: TrafficState) -> Wish:
        """The stage of most pressure, or None while there is no choice."""
        if state.in_interstage and state.stage >= 0:
            return None
        return int(
            best_stage(
                state.stage, state.elapsed, self._lane, self._movement, self._exit, self._quality, state.queue, state.arrivals,
                state.saturation, state.turning, state.room, self._ahead, LEAST_ROOM, self._gain, self._toll, self._pressure,
            )
        )  # fmt: skip
