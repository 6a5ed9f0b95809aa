"""Whose queue is it: every edge belongs to the light it leads to, so that one simulation judges all lights at once."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..networks.demand import Journeys
from ..networks.light import Light
from ..networks.roadnet import load_net

NOBODY = ""
"""The catchment of edges that lead to no light."""


@dataclass(frozen=True, slots=True)
class Catchments:
    """`owner` {edge: light} of the first light down the road, of a junction's inside its own; `near` {light: the lights it
    sends traffic to or gets it from, and itself}."""

    owner: Mapping[str, str]
    near: Mapping[str, frozenset[str]]

    def losses(self, by_edge: Mapping[str, float]) -> dict[str, float]:
        """Time lost {light: [s]} from that on every edge, NOBODY's included."""
        found: dict[str, float] = dict.fromkeys(self.near, 0.0)
        for edge, lost in by_edge.items():
            light = self.owner.get(edge)
            if light is None and edge.startswith(":"):
                light = self.owner.get(edge.rpartition("_")[0])
            found[light or NOBODY] = found.get(light or NOBODY, 0.0) + lost
        return found


def catchments_of(net_file: Path, lights: Mapping[str, Light], journeys: Journeys) -> Catchments:
    """The catchments of some lights of a net, upstream from their stop lines to the lights before them."""
    net: Any = load_net(net_file)
    owner: dict[str, str] = {}
    front: list[tuple[float, str, str]] = []
    for name, light in lights.items():
        for edge in sorted({link.lane.rpartition("_")[0] for link in light.links}):
            if edge and not edge.startswith(":") and edge not in owner:
                owner[edge] = name
                owner[f":{net.getEdge(edge).getToNode().getID()}"] = name
                heapq.heappush(front, (0.0, edge, name))
    while front:
        far, edge, name = heapq.heappop(front)
        for before in net.getEdge(edge).getIncoming():
            if before.getID() not in owner:
                owner[before.getID()] = name
                heapq.heappush(front, (far + before.getLength(), before.getID(), name))
    near = {name: {name} for name in lights}
    for (one, _), (other, _) in journeys.legs:
        if one in near and other in near:
            near[one].add(other)
            near[other].add(one)
    return Catchments(owner, {name: frozenset(those) for name, those in near.items()})
