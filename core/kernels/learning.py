"""What the estimator learns: lane shares of the loops upstream, turning shares, saturation flows, and what believed loops can tell.

The arrays are those of `book`.
"""

from __future__ import annotations

from . import book, kernel
from .book import ADVANCE, ENTRANCE, F64, I32, MIDDLE, STOP, Bools

QUICK, SLOW = 1.0 / 12.0, 1.0 / 150.0
"""Weights of a second in running means: over the seconds between two loops, and over some cycles."""
TURNS_EVERY, SHARES_EVERY = 10, 3
TURN_STEP, SHARE_STEP = 0.03, 0.02
PRIOR_FLOW = 60.0
"""Seconds of discharge the assumed saturation flow counts for against what is seen."""
LEAST_FLOW, MOST_FLOW = 0.3, 0.65
"""Saturation flows believed [veh/s]."""
MOST = 0.5
"""Share of what a lane's loops of one kind were first assumed to see of it that believed ones must see: who changes lanes is not all."""


@kernel(lean=True)
def learn_shares(
    source: F64,
    target: F64,
    told: F64,
    begin: I32,
    to: I32,
    share: F64,
    rows: I32,
    speed: float,
    error: F64,
    spare: float,
) -> None:
    """One normalised gradient step of target[to] = sum share * source, for sources `rows[0]`..`rows[1]`-1, then back onto the simplex.

    `source` (D,) and `target` (n,) are running means of the same memory; Cremer and Keller (1987). `told` (n,) is 1 where a target can
    be believed; nothing is learnt from others. Shares of a source that add up to more than `spare` are made to add up to one: 0 always,
    1 if they are too large. `error` (n,) is working memory.
    """
    first, last = rows[0], rows[1]
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
        if total > spare:
            for k in range(begin[d], begin[d + 1]):
                share[k] /= total


@kernel(lean=True)
def leave(told: F64, link: I32, lane_of: I32, links: F64, rows: I32) -> None:
    """Of sources `rows[0]`..`rows[1]`-1, what lanes that can be believed do not take is left to the others, as it was first assumed."""
    share, first = links[book.SHARE], links[book.FIRST]
    for d in range(rows[0], rows[1]):
        left, others = 0.0, 0.0
        for k in range(link[d], link[d + 1]):
            left += first[k]
            if told[lane_of[k]] > 0.0:
                left -= share[k]
            else:
                others += first[k]
        for k in range(link[d], link[d + 1]):
            if told[lane_of[k]] <= 0.0:
                share[k] = first[k] * max(left, 0.0) / others


@kernel(lean=True)
def learn(
    seconds: int, lanes: F64, loops: F64, loop_rows: I32, links: F64, link: I32, lane_of: I32, past: F64,
    feeds: I32, turns: I32, turn: I32, turn_share: F64, exits: F64, uses: Bools, turning: F64, error: F64,
) -> None:  # fmt: skip
    """Running means, and from them at times the lane shares of the loops upstream and the turning shares."""
    kind, way, delay, vehicles = (
        loop_rows[book.KIND], loop_rows[book.WAY], loop_rows[book.DELAY], loop_rows[book.VEHICLES]
    )  # fmt: skip
    seen, entered = loops[book.SEEN], exits[book.ENTERED]
    for k in range(entered.shape[0]):
        error[k] = 0.0
    kept = past.shape[0]
    now = seconds % kept
    for d in range(kind.shape[0]):
        past[now, d] = vehicles[d] if loops[book.TRUST, d] > 0.0 else 0.0
        due = past[now - delay[d] if now >= delay[d] else now - delay[d] + kept, d]
        seen[d] += (due - seen[d]) * (SLOW if kind[d] == ADVANCE else QUICK)
        if way[d] >= 0:
            error[way[d]] += vehicles[d]
    for k in range(entered.shape[0]):
        entered[k] += (error[k] - entered[k]) * QUICK
    arrived, served, left = lanes[book.ARRIVED], lanes[book.SERVED], lanes[book.LEFT]
    for lane in range(lanes.shape[1]):
        arrived[lane] += (lanes[book.CAME, lane] - arrived[lane]) * QUICK
        served[lane] += (lanes[book.DEPARTED, lane] - served[lane]) * SLOW
        left[lane] += (lanes[book.DEPARTED, lane] - left[lane]) * QUICK
    if seconds % TURNS_EVERY == 0:
        learn_shares(
            left, entered, exits[book.WATCHED], turn, turns[book.TURN_EXIT], turn_share, feeds[book.TURNS], TURN_STEP, error, 0.0
        )  # fmt: skip
        set_turning(turns, turn_share, uses, turning)
        for lane in range(lanes.shape[1]):
            time = lanes[book.FLOW_TIME, lane]
            flow = lanes[book.FLOW, lane] if time > 0.0 else 0.0
            rate = (lanes[book.ASSUMED, lane] * PRIOR_FLOW + flow) / (PRIOR_FLOW + time)
            lanes[book.SATURATION, lane] = min(max(rate, LEAST_FLOW), MOST_FLOW)
    if seconds % SHARES_EVERY == 0:
        checked, told = lanes[book.CHECKED], lanes[book.TOLD]
        for feed, target, sure in (
            (book.FROM_ENTRANCES, arrived, checked), (book.FROM_MIDDLES, arrived, checked), (book.FROM_ADVANCES, served, told)
        ):  # fmt: skip
            learn_shares(seen, target, sure, link, lane_of, links[book.SHARE], feeds[feed], SHARE_STEP, error, 1.0)
            if feed != book.FROM_ADVANCES:
                leave(sure, link, lane_of, links, feeds[feed])


