"""The streets between lights: a directed graph with travel times, used wherever neighbours matter."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx

from .roadnet import Wire, load_net, wires_by_light
from .scenario import Scenario

FURTHEST = 1500.0
"""How far [m] the next light is looked for."""


def street_graph(scenario: Scenario) -> nx.DiGraph:
    """Lights as nodes, an edge where traffic of one comes to the other without meeting a third.

    Edges carry `travel_time` [s] at the speed limit and `length` [m] from the exit of one to the stop line of the
    other, and `via`, the road edges on the way, the first an exit of one and the last an approach of the other. The
    quickest way counts.
    """
    net = load_net(scenario.net)
    wires = wires_by_light(net)
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(wires))
    lights_at = approaches(wires)
    roads = road_graph(net)
    for light in sorted(wires):
        for edge in exit_edges(wires[light]):
            for other, (time, via) in _reached(roads, edge, lights_at).items():
                if other == light:
                    continue
                known = graph.get_edge_data(light, other)
                if known is None or time < known["travel_time"]:
                    length = sum(roads.nodes[road]["length"] for road in via)
                    graph.add_edge(light, other, travel_time=time, length=length, via=tuple(via))
    return graph


def next_lights(net: Any, wires: Mapping[str, Sequence[Wire]]) -> dict[str, dict[str, str]]:
    """Light -> exit edge -> the light its traffic comes to first."""
    lights_at, roads = approaches(wires), road_graph(net)
    found: dict[str, dict[str, str]] = {}
    for light, of_light in wires.items():
        for edge in exit_edges(of_light):
            reached = _reached(roads, edge, lights_at)
            reached.pop(light, None)
            if reached:
                found.setdefault(light, {})[edge] = min(reached, key=lambda other: (reached[other][0], other))
    return found


def road_graph(net: Any) -> nx.DiGraph:
    """Road edges as nodes with `length` [m] and `time` [s]; an edge for every connection that no signal stands on."""
    roads = nx.DiGraph()
    for edge in net.getEdges(False):
        roads.add_node(
            edge.getID(), length=float(edge.getLength()), time=float(edge.getLength() / max(0.1, edge.getSpeed()))
        )
    for edge in net.getEdges(False):
        for onward, connections in edge.getOutgoing().items():
            if onward.getFunction() == "" and any(not connection.getTLSID() for connection in connections):
                roads.add_edge(edge.getID(), onward.getID())
    return roads


def approaches(wires: Mapping[str, Sequence[Wire]]) -> dict[str, str]:
    """Approach edge -> the light at its end."""
    return {
        wire.origin: light
        for light, of_light in wires.items()
        for wire in of_light
        if not (wire.crossing or wire.inner)
    }


def exit_edges(wires: Sequence[Wire]) -> list[str]:
    """The edges traffic leaves a light by, in order."""
    return list(
        dict.fromkeys(wire.destination for wire in wires if not wire.crossing and not wire.destination.startswith(":"))
    )


def _reached(roads: nx.DiGraph, start: str, lights_at: Mapping[str, str]) -> dict[str, tuple[float, list[str]]]:
    """Lights reached from an edge, with travel time [s] and the edges on the way; the search ends at each light."""
    queue = [(roads.nodes[start]["time"], roads.nodes[start]["length"], [start])]
    best: dict[str, tuple[float, list[str]]] = {}
    done: set[str] = set()
    while queue:
        time, length, via = heapq.heappop(queue)
        edge = via[-1]
        if edge in done:
            continue
        done.add(edge)
        if edge in lights_at:
            best.setdefault(lights_at[edge], (time, via))
            continue
        for onward in roads.successors(edge):
            reach = length + roads.nodes[onward]["length"]
            if onward not in done and reach <= FURTHEST:
                heapq.heappush(queue, (time + roads.nodes[onward]["time"], reach, [*via, onward]))
    return best
