"""One second of what is thought to be on the way to a stop line: loops in, queues and arrivals out.

A lane's traffic is followed through three stretches: from its entrance loops (ring `far`, expected arrivals by second) to its middle
loops (ring `mid`) and on to its advance loops (`upper`, vehicles that stand upstream of those), and from there to the stop line (ring
`near`, `queue`).
The arrays are those of `book`.
"""

from __future__ import annotations

from . import book, kernel
from .book import ADVANCE, ENTRANCE, F64, I32, MIDDLE

STANDS = 0.999
STANDS_STILL = 2.0
"""Seconds its stop loop has been occupied after which whoever was thought to have left over it still stands there."""
PATIENCE = 4
"""Seconds a vehicle may be late at a loop before it is not waited for there any more."""
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
MOVES_UP = 1.0 / 7.0
"""Weight of a second in who left of late: after some seven the queue has moved up as far as an advance loop."""
REACHES, COVERED = 2.0, 4.0
"""Seconds a lane's own advance loop stands occupied after which its queue reaches there, whatever the stop line says; and after which all
the road between is full, if somebody is at the stop line."""
RECENT, AT_ONCE = 6.0, 4.0
"""Seconds within which one was expected who leaves unexpectedly, and who stands unexpectedly."""
MORE = 0.5
"""Vehicles still expected behind one that followed another closely, whatever was counted upstream."""
SLOWS, HELD_UP = 0.5, 0.8
"""Share of the room below an advance loop from which a queue slows who is still above it, and the part of those overdue there of whom one
second more does not tell that they went another way."""
UNKNOWN = 0.06
"""[veh/s] that come at least by a lane whose loops tell nothing: nobody waits there for ever."""
UNDER_WAY, SEVERAL = 6.0, 1.9
"""Seconds and vehicles from which a queue that nobody hinders leaves at its saturation flow; those it gave way to have passed by then."""
STANDS_THERE = 4.0
"""Seconds its entrance loop stands occupied after which a queue reaches there, a lane's whose advance loop stood as long."""
STUCK = 4.0
"""Seconds of green without a movement after which a lane is held for blocked."""
SETBACK, LONGEST_SETBACK = 8.0, 40.0
"""Seconds for which a blocked lane is expected to stay so; half as much more each time it was in vain."""


@kernel(lean=True)
def blocked(lane: int, queue: F64, own: I32, standing: F64, storage: F64) -> bool:
    """Whether the lane's queue reaches its advance loop."""
    enough = 1.0 if own[lane] >= 0 and standing[own[lane]] >= REACHES else storage[lane]
    return bool(queue[lane] >= enough)


@kernel(lean=True)
def reaches_up(lane: int, queue: F64, own: I32, standing: F64, trust: F64) -> bool:
    """Whether a queue that stands over an entrance loop of the lane's may be this lane's."""
    unseen = own[lane] < 0 or trust[own[lane]] <= 0.0
    return bool(unseen or (standing[own[lane]] >= STANDS_THERE and queue[lane] >= 1.0))


@kernel(lean=True)
def put(ring: F64, now: int, lag: float, mass: float) -> None:
    """In a lane's ring expect `mass` at the stop line `lag` seconds from now, shared between the two whole seconds beside it."""
    size = ring.shape[0]
    lag = min(max(lag, 1.0), size - 2.0)
    whole = int(lag)
    part = lag - whole
    ring[(now + whole) % size] += mass * (1.0 - part)
    ring[(now + whole + 1) % size] += mass * part


@kernel(lean=True)
def take(ring: F64, now: int, until: float, mass: float) -> float:
    """Take up to `mass` of what a lane's ring expects within `until` whole seconds, the earliest first; returns what it lacks."""
    size = ring.shape[0]
    at = now % size
    for _ in range(min(int(until), size - 1) + 1):
        if mass <= 0.0:
            break
        part = min(ring[at], mass)
        ring[at] -= part
        mass -= part
        at = at + 1 if at + 1 < size else 0
    return mass


@kernel(lean=True)
def advance_time(now: int, lanes: F64, lane_rows: I32, loops: F64, rings: F64, spill: F64) -> None:
    """What was due this second arrives. What the next loop should have seen by now, and did not, stands above the advance loop, if a
    queue stands over that; or above that of another lane of the approach where one does; else it went another way and is dropped.
    """
    queue, upper, fresh = lanes[book.QUEUE], lanes[book.UPPER], lanes[book.FRESH]
    late, storage, checked = lanes[book.LATE], lanes[book.STORAGE], lanes[book.CHECKED]
    midway, sorted_ = lanes[book.MIDWAY], lanes[book.SORTED]
    own, side, standing = lane_rows[book.OWN], lane_rows[book.SIDE], loops[book.STANDING]
    size = rings.shape[2]
    at = now % size
    spill[:] = 0.0
    for lane in range(queue.shape[0]):
        fresh[lane] -= 1.0
        for ring in range(book.FAR, book.NEAR + 1):
            ahead = 0.0
            if ring != book.NEAR and checked[lane] > 0.0:
                ahead = late[lane]
            if ring == book.FAR and sorted_[lane] > 0.0:
                ahead = midway[lane]
            if ahead > 0.0:
                overdue = (now + max(int(ahead + 0.5) - PATIENCE, 0)) % size
                missing = rings[ring, lane, overdue]
                rings[ring, lane, overdue] = 0.0
                if checked[lane] > 0.0 and blocked(lane, queue, own, standing, storage):
                    upper[lane] += missing
                else:
                    spill[side[lane]] += missing
            else:
                queue[lane] += rings[ring, lane, at]
                if rings[ring, lane, at] > 0.2:
                    fresh[lane] = STOPPING
                rings[ring, lane, at] = 0.0
    for lane in range(queue.shape[0]):
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


