"""The plain twin of the estimator's second: whole arrays of numpy, one array for each quantity, one step after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

import naive_queues as queues
from naive_health import NaiveHealth
from signalwright.core.counts import Counts
from signalwright.core.coverage import LONGEST_DELAY, SPACE
from signalwright.core.estimate import HINDERED, HORIZON, RING, WORTH, Estimate
from signalwright.core.intersection import Intersection
from signalwright.core.kernels import book
from signalwright.core.kernels.account import NO_ACCOUNT
from signalwright.core.kernels.book import REMEMBERED
from signalwright.core.kernels.estimate import SETBACK
from signalwright.core.kernels.learning import MOST
from signalwright.core.kernels.second import FEW, FULL_AFTER, FULL_FOR, MANY, MISSED, SHORT, SOME_CYCLES, UNSURE
from signalwright.core.ports import Status

PAST = LONGEST_DELAY + 1
PRIOR_FLOW = 60.0
STATE = (
    "queue", "arrivals", "saturation", "turning", "gap", "occupied", "confidence", "room", "calls", "red", "closed", "stalled",
    "stuck", "sight", "inside",
)  # fmt: skip


class NaiveEstimate:
    """As Estimate; which lanes a loop covers is taken from there. The state is in attributes of the names in `STATE`."""

    def __init__(self, site: Intersection) -> None:
        self.site, self.health = site, NaiveHealth(site)
        n, n_loops, n_exits = len(site.lanes), len(site.detectors), len(site.exits)
        seen = Estimate(site).coverage
        self.kind, self.link, self.lane_of, self.stop_of, self.own = (
            seen.kind, seen.link, seen.lane_of, seen.stop_of, seen.own
        )  # fmt: skip
        self.side, self.gate, self.late, self.midway, self.storage, self.above, self.delay = (
            seen.side, seen.gate, seen.late, seen.midway, seen.storage, seen.above, seen.delay
        )  # fmt: skip
        self.lag, self.share, self.head, self.first = (row.copy() for row in seen.links)
        self.uses = np.array([[lane.name in move.lanes for move in site.movements] for lane in site.lanes])
        of_group = [g for g, group in enumerate(site.groups) for _ in group.movements]
        self.lane_groups = np.zeros((n, len(site.groups)), dtype=np.bool_)
        for m, group in enumerate(of_group):
            self.lane_groups[:, group] |= self.uses[:, m]
        self.facing: list[list[int]] = [
            [
                k
                for m, move in enumerate(site.movements)
                if lane.name in move.lanes
                for n, other in enumerate(site.movements)
                if site.yields[of_group[m], (k := of_group[n])]
                and move.faces(other)
                and not (move.turn == "right" and site.yields[k, of_group[m]] and other.faces(move))
            ]
            for lane in site.lanes
        ]
        self.capacity = np.array([max(way.length / SPACE, 1.0) * way.lanes for way in site.exits])
        self._exits()
        self.far, self.mid, self.near = np.zeros((3, n, RING))
        self.account = np.full(n, NO_ACCOUNT)
        self.slips, self.at_most, self.lacks = np.zeros((3, n))
        self.queues, self.upper = np.zeros(n), np.zeros(n)
        self.on_stop, self.greened, self.unhindered, self.departed, self.came = np.zeros((5, n))
        self.crossed, self.back = np.zeros((2, n))
        self.rate, self.flow, self.flow_time, self.pace = np.full(n, 0.05), np.zeros(n), np.zeros(n), np.zeros(n)
        self.fresh, self.stuck, self.set_off, self.setback = np.zeros(n), np.zeros(n), np.zeros(n), np.full(n, SETBACK)
        self.standing, self.silent, self.trust = np.zeros(n_loops), np.zeros(n_loops), np.ones(n_loops)
        self.seen, self.arrived, self.left, self.served = np.zeros(n_loops), np.zeros(n), np.zeros(n), np.zeros(n)
        self.entered, self.past = np.zeros(n_exits), np.zeros((PAST, n_loops))
        self.assumed = np.array([lane.saturation_flow / 3600.0 for lane in site.lanes])
        self.onto = self.over = self.on_way = 0.0
        self.across, self.seconds = seen.across.astype(int), 0
        self.crossings: list[float] = []
        self.coming_out: dict[int, float] = {}
        self.queue, self.arrivals, self.saturation = np.zeros(n), np.zeros((n, HORIZON)), self.assumed.copy()
        self.gap, self.occupied, self.confidence = np.zeros(n), np.zeros(n), np.ones(n)
        self.room, self.red, self.closed, self.stalled = (
            self.capacity.copy(),
            np.zeros(len(site.groups)),
            np.zeros(n),
            np.zeros(n),
        )
        self.calls, self.inside, self.sight = np.zeros(len(site.groups), dtype=np.bool_), 0.0, np.zeros(n)
        self.turning: Any = np.zeros((n, len(site.movements)))
        self._turning()
        self._sees()

    def _exits(self) -> None:
        row = {way.name: k for k, way in enumerate(self.site.exits)}
        begin, to, self.turns = [0], [], []
        for lane in range(len(self.site.lanes)):
            for m in np.flatnonzero(self.uses[lane]):
                if self.site.movements[m].destination in row:
                    to.append(row[self.site.movements[m].destination])
                    self.turns.append((lane, int(m)))
            begin.append(len(to))
        self.turn_begin, self.turn_to = np.array(begin), np.array(to)
        first = [3.0 if self.site.movements[m].turn == "straight" else 1.0 for _, m in self.turns]
        self.turn_share = np.array(first)
        for a, b in zip(begin, begin[1:], strict=False):
            if b > a:
                self.turn_share[a:b] /= self.turn_share[a:b].sum()
        self.exit_loops: list[Any] = [
            np.array([k for k, d in enumerate(self.site.detectors) if d.exit == way.name], dtype=np.intp)
            for way in self.site.exits
        ]
        self.recalled = ~self.lane_groups.any(axis=0)

    def _turning(self) -> None:
        turning = np.zeros_like(self.turning)
        for (lane, m), share in zip(self.turns, self.turn_share, strict=True):
            turning[lane, m] += share
        total = turning.sum(axis=1, keepdims=True)
        self.turning = np.where(
            total > 0,
            turning / np.where(total > 0, total, 1.0),
            self.uses / np.maximum(self.uses.sum(axis=1, keepdims=True), 1),
        )

    def update(self, counts: Counts, status: Status) -> None:
        """One second more."""
        site = self.site
        if status.aspects is not None:
            green = np.asarray(status.aspects) == 2
        else:
            green = site.stage_greens[status.stage] if status.stage >= 0 else np.zeros(len(site.groups), dtype=np.bool_)
        some = (self.lane_groups & green).any(axis=1)
        every = (~self.lane_groups | green).all(axis=1) & some
        unhindered = np.array([not green[facing].any() for facing in self.facing]) & every
        believed = self.health.update(counts, every)
        if (self.trust != believed).any():
            self.trust = believed.copy()
            self._sees()
        now = round(counts.time)
        self.seconds += 1
        memory = max(1.0 / 300.0, 1.0 / (self.seconds + 20.0))
        queues.tick(
            now, counts.vehicles, counts.occupancy, self.trust, self.kind, self.link, self.lane_of, self.lag, self.share,
            self.stop_of, self.own, self.late, self.storage, some.astype(int) + unhindered, self.far, self.mid, self.near, self.queues,
            self.upper, self.on_stop, self.standing, self.silent, self.greened, self.gap, self.departed, self.came, self.rate,
            self.flow, self.flow_time, self.stuck, self.stalled, self.setback, self.side, np.zeros(len(site.lanes) + 1),
            self.above, self.saturation, self.pace, self.checked, self.blind, self.fresh, self.head, self.midway, self.sorted,
            self.unhindered, np.where(self.uses.sum(axis=1) == 1, HINDERED, 1.0), self.set_off, self.crossed, self.back, memory,
        )  # fmt: skip
        queues.settle(
            counts.vehicles, self.trust, self.silent, self.gate, self.side, self.told, self.checked, self.late, self.storage, self.gap,
            self.near, self.queues, self.departed, self.on_stop, self.arrived, self.account, self.slips, self.at_most, self.lacks,
        )  # fmt: skip
        self._learn(counts)
        beyond = np.repeat(self.rate[:, None], HORIZON, axis=1)
        queues.outlook(
            now,
            self.far,
            self.mid,
            self.near,
            self.queues,
            self.upper,
            self.rate,
            self.sight,
            beyond,
            self.queue,
            self.arrivals,
            self.late,
            self.midway,
            self.storage,
            self.checked,
            self.sorted,
        )
        has_stop = self.stop_of >= 0
        self.occupied[has_stop] = counts.occupancy[self.stop_of[has_stop]]
        soon = self.queue + self.arrivals[:, :6].sum(axis=1)
        wanting = (soon > 0.3) | (self.occupied > 0.0)
        self.calls = (self.lane_groups & wanting[:, None]).any(axis=0) | self.recalled
        self.red = np.where(green, 0.0, np.where(self.calls, self.red + counts.interval, self.red))
        self._room(counts)

    def _room(self, counts: Counts) -> None:
        self.closed = self.stalled.copy()
        self._inside(counts)
        for k, rows in enumerate(self.exit_loops):
            stand = self.standing[rows] >= FULL_AFTER
            full = len(rows) > 0 and bool(stand.any() if self.capacity[k] <= SHORT * len(rows) else stand.all())
            self.room[k] = 0.0 if full else self.capacity[k]
        for (lane, _), way, share in zip(self.turns, self.turn_to, self.turn_share, strict=True):
            if self.room[way] < 1.0 and share > 0.3:
                self.closed[lane] = max(self.closed[lane], FULL_FOR)

    def _inside(self, counts: Counts) -> None:
        over, onto = float(counts.vehicles[self.kind == book.EXIT].sum()), 0.0
        over_time = min(self.seconds, SOME_CYCLES)
        went = self.onto * over_time
        part = (self.over * over_time + self.on_way) / went if went >= FEW else 1.0
        for (lane, _), way, share in zip(self.turns, self.turn_to, self.turn_share, strict=True):
            out, here = self.seconds + int(self.across[way]), float(self.crossed[lane] * share)
            self.coming_out[out] = self.coming_out.get(out, 0.0) + here * part
            onto += here
        before = self.crossings[-1] if self.crossings else 0.0
        self.crossings.append(before + onto * part - over)
        weight = 1.0 / over_time
        self.onto += (onto - self.onto) * weight
        self.over += (over - self.over) * weight
        pending = sum(mass for second, mass in self.coming_out.items() if second > self.seconds)
        empty = min(([0.0] if self.seconds < REMEMBERED else []) + self.crossings[-REMEMBERED:])
        self.on_way = self.crossings[-1] - empty
        standing = max(self.on_way - pending, 0.0)
        unsure = UNSURE * int((self.trust[self.kind == book.STOP] <= 0.0).sum())
        told = all(self._watched()) and abs(part - 1.0) <= MISSED and standing <= MANY
        self.inside = max(standing - unsure, 0.0) if told else np.nan

    def _watched(self) -> list[bool]:
        """Which exits have loops that can all be believed."""
        return [len(rows) > 0 and bool((self.trust[rows] > 0).all()) for rows in self.exit_loops]

    def _sees(self) -> None:
        n = len(self.site.lanes)
        checked, told = getattr(self, "checked", np.zeros(n)), getattr(self, "told", np.zeros(n))
        self.told = np.array([d >= 0 and self.trust[d] > 0 for d in self.stop_of], float)
        self.sight, self.checked, self.sorted = np.zeros((3, n))
        weight, believed = np.zeros(n), np.zeros(n)
        for row, kind in enumerate(self.kind):
            for k in range(self.link[row], self.link[row + 1]):
                lane = self.lane_of[k]
                share = WORTH[int(kind)] * (self.share[k] if kind != book.STOP else 1.0)
                weight[lane] += share
                if self.trust[row] > 0.0:
                    believed[lane] += share
        owner = np.repeat(np.arange(len(self.kind)), np.diff(self.link))
        for lane in range(n):
            for kind in (book.ENTRANCE, book.MIDDLE, book.ADVANCE):
                links = (self.lane_of == lane) & (self.kind[owner] == kind)
                sure = links & (self.trust[owner] > 0.0)
                seen = self.first[sure].sum()
                if seen == 0.0 or seen < MOST * self.first[links].sum():
                    continue
                self.sight[lane] = max(self.sight[lane], self.lag[sure].max())
                self.checked[lane] = max(self.checked[lane], float(kind == book.ADVANCE))
                self.sorted[lane] = max(self.sorted[lane], float(kind == book.MIDDLE))
        ahead = self.kind[owner] == book.ADVANCE
        lost = np.where(ahead, (told > self.told)[self.lane_of], (checked > self.checked)[self.lane_of])
        again = lost & np.isin(self.kind[owner], (book.MIDDLE, book.ENTRANCE, book.ADVANCE))
        self.share[again] = self.first[again]
        self.blind = (self.sight == 0.0) & (weight > 0.0)
        self.confidence = np.where(weight > 0.0, believed / np.where(weight > 0.0, weight, 1.0), 0.0)

    def _learn(self, counts: Counts) -> None:
        quick, slow = 1.0 / 12.0, 1.0 / 150.0
        self.past[self.seconds % PAST] = np.where(self.trust > 0, counts.vehicles, 0)
        due = self.past[(self.seconds - self.delay) % PAST, np.arange(len(self.delay))]
        self.seen += (due - self.seen) * np.where(self.kind == book.ADVANCE, slow, quick)
        self.arrived += (self.came - self.arrived) * quick
        self.served += (self.departed - self.served) * slow
        self.left += (self.departed - self.left) * quick
        for k, rows in enumerate(self.exit_loops):
            self.entered[k] += (counts.vehicles[rows].sum() - self.entered[k]) * quick
        error = np.zeros(max(len(self.site.lanes), len(self.site.exits)))
        if self.seconds % 10 == 0:
            watched = np.array(self._watched(), float)
            queues.learn_shares(
                self.left, self.entered, watched, self.turn_begin, self.turn_to, self.turn_share, 0, len(self.site.lanes), 0.03, error,
                True,
            )  # fmt: skip
            self._turning()
            seen = np.where(self.flow_time > 0, self.flow, 0.0)
            self.saturation = np.clip((self.assumed * PRIOR_FLOW + seen) / (PRIOR_FLOW + self.flow_time), 0.3, 0.65)
        if self.seconds % 3 == 0:
            for kind, target, sure in (
                (book.ENTRANCE, self.arrived, self.checked),
                (book.MIDDLE, self.arrived, self.checked),
                (book.ADVANCE, self.served, self.told),
            ):
                rows = np.flatnonzero(self.kind == kind)
                if len(rows):
                    queues.learn_shares(
                        self.seen, target, sure, self.link, self.lane_of, self.share, int(rows[0]), int(rows[-1]) + 1, 0.02, error,
                        False,
                    )  # fmt: skip
                if kind != book.ADVANCE:
                    for row in rows:
                        self._leave(slice(self.link[row], self.link[row + 1]))

    def _leave(self, links: slice) -> None:
        """What lanes that can be believed do not take of a loop's vehicles is left to the others."""
        sure = self.checked[self.lane_of[links]] > 0.0
        share, first = self.share[links], self.first[links]
        if not sure.all():
            left = max(first.sum() - share[sure].sum(), 0.0)
            share[~sure] = first[~sure] * left / first[~sure].sum()
