"""Links with room for so many vehicles: what eight plans at once do to a network that is full (link transmission).

Time runs second by second, all links together. Vehicles reach a stop line the free travel time after they entered, and
what leaves makes room at the entrance only after the time the gap takes to run back (Yperman 2007: cumulative curves
N_up and N_down; here their differences are kept, which stay small enough for float32):

    send = min(N_up(t - free) - N_down(t), discharge of the green)
    room = N_down(t - wave) + storage - N_up(t)

A link gives way to all its followers in the same measure, so one full exit holds it back as a whole (first in, first
out); a full link is shared among those that want to enter it in proportion to what they send. Traffic that cannot enter
the network waits outside and is counted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import kernel
from .layout import F32, I32, Network, Scratch
from .links import discharge, set_always, set_windows
from .wide import WIDTH, fused, larger, load, ratio, smaller, splat, store


class Roads(NamedTuple):
    """free, wave : (n_links,) [s], at least 1; follow_first, follow : links that each link feeds, row by row."""

    free: I32
    wave: I32
    follow_first: I32
    follow: I32


class Flows(NamedTuple):
    """State of the links, flat arrays of eights: histories of `ring` seconds, a power of two, and sums."""

    entered: F32
    left: F32
    queue: F32
    used: F32
    outside: F32
    sent: F32
    open: F32
    waited: F32
    go: F32


def ring_for(roads: Roads) -> int:
    """Seconds of history that the roads need, rounded up to a power of two."""
    longest = max(int(roads.free.max(initial=1)), int(roads.wave.max(initial=1)))
    return 1 << longest.bit_length()


def flows_for(links: int, cycle: int, ring: int) -> Flows:
    """Working memory for a network."""

    def eights(count: int) -> F32:
        return np.zeros(count * WIDTH, np.float32)

    one = [eights(links) for _ in range(6)]
    history = (eights(links * ring), eights(links * ring))
    return Flows(*history, one[0], one[1], one[2], one[3], one[4], one[5], eights(links * cycle))


@kernel(inline=True)
def _second(net: Network, roads: Roads, cycle: int, time: int, swell: np.float32, ring: int, s: Flows) -> None:
    """All links, one second further."""
    zero, one, tiny = splat(np.float32(0.0)), splat(np.float32(1.0)), splat(np.float32(1e-12))
    links = net.lag.size
    bin_ = time % cycle
    slot = time & (ring - 1)
    for link in range(links):
        at = link * WIDTH
        coming = (link * ring + ((time - roads.free[link]) & (ring - 1))) * WIDTH
        gone = (link * ring + ((time - roads.wave[link]) & (ring - 1))) * WIDTH
        queue = load(s.queue, at) + load(s.entered, coming)
        store(s.queue, at, queue)
        store(s.used, at, load(s.used, at) - load(s.left, gone))
        store(s.outside, at, load(s.outside, at) + splat(net.entry[link] * swell))
        store(s.sent, at, smaller(queue, load(s.go, (link * cycle + bin_) * WIDTH)))
    for link in range(links):
        at = link * WIDTH
        wanted = load(s.outside, at)
        for i in range(net.source_first[link], net.source_first[link + 1]):
            wanted = fused(load(s.sent, net.source[i] * WIDTH), splat(net.share[i]), wanted)
        room = larger(splat(net.storage[link]) - load(s.used, at), zero)
        store(s.open, at, smaller(ratio(room, larger(wanted, tiny)), one))
    for link in range(links):
        at = link * WIDTH
        way = one
        for i in range(roads.follow_first[link], roads.follow_first[link + 1]):
            way = smaller(way, load(s.open, roads.follow[i] * WIDTH))
        out = load(s.sent, at) * way
        queue = larger(load(s.queue, at) - out, zero)
        store(s.queue, at, queue)
        store(s.sent, at, out)
        store(s.left, (link * ring + slot) * WIDTH, out)
    for link in range(links):
        at = link * WIDTH
        outside = load(s.outside, at)
        entering = outside * load(s.open, at)
        outside = outside - entering
        store(s.outside, at, outside)
        for i in range(net.source_first[link], net.source_first[link + 1]):
            entering = fused(load(s.sent, net.source[i] * WIDTH), splat(net.share[i]), entering)
        store(s.entered, (link * ring + slot) * WIDTH, entering)
        store(s.used, at, load(s.used, at) + entering)
        store(s.waited, at, load(s.waited, at) + (load(s.queue, at) + outside))


@kernel(lean=True)
def simulate(
    net: Network, roads: Roads, cycle: int, swell: F32, offset: I32, stage: I32, green: I32, ring: int,
    room: Scratch, s: Flows, value: NDArray[np.float64], waited: F32, waiting: F32,
) -> None:  # fmt: skip
    """Value of each plan over swell.size seconds from an empty network, eight at a time; one core.

    swell : (n_seconds,) factor on every entry; offset, stage, green : as in `links.evaluate`; ring : see `ring_for`.
    Written: value : (n_plans,) [veh] mean of vehicles that wait, weighted by `delay_weight`; waited : (n_plans, n_links)
    [veh s] behind each stop line and outside; waiting : (n_plans, n_links) [veh] of them at the end.
    """
    links, nodes, plans = net.lag.size, net.repeats.size, offset.shape[0]
    set_always(net, cycle, room.middle, room.half, room.used)
    for block in range((plans + WIDTH - 1) // WIDTH):
        for node in range(nodes):
            a = net.slot_first[node]
            for lane in range(WIDTH):
                plan = min(block * WIDTH + lane, plans - 1)
                room.offset[lane] = offset[plan, node]
                for k in range(net.slot_first[node + 1] - a):
                    room.green[k * WIDTH + lane] = green[plan, a + k]
            order = stage[block, a : net.slot_first[node + 1]]
            set_windows(
                net,
                node,
                cycle,
                order,
                room.offset,
                room.green,
                room.begin,
                room.end,
                room.middle,
                room.half,
                room.used,
            )
        for link in range(links):
            discharge(net, link, cycle, room.middle, room.half, room.used, room.go)
            for t in range(cycle):
                store(s.go, (link * cycle + t) * WIDTH, load(room.go, t * WIDTH))
        zero = splat(np.float32(0.0))
        for i in range(links * ring):
            store(s.entered, i * WIDTH, zero)
            store(s.left, i * WIDTH, zero)
        for i in range(links):
            store(s.queue, i * WIDTH, zero)
            store(s.used, i * WIDTH, zero)
            store(s.outside, i * WIDTH, zero)
            store(s.waited, i * WIDTH, zero)
        for time in range(swell.size):
            _second(net, roads, cycle, time, swell[time], ring, s)
        for lane in range(min(WIDTH, plans - block * WIDTH)):
            total = 0.0
            for link in range(links):
                at = link * WIDTH + lane
                total += np.float64(s.waited[at]) * np.float64(net.delay_weight[link]) / swell.size
                waited[block * WIDTH + lane, link] = s.waited[at]
                waiting[block * WIDTH + lane, link] = s.queue[at] + s.outside[at]
            value[block * WIDTH + lane] = total
