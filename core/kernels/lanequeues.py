"""The queues in the lanes of a junction while seconds pass under a course of signals: what waits, and what the waiting costs.

Arrays as in `search`; lanes are padded to a multiple of eight with zeros. Every kernel here becomes part of its caller.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import kernel
from .wide import WIDTH, fused, load, peek, smaller, splat, store, total, within

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]

LEAST_CHANCE = np.float32(0.03)
ONE, NOTHING = np.float32(1.0), np.float32(0.0)
ALONE = np.eye(WIDTH, dtype=np.float32)
"""A row for each place of eight: one there, nothing elsewhere."""


@kernel(inline=True)
def hold_back(
    k: int,
    line: F32,
    flow: F32,
    weight: F32,
    giver: I32,
    steady: F32,
    waiting: F32,
    against: F32,
    scarce: float,
    cost: Any,
) -> Any:
    """Take back what a permissive lane cannot discharge against the flow of this second; `cost` with that added.

    `scarce`: one over the hopeless flow.
    """
    lane, lanes = peek(giver, k), flow.shape[0]
    leaves = peek(flow, lane)
    if leaves > NOTHING:
        facing = splat(NOTHING)
        for block in range(0, lanes, WIDTH):
            facing = fused(load(against, k * lanes + block), load(flow, block), facing)
        chance = ONE - total(facing) * scarce
        chance = chance if chance > LEAST_CHANCE else LEAST_CHANCE
        stay = leaves - chance / (peek(steady, k) * chance + peek(waiting, k))
        if stay > NOTHING:
            block = lane // WIDTH * WIDTH
            back = load(ALONE, (lane - block) * WIDTH) * splat(stay)
            store(line, block, load(line, block) + back)
            store(flow, block, load(flow, block) - back)
            cost = fused(load(weight, block), back, cost)
    return cost


@kernel(inline=True)
def roll(
    slot: int,
    until: int,
    row: int,
    stride: int,
    stage: int,
    stands: F32,
    at: int,
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
    stop: float,
    scarce: float,
) -> np.float32:
    """Let seconds `slot`..`until`-1 pass under rows `row`, `row` + `stride`, ...; returns the cost.

    The queues are those of `stands` from place `at` on, and in the end in `line`; `flow` receives what leaves in the last second.
    Lanes that need not look at each other live through all the seconds in registers, eight by eight.
    """
    lanes = line.shape[0]
    each_stop, cost = splat(stop), splat(NOTHING)
    first, last = peek(given, stage), peek(given, stage + 1)
    if first == last:
        one = splat(ONE)
        for block in range(0, lanes, 2 * WIDTH):  # two blocks side by side: each alone waits for itself
            beside = block + WIDTH if block + WIDTH < lanes else block
            stand, shut, each = load(stands, at + block), load(opens, block), load(weight, block)
            stand2, shut2, each2 = load(stands, at + beside), load(opens, beside), load(weight, beside)
            out, out2, cost2 = splat(NOTHING), splat(NOTHING), splat(NOTHING)
            come_at, rate_at, apart = slot * lanes + block, row * lanes + block, beside - block
            now = splat(np.float32(slot))
            for _ in range(slot, until):
                come, come2 = load(arrivals, come_at), load(arrivals, come_at + apart)
                stand, stand2 = stand + come, stand2 + come2
                out = smaller(stand, within(shut, now, load(rates, rate_at), splat(NOTHING)))
                out2 = smaller(stand2, within(shut2, now, load(rates, rate_at + apart), splat(NOTHING)))
                stand, stand2 = stand - out, stand2 - out2
                cost = fused(each, fused(each_stop, smaller(come, stand), stand), cost)
                cost2 = fused(each2, fused(each_stop, smaller(come2, stand2), stand2), cost2)
                now = now + one
                come_at += lanes
                rate_at += stride * lanes
            store(line, beside, stand2)
            store(line, block, stand)
            store(flow, beside, out2)
            store(flow, block, out)
            if apart > 0:
                cost = cost + cost2
    else:
        for block in range(0, lanes, WIDTH):
            store(line, block, load(stands, at + block))
        for t in range(slot, until):
            now = splat(np.float32(t))
            for block in range(0, lanes, WIDTH):
                come = load(arrivals, t * lanes + block)
                stand = load(line, block) + come
                rate = within(load(opens, block), now, load(rates, row * lanes + block), splat(NOTHING))
                out = smaller(stand, rate)
                stand = stand - out
                store(line, block, stand)
                store(flow, block, out)
                cost = fused(load(weight, block), fused(each_stop, smaller(come, stand), stand), cost)
            for k in range(first, last):
                cost = hold_back(k, line, flow, weight, giver, steady, waiting, against, scarce, cost)
            row += stride
    return total(cost)


@kernel(inline=True)
def remainder(stage: int, line: F32, weight: F32, reach: F32, clearing: F32) -> np.float32:
    """What the queues left standing will still cost."""
    cost = splat(NOTHING)
    lanes = line.shape[0]
    for block in range(0, lanes, WIDTH):
        stand = load(line, block)
        each = fused(load(clearing, block), stand, load(reach, stage * lanes + block))
        cost = fused(load(weight, block) * stand, each, cost)
    return total(cost)


@kernel(inline=True)
def late(seconds: float, line: F32, weight: F32) -> np.float32:
    """What the queues cost while a change that began within the horizon ends behind it."""
    cost = splat(NOTHING)
    for block in range(0, line.shape[0], WIDTH):
        cost = fused(load(weight, block), load(line, block), cost)
    return total(cost) * np.float32(seconds)
