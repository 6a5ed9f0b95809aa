"""What one junction makes of its neighbours' forecasts, and what it tells them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from .coverage import UPSTREAM
from .forecast import Forecast
from .intersection import Intersection, LoopKind
from .state import TrafficState

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]

RING = 256
KEPT = 0.97
"""Trust in a neighbour's forecast kept with each second of lead."""
SETTING_OFF = 1.5
"""Seconds a vehicle loses on the way to its speed behind the stop line: more from a standstill, none while it rolls."""
SPEED_KEPT = 0.93
SPACE = 7.0
RECENT = 120
"""Seconds of a neighbour's outflow its mean is taken over."""
LITTLE_ROOM, SHUT_FOR = 2.0, 3.0
"""Vehicles of room below which an exit takes nobody, and seconds for which that is believed."""
LEADS = 0.3
"""Share of a lane's traffic that takes an exit from which on what becomes of that exit becomes of the lane."""
HELD_FOR = 15.0
"""Seconds for which nobody is let into a ring of full stretches after it was last seen."""


class Neighbours:
    """The arms of one intersection that begin at another light, by the name of the road edge both know."""

    def __init__(self, site: Intersection, horizon: int) -> None:
        self.site, self.horizon = site, horizon
        row = {lane.name: k for k, lane in enumerate(site.lanes)}
        self.arms: dict[str, dict[int, float]] = {}
        for detector in site.detectors:
            if detector.kind in UPSTREAM:
                for name in detector.lanes:
                    self._reach(detector.lane, row[name], detector.distance + detector.position)
        for lane in site.lanes:
            self._reach(lane.name, row[lane.name], lane.length)
        self.rings: dict[tuple[str, str], Floats] = {}
        self.until: dict[tuple[str, str], float] = {}
        self.room: dict[str, tuple[float, float]] = {}
        self.waits: dict[str, tuple[str, ...]] = {}
        self.ringed: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._exit_row = {way.name: k for k, way in enumerate(site.exits)}
        destinations = [self._exit_row.get(move.destination, -1) for move in site.movements]
        self.ways = np.zeros((len(site.movements), len(site.exits)))
        for m, k in enumerate(destinations):
            if k >= 0:
                self.ways[m, k] = 1.0
        self._gates, self._behind = _gates(site, UPSTREAM), _gates(site, (LoopKind.EXIT,))
        self._crossing = _crossing(site)
        self._told = np.zeros((len(site.lanes), horizon))
        self._closed = np.zeros(len(site.lanes))

    def _reach(self, lane: str, approach: int, distance: float) -> None:
        edge = lane.rsplit("_", 1)[0]
        seconds = distance / (SPEED_KEPT * max(self.site.lanes[approach].speed, 1.0)) + SETTING_OFF
        known = self.arms.setdefault(edge, {})
        known[approach] = max(known.get(approach, 0.0), seconds)

    def hear(self, forecasts: tuple[Forecast, ...]) -> None:
        """Keep what the neighbours said."""
        for f in forecasts:
            if f.room is not None:
                self.room[f.exit] = (f.time, f.room)
                self.waits[f.exit] = f.waits
                if self.site.name in f.waits:
                    self.ringed[f.exit] = (f.time, f.waits)
            if f.exit not in self.arms or f.room is not None:
                continue
            ring = self.rings.setdefault((f.sender, f.exit), np.zeros(RING))
            if f.came is not None:
                lane = next(iter(self.arms[f.exit]))
                ring[round(f.time - f.along / (SPEED_KEPT * max(self.site.lanes[lane].speed, 1.0))) % RING] = sum(
                    f.came
                )
                continue
            if f.outflow:
                begin = round(f.time)
                at = (begin + np.arange(RING - RECENT)) % RING
                ring[at] = 0.0
                ring[at[: len(f.outflow)]] = f.outflow
                self.until[f.sender, f.exit] = begin + len(f.outflow)

    def correction(self, state: TrafficState) -> Floats | None:
        """(n_lanes, horizon) to add to the arrivals of `state`: beyond the loops' sight on their arm the neighbours' plans, instead of
        their part of the mean where the lane's mean is expected."""
        if not self.rings or not len(state.sight):
            return None
        told = self._told
        told[:] = 0.0
        now = round(state.time)
        mean = state.arrivals[:, -1]
        for (sender, exit_), ring in self.rings.items():
            lanes = self.arms[exit_]
            recent = usual(ring, now)
            whole = max(recent, float(sum(mean[lane] for lane in lanes)), 1e-3)
            for lane, lag in lanes.items():
                sight = int(np.ceil(state.sight[lane]))
                first = max(min(sight, int(np.ceil(lag - SETTING_OFF))), round(lag) - RECENT)
                last = min(self.horizon, round(self.until.get((sender, exit_), now - RECENT) - now + lag))
                if last <= first:
                    continue
                ahead = np.arange(first, last)
                coming = ring[(now + ahead - round(lag)) % RING] * (mean[lane] / whole)
                expected = np.where(ahead >= sight, recent * (mean[lane] / whole), 0.0)
                told[lane, first:last] += (coming - expected) * KEPT ** (ahead - first)
        return told

    def shut(self, state: TrafficState) -> Floats:
        """(n_lanes,) [s] for which lanes are closed: the neighbour downstream has no room, or they would feed a ring of full stretches."""
        closed = self._closed
        closed[:] = 0.0
        for exit_, row in self._exit_row.items():
            full = self._full(exit_, state.time)
            time, members = self.ringed.get(exit_, (-np.inf, ()))
            ringed = state.time - time <= HELD_FOR
            if not (full or ringed):
                continue
            leads = state.turning @ self.ways[:, row] > LEADS
            if full:
                closed[leads] = SHUT_FOR
            if ringed:
                for sender, arm in self.rings:
                    if sender in members:
                        leads[list(self.arms[arm])] = False
                closed[leads] = SHUT_FOR
        return closed

    def _full(self, exit_: str, now: float) -> bool:
        """Whether the neighbour behind this exit said of late that nobody fits in."""
        time, room = self.room.get(exit_, (-np.inf, np.inf))
        return room < LITTLE_ROOM and now - time <= SHUT_FOR

    def _waits_for(self, state: TrafficState, lanes: Iterable[int]) -> tuple[str, ...]:
        """The junctions that traffic on these lanes waits for: those behind exits without room, and whom they wait for."""
        found: dict[str, None] = {}
        share = (state.turning[list(lanes)] @ self.ways).max(axis=0)
        for way, most in zip(self.site.exits, share, strict=True):
            if way.towards is not None and most > LEADS and self._full(way.name, state.time):
                found.update(dict.fromkeys((way.towards, *self.waits.get(way.name, ()))))
        return tuple(found)

    def count(self, state: TrafficState) -> tuple[Forecast, ...]:
        """The letters that are due each second, whatever is decided: what came onto a stretch, to those at its other end."""
        letters = []
        for receiver, stretch, loops, along in self._counted():
            if len(state.counted) and state.trust[loops].all():
                came = tuple(float(n) for n in state.counted[loops])
                lanes = tuple(self.site.detectors[row].lane for row in loops)
                letters.append(
                    Forecast(self.site.name, receiver, stretch, state.time, came=came, lanes=lanes, along=along)
                )
        return tuple(letters)

    def _counted(self) -> Iterator[tuple[str, str, Rows, float]]:
        """Who is told of what stretch, and which loops count on it."""
        for sender, exit_ in self.rings:
            if exit_ in self._gates:
                yield sender, exit_, *self._gates[exit_]
        for way in self.site.exits:
            if way.towards is not None and way.name in self._behind:
                yield way.towards, way.name, *self._behind[way.name]

    def greet(self, state: TrafficState) -> tuple[Forecast, ...]:
        """Letters to those downstream that say no more than that one is here."""
        return tuple(
            Forecast(self.site.name, way.towards, way.name, state.time)
            for way in self.site.exits
            if way.towards is not None
        )

    def tell(self, state: TrafficState, outflow: npt.NDArray[np.float32]) -> tuple[Forecast, ...]:
        """The letters of this second: `outflow` (horizon, n_lanes) by exits to those downstream, room and price to those upstream."""
        name, letters = self.site.name, []
        by_exit = outflow @ (state.turning @ self.ways)
        for k, way in enumerate(self.site.exits):
            if way.towards is not None:
                flow = tuple(round(float(x), 3) for x in by_exit[:, k])
                letters.append(Forecast(name, way.towards, way.name, state.time + self._crossing[k], outflow=flow))
        for sender, exit_ in self.rings:
            lanes = self.arms[exit_]
            place = sum(
                (lag - SETTING_OFF) * SPEED_KEPT * self.site.lanes[lane].speed / SPACE for lane, lag in lanes.items()
            )
            there = sum(
                float(state.queue[lane] + state.arrivals[lane, : int(state.sight[lane])].sum()) for lane in lanes
            )
            wait = max(float(state.queue[lane] / state.saturation[lane]) for lane in lanes)
            room = max(place - there, 0.0)
            waits = self._waits_for(state, lanes) if room < LITTLE_ROOM else ()
            letters.append(Forecast(name, sender, exit_, state.time, room=room, price=wait, waits=waits))
        return tuple(letters)


