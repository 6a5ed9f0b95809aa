"""Which loops of a street need a look at when vehicles came and went, and what the others saw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


@kernel(lean=True)
def sort_loops(
    since: F64, lately: float, occupied: npt.NDArray[np.bool_], vehicles: I32, occupancy: F64, standing: I32, moving: I32
) -> tuple[int, int]:  # fmt: skip
    """How many rows are in `standing` (n,), occupied now and a second ago, and in `moving` (n,), occupied some of the second else.

    `since` (n,) [s] is the time since each loop was last occupied, under `lately` in this second; `occupied` (n,) says which were a
    second ago, and is renewed; `vehicles` (n,) and `occupancy` (n,) are set as if those that stand were alone, and no other was there.
    """
    stand, move = 0, 0
    for k in range(since.shape[0]):
        now = since[k] == 0.0
        vehicles[k] = 0
        occupancy[k] = 0.0
        if now and occupied[k]:
            occupancy[k] = 1.0
            standing[stand] = k
            stand += 1
        elif since[k] < lately:
            moving[move] = k
            move += 1
        occupied[k] = now
    return stand, move
