"""The rolling-horizon search of one junction: labels over (second, stage), several for each, cheapest first.

A label says: at this second the stage is complete, these queues stand, this much has been paid. From a label the stage is held one
step longer, or any lawful stage is changed to, which is next complete after the interstage and the minimum greens. Traffic within a
step is a vertical queue in every lane. Lanes are padded to a multiple of eight with zeros. Arrays (float32 unless said):

    queue     (L,)          [veh] standing now
    arrivals  (T, L)        [veh] reaching the stop line in each second
    opens     (L,)          [s] from now until the lane's exits have room; before that it discharges nothing
    weight    (L,)          of a vehicle's second
    rates     (R, L)        [veh/s]; rows 0..S-1: complete stages, permissive turns as against nobody; then each second of each change
    length    (S, S) int32  [s] from leaving the row stage to the column stage being complete; -1 barred
    begins    (S, S) int32  row of `rates` where that change begins
    given     (S+1,) int32  where each stage's permissive lanes begin in the four below
    giver     (K,) int32    lane that gives way
    steady    (K,)          [s/veh] of the part of its traffic that need not
    waiting   (K,)          [s/veh] of the part that gives way, against nobody
    against   (K, L)        share of each lane's outflow it gives way to
    reach     (S, L)        [s] until a lane red in that stage could flow: prices a queue left at the end
    clearing  (L,)          [s/veh] half of what each further vehicle in a lane's queue costs the others
    prices    (3,)          of a stop [s], of a change of stage [s], hopeless flow [veh/s] through which nobody can turn
    skip      (S,) int32    1 where a stage has nothing to serve, 2 where it must not be the next

Work: paid, bound (T+1, S, B); queues (T+1, S, B, L); firsts, parents (T+1, S, B) int32; held (T+1, S) int32; flow, line (L,).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]

WIDTH = 8
STOP, CHANGE, HOPELESS = 0, 1, 2
FAR = np.float32(1e30)
LEAST_CHANCE = np.float32(0.03)
ONE, NOTHING = np.float32(1.0), np.float32(0.0)


@kernel(fastmath=True)
def hold_back(
    k: int, lane: int, line: F32, flow: F32, weight: F32, steady: F32, waiting: F32, against: F32, hopeless: float
) -> np.float32:
    """Take back what a permissive lane cannot discharge against the flow of this second; returns the cost of that."""
    if flow[lane] <= NOTHING:
        return NOTHING
    facing = NOTHING
    for other in range(flow.shape[0]):
        facing += against[k, other] * flow[other]
    chance = ONE - facing / hopeless
    chance = chance if chance > LEAST_CHANCE else LEAST_CHANCE
    stay = flow[lane] - ONE / (steady[k] + waiting[k] / chance)
    if stay <= NOTHING:
        return NOTHING
    line[lane] += stay
    flow[lane] -= stay
    return np.float32(weight[lane] * stay)


@kernel(fastmath=True)
def roll(
    slot: int,
    until: int,
    row: int,
    stride: int,
    stage: int,
    line: F32,
    flow: F32,
    arrivals: F32,
    opens: F32,
    weight: F32,
    rates: F32,
    given: I32,
    giver: I32,
    steady: F32,
    waiting: F32,
    against: F32,
    prices: F32,
) -> np.float32:
    """Let seconds `slot`..`until`-1 pass under rows `row`, `row` + `stride`, ...; `line` is overwritten; returns the cost."""
    cost = NOTHING
    stop, hopeless = prices[STOP], prices[HOPELESS]
    lanes = line.shape[0]
    for t in range(slot, until):
        now = np.float32(t)
        for lane in range(lanes):
            come = arrivals[t, lane]
            stand = line[lane] + come
            out = rates[row, lane] if opens[lane] <= now else NOTHING
            out = stand if stand < out else out
            stand -= out
            line[lane] = stand
            flow[lane] = out
            cost += weight[lane] * (stand + stop * (come if come < stand else stand))
        for k in range(given[stage], given[stage + 1]):
            cost += hold_back(k, giver[k], line, flow, weight, steady, waiting, against, hopeless)
        row += stride
    return cost


@kernel(fastmath=True)
def remainder(stage: int, line: F32, weight: F32, reach: F32, clearing: F32) -> np.float32:
    """What the queues left standing will still cost."""
    cost = NOTHING
    for lane in range(line.shape[0]):
        stand = line[lane]
        cost += weight[lane] * stand * (reach[stage, lane] + clearing[lane] * stand)
    return cost


@kernel(fastmath=True)
def late(seconds: float, line: F32, weight: F32) -> np.float32:
    """What the queues cost while a change that began within the horizon ends behind it."""
    cost = NOTHING
    for lane in range(line.shape[0]):
        cost += weight[lane] * line[lane]
    return np.float32(cost * seconds)


@kernel(fastmath=True)
def keep(
    slot: int,
    stage: int,
    cost: float,
    due: float,
    line: F32,
    first: int,
    parent: int,
    paid: F32,
    bound: F32,
    queues: F32,
    firsts: I32,
    parents: I32,
    held: I32,
) -> None:
    """Put a label into its place if it is among the best there."""
    width = paid.shape[2]
    n = held[slot, stage]
    at = n
    if n == width:
        at = 0
        for b in range(1, width):
            if bound[slot, stage, b] > bound[slot, stage, at]:
                at = b
        if due >= bound[slot, stage, at]:
            return
    else:
        held[slot, stage] = n + 1
    paid[slot, stage, at] = cost
    bound[slot, stage, at] = due
    firsts[slot, stage, at] = first
    parents[slot, stage, at] = parent
    for lane in range(line.shape[0]):
        queues[slot, stage, at, lane] = line[lane]


@kernel(fastmath=True)
def threshold(slot: int, most: int, bound: F32, held: I32) -> np.float32:
    """The bound of the label in place `most` among all of a slot; FAR where there are no more."""
    stages = bound.shape[1]
    low = -FAR
    for _ in range(most):
        least = FAR
        for s in range(stages):
            for b in range(held[slot, s]):
                due = bound[slot, s, b]
                if due > low and due < least:
                    least = due
        if least >= FAR:
            return FAR
        low = least
    return low


@kernel(fastmath=True)
def search(
    stage_now: int,
    before: int,
    gone: int,
    fine: int,
    most: int,
    queue: F32,
    arrivals: F32,
    opens: F32,
    weight: F32,
    rates: F32,
    length: I32,
    begins: I32,
    given: I32,
    giver: I32,
    steady: F32,
    waiting: F32,
    against: F32,
    reach: F32,
    clearing: F32,
    prices: F32,
    skip: I32,
    paid: F32,
    bound: F32,
    queues: F32,
    firsts: I32,
    parents: I32,
    held: I32,
    flow: F32,
    line: F32,
    best: F32,
) -> int:
    """Fill the labels; returns the code of the best last label, slot * S * B + stage * B + b.

    `stage_now` is complete, or, with `before` >= 0, being changed to from there since `gone` seconds. Steps are one second
    until `fine`, two until three times that, then four; only the `most` cheapest labels of a slot are followed. `best` (S,)
    receives the cost of the best label whose first move is to each stage, `stage_now` meaning to stay; FAR where none was
    followed to the end.
    """
    horizon, lanes = arrivals.shape
    stages = length.shape[0]
    beam = paid.shape[2]
    stop, change, hopeless = prices[STOP], prices[CHANGE], prices[HOPELESS]
    held[:, :] = 0
    for s in range(stages):
        best[s] = FAR
    start = 0
    cost = NOTHING
    for lane in range(lanes):
        line[lane] = queue[lane]
    if before >= 0:
        start = min(max(length[before, stage_now] - gone, 0), horizon)
        cost = roll(
            0, start, begins[before, stage_now] + gone, 1, stage_now, line, flow, arrivals, opens, weight, rates,
            given, giver, steady, waiting, against, prices,
        )  # fmt: skip
    due = cost + remainder(stage_now, line, weight, reach, clearing)
    keep(start, stage_now, cost, due, line, stage_now, -1, paid, bound, queues, firsts, parents, held)
    for slot in range(start, horizon):
        grain = 1 if slot < fine else (2 if slot < 3 * fine else 4)
        step = min(grain - slot % grain, horizon - slot)
        limit = threshold(slot, most, bound, held)
        for s in range(stages):
            for b in range(held[slot, s]):
                if bound[slot, s, b] > limit:
                    continue
                code = (slot * stages + s) * beam + b
                first = firsts[slot, s, b]
                free = slot == start or slot % grain == 0
                for to in range(stages + 1):
                    if to == stages:
                        onto, row, stride, last, onward, cost = s, s, 0, slot + step, first, paid[slot, s, b]
                    else:
                        span = length[s, to]
                        if not free or to == s or span < 0 or skip[to] == 1 or (slot == start and skip[to] == 2):
                            continue
                        onto, row, stride, last = to, begins[s, to], 1, min(slot + span, horizon)
                        onward = to if slot == start else first
                        cost = paid[slot, s, b] + change
                    for lane in range(lanes):
                        line[lane] = queues[slot, s, b, lane]
                    for t in range(slot, last):  # `roll` once more: a call here costs as much as the work
                        now = np.float32(t)
                        for lane in range(lanes):
                            come = arrivals[t, lane]
                            stand = line[lane] + come
                            out = rates[row, lane] if opens[lane] <= now else NOTHING
                            out = stand if stand < out else out
                            stand -= out
                            line[lane] = stand
                            flow[lane] = out
                            cost += weight[lane] * (stand + stop * (come if come < stand else stand))
                        for k in range(given[onto], given[onto + 1]):
                            cost += hold_back(k, giver[k], line, flow, weight, steady, waiting, against, hopeless)
                        row += stride
                    due = cost + remainder(onto, line, weight, reach, clearing)
                    if to < stages and slot + span > horizon:
                        due += late(np.float32(slot + span - horizon), line, weight)
                    keep(last, onto, cost, due, line, onward, code, paid, bound, queues, firsts, parents, held)
    answer = -1
    least = FAR
    for s in range(stages):
        for b in range(held[horizon, s]):
            due = bound[horizon, s, b]
            first = firsts[horizon, s, b]
            if due < best[first]:
                best[first] = due
            if due < least:
                least = due
                answer = (horizon * stages + s) * beam + b
    return answer


@kernel(fastmath=True)
def replay(
    slots: I32,
    stages: I32,
    before: int,
    gone: int,
    queue: F32,
    arrivals: F32,
    opens: F32,
    weight: F32,
    rates: F32,
    begins: I32,
    given: I32,
    giver: I32,
    steady: F32,
    waiting: F32,
    against: F32,
    prices: F32,
    flow: F32,
    line: F32,
    left: F32,
) -> np.float32:
    """Live through a course again: stage `stages[k]` is complete from second `slots[k]`. `left` (T, L) receives what leaves each
    lane in each second; returns what was paid, without the price of changes."""
    cost = NOTHING
    for lane in range(line.shape[0]):
        line[lane] = queue[lane]
    left[:, :] = 0.0
    start = slots[0]
    for k in range(-1, slots.shape[0] - 1):
        if k < 0:
            first, last, stage, row, stride = 0, start, stages[0], begins[before, stages[0]] + gone, 1
        else:
            stage = stages[k + 1]
            first, last = slots[k], slots[k + 1]
            row, stride = (stage, 0) if stage == stages[k] else (begins[stages[k], stage], 1)
        for t in range(first, last):
            cost += roll(
                t, t + 1, row, stride, stage, line, flow, arrivals, opens, weight, rates,
                given, giver, steady, waiting, against, prices,
            )  # fmt: skip
            for lane in range(line.shape[0]):
                left[t, lane] = flow[lane]
            row += stride
    return cost
