"""Slow twins of the planning kernels: plain Python, double precision, written from the definitions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from signalwright.core.kernels.layout import Network
from signalwright.core.kernels.storage import Roads


def windows(
    net: Network, link: int, cycle: int, offset: int, order: Sequence[int], greens: Sequence[int], node: int
) -> list[tuple[float, float, float]]:
    """Green windows of a link as (start, length, rate), from the stages of its intersection as they follow each other."""
    slots = len(order)
    own = cycle / int(net.repeats[node])
    time = float(offset)
    begin, end = [], []
    for k, stage in enumerate(order):
        time += float(net.interstage[net.interstage_first[node] + order[k - 1] * slots + stage])
        begin.append(time)
        time += greens[k]
        end.append(time)
    found = []
    for layer in range(net.layer_first[link], net.layer_first[link + 1]):
        rate = float(net.layer_rate[layer])
        on = [bool(int(net.layer_stages[layer]) >> stage & 1) for stage in order]
        if all(on):
            found.append((0.0, float(cycle), rate))
            continue
        for k in range(slots):
            if on[k] and not on[k - 1]:
                j = k
                while on[(j + 1) % slots]:
                    j += 1
                start = begin[k] + float(net.layer_loss[layer])
                stop = end[j % slots] + own * (j // slots) + float(net.layer_gain[layer])
                found += [(start + turn * own, max(stop - start, 0.0), rate) for turn in range(int(net.repeats[node]))]
    return found


def discharge(cycle: int, found: Sequence[tuple[float, float, float]]) -> list[float]:
    """Vehicles that can leave in each one-second bin: the part of the bin that lies in a window."""
    go = [0.0] * cycle
    for start, length, rate in found:
        for t in range(cycle):
            for turn in (-2, -1, 0, 1, 2, 3):
                a, b = start % cycle + turn * cycle, start % cycle + turn * cycle + min(length, cycle)
                go[t] += rate * max(0.0, min(t + 1, b) - max(t, a))
    return go


def all_discharge(
    net: Network, cycle: int, offset: Sequence[int], order: Sequence[int], green: Sequence[int]
) -> list[list[float]]:
    """What every link can let go in each second of the cycle."""
    links = len(net.lag)
    owner = {
        int(link): n
        for n in range(len(net.repeats))
        for link in net.node_link[net.node_first[n] : net.node_first[n + 1]]
    }
    go = []
    for link in range(links):
        if link in owner:
            n = owner[link]
            a, b = int(net.slot_first[n]), int(net.slot_first[n + 1])
            go.append(discharge(cycle, windows(net, link, cycle, offset[n], order[a:b], green[a:b], n)))
        else:
            layers = range(net.layer_first[link], net.layer_first[link + 1])
            go.append(discharge(cycle, [(0.0, float(cycle), float(net.layer_rate[layer])) for layer in layers]))
    return go


def evaluate(
    net: Network, cycle: int, sweeps: int, hours: float, first: Sequence[Sequence[float]],
    offset: Sequence[int], order: Sequence[int], green: Sequence[int],
) -> list[float]:  # fmt: skip
    """Value of one plan, link by link; see `signalwright.core.kernels.links`."""
    links = len(net.lag)
    go = all_discharge(net, cycle, offset, order, green)
    departures: list[list[float]] = []
    value = [0.0] * links
    for sweep in range(sweeps):
        leaving = []
        for link in range(links):
            arrivals = [float(x) for x in first[link]] if sweep == 0 else disperse(net, link, cycle, departures)
            flow, capacity = sum(arrivals), sum(go[link])
            served = min(1.0, capacity / flow) if flow > 0.0 else 1.0
            arrivals = [served * e for e in arrivals]
            queue = 0.0
            for e, let in zip(arrivals, go[link], strict=True):
                queue = max(queue + e - let, 0.0)
            out, waiting, stops, longest = [], 0.0, 0.0, 0.0
            for e, let in zip(arrivals, go[link], strict=True):
                stops += e - min(e, max(let - queue, 0.0))
                out.append(min(queue + e, let))
                queue = max(queue + e - let, 0.0)
                waiting += queue
                longest = max(longest, queue)
            leaving.append(out)
            over = (flow - capacity) * 3600.0 / cycle
            random = hours / 4.0 * (over + math.sqrt(over**2 + 4.0 * flow * 3600.0 / cycle / hours))
            excess = max(longest + random - float(net.storage[link]), 0.0)
            value[link] = (
                float(net.delay_weight[link]) * (waiting / cycle + random)
                + float(net.stop_weight[link]) * stops / cycle
                + float(net.spill_weight[link]) * excess**2
            )
        departures = leaving
    return value


def disperse(net: Network, link: int, cycle: int, departures: Sequence[Sequence[float]]) -> list[float]:
    """Arrivals of a link from departures upstream by Robertson's recursion, run round until it repeats."""
    lag, f = int(net.lag[link]), float(net.smoothing[link])
    feeds = range(int(net.source_first[link]), int(net.source_first[link + 1]))
    mixed = [
        float(net.entry[link]) + sum(float(net.share[i]) * departures[net.source[i]][(t - lag) % cycle] for i in feeds)
        for t in range(cycle)
    ]
    flow = mixed[-1]
    arrivals = [0.0] * cycle
    for _ in range(60):
        for t in range(cycle):
            flow = f * mixed[t] + (1.0 - f) * flow
            arrivals[t] = flow
    return arrivals


