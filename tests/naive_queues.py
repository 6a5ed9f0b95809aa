"""The plain twin of what the estimator does with queues and arrivals in a second: the same rules, one array for each quantity."""

from __future__ import annotations

from typing import Any

import numpy as np

from signalwright.core.kernels.account import HIDDEN, LATELY, LEAKY, NO_ACCOUNT, SLIP_MEMORY, SLIPPERY, SLOWER
from signalwright.core.kernels.book import ADVANCE, ENTRANCE, MIDDLE
from signalwright.core.kernels.estimate import (
    COVERED,
    DOUBT,
    EARLY,
    EMPTY_GAP,
    HELD_UP,
    LONGEST_SETBACK,
    MORE,
    MOVES_UP,
    NOBODY,
    PACE,
    PATIENCE,
    REACHES,
    SETBACK,
    SEVERAL,
    SLOW,
    SLOWS,
    STANDS,
    STANDS_STILL,
    START,
    STOPPING,
    STUCK,
    UNDER_WAY,
    UNKNOWN,
)


def advance_time(
    now: int,
    far: Any,
    mid: Any,
    near: Any,
    queue: Any,
    upper: Any,
    late: Any,
    midway: Any,
    own: Any,
    standing: Any,
    storage: Any,
    side: Any,
    spill: Any,
    checked: Any,
    sorted_: Any,
    fresh: Any,
) -> None:
    """What was due this second arrives. What the next loop should have seen by now, and did not, stands above the advance loop, if a
    queue stands over that; or above that of another lane of the approach where one does; else it went another way and is dropped.
    """
    lanes, ring = far.shape
    at = now % ring
    spill[:] = 0.0
    for lane in range(lanes):
        fresh[lane] -= 1.0
        before_advance = late[lane] if checked[lane] > 0.0 else 0.0
        before_middle = midway[lane] if sorted_[lane] > 0.0 else before_advance
        for expected, next_loop in ((far, before_middle), (mid, before_advance), (near, 0.0)):
            if next_loop > 0.0:
                overdue = (now + max(int(next_loop + 0.5) - PATIENCE, 0)) % ring
                missing = expected[lane, overdue]
                expected[lane, overdue] = 0.0
                if checked[lane] > 0.0 and blocked(lane, queue, own, standing, storage):
                    upper[lane] += missing
                else:
                    spill[side[lane]] += missing
            else:
                queue[lane] += expected[lane, at]
                fresh[lane] = STOPPING if expected[lane, at] > 0.2 else fresh[lane]
                expected[lane, at] = 0.0
    for lane in range(lanes):
        if (
            late[lane] > 0.0
            and spill[side[lane]] > 0.0
            and own[lane] >= 0
            and queue[lane] >= 1.0
            and standing[own[lane]] >= 3.0
        ):
            upper[lane] += spill[side[lane]]
            spill[side[lane]] = 0.0
    spill[:] = 0.0


def blocked(lane: int, queue: Any, own: Any, standing: Any, storage: Any) -> bool:
    """Whether the lane's queue reaches its advance loop."""
    enough = 1.0 if own[lane] >= 0 and standing[own[lane]] >= REACHES else storage[lane]
    return bool(queue[lane] >= enough)


def put(ring: Any, lane: int, now: int, lag: float, mass: float) -> None:
    """Expect `mass` at the stop line `lag` seconds from now, shared between the two whole seconds beside it."""
    size = ring.shape[1]
    lag = min(max(lag, 1.0), size - 2.0)
    whole = int(lag)
    part = lag - whole
    ring[lane, (now + whole) % size] += mass * (1.0 - part)
    ring[lane, (now + whole + 1) % size] += mass * part


def take(ring: Any, lane: int, now: int, until: int, mass: float) -> float:
    """Take up to `mass` of what is expected within `until` seconds, the earliest first; returns what could not be taken."""
    size = ring.shape[1]
    for h in range(min(until, size - 1) + 1):
        if mass <= 0.0:
            break
        at = (now + h) % size
        part = min(ring[lane, at], mass)
        ring[lane, at] -= part
        mass -= part
    return mass


