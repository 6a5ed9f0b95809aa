"""How a lane's queue really sets off: the green it loses at first, and what it gets through where it gives way. Learnt from its loops."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .state import TrafficState

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer]

LEAST, FIRST = 6.0, 12.0
"""Seconds of green after which its start can be judged, and after which it is."""
ENOUGH = 2.5
"""Vehicles that must wait at its beginning for a green to teach anything."""
ASSUMED, KEPT = 2.0, 0.9
"""Greens the assumed loss counts for; what a green counts for at the next one."""
LONGEST = 10.0
"""The longest loss believed [s]."""
SETTLED = 3.0
"""Seconds of green after which vehicles try the gaps."""
TRIED, FORGET = 3.0, 1.0 / 300.0
"""Vehicles that the rule for gaps counts for; what is forgotten in a second in which somebody waits for one."""
WORST, BEST = 0.05, 3.0
"""Bounds of what is believed of gaps."""


class Discharge:
    """What is learnt of one intersection's lanes, and of its rows of lanes that give way in a stage.

    lost     (n_lanes,) [s] of a green before its queue leaves at the saturation flow
    through  (n_rows,) how many times what the rule for gaps expects gets through
    """

    def __init__(self, n_lanes: int, n_rows: int, assumed: float) -> None:
        self.lost, self.through = np.full(n_lanes, assumed), np.ones(n_rows)
        self._sum, self._weight = np.full(n_lanes, ASSUMED * assumed), np.full(n_lanes, ASSUMED)
        self._gone, self._stood, self._judging = np.zeros(n_lanes), np.zeros(n_lanes), np.zeros(n_lanes, dtype=np.bool_)
        self._expected, self._seen = np.full(n_rows, TRIED), np.full(n_rows, TRIED)

    def update(self, state: TrafficState, giver: Rows, rows: Rows, expected: Floats) -> None:
        """One more second. Lanes `giver` give way to somebody in this stage; `expected` [veh/s] should get through, by `rows`."""
        green = state.greened
        free = np.ones(len(green), dtype=np.bool_)
        free[giver] = False
        begins = (green == 1.0) & free
        self._judging &= free
        self._judging[begins] = state.queue[begins] + state.departed[begins] >= ENOUGH
        self._gone[begins] = 0.0
        self._gone += state.departed
        over = self._judging & ((green >= FIRST) | (green == 0.0) | (state.queue < 0.7))
        self._judging[over] = False
        judged = over & (green >= LEAST)
        if judged.any():
            loss = np.clip(green[judged] - self._gone[judged] / state.saturation[judged], 0.0, LONGEST)
            self._sum[judged] = KEPT * self._sum[judged] + loss
            self._weight[judged] = KEPT * self._weight[judged] + 1.0
            self.lost[judged] = self._sum[judged] / self._weight[judged]
        tries = (green[giver] >= SETTLED) & (self._stood[giver] >= 1.0)
        if tries.any():
            k = rows[tries]
            self._expected[k] += expected[tries] - FORGET * self._expected[k]
            self._seen[k] += state.departed[giver[tries]] - FORGET * self._seen[k]
            self.through[k] = np.clip(self._seen[k] / np.maximum(self._expected[k], 1e-3), WORST, BEST)
        self._stood[:] = state.queue
