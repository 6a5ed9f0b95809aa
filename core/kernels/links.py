"""Cyclic link profiles: what eight plans at once do to the traffic of a network, below saturation.

Every link of the network is a stream of traffic with a stop line. Time runs in bins of one second round the common
cycle. One *solution* of a link: arrivals are the departures upstream, shifted by the travel time and smoothed by
platoon dispersion (Robertson 1969), brought to their periodic state; the queue runs once round the cycle to find its
periodic state (for a queue emptied once a cycle one round is exact) and once more to be measured: it is what has come
less what could go, less the deepest that balance has been, so that a bin waits for one addition only. One *sweep* solves
every link from the departures of the sweep before (Jacobi), so after k sweeps a link knows the plans of k - 1
intersections upstream, and a change at one intersection reaches only the links found in `Network.reach`.

The value of a plan is a mean number of vehicles [veh]: weighted queues, plus random and oversaturation queue
(the sheared formula of TRANSYT: T/4 ((f-F) + sqrt((f-F)^2 + 4 f/T)), computed without its cancellation as
T/2 max(f-F, 0) + f / (|f-F| + sqrt(...))), plus stops, plus a square on storage that is exceeded.

Symbols: q queue [veh], e arrivals [veh/s], go discharge possible [veh/s], C cycle [s] = number of bins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import kernel
from .layout import F32, I32, Network, Scratch
from .wide import WIDTH, below, fused, larger, load, ratio, root, size, smaller, splat, store


@kernel(inline=True)
def set_windows(
    net: Network, node: int, cycle: int, stage: I32, offset: F32, green: F32, begin: F32, end: F32,
    middle: F32, half: F32, used: I32,
) -> None:  # fmt: skip
    """Green windows of the links of one intersection under eight plans with the same order of stages.

    stage : (n_slots,) the order; offset : (8,) [s]; green : flat (n_slots, 8) [s]. A plan's zero is the start of its
    first interstage. Written: middle, half : flat (n_windows, 8) [s], used : (n_layers,). begin, end : scratch.
    """
    slots = net.slot_first[node + 1] - net.slot_first[node]
    table = net.interstage_first[node]
    repeats = net.repeats[node]
    own_cycle = np.float32(cycle) / np.float32(repeats)
    time = load(offset, 0)
    for k in range(slots):
        before = stage[k - 1] if k > 0 else stage[slots - 1]
        time = time + splat(net.interstage[table + before * slots + stage[k]])
        store(begin, k * WIDTH, time)
        time = time + load(green, k * WIDTH)
        store(end, k * WIDTH, time)
    for at in range(net.node_first[node], net.node_first[node + 1]):
        link = net.node_link[at]
        for layer in range(net.layer_first[link], net.layer_first[link + 1]):
            stages = net.layer_stages[layer]
            window = net.window_first[layer]
            red = -1
            for k in range(slots):
                if (stages >> stage[k]) & 1 == 0:
                    red = k
            if red < 0:
                store(middle, window * WIDTH, splat(np.float32(0.5) * np.float32(cycle)))
                store(half, window * WIDTH, splat(np.float32(0.5) * np.float32(cycle) + np.float32(1.0)))
                window += 1
            running = False
            opened = splat(np.float32(0.0))
            for step in range(1, slots + 1 if red >= 0 else 0):
                later = red + step >= slots
                k = red + step - slots if later else red + step
                shift = own_cycle if later else np.float32(0.0)
                going = (stages >> stage[k]) & 1 == 1
                if going and not running:
                    opened = load(begin, k * WIDTH) + splat(shift + net.layer_loss[layer])
                if running and not going:
                    last = k - 1 if k > 0 else slots - 1
                    passed = own_cycle if later and k > 0 else np.float32(0.0)
                    shut = load(end, last * WIDTH) + splat(passed + net.layer_gain[layer])
                    length = larger(shut - opened, splat(np.float32(0.0)))
                    for turn in range(repeats):
                        centre = fused(splat(np.float32(0.5)), length, opened + splat(np.float32(turn) * own_cycle))
                        rounds = below(centre * splat(np.float32(1.0) / np.float32(cycle)))
                        store(middle, window * WIDTH, centre - rounds * splat(np.float32(cycle)))
                        store(half, window * WIDTH, splat(np.float32(0.5)) * length)
                        window += 1
                running = going
            used[layer] = window - net.window_first[layer]


@kernel(inline=True)
def discharge(net: Network, link: int, cycle: int, middle: F32, half: F32, used: I32, go: F32) -> None:
    """Discharge possible in each bin: the overlap of the bin with the green windows of all layers."""
    for t in range(cycle):
        store(go, t * WIDTH, splat(np.float32(0.0)))
    for layer in range(net.layer_first[link], net.layer_first[link + 1]):
        for window in range(net.window_first[layer], net.window_first[layer] + used[layer]):
            arm = load(half, window * WIDTH)
            start, most, reach, slope = _edges(load(middle, window * WIDTH), arm, net.layer_rate[layer])
            clock, one = start, splat(np.float32(1.0))
            for t in range(cycle):
                let = _overlap(clock, most, reach, slope, cycle)
                clock = clock + one
                store(go, t * WIDTH, load(go, t * WIDTH) + let)


@kernel(inline=True)
def _edges(centre: Any, arm: Any, rate: np.float32) -> Any:
    most = smaller(arm + arm, splat(np.float32(1.0))) * splat(rate)
    reach = (arm + splat(np.float32(0.5))) * splat(rate)
    return splat(np.float32(0.5)) - centre, most, reach, splat(-rate)


@kernel(inline=True)
def _overlap(clock: Any, most: Any, reach: Any, slope: Any, cycle: int) -> Any:
    """What a green window lets go in a bin `clock` [s] from its middle: the window's half less the way round the cycle, clipped."""
    away = size(clock)
    near = smaller(away, splat(np.float32(cycle)) - away)
    return smaller(larger(fused(slope, near, reach), splat(np.float32(0.0))), most)