def tick(
    now: int,
    vehicles: Any,
    occupancy: Any,
    trust: Any,
    kind: Any,
    link: Any,
    lane_of: Any,
    lag: Any,
    share: Any,
    stop_of: Any,
    own: Any,
    late: Any,
    storage: Any,
    green: Any,
    far: Any,
    mid: Any,
    near: Any,
    queue: Any,
    upper: Any,
    on_stop: Any,
    standing: Any,
    silent: Any,
    greened: Any,
    gap: Any,
    departed: Any,
    came: Any,
    rate: Any,
    flow: Any,
    flow_time: Any,
    stuck: Any,
    closed: Any,
    setback: Any,
    side: Any,
    spill: Any,
    room_above: Any,
    saturation: Any,
    pace: Any,
    checked: Any,
    blind: Any,
    fresh: Any,
    head: Any,
    midway: Any,
    sorted_: Any,
    unhindered: Any,
    hindered: Any,
    set_off: Any,
    crossed: Any,
    back: Any,
    memory: float,
) -> None:
    """One second. `departed` and `came` (L,) receive the vehicles that left and that entered; `rate` (L,) [veh/s] the running mean.

    `standing`, `silent` (D,) [s] of unbroken occupancy and of nothing at all; `greened` (L,) [s] since the lane turned green,
    0 in red; `flow`, `flow_time` (L,) vehicles and seconds of saturated discharge, both forgotten slowly. `stuck` (L,) [s] of
    green with a vehicle that does not leave; `pace` (L,) [veh/s] recent discharge against `saturation` (L,); `fresh` (L,) [s]
    that one who came lately may still roll; `closed` (L,) [s] for which nothing is expected to leave, `setback` (L,) [s] how
    long that is after the green; `set_off` (L,) [veh] left so lately that those behind have not yet moved up.
    """
    lanes = far.shape[0]
    spill[:] = 0.0
    for d in range(kind.shape[0]):
        standing[d] = standing[d] + 1.0 if occupancy[d] >= STANDS and trust[d] > 0.0 else 0.0
        silent[d] = silent[d] + 1.0 if occupancy[d] <= 0.0 and vehicles[d] == 0 else 0.0
    advance_time(
        now, far, mid, near, queue, upper, late, midway, own, standing, storage, side, spill, checked, sorted_, fresh
    )  # fmt: skip
    for lane in range(lanes):
        came[lane] = 0.0
        greened[lane] = greened[lane] + 1.0 if green[lane] > 0 else 0.0
        unhindered[lane] = unhindered[lane] + 1.0 if green[lane] == 2 else 0.0
    for d in range(kind.shape[0]):
        if kind[d] == ENTRANCE and standing[d] >= 4.0 and trust[d] > 0.0:
            ends = [
                k
                for k in range(link[d], link[d + 1])
                if own[lane_of[k]] < 0
                or trust[own[lane_of[k]]] <= 0.0
                or (standing[own[lane_of[k]]] >= 4.0 and queue[lane_of[k]] >= 1.0)
            ]
            among = sum(share[k] for k in ends)
            for k in ends:
                if share[k] > 0.0:
                    upper[lane_of[k]] = max(upper[lane_of[k]], head[k] * share[k] / among)
        if vehicles[d] == 0 or trust[d] <= 0.0:
            continue
        if kind[d] == ENTRANCE:
            for k in range(link[d], link[d + 1]):
                put(far, lane_of[k], now, lag[k], vehicles[d] * share[k])
        elif kind[d] == MIDDLE:
            for k in range(link[d], link[d + 1]):
                mass = vehicles[d] * share[k]
                put(mid, lane_of[k], now, lag[k], mass)
                take(far, lane_of[k], now, int(lag[k]) + EARLY, mass)
        elif kind[d] == ADVANCE:
            for k in range(link[d], link[d + 1]):
                lane = lane_of[k]
                mass = vehicles[d] * share[k]
                came[lane] += mass
                put(near, lane, now, lag[k], mass)
                from_upper = min(upper[lane], mass)
                upper[lane] -= from_upper
                short = take(mid, lane, now, int(lag[k]) + EARLY, mass - from_upper)
                take(far, lane, now, int(lag[k]) + EARLY, short)
    for lane in range(lanes):
        queue[lane] += blind[lane] * max(rate[lane], UNKNOWN)
        departed[lane] = 0.0
        d = stop_of[lane]
        since = gap[lane]
        gap[lane] += 1.0
        upper[lane] = min(upper[lane], room_above[lane])
        if d >= 0 and trust[d] > 0.0:
            stays = 0.0
            if occupancy[d] >= STANDS or (occupancy[d] > 0.0 and vehicles[d] > 0 and green[lane] == 0):
                stays = 1.0
            there = vehicles[d] + on_stop[lane]
            on_stop[lane] = min(there, stays)
            out = there - on_stop[lane]
            if there == 0.0 and standing[d] >= STANDS_STILL:
                on_stop[lane], out = 1.0, -1.0
                queue[lane] += 1.0
            departed[lane] = out
            crossed[lane] = max(out - back[lane], 0.0)
            back[lane] = 1.0 if out < 0.0 else 0.0 if out > 0.0 else back[lane]
            if vehicles[d] > 0 or occupancy[d] > 0.0:
                gap[lane] = 0.0
            was = queue[lane]
            if out > 0.0:
                short = out - queue[lane]
                queue[lane] = max(queue[lane] - out, 0.0)
                if short > 0.0:
                    short = take(near, lane, now, 6, short)
                    short = take(mid, lane, now, 6, short)
                    take(far, lane, now, 6, short)
                if queue[lane] < MORE and green[lane] > 0 and since < 3.0:
                    queue[lane] = MORE
            if stays > 0.0 and queue[lane] < 1.0:
                take(near, lane, now, 4, 1.0 - queue[lane])
                queue[lane] = 1.0
            if unhindered[lane] >= UNDER_WAY and was >= SEVERAL and gap[lane] < 3.0:
                flow[lane] = flow[lane] * 0.998 + out
                flow_time[lane] = flow_time[lane] * 0.998 + 1.0
            if out > 0.0:
                stuck[lane] = 0.0
                setback[lane] = SETBACK
                closed[lane] = 0.0
            elif green[lane] > 0 and greened[lane] >= 4.0 and standing[d] >= 3.0:
                stuck[lane] += 1.0
                if stuck[lane] >= STUCK:
                    closed[lane] = max(setback[lane], 2.0 * stuck[lane])
            elif green[lane] == 0:
                if stuck[lane] >= STUCK:
                    setback[lane] = min(setback[lane] * 1.5, LONGEST_SETBACK)
                    closed[lane] = setback[lane]
                stuck[lane] = 0.0
                closed[lane] = max(closed[lane] - 1.0, 0.0)
            if greened[lane] <= START:
                pace[lane] = saturation[lane]
            else:
                pace[lane] += (out - pace[lane]) * PACE
                if pace[lane] < SLOW * saturation[lane] and standing[d] < 2.0:
                    queue[lane] *= DOUBT
                    upper[lane] *= DOUBT
            over = greened[lane] > 3.0 and gap[lane] >= EMPTY_GAP
            a = own[lane]
            backed = a >= 0 and trust[a] > 0.0 and standing[a] >= REACHES
            nobody = silent[d] >= NOBODY and fresh[lane] <= 0.0 and not backed
            if over or nobody:
                spill[side[lane]] += queue[lane] if nobody else 0.0
                queue[lane] = 0.0
                if gap[lane] >= EMPTY_GAP + 2.0:
                    upper[lane] = 0.0
        else:
            stuck[lane] = closed[lane] = on_stop[lane] = back[lane] = 0.0
            if green[lane] > 0 and greened[lane] > 2.0:
                out = min(queue[lane], saturation[lane] * (1.0 if green[lane] == 2 else hindered[lane]))
                queue[lane] -= out
                departed[lane] = out
            crossed[lane] = departed[lane]
        set_off[lane] += departed[lane] - set_off[lane] * MOVES_UP
        a = own[lane]
        if a >= 0 and trust[a] > 0.0:
            reaches = d < 0 or trust[d] <= 0.0 or silent[d] < NOBODY
            if standing[a] >= COVERED and reaches:
                queue[lane] = max(queue[lane], storage[lane] - set_off[lane])
            elif silent[a] >= 4.0:
                upper[lane] = 0.0
        elif d < 0 or trust[d] <= 0.0:
            closer = min(upper[lane], max(storage[lane] - queue[lane], 0.0))
            queue[lane] += closer
            upper[lane] -= closer
        rate[lane] += (departed[lane] - rate[lane]) * memory
    for lane in range(lanes):
        if spill[side[lane]] > 0.0 and stop_of[lane] >= 0 and standing[stop_of[lane]] >= NOBODY:
            queue[lane] += spill[side[lane]]
            spill[side[lane]] = 0.0
        if queue[lane] > storage[lane] + 1.0:
            if late[lane] > 0.0:
                upper[lane] = min(upper[lane] + queue[lane] - storage[lane] - 1.0, room_above[lane])
            queue[lane] = storage[lane] + 1.0