def simulate(
    net: Network, roads: Roads, cycle: int, swell: Sequence[float], offset: Sequence[int], order: Sequence[int],
    green: Sequence[int],
) -> tuple[list[float], list[float], float]:  # fmt: skip
    """Link transmission with whole cumulative curves: (waited [veh s], waiting [veh], vehicles out of the network)."""
    links, seconds = len(net.lag), len(swell)
    go = all_discharge(net, cycle, offset, order, green)
    up = [[0.0] * (seconds + 1) for _ in range(links)]  # up[i][t]: vehicles in before second t
    down = [[0.0] * (seconds + 1) for _ in range(links)]
    outside, waited, gone = [0.0] * links, [0.0] * links, 0.0
    feeds = [
        [(int(net.source[i]), float(net.share[i])) for i in range(net.source_first[j], net.source_first[j + 1])]
        for j in range(links)
    ]
    follow = [[int(x) for x in roads.follow[roads.follow_first[i] : roads.follow_first[i + 1]]] for i in range(links)]

    def at(curve: list[float], time: int) -> float:
        return curve[time] if time >= 0 else 0.0

    for t in range(seconds):
        outside = [w + float(net.entry[j]) * swell[t] for j, w in enumerate(outside)]
        send = [min(at(up[i], t + 1 - int(roads.free[i])) - down[i][t], go[i][t % cycle]) for i in range(links)]
        part = []
        for j in range(links):
            wanted = outside[j] + sum(send[i] * share for i, share in feeds[j])
            room = max(at(down[j], t + 1 - int(roads.wave[j])) + float(net.storage[j]) - up[j][t], 0.0)
            part.append(min(1.0, room / wanted) if wanted > 1e-12 else 1.0)
        out = [send[i] * min([1.0, *(part[j] for j in follow[i])]) for i in range(links)]
        for j in range(links):
            entering = outside[j] * part[j]
            outside[j] -= entering
            up[j][t + 1] = up[j][t] + entering + sum(out[i] * share for i, share in feeds[j])
            down[j][t + 1] = down[j][t] + out[j]
            waited[j] += at(up[j], t + 1 - int(roads.free[j])) - down[j][t + 1] + outside[j]
        gone += sum(out) - sum(out[i] * share for j in range(links) for i, share in feeds[j])
    waiting = [at(up[j], seconds - int(roads.free[j])) - down[j][seconds] + outside[j] for j in range(links)]
    return waited, waiting, gone
