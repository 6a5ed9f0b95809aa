"""Counts -> state: queues, arrivals, turning shares, saturation flow of one intersection, from its loops alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .aspects import Aspect
from .counts import Counts
from .coverage import LONGEST_DELAY, coverage_of, fit
from .health import Health
from .intersection import Intersection
from .kernels import book
from .kernels.account import NO_ACCOUNT
from .kernels.estimate import SETBACK
from .kernels.fleet import hear, seconds
from .kernels.learning import see, set_turning
from .kernels.second import second
from .ports import Status
from .sequencer import Sequencers
from .state import TrafficState

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

HORIZON = 120
RING = 256
WORTH = np.array([0.4, 0.4, 0.1, 0.2, 0.0])
"""What a believed loop of each kind adds to the confidence in its lanes."""
HINDERED = 0.5
"""Part of its saturation flow at which a lane of one movement leaves where it gives way, as long as no loop tells."""
STRAIGHT_ON = 3.0
"""How many times the vehicles of a turn are first assumed to go straight on."""
_GREEN = int(Aspect.GREEN)


class Estimate:
    """One intersection's estimator; `update` once a second. The state it returns is its own and is overwritten each time.

    `lanes`, `loops`, `rings` and the like are the arrays of `core.kernels.book`; some of their rows have names here.
    """

    def __init__(self, site: Intersection) -> None:
        self.site, self.health, self.coverage = site, Health(site), coverage_of(site)
        n_lanes, n_groups, n_exits, n_loops = len(site.lanes), len(site.groups), len(site.exits), len(site.detectors)
        seen = self.coverage
        self.link, self.lane_of, self.links = seen.link, seen.lane_of, seen.links
        self.lanes = np.zeros((book.LANE_FIELDS, n_lanes))
        for row, values in (
            (book.LATE, seen.late), (book.MIDWAY, seen.midway), (book.STORAGE, seen.storage), (book.ABOVE, seen.above), (book.RATE, 0.05),
            (book.SETBACK, SETBACK), (book.HINDERED, 1.0), (book.ACCOUNT, NO_ACCOUNT),
            (book.ASSUMED, [lane.saturation_flow / 3600.0 for lane in site.lanes]),
        ):  # fmt: skip
            self.lanes[row] = values
        self.lanes[book.SATURATION] = self.lanes[book.ASSUMED]
        lane_rows = np.array([seen.stop_of, seen.own, seen.side, np.zeros(n_lanes), seen.reach], dtype=np.int32)
        exit_row = {way.name: k for k, way in enumerate(site.exits)}
        ways = [exit_row.get(d.exit, -1) if d.exit is not None else -1 for d in site.detectors]
        loop_rows = np.array([seen.kind, ways, seen.delay, seen.gate, np.zeros(n_loops)], dtype=np.int32).reshape(5, -1)
        self.loops = np.zeros((book.LOOP_FIELDS, n_loops))
        self.loops[book.TRUST] = 1.0
        self.rings, self.exits = np.zeros((3, n_lanes, RING)), np.zeros((5, n_exits))
        self.exits[book.CAPACITY] = [fit(way.length) * way.lanes for way in site.exits]
        self.exits[book.ROOM] = self.exits[book.CAPACITY]
        self.exits[book.ACROSS] = seen.across
        uses, lane_groups = _uses(site)
        self.lanes[book.HINDERED, uses.sum(axis=1) == 1] = HINDERED
        turns, turn, self.turn_share = _turns(site, uses)
        feeds = np.array(
            [*(_span(seen.kind == kind) for kind in (book.ENTRANCE, book.MIDDLE, book.ADVANCE)), (0, n_lanes)],
            dtype=np.int32,
        )
        turning, arrivals = np.zeros((n_lanes, len(site.movements))), np.zeros((n_lanes, HORIZON))
        groups, red = np.zeros((3, n_groups), dtype=np.bool_), np.zeros(n_groups)
        # groups no loop speaks for, such as crossings, always call
        groups[book.RECALLED] = ~lane_groups[book.OF].any(axis=0)
        self._memory, self._reported = np.zeros(book.MEMORY), np.zeros(n_loops, dtype=np.bool_)
        self._vehicles, self._occupancy = loop_rows[book.VEHICLES], self.loops[book.OCCUPANCY]
        self._green, self._none = groups[book.GROUP_GREEN], np.zeros(n_groups, dtype=np.bool_)
        self._tables = (
            self.lanes, lane_rows, self.loops, loop_rows, self.links, self.link, self.lane_of, self.rings,
            np.zeros((LONGEST_DELAY + 1, n_loops)), feeds, turns, turn, self.turn_share, self.exits, uses, turning, lane_groups, groups,
            red, arrivals, self._memory, WORTH, np.zeros(n_lanes + 1), np.zeros(max(n_lanes, n_exits, 1)),
            np.zeros(n_lanes, dtype=np.bool_), self._reported, *self.health.tables,
        )  # fmt: skip
        self.far, self.mid, self.near = self.rings
        self.queue, self.upper = self.lanes[book.QUEUE], self.lanes[book.UPPER]
        self.departed, self.rate, self.share = self.lanes[book.DEPARTED], self.lanes[book.RATE], self.links[book.SHARE]
        self.state = TrafficState(
            site, 0.0, -1, True, 0.0, self.lanes[book.TOTAL], arrivals, self.lanes[book.SATURATION], turning,
            self.lanes[book.GAP], self.lanes[book.OCCUPIED], self.lanes[book.CONFIDENCE], self.exits[book.ROOM],
            groups[book.CALLS], red, self.lanes[book.CLOSED], self.lanes[book.STALLED], self.lanes[book.STUCK],
            self.lanes[book.SIGHT],
        )  # fmt: skip
        self.state.departed, self.state.greened = self.lanes[book.DEPARTED], self.lanes[book.GREENED]
        self.state.crossed = self.lanes[book.CROSSED]
        self.state.counted, self.state.trust = self._vehicles, self.health.trust
        set_turning(turns, self.turn_share, uses, turning)
        see(self.lanes, self.loops, loop_rows, self.links, self.link, self.lane_of, self.exits, WORTH)

    def update(self, counts: Counts, status: Status) -> TrafficState:
        """The state at the end of the interval the counts speak of."""
        self.hear(counts, status)
        if second(round(counts.time), counts.interval, *self._tables):  # other loops are believed than before
            self.state.notes = self.health.notes()
        self.state.inside = self._memory.item(book.INSIDE)
        return self.state

    def hear(self, counts: Counts, status: Status) -> None:
        """Take down what is new."""
        state = self.state
        state.time, state.stage, state.in_interstage, state.elapsed = (
            status.time,
            status.stage,
            status.in_interstage,
            status.elapsed,
        )
        if status.aspects is not None:
            np.equal(status.aspects, _GREEN, out=self._green)
        else:
            self._green[:] = self.site.stage_greens[status.stage] if status.stage >= 0 else self._none
        self._vehicles[:], self._occupancy[:], self._reported[:] = counts.vehicles, counts.occupancy, counts.fault

    @property
    def places(self) -> list[int]:
        """The addresses of the arrays, as `core.kernels.fleet` wants them."""
        assert all(array.flags.c_contiguous for array in self._tables)
        return [array.ctypes.data for array in self._tables]

    @property
    def sizes(self) -> list[int]:
        """The sizes of the intersection, as `core.kernels.fleet` wants them."""
        site, limits = self.site, self.health.tables[0]
        return [
            len(site.lanes), len(site.detectors), len(self.lane_of), len(site.movements), len(site.groups), len(site.exits),
            len(self.turn_share), RING, LONGEST_DELAY + 1, HORIZON, len(limits),
        ]  # fmt: skip


class Estimates:
    """The estimators of several intersections, brought on together: much less time than one by one, and the same states."""

    def __init__(self, estimates: Sequence[Estimate]) -> None:
        self._estimates = tuple(estimates)
        self.states = [estimate.state for estimate in estimates]
        self._places = np.array([estimate.places for estimate in estimates], dtype=np.int64)
        self._sizes = np.array([estimate.sizes for estimate in estimates], dtype=np.int64)
        self._now, self._interval = np.zeros(len(estimates), dtype=np.int64), np.zeros(len(estimates))
        self._changed, self._inside = np.zeros(len(estimates), dtype=np.bool_), np.zeros(len(estimates))

    def update(self, heard: Sequence[tuple[Counts, Status]]) -> list[TrafficState]:
        """The states at the end of the interval, from what each heard, in the order of the estimators."""
        for k, (estimate, (counts, status)) in enumerate(zip(self._estimates, heard, strict=True)):
            estimate.hear(counts, status)
            self._now[k], self._interval[k] = round(counts.time), counts.interval
        return self._told()

    def second(
        self, time: float, vehicles: npt.NDArray[np.int32], occupancy: Floats, rows: Rows, first: Rows, machines: Sequencers
    ) -> list[TrafficState]:  # fmt: skip
        """The states at the end of the second up to `time`, from the loops of all of them and from their `machines`, as settled then.

        `vehicles`, `occupancy` (n_loops,); `rows` says which of the loops each has, its own from `first` (n+1,) on.
        """
        hear(vehicles, occupancy, rows, first, machines.aspects_at, self._places, self._sizes)
        self._now[:], self._interval[:] = round(time), 1.0
        elapsed = np.maximum(time - machines.full_since, 0.0)
        seen = zip(self.states, machines.stage.tolist(), machines.complete.tolist(), elapsed.tolist(), strict=True)
        for state, stage, complete, since in seen:
            state.time, state.stage, state.in_interstage, state.elapsed = time, stage, not complete, since
        return self._told()

    def _told(self) -> list[TrafficState]:
        seconds(self._now, self._interval, self._places, self._sizes, self._changed, self._inside)
        for k in np.flatnonzero(self._changed).tolist():
            self.states[k].notes = self._estimates[k].health.notes()
        for state, inside in zip(self.states, self._inside.tolist(), strict=True):
            state.inside = inside
        return self.states


def _span(these: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """The first of these rows, and the one behind the last; (0, 0) when there are none."""
    rows = np.flatnonzero(these)
    return (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)


def _uses(site: Intersection) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(n_lanes, n_movements) what each lane serves; (2, n_lanes, n_groups) in which groups, and to which others it gives way there."""
    row = {lane.name: k for k, lane in enumerate(site.lanes)}
    uses = np.zeros((len(site.lanes), len(site.movements)), dtype=np.bool_)
    groups = np.zeros((2, len(site.lanes), len(site.groups)), dtype=np.bool_)
    for m, move in enumerate(site.movements):
        for name in move.lanes:
            uses[row[name], m] = groups[book.OF, row[name], site.group_of[m]] = True
            groups[book.AGAINST, row[name], site.group_of[site.hindered[m]]] = True
    return uses, groups


def _turns(
    site: Intersection, uses: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    """Rows of every turn from a lane by an exit, where each lane's begin, and the shares assumed before any is learnt."""
    row = {way.name: k for k, way in enumerate(site.exits)}
    begin, turns = [0], []
    for lane in range(len(site.lanes)):
        turns += [
            (lane, int(m), row[site.movements[m].destination])
            for m in np.flatnonzero(uses[lane])
            if site.movements[m].destination in row
        ]
        begin.append(len(turns))
    share = np.array([STRAIGHT_ON if site.movements[m].turn == "straight" else 1.0 for _, m, _ in turns])
    for a, b in zip(begin, begin[1:], strict=False):
        if b > a:
            share[a:b] /= share[a:b].sum()
    table = np.ascontiguousarray(np.array(turns, dtype=np.int32).reshape(-1, 3).T)
    return table, np.array(begin, dtype=np.int32), share
