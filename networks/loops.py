"""What the loops of a street saw in the last second, from the simulator's few values about them.

SUMO's own last-step values are no counts of a cabinet: its number of vehicles counts one that stands on the loop anew
each second, and one that left sideways (a lane change) a second time; its last-step occupancy forgets the part of the
second before a vehicle that was there already drove off. Here a vehicle is counted once, in the second it came onto
the loop, and the occupancy is the time there was metal over it. So the counts equal `nVehEntered` of SUMO's E1 output
with a period of 1 s (not `nVehContrib`, which counts vehicles when they leave), and the occupancy equals its
`occupancy`, but never exceeds 1 where two vehicles overlap on a loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..core.kernels.presence import sort_loops
from .simulator import Floats, InProcess, Passage, Simulator

SECOND = 1.0
GRAIN = 1e-9
"""Times nearer than this are the same [s]."""

I32 = npt.NDArray[np.int32]


class Loops:
    """The watched loops of one simulation, in steps of a second. `vehicles` (n_loops,) and `occupancy` (n_loops,) are new each second."""

    def __init__(self, simulator: Simulator, names: Sequence[str]) -> None:
        self._simulator = simulator
        self._glance = simulator.glance if isinstance(simulator, InProcess) else None
        self._occupied, self._before = np.zeros((2, len(names)), dtype=np.bool_)
        self._standing, self._moving = np.zeros((2, len(names)), dtype=np.int32)
        self._ahead: dict[int, int] = {}
        self.vehicles: I32 = np.zeros(len(names), dtype=np.int32)
        self.occupancy: Floats = np.zeros(len(names))
        simulator.watch(names)

    def read(self, time: float) -> None:
        """Read the second that ended at `time` [s].

        Most loops are empty and tell so by the time since their last vehicle. One that was occupied a second ago and still is by
        the only vehicle of this second has stood under it all along. Only the rest need a look at when vehicles came and went.
        """
        n = len(self._occupied)
        self.vehicles, self.occupancy = np.empty(n, dtype=np.int32), np.empty(n)
        move = None
        if self._glance is not None:
            was, occupied = self._occupied, self._before
            move = self._glance(SECOND - GRAIN, was, occupied, self.vehicles, self.occupancy, self._moving)
        if move is None:
            seen, passages = self._asked()
        else:
            self._occupied, self._before = occupied, was
            if not move and not self._ahead:
                return
            seen = self._moving[:move].tolist()
            passages = self._simulator.look((), seen)[1]
        before, self._ahead = self._ahead, {}
        for row, found in zip(seen, passages, strict=True):
            self._account(row, found, time, before.get(row, 0))

    def _asked(self) -> tuple[list[int], list[list[Passage]]]:
        """The rows that need a look, and what is seen there, where loops are asked in two turns."""
        since = self._simulator.since()
        stand, move = sort_loops(
            since, SECOND - GRAIN, self._occupied, self.vehicles, self.occupancy, self._standing, self._moving
        )
        counted, seen = self._standing[:stand].tolist(), self._moving[:move].tolist()
        if not counted and not seen:
            return [], []
        numbers, passages = self._simulator.look(counted, seen)
        mixed = [row for row, number in zip(counted, numbers.tolist(), strict=True) if number != 1]
        if mixed:
            seen += mixed
            passages += self._simulator.look((), mixed)[1]
        return seen, passages

    def _account(self, row: int, found: list[Passage], time: float, counted_before: int) -> None:
        begin = time - SECOND
        entered, covered = -counted_before, 0.0
        for entry, leave in found:
            if entry >= begin - GRAIN:
                entered += 1
                if entry >= time - GRAIN:
                    self._ahead[row] = self._ahead.get(row, 0) + 1
            left = time if leave < 0.0 else min(leave, time)
            covered += max(0.0, left - max(entry, begin))
        self.vehicles[row] = max(0, entered)
        self.occupancy[row] = min(1.0, covered)
