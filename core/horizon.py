"""The rolling-horizon search of one intersection: its site in the arrays the kernel works on, and what it found, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .backlog import Backlog
from .discharge import Discharge
from .heads import Heads
from .intersection import Intersection
from .kernels import search as labels
from .pockets import Pockets
from .shutin import ShutIn
from .stagetables import StageTables
from .state import TrafficState
from .weights import Weights

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

UNSEEN_GAPS = 0.7
"""Part of what the rule for gaps expects that is counted on where no loop sees who gets through."""

FREE = 0.9
"""Part of the gaps there would be if nobody came from which on whoever waits for them gets through."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the search found: the stage to ask for, its cost [veh s], and the cost of every first move tried (stage row, cost)."""

    stage: int
    cost: float
    costs: tuple[tuple[int, float], ...]
    course: tuple[tuple[int, int], ...]


class Horizon:
    """Search tables and work arrays of one intersection."""

    def __init__(self, site: Intersection, weights: Weights | None = None) -> None:
        self.site = site
        self.weights = w = weights or Weights()
        n_stages, n_lanes = len(site.stages), len(site.lanes)
        width = -(-max(n_lanes, 1) // labels.WIDTH) * labels.WIDTH
        self.n_lanes, self.width, self.n_stages = n_lanes, width, n_stages
        self.pockets, self._stages = Pockets(site, w.overflow, w.dammed), (t := StageTables(site))
        self.length, self.given, self.giver = t.length, t.given, t.giver
        self._shut_in = ShutIn(t.green, t.giving, t.length >= 0, t.freed_for)
        f32, i32, n_givers = np.float32, np.int32, len(t.giver)
        self.steady, self.waiting = np.zeros(n_givers, f32), np.zeros(n_givers, f32)
        self._gap, self._turning_across = np.zeros(n_givers), np.zeros(n_givers)
        self.against = np.zeros((n_givers, width), f32)
        self.discharge = Discharge(n_lanes, n_givers, w.start_up)
        self.backlog = Backlog(n_lanes)
        slots = w.horizon + 1
        spans = np.maximum(self.length, 0).ravel()
        self.begins = (n_stages + np.cumsum(spans) - spans).reshape(n_stages, n_stages).astype(i32)
        self.rates = np.zeros((n_stages + int(spans.sum()), width), f32)
        self.reach = np.zeros((n_stages, width), f32)
        self.clearing = np.zeros(width, f32)
        self.prices = np.array([w.stop, w.change, w.hopeless], f32)
        self.queue, self.opens, self.weight = np.zeros(width, f32), np.zeros(width, f32), np.zeros(width, f32)
        self.arrivals = np.zeros((w.horizon, width), f32)
        self.skip = np.zeros(n_stages, i32)
        shape = (slots, n_stages, w.beam)
        self.paid, self.bound = np.zeros(shape, f32), np.zeros(shape, f32)
        self.queues = np.zeros((*shape, width), f32)
        self.firsts, self.parents = np.zeros(shape, i32), np.zeros(shape, i32)
        self.held = np.zeros((slots, n_stages), i32)
        self.flow, self.line = np.zeros(width, f32), np.zeros(width, f32)
        self.best = np.zeros(n_stages, f32)
        self._withdrawn: list[tuple[int, F32]] = []
        self._heads = Heads(t.uses, t.free)
        self._inside, self._room_inside = np.zeros(n_lanes), np.array([lane.inside for lane in site.lanes])
        self._into = [
            np.concatenate(
                [[s], *(self.begins[a, s] + np.arange(max(self.length[a, s], 0)) for a in range(n_stages))]
            ).astype(int)
            for s in range(n_stages)
        ]
        self._left = np.zeros((w.horizon, width), f32)
        self._last: tuple[int, int, list[tuple[int, int]]] = (-1, 0, [(0, 0)])

    def watch(self, state: TrafficState) -> None:
        """One more second of how queues set off: every second, whoever decides."""
        stage, n = max(state.stage, 0), self.n_lanes
        self.backlog.second(state)
        self.pockets.second(state.queue)
        self._heads.second(stage, state.stalled)
        rows = slice(int(self.given[stage]), int(self.given[stage + 1]))
        flow = np.minimum(self.rates[stage, :n], state.queue + state.departed)
        chance = self._chance(rows, flow)
        across = self._turning_across[rows]
        crossed, stuck = state.crossed[self.giver[rows]], state.stuck[self.giver[rows]] > 0.0
        gave_way = crossed * across * (1.0 - chance)
        through = np.where(stuck, 0.0, chance * across / np.maximum(self._gap[rows], 1e-3))
        most = self._waiting_inside(rows, crossed, stuck, chance)
        self._shut_in.second(stage, float(gave_way.sum()), float(through.sum()), int(np.count_nonzero(stuck)), most)
        expected = 1.0 / np.maximum(self.steady[rows] + self._gap[rows] / chance, 1.0)
        self.discharge.update(state, self.giver[rows], np.arange(rows.start, rows.stop), expected)

    def _waiting_inside(self, rows: slice, crossed: F64, stuck: npt.NDArray[np.bool_], chance: F64) -> float:
        """How many may wait on the junction for others, at most: who went onto it from lanes of which some must, as far as there is room,
        and who stands half over the stop line behind them. When nobody comes against them they go on as they do on a green."""
        lanes, inside = self.giver[rows], np.zeros(self.n_lanes)
        off = np.where((chance < FREE) | stuck, 0.0, 1.0 / np.maximum(self._gap[rows], 1e-3))
        onto = np.where(self._turning_across[rows] > 0.0, crossed, 0.0)
        inside[lanes] = np.minimum(np.maximum(self._inside[lanes] - off, 0.0) + onto, self._room_inside[lanes])
        self._inside = inside
        return float((inside[lanes] + stuck).sum())

    def going(self, stage: int, waits: F64, coming: F64) -> F64:
        """(n_lanes,) [veh/s] that a stage lets through, where somebody waits in each lane with the chance `waits`, and so many come."""
        n = self.n_lanes
        rate = self.rates[stage, :n].astype(float)
        rows = slice(int(self.given[stage]), int(self.given[stage + 1]))
        flow = np.minimum(rate, rate * waits + coming * (1.0 - waits))
        slow = 1.0 / np.maximum(self.steady[rows] + self.waiting[rows] / self._chance(rows, flow), 1.0)
        rate[self.giver[rows]] = np.minimum(rate[self.giver[rows]], slow)
        return rate

    def _chance(self, rows: slice, flow: F64) -> F64:
        """(n,) how many of the gaps there would be if nobody came against these lanes, when `flow` (n_lanes,) [veh/s] does."""
        facing = self.against[rows, : self.n_lanes] @ flow
        return np.maximum(1.0 - facing / self.weights.hopeless, labels.LEAST_CHANCE)

    def distrust(self, lanes: npt.NDArray[np.bool_]) -> None:
        """Count on few gaps for these lanes (n_lanes,) where another stage lets them go freely, until their loops show some."""
        self.discharge.through[(lanes & self._stages.set_free)[self.giver]] = UNSEEN_GAPS

    def learn(self, state: TrafficState) -> None:
        """Take over turning shares and saturation flows; a slow loop, every few seconds is enough."""
        w, n = self.weights, self.n_lanes
        share = np.where(self._stages.uses, state.turning, 0.0)
        total = share.sum(axis=1, keepdims=True)
        share = np.where(
            total > 0,
            share / np.where(total > 0, total, 1.0),
            self._stages.uses / np.maximum(self._stages.uses.sum(axis=1, keepdims=True), 1),
        )
        headway = 1.0 / np.maximum(state.saturation, 0.1)
        served = np.zeros((self.n_stages, n), dtype=bool)
        for s in range(self.n_stages):
            green = self._stages.green[s][self._stages.group_of]
            free = np.where(green[None, :], share, 0.0).sum(axis=1)
            stuck = 1.0 - free
            per = headway * free + np.where(stuck > 0.02, stuck * w.blocked, 0.0)
            served[s] = free > 0.02
            self.rates[s, :n] = np.where(served[s], 1.0 / np.maximum(per, 1e-3), 0.0)
            k = int(self.given[s])
            across = np.zeros(n)
            for lane, m, _ in self._stages.gives[s]:
                across[lane] += share[lane, m]
            waits = across * headway
            for lane in sorted({lane for lane, _, _ in self._stages.gives[s]}):
                self._gap[k], self._turning_across[k] = waits[lane], across[lane]
                self.waiting[k] = waits[lane] / self.discharge.through[k]
                self.steady[k] = max(per[lane] - waits[lane], 0.0) if served[s, lane] else 50.0
                facing_all = {f for other, _, facing in self._stages.gives[s] if other == lane for f in facing}
                self.against[k, :n] = share[:, sorted(facing_all)].sum(axis=1)
                self.against[k, lane] = 0.0
                k += 1
        self._changes(share, served)
        for s in range(self.n_stages):
            nearest = np.full(n, 1e9)
            for to in range(self.n_stages):
                if self.length[s, to] >= 0:
                    first = np.where(served[to], self._lane_start[s, to, :n], 1e9)
                    nearest = np.minimum(nearest, first)
            self.reach[s, :n] = np.where(
                served[s], 0.0, np.where(nearest < 1e8, nearest + self.discharge.lost + w.reach, 30.0)
            )
        self.clearing[:n] = 0.5 * headway * w.clearing

    def _changes(self, share: npt.NDArray[np.float64], served: npt.NDArray[np.bool_]) -> None:
        w, n = self.weights, self.n_lanes
        lost = self.discharge.lost
        self._lane_start = np.zeros((self.n_stages, self.n_stages, self.width))
        leaving = self.rates[: self.n_stages, :n].copy()  # who gives way hardly gets through while a green is kept
        for s in range(self.n_stages):
            for k in range(self.given[s], self.given[s + 1]):
                if self.against[k].any():
                    few = 1.0 / (self.steady[k] + self.waiting[k] / w.squeeze)
                    leaving[s, self.giver[k]] = min(few, leaving[s, self.giver[k]])
        used = share > 0.02
        for a, b, starts, keeping, freed in self._stages.changes:
            start = np.where(used, starts, 0.0).max(axis=1, initial=0.0)
            kept_for = np.where(used, keeping, np.inf).min(axis=1, initial=np.inf)
            kept_for[np.isinf(kept_for)] = 0.0
            runs_on = served[a] & served[b]
            begins = served[b] & ~served[a]
            ends = served[a] & ~served[b]
            self._lane_start[a, b, :n] = np.where(begins, start, 0)
            here, there = self.rates[a, :n], self.rates[b, :n]
            second = np.arange(int(self.length[a, b]))[:, None]
            rows = np.where(runs_on, np.where(second < 3, np.minimum(here, there), there), 0.0)
            free = np.where(used, freed, 0.0).max(axis=1, initial=0.0)
            hindered = _share(free - second)
            rows = np.where(runs_on & (free > 0.0), leaving[a] * hindered + there * (1.0 - hindered), rows)
            rows = np.where(begins, there * _share(second + 1 - (start + lost)), rows)
            kept, on = _share(kept_for - second), _share(w.overrun + kept_for - second)
            rows = np.where(ends, leaving[a] * kept + here * (on - kept), rows)
            self.rates[self.begins[a, b] : self.begins[a, b] + len(second), :n] = rows

    def decide(
        self,
        state: TrafficState,
        before: int = -1,
        gone: int = 0,
        told: npt.NDArray[np.float64] | None = None,
        closed: npt.NDArray[np.float64] | None = None,
    ) -> Decision:
        """Search from `state`; with `before` >= 0 the stage is still being changed to, since `gone` seconds.

        `told` (n_lanes, horizon) is to be added to the arrivals the state expects, `closed` (n_lanes,) [s] as in the state, further.
        """
        w, n = self.weights, self.n_lanes
        self.queue[:n] = state.queue
        seen = min(state.arrivals.shape[1], w.horizon)
        self.arrivals[:seen, :n] = state.arrivals[:, :seen].T
        for lane, column in self._withdrawn:
            self.rates[:, lane] = column
        self._withdrawn.clear()
        if told is not None:
            self.arrivals[:, :n] = np.maximum(self.arrivals[:, :n] + told[:, : w.horizon].T, 0.0)
        self.opens[:n] = state.closed if len(state.closed) else 0.0
        self._release(state)
        if closed is not None:
            self.opens[:n] = np.maximum(self.opens[:n], closed)
        late = (self._stages.lane_groups * state.red).max(axis=1) - w.patience
        self.weight[:n] = 1.0 + w.impatience * np.clip(late / w.patience, 0.0, 3.0)
        self.weight[:n] *= self.pockets.damming(state.queue, state.arrivals[:, -1])
        self.prices[labels.CHANGE] = w.change + self.backlog.toll
        soon = self.queue[:n] + self.arrivals[:25, :n].sum(axis=0)
        served = self.rates[: self.n_stages, :n] > 0
        self.skip[:] = [0 if (soon[served[s]] > 0.2).any() else 1 for s in range(self.n_stages)]
        stage = max(state.stage, 0)
        self._shut_in.forbid(state, self.skip)
        code = labels.search(
            stage, before, gone, w.fine, w.most, self.queue, self.arrivals, self.opens, self.weight, self.rates, self.length, self.begins,
            self.given, self.giver, self.steady, self.waiting, self.against, self.reach, self.clearing, self.prices, self.skip,
            self.paid, self.bound, self.queues, self.firsts, self.parents, self.held, self.flow, self.line, self.best,
        )  # fmt: skip
        slot, s, b = self._place(code)
        course: list[tuple[int, int]] = []
        while code >= 0:
            at, s_, b_ = self._place(code)
            course.append((at, s_))
            code = int(self.parents[at, s_, b_])
        course.reverse()
        self._last = (before, gone, course)
        return Decision(
            int(self.firsts[slot, s, b]), float(self.bound[slot, s, b]),
            tuple((k, float(c)) for k, c in enumerate(self.best) if c < 1e29), tuple(course),
        )  # fmt: skip

    def _release(self, state: TrafficState) -> None:
        """A lane that stalls has a vehicle at its head that must give way here, or is not green: other stages may let it go, and only
        these. One that stalls where nobody hinders it is blocked, whatever the stage."""
        if not len(state.stalled):
            return
        for lane in np.flatnonzero((state.stalled > 0.0) & (state.closed <= state.stalled)):
            lets_go = self._heads.lets_go(int(lane))
            if lets_go.any():
                self._withdrawn.append((int(lane), self.rates[:, lane].copy()))
                for stage in np.flatnonzero(~lets_go & (self.rates[: self.n_stages, lane] > 0.0)):
                    self.rates[self._into[stage], lane] = 0.0
                self.opens[lane] = 0.0

    def outflow(self) -> F32:
        """(horizon, n_lanes) vehicles that leave each lane in each second of the course decided on."""
        before, gone, course = self._last
        slots, stages = (
            np.array([slot for slot, _ in course], np.int32),
            np.array([stage for _, stage in course], np.int32),
        )
        labels.replay(
            slots, stages, before, gone, self.queue, self.arrivals, self.opens, self.weight, self.rates, self.begins, self.given,
            self.giver, self.steady, self.waiting, self.against, self.prices, self.flow, self.line, self._left,
        )  # fmt: skip
        return self._left[:, : self.n_lanes]

    def _place(self, code: int) -> tuple[int, int, int]:
        beam = self.weights.beam
        return code // (self.n_stages * beam), code // beam % self.n_stages, code % beam


def _share(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How much of a second falls into it."""
    return np.minimum(np.maximum(seconds, 0.0), 1.0)
