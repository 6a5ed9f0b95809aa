"""Plans that differ from a known one at a single intersection, at the cost of the links the difference reaches.

The same arithmetic as `links.evaluate` on fewer links: after k sweeps a change has gone k - 1 intersections far, and
every other link is exactly what it was. So the values agree with the full evaluation to the last bits of float32.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import kernel
from .layout import F32, I32, Network, Scratch
from .links import arrive, set_always, set_settle, set_windows, solve
from .wide import WIDTH, fused, load, splat, store


class Base(NamedTuple):
    """A plan that was evaluated, with what every sweep found, so that its neighbours cost little.

    arrivals, departures : (n_sweeps, n_links, n_bins) [veh/s]; flow : (n_sweeps, n_links) [veh] a cycle;
    value : (n_links,) [veh]; order, green : (n_slots,); offset : (n_nodes,) [s]; all : (n_links,) 0, 1, 2, ...
    """

    arrivals: F32
    departures: F32
    flow: F32
    value: F32
    order: I32
    green: I32
    offset: I32
    all: I32


def base_for(net: Network, cycle: int, sweeps: int) -> Base:
    """Room for a base plan."""
    links, nodes, slots = net.lag.size, net.repeats.size, int(net.slot_first[-1])
    return Base(
        np.zeros((sweeps, links, cycle), np.float32), np.zeros((sweeps, links, cycle), np.float32),
        np.zeros((sweeps, links), np.float32), np.zeros(links, np.float32), np.zeros(slots, np.int32),
        np.zeros(slots, np.int32), np.zeros(nodes, np.int32), np.arange(links, dtype=np.int32),
    )  # fmt: skip


@kernel(lean=True)
def _replay(
    net: Network, cycle: int, sweeps: int, hours: np.float32, base: Base, reach: I32, depth: I32, whole: bool, keep: bool,
    room: Scratch, value: NDArray[np.float64],
) -> None:  # fmt: skip
    """Solve the links in `reach` again under the windows in `room`; `keep` writes what the first plan gives into `base`.

    depth : the first sweep in which a link differs, ascending; `whole`: all links, from the first sweep on.
    value : (8,) [veh], the sum of what changed, written.
    """
    now, before, arrivals = room.departures, room.before, room.arrivals
    for i in range(reach.size):
        room.depth[reach[i]] = np.int32(1) if whole else depth[i]
    last = 0
    for sweep in range(sweeps):
        now, before = before, now
        room.turn[0] += 1
        last = 0
        for i in range(reach.size):
            link = reach[i]
            if room.depth[link] > sweep + 1:
                break
            last = i + 1
            touched = whole and sweep > 0
            if sweep > 0:
                for at in range(net.source_first[link], net.source_first[link + 1]):
                    touched |= 0 < room.depth[net.source[at]] <= sweep
            carry = splat(np.float32(0.0))
            if touched:
                for at in range(net.source_first[link], net.source_first[link + 1]):
                    source = net.source[at]
                    if not 0 < room.depth[source] <= sweep and room.copied[source] != room.turn[0]:
                        room.copied[source] = room.turn[0]
                        for t in range(cycle):
                            store(before, (source * cycle + t) * WIDTH, splat(base.departures[sweep - 1, source, t]))
                flow, carry = arrive(net, link, cycle, room.settle[link], before, arrivals)
                if keep:
                    lacking = carry
                    fade = splat(np.float32(1.0) - net.smoothing[link])
                    for t in range(cycle):
                        store(room.go, 0, load(arrivals, t * WIDTH) + lacking)
                        base.arrivals[sweep, link, t] = room.go[0]
                        lacking = fused(lacking, fade, splat(np.float32(1e-20)))
                    store(room.go, 0, flow)
                    base.flow[sweep, link] = room.go[0]
            else:
                flow = splat(base.flow[sweep, link])
                for t in range(cycle):
                    store(arrivals, t * WIDTH, splat(base.arrivals[sweep, link, t]))
            at = link * cycle * WIDTH
            solve(
                net, link, cycle, hours, arrivals, flow, carry, room.go, room.middle, room.half, room.used, now, at,
                sweep == sweeps - 1, room.worth,
            )  # fmt: skip
            if keep and sweep < sweeps - 1:
                for t in range(cycle):
                    base.departures[sweep, link, t] = now[at + t * WIDTH]
    for lane in range(WIDTH):
        value[lane] = 0.0
    for i in range(last):
        link = reach[i]
        for lane in range(WIDTH):
            value[lane] += np.float64(room.worth[link * WIDTH + lane]) - np.float64(base.value[link])
        if keep:
            base.value[link] = room.worth[link * WIDTH]
    for i in range(reach.size):
        room.depth[reach[i]] = 0


@kernel(inline=True)
def _windows_of(net: Network, cycle: int, node: int, base: Base, room: Scratch) -> None:
    """The windows of one intersection under the base plan, in all eight places."""
    a, b = net.slot_first[node], net.slot_first[node + 1]
    store(room.offset, 0, splat(np.float32(base.offset[node])))
    for k in range(b - a):
        store(room.green, k * WIDTH, splat(np.float32(base.green[a + k])))
    set_windows(
        net,
        node,
        cycle,
        base.order[a:b],
        room.offset,
        room.green,
        room.begin,
        room.end,
        room.middle,
        room.half,
        room.used,
    )


@kernel(lean=True)
def remember(
    net: Network,
    cycle: int,
    sweeps: int,
    hours: float,
    first: F32,
    base: Base,
    room: Scratch,
    value: NDArray[np.float64],
) -> None:
    """Evaluate the plan in `base` (order, green, offset) and fill the rest of it; value[0] [veh] is the plan's.

    first : (n_links, n_bins) [veh/s] arrivals of the first sweep.
    """
    set_settle(net, cycle, room.settle)
    set_always(net, cycle, room.middle, room.half, room.used)
    for node in range(net.repeats.size):
        _windows_of(net, cycle, node, base, room)
    for link in range(net.lag.size):
        base.value[link] = 0.0
        base.flow[0, link] = 0.0
        for t in range(cycle):
            base.arrivals[0, link, t] = first[link, t]
            base.flow[0, link] += first[link, t]
    _replay(net, cycle, sweeps, np.float32(hours), base, base.all, base.all, True, True, room, value)


@kernel(lean=True)
def evaluate_changes(
    net: Network, cycle: int, sweeps: int, hours: float, base: Base, node: I32, stage: I32, offset: I32, green: I32,
    keep: bool, room: Scratch, value: NDArray[np.float64],
) -> None:  # fmt: skip
    """Value of plans that differ from `base` at one intersection, eight at a time. `room` must be the base's own.

    node : (n_blocks,) which intersection each eight plans change; stage : (n_blocks, slots) their order of stages there;
    offset : (n_blocks, 8) [s]; green : (n_blocks, slots, 8) [s] (slots: at least as many as the node has);
    value : (n_blocks, 8) [veh], written: the change against the base. `keep` makes the first plan of each eight the base.
    """
    for block in range(node.size):
        n = node[block]
        a, b = net.slot_first[n], net.slot_first[n + 1]
        for lane in range(WIDTH):
            room.offset[lane] = offset[block, lane]
            for k in range(b - a):
                room.green[k * WIDTH + lane] = green[block, k, lane]
        if keep:
            base.offset[n] = offset[block, 0]
            for k in range(b - a):
                base.order[a + k] = stage[block, k]
                base.green[a + k] = green[block, k, 0]
            _windows_of(net, cycle, n, base, room)
        else:
            set_windows(
                net, n, cycle, stage[block, : b - a], room.offset, room.green, room.begin, room.end,
                room.middle, room.half, room.used,
            )  # fmt: skip
        reach = net.reach[net.reach_first[n] : net.reach_first[n + 1]]
        depth = net.depth[net.reach_first[n] : net.reach_first[n + 1]]
        _replay(net, cycle, sweeps, np.float32(hours), base, reach, depth, False, keep, room, value[block])
        _windows_of(net, cycle, n, base, room)
