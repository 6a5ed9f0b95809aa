"""One second of estimation for one intersection: loops in, queues and arrivals out, in time proportional to lanes and detectors.

A lane's traffic is followed through two stretches: from its entrance loops to its advance loops (`far`, expected arrivals by second;
`upper`, vehicles that stand upstream of the advance loop), and from there to the stop line (`near`, `queue`). The rings `far` and `near`
(L, H) hold expected arrivals at the stop line by absolute second, modulo H. Times are whole seconds, occupancies in [0, 1].

    kind      (D,) int32        0 stop, 1 advance, 2 entrance, 3 exit
    link      (D+1,) int32      where each detector's lanes begin in the three below
    lane_of   (K,) int32        lane a vehicle seen there may come to
    lag       (K,)              [s] from there to the stop line in free flow
    share     (K,)              part of its vehicles that come to this lane, learnt
    trust     (D,)              1 where the detector is believed, 0 where not
    stop_of   (L,) int32        the lane's stop-line loop, -1 none
    own       (L,) int32        its advance loop, one of its own before one it shares; -1 none
    head      (K,)              [veh] that stand between an entrance loop and the lane's advance loop when both are covered, else 0
    late      (L,)              [s] from the advance loops to the stop line, 0 where the lane has none
    storage   (L,)              [veh] between advance loop and stop line
    checked   (L,)              1 where the lane has an advance loop that is believed
    blind     (L,)              1 where it has no loop upstream that is believed
    side      (L,) int32        number of the approach it belongs to
    room_above (L,)             [veh] between entrance and advance loops
    green     (L,) int32        0 red, 1 some of its movements green, 2 all of them
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

STOP, ADVANCE, ENTRANCE, EXIT = 0, 1, 2, 3
STANDS = 0.999
PATIENCE = 4
"""Seconds a vehicle may be late at the advance loop before it is not waited for any more."""
EARLY = 3
"""Seconds it may be early."""
EMPTY_GAP = 3.0
"""Seconds without a vehicle at a green stop line after which its queue is over."""

START, PACE, SLOW, DOUBT = 6.0, 0.15, 0.5, 0.85
"""A queue leaves at the saturation flow. From `START` seconds of green on, while the running mean of departures (weight `PACE`) is under
`SLOW` of that, what is thought to stand is multiplied by `DOUBT` each second: it is not there, or held up further upstream."""
STOPPING = 6.0
"""Seconds after its free arrival in which a vehicle that brakes may not yet stand at the stop line."""
NOBODY = 4.0
"""Seconds of an empty stop line after which nobody can be waiting there: who was expected waits in a lane beside."""
MORE = 0.5
"""Vehicles still expected behind one that followed another closely, whatever was counted upstream."""
STUCK = 4.0
"""Seconds of green without a movement after which a lane is held for blocked."""
SETBACK, LONGEST_SETBACK = 8.0, 40.0
"""Seconds for which a blocked lane is expected to stay so; half as much more each time it was in vain."""


@kernel
def advance_time(
    now: int,
    far: F64,
    near: F64,
    queue: F64,
    upper: F64,
    late: F64,
    own: I32,
    standing: F64,
    storage: F64,
    side: I32,
    spill: F64,
    checked: F64,
    fresh: F64,
) -> None:
    """What was due this second arrives. What the advance loop should have seen by now, and did not, stands above it, if a queue
    stands over the loop; or above that of another lane of the approach where one does; else it went another way and is dropped.
    """
    lanes, ring = far.shape
    at = now % ring
    spill[:] = 0.0
    for lane in range(lanes):
        queue[lane] += near[lane, at]
        fresh[lane] = STOPPING if near[lane, at] > 0.2 else fresh[lane] - 1.0
        near[lane, at] = 0.0
        if late[lane] > 0.0 and checked[lane] > 0.0:
            due = max(int(late[lane] + 0.5) - PATIENCE, 0)
            overdue = (now + due) % ring
            missing = far[lane, overdue]
            far[lane, overdue] = 0.0
            if blocked(lane, queue, own, standing, storage):
                upper[lane] += missing
            else:
                spill[side[lane]] += missing
        else:
            queue[lane] += far[lane, at]
            fresh[lane] = STOPPING if far[lane, at] > 0.2 else fresh[lane]
            far[lane, at] = 0.0
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


@kernel
def blocked(lane: int, queue: F64, own: I32, standing: F64, storage: F64) -> bool:
    """Whether the lane's queue reaches its advance loop."""
    enough = 1.0 if own[lane] >= 0 and standing[own[lane]] >= 2.0 else storage[lane]
    return bool(queue[lane] >= enough)