def usual(ring: Floats, now: int) -> float:
    """[veh/s] that a neighbour sent of late, by what he told."""
    return float(ring[(now - np.arange(RECENT)) % RING].mean())


def _crossing(site: Intersection) -> list[float]:
    """[s] from the stop lines to the beginning of each exit, at its speed; of one without loops nobody knows."""
    far = {way.name: 0.0 for way in site.exits}
    for d in site.detectors:
        if d.exit in far:
            far[d.exit] = max(far[d.exit], -d.distance - d.position)
    return [far[way.name] / (SPEED_KEPT * max(way.speed, 1.0)) for way in site.exits]


def _gates(site: Intersection, kinds: Container[LoopKind]) -> dict[str, tuple[Rows, float]]:
    """By the road edge, the rows of the first loop of these kinds on each of its lanes, and how far behind its beginning they lie at most
    [m]."""
    first: dict[str, tuple[float, int]] = {}
    for row, d in enumerate(site.detectors):
        if d.kind in kinds and d.position < first.get(d.lane, (np.inf, -1))[0]:
            first[d.lane] = (d.position, row)
    by_edge: dict[str, list[tuple[float, int]]] = {}
    for lane, found in first.items():
        by_edge.setdefault(lane.rsplit("_", 1)[0], []).append(found)
    return {
        edge: (np.array([row for _, row in found]), max(position for position, _ in found))
        for edge, found in by_edge.items()
    }
