"""Signal indices of a light -> signal groups: what one approach is always shown together."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import numpy.typing as npt

from ..core.intersection import GroupKind
from .light import Program
from .roadnet import Wire

Bools = npt.NDArray[np.bool_]

_COLOUR = str.maketrans({"g": "G", "Y": "y", "O": "o"})


def group_indices(wires: Sequence[Wire], programs: Sequence[Program], exclusive: Bools) -> list[tuple[int, ...]]:
    """Groups of signal indices, in order of their lowest index; indices no program ever uses as a signal are in none.

    Two indices belong together when an approach edge has links of both and they show the same letters in every step of
    every program, or when links of both leave one lane and they differ in nothing but `g` for `G`. Where this puts
    links together that conflict exclusively ((n_wires, n_wires) bool), the later index gets a group of its own.
    """
    letters = {wire.index: letters_of(wire.index, programs) for wire in wires}
    signals = sorted(index for index, shown in letters.items() if set(shown) - set("oO"))
    graph = nx.Graph()
    graph.add_nodes_from(signals)
    for a in signals:
        for b in signals:
            if a < b and _belong_together(a, b, wires, letters):
                graph.add_edge(a, b)
    groups: list[tuple[int, ...]] = []
    for component in nx.connected_components(graph):
        groups.extend(_without_conflict(sorted(component), wires, exclusive))
    return sorted(groups)


def letters_of(index: int, programs: Sequence[Program]) -> str:
    """What an index shows, step by step through all programs; red where a program has no letter for it."""
    return "".join(
        step.state[index] if index < len(step.state) else "r" for program in programs for step in program.steps
    )


def kind_of(wires: Sequence[Wire]) -> GroupKind:
    """Whom a group with these wires speaks to."""
    if any(not wire.classes.isdisjoint({"passenger", "truck", "delivery", "private"}) for wire in wires):
        return GroupKind.VEHICLE
    if any(not wire.classes.isdisjoint({"bus", "tram", "coach"}) for wire in wires):
        return GroupKind.BUS
    if any("bicycle" in wire.classes and not wire.crossing for wire in wires):
        return GroupKind.BICYCLE
    if all(wire.classes <= {"pedestrian", "wheelchair"} for wire in wires):
        return GroupKind.PEDESTRIAN
    return GroupKind.VEHICLE


def _belong_together(a: int, b: int, wires: Sequence[Wire], letters: dict[int, str]) -> bool:
    of_a = [wire for wire in wires if wire.index == a]
    of_b = [wire for wire in wires if wire.index == b]
    if any(x.crossing for x in of_a) != any(x.crossing for x in of_b):
        return False
    if any(x.crossing for x in of_a):
        return letters[a] == letters[b] and not {x.to_lane for x in of_a}.isdisjoint(x.to_lane for x in of_b)
    if letters[a] == letters[b]:
        return not {x.origin for x in of_a}.isdisjoint(x.origin for x in of_b)
    same_colours = letters[a].translate(_COLOUR) == letters[b].translate(_COLOUR)
    return same_colours and not {x.lane for x in of_a}.isdisjoint(x.lane for x in of_b)


def _without_conflict(indices: Sequence[int], wires: Sequence[Wire], exclusive: Bools) -> list[tuple[int, ...]]:
    parts: list[list[int]] = []
    rows = {index: [row for row, wire in enumerate(wires) if wire.index == index] for index in indices}
    for index in indices:
        for part in parts:
            inside = [row for other in part for row in rows[other]]
            if not exclusive[np.ix_(rows[index], inside)].any():
                part.append(index)
                break
        else:
            parts.append([index])
    return [tuple(part) for part in parts]
