"""A small crossing with all its loops, for tests of what looks at traffic."""

from __future__ import annotations

import numpy as np

from signalwright.core.counts import Counts
from signalwright.core.intersection import (
    Detector,
    Exit,
    Intersection,
    Lane,
    LoopKind,
    Movement,
    SignalGroup,
    Stage,
)
from signalwright.core.ports import Status

SPEED = 14.0


def crossing(name: str = "X", towards: str | None = None, *, middle: tuple[str, ...] = ()) -> Intersection:
    """Two one-way roads, west-east with two lanes and north-south with one; loops at 2.5, 40 and 180 m, on the lanes of `middle`
    at 80 m too, and behind."""
    lanes = (Lane("w_0", 200, 200, SPEED), Lane("w_1", 200, 200, SPEED), Lane("n_0", 200, 200, SPEED))
    groups = (
        SignalGroup("W", (Movement("w->e", "w", "e", ("w_0", "w_1")),), max_red=None),
        SignalGroup("N", (Movement("n->s", "n", "s", ("n_0",)),), max_red=None),
    )
    loops = [Detector(f"{lane.name}/stop", LoopKind.STOP, lane.name, 197.5, 2.5, (lane.name,)) for lane in lanes]
    loops += [
        Detector(f"{lane.name}/advance", LoopKind.ADVANCE, lane.name, 160.0, 40.0, (lane.name,)) for lane in lanes
    ]
    loops += [Detector(f"{lane}/middle", LoopKind.MIDDLE, lane, 120.0, 80.0, (lane,)) for lane in middle]
    for lane in lanes:
        beside = tuple(other.name for other in lanes if other.name[0] == lane.name[0])
        loops.append(Detector(f"{lane.name}/entrance", LoopKind.ENTRANCE, lane.name, 20.0, 180.0, beside))
    loops += [Detector(f"{way}_0/exit", LoopKind.EXIT, f"{way}_0", 20.0, -20.0, (), way) for way in ("e", "s")]
    conflict = np.array([[False, True], [True, False]])
    return Intersection(
        name, groups, (Stage("1", frozenset({"W"})), Stage("2", frozenset({"N"}))), conflict, np.zeros((2, 2), bool),
        np.where(conflict, 3.0, 0.0), lanes, (Exit("e", 200, 1, SPEED, towards), Exit("s", 200, 1, SPEED)), tuple(loops),
    )  # fmt: skip


def quiet(site: Intersection, time: float) -> Counts:
    """A second in which no loop sees anything."""
    n = len(site.detectors)
    return Counts(time, 1.0, np.zeros(n, np.int32), np.zeros(n), np.zeros(n, np.bool_))


def seen(site: Intersection, time: float, passing: dict[str, int], standing: tuple[str, ...] = ()) -> Counts:
    """A second in which loops see vehicles pass, and stand occupied."""
    counts = quiet(site, time)
    for k, loop in enumerate(site.detectors):
        counts.vehicles[k] = passing.get(loop.name, 0)
        counts.occupancy[k] = 1.0 if loop.name in standing else min(0.5 * passing.get(loop.name, 0), 0.9)
    return counts


def status(time: float, stage: int, elapsed: float = 20.0) -> Status:
    """A complete stage."""
    return Status(time, stage, False, elapsed)
