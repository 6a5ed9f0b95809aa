"""The lines of a light's map: lanes up to the stop lines, ways over the junction, lanes away from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .light import Light
from .roadnet import load_net, wires_by_light
from .scenario import Scenario

Points = npt.NDArray[np.float64]

REACH = 80.0
"""How far from the junction roads are drawn [m]."""


@dataclass(frozen=True, slots=True)
class Way:
    """One movement over the junction, `path` (n, 2) [m]."""

    movement: str
    lane: str
    crossing: bool
    path: Points


@dataclass(frozen=True, slots=True)
class Sketch:
    """`lanes` {lane: (n, 2) [m]} to and from the light with their `widths` [m], and the `ways` over it."""

    lanes: dict[str, Points]
    widths: dict[str, float]
    ways: tuple[Way, ...]


def sketch(scenario: Scenario, light: Light) -> Sketch:
    """What to draw of a light; lanes further than 80 m from the junction are cut."""
    net = load_net(scenario.net)
    wires = wires_by_light(net)[light.name]
    middle = np.mean([wire.path[0] for wire in wires], axis=0)
    lanes, widths = {}, {}
    edges = dict.fromkeys(
        edge for wire in wires for edge in (wire.origin, wire.destination) if not edge.startswith(":")
    )
    for edge in edges:
        for lane in net.getEdge(edge).getLanes():
            points = np.array([point[:2] for point in lane.getShape()], dtype=float)
            near = _near(points, middle)
            if len(near) > 1:
                lanes[lane.getID()], widths[lane.getID()] = near, float(lane.getWidth())
    ways = tuple(Way(f"{w.origin}->{w.destination}", w.lane, w.crossing, w.path) for w in wires)
    return Sketch(lanes, widths, ways)


def _near(points: Points, middle: Points) -> Points:
    """The part of a line within reach, in steps of 2 m."""
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    along = np.append(np.arange(0.0, at[-1], 2.0), at[-1])
    fine = np.column_stack([np.interp(along, at, points[:, k]) for k in (0, 1)])
    return np.asarray(fine[np.hypot(*(fine - middle).T) <= REACH])