@kernel(inline=True)
def _capacity(net: Network, link: int, cycle: int, half: F32, used: I32) -> Any:
    """What the green windows let go in a cycle [veh]; a window's bins sum to its length exactly."""
    total = splat(np.float32(0.0))
    for layer in range(net.layer_first[link], net.layer_first[link + 1]):
        for window in range(net.window_first[layer], net.window_first[layer] + used[layer]):
            arm = load(half, window * WIDTH)
            total = total + smaller(arm + arm, splat(np.float32(cycle))) * splat(net.layer_rate[layer])
    return total


@kernel(inline=True)
def _mix(arrivals: F32, departures: F32, cycle: int, lag: int, a: int, b: int, c: int, shares: Any) -> None:
    """Add the departures of three links, `lag` bins later, to the arrivals; a, b, c: where they begin."""
    for t in range(cycle):
        k = t - lag if t >= lag else t - lag + cycle
        e = fused(load(departures, a + k * WIDTH), shares[0], load(arrivals, t * WIDTH))
        e = fused(load(departures, b + k * WIDTH), shares[1], e)
        store(arrivals, t * WIDTH, fused(load(departures, c + k * WIDTH), shares[2], e))


@kernel(inline=True)
def arrive(net: Network, link: int, cycle: int, settle: np.float32, departures: F32, arrivals: F32) -> Any:
    """Arrivals of a link, mixed and dispersed, written; returns their sum and the carry into the periodic state.

    The carry is what the first bin still lacks; it fades by 1 - F a bin. A trace of 1e-20 keeps numbers normal.
    """
    f = net.smoothing[link]
    first, last = net.source_first[link], net.source_first[link + 1]
    base = splat(net.entry[link] * f + np.float32(1e-20))
    lag = net.lag[link]
    row = cycle * WIDTH
    keep = splat(np.float32(1.0) - f)
    flow = splat(np.float32(0.0))
    total = flow
    at = first
    if last - first > 3:
        for t in range(cycle):
            store(arrivals, t * WIDTH, base)
        while last - at > 3:
            shares = (splat(net.share[at] * f), splat(net.share[at + 1] * f), splat(net.share[at + 2] * f))
            a, b, c = net.source[at] * row, net.source[at + 1] * row, net.source[at + 2] * row
            _mix(arrivals, departures, cycle, lag, a, b, c, shares)
            at += 3
    if last == first:
        for t in range(cycle):
            flow = fused(keep, flow, base)
            total = total + base
            store(arrivals, t * WIDTH, flow)
    else:
        one, two, three = at, min(at + 1, last - 1), min(at + 2, last - 1)
        share1 = splat(net.share[one] * f)
        share2 = splat(net.share[two] * f if two > one else np.float32(0.0))
        share3 = splat(net.share[three] * f if three > two else np.float32(0.0))
        a, b, c = net.source[one] * row, net.source[two] * row, net.source[three] * row
        begin, end = 0, lag
        shift = (cycle - lag) * WIDTH
        for _ in range(2):
            for t in range(begin, end):
                k = t * WIDTH + shift
                e = load(arrivals, t * WIDTH) if at > first else base
                e = fused(load(departures, a + k), share1, e)
                e = fused(load(departures, b + k), share2, e)
                e = fused(load(departures, c + k), share3, e)
                total = total + e
                flow = fused(keep, flow, e)
                store(arrivals, t * WIDTH, flow)
            begin, end = lag, cycle
            shift = -lag * WIDTH
    return total * splat(np.float32(1.0) / f), flow * splat(settle)


