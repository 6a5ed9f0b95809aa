"""What a junction whose own loops are dead knows from the letters of its neighbours: who comes, who left, and so who waits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .coverage import CROSSING_SPEED, UPSTREAM
from .forecast import Forecast
from .intersection import Intersection
from .neighbours import RING, Neighbours, usual
from .state import TrafficState
from .unseen import UnseenQueues

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int_]

RECENT, FRESH = 30.0, 6
"""Seconds for which a letter is worth something at all, and for which a neighbour who counts may be silent."""
UNSEEN, PROOF = 20.0, 2.0
"""Seconds without a vehicle at any loop, and vehicles that come out of the junction in the middle of them, after which loops are dead."""
MOSTLY = 0.6
"""Share of the lanes that neighbours must tell of: what is assumed of the others costs less than to serve all stages in turn."""
WATCHED = 0.7
"""Share of a lane's traffic that must leave by exits where a neighbour counts for the lane to be judged by it."""
SETTING_OFF, START, AROUND = 0.5, 2.0, 4
"""Seconds lost on the way over the junction, by those who start and those who roll; seconds of a green until the first is counted; and
seconds after it until the last is."""
HEADWAY = 2.0
"""Seconds of green, after it began or after the last who left, in which nobody is missed yet."""
SOONEST, UNLIKELY = 0.9, 1e-4
"""Chance at most that somebody leaves in a second; and that he does of a lane he can hardly have come from."""
ASSUMED, LEAST = 0.05, 0.01
"""[veh/s] that come by each lane as long as nothing is learnt, and at least."""
MEMORY, BALANCED = 300.0, 10.0
"""Seconds the mean flow of a lane is taken over; and over which it is brought in line with what comes onto its arm."""
UNKNOWN_WIDTH = 30.0
"""Metres over a junction that nothing tells of."""


