"""The plain twins of the search kernel: the same rules with lists and names, and the search of every course there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Problem:
    """One junction for the search, in plain lists; names as in core.kernels.search."""

    queue: list[float]
    arrivals: list[list[float]]
    opens: list[float]
    weight: list[float]
    rates: list[list[float]]
    length: list[list[int]]
    begins: list[list[int]]
    gives: list[list[tuple[int, float, float, list[float]]]]
    reach: list[list[float]]
    clearing: list[float]
    stop: float
    change: float
    hopeless: float
    skip: list[int]

    @property
    def horizon(self) -> int:
        return len(self.arrivals)

    @property
    def stages(self) -> int:
        return len(self.length)


@dataclass
class Label:
    paid: float
    due: float
    queue: list[float]
    first: int


def pass_second(p: Problem, t: int, row: int, stage: int, queue: list[float]) -> tuple[float, list[float]]:
    """One second: what it costs, and the queues after it."""
    cost, after, out = 0.0, [], []
    for lane, stands in enumerate(queue):
        stands += p.arrivals[t][lane]
        leaves = min(stands, p.rates[row][lane]) if p.opens[lane] <= t else 0.0
        after.append(stands - leaves)
        out.append(leaves)
        cost += p.weight[lane] * (after[-1] + p.stop * min(p.arrivals[t][lane], after[-1]))
    for lane, steady, waiting, against in p.gives[stage]:
        if out[lane] > 0:
            facing = sum(a * o for a, o in zip(against, out, strict=True))
            can = 1.0 / (steady + waiting / max(1.0 - facing / p.hopeless, 0.03))
            if can < out[lane]:
                cost += p.weight[lane] * (out[lane] - can)
                after[lane] += out[lane] - can
                out[lane] = can
    return cost, after


def pass_change(p: Problem, t: int, a: int, b: int, queue: list[float]) -> tuple[float, list[float], int]:
    """A change of stage from second t on, cut off at the horizon."""
    cost, until = p.change, min(t + p.length[a][b], p.horizon)
    for k in range(until - t):
        paid, queue = pass_second(p, t + k, p.begins[a][b] + k, b, queue)
        cost += paid
    return cost, queue, until


def late(p: Problem, t: int, a: int, b: int, queue: list[float]) -> float:
    """What waiting costs while a change begun at second t ends behind the horizon."""
    return max(t + p.length[a][b] - p.horizon, 0) * sum(w * q for w, q in zip(p.weight, queue, strict=True))


def remainder(p: Problem, stage: int, queue: list[float]) -> float:
    return sum(
        p.weight[lane] * stands * (p.reach[stage][lane] + p.clearing[lane] * stands)
        for lane, stands in enumerate(queue)
    )


def every_course(p: Problem, stage: int, t: int = 0, queue: list[float] | None = None) -> float:
    """The least cost there is: every hold and every change at every second."""
    queue = p.queue if queue is None else queue
    if t >= p.horizon:
        return remainder(p, stage, queue)
    paid, after = pass_second(p, t, stage, stage, queue)
    best = paid + every_course(p, stage, t + 1, after)
    for to in range(p.stages):
        if to != stage and p.length[stage][to] >= 0:
            paid, after, until = pass_change(p, t, stage, to, queue)
            paid += late(p, t, stage, to, after)
            best = min(best, paid + every_course(p, to, until, after))
    return best


def search(p: Problem, stage: int, fine: int, most: int, beam: int) -> tuple[float, int]:
    """The label search: its best cost and first move."""
    labels: dict[tuple[int, int], list[Label]] = {}

    def keep(t: int, s: int, label: Label) -> None:
        held = labels.setdefault((t, s), [])
        if len(held) < beam:
            held.append(label)
        else:
            worst = max(range(beam), key=lambda k: (held[k].due, -k))
            if label.due < held[worst].due:
                held[worst] = label

    keep(0, stage, Label(0.0, remainder(p, stage, p.queue), p.queue, stage))
    for t in range(p.horizon):
        grain = 1 if t < fine else (2 if t < 3 * fine else 4)
        step = min(grain - t % grain, p.horizon - t)
        dues = sorted({label.due for s in range(p.stages) for label in labels.get((t, s), [])})
        limit = dues[most - 1] if len(dues) >= most else float("inf")
        for s in range(p.stages):
            for label in list(labels.get((t, s), [])):
                if label.due > limit:
                    continue
                if t == 0 or t % grain == 0:
                    for to in range(p.stages):
                        barred = p.skip[to] == 1 or (t == 0 and p.skip[to] == 2)
                        if to == s or p.length[s][to] < 0 or barred:
                            continue
                        paid, queue, until = pass_change(p, t, s, to, label.queue)
                        paid += label.paid
                        due = paid + remainder(p, to, queue) + late(p, t, s, to, queue)
                        keep(until, to, Label(paid, due, queue, to if t == 0 else label.first))
                paid, queue = label.paid, label.queue
                for k in range(step):
                    cost, queue = pass_second(p, t + k, s, s, queue)
                    paid += cost
                keep(t + step, s, Label(paid, paid + remainder(p, s, queue), queue, label.first))
    last = [label for s in range(p.stages) for label in labels.get((p.horizon, s), [])]
    best = min(last, key=lambda label: label.due)
    return best.due, best.first


def random_problem(rng: Any, stages: int, lanes: int, horizon: int, change: int) -> Problem:
    """A small junction drawn from `rng`: each lane green in one stage or two, one permissive lane where there are three."""
    green = [[False] * lanes for _ in range(stages)]
    for lane in range(lanes):
        green[int(rng.integers(stages))][lane] = True
        if rng.random() < 0.3:
            green[int(rng.integers(stages))][lane] = True
    rates = [[float(rng.uniform(0.4, 0.6)) if green[s][lane] else 0.0 for lane in range(lanes)] for s in range(stages)]
    length = [[-1] * stages for _ in range(stages)]
    begins = [[0] * stages for _ in range(stages)]
    for a in range(stages):
        for b in range(stages):
            if a == b:
                continue
            length[a][b] = change
            begins[a][b] = len(rates)
            for k in range(change):
                rates.append([
                    rates[b][lane] if green[b][lane] and (green[a][lane] or k >= 4) else rates[a][lane] * (k == 0 and green[a][lane])
                    for lane in range(lanes)
                ])  # fmt: skip
    gives: list[list[tuple[int, float, float, list[float]]]] = [[] for _ in range(stages)]
    both = [lane for lane in range(lanes) if green[0][lane]]
    if len(both) >= 2:
        against = [0.0] * lanes
        against[both[0]] = 1.0
        gives[0].append((both[1], 0.6, 1.4, against))
    return Problem(
        [float(rng.integers(0, 7)) for _ in range(lanes)],
        [[float(rng.random() < 0.12) for _ in range(lanes)] for _ in range(horizon)],
        [float(rng.choice([0, 0, 0, 5])) for _ in range(lanes)],
        [1.0] * lanes, rates, length, begins, gives,
        [[0.0 if green[s][lane] else 12.0 for lane in range(lanes)] for s in range(stages)],
        [2.0] * lanes, 2.0, 2.0, 0.45, [0] * stages,
    )  # fmt: skip


def arrays_of(p: Problem, beam: int) -> dict[str, Any]:
    """The same problem as the kernel takes it, lanes padded to a multiple of eight."""
    import numpy as np

    n, width = len(p.queue), -(-len(p.queue) // 8) * 8

    def pad(rows: Any) -> Any:
        plain = np.atleast_2d(np.array(rows, np.float32))
        return np.pad(plain, ((0, 0), (0, width - n)))

    shape = (p.horizon + 1, p.stages, beam)
    givers = [row for stage in p.gives for row in stage]
    return {
        "queue": pad(p.queue)[0], "arrivals": pad(p.arrivals), "opens": pad(p.opens)[0], "weight": pad(p.weight)[0],
        "rates": pad(p.rates), "length": np.array(p.length, np.int32), "begins": np.array(p.begins, np.int32),
        "given": np.cumsum([0, *map(len, p.gives)]).astype(np.int32), "giver": np.array([g[0] for g in givers], np.int32),
        "steady": np.array([g[1] for g in givers], np.float32), "waiting": np.array([g[2] for g in givers], np.float32),
        "against": pad([g[3] for g in givers]) if givers else np.zeros((0, width), np.float32),
        "reach": pad(p.reach), "clearing": pad(p.clearing)[0], "prices": np.array([p.stop, p.change, p.hopeless], np.float32),
        "skip": np.array(p.skip, np.int32), "paid": np.zeros(shape, np.float32), "bound": np.zeros(shape, np.float32),
        "queues": np.zeros((*shape, width), np.float32), "firsts": np.zeros(shape, np.int32), "parents": np.zeros(shape, np.int32),
        "held": np.zeros(shape[:2], np.int32), "flow": np.zeros(width, np.float32), "line": np.zeros(width, np.float32),
        "best": np.zeros(p.stages, np.float32),
    }  # fmt: skip
