"""Counts -> state: queues, arrivals, turning shares, saturation flow of one intersection, from its loops alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .aspects import Aspect
from .counts import Counts
from .health import Health
from .intersection import Detector, Intersection, LoopKind
from .kernels import estimate as kernels
from .ports import Status
from .state import TrafficState

Floats = npt.NDArray[np.float64]

HORIZON = 120
PAST = 64
RING = 256
KINDS = {LoopKind.STOP: 0, LoopKind.ADVANCE: 1, LoopKind.ENTRANCE: 2, LoopKind.EXIT: 3}
WORTH = {0: 0.4, 1: 0.4, 2: 0.2, 3: 0.0}
"""What a believed loop of each kind adds to the confidence in its lanes."""
SPEED_KEPT = 0.93
"""Share of the speed limit at which free traffic comes on average."""
SPACE = 7.0
"""Road a standing vehicle takes [m]."""
PRIOR_FLOW = 60.0
"""Seconds of discharge the assumed saturation flow counts for against what is seen."""

STRAY = 0.03
"""Share of drivers assumed to change lanes where a loop's lane leads them elsewhere."""
CROSSING = 7
"""Seconds after which a vehicle that left the stop line should have passed the loop behind the junction."""
QUIET, FORGET = 10, 30.0
"""Seconds without any movement after which the junction counts as empty, and in which one miscounted vehicle is forgotten."""
FULL_AFTER, FULL_FOR = 3.0, 3.0
"""Seconds its loops are occupied after which an exit is full, and for which it is then expected to stay so."""


