"""Flows of movements from a scenario's own demand."""

from __future__ import annotations

from pathlib import Path

import pytest

from signalwright.core.certify import certify
from signalwright.core.errors import SimulationError
from signalwright.core.planning.fixed import lane_flows, webster_plan
from signalwright.networks.demand import driven_flows
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import scenario_path
from signalwright.networks.timing import Timing

TRIPS = """<routes>
    <trip id="{name}" depart="0" from="{a}" to="{b}"/>
</routes>
"""


def scenario_with(tmp_path: Path, routes: str) -> Path:
    net = scenario_path("cross").parent / "cross.net.xml"
    (tmp_path / "r.rou.xml").write_text(routes)
    config = tmp_path / "c.sumocfg"
    config.write_text(
        f'<configuration><net-file value="{net}"/><route-files value="r.rou.xml"/><begin value="0"/><end value="3600"/></configuration>'
    )
    return config


def test_flows_are_what_was_sent(tmp_path: Path) -> None:
    """360 vehicles sent straight over the cross in an hour are a flow of 360 veh/h on that one movement, and nothing elsewhere."""
    lights = read_lights(read_scenario(scenario_path("cross")))
    movement = next(m for m in lights["cross"].intersection.movements if m.turn == "straight")
    start, end = movement.origin.removesuffix(".bay"), movement.destination
    routes = f"""<routes><route id="r" edges="{start} {movement.origin} {end}"/>
    <flow id="f" route="r" begin="0" end="3600" period="10"/></routes>"""
    flows = driven_flows(read_scenario(scenario_with(tmp_path, routes)), lights)["cross"]
    assert flows[movement.name] == pytest.approx(360, abs=1)
    assert sum(flows.values()) == pytest.approx(360, abs=1)


def test_webster_plans_of_the_shipped_scenarios_are_safe() -> None:
    """For every light of a shipped scenario the Webster plan of its mean flows passes certify, in either timing."""
    timings: tuple[Timing, ...] = ("resco", "safe")
    for timing in timings:
        scenario = read_scenario(scenario_path("cross"))
        lights = read_lights(scenario, timing=timing)
        for name, flows in driven_flows(scenario, lights).items():
            site = lights[name].intersection
            plan, found = webster_plan(site, flows)
            assert certify(plan, site).cycle == found.cycle
            assert sum(lane_flows(site, flows).values()) == pytest.approx(sum(flows.values()))


def test_broken_demand_is_one_message(tmp_path: Path) -> None:
    """Routes over an unknown edge end in one error with SUMO's last words."""
    config = scenario_with(tmp_path, TRIPS.format(name="t", a="nowhere", b="elsewhere"))
    lights = read_lights(read_scenario(scenario_path("cross")))
    with pytest.raises(SimulationError, match="nowhere"):
        driven_flows(read_scenario(config), lights)