class Hearsay:
    """Queues and arrivals of one intersection from letters alone; `second` once a second, then `state`.

    queue    (n_lanes,) [veh] waiting, in the mean of all that is possible, see UnseenQueues
    waits    (n_lanes,) the chance that anybody does
    flow     (n_lanes,) [veh/s] mean of what comes; an arm's traffic is spread over its lanes by it
    watched  (n_lanes,) share of what leaves that a neighbour counts
    """

    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours, self.site = neighbours, neighbours.site
        n = len(self.site.lanes)
        self.queue, self.waits, self.flow, self.watched = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        self._then, self._delay = UnseenQueues(self.queue), 0
        self._quiet = np.zeros(n)
        self._coming, self._sight = np.full((n, neighbours.horizon), ASSUMED), np.zeros(n)
        self._rate, self._green = np.zeros((RING, n)), np.zeros((RING, n), dtype=np.bool_)
        self._gates, self._leads, self._across = _gates(self.site)
        self._roads = _roads(self.site)
        self._came = np.zeros((RING, len(self._gates)))
        self._late = np.zeros(len(self._gates), dtype=int)
        self._heard, self._now = np.full(len(self._gates), -np.inf), -np.inf

    @property
    def coming(self) -> Floats:
        """(n_lanes,) [veh] that come in this second."""
        return self._coming[:, self._delay]

    def hear(self, forecasts: tuple[Forecast, ...]) -> None:
        """Keep what neighbours downstream counted, by the second in which it left the stop lines here."""
        for f in forecasts:
            if f.came is None:
                continue
            for lane, came in zip(f.lanes, f.came, strict=True):
                k = self._gates.get((f.exit, lane), self._gates.get((f.exit, ""), -1))
                if k < 0:
                    continue
                late = round(SETTING_OFF + (self._across[k] + f.along) / CROSSING_SPEED)
                if f.time - self._heard[k] > 1.0:
                    self._came[:, k] = 0.0
                place = (round(f.time) - late) % RING
                self._came[place, k] = came if f.time > self._heard[k] else self._came[place, k] + came
                self._heard[k], self._late[k] = f.time, late

    def known(self, state: TrafficState) -> bool:
        """Whether neighbours tell of most lanes: who comes by them, or who of them came out."""
        told = self._ways(state)[:, self._heard >= state.time - RECENT].sum(axis=1) > WATCHED
        for lanes in self._arms(state.time):
            told[list(lanes)] = True
        return bool(told.mean() >= MOSTLY)

    def contradicts(self, state: TrafficState) -> bool:
        """Whether vehicles came out of the junction of which its own loops saw nothing go in."""
        fresh = np.flatnonzero(self._heard >= state.time - FRESH)
        rows = round(state.time) - 1 - self._late[fresh] - np.arange(int(UNSEEN) // 2)[:, None]
        return bool(self._came[rows % RING, fresh].sum() >= PROOF)

    def second(self, state: TrafficState, rate: Floats) -> None:
        """One more second, whatever is shown; lanes that are green let through `rate` (n_lanes,) [veh/s]."""
        now = round(state.time)
        if now - self._now > 1:
            self._begin(state)
        self._now = now
        greened = state.greened if len(state.greened) else np.zeros_like(rate)
        self._green[now % RING] = greened > 0.0
        self._rate[now % RING] = np.where(greened > START, np.minimum(rate, SOONEST), 0.0)
        fresh = np.flatnonzero(self._heard >= now - FRESH)
        ways = self._ways(state)[:, fresh]
        self.watched = np.minimum(ways.sum(axis=1), 1.0)
        self._delay = int(self._late[fresh].max(initial=0)) + 1
        self._expect(state, now)
        self._judge(now - self._delay, fresh, ways)
        queues = self._then.copy()
        for k in range(1, self._delay + 1):
            queues.come(self._coming[:, k])
            queues.leave(self._rate[(now - self._delay + k) % RING])
        self.queue, self.waits = queues.mean, queues.waits

    def _begin(self, state: TrafficState) -> None:
        self._then = UnseenQueues(state.queue)
        self.flow = np.maximum(state.arrivals[:, -1], ASSUMED)
        self._rate[:], self._green[:] = 0.0, False

    def _judge(self, then: int, fresh: Rows, ways: Floats) -> None:
        """Bring the queues up to the second `then`, of which all has been counted that the gates `fresh` will count."""
        queues, rate, coming = self._then, self._rate[then % RING], self._coming[:, 0]
        before = queues.mean
        queues.doubt(np.where(rate > 0.0, self.watched, 0.0))
        queues.come(coming)
        could = self._green[(then + np.arange(-AROUND, 2)) % RING].any(axis=0)
        may = np.where(could, rate * queues.waits + coming, 0.0) + UNLIKELY
        left, missed = np.zeros_like(rate), np.zeros_like(rate)
        for k, way in zip(fresh, ways.T, strict=True):
            count = round(self._came[then % RING, k])
            if count == 0:
                missed += rate * way
            elif way.any():
                whose = way * may / (way * may).sum()
                left += whose * count
                for _ in range(count):
                    queues.one_left(whose, rate, coming)
        self._quiet = np.where(self._green[then % RING] & (left < 0.5), self._quiet + 1.0, 0.0)
        queues.nobody_left(np.where(self._quiet > HEADWAY, np.minimum(missed, SOONEST), 0.0))
        queues.leave(rate * (1.0 - self.watched))
        self._learn(left + queues.mean - before, then)

    def _learn(self, came: Floats, then: int) -> None:
        """Mean flows: of lanes whose exits are watched by who `came` (n_lanes,), left or waiting, of the others of an arm by who else came
        onto it; and those of an arm all of whose traffic is told of, together, by what is told."""
        seen, arms = self.watched > WATCHED, self._arms(then)
        target = np.where(seen, came / np.maximum(self.watched, WATCHED), self.flow)
        for lanes, keys in arms.items():
            unseen = [lane for lane in lanes if not seen[lane]]
            if unseen:
                lag = round(self.neighbours.arms[keys[0][1]][unseen[0]])
                told = sum(self.neighbours.rings[key][(then - lag) % RING] for key in keys)
                target[unseen] = (told - sum(self.flow[lane] for lane in lanes if seen[lane])) / len(unseen)
        self.flow = np.maximum(self.flow + (target - self.flow) / MEMORY, LEAST)
        for lanes, keys in arms.items():
            if all(self._roads[lane] <= {exit_ for _, exit_ in keys} for lane in lanes):
                row = list(lanes)
                whole = max(sum(usual(self.neighbours.rings[key], then) for key in keys), LEAST)
                self.flow[row] *= (whole / self.flow[row].sum()) ** (1.0 / BALANCED)

    def _arms(self, now: float) -> dict[tuple[int, ...], list[tuple[str, str]]]:
        """By the lanes they lead to, the stretches whose traffic neighbours tell of now."""
        found: dict[tuple[int, ...], list[tuple[str, str]]] = {}
        for key, until in self.neighbours.until.items():
            if until >= now:
                found.setdefault(tuple(sorted(self.neighbours.arms[key[1]])), []).append(key)
        return found

    def _ways(self, state: TrafficState) -> Floats:
        """(n_lanes, n_gates) share of each lane's traffic that passes each gate."""
        return np.asarray(np.einsum("lm,lmg->lg", state.turning, self._leads))

    def _expect(self, state: TrafficState, now: int) -> None:
        """What comes by each lane, from `_delay` seconds ago on: what neighbours upstream told in place of their usual part of the mean."""
        ahead = np.arange(-self._delay, state.arrivals.shape[1])
        self._coming = np.repeat(self.flow[:, None], len(ahead), axis=1)
        self._sight = np.zeros(len(self.flow))
        for key, until in self.neighbours.until.items():
            lanes, ring = self.neighbours.arms[key[1]], self.neighbours.rings[key]
            whole = self.flow[list(lanes)].sum()
            known = min(usual(ring, now) / whole, 1.0)
            for lane, lag in lanes.items():
                told = ahead[ahead < round(until - now + lag)]
                if len(told):
                    coming = ring[(now + told - round(lag)) % RING]
                    self._coming[lane, : len(told)] += (coming / whole - known) * self.flow[lane]
                    self._sight[lane] = max(self._sight[lane], lag)
        np.maximum(self._coming, 0.0, out=self._coming)

    def state(self, state: TrafficState) -> TrafficState:
        """The state with what is known from hearsay in place of what loops say."""
        return replace(state, queue=self.queue, arrivals=self._coming[:, self._delay :], sight=self._sight)


def _roads(site: Intersection) -> list[set[str]]:
    """By lane, the road edges with loops by which its traffic comes, but for its own; that where there is no other."""
    found: list[set[str]] = [set() for _ in site.lanes]
    for row, lane in enumerate(site.lanes):
        for d in site.detectors:
            if d.kind in UPSTREAM and lane.name in d.lanes:
                found[row].add(d.lane.rsplit("_", 1)[0])
        own = {lane.name.rsplit("_", 1)[0]}
        found[row] = found[row] - own or own
    return found


def _gates(site: Intersection) -> tuple[dict[tuple[str, str], int], Floats, Floats]:
    """Where a neighbour may count who came out of the junction.

    The rows of these gates by exit and lane, all lanes of an exit together ("") where nothing says who comes onto which; (n_lanes,
    n_movements, n_gates) which part of a lane's movement passes each; (n_gates,) [m] over the junction.
    """
    feeders = {(d.exit, d.lane): d.feeders for d in site.detectors if d.exit is not None and d.feeders}
    apart = {exit_ for exit_, _ in feeders}
    gates = [*feeders, *((way.name, "") for way in site.exits if way.name not in apart)]
    leads = np.zeros((len(site.lanes), len(site.movements), len(gates)))
    for k, lane in enumerate(site.lanes):
        for m, move in enumerate(site.movements):
            if lane.name in move.lanes:
                passes = [e == move.destination and lane.name in feeders.get((e, at), (lane.name,)) for e, at in gates]
                leads[k, m] = np.array(passes) / max(sum(passes), 1)
    across = [
        max(
            (-d.distance - d.position for d in site.detectors if d.exit == e and at in ("", d.lane)),
            default=UNKNOWN_WIDTH,
        )
        for e, at in gates
    ]
    return {gate: g for g, gate in enumerate(gates)}, leads, np.array(across)
