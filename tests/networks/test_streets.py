"""Streets of a scenario: traffic is kept, and goes the ways the vehicles go."""

from __future__ import annotations

import pytest

from signalwright.networks.demand import driven_flows, driven_journeys, flows_of
from signalwright.networks.netfile import read_lights
from signalwright.networks.streets import streets_of
from sumo_material import load


@pytest.mark.parametrize("name", ["shipped-cross", "shipped-corridor"])
def test_the_streets_carry_the_flows(name: str) -> None:
    """The flow of each link, followed from link to link, is the flow of its movements in the demand."""
    scenario = load(name)
    lights = read_lights(scenario)
    journeys = driven_journeys(scenario, lights, end=900)
    flows = flows_of(journeys, lights)
    assert flows == driven_flows(scenario, lights, end=900)
    streets, sites = streets_of(lights, flows, journeys)
    by_light = dict.fromkeys(lights, 0.0)
    for link, flow in zip(streets.links, streets.flows(), strict=True):
        by_light[str(link.light)] += float(flow)
        assert link.green or link.yielding
        assert link.storage > 1.0
    for light, total in by_light.items():
        assert total == pytest.approx(sum(flows[light].values()), rel=0.02)
    assert {light.name for light in streets.lights} == set(sites)


def test_the_corridor_hands_its_traffic_on() -> None:
    """Links within the corridor are fed by those of the light before, at the travel time of the street between."""
    scenario = load("shipped-corridor")
    lights = read_lights(scenario)
    journeys = driven_journeys(scenario, lights, end=900)
    streets, _sites = streets_of(lights, flows_of(journeys, lights), journeys)
    fed = [link for link in streets.links if sum(share for _, share in link.feeds) > 0.5]
    assert {link.light for link in fed} == set(lights)
    for leg in journeys.legs.values():
        assert 5.0 < leg.time < 120.0