@kernel(lean=True)
def set_turning(turns: I32, turn_share: F64, uses: Bools, turning: F64) -> None:
    """`turning` (L, M) from the shares learnt; where nothing can be, the movements of a lane share alike."""
    lanes, movements = turning.shape
    turning[:] = 0.0
    for k in range(turn_share.shape[0]):
        turning[turns[book.TURN_LANE, k], turns[book.TURN_MOVEMENT, k]] += turn_share[k]
    for lane in range(lanes):
        total, used = 0.0, 0
        for m in range(movements):
            total += turning[lane, m]
            used += uses[lane, m]
        for m in range(movements):
            if total > 0.0:
                turning[lane, m] /= total
            else:
                turning[lane, m] = uses[lane, m] / max(used, 1)


@kernel(lean=True)
def see(lanes: F64, loops: F64, loop_rows: I32, links: F64, link: I32, lane_of: I32, exits: F64, worth: F64) -> None:
    """What each lane's believed loops can tell: how far they see, whether one checks another, and how sure we are; and which exits
    have loops that can all be believed. Where a lane's advance loops or its stop line fail, what was lately learnt from them was wrong: it
    gets its shares of the loops above those as they were first assumed.

    `worth` (5,) is what a believed loop of each kind adds to the confidence in its lanes.
    """
    sight, checked, blind = lanes[book.SIGHT], lanes[book.CHECKED], lanes[book.BLIND]
    kind, trust, confidence = loop_rows[book.KIND], loops[book.TRUST], lanes[book.CONFIDENCE]
    was, told = lanes[book.WAS_CHECKED], lanes[book.TOLD]
    for lane in range(lanes.shape[1]):
        was[lane], lanes[book.WAS_TOLD, lane] = checked[lane], told[lane]
    sight[:], checked[:], told[:], lanes[book.SORTED] = 0.0, 0.0, 0.0, 0.0
    weight, believed = lanes[book.WEIGHT], lanes[book.BELIEVED]
    weight[:], believed[:] = 0.0, 0.0
    for d in range(kind.shape[0]):
        for k in range(link[d], link[d + 1]):
            lane = lane_of[k]
            share = worth[kind[d]]
            if kind[d] != STOP:
                share *= links[book.SHARE, k]
            weight[lane] += share
            if trust[d] > 0.0:
                believed[lane] += share
                if kind[d] == STOP:
                    told[lane] = 1.0
    for lane in range(lanes.shape[1]):
        for sort in (ENTRANCE, MIDDLE, ADVANCE):
            whole, seen, lag = 0.0, 0.0, 0.0
            for d in range(kind.shape[0]):
                if kind[d] == sort:
                    for k in range(link[d], link[d + 1]):
                        if lane_of[k] == lane:
                            whole += links[book.FIRST, k]
                            if trust[d] > 0.0:
                                seen += links[book.FIRST, k]
                                lag = max(lag, links[book.LAG, k])
            if seen == 0.0 or seen < MOST * whole:
                continue
            sight[lane] = max(sight[lane], lag)
            if sort == ADVANCE:
                checked[lane] = 1.0
            elif sort == MIDDLE:
                lanes[book.SORTED, lane] = 1.0
    for d in range(kind.shape[0]):
        if kind[d] != STOP:
            before, now = (lanes[book.WAS_TOLD], told) if kind[d] == ADVANCE else (was, checked)
            for k in range(link[d], link[d + 1]):
                if before[lane_of[k]] > 0.0 and now[lane_of[k]] <= 0.0:
                    links[book.SHARE, k] = links[book.FIRST, k]
    way, watched = loop_rows[book.WAY], exits[book.WATCHED]
    for k in range(watched.shape[0]):
        watched[k] = 0.0
        for d in range(way.shape[0]):
            if way[d] == k:
                watched[k] = 1.0
        for d in range(way.shape[0]):
            if way[d] == k and trust[d] <= 0.0:
                watched[k] = 0.0
    for lane in range(lanes.shape[1]):
        blind[lane] = 1.0 if sight[lane] == 0.0 and weight[lane] > 0.0 else 0.0
        confidence[lane] = believed[lane] / weight[lane] if weight[lane] > 0.0 else 0.0
