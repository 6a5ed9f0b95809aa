"""Which loops can be believed, second by second: the symptoms of each loop, and what they add up to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NONE, REPORTED, STUCK_ON, STUCK_OFF, CHATTER = 0, 1, 2, 3, 4


@kernel(lean=True)
def judge(
    interval: float,
    seconds: int,
    vehicles: npt.NDArray[np.int32],
    occupancy: Floats,
    reported: Bools,
    green: Bools,
    limits: Floats,
    stops: Bools,
    exits: Bools,
    lane: npt.NDArray[np.int32],
    partner: npt.NDArray[np.int32],
    symptoms: Floats,
    fault: npt.NDArray[np.int32],
    trust: Floats,
) -> None:
    """One interval [s] of all loops (D,), the `seconds`th; `green` (L,) says which lanes have all their movements green.

    `symptoms` (8, D) are standing, standing at green, missed, passed, silent, quick, mean, sane. `limits` are on_for, on_in_green,
    missed, silent, passed, burst, flood, sane_for, minute, mean's longest memory, as core.health names them.
    """
    on_for, on_in_green, missed_most, silent_most, passed_most = limits[0], limits[1], limits[2], limits[3], limits[4]
    burst, flood, sane_for, minute = limits[5], limits[6], limits[7], limits[8]
    weight = max(limits[9], 1.0 / (seconds + 60.0))
    n = vehicles.shape[0]
    moving = False
    for k in range(n):
        if exits[k] and vehicles[k] > 0:
            moving = True
    for k in range(n):
        seen = vehicles[k]
        if occupancy[k] >= 0.999:
            symptoms[0, k] += interval
            if stops[k] and lane[k] >= 0 and green[lane[k]] and moving:
                symptoms[1, k] += interval
        else:
            symptoms[0, k] = 0.0
            symptoms[1, k] = 0.0
        symptoms[5, k] += (seen - symptoms[5, k]) * minute
        if seen > 0 or occupancy[k] > 0.0:
            symptoms[2, k] = 0.0
            symptoms[3, k] = 0.0
            symptoms[4, k] = 0.0
        else:
            symptoms[2, k] += symptoms[6, k]
            if partner[k] >= 0:
                symptoms[3, k] += vehicles[partner[k]]
            symptoms[4, k] += interval
        if symptoms[4, k] < silent_most:
            symptoms[6, k] += (seen - symptoms[6, k]) * weight
        found = NONE
        if (symptoms[2, k] >= missed_most and symptoms[4, k] >= silent_most) or symptoms[3, k] >= passed_most:
            found = STUCK_OFF
        if symptoms[0, k] >= on_for or symptoms[1, k] >= on_in_green:
            found = STUCK_ON
        if seen >= burst or symptoms[5, k] > flood:
            found = CHATTER
        if reported[k]:
            found = REPORTED
        if found != NONE:
            symptoms[7, k] = 0.0
            fault[k] = found
        else:
            symptoms[7, k] += interval
            if symptoms[7, k] >= (1.0 if fault[k] == STUCK_OFF else sane_for):
                fault[k] = NONE
        trust[k] = 1.0 if fault[k] == NONE else 0.0