@kernel(inline=True)
def solve(
    net: Network, link: int, cycle: int, hours: np.float32, arrivals: F32, flow: Any, carry: Any, go: F32,
    middle: F32, half: F32, used: I32, departures: F32, at: int, measured: bool, value: F32,
) -> None:  # fmt: skip
    """Departures of one link, or when `measured` its value; flow and carry: see `arrive`; `at`: where departures begin."""
    zero = splat(np.float32(0.0))
    keep = splat(np.float32(1.0) - net.smoothing[link])
    trace = splat(np.float32(1e-20))
    capacity = _capacity(net, link, cycle, half, used)
    served = smaller(ratio(capacity, larger(flow, trace)), splat(np.float32(1.0)))
    balance, deepest = zero, zero
    layer = net.layer_first[link]
    if net.layer_first[link + 1] - layer == 1 and used[layer] == 1:
        window = net.window_first[layer] * WIDTH
        start, most, reach, slope = _edges(load(middle, window), load(half, window), net.layer_rate[layer])
        clock, one = start, splat(np.float32(1.0))
        for t in range(cycle):
            let = _overlap(clock, most, reach, slope, cycle)
            clock = clock + one
            store(go, t * WIDTH, let)
            e = (load(arrivals, t * WIDTH) + carry) * served
            carry = fused(carry, keep, trace)
            store(arrivals, t * WIDTH, e)
            balance = balance + (e - let)
            deepest = smaller(deepest, balance)
    else:
        discharge(net, link, cycle, middle, half, used, go)
        for t in range(cycle):
            e = (load(arrivals, t * WIDTH) + carry) * served
            carry = fused(carry, keep, trace)
            store(arrivals, t * WIDTH, e)
            balance = balance + (e - load(go, t * WIDTH))
            deepest = smaller(deepest, balance)
    q = balance - deepest
    balance, deepest = q, zero
    if not measured:
        for t in range(cycle):
            e = load(arrivals, t * WIDTH)
            let = load(go, t * WIDTH)
            store(departures, at + t * WIDTH, smaller(q + e, let))
            balance = balance + (e - let)
            deepest = smaller(deepest, balance)
            q = balance - deepest
        return
    waiting = zero
    passing = zero
    longest = zero
    for t in range(cycle):
        e = load(arrivals, t * WIDTH)
        let = load(go, t * WIDTH)
        passing = passing + smaller(e, larger(let - q, zero))
        balance = balance + (e - let)
        deepest = smaller(deepest, balance)
        q = balance - deepest
        waiting = waiting + q
        longest = larger(longest, q)
    per_hour = splat(np.float32(3600.0) / np.float32(cycle))
    demand = flow * per_hour
    over = demand - capacity * per_hour
    swing = root(fused(over, over, splat(np.float32(4.0) / hours) * demand)) + size(over)
    random = fused(splat(np.float32(0.5) * hours), larger(over, zero), ratio(demand, larger(swing, trace)))
    excess = larger(longest + random - splat(net.storage[link]), zero)
    mean = splat(np.float32(1.0) / np.float32(cycle))
    worth = splat(net.delay_weight[link]) * fused(waiting, mean, random)
    worth = fused(splat(net.stop_weight[link]) * (flow * served - passing), mean, worth)
    store(value, link * WIDTH, fused(splat(net.spill_weight[link]) * excess, excess, worth))


