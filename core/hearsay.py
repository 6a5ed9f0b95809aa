"""What a junction whose own loops are dead knows from the letters of its neighbours: who comes, who left, and so who waits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .coverage import SPEED_KEPT, coverage_of
from .forecast import Forecast
from .neighbours import RING, Neighbours, usual
from .state import TrafficState

Floats = npt.NDArray[np.float64]

RECENT = 30.0
"""Seconds for which a letter is worth something."""
UNSEEN, PROOF = 20.0, 2.0
"""Seconds without a vehicle at any loop, and vehicles that come out of the junction in the middle of them, after which loops are dead."""
WINDOW = 6
"""Seconds of discharge that are judged together."""
WATCHED = 0.5
"""Share of a lane's traffic that must leave by exits where a neighbour counts for the lane to be judged by it."""
JUDGED = 1.5
"""Vehicles that should have come in them for that."""
CEASED, SATURATED = 0.3, 0.75
"""Shares of what was expected, and of what the green lets through, under which a queue is over, and above which it is not."""
MORE = 4.0
"""Vehicles that wait at least where a queue still discharges."""
UNEXPECTED = 0.2
"""Part of a green's capacity that may be used although nobody is believed to wait."""
ASSUMED, LEAST = 0.05, 0.01
"""[veh/s] that come by each lane as long as nothing is learnt, and at least."""
SUPPRESSED = 1.5
"""How many times what leaves comes, where a green ends before its queue does and no neighbour tells of who comes."""
MEMORY = 300.0
"""Seconds the mean flow of a lane is taken over."""


