"""A second of one intersection's estimator, whole, in one call: health, queues and arrivals, what is learnt, who calls, where is room.

The arrays are those of `book` and, from `LIMITS` on, those of `health`.
"""

from __future__ import annotations

import math

from . import book, kernel
from .account import settle
from .book import EXIT, F64, I32, STOP, Bools
from .estimate import advance_time, come, go, outlook, stand
from .health import judge
from .learning import learn, see

SOME_CYCLES, FEW = 480.0, 30.0
"""Seconds over which what comes off a junction is compared with what went onto it, and vehicles from which on their ratio is believed."""
MISSED, MANY, UNSURE = 0.1, 8.0, 1.5
"""Part of the vehicles that sound loops may miss on one side of it; vehicles above which it is not believed that they stand there;
[veh] by which each loop at a stop line that is not believed makes its count unsure."""
FULL_AFTER, FULL_FOR = 3.0, 3.0
"""Seconds its loops are occupied after which an exit is full, and for which it is then expected to stay so."""
SHORT = 3.0
"""[veh] of capacity for each of its loops up to which an exit is short: nobody can change lanes there who finds his own taken."""
LITTLE_ROOM, OFTEN = 1.0, 0.3
"""[veh] of room below which an exit takes nobody, and the turning share from which that closes a lane."""
SOON, WANTED = 6, 0.3
"""Seconds of arrivals that count with the queue, and vehicles from which a lane calls."""
SHORT_MEMORY, LONG_MEMORY = 20.0, 300.0
"""Seconds the mean rates begin and end with."""


@kernel(lean=True)
def greens(lane_rows: I32, lane_groups: Bools, groups: Bools, whole: Bools) -> None:
    """Which lanes have some and which all of their movements green, and whether these give way; `whole` (L,) says which have all."""
    for lane in range(whole.shape[0]):
        some, every, gives_way = False, True, False
        for g in range(groups.shape[1]):
            green = groups[book.GROUP_GREEN, g]
            if lane_groups[book.OF, lane, g]:
                some |= green
                every &= green
            gives_way |= green and lane_groups[book.AGAINST, lane, g]
        whole[lane] = some and every
        lane_rows[book.GREEN, lane] = 0 if not some else 2 if every and not gives_way else 1


@kernel(lean=True)
def calls(interval: float, lanes: F64, lane_rows: I32, loops: F64, lane_groups: Bools, groups: Bools, red: F64,
          arrivals: F64) -> None:  # fmt: skip
    """Who has demand, and how long each group has been red with it."""
    for g in range(groups.shape[1]):
        groups[book.CALLS, g] = groups[book.RECALLED, g]
    for lane in range(lanes.shape[1]):
        stop = lane_rows[book.STOP_OF, lane]
        if stop >= 0:
            lanes[book.OCCUPIED, lane] = loops[book.OCCUPANCY, stop]
        soon = 0.0
        for h in range(SOON):
            soon += arrivals[lane, h]
        if lanes[book.TOTAL, lane] + soon > WANTED or lanes[book.OCCUPIED, lane] > 0.0:
            for g in range(groups.shape[1]):
                groups[book.CALLS, g] |= lane_groups[book.OF, lane, g]
    for g in range(groups.shape[1]):
        if groups[book.GROUP_GREEN, g]:
            red[g] = 0.0
        elif groups[book.CALLS, g]:
            red[g] += interval


@kernel(lean=True)
def rooms(lanes: F64, loops: F64, loop_rows: I32, turns: I32, turn_share: F64, exits: F64) -> None:
    """Exits whose loops all stand occupied are full, short ones as soon as one does: the lanes that lead there discharge nothing."""
    way, room, closed = loop_rows[book.WAY], exits[book.ROOM], lanes[book.CLOSED]
    for lane in range(lanes.shape[1]):
        closed[lane] = lanes[book.STALLED, lane]
    for k in range(room.shape[0]):
        stand, watched = 0, 0
        for d in range(way.shape[0]):
            if way[d] == k:
                watched += 1
                stand += loops[book.STANDING, d] >= FULL_AFTER
        many = 1 if exits[book.CAPACITY, k] <= SHORT * watched else watched
        room[k] = 0.0 if watched > 0 and stand >= many else exits[book.CAPACITY, k]
    for k in range(turn_share.shape[0]):
        if room[turns[book.TURN_EXIT, k]] < LITTLE_ROOM and turn_share[k] > OFTEN:
            lane = turns[book.TURN_LANE, k]
            closed[lane] = max(closed[lane], FULL_FOR)


