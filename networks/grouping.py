"""Signal indices of a light -> signal groups: what one approach is always shown together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

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
    known = {
        index: _index([wire for wire in wires if wire.index == index], letters_of(index, programs))
        for index in sorted({wire.index for wire in wires})
    }
    signals = [index for index, its in known.items() if set(its.letters) - set("oO")]
    graph = nx.Graph()
    graph.add_nodes_from(signals)
    graph.add_edges_from((a, b) for a, b in combinations(signals, 2) if _belong_together(known[a], known[b]))
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


@dataclass(frozen=True, slots=True)
class _Index:
    """All links of one signal index: what it shows, where they come from."""

    letters: str
    crossings: frozenset[str]
    origins: frozenset[str]
    lanes: frozenset[str]


def _index(wires: Sequence[Wire], letters: str) -> _Index:
    return _Index(
        letters,
        frozenset(wire.to_lane for wire in wires if wire.crossing),
        frozenset(wire.origin for wire in wires),
        frozenset(wire.lane for wire in wires),
    )


def _belong_together(a: _Index, b: _Index) -> bool:
    if bool(a.crossings) != bool(b.crossings):
        return False
    if a.letters == b.letters:
        return bool(a.crossings & b.crossings if a.crossings else a.origins & b.origins)
    same_colours = a.letters.translate(_COLOUR) == b.letters.translate(_COLOUR)
    return not a.crossings and same_colours and bool(a.lanes & b.lanes)


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