class Hearsay:
    """Queues and arrivals of one intersection from letters alone; `second` once a second, then `state`.

    queue  (n_lanes,) [veh] waiting, by what came, what was expected to leave, and whether it did
    flow   (n_lanes,) [veh/s] mean of what leaves; an arm's traffic is spread over its lanes by it
    """

    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours, self.site = neighbours, neighbours.site
        n = len(self.site.lanes)
        self.queue, self.flow, self.watched = np.zeros(n), np.zeros(n), np.zeros(n)
        self._arrivals, self._sight = np.zeros((n, 0)), np.zeros(n)
        self._planned, self._able = np.zeros((RING, n)), np.zeros((RING, n))
        self._came = np.zeros((RING, len(self.site.exits)))
        self._late = np.zeros(len(self.site.exits), dtype=int)
        self._across = coverage_of(self.site).across
        self._behind = {d.exit: d.position for d in self.site.detectors if d.exit is not None}
        self._exit_row = {way.name: k for k, way in enumerate(self.site.exits)}
        self._heard, self._now = np.full(len(self.site.exits), -np.inf), -np.inf

    def hear(self, forecasts: tuple[Forecast, ...]) -> None:
        """Keep what neighbours downstream counted, by the second in which it left the stop lines here."""
        for f in forecasts:
            if f.came is None or (k := self._exit_row.get(f.exit)) is None:
                continue
            further = f.along - self._behind.get(f.exit, 0.0)
            speed = SPEED_KEPT * max(self.site.exits[k].speed, 1.0)
            self._late[k] = late = round(self._across[k] + max(further, 0.0) / speed)
            left = round(f.time) - late
            if f.time - self._heard[k] > 1.0:
                self._came[:, k] = 0.0
            self._came[left % RING, k] = f.came
            self._heard[k] = f.time

    def known(self, state: TrafficState) -> bool:
        """Whether neighbours tell of every lane: who comes by it, or who of it came out. Of one they do not nobody would know its queue."""
        told = state.turning @ self.neighbours.ways[:, self._heard >= state.time - RECENT].sum(axis=1) > WATCHED
        for (_, exit_), until in self.neighbours.until.items():
            if until >= state.time:
                told[list(self.neighbours.arms[exit_])] = True
        return bool(told.all())

    def contradicts(self, state: TrafficState) -> bool:
        """Whether vehicles came out of the junction of which its own loops saw nothing go in."""
        fresh = np.flatnonzero(self._heard >= state.time - WINDOW)
        rows = round(state.time) - 1 - self._late[fresh] - np.arange(int(UNSEEN) // 2)[:, None]
        return bool(self._came[rows % RING, fresh].sum() >= PROOF)

    def second(self, state: TrafficState) -> None:
        """One more second, whatever is shown."""
        now = round(state.time)
        if now - self._now > 1:
            self._begin(state)
        self._now = now
        green = np.where(state.greened > 2.0, state.saturation, 0.0) if len(state.greened) else 0.0
        self._able[now % RING] = green
        arriving = self._arrivals[:, 0] if self._arrivals.shape[1] else 0.0
        self.queue = np.maximum(self.queue + arriving - self._planned[now % RING], 0.0)
        self._judge(state, now)
        self._expect(state, now)

    def _begin(self, state: TrafficState) -> None:
        self.queue = state.queue.copy()
        self.flow = np.maximum(state.arrivals[:, -1], ASSUMED)
        self._arrivals = np.zeros((len(self.queue), 0))
        self._planned[:], self._able[:] = 0.0, 0.0

    def _judge(self, state: TrafficState, now: int) -> None:
        """Attribute what was counted downstream to the lanes that could send it, and correct their queues by it."""
        ways = state.turning @ self.neighbours.ways
        n = len(self.queue)
        left, planned, able, watched = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        green = np.zeros(n, dtype=np.bool_)
        for k in np.flatnonzero(self._heard >= now - WINDOW):
            rows = (now - 1 - self._late[k] - np.arange(WINDOW)) % RING
            plan, most = self._planned[rows].sum(axis=0) * ways[:, k], self._able[rows].sum(axis=0) * ways[:, k]
            weight = plan + UNEXPECTED * most
            if (total := weight.sum()) > 0.0:
                left += self._came[rows, k].sum() * weight / total
            planned += plan
            able += most
            watched += ways[:, k]
            green |= self._able[rows[0]] * ways[:, k] > 0.0
        self.watched = watched
        self.queue[green & (planned >= JUDGED) & (left < CEASED * planned)] = 0.0
        held = green & (able >= JUDGED) & (left >= SATURATED * able)
        self.queue[held] = np.maximum(self.queue[held], MORE)
        arms = self._arms(now)
        for lanes in arms:
            held[list(lanes)] = False
        self._learn(left * np.where(held, SUPPRESSED, 1.0), arms, now)

    def _learn(self, left: Floats, arms: dict[tuple[int, ...], list[tuple[str, str]]], now: int) -> None:
        """Mean flows: of lanes whose exits are watched by what left them, of the others of an arm by what else came into it."""
        target, seen = self.flow.copy(), self.watched > WATCHED
        target[seen] = left[seen] / self.watched[seen] / WINDOW
        for lanes, rings in arms.items():
            unseen = [lane for lane in lanes if not seen[lane]]
            if unseen:
                lag = self.neighbours.arms[rings[0][1]]
                came = sum(self.neighbours.rings[key][(now - round(lag[unseen[0]])) % RING] for key in rings)
                target[unseen] = (came - sum(self.flow[lane] for lane in lanes if seen[lane])) / len(unseen)
        self.flow = np.maximum(self.flow + (target - self.flow) / MEMORY, LEAST)

    def _arms(self, now: int) -> dict[tuple[int, ...], list[tuple[str, str]]]:
        """By the lanes they lead to, the stretches whose traffic neighbours tell of now."""
        found: dict[tuple[int, ...], list[tuple[str, str]]] = {}
        for key, until in self.neighbours.until.items():
            if until < now:
                continue
            found.setdefault(tuple(sorted(self.neighbours.arms[key[1]])), []).append(key)
        return found

    def _expect(self, state: TrafficState, now: int) -> None:
        """What comes by each lane: what the neighbours upstream said in place of their usual part of the mean."""
        horizon = state.arrivals.shape[1]
        self._arrivals = np.repeat(self.flow[:, None], horizon, axis=1)
        self._sight = np.zeros(len(self.flow))
        for key, until in self.neighbours.until.items():
            lanes, ring = self.neighbours.arms[key[1]], self.neighbours.rings[key]
            whole = self.flow[list(lanes)].sum()
            known = min(usual(ring, now) / whole, 1.0)
            for lane, lag in lanes.items():
                last = min(horizon, round(until - now + lag))
                if last <= 0:
                    continue
                coming = ring[(now + np.arange(last) - round(lag)) % RING]
                self._arrivals[lane, :last] += (coming / whole - known) * self.flow[lane]
                self._sight[lane] = max(self._sight[lane], lag)
        np.maximum(self._arrivals, 0.0, out=self._arrivals)

    def state(self, state: TrafficState) -> TrafficState:
        """The state with what is known from hearsay in place of what loops say."""
        return replace(state, queue=self.queue, arrivals=self._arrivals, sight=self._sight)

    def plan(self, now: float, outflow: npt.NDArray[np.float32]) -> None:
        """Keep what should leave, (horizon, n_lanes) from the coming second on."""
        rows = (round(now) + 1 + np.arange(len(outflow))) % RING
        self._planned[rows] = outflow