class Estimate:
    """One intersection's estimator; `update` once a second. The state it returns is its own and is overwritten each time."""

    def __init__(self, site: Intersection) -> None:
        self.site = site
        n_lanes, n_detectors, moves = len(site.lanes), len(site.detectors), site.movements
        self._row = {lane.name: k for k, lane in enumerate(site.lanes)}
        self._group_of = np.array([i for i, g in enumerate(site.groups) for _ in g.movements], dtype=np.intp)
        self._uses = np.zeros((n_lanes, len(moves)), dtype=np.bool_)
        for m, move in enumerate(moves):
            for name in move.lanes:
                self._uses[self._row[name], m] = True
        self._lane_groups = np.zeros((n_lanes, len(site.groups)), dtype=np.bool_)
        for m, group in enumerate(self._group_of):
            self._lane_groups[:, group] |= self._uses[:, m]
        self._capacity = np.array([way.length * way.lanes / SPACE for way in site.exits])
        self._detectors()
        self._exits()
        self.far, self.near = np.zeros((n_lanes, RING)), np.zeros((n_lanes, RING))
        self.queue, self.upper = np.zeros(n_lanes), np.zeros(n_lanes)
        self.on_stop, self.greened, self.departed = np.zeros(n_lanes), np.zeros(n_lanes), np.zeros(n_lanes)
        self.came, self.rate = np.zeros(n_lanes), np.full(n_lanes, 0.05)
        self.flow, self.flow_time = np.zeros(n_lanes), np.zeros(n_lanes)
        self.pace, self._fresh = np.zeros(n_lanes), np.zeros(n_lanes)
        self.stuck, self.setback = np.zeros(n_lanes), np.full(n_lanes, kernels.SETBACK)
        self.standing, self.silent, self.trust = np.zeros(n_detectors), np.zeros(n_detectors), np.ones(n_detectors)
        self.seen, self.arrived, self.left, self.served = (
            np.zeros(n_detectors), np.zeros(n_lanes), np.zeros(n_lanes), np.zeros(n_lanes)
        )  # fmt: skip
        self.entered = np.zeros(len(site.exits))
        self._past, self._due = np.zeros((PAST, n_detectors)), np.zeros(n_detectors)
        self._feeds = [(k, np.flatnonzero(self.kind == k)) for k in (kernels.ENTRANCE, kernels.ADVANCE)]
        self._error = np.zeros(max(n_lanes, len(site.exits), 1))
        self._green = np.zeros(n_lanes, dtype=np.int32)
        self._assumed = np.array([lane.saturation_flow / 3600.0 for lane in site.lanes])
        self.beyond = np.zeros((n_lanes, HORIZON))
        self.told = np.zeros((n_lanes, HORIZON), dtype=np.bool_)
        self._crossing, self._quiet, self._lately = 0.0, 0, np.zeros(CROSSING)
        self._seconds = 0
        self.state = TrafficState(
            site, 0.0, -1, True, 0.0, np.zeros(n_lanes), np.zeros((n_lanes, HORIZON)), self._assumed.copy(),
            np.zeros((n_lanes, len(moves))), np.zeros(n_lanes), np.zeros(n_lanes), np.ones(n_lanes),
            self._capacity.copy(), np.zeros(len(site.groups), dtype=np.bool_),
            np.zeros(len(site.groups)), np.zeros(n_lanes),
        )  # fmt: skip
        self._closed = np.zeros(n_lanes)
        self.health = Health(site)
        self._trusted, self._checked, self._blind = np.ones(n_detectors), np.zeros(n_lanes), np.zeros(n_lanes)
        self.state.sight, self.state.stalled = self.sight, self._closed
        self._turning()
        self._sees()

    def _detectors(self) -> None:
        site, n = self.site, len(self.site.lanes)
        self.kind = np.array([KINDS[d.kind] for d in site.detectors], dtype=np.int32)
        self.stop_of, self.own = np.full(n, -1, dtype=np.int32), np.full(n, -1, dtype=np.int32)
        self.late, self.storage, self.sight = np.zeros(n), np.full(n, 3.0), np.zeros(n)
        origin = {name: m.origin for m in site.movements for name in m.lanes}
        sides = {
            name: k for k, name in enumerate(dict.fromkeys(origin.get(lane.name, lane.name) for lane in site.lanes))
        }
        self._side = np.array([sides[origin.get(lane.name, lane.name)] for lane in site.lanes], dtype=np.int32)
        self._spill = np.zeros(max(len(sides), 1))
        self._above = np.zeros(n)
        self._alone = np.zeros(n, dtype=np.bool_)
        once: set[tuple[LoopKind, str, int]] = set()
        link, lane_of, lag, share = [0], [], [], []
        for row, d in enumerate(site.detectors):
            reached = list(d.lanes)
            if d.kind in (LoopKind.ADVANCE, LoopKind.ENTRANCE) and d.lane not in self._row:
                edges = {self._side[self._row[name]] for name in d.lanes}
                reached += [
                    lane.name
                    for k, lane in enumerate(site.lanes)
                    if self._side[k] in edges and lane.name not in reached
                ]
            for name in reached:
                lane = self._row[name]
                if (d.kind, d.lane, lane) in once:
                    continue
                once.add((d.kind, d.lane, lane))
                seconds = max(d.distance, 0.0) / (SPEED_KEPT * max(site.lanes[lane].speed, 1.0))
                lane_of.append(lane)
                lag.append(seconds)
                share.append(self._first_share(d, name, len(reached)))
                if d.kind is LoopKind.ENTRANCE:
                    self._above[lane] = max(self._above[lane], d.distance / SPACE)
                if d.kind is LoopKind.STOP:
                    self.stop_of[lane] = row
                else:
                    self.sight[lane] = max(self.sight[lane], seconds)
                if d.kind is LoopKind.ADVANCE:
                    self.late[lane] = seconds if self.late[lane] == 0.0 else min(self.late[lane], seconds)
                    self.storage[lane] = max(self.storage[lane], d.distance / SPACE)
                    alone = len(d.lanes) == 1 and not self._alone[lane]
                    if name in d.lanes and (self.own[lane] < 0 or alone):
                        self.own[lane] = row
                        self._alone[lane] = len(d.lanes) == 1
            link.append(len(lane_of))
        self.link = np.array(link, dtype=np.int32)
        self._above = np.maximum(self._above - self.storage, 0.0)
        self._head = np.zeros(len(lane_of))
        delay = np.zeros(len(site.detectors))
        for row, d in enumerate(site.detectors):
            rows = range(link[row], link[row + 1])
            if d.kind is LoopKind.ENTRANCE:
                for k in rows:
                    self._head[k] = max(d.distance / SPACE - self.storage[lane_of[k]], 0.0)
                delay[row] = min((lag[k] - self.late[lane_of[k]] for k in rows), default=0.0)
            elif d.kind is LoopKind.ADVANCE:
                delay[row] = min((lag[k] for k in rows), default=0.0)
        self._delay = np.clip(delay.round(), 0, PAST - 1).astype(np.intp)
        self.lane_of, self.lag, self.share = (
            np.array(lane_of, dtype=np.int32),
            np.array(lag),
            np.array(share, dtype=np.float64),
        )

    def _first_share(self, detector: Detector, lane: str, n_reached: int) -> float:
        """Before anything is learnt: the lanes named share alike, those beside them get what drivers do who change late."""
        strays = n_reached - len(detector.lanes)
        kept = 1.0 - (STRAY if strays else 0.0)
        share = kept / len(detector.lanes) if lane in detector.lanes else STRAY / strays
        return share * (0.8 if detector.kind is LoopKind.ENTRANCE else 1.0)

    def _exits(self) -> None:
        """Lane -> exits it leads to, as a list for each lane (sources are lanes, targets exits)."""
        site = self.site
        row = {way.name: k for k, way in enumerate(site.exits)}
        begin, to, moves = [0], [], []
        for lane in range(len(site.lanes)):
            for m in np.flatnonzero(self._uses[lane]):
                if site.movements[m].destination in row:
                    to.append(row[site.movements[m].destination])
                    moves.append((lane, int(m)))
            begin.append(len(to))
        self._turn_begin, self._turn_to, self._turn_of = (
            np.array(begin, dtype=np.int32),
            np.array(to, dtype=np.int32),
            moves,
        )
        first = [3.0 if site.movements[m].turn == "straight" else 1.0 for _, m in moves]
        self._turn_share = np.array(first, dtype=np.float64)
        for lane in range(len(site.lanes)):
            a, b = begin[lane], begin[lane + 1]
            if b > a:
                self._turn_share[a:b] /= self._turn_share[a:b].sum()
        self._exit_loops = [
            np.array([k for k, d in enumerate(site.detectors) if d.exit == way.name], dtype=np.intp)
            for way in site.exits
        ]

        self._recalled = ~self._lane_groups.any(axis=0)  # groups no loop speaks for, such as crossings, always call
        self._exit_rows = np.flatnonzero(self.kind == kernels.EXIT)

    def _turning(self) -> None:
        turning = self.state.turning
        turning[:] = 0.0
        for (lane, m), share in zip(self._turn_of, self._turn_share, strict=True):
            turning[lane, m] += share
        total = turning.sum(axis=1, keepdims=True)
        turning[:] = np.where(
            total > 0,
            turning / np.where(total > 0, total, 1.0),
            self._uses / np.maximum(self._uses.sum(axis=1, keepdims=True), 1),
        )

    def update(self, counts: Counts, status: Status) -> TrafficState:
        """The state at the end of the interval the counts speak of."""
        state, site = self.state, self.site
        state.time, state.stage, state.in_interstage, state.elapsed = (
            status.time,
            status.stage,
            status.in_interstage,
            status.elapsed,
        )
        if status.aspects is not None:
            green = np.asarray(status.aspects) == Aspect.GREEN
        else:
            green = site.stage_greens[status.stage] if status.stage >= 0 else np.zeros(len(site.groups), dtype=np.bool_)
        some = (self._lane_groups & green).any(axis=1)
        every = (~self._lane_groups | green).all(axis=1) & some
        self._green[:] = some.astype(np.int32) + every
        self.trust[:] = self.health.update(counts, every)
        if (self.trust != self._trusted).any():
            self._trusted[:] = self.trust
            self._sees()
        now = round(counts.time)
        self._seconds += 1
        memory = max(1.0 / 300.0, 1.0 / (self._seconds + 20.0))
        kernels.tick(
            now, counts.vehicles, counts.occupancy, self.trust, self.kind, self.link, self.lane_of, self.lag, self.share, self.stop_of,
            self.own, self.late, self.storage, self._green, self.far, self.near, self.queue, self.upper, self.on_stop, self.standing,
            self.silent, self.greened, state.gap, self.departed, self.came, self.rate, self.flow, self.flow_time,
            self.stuck, self._closed, self.setback, self._side, self._spill, self._above,
            state.saturation, self.pace, self._checked, self._blind, self._fresh, self._head, memory,
        )  # fmt: skip
        self._learn(counts)
        self.beyond[:] = np.where(self.told, self.beyond, self.rate[:, None])
        kernels.outlook(
            now,
            self.far,
            self.near,
            self.queue,
            self.upper,
            self.rate,
            self.sight,
            self.beyond,
            state.queue,
            state.arrivals,
        )
        has_stop = self.stop_of >= 0
        state.occupied[has_stop] = counts.occupancy[self.stop_of[has_stop]]
        soon = state.queue + state.arrivals[:, :6].sum(axis=1)
        wanting = (soon > 0.3) | (state.occupied > 0.0)
        state.calls[:] = (self._lane_groups & wanting[:, None]).any(axis=0) | self._recalled
        state.red[:] = np.where(green, 0.0, np.where(state.calls, state.red + counts.interval, state.red))
        self._room(counts)
        return state

    def _room(self, counts: Counts) -> None:
        """Exits whose loops stand occupied are full: the lanes that lead there discharge nothing."""
        state = self.state
        np.copyto(state.closed, self._closed)
        state.inside = self._inside(float(counts.vehicles[self._exit_rows].sum()))
        for k, rows in enumerate(self._exit_loops):
            full = len(rows) > 0 and bool((self.standing[rows] >= FULL_AFTER).all())
            state.room[k] = 0.0 if full else self._capacity[k]
        for (lane, _), exit_, share in zip(self._turn_of, self._turn_to, self._turn_share, strict=True):
            if state.room[exit_] < 1.0 and share > 0.3:
                state.closed[lane] = max(state.closed[lane], FULL_FOR)

    def _inside(self, entered: float) -> float:
        """Vehicles that should have left the junction and have not; what was counted wrongly is forgotten when all is quiet."""
        left = float(self.departed.sum())
        self._crossing += left - entered
        self._lately[self._seconds % CROSSING] = left
        self._quiet = 0 if left > 0 or entered > 0 else self._quiet + 1
        if self._crossing < 0.0 or self._quiet >= QUIET:
            self._crossing = 0.0
        late = max(self._crossing - float(self._lately.sum()), 0.0)
        self._crossing -= min(late, 1.0) / FORGET
        return late

    def _sees(self) -> None:
        """What each lane's believed loops can tell: how far they see, whether one checks another, and how sure we are."""
        n = len(self.site.lanes)
        self.sight[:], self._checked[:] = 0.0, 0.0
        weight, believed = np.zeros(n), np.zeros(n)
        for row, kind in enumerate(self.kind):
            for k in range(self.link[row], self.link[row + 1]):
                lane = self.lane_of[k]
                share = WORTH[int(kind)] * (self.share[k] if kind != kernels.STOP else 1.0)
                weight[lane] += share
                if self.trust[row] > 0.0:
                    believed[lane] += share
                    if kind != kernels.STOP:
                        self.sight[lane] = max(self.sight[lane], self.lag[k])
                    if kind == kernels.ADVANCE:
                        self._checked[lane] = 1.0
        self._blind[:] = (self.sight == 0.0) & (weight > 0.0)
        self.state.confidence[:] = np.where(weight > 0.0, believed / np.where(weight > 0.0, weight, 1.0), 0.0)
        self.state.notes = self.health.notes()

    def _learn(self, counts: Counts) -> None:
        """Running means, and from them the lane shares of the loops upstream and the turning shares."""
        quick, slow = 1.0 / 12.0, 1.0 / 150.0
        self._past[self._seconds % PAST] = counts.vehicles
        self._due[:] = self._past[(self._seconds - self._delay) % PAST, np.arange(len(self._delay))]
        self.seen += (self._due - self.seen) * np.where(self.kind == kernels.ADVANCE, slow, quick)
        self.arrived += (self.came - self.arrived) * quick
        self.served += (self.departed - self.served) * slow
        self.left += (self.departed - self.left) * quick
        for k, rows in enumerate(self._exit_loops):
            self.entered[k] += (counts.vehicles[rows].sum() - self.entered[k]) * quick
        if self._seconds % 10 == 0:
            kernels.learn_shares(
                self.left,
                self.entered,
                self._turn_begin,
                self._turn_to,
                self._turn_share,
                0,
                len(self.site.lanes),
                0.03,
                self._error,
                True,
            )
            self._turning()
            seen = np.where(self.flow_time > 0, self.flow, 0.0)
            rate = (self._assumed * PRIOR_FLOW + seen) / (PRIOR_FLOW + self.flow_time)
            self.state.saturation[:] = np.clip(rate, 0.3, 0.65)
        if self._seconds % 3 == 0:
            for kind, rows in self._feeds:
                if len(rows):
                    target = self.arrived if kind == kernels.ENTRANCE else self.served
                    kernels.learn_shares(
                        self.seen,
                        target,
                        self.link,
                        self.lane_of,
                        self.share,
                        int(rows[0]),
                        int(rows[-1]) + 1,
                        0.02,
                        self._error,
                        False,
                    )