@kernel
def put(ring: F64, lane: int, now: int, lag: float, mass: float) -> None:
    """Expect `mass` at the stop line `lag` seconds from now, shared between the two whole seconds beside it."""
    size = ring.shape[1]
    lag = min(max(lag, 1.0), size - 2.0)
    whole = int(lag)
    part = lag - whole
    ring[lane, (now + whole) % size] += mass * (1.0 - part)
    ring[lane, (now + whole + 1) % size] += mass * part


@kernel
def take(ring: F64, lane: int, now: int, until: int, mass: float) -> float:
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


@kernel
def tick(
    now: int,
    vehicles: I32,
    occupancy: F64,
    trust: F64,
    kind: I32,
    link: I32,
    lane_of: I32,
    lag: F64,
    share: F64,
    stop_of: I32,
    own: I32,
    late: F64,
    storage: F64,
    green: I32,
    far: F64,
    near: F64,
    queue: F64,
    upper: F64,
    on_stop: F64,
    standing: F64,
    silent: F64,
    greened: F64,
    gap: F64,
    departed: F64,
    came: F64,
    rate: F64,
    flow: F64,
    flow_time: F64,
    stuck: F64,
    closed: F64,
    setback: F64,
    side: I32,
    spill: F64,
    room_above: F64,
    saturation: F64,
    pace: F64,
    checked: F64,
    blind: F64,
    fresh: F64,
    head: F64,
    memory: float,
) -> None:
    """One second. `departed` and `came` (L,) receive the vehicles that left and that entered; `rate` (L,) [veh/s] the running mean.

    `standing`, `silent` (D,) [s] of unbroken occupancy and of nothing at all; `greened` (L,) [s] since the lane turned green,
    0 in red; `flow`, `flow_time` (L,) vehicles and seconds of saturated discharge, both forgotten slowly. `stuck` (L,) [s] of
    green with a vehicle that does not leave; `pace` (L,) [veh/s] recent discharge against `saturation` (L,); `fresh` (L,) [s]
    that one who came lately may still roll; `closed` (L,) [s] for which nothing is expected to leave, `setback` (L,) [s] how
    long that is after the green.
    """
    lanes = far.shape[0]
    spill[:] = 0.0
    for d in range(kind.shape[0]):
        standing[d] = standing[d] + 1.0 if occupancy[d] >= STANDS else 0.0
        silent[d] = silent[d] + 1.0 if occupancy[d] <= 0.0 and vehicles[d] == 0 else 0.0
    advance_time(now, far, near, queue, upper, late, own, standing, storage, side, spill, checked, fresh)
    for lane in range(lanes):
        came[lane] = 0.0
        greened[lane] = greened[lane] + 1.0 if green[lane] > 0 else 0.0
    for d in range(kind.shape[0]):
        if kind[d] == ENTRANCE and standing[d] >= 4.0 and trust[d] > 0.0:
            for k in range(link[d], link[d + 1]):
                lane = lane_of[k]
                if own[lane] >= 0 and standing[own[lane]] >= 4.0 and queue[lane] >= 1.0:
                    upper[lane] = max(upper[lane], head[k] * share[k])
        if vehicles[d] == 0 or trust[d] <= 0.0:
            continue
        if kind[d] == ENTRANCE:
            for k in range(link[d], link[d + 1]):
                put(far, lane_of[k], now, lag[k], vehicles[d] * share[k])
        elif kind[d] == ADVANCE:
            for k in range(link[d], link[d + 1]):
                lane = lane_of[k]
                mass = vehicles[d] * share[k]
                came[lane] += mass
                put(near, lane, now, lag[k], mass)
                from_upper = min(upper[lane], mass)
                upper[lane] -= from_upper
                take(far, lane, now, int(lag[k]) + EARLY, mass - from_upper)
    for lane in range(lanes):
        queue[lane] += blind[lane] * rate[lane]
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
            departed[lane] = out
            if vehicles[d] > 0 or occupancy[d] > 0.0:
                gap[lane] = 0.0
            was = queue[lane]
            if out > 0.0:
                short = out - queue[lane]
                queue[lane] = max(queue[lane] - out, 0.0)
                if short > 0.0:
                    short = take(near, lane, now, 6, short)
                    if short > 0.0:
                        take(far, lane, now, 6, short)
                if queue[lane] < MORE and green[lane] > 0 and since < 3.0:
                    queue[lane] = MORE
            if stays > 0.0 and queue[lane] < 1.0:
                take(near, lane, now, 4, 1.0 - queue[lane])
                queue[lane] = 1.0
            if green[lane] == 2 and greened[lane] >= 5.0 and was >= 2.0 and gap[lane] < 3.0:
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
            nobody = silent[d] >= NOBODY and fresh[lane] <= 0.0
            if over or nobody:
                spill[side[lane]] += queue[lane] if nobody else 0.0
                queue[lane] = 0.0
                if gap[lane] >= EMPTY_GAP + 2.0:
                    upper[lane] = 0.0
        elif green[lane] > 0 and greened[lane] > 2.0:
            out = min(queue[lane], saturation[lane])
            queue[lane] -= out
            departed[lane] = out
        a = own[lane]
        if a >= 0 and trust[a] > 0.0:
            reaches = d < 0 or trust[d] <= 0.0 or silent[d] < NOBODY
            if standing[a] >= 4.0 and reaches and queue[lane] < storage[lane]:
                queue[lane] = storage[lane]
            elif silent[a] >= 4.0:
                upper[lane] = 0.0
        rate[lane] += (departed[lane] - rate[lane]) * memory
    for lane in range(lanes):
        if spill[side[lane]] > 0.0 and stop_of[lane] >= 0 and standing[stop_of[lane]] >= NOBODY:
            queue[lane] += spill[side[lane]]
            spill[side[lane]] = 0.0
        if late[lane] > 0.0 and queue[lane] > storage[lane] + 1.0:
            upper[lane] = min(upper[lane] + queue[lane] - storage[lane] - 1.0, room_above[lane])
            queue[lane] = storage[lane] + 1.0


