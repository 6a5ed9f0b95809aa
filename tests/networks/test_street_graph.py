"""Streets between lights: neighbours, lengths and travel times as the net has them."""

from __future__ import annotations

import pytest

from signalwright.networks.netfile import read_lights
from signalwright.networks.roadnet import load_net
from signalwright.networks.street import street_graph
from sumo_material import load


def test_the_corridor_is_a_line() -> None:
    """Its six lights are joined in a row, both ways, each edge as long as the road edges on the way."""
    scenario = load("shipped-corridor")
    graph, net = street_graph(scenario), load_net(scenario.net)
    assert len(graph) == 6
    assert sorted(degree for _, degree in graph.out_degree()) == [1, 1, 2, 2, 2, 2]
    for one, other, street in graph.edges(data=True):
        assert graph.has_edge(other, one)
        edges = [net.getEdge(name) for name in street["via"]]
        assert street["length"] == pytest.approx(sum(edge.getLength() for edge in edges))
        assert street["travel_time"] == pytest.approx(sum(edge.getLength() / edge.getSpeed() for edge in edges))


def test_the_grid_has_the_neighbours_of_a_grid() -> None:
    """Of the 16 lights of the 4x4 grid 4 have two neighbours, 8 three, 4 four."""
    graph = street_graph(load("shipped-grid"))
    assert sorted(degree for _, degree in graph.out_degree()) == [2] * 4 + [3] * 8 + [4] * 4


def test_exits_lead_where_the_streets_do() -> None:
    """What an exit of a light runs to is a neighbour in the graph, and every neighbour is reached by an exit."""
    for name in ("shipped-corridor", "grid6", "rilsa-both"):
        scenario = load(name)
        graph = street_graph(scenario)
        for light in read_lights(scenario).values():
            towards = {exit.towards for exit in light.intersection.exits if exit.towards}
            assert towards == set(graph.successors(light.name))


def test_a_lane_chain_ends_at_a_signal_or_after_200_m() -> None:
    """Chains are never shorter than the lane, and longer than 200 m only where the lane is."""
    for name in ("shipped-corridor", "rilsa-both", "A10KW"):
        for light in read_lights(load(name)).values():
            for lane in light.intersection.lanes:
                assert lane.length <= lane.chain <= max(200.0, lane.length)
