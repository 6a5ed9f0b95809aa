"""A scenario whose traffic is what was counted, so that a plan made for counts is tried and proved under them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from lxml import etree

from ..core.errors import InputError
from ..core.messages import _
from ..networks.countsfile import Series
from ..networks.demand import driven_routes, window_end
from ..networks.detectors import write_whole
from ..networks.light import Light
from ..networks.netfile import read_lights
from ..networks.scenario import Scenario, elements, read_scenario, root_of
from .counted import Counted, sampled_routes, words_of
from .spec import Timing, scenario_path

KEPT = ("vType", "vTypeDistribution", "person", "personFlow", "container", "containerFlow")
"""What stays of the scenario's own demand."""
GAP = 3
"""Edges that may lie within a light, between where a turn comes from and where it goes to."""


def counted_scenario(
    scenario: str,
    counted: Counted,
    out: Path,
    timing: Timing = "safe",
    *,
    begin: float | None = None,
    end: float | None = None,
    seed: int = 1,
    overwrite: bool = False,
) -> tuple[Path, str]:
    """Write the scenario into the directory `out` with routes sampled to the flows that were counted, and say how well they meet them.

    The ways are those the scenario's vehicles take, walkers and types of vehicles stay its own. Raises InputError where the files
    are there already.
    """
    read = read_scenario(scenario_path(scenario))
    config, routes = out / f"{read.name}-counted.sumocfg", out / f"{read.name}-counted.rou.xml"
    if there := [path.name for path in (config, routes) if path.exists() and not overwrite]:
        raise InputError(
            _("{out} holds {names} already; name another directory, or give --overwrite").format(
                out=out, names=", ".join(there)
            )
        )
    first, last = read.begin if begin is None else begin, window_end(read, begin, end)
    ways, _hours = driven_routes(read, begin, end)
    series = _turns(read_lights(read, timing), counted, first, last)
    text, met = sampled_routes(series, ways, seed, attributes=_usual(read), gap=GAP)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(routes, _with_the_rest(read, text))
    write_whole(config, _configuration(read, out, routes, first, last))
    return config, words_of(met)


def _turns(lights: Mapping[str, Light], counted: Counted, first: float, last: float) -> list[Series]:
    """A count for every turn at every light, interval by interval."""
    length = (last - first) / len(counted.shape)
    found: dict[tuple[str, str], float] = {}
    for name, light in lights.items():
        for movement in light.intersection.movements:
            if movement.lanes and name in counted.flows:
                found[movement.origin, movement.destination] = counted.flows[name][movement.name]
    shape = np.array(counted.shape) * length / 3600.0
    unknown = np.full(shape.size, np.nan)
    return [Series(f"{a}->{b}", "turn", first, length, flow * shape, unknown) for (a, b), flow in found.items()]


def _usual(read: Scenario) -> str:
    """The type, departure lane and speed that most vehicles of the scenario have, as attributes."""
    known: Counter[str] = Counter()
    for path in read.routes:
        for vehicle in elements(path, "vehicle", "trip", "flow"):
            said = {key: vehicle.get(key) for key in ("type", "departLane", "departSpeed")}
            weight = int(float(vehicle.get("number", 1)))
            known[" ".join(f"{key}={quoteattr(value)}" for key, value in said.items() if value)] += weight
    return known.most_common(1)[0][0] if known else ""


def _with_the_rest(read: Scenario, sampled: str) -> str:
    """The sampled vehicles together with types and walkers of the scenario, in order of departure as SUMO asks for."""
    types: list[Any] = []
    moving: list[Any] = []
    for path in read.routes:
        for element in root_of(path):
            if element.tag in KEPT:
                (types if element.tag.startswith("vType") else moving).append(element)
    moving += [element for element in etree.fromstring(sampled.encode("utf-8")) if isinstance(element.tag, str)]
    moving.sort(key=_when)
    root = etree.Element("routes")
    root.extend([*types, *moving])
    return str(etree.tostring(root, pretty_print=True, encoding="unicode")) + "\n"


def _when(element: Any) -> float:
    """When a vehicle or person starts [s]; who waits for something else stands first."""
    try:
        return float(element.get("depart", element.get("begin", "0")))
    except ValueError:
        return 0.0


def _configuration(read: Scenario, out: Path, routes: Path, first: float, last: float) -> str:
    def near(path: Path) -> str:
        return Path(os.path.relpath(path, out.resolve())).as_posix()

    said = {"net-file": near(read.net), "route-files": routes.name}
    if read.additionals:
        said["additional-files"] = ",".join(map(near, read.additionals))
    said |= {"begin": f"{first:g}", "end": f"{last:g}", "step-length": f"{read.step_length:g}"}
    if read.time_to_teleport is not None:
        said["time-to-teleport"] = f"{read.time_to_teleport:g}"
    said |= {key: value for key, value in read.options.items() if not key.endswith(("-output", "-file", "-files"))}
    lines = [f"    <{key} value={quoteattr(value)}/>" for key, value in said.items()]
    return "\n".join(["<configuration>", *lines, "</configuration>\n"])
