"""A second of many intersections in one call: their arrays told by address, as handing each over costs more than using it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import book, kernel
from .book import F64, I32, Bools
from .health import PARTNERS, SYMPTOMS
from .places import array
from .second import second
from .sequence import AMBER, GREEN, I8, LONG_AGO, elapse, grant

ARRAYS = 34
"""How many arrays `second` takes."""
(LANES, LOOPS, LINKS, MOVEMENTS, GROUPS, EXITS, TURNS, RING, PAST, HORIZON, LIMITS, SIZES) = range(12)
"""The sizes of an intersection."""
ASPECT, AGE, ENDED, CONTROL = 11, 12, 13, 17
"""Places of some of a machine's arrays."""
TICKS, GRAIN = 10.0, 1e-6
"""Of the machine in a second; times nearer than this are the same [s]."""


@kernel(lean=True)
def seconds(
    now: npt.NDArray[np.int64],
    interval: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    changed: Bools,
    inside: F64,
) -> None:
    """`second` for each of n intersections, which tells `changed` (n,) and how many vehicles are `inside` (n,).

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
            array(at[k, 3], (5, loops), np.int32),
            array(at[k, 4], (4, links), np.float64),
            array(at[k, 5], (loops + 1,), np.int32),
            array(at[k, 6], (links,), np.int32),
            array(at[k, 7], (3, lanes, sizes[k, RING]), np.float64),
            array(at[k, 8], (sizes[k, PAST], loops), np.float64),
            array(at[k, 9], (4, 2), np.int32),
            array(at[k, 10], (3, turns), np.int32),
            array(at[k, 11], (lanes + 1,), np.int32),
            array(at[k, 12], (turns,), np.float64),
            array(at[k, 13], (5, exits), np.float64),
            array(at[k, 14], (lanes, movements), np.bool_),
            array(at[k, 15], (lanes, movements), np.float64),
            array(at[k, 16], (2, lanes, groups), np.bool_),
            array(at[k, 17], (3, groups), np.bool_),
            array(at[k, 18], (groups,), np.float64),
            array(at[k, 19], (lanes, sizes[k, HORIZON]), np.float64),
            array(at[k, 20], (book.MEMORY,), np.float64),
            array(at[k, 21], (5,), np.float64),
            array(at[k, 22], (lanes + 1,), np.float64),
            array(at[k, 23], (max(lanes, exits, 1),), np.float64),
            array(at[k, 24], (lanes,), np.bool_),
            array(at[k, 25], (loops,), np.bool_),
            array(at[k, 26], (sizes[k, LIMITS],), np.float64),
            array(at[k, 27], (loops,), np.bool_),
            array(at[k, 28], (loops,), np.bool_),
            array(at[k, 29], (loops,), np.int32),
            array(at[k, 30], (PARTNERS, loops), np.int32),
            array(at[k, 31], (SYMPTOMS, loops), np.float64),
            array(at[k, 32], (loops,), np.int32),
            array(at[k, 33], (loops,), np.float64),
        )
        inside[k] = array(at[k, 20], (book.MEMORY,), np.float64)[book.INSIDE]


@kernel(lean=True)
def hear(
    vehicles: I32, occupancy: F64, rows: npt.NDArray[np.int64], first: npt.NDArray[np.int64],
    aspects: npt.NDArray[np.int64], at: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64],
) -> None:  # fmt: skip
    """Each of n intersections takes down what its loops saw, none of them faulty, and which of its groups are green.

    `vehicles`, `occupancy` (n_loops,) are of all loops, `rows` which of them each has, from `first` (n+1,) on; `aspects` (n,) says where
    the aspects of its groups lie; `at`, `sizes` as in `seconds`.
    """
    for k in range(at.shape[0]):
        loops, groups = sizes[k, LOOPS], sizes[k, GROUPS]
        counted = array(at[k, 3], (5, loops), np.int32)[book.VEHICLES]
        covered = array(at[k, 2], (book.LOOP_FIELDS, loops), np.float64)[book.OCCUPANCY]
        reported = array(at[k, 25], (loops,), np.bool_)
        for d in range(loops):
            counted[d], covered[d] = vehicles[rows[first[k] + d]], occupancy[rows[first[k] + d]]
            reported[d] = False
        green, shown = array(at[k, 17], (3, groups), np.bool_)[book.GROUP_GREEN], array(aspects[k], (groups,), np.int8)
        for g in range(groups):
            green[g] = shown[g] == GREEN


@kernel(inline=True)
def machine(at: npt.NDArray[np.int64], n: int, stages: int, rotation: int) -> Any:
    """The arrays of one machine, in the order of `elapse`; `at` (18,) says where they lie."""
    return (
        array(at[0], (stages, n), np.bool_),
        array(at[1], (n, n), np.bool_),
        array(at[2], (n, n), np.int32),
        array(at[3], (n,), np.int32),
        array(at[4], (n,), np.int32),
        array(at[5], (n,), np.int32),
        array(at[6], (n,), np.int32),
        array(at[7], (rotation,), np.int32),
        array(at[8], (stages + 1, stages), np.int32),
        array(at[9], (stages + 1, stages), np.int32),
        array(at[10], (rotation, n), np.int32),
        array(at[11], (n,), np.int8),
        array(at[12], (n,), np.int32),
        array(at[13], (n,), np.int32),
        array(at[14], (n,), np.int32),
        array(at[15], (n,), np.bool_),
        array(at[16], (n,), np.int32),
        array(at[17], (3,), np.int32),
    )


@kernel(lean=True)
def elapse_all(ticks: int, driven: Bools, at: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> None:
    """`elapse` for each of m machines that is `driven` (m,) and in control; those not in control only grow older.

    `at` (m, 18) says where a machine's arrays lie, in the order of `elapse`, `sizes` (m, 3) its groups, stages, and stages in the rotation.
    """
    for k in range(at.shape[0]):
        if not driven[k]:
            continue
        arrays = machine(at[k], sizes[k, 0], sizes[k, 1], sizes[k, 2])
        if arrays[ASPECT][0] > AMBER:
            for i in range(sizes[k, 0]):
                arrays[AGE][i] += ticks
        else:
            elapse(ticks, *arrays)


@kernel(lean=True)
def grant_all(
    wishes: I32, calls: Bools, first: npt.NDArray[np.int64], at: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], answers: I32
) -> None:  # fmt: skip
    """`grant` for each of m machines, which answers (m,) why its wish (m,) was not taken up, -1 where it is not in control.

    `calls` are those of all groups, each machine's from `first` (m+1,) on.
    """
    for k in range(at.shape[0]):
        arrays = machine(at[k], sizes[k, 0], sizes[k, 1], sizes[k, 2])
        answers[k] = -1
        if arrays[ASPECT][0] <= AMBER:
            answers[k] = grant(wishes[k], calls[first[k] : first[k + 1]], *arrays)


@kernel(lean=True)
def settle(
    time: float, begin: int, end: int, driven: Bools, first: npt.NDArray[np.int64], at: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64], clearance: F64, shown: I8, clearing: Bools,
    stage: I32, complete: Bools, full_since: F64, clear_at: F64, changed: Bools,
) -> None:  # fmt: skip
    """Of the machines `begin` to `end`: what is `shown` now and which groups are `clearing`, which `stage` (m,), whether `complete`, since
    when [s] it is fully green, or inf.

    `clearance` [s], `shown` and `clearing` are of all groups, each machine's from `first` (m+1,) on; `changed` (m,) is set where one of
    these, or the stage, may be new. `clear_at` (m,) [s] is when the next group will have cleared; always where time is not ours.
    """
    for k in range(begin, end):
        arrays = machine(at[k], sizes[k, 0], sizes[k, 1], sizes[k, 2])
        aspect, age, ended, control = arrays[ASPECT], arrays[AGE], arrays[ENDED], arrays[CONTROL]
        complete[k] = control[1] == 1
        same = stage[k] == control[0]
        for i in range(aspect.shape[0]):
            same &= shown[first[k] + i] == aspect[i]
        if same and time < clear_at[k]:
            continue
        changed[k] = True
        clear_at[k] = np.inf if driven[k] else -np.inf
        for i in range(aspect.shape[0]):
            since = ended[i] / TICKS
            left = clearance[first[k] + i] - since
            clearing[first[k] + i] = since < clearance[first[k] + i] and aspect[i] != GREEN
            if clearing[first[k] + i]:
                clear_at[k] = min(clear_at[k], time + left - GRAIN)
        if same:
            continue
        stage[k] = control[0]
        some, full, since_ticks = False, True, LONG_AGO
        for i in range(aspect.shape[0]):
            shown[first[k] + i] = aspect[i]
            if stage[k] >= 0 and arrays[0][stage[k], i]:
                some, full = True, full and aspect[i] == GREEN
                since_ticks = min(since_ticks, age[i])
        full_since[k] = time - since_ticks / TICKS if some and full else np.inf
