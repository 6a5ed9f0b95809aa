"""Lanes, exits and movements of a light, with names a person can follow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.intersection import Exit, Lane, Movement
from .roadnet import Wire, chain_of

REACH = 200.0
"""How far upstream [m] a lane's traffic is followed."""

SATURATION_FLOW = 1800.0  # [veh/h] of a through lane
TURN_FACTORS = {"left": 0.95, "right": 0.85, "uturn": 0.85, "straight": 1.0}  # HCM, protected turns
TURNS = {"s": "straight", "l": "left", "L": "left", "r": "right", "R": "right", "t": "uturn"}
CAR = 7.5
"""Length of road that a standing vehicle takes [m]."""
POINTS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def lanes_of(net: Any, wires: Sequence[Wire]) -> tuple[Lane, ...]:
    """The approach lanes of vehicles, in the net's order; saturation flow 1800 veh/h, less by the share of turns; room on the junction for
    those who give way up to where the others cross, unknown where a second signal stands on the way."""
    wires_of: dict[str, list[Wire]] = {}
    for wire in wires:
        if not wire.crossing and not wire.inner:
            wires_of.setdefault(wire.lane, []).append(wire)
    lanes = []
    for name, ways in wires_of.items():
        lane = net.getLane(name)
        factor = float(np.mean([TURN_FACTORS[TURNS.get(way.direction, "straight")] for way in ways]))
        lanes.append(
            Lane(
                name=name,
                length=float(lane.getLength()),
                chain=chain_of(lane, REACH),
                speed=float(lane.getSpeed()),
                saturation_flow=round(SATURATION_FLOW * factor),
                inside=sum(math.inf if way.halved else math.ceil(way.before_others / CAR) for way in ways),
            )
        )
    return tuple(lanes)


def exits_of(net: Any, wires: Sequence[Wire], towards: Mapping[str, str]) -> tuple[Exit, ...]:
    """The edges that take the traffic away; `towards` edge -> next light."""
    exits: dict[str, Exit] = {}
    for wire in wires:
        if not wire.crossing and wire.destination not in exits and not wire.destination.startswith(":"):
            edge = net.getEdge(wire.destination)
            exits[wire.destination] = Exit(
                name=wire.destination,
                length=float(edge.getLength()),
                lanes=edge.getLaneNumber(),
                speed=float(edge.getSpeed()),
                towards=towards.get(wire.destination),
            )
    return tuple(exits.values())


def movements_of(wires: Sequence[Wire]) -> tuple[Movement, ...]:
    """One movement for each way from edge to edge; no lanes for walkers, nor for the second half of a movement
    signalled twice.
    """
    ways: dict[tuple[str, str], list[Wire]] = {}
    for wire in wires:
        ways.setdefault((wire.origin, wire.to_lane if wire.crossing else wire.destination), []).append(wire)
    movements = []
    for (origin, destination), of_way in ways.items():
        first = of_way[0]
        outside = not (first.crossing or first.inner)
        movements.append(
            Movement(
                name=f"{origin}->{destination}",
                origin=origin,
                destination=destination,
                lanes=tuple(dict.fromkeys(wire.lane for wire in of_way)) if outside else (),
                turn="crossing" if first.crossing else TURNS.get(first.direction, "straight"),
            )
        )
    return tuple(movements)


def group_names(net: Any, groups: Sequence[Sequence[Wire]]) -> list[str]:
    """Where each group comes from and what it does: `N straight+left`, `SE crossing`; a number where that is not
    enough.
    """
    junctions = sorted({wire.junction for wires in groups for wire in wires})
    middle = np.mean([net.getNode(junction).getCoord() for junction in junctions], axis=0)
    names: list[str] = []
    for wires in groups:
        side = side_of(net, wires[0], middle)
        name = f"{side} {_does(wires)}"
        number = 2
        while name in names:
            name = f"{side} {_does(wires)} {number}"
            number += 1
        names.append(name)
    return names


def compass(dx: float, dy: float) -> str:
    """The point of the compass in direction (dx, dy), y to the north.

    >>> compass(0.0, 5.0), compass(-1.0, -1.0)
    ('N', 'SW')
    """
    return POINTS[round(math.degrees(math.atan2(dx, dy)) / 45.0) % 8]


def side_of(net: Any, wire: Wire, middle: Any) -> str:
    """The point of the compass a wire comes from: along its road's last 20 m; walkers by where their crossing lies."""
    if wire.crossing or wire.inner:
        dx, dy = wire.path.mean(axis=0) - middle
    else:
        shape = np.array(net.getEdge(wire.origin).getShape(), dtype=np.float64)[::-1, :2]
        far = np.hypot(*(shape - shape[0]).T)
        dx, dy = shape[int(np.argmax(far > 20.0)) if (far > 20.0).any() else -1] - shape[0]
    return compass(float(dx), float(dy))


def _does(wires: Sequence[Wire]) -> str:
    if all(wire.crossing for wire in wires):
        return "crossing"
    turns = {TURNS.get(wire.direction, "straight") for wire in wires if not wire.crossing}
    text = "+".join(turn for turn in ("straight", "right", "left", "uturn") if turn in turns)
    return f"inner {text}" if all(wire.inner for wire in wires if not wire.crossing) else text
