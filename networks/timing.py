"""Ambers, intergreens, minimum greens and longest reds of a light: as the RESCO benchmark has them, or safe by speed
and distance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..core.intersection import GroupKind
from .rightofway import paths_cross
from .roadnet import Points, Wire

Timing = Literal["resco", "safe"]

Bools = npt.NDArray[np.bool_]

REACTION = 1.0  # [s], ITE
DECELERATION = 3.05  # [m/s^2], ITE
VEHICLE_LENGTH = 6.0  # [m], ITE
SLOWEST_CLEARING = 5.0  # [m/s] below which no vehicle is taken to leave the junction
WALKING = 1.2  # [m/s]
WALK = 7.0  # [s], MUTCD


@dataclass(frozen=True, slots=True)
class GroupTiming:
    """Times of one signal group in whole seconds."""

    amber: float
    min_green: float
    max_red: float


def group_timing(timing: Timing, kind: GroupKind, wires: Sequence[Wire]) -> GroupTiming:
    """Amber, minimum green and longest red [s] of a group.

    `resco`: 3 s of amber, 5 s of green, 180 s of red. `safe`: amber t + v / 2a (ITE, level road; 3 to 6 s), a walk of
    at least 7 s, 120 s of red.
    """
    walkers = kind is GroupKind.PEDESTRIAN
    if timing == "resco":
        return GroupTiming(0.0 if walkers else 3.0, 5.0, 180.0)
    amber = 0.0 if walkers else float(min(6, max(3, math.ceil(amber_of(max(wire.speed for wire in wires)) - 1e-9))))
    return GroupTiming(amber, WALK if walkers else 5.0, 120.0)


def amber_of(speed: float) -> float:
    """Amber [s] at an approach `speed` [m/s] on a level road before rounding: t + v / 2a (ITE).

    >>> round(amber_of(50 / 3.6), 2)
    3.28
    """
    return REACTION + speed / (2 * DECELERATION)


def intergreens(
    timing: Timing,
    ambers: Sequence[float],
    groups: Sequence[Sequence[Wire]],
    rows: Sequence[Sequence[int]],
    conflict: Bools,
) -> npt.NDArray[np.float64]:
    """(n_groups, n_groups) [s], whole seconds, end of green of row to start of green of column, 0 where they do not
    conflict.

    Vehicles: their amber, with `safe` timing and the time to leave the conflict point besides, (W + Lv) / v (ITE).
    Pedestrians: their clearance, crossing length at 1.2 m/s. `rows[g]` are the rows of group g's wires in `conflict`
    (n_wires, n_wires).
    """
    n = len(groups)
    out = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            pairs = [
                (a, b)
                for a, row in zip(groups[i], rows[i], strict=True)
                for b, column in zip(groups[j], rows[j], strict=True)
                if i != j and conflict[row, column]
            ]
            if pairs:
                out[i, j] = max(_needed(timing, ambers[i], a, b) for a, b in pairs)
    return out


def clearance(wire: Wire, foe: Wire) -> float:
    """Time [s] a vehicle at the stop line needs to leave the way of `foe` behind: (W + Lv) / v, W [m] to the end of
    the conflict.
    """
    distance = distance_to(wire.path, foe.path, (wire.width + foe.width) / 2)
    return (min(distance, wire.length) + VEHICLE_LENGTH) / max(SLOWEST_CLEARING, wire.turning_speed)


def walk_to_clear(crossing: Wire, foe: Wire) -> float:
    """How far [m] one must walk on `crossing`, from the worse end, to be past the way of `foe`; 0 where they do not
    meet.
    """
    if not paths_cross(crossing.path, foe.path):
        return 0.0
    return max(distance_to(path, foe.path, foe.width / 2) for path in (crossing.path, crossing.path[::-1]))


def distance_to(path: Points, foe: Points, width: float) -> float:
    """How far [m] along `path` its last point lies that is nearer to `foe` than `width` [m]; the whole path if none
    is.
    """
    points, along = _every_metre(path)
    near = _distances(points, foe) < width
    return float(along[near][-1]) if near.any() else float(along[-1])


def _needed(timing: Timing, amber: float, wire: Wire, foe: Wire) -> float:
    if wire.crossing:
        return float(max(1, math.ceil(wire.length / WALKING - 1e-9), amber))
    if timing == "resco":
        return amber
    return amber + math.ceil(clearance(wire, foe) - 1e-9)


def _every_metre(path: Points) -> tuple[Points, npt.NDArray[np.float64]]:
    steps = np.hypot(*np.diff(path, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    along = np.append(np.arange(0.0, at[-1], 1.0), at[-1])
    return np.column_stack([np.interp(along, at, path[:, 0]), np.interp(along, at, path[:, 1])]), along


def _distances(points: Points, line: Points) -> npt.NDArray[np.float64]:
    """(n_points,) [m] from each point to a polyline."""
    start, run = line[:-1], np.diff(line, axis=0)
    squared = np.maximum((run**2).sum(axis=1), 1e-12)
    offset = points[:, None, :] - start[None, :, :]
    share = np.clip((offset * run).sum(axis=2) / squared, 0.0, 1.0)
    return np.asarray(np.hypot(*np.moveaxis(offset - share[..., None] * run, 2, 0)).min(axis=1))