@kernel(lean=True)
def inside(
    seconds: int,
    lanes: F64,
    loops: F64,
    loop_rows: I32,
    turns: I32,
    turn: I32,
    turn_share: F64,
    exits: F64,
    memory: F64,
) -> None:
    """Vehicles that should have left the junction and have not, by what went onto it and came off it since it was last empty.

    Loops miscount, so what went onto it counts by the part of it that comes off over some cycles, and more than was there when it was last
    empty cannot be told from the sum of all that was counted. It cannot be told at all, and is nan, where an exit has no loops that can all
    be believed, where that part is not near one, or while more would stand there than is likely: a loop that fails unnoticed.
    """
    way, kind, vehicles = loop_rows[book.WAY], loop_rows[book.KIND], loop_rows[book.VEHICLES]
    lately, due = memory[book.LATELY : book.DUE], memory[book.DUE :]
    size, over, onto, unsure, told = due.shape[0], 0.0, 0.0, 0.0, True
    memory[book.PENDING] -= due[seconds % size]
    due[seconds % size] = 0.0
    for k in range(exits.shape[1]):
        told &= exits[book.WATCHED, k] > 0.0
    for d in range(way.shape[0]):
        if kind[d] == EXIT and way[d] >= 0:
            over += vehicles[d]
        if kind[d] == STOP and loops[book.TRUST, d] <= 0.0:
            unsure += UNSURE
    over_time, part = min(seconds, SOME_CYCLES), 1.0
    went = memory[book.ONTO] * over_time
    if went >= FEW:
        part = (memory[book.OVER] * over_time + memory[book.ON_WAY]) / went
    for lane in range(lanes.shape[1]):
        if lanes[book.CROSSED, lane] > 0.0:
            for k in range(turn[lane], turn[lane + 1]):
                to = turns[book.TURN_EXIT, k]
                here = lanes[book.CROSSED, lane] * turn_share[k]
                due[(seconds + int(exits[book.ACROSS, to])) % size] += here * part
                onto += here
    memory[book.PENDING] += onto * part
    memory[book.CROSSING] += onto * part - over
    lately[seconds % lately.shape[0]] = memory[book.CROSSING]
    empty = memory[book.CROSSING]
    for k in range(lately.shape[0]):
        empty = min(empty, lately[k])
    weight = 1.0 / over_time
    memory[book.ONTO] += (onto - memory[book.ONTO]) * weight
    memory[book.OVER] += (over - memory[book.OVER]) * weight
    memory[book.ON_WAY] = memory[book.CROSSING] - empty
    standing = max(memory[book.ON_WAY] - memory[book.PENDING], 0.0)
    told &= abs(part - 1.0) <= MISSED and standing <= MANY
    memory[book.INSIDE] = max(standing - unsure, 0.0) if told else math.nan


@kernel(lean=True)
def second(
    now: int, interval: float,
    lanes: F64, lane_rows: I32, loops: F64, loop_rows: I32, links: F64, link: I32, lane_of: I32, rings: F64, past: F64,
    feeds: I32, turns: I32, turn: I32, turn_share: F64, exits: F64, uses: Bools, turning: F64, lane_groups: Bools, groups: Bools, red: F64,
    arrivals: F64, memory: F64, worth: F64, spill: F64, error: F64, whole: Bools, reported: Bools,
    limits: F64, stops: Bools, exiting: Bools, lane: I32, partner: I32, symptoms: F64, fault: I32, trust: F64,
) -> bool:  # fmt: skip
    """The state after one more interval [s] that ended at `now`; true when other loops are believed than before.

    VEHICLES, OCCUPANCY, `reported` and GROUP_GREEN are what is new; `spill` (S,), `error`, `whole` (L,) are working memory.
    """
    memory[book.SECONDS] += 1.0
    seconds = int(memory[book.SECONDS])
    greens(lane_rows, lane_groups, groups, whole)
    judge(
        interval, seconds, loop_rows[book.VEHICLES], loops[book.OCCUPANCY], reported, whole,
        limits, stops, exiting, lane, partner, symptoms, fault, trust,
    )  # fmt: skip
    changed = False
    for d in range(trust.shape[0]):
        changed |= loops[book.TRUST, d] != trust[d]
        loops[book.TRUST, d] = trust[d]
    if changed:
        see(lanes, loops, loop_rows, links, link, lane_of, exits, worth)
    mean = max(1.0 / LONG_MEMORY, 1.0 / (seconds + SHORT_MEMORY))
    stand(lanes, lane_rows, loops, loop_rows)
    advance_time(now, lanes, lane_rows, loops, rings, spill)
    come(now, lanes, lane_rows, loops, loop_rows, links, link, lane_of, rings)
    go(now, mean, lanes, lane_rows, loops, loop_rows, rings, spill)
    settle(lanes, lane_rows, loops, loop_rows, rings)
    learn(
        seconds, lanes, loops, loop_rows, links, link, lane_of, past, feeds, turns, turn, turn_share, exits, uses, turning, error
    )  # fmt: skip
    outlook(now, lanes, lane_rows, rings, arrivals)
    calls(interval, lanes, lane_rows, loops, lane_groups, groups, red, arrivals)
    rooms(lanes, loops, loop_rows, turns, turn_share, exits)
    inside(seconds, lanes, loops, loop_rows, turns, turn, turn_share, exits, memory)
    return changed