def settle(
    vehicles: Any, trust: Any, silent: Any, gate: Any, side: Any, told: Any, checked: Any, late: Any, storage: Any, gap: Any, near: Any,
    queue: Any, departed: Any, on_stop: Any, arrived: Any, account: Any, slips: Any, at_most: Any, lacks: Any,
) -> None:  # fmt: skip
    """The accounts (n_lanes,) of the approaches, by their numbers, and what they had to be set right by; queues (L,) that add up to them.

    `gate` (D,) says whose account an advance loop counts into; `told`, `checked` (L,) whether stop line and advance loops are believed.
    """
    for s in sorted(set(side.tolist())):
        of, gates = side == s, gate == s
        wait = (late[of] + SLOWER).max()
        due, stand, least = near[of].sum(), queue[of].sum(), on_stop[of].sum()
        quiet = (gap[of] >= wait).all() and (silent[gates] >= wait).all()
        good = gates.any() and (trust[gates] > 0).all() and (told[of] > 0).all() and (checked[of] > 0).all()
        if not good or (account[s] < 0.0 and not quiet):
            account[s], slips[s], lacks[s] = NO_ACCOUNT, 0.0, 0.0
            continue
        summed = least if account[s] < 0.0 or quiet else at_most[s] + vehicles[gates].sum() - departed[of].sum()
        at_most[s] = max(summed, least)
        lacks[s] += at_most[s] - summed - lacks[s] / SLIP_MEMORY
        found = least if account[s] < 0.0 else account[s] + vehicles[gates].sum() - departed[of].sum()
        account[s] = least if quiet else max(min(found, stand + due + HIDDEN), least)
        slips[s] += abs(account[s] - found) - slips[s] / SLIP_MEMORY
        slippery = slips[s] > SLIPPERY
        wanted = max((at_most[s] if slippery else account[s]) - due, least)
        weight = queue[of] + LATELY * arrived[of]
        if stand > wanted and (not slippery or lacks[s] <= LEAKY):
            queue[of] = on_stop[of] + (queue[of] - on_stop[of]) * (wanted - least) / (stand - least)
        elif weight.sum() > 0.0 and not slippery:
            more = queue[of] + (wanted - stand) * weight / weight.sum()
            queue[of] = np.maximum(queue[of], np.minimum(more, storage[of] + 1.0))


