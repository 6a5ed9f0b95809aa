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
LEAST_ALL_RED = 1.0  # [s] between vehicles, whatever the geometry
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

    `resco`: 3 s of amber, 5 s of green, 180 s of red. `safe`: amber t + v / 2a (ITE, level road) to the nearest second, 3 to 6 s, a walk of
    at least 7 s, 120 s of red.
    """
    walkers = kind is GroupKind.PEDESTRIAN
    if timing == "resco":
        return GroupTiming(0.0 if walkers else 3.0, 5.0, 180.0)
    amber = 0.0 if walkers else float(min(6, max(3, round(amber_of(max(wire.speed for wire in wires))))))
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

    Vehicles: their amber; with `safe` timing t + v / 2a and, as in RiLSA, the clearance (W + Lv) / v less the time the other needs
    to come to the conflict, and at least a second of all-red.
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
    """Time [s] a vehicle at the stop line needs to leave the way of `foe`: (W + Lv) / v, W [m] to the conflict's end."""
    return (_conflict(wire, foe)[1] + VEHICLE_LENGTH) / max(SLOWEST_CLEARING, wire.turning_speed)


def conflict_time(wire: Wire, foe: Wire) -> float:
    """Time [s] from a vehicle's passing its stop line until `foe` may pass its own at the speed limit and just miss it.

    The clearance of the one less the time the other needs to come to the conflict; never negative.
    """
    comes = _conflict(foe, wire)[0] / max(SLOWEST_CLEARING, foe.speed)
    return max(0.0, clearance(wire, foe) - comes)


def walk_to_clear(crossing: Wire, foe: Wire) -> float:
    """How far [m] one must walk on `crossing`, from the worse end, to be past the way of `foe`; 0 where they are apart."""
    if not paths_cross(crossing.path, foe.path):
        return 0.0
    first, last = _conflict(crossing, foe, foe.width / 2)
    return max(last, float(crossing.by_metre[1][-1]) - first)


def _conflict(wire: Wire, foe: Wire, width: float | None = None) -> tuple[float, float]:
    """Where [m] along its path a wire first and last comes nearer to its foe's than `width`, by default half of both lanes.

    If it never does, the conflict is taken to be the whole path.
    """
    points, along = wire.by_metre
    near = along[_distances(points, foe.path) < ((wire.width + foe.width) / 2 if width is None else width)]
    return (float(near[0]), float(near[-1])) if near.size else (0.0, float(along[-1]))


def _needed(timing: Timing, amber: float, wire: Wire, foe: Wire) -> float:
    if wire.crossing:
        return float(max(1, math.ceil(wire.length / WALKING - 1e-9), amber))
    if timing == "resco":
        return amber
    return max(amber + LEAST_ALL_RED, math.ceil(amber_of(wire.speed) + conflict_time(wire, foe) - 1e-9))


def _distances(points: Points, line: Points) -> npt.NDArray[np.float64]:
    """(n_points,) [m] from each point to a polyline."""
    start, run = line[:-1], np.diff(line, axis=0)
    squared = np.maximum((run**2).sum(axis=1), 1e-12)
    offset = points[:, None, :] - start[None, :, :]
    share = np.clip((offset * run).sum(axis=2) / squared, 0.0, 1.0)
    return np.asarray(np.hypot(*np.moveaxis(offset - share[..., None] * run, 2, 0)).min(axis=1))
