"""Short simulations of shipped scenarios for the tests: the street, and a mindless controller that wakes every stage."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

from signalwright.networks.detectors import place_loops
from signalwright.networks.light import Light
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import Scenario, read_scenario
from signalwright.networks.shipped import scenario_path
from signalwright.networks.sumo import SumoStreet, open_street


def shipped(name: str) -> tuple[Scenario, dict[str, Light]]:
    """A shipped scenario and its lights with placed loops."""
    scenario = read_scenario(scenario_path(name))
    return scenario, place_loops(scenario, read_lights(scenario))


def street(name: str, outputs: Path, **options: Any) -> SumoStreet:
    """A shipped scenario under our control."""
    scenario, lights = shipped(name)
    return open_street(scenario, lights, outputs=outputs, **{"seed": 5, **options})


def rotate(clock: SumoStreet, seconds: int, see: Callable[[SumoStreet], None] = lambda street: None) -> None:
    """Every cabinet goes round its stages, 17 s each, for so many seconds."""
    for second in range(seconds):
        assert clock.tick()
        for cabinet in clock.cabinets.values():
            cabinet.read()
            cabinet.status()
            cabinet.request(second // 17 % len(cabinet.intersection.stages))
        see(clock)


def trips(outputs: Path) -> list[dict[str, str]]:
    """Every trip SUMO wrote, as it wrote it."""
    return [trip.attrib for trip in ET.parse(outputs / "tripinfo.xml").getroot().iter("tripinfo")]


def doubled_loops(loops: Path, into: Path, output: Path) -> Path:
    """The same loops once more under other names, with SUMO's own output each second."""
    text = re.sub(r'id="', 'id="twin ', loops.read_text())
    text = re.sub(r'period="[^"]*" file="[^"]*"', f'period="1" file="{output}"', text)
    into.write_text(text)
    return into