@kernel(lean=True)
def evaluate(
    net: Network, cycle: int, sweeps: int, hours: float, first: F32, offset: I32, stage: I32, green: I32,
    room: Scratch, value: NDArray[np.float64], by_link: F32,
) -> None:  # fmt: skip
    """Value of each plan, eight at a time; one core.

    hours : period [h] of the random and oversaturation queue; first : (n_links, n_bins) [veh/s] arrivals of the first
    sweep; offset : (n_plans, n_nodes) [s]; green : (n_plans, n_slots) [s] in the order run; stage : (n_blocks, n_slots)
    that order, one for each eight plans; value : (n_plans,) [veh], written; by_link : (n_plans, n_links) [veh]
    of each link, written too unless it has no rows.
    """
    links, nodes, plans = net.lag.size, net.repeats.size, offset.shape[0]
    arrivals, go, worth = room.arrivals, room.go, room.worth
    middle, half, used = room.middle, room.half, room.used
    now, before = room.departures, room.before
    set_settle(net, cycle, room.settle)
    set_always(net, cycle, middle, half, used)
    for block in range((plans + WIDTH - 1) // WIDTH):
        for node in range(nodes):
            a = net.slot_first[node]
            for lane in range(WIDTH):
                plan = min(block * WIDTH + lane, plans - 1)
                room.offset[lane] = offset[plan, node]
                for k in range(net.slot_first[node + 1] - a):
                    room.green[k * WIDTH + lane] = green[plan, a + k]
            order = stage[block, a : net.slot_first[node + 1]]
            set_windows(net, node, cycle, order, room.offset, room.green, room.begin, room.end, middle, half, used)
        for sweep in range(sweeps):
            now, before = before, now
            for link in range(links):
                if sweep == 0:
                    flow = splat(np.float32(0.0))
                    carry = flow
                    for t in range(cycle):
                        e = splat(first[link, t])
                        flow = flow + e
                        store(arrivals, t * WIDTH, e)
                else:
                    flow, carry = arrive(net, link, cycle, room.settle[link], before, arrivals)
                solve(
                    net, link, cycle, np.float32(hours), arrivals, flow, carry, go, middle, half, used, now,
                    link * cycle * WIDTH, sweep == sweeps - 1, worth,
                )  # fmt: skip
        for lane in range(min(WIDTH, plans - block * WIDTH)):
            total = 0.0
            for link in range(links):
                total += np.float64(worth[link * WIDTH + lane])
                if by_link.shape[0] > 0:
                    by_link[block * WIDTH + lane, link] = worth[link * WIDTH + lane]
            value[block * WIDTH + lane] = total


@kernel(inline=True)
def set_always(net: Network, cycle: int, middle: F32, half: F32, used: I32) -> None:
    """Windows of the links that no intersection holds: open all round the cycle."""
    for layer in range(net.layer_stages.size):
        if net.layer_stages[layer] == -1:
            used[layer] = 1
            for lane in range(WIDTH):
                middle[net.window_first[layer] * WIDTH + lane] = np.float32(0.5) * np.float32(cycle)
                half[net.window_first[layer] * WIDTH + lane] = np.float32(0.5) * np.float32(cycle) + np.float32(1.0)


@kernel(inline=True)
def set_settle(net: Network, cycle: int, settle: F32) -> None:
    """What the end of a smoothed cycle adds to its first bin once the state is periodic, as a share of the last bin."""
    for link in range(net.lag.size):
        keep = 1.0 - np.float64(net.smoothing[link])
        settle[link] = keep / (1.0 - keep**cycle)