def outlook(
    now: int, far: Any, mid: Any, near: Any, queue: Any, upper: Any, rate: Any, sight: Any, beyond: Any, total: Any, arrivals: Any,
    late: Any, midway: Any, storage: Any, checked: Any, sorted_: Any,
) -> None:  # fmt: skip
    """State from the rings: `total` (L,) queue, `arrivals` (L, T); past `sight` (L,) [s] what is `beyond` (L, T), at least nothing.

    Who is overdue at a `checked` advance loop, `late` (L,) [s] before the stop line, or at a believed middle loop (`sorted_`), `midway`
    (L,) before it, comes no sooner than from there, if at all.
    """
    lanes, ring = far.shape
    for lane in range(lanes):
        total[lane] = queue[lane] + upper[lane]
        before_advance = int(late[lane]) if checked[lane] > 0.0 else 0
        before_middle = int(midway[lane]) if sorted_[lane] > 0.0 else before_advance
        for h in range(arrivals.shape[1]):
            come = near[lane, (now + 1 + h) % ring] if h + 1 < ring else 0.0
            for expected, passed in ((far, before_middle), (mid, before_advance)):
                if passed <= h < ring - 1:
                    come += expected[lane, (now + 1 + h) % ring]
                if h == passed and total[lane] >= SLOWS * storage[lane]:
                    come += sum(expected[lane, (now + 1 + k) % ring] * HELD_UP ** (passed - k) for k in range(passed))
            if h >= sight[lane]:
                come += beyond[lane, h]
            arrivals[lane, h] = come


def learn_shares(
    source: Any,
    target: Any,
    told: Any,
    begin: Any,
    to: Any,
    share: Any,
    first: int,
    last: int,
    speed: float,
    error: Any,
    sums: bool,
) -> None:
    """One normalised gradient step of target[to] = sum share * source, for sources `first`..`last`-1, then back onto the simplex.

    `source` (D,) and `target` (n,) are running means of the same memory; Cremer and Keller (1987). `told` (n,)
    is 1 where a target can be believed; nothing is learnt from others. With `sums` the shares of a source add
    up to one, else to no more than one.
    """
    for n in range(target.shape[0]):
        error[n] = target[n]
    power = 1e-4
    for d in range(first, last):
        power += source[d] * source[d]
        for k in range(begin[d], begin[d + 1]):
            error[to[k]] -= share[k] * source[d]
    for n in range(target.shape[0]):
        error[n] *= told[n]
    for d in range(first, last):
        total = 0.0
        for k in range(begin[d], begin[d + 1]):
            share[k] = max(share[k] + speed * source[d] * error[to[k]] / power, 0.0)
            total += share[k]
        if total > 0.0 and (sums or total > 1.0):
            for k in range(begin[d], begin[d + 1]):
                share[k] /= total
