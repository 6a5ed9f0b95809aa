"""A second of many intersections in one call: their arrays told by address, as handing each over costs more than using it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import book, kernel
from .health import SYMPTOMS
from .places import array
from .second import CROSSING, second
from .sequence import AMBER, elapse

ARRAYS = 34
"""How many arrays `second` takes."""
(LANES, LOOPS, LINKS, MOVEMENTS, GROUPS, EXITS, TURNS, RING, PAST, HORIZON, LIMITS, SIZES) = range(12)
"""The sizes of an intersection."""


@kernel(lean=True)
def seconds(
    now: npt.NDArray[np.int64],
    interval: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    changed: npt.NDArray[np.bool_],
) -> None:
    """`second` for each of n intersections, which tells `changed` (n,).

    `at` (n, ARRAYS) says where its arrays lie, in its order, `sizes` (n, SIZES) how large they are.
    """
    for k in range(at.shape[0]):
        lanes, loops, links, groups = sizes[k, LANES], sizes[k, LOOPS], sizes[k, LINKS], sizes[k, GROUPS]
        exits, turns, movements = sizes[k, EXITS], sizes[k, TURNS], sizes[k, MOVEMENTS]
        changed[k] = second(
            now[k],
            interval[k],
            array(at[k, 0], (book.LANE_FIELDS, lanes), np.float64),
            array(at[k, 1], (5, lanes), np.int32),
            array(at[k, 2], (book.LOOP_FIELDS, loops), np.float64),
            array(at[k, 3], (4, loops), np.int32),
            array(at[k, 4], (3, links), np.float64),
            array(at[k, 5], (loops + 1,), np.int32),
            array(at[k, 6], (links,), np.int32),
            array(at[k, 7], (2, lanes, sizes[k, RING]), np.float64),
            array(at[k, 8], (sizes[k, PAST], loops), np.float64),
            array(at[k, 9], (3, 2), np.int32),
            array(at[k, 10], (3, turns), np.int32),
            array(at[k, 11], (lanes + 1,), np.int32),
            array(at[k, 12], (turns,), np.float64),
            array(at[k, 13], (3, exits), np.float64),
            array(at[k, 14], (lanes, movements), np.bool_),
            array(at[k, 15], (lanes, movements), np.float64),
            array(at[k, 16], (lanes, groups), np.bool_),
            array(at[k, 17], (3, groups), np.bool_),
            array(at[k, 18], (groups,), np.float64),
            array(at[k, 19], (lanes, sizes[k, HORIZON]), np.float64),
            array(at[k, 20], (book.LATELY + CROSSING,), np.float64),
            array(at[k, 21], (4,), np.float64),
            array(at[k, 22], (lanes + 1,), np.float64),
            array(at[k, 23], (max(lanes, exits, 1),), np.float64),
            array(at[k, 24], (lanes,), np.bool_),
            array(at[k, 25], (loops,), np.bool_),
            array(at[k, 26], (sizes[k, LIMITS],), np.float64),
            array(at[k, 27], (loops,), np.bool_),
            array(at[k, 28], (loops,), np.bool_),
            array(at[k, 29], (loops,), np.int32),
            array(at[k, 30], (2, loops), np.int32),
            array(at[k, 31], (SYMPTOMS, loops), np.float64),
            array(at[k, 32], (loops,), np.int32),
            array(at[k, 33], (loops,), np.float64),
        )


@kernel(lean=True)
def elapse_all(ticks: int, at: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> None:
    """`elapse` for each of m machines that are in control; in the others only the aspects grow older.

    `at` (m, 18) says where a machine's arrays lie, in the order of `elapse`, `sizes` (m, 3) its groups, stages, and stages in the rotation.
    """
    for k in range(at.shape[0]):
        n, stages, rotation = sizes[k, 0], sizes[k, 1], sizes[k, 2]
        aspect, age = array(at[k, 11], (n,), np.int8), array(at[k, 12], (n,), np.int32)
        if aspect[0] > AMBER:
            for i in range(n):
                age[i] += ticks
            continue
        elapse(
            ticks,
            array(at[k, 0], (stages, n), np.bool_),
            array(at[k, 1], (n, n), np.bool_),
            array(at[k, 2], (n, n), np.int32),
            array(at[k, 3], (n,), np.int32),
            array(at[k, 4], (n,), np.int32),
            array(at[k, 5], (n,), np.int32),
            array(at[k, 6], (n,), np.int32),
            array(at[k, 7], (rotation,), np.int32),
            array(at[k, 8], (stages + 1, stages), np.int32),
            array(at[k, 9], (stages + 1, stages), np.int32),
            array(at[k, 10], (rotation, n), np.int32),
            aspect,
            age,
            array(at[k, 13], (n,), np.int32),
            array(at[k, 14], (n,), np.int32),
            array(at[k, 15], (n,), np.bool_),
            array(at[k, 16], (n,), np.int32),
            array(at[k, 17], (3,), np.int32),
        )
