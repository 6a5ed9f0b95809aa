"""The rolling-horizon search of one junction: labels over (second, stage), several for each, cheapest first.

A label says: at this second the stage is complete, these queues stand, this much has been paid. From a label the stage is held one
step longer, or any lawful stage is changed to, which is next complete after the interstage and the minimum greens. Traffic within a
step is a vertical queue in every lane. Lanes are padded to a multiple of eight with zeros, and eight of them are one value in one
register; B is a multiple of eight. Sums are made in one order on every machine. Arrays (float32 unless said):

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

from . import kernel
from .lanequeues import F32, I32, LEAST_CHANCE, NOTHING, ONE, late, remainder, roll
from .wide import WIDTH, larger, load, peek, poke, smaller, splat, store, within
from .wide import least as least_of
from .wide import most as most_of

__all__ = ["LEAST_CHANCE", "WIDTH", "replay", "search"]

STOP, CHANGE, HOPELESS = 0, 1, 2
FAR = np.float32(1e30)


@kernel(inline=True)
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
    width, lanes = paid.shape[2], line.shape[0]
    place = slot * paid.shape[1] + stage
    at = peek(held, place)
    home = place * width
    if at < width:
        poke(held, place, at + 1)
        home += at
    else:
        worst = load(bound, home)
        for b in range(WIDTH, width, WIDTH):
            worst = larger(worst, load(bound, home + b))
        dearest = most_of(worst)
        if due >= dearest:
            return
        while peek(bound, home) < dearest:
            home += 1
    poke(paid, home, cost)
    poke(bound, home, due)
    poke(firsts, home, first)
    poke(parents, home, parent)
    for block in range(0, lanes, WIDTH):
        store(queues, home * lanes + block, load(line, block))


@kernel(inline=True)
def threshold(slot: int, most: int, bound: F32) -> np.float32:
    """The bound of the label in place `most` among all of a slot; FAR where there are no more."""
    places = bound.shape[1] * bound.shape[2]
    low, beyond = -FAR, splat(FAR)
    for _ in range(most):
        found = beyond
        for at in range(slot * places, (slot + 1) * places, WIDTH):
            due = load(bound, at)
            found = smaller(found, within(due, splat(low), beyond, due))
        low = least_of(found)
        if low >= FAR:
            return FAR
    return low


@kernel(lean=True)
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
    stop, change, scarce = prices[STOP], prices[CHANGE], ONE / prices[HOPELESS]
    held[:, :] = 0
    bound[:, :, :] = FAR
    for s in range(stages):
        best[s] = FAR
    start, row = 0, stage_now
    if before >= 0:
        start = min(max(length[before, stage_now] - gone, 0), horizon)
        row = begins[before, stage_now] + gone
    cost = roll(
        0, start, row, 1, stage_now, queue, 0, line, flow, arrivals, opens, weight, rates,
        given, giver, steady, waiting, against, stop, scarce,
    )  # fmt: skip
    due = cost + remainder(stage_now, line, weight, reach, clearing)
    keep(start, stage_now, cost, due, line, stage_now, -1, paid, bound, queues, firsts, parents, held)
    for slot in range(start, horizon):
        grain = 1 if slot < fine else (2 if slot < 3 * fine else 4)
        step = min(grain - slot % grain, horizon - slot)
        limit = threshold(slot, most, bound)
        free = slot == start or slot % grain == 0
        for s in range(stages):
            home = (slot * stages + s) * beam
            for code in range(home, home + peek(held, slot * stages + s)):
                if peek(bound, code) > limit:
                    continue
                first, so_far = peek(firsts, code), peek(paid, code)
                for to in range(stages + 1):
                    if to == stages:
                        onto, row, stride, last, onward, cost = s, s, 0, slot + step, first, so_far
                    else:
                        span, apart = peek(length, s * stages + to), peek(skip, to)
                        if not free or to == s or span < 0 or apart == 1 or (slot == start and apart == 2):
                            continue
                        onto, row, stride, last = to, peek(begins, s * stages + to), 1, min(slot + span, horizon)
                        onward = to if slot == start else first
                        cost = so_far + change
                    cost += roll(
                        slot, last, row, stride, onto, queues, code * lanes, line, flow, arrivals, opens, weight, rates,
                        given, giver, steady, waiting, against, stop, scarce,
                    )  # fmt: skip
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


@kernel(lean=True)
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
    stop, scarce = prices[STOP], ONE / prices[HOPELESS]
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
                t, t + 1, row, stride, stage, line, 0, line, flow, arrivals, opens, weight, rates,
                given, giver, steady, waiting, against, stop, scarce,
            )  # fmt: skip
            for lane in range(line.shape[0]):
                left[t, lane] = flow[lane]
            row += stride
    return cost
