"""Where a light's movements stand in UTDF: by the direction they drive in, and their turn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..core.errors import InputError
from ..core.intersection import GroupKind, Intersection, Movement
from ..core.messages import _
from .light import Light
from .roadnet import load_net
from .scenario import Scenario

DIRECTIONS = {"NB": 0.0, "EB": 90.0, "SB": 180.0, "WB": 270.0}
DIAGONALS = {"NE": 45.0, "SE": 135.0, "SW": 225.0, "NW": 315.0}
"""Direction of travel, clockwise from north [degrees]; the diagonal ones only where four do not do."""
TURNS = {"left": "L", "straight": "T", "right": "R", "uturn": "L"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column each movement of a light stands in, and the edges by direction."""

    of_movement: Mapping[str, str]
    edges: Mapping[str, str]


def columns_of(scenario: Scenario, light: Light) -> Columns:
    """Directions are given to the approaches so that they turn least from where they really point."""
    net = load_net(scenario.net)
    movements = driven(light.intersection)
    edges = list(dict.fromkeys(m.origin for m in movements))
    directions = DIRECTIONS if len(edges) <= len(DIRECTIONS) else DIRECTIONS | DIAGONALS
    if len(edges) > len(directions):
        raise InputError(
            _("light {light}: UTDF has room for 8 approaches, there are {n}").format(light=light.name, n=len(edges))
        )
    turn = np.array([[abs((_heading(net, e) - d + 180.0) % 360.0 - 180.0) for d in directions.values()] for e in edges])
    rows, places = linear_sum_assignment(turn**2)
    name_of = {edges[row]: list(directions)[place] for row, place in zip(rows, places, strict=True)}
    found: dict[str, str] = {}
    for m in movements:
        column = name_of[m.origin] + TURNS.get(m.turn, "T")
        if column in found.values() and m.turn in {"left", "right"} and f"{column}2" not in found.values():
            column += "2"
        found[m.name] = column
    return Columns(found, {direction: edge for edge, direction in name_of.items()})


def driven(site: Intersection) -> list[Movement]:
    """The movements that vehicles drive."""
    return [m for group in site.groups if group.kind is not GroupKind.PEDESTRIAN for m in group.movements if m.lanes]


def _heading(net: object, edge: str) -> float:
    """Direction of travel at the end of an edge, clockwise from north [degrees]."""
    (x1, y1), (x2, y2) = net.getEdge(edge).getShape()[-2:]  # type: ignore[attr-defined]
    return math.degrees(math.atan2(x2 - x1, y2 - y1)) % 360.0
