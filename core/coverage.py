"""Which lanes each loop of an intersection speaks for, and how far from the stop line it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .intersection import Detector, Intersection, LoopKind
from .kernels import book
from .kernels.book import LONGEST_CROSSING

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]

KINDS = {
    LoopKind.STOP: book.STOP,
    LoopKind.ADVANCE: book.ADVANCE,
    LoopKind.MIDDLE: book.MIDDLE,
    LoopKind.ENTRANCE: book.ENTRANCE,
    LoopKind.EXIT: book.EXIT,
}
SPEED_KEPT = 0.93
"""Share of the speed limit at which free traffic comes on average."""
SPACE = 7.0
"""Road a standing vehicle takes [m]."""
STRAY = 0.03
"""Share of drivers assumed to change lanes where a loop's lane leads them elsewhere."""
SEEN_FURTHER_UP = 0.8
"""Share of those seen at an entrance that is assumed to come to the stop line."""
SETTING_OFF, CROSSING_SPEED = 1.0, 12.0
"""Seconds until one sets off, and the mean speed [m/s] over a junction from then on, of those who roll and those who start."""
UPSTREAM = (LoopKind.ADVANCE, LoopKind.MIDDLE, LoopKind.ENTRANCE)
LONGEST_DELAY = 63
"""[s] that are kept of what a loop saw."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The loops of one site by the lanes they tell of; rows and units as `core.kernels.book` describes them.

    link, lane_of, links: each detector's lanes; kind, delay, gate (n_detectors,); stop_of, own, side, reach, late, midway,
    storage, above (n_lanes,). `across` (n_exits,) [s] is how long one who starts at a stop line takes over the loop behind the junction.
    """

    kind: Rows
    delay: Rows
    gate: Rows
    link: Rows
    lane_of: Rows
    links: Floats
    stop_of: Rows
    own: Rows
    side: Rows
    reach: Rows
    late: Floats
    midway: Floats
    storage: Floats
    above: Floats
    across: Floats


def fit(metres: float) -> float:
    """Vehicles that fit into so much of a lane: one at least, for who drives over a short piece of road stands partly on the next."""
    return max(metres / SPACE, 1.0)


