"""How much traffic a scenario brings to each movement: its own demand, driven once in SUMO's mesoscopic model."""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..core.errors import SimulationError
from .light import Light
from .options import Outputs, options_of
from .roadnet import load_net
from .scenario import Scenario, elements
from .simulator import find_sumo

Flows = dict[str, float]
"""Movement name -> [veh/h]."""


Place = tuple[str, str]
"""A movement of a light: (light, movement)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Traffic that comes from one light's movement straight to another's: `flow` [veh/h], `time` [s] at the limits."""

    flow: float
    time: float


@dataclass(frozen=True, slots=True)
class Journeys:
    """Traffic from light to light: `flows` of every movement [veh/h], and the `legs` between them; `until` is the end of
    the window they are means over [s], the last departure where the scenario names no end."""

    flows: Mapping[Place, float]
    legs: Mapping[tuple[Place, Place], Leg]
    until: float = math.inf


def driven_flows(
    scenario: Scenario,
    lights: Mapping[str, Light],
    *,
    begin: float | None = None,
    end: float | None = None,
    scale: float = 1.0,
    seed: int = 1,
) -> dict[str, Flows]:
    """Mean flow [veh/h] of every movement of every light over the window, from the routes vehicles take.

    Every format of demand SUMO knows is read by SUMO itself. All lights are switched off in that run, so that a bad program does not
    hide demand; vehicles that never get in are left out. Raises SimulationError with SUMO's last words.
    """
    routes, hours = driven_routes(scenario, begin, end, scale, seed)
    turns = Counter(turn for route in routes for turn in pairwise(route))
    return {
        name: {m.name: turns[m.origin, m.destination] / hours for m in light.intersection.movements}
        for name, light in lights.items()
    }


def driven_journeys(
    scenario: Scenario,
    lights: Mapping[str, Light],
    *,
    begin: float | None = None,
    end: float | None = None,
    scale: float = 1.0,
    seed: int = 1,
) -> Journeys:
    """The flows of `driven_flows`, and how the traffic of one light comes to the next. Raises SimulationError."""
    routes, hours = driven_routes(scenario, begin, end, scale, seed)
    net = load_net(scenario.net)
    place = {
        (m.origin, m.destination): (name, m.name)
        for name, light in lights.items()
        for m in light.intersection.movements
        if m.lanes
    }
    passed: Counter[Place] = Counter()
    legs: Counter[tuple[Place, Place]] = Counter()
    times: dict[tuple[Place, Place], float] = defaultdict(float)
    seconds = {edge.getID(): edge.getLength() / max(0.1, edge.getSpeed()) for edge in net.getEdges(False)}
    for route in routes:
        before: Place | None = None
        since = 0.0
        for turn in pairwise(route):
            since += seconds.get(turn[0], 0.0)
            if turn in place:
                here = place[turn]
                passed[here] += 1
                if before is not None:
                    legs[before, here] += 1
                    times[before, here] += since
                before, since = here, 0.0
    return Journeys(
        {here: count / hours for here, count in passed.items()},
        {pair: Leg(count / hours, times[pair] / count) for pair, count in legs.items()},
        (scenario.begin if begin is None else begin) + 3600.0 * hours,
    )


def window_end(scenario: Scenario, begin: float | None = None, end: float | None = None) -> float:
    """When a trial ends [s]: as asked for or as the scenario says, else with the last departure, so that a gridlock, in
    which nobody arrives any more, ends as well. Raises SimulationError."""
    if end is not None or scenario.end is not None:
        return float(end if end is not None else scenario.end or 0.0)
    _routes, hours = driven_routes(scenario, begin)
    return (scenario.begin if begin is None else begin) + 3600.0 * hours


def flows_of(journeys: Journeys, lights: Mapping[str, Light]) -> dict[str, Flows]:
    """The flow of every movement of every light [veh/h], 0 where nobody drives."""
    return {
        name: {m.name: journeys.flows.get((name, m.name), 0.0) for m in light.intersection.movements}
        for name, light in lights.items()
    }


def driven_routes(
    scenario: Scenario,
    begin: float | None = None,
    end: float | None = None,
    scale: float = 1.0,
    seed: int = 1,
) -> tuple[list[list[str]], float]:
    """The edges of every vehicle's way, and the hours of the window."""
    vehicles = driven_vehicles(scenario, begin, end, scale, seed)
    last = max((depart for depart, _name, _way in vehicles), default=0.0)
    first = scenario.begin if begin is None else begin
    until = end if end is not None else scenario.end if scenario.end is not None else last
    return [way for _depart, _name, way in vehicles], max(until - first, 60.0) / 3600.0


def driven_vehicles(
    scenario: Scenario,
    begin: float | None = None,
    end: float | None = None,
    scale: float = 1.0,
    seed: int = 1,
) -> list[tuple[float, str, list[str]]]:
    """Departure [s], name and edges of every vehicle."""
    sumo = find_sumo()
    with tempfile.TemporaryDirectory(prefix="signalwright-") as directory:
        outputs = Outputs(Path(directory))
        written = Path(directory, "routes.xml")
        extra = {
            "mesosim": "true",
            "tls.all-off": "true",
            "vehroute-output": str(written),
            "vehroute-output.write-unfinished": "true",
        }
        options = options_of(scenario, outputs, seed=seed, begin=begin, end=end, scale=scale, extra=extra)
        done = subprocess.run(
            [str(sumo.program()), *options], env=sumo.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not written.is_file():
            raise SimulationError(f"{scenario.source}: SUMO could not drive the demand: {_last(done.stderr)}")
        vehicles: list[tuple[float, str, list[str]]] = []
        for vehicle in elements(written, "vehicle"):
            edges = [
                edge for route in vehicle.iter("route") if "edges" in route.attrib for edge in [route.get("edges")]
            ]
            vehicles.append(
                (float(vehicle.get("depart", 0.0)), str(vehicle.get("id")), edges[-1].split() if edges else [])
            )
    return vehicles


def _last(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
