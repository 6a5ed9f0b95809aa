"""Pressure of every stage: what its greens would serve now, as far as there is room for it.

An entry is a movement on one of its lanes; m entries, s stages:

    lane, movement, exit   (m,) int32    rows; exit -1 where it is not known
    quality                (s, m)        0 not green, 1 green, less where the movement gives way in this stage
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel

I32 = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@kernel(lean=True)
def best_stage(
    current: int,
    elapsed: float,
    lane: I32,
    movement: I32,
    way: I32,
    quality: Floats,
    queue: Floats,
    arrivals: Floats,
    saturation: Floats,
    turning: Floats,
    room: Floats,
    ahead: int,
    least_room: float,
    gain: float,
    toll: float,
    pressure: Floats,
) -> int:
    """The stage of highest pressure [veh^2/s]; the current one (-1: none) unless another's exceeds it by the factor `gain` and by `toll`.

    Fills `pressure` (s,). A lane counts with its queue and the arrivals of the next `ahead` seconds times its saturation flow.
    """
    n_stages, m = quality.shape
    for s in range(n_stages):
        pressure[s] = 0.0
    soon = min(ahead, arrivals.shape[1])
    for k in range(m):
        i = lane[k]
        if way[k] >= 0 and room[way[k]] < least_room:
            continue
        load = queue[i]
        for t in range(soon):
            load += arrivals[i, t]
        load *= saturation[i] * turning[i, movement[k]]
        for s in range(n_stages):
            pressure[s] += quality[s, k] * load
    best = 0
    for s in range(1, n_stages):
        if pressure[s] > pressure[best]:
            best = s
    if current >= 0 and pressure[best] <= pressure[current] * gain + toll:
        return current
    return best
