"""How much traffic a scenario brings to each movement: its own demand, driven once in SUMO's mesoscopic model."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from ..core.errors import SimulationError
from .light import Light
from .options import Outputs, options_of
from .scenario import Scenario, elements
from .simulator import find_sumo

Flows = dict[str, float]
"""Movement name -> [veh/h]."""


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
    turns, hours = _turns(scenario, begin, end, scale, seed)
    return {
        name: {m.name: turns[m.origin, m.destination] / hours for m in light.intersection.movements}
        for name, light in lights.items()
    }


def _turns(
    scenario: Scenario, begin: float | None, end: float | None, scale: float, seed: int
) -> tuple[Counter[tuple[str, str]], float]:
    sumo = find_sumo()
    with tempfile.TemporaryDirectory(prefix="signalwright-") as directory:
        outputs = Outputs(Path(directory))
        routes = Path(directory, "routes.xml")
        extra = {
            "mesosim": "true",
            "tls.all-off": "true",
            "vehroute-output": str(routes),
            "vehroute-output.write-unfinished": "true",
        }
        options = options_of(scenario, outputs, seed=seed, begin=begin, end=end, scale=scale, extra=extra)
        done = subprocess.run(
            [str(sumo.program()), *options], env=sumo.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not routes.is_file():
            raise SimulationError(f"{scenario.source}: SUMO could not drive the demand: {_last(done.stderr)}")
        turns: Counter[tuple[str, str]] = Counter()
        last = 0.0
        for vehicle in elements(routes, "vehicle"):
            last = max(last, float(vehicle.get("depart", 0.0)))
            edges = [
                edge for route in vehicle.iter("route") if "edges" in route.attrib for edge in [route.get("edges")]
            ]
            turns.update(pairwise(edges[-1].split()) if edges else ())
    first = scenario.begin if begin is None else begin
    until = end if end is not None else scenario.end if scenario.end is not None else last
    return turns, max(until - first, 60.0) / 3600.0


def _last(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
