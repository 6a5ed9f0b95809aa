"""Offsets to begin with: the best on a tree of streets, exactly, from what each street costs at each difference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pair = tuple[int, int]

# cost of every link (n_plans, n_links) under the offsets (n_plans, n_lights) given
LinkCosts = Callable[[NDArray[np.int32]], Floats]


def pair_costs(costs: LinkCosts, offset: NDArray[np.int32], pairs: dict[int, Pair], cycle: int) -> dict[Pair, Floats]:
    """What the streets between two lights cost (cycle,) at each difference of offsets, second less first [s].

    offset : (n_lights,) others are held there; pairs : link -> (light upstream, light at its end). Lights are moved in
    turns, a colour of the map at a time, so that on every street only one end moves; first of a pair is the lower number.
    """
    n = offset.size
    near: list[set[int]] = [set() for _ in range(n)]
    for a, b in pairs.values():
        if a != b:
            near[a].add(b)
            near[b].add(a)
    colour = np.full(n, -1)
    for light in sorted(range(n), key=lambda k: -len(near[k])):
        taken = {int(colour[other]) for other in near[light]}
        colour[light] = next(c for c in range(n) if c not in taken)
    found: dict[Pair, Floats] = {}
    steps = np.arange(cycle, dtype=np.int32)
    for c in range(int(colour.max(initial=-1)) + 1):
        moving = colour == c
        moved = np.where(moving[None, :], (offset[None, :] + steps[:, None]) % cycle, offset[None, :]).astype(np.int32)
        cost = costs(moved)
        for link, (a, b) in pairs.items():
            if a == b or c != min(int(colour[a]), int(colour[b])):
                continue
            pair = (min(a, b), max(a, b))
            difference = (moved[:, pair[1]] - moved[:, pair[0]]) % cycle
            table = found.setdefault(pair, np.zeros(cycle))
            table[difference] += cost[:, link]
    return found


def spanning_tree(weights: dict[Pair, float], n: int) -> list[Pair]:
    """Edges of a spanning forest of greatest weight (Kruskal)."""
    root = list(range(n))

    def find(k: int) -> int:
        while root[k] != k:
            root[k] = root[root[k]]
            k = root[k]
        return k

    edges = []
    for pair in sorted(weights, key=lambda p: (-weights[p], p)):
        a, b = find(pair[0]), find(pair[1])
        if a != b:
            root[a] = b
            edges.append(pair)
    return edges


def best_on_tree(tree: list[Pair], costs: dict[Pair, Floats], n: int, cycle: int) -> NDArray[np.int32]:
    """Offsets (n,) [s] of least cost over the tree's edges, exactly: leaves tell their parents what each offset costs."""
    near: list[list[int]] = [[] for _ in range(n)]
    for a, b in tree:
        near[a].append(b)
        near[b].append(a)
    offset = np.zeros(n, np.int32)
    seen = [False] * n
    steps = np.arange(cycle)
    difference = (steps[None, :] - steps[:, None]) % cycle  # [parent's offset, child's offset]
    for top in range(n):
        if seen[top]:
            continue
        order, parent = [top], {top: -1}
        for light in order:
            seen[light] = True
            for other in near[light]:
                if other not in parent:
                    parent[other] = light
                    order.append(other)
        told = {light: np.zeros(cycle) for light in order}
        choice: dict[int, NDArray[np.intp]] = {}
        for light in reversed(order[1:]):
            up = parent[light]
            table = costs[(min(up, light), max(up, light))]
            between = table[difference] if up < light else table[(-difference) % cycle]
            total = between + told[light][None, :]
            choice[light] = total.argmin(axis=1)
            told[up] += total.min(axis=1)
        offset[top] = int(told[top].argmin())
        for light in order[1:]:
            offset[light] = int(choice[light][offset[parent[light]]])
    return offset
