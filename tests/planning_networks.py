"""Networks of links to plan for: grids, arterials, and any small network for property tests."""

from __future__ import annotations

import numpy as np

from signalwright.core.kernels.layout import Network
from signalwright.core.planning.streets import Light, Link, Streets


def streets(
    rows: int, columns: int, *, demand: float = 400.0, seed: int = 0, travel: tuple[float, float] = (18, 37)
) -> Streets:
    """A grid of crossings with two stages each; every street in both directions, with its way in and its way out.

    4 x 4 has 80 links: 48 between crossings, 16 that enter and 16 that leave. Entries carry about `demand` veh/h,
    70 % go straight on, 15 % turn to each side.
    """
    rng = np.random.default_rng(seed)
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    crossings = [(r, c) for r in range(rows) for c in range(columns)]
    inside = set(crossings)
    ends: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for r, c in crossings:
        for dr, dc in steps:
            other = (r + dr, c + dc)
            ends.append((other, (r, c)))
            if other not in inside:
                ends.append(((r, c), other))

    def name(pair: tuple[tuple[int, int], tuple[int, int]]) -> str:
        return "{}.{}-{}.{}".format(*pair[0], *pair[1])

    links = []
    for a, b in ends:
        way = (b[0] - a[0], b[1] - a[1])
        turns = [s for s in steps if s != (-way[0], -way[1])] if a in inside else []
        held = b in inside
        links.append(
            Link(
                name=name((a, b)),
                travel_time=float(rng.uniform(*travel)),
                saturation_flow=1800.0,
                feeds=tuple((name(((a[0] - s[0], a[1] - s[1]), a)), 0.7 if s == way else 0.15) for s in turns),
                entry=0.0 if a in inside else demand * float(rng.uniform(0.7, 1.3)),
                storage=25.0,
                light="{}.{}".format(*b) if held else None,
                green=frozenset({"east-west" if way[0] == 0 else "north-south"}) if held else frozenset(),
            )
        )
    table = np.array([[0.0, 5.0], [5.0, 0.0]])
    lights = tuple(Light("{}.{}".format(*n), ("east-west", "north-south"), (7, 7), table) for n in crossings)
    return Streets(lights, tuple(links))


def grid(rows: int, columns: int, *, demand: float = 400.0, seed: int = 0, cycle: int = 90) -> Network:
    """The arrays of `streets`."""
    return streets(rows, columns, demand=demand, seed=seed).laid_out(cycle)


def random_plans(net: Network, cycle: int, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets (count, n_nodes), orders (n_blocks, n_slots) and greens (count, n_slots) of lawful plans."""
    rng = np.random.default_rng(seed)
    nodes = net.repeats.size
    offset = rng.integers(0, cycle, (count, nodes)).astype(np.int32)
    blocks = -(-count // 8)
    order = np.zeros((blocks, int(net.slot_first[-1])), np.int32)
    green = np.zeros((count, int(net.slot_first[-1])), np.int32)
    for n in range(nodes):
        a, b = int(net.slot_first[n]), int(net.slot_first[n + 1])
        for block in range(blocks):
            order[block, a:b] = rng.permutation(b - a)
            table = net.interstage[net.interstage_first[n] :][: (b - a) ** 2].reshape(b - a, b - a)
            lost = sum(float(table[order[block, a:b][k - 1], order[block, a:b][k]]) for k in range(b - a))
            for plan in range(8 * block, min(8 * block + 8, count)):
                room = round(cycle / int(net.repeats[n]) - lost) - 7 * (b - a)
                cuts = np.sort(rng.integers(0, room + 1, b - a - 1))
                green[plan, a:b] = 7 + np.diff(np.concatenate(([0], cuts, [room])))
    return offset, order, green