@kernel(lean=True)
def come(
    now: int, lanes: F64, lane_rows: I32, loops: F64, loop_rows: I32, links: F64, link: I32, lane_of: I32, rings: F64
) -> None:  # fmt: skip
    """Who is counted upstream is expected at the stop line, further down more surely; a queue over an entrance loop is whose it can be."""
    far, mid, near = rings[book.FAR], rings[book.MID], rings[book.NEAR]
    queue, upper, came, own = lanes[book.QUEUE], lanes[book.UPPER], lanes[book.CAME], lane_rows[book.OWN]
    standing, trust = loops[book.STANDING], loops[book.TRUST]
    kind, vehicles = loop_rows[book.KIND], loop_rows[book.VEHICLES]
    lag, share, head = links[book.LAG], links[book.SHARE], links[book.HEAD]
    for d in range(kind.shape[0]):
        if kind[d] == ENTRANCE and standing[d] >= STANDS_THERE and trust[d] > 0.0:
            among = 0.0
            for k in range(link[d], link[d + 1]):
                if reaches_up(lane_of[k], queue, own, standing, trust):
                    among += share[k]
            for k in range(link[d], link[d + 1]):
                lane = lane_of[k]
                if share[k] > 0.0 and reaches_up(lane, queue, own, standing, trust):
                    upper[lane] = max(upper[lane], head[k] * share[k] / among)
        if vehicles[d] == 0 or trust[d] <= 0.0:
            continue
        if kind[d] == ENTRANCE:
            for k in range(link[d], link[d + 1]):
                put(far[lane_of[k]], now, lag[k], vehicles[d] * share[k])
        elif kind[d] == MIDDLE:
            for k in range(link[d], link[d + 1]):
                lane = lane_of[k]
                mass = vehicles[d] * share[k]
                put(mid[lane], now, lag[k], mass)
                take(far[lane], now, float(int(lag[k]) + EARLY), mass)
        elif kind[d] == ADVANCE:
            for k in range(link[d], link[d + 1]):
                lane = lane_of[k]
                mass = vehicles[d] * share[k]
                came[lane] += mass
                put(near[lane], now, lag[k], mass)
                from_upper = min(upper[lane], mass)
                upper[lane] -= from_upper
                short = take(mid[lane], now, float(int(lag[k]) + EARLY), mass - from_upper)
                take(far[lane], now, float(int(lag[k]) + EARLY), short)