@kernel
def outlook(
    now: int, far: F64, near: F64, queue: F64, upper: F64, rate: F64, sight: F64, beyond: F64, total: F64, arrivals: F64
) -> None:
    """State from the rings: `total` (L,) queue, `arrivals` (L, T); past `sight` (L,) [s] what is `beyond` (L, T), at least nothing."""
    lanes, ring = far.shape
    for lane in range(lanes):
        total[lane] = queue[lane] + upper[lane]
        for h in range(arrivals.shape[1]):
            come = 0.0
            if h + 1 < ring:
                at = (now + 1 + h) % ring
                come = far[lane, at] + near[lane, at]
            if h >= sight[lane]:
                come += beyond[lane, h]
            arrivals[lane, h] = come


@kernel
def learn_shares(
    source: F64,
    target: F64,
    begin: I32,
    to: I32,
    share: F64,
    first: int,
    last: int,
    speed: float,
    error: F64,
    sums: bool,
) -> None:
    """One normalised gradient step of target[to] = sum share * source, for sources `first`..`last`-1, then back onto the simplex.

    `source` (D,) and `target` (n,) are running means of the same memory; Cremer and Keller (1987). With `sums` the shares of a source add
    up to one, else to no more than one.
    """
    for n in range(target.shape[0]):
        error[n] = target[n]
    power = 1e-4
    for d in range(first, last):
        power += source[d] * source[d]
        for k in range(begin[d], begin[d + 1]):
            error[to[k]] -= share[k] * source[d]
    for d in range(first, last):
        total = 0.0
        for k in range(begin[d], begin[d + 1]):
            share[k] = max(share[k] + speed * source[d] * error[to[k]] / power, 0.0)
            total += share[k]
        if total > 0.0 and (sums or total > 1.0):
            for k in range(begin[d], begin[d + 1]):
                share[k] /= total