def coverage_of(site: Intersection) -> Coverage:
    """What the site's loops cover."""
    n = len(site.lanes)
    row_of = {lane.name: k for k, lane in enumerate(site.lanes)}
    side = sides_of(site)
    stop_of, own = np.full(n, -1, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    late, midway, storage, above = np.zeros(n), np.zeros(n), np.full(n, 3.0), np.zeros(n)
    reach = np.zeros(n, dtype=np.int32)
    alone = np.zeros(n, dtype=np.bool_)
    once: set[tuple[LoopKind, str, int]] = set()
    link, lane_of, lag, share = [0], [], [], []
    for row, d in enumerate(site.detectors):
        reached = list(d.lanes)
        if d.kind in UPSTREAM:
            sides = {side[row_of[name]] for name in d.lanes}
            reached += [lane.name for k, lane in enumerate(site.lanes) if side[k] in sides and lane.name not in reached]
        for name in reached:
            lane = row_of[name]
            if (d.kind, d.lane, lane) in once:
                continue
            once.add((d.kind, d.lane, lane))
            seconds = max(d.distance, 0.0) / (SPEED_KEPT * max(site.lanes[lane].speed, 1.0))
            lane_of.append(lane)
            lag.append(seconds)
            share.append(_first_share(d, name, len(reached)))
            if d.kind in UPSTREAM:
                reach[lane] = max(reach[lane], int(max(seconds, 1.0)) + 2)
            if d.kind in (LoopKind.MIDDLE, LoopKind.ENTRANCE):
                above[lane] = max(above[lane], d.distance / SPACE)
            if d.kind is LoopKind.MIDDLE and name in d.lanes:
                midway[lane] = seconds if midway[lane] == 0.0 else min(midway[lane], seconds)
            if d.kind is LoopKind.STOP:
                stop_of[lane] = row
            if d.kind is LoopKind.ADVANCE:
                late[lane] = seconds if late[lane] == 0.0 else min(late[lane], seconds)
                storage[lane] = max(storage[lane], d.distance / SPACE)
                if name in d.lanes and (own[lane] < 0 or (len(d.lanes) == 1 and not alone[lane])):
                    own[lane] = row
                    alone[lane] = len(d.lanes) == 1
        link.append(len(lane_of))
    storage = np.where(late > 0.0, storage, [fit(lane.chain) for lane in site.lanes])
    head, delay = np.zeros(len(lane_of)), np.zeros(len(site.detectors))
    for row, d in enumerate(site.detectors):
        rows = range(link[row], link[row + 1])
        if d.kind in (LoopKind.MIDDLE, LoopKind.ENTRANCE):
            for k in rows:
                head[k] = max(d.distance / SPACE - storage[lane_of[k]], 0.0)
            delay[row] = min((lag[k] - late[lane_of[k]] for k in rows), default=0.0)
        elif d.kind is LoopKind.ADVANCE:
            delay[row] = min((lag[k] for k in rows), default=0.0)
    return Coverage(
        np.array([KINDS[d.kind] for d in site.detectors], dtype=np.int32),
        np.clip(delay.round(), 0, LONGEST_DELAY).astype(np.int32),
        _gates(site, side),
        np.array(link, dtype=np.int32),
        np.array(lane_of, dtype=np.int32),
        np.array((lag, share, head, share), dtype=np.float64).reshape(4, -1),
        stop_of, own, side, reach, late, midway, storage, np.maximum(above - storage, 0.0), _across(site),
    )  # fmt: skip


def _gates(site: Intersection, side: Rows) -> Rows:
    """(n_detectors,) number of the approach by whose account an advance loop counts who comes, -1 where there is none: a lane of road is
    counted once, and an approach that shares a loop with another has no account."""
    row_of = {lane.name: k for k, lane in enumerate(site.lanes)}
    gate, counted = np.full(len(site.detectors), -1, dtype=np.int32), set()
    mixed: set[int] = set()
    for row, d in enumerate(site.detectors):
        if d.kind is LoopKind.ADVANCE and d.lanes and d.lane not in counted:
            counted.add(d.lane)
            sides = {int(side[row_of[name]]) for name in d.lanes}
            gate[row] = min(sides)
            mixed |= sides if len(sides) > 1 else set()
    gate[np.isin(gate, sorted(mixed))] = -1
    return gate


def _across(site: Intersection) -> Floats:
    """(n_exits,) [s] from a stop line over the loop behind the junction, for one who starts there."""
    furthest = {way.name: 0.0 for way in site.exits}
    for d in site.detectors:
        if d.kind is LoopKind.EXIT and d.exit in furthest:
            furthest[d.exit] = max(furthest[d.exit], -d.distance)
    far = np.array([metres or LONGEST_CROSSING * CROSSING_SPEED for metres in furthest.values()])
    return np.minimum(SETTING_OFF + far / CROSSING_SPEED, LONGEST_CROSSING)


def sides_of(site: Intersection) -> Rows:
    """(n_lanes,) number of the approach each lane belongs to."""
    origin = {name: m.origin for m in site.movements for name in m.lanes}
    arms = [origin.get(lane.name, lane.name) for lane in site.lanes]
    number = {name: k for k, name in enumerate(dict.fromkeys(arms))}
    return np.array([number[arm] for arm in arms], dtype=np.int32)


def _first_share(detector: Detector, lane: str, n_reached: int) -> float:
    """Before anything is learnt: the lanes named share alike, those beside them get what drivers do who change late."""
    strays = n_reached - len(detector.lanes)
    kept = 1.0 - (STRAY if strays else 0.0)
    share = kept / len(detector.lanes) if lane in detector.lanes else STRAY / strays
    return share * (SEEN_FURTHER_UP if detector.kind is LoopKind.ENTRANCE else 1.0)