@kernel(lean=True)
def go(
    now: int, memory: float, lanes: F64, lane_rows: I32, loops: F64, loop_rows: I32, rings: F64, spill: F64
) -> None:  # fmt: skip
    """What the stop line says of each lane's queue; one that no loop sees leaves at saturation in green, and all of it moves up.

    `memory` is the weight of this second in the mean rate of departures.
    """
    queue, upper, on_stop, greened = lanes[book.QUEUE], lanes[book.UPPER], lanes[book.ON_STOP], lanes[book.GREENED]
    departed, rate, flow, flow_time = lanes[book.DEPARTED], lanes[book.RATE], lanes[book.FLOW], lanes[book.FLOW_TIME]
    pace, fresh, stuck, stalled = lanes[book.PACE], lanes[book.FRESH], lanes[book.STUCK], lanes[book.STALLED]
    setback, gap, saturation, blind = lanes[book.SETBACK], lanes[book.GAP], lanes[book.SATURATION], lanes[book.BLIND]
    crossed, back = lanes[book.CROSSED], lanes[book.BACK]
    late, storage, above, set_off = lanes[book.LATE], lanes[book.STORAGE], lanes[book.ABOVE], lanes[book.SET_OFF]
    stop_of, own = lane_rows[book.STOP_OF], lane_rows[book.OWN]
    side, green = lane_rows[book.SIDE], lane_rows[book.GREEN]
    occupancy, trust, vehicles = loops[book.OCCUPANCY], loops[book.TRUST], loop_rows[book.VEHICLES]
    standing, silent = loops[book.STANDING], loops[book.SILENT]
    far, mid, near = rings[book.FAR], rings[book.MID], rings[book.NEAR]
    for lane in range(queue.shape[0]):
        queue[lane] += blind[lane] * max(rate[lane], UNKNOWN)
        departed[lane] = 0.0
        d = stop_of[lane]
        since = gap[lane]
        gap[lane] += 1.0
        upper[lane] = min(upper[lane], above[lane])
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
                    short = take(near[lane], now, RECENT, short)
                    short = take(mid[lane], now, RECENT, short)
                    take(far[lane], now, RECENT, short)
                if queue[lane] < MORE and green[lane] > 0 and since < 3.0:
                    queue[lane] = MORE
            if stays > 0.0 and queue[lane] < 1.0:
                take(near[lane], now, AT_ONCE, 1.0 - queue[lane])
                queue[lane] = 1.0
            if lanes[book.UNHINDERED, lane] >= UNDER_WAY and was >= SEVERAL and gap[lane] < 3.0:
                flow[lane] = flow[lane] * 0.998 + out
                flow_time[lane] = flow_time[lane] * 0.998 + 1.0
            if out > 0.0:
                stuck[lane] = 0.0
                setback[lane] = SETBACK
                stalled[lane] = 0.0
            elif green[lane] > 0 and greened[lane] >= 4.0 and standing[d] >= 3.0:
                stuck[lane] += 1.0
                if stuck[lane] >= STUCK:
                    stalled[lane] = max(setback[lane], 2.0 * stuck[lane])
            elif green[lane] == 0:
                if stuck[lane] >= STUCK:
                    setback[lane] = min(setback[lane] * 1.5, LONGEST_SETBACK)
                    stalled[lane] = setback[lane]
                stuck[lane] = 0.0
                stalled[lane] = max(stalled[lane] - 1.0, 0.0)
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
            stuck[lane], stalled[lane], on_stop[lane], back[lane] = 0.0, 0.0, 0.0, 0.0
            if green[lane] > 0 and greened[lane] > 2.0:
                out = min(queue[lane], saturation[lane] * (1.0 if green[lane] == 2 else lanes[book.HINDERED, lane]))
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
    for lane in range(queue.shape[0]):
        if spill[side[lane]] > 0.0 and stop_of[lane] >= 0 and standing[stop_of[lane]] >= NOBODY:
            queue[lane] += spill[side[lane]]
            spill[side[lane]] = 0.0
        if queue[lane] > storage[lane] + 1.0:
            if late[lane] > 0.0:
                upper[lane] = min(upper[lane] + queue[lane] - storage[lane] - 1.0, above[lane])
            queue[lane] = storage[lane] + 1.0


@kernel(lean=True)
def stand(lanes: F64, lane_rows: I32, loops: F64, loop_rows: I32) -> None:
    """How long believed loops have stood occupied, and loops seen nothing, and lanes been green; nobody has come this second yet."""
    standing, silent, occupancy = loops[book.STANDING], loops[book.SILENT], loops[book.OCCUPANCY]
    trust = loops[book.TRUST]
    vehicles, greened, green = loop_rows[book.VEHICLES], lanes[book.GREENED], lane_rows[book.GREEN]
    for d in range(vehicles.shape[0]):
        standing[d] = standing[d] + 1.0 if occupancy[d] >= STANDS and trust[d] > 0.0 else 0.0
        silent[d] = silent[d] + 1.0 if occupancy[d] <= 0.0 and vehicles[d] == 0 else 0.0
    for lane in range(green.shape[0]):
        lanes[book.CAME, lane] = 0.0
        greened[lane] = greened[lane] + 1.0 if green[lane] > 0 else 0.0
        lanes[book.UNHINDERED, lane] = lanes[book.UNHINDERED, lane] + 1.0 if green[lane] == 2 else 0.0


@kernel(lean=True)
def outlook(now: int, lanes: F64, lane_rows: I32, rings: F64, arrivals: F64) -> None:
    """From the rings the whole queue, and `arrivals` (L, T); past what the loops see the mean rate comes besides.

    Nobody is expected sooner than he can come whom the next believed loop has not seen, though he is overdue there: he went another
    way, or a queue holds him up.
    """
    size = rings.shape[2]
    for lane in range(arrivals.shape[0]):
        lanes[book.TOTAL, lane] = lanes[book.QUEUE, lane] + lanes[book.UPPER, lane]
        sight, rate = lanes[book.SIGHT, lane], lanes[book.RATE, lane]
        reach = min(lane_rows[book.REACH, lane], arrivals.shape[1])
        at = (now + 1) % size
        passed = int(lanes[book.LATE, lane]) if lanes[book.CHECKED, lane] > 0.0 else 0
        before = int(lanes[book.MIDWAY, lane]) if lanes[book.SORTED, lane] > 0.0 else passed
        still = HELD_UP if lanes[book.TOTAL, lane] >= SLOWS * lanes[book.STORAGE, lane] else 0.0
        overdue, further = 0.0, 0.0
        for h in range(reach):
            coming = rings[book.NEAR, lane, at]
            if h < passed:
                overdue = (overdue + rings[book.MID, lane, at]) * still
            else:
                coming += rings[book.MID, lane, at]
            if h < before:
                further = (further + rings[book.FAR, lane, at]) * still
            else:
                coming += rings[book.FAR, lane, at]
            if h == passed:
                coming += overdue
            if h == before:
                coming += further
            arrivals[lane, h] = coming + rate if h >= sight else coming
            at = at + 1 if at + 1 < size else 0
        for h in range(reach, arrivals.shape[1]):
            arrivals[lane, h] = rate
