"""From counts to the flow of every movement: turns as they were counted, else shared out, and what had to be assumed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import CountsError
from ..core.planning.demand import balanced
from ..core.planning.fixed import lane_flows
from .countsfile import MOST_PER_LANE, CountsFile, Series
from .demand import Flows, Journeys
from .detectors import own_loops
from .light import Light
from .roadnet import load_net
from .scenario import Scenario

ENOUGH = 0.1
"""Share of an approach's traffic that its counted lanes must have, for the others to be told from them."""


def movement_flows(
    counts: CountsFile, scenario: Scenario, lights: Mapping[str, Light], journeys: Journeys
) -> tuple[dict[str, Flows], tuple[str, ...]]:
    """Flow of every movement of every light [veh/h] from counts, and what had to be assumed.

    Turn counts count as they are. Counts of approaches (detectors upstream of a stop line, edges) are shared out by the
    turns counted there, by those of the scenario's demand where there are none, evenly where there is no demand; where
    exits are counted too, turns are balanced to agree with both. What more lanes than there are would be needed for is left out.
    Raises CountsError for a detector or edge the net lacks, and where nothing was counted at a light.
    """
    lane_of = {loop.name: loop.lane for loop in own_loops(scenario)}
    for light in lights.values():
        lane_of |= {detector.name: detector.lane for detector in light.intersection.detectors}
    movements = [(name, m) for name, light in lights.items() for m in light.intersection.movements if m.lanes]
    edges = {m.origin for _, m in movements} | {m.destination for _, m in movements}
    lanes = {lane.name for light in lights.values() for lane in light.intersection.lanes}
    turns: dict[tuple[str, str], float] = {}
    at_lane: dict[str, list[float]] = defaultdict(list)
    at_edge: dict[str, float] = {}
    believed, remarks = _believed(counts, load_net(scenario.net), scenario)
    for series in believed:
        if series.kind == "turn":
            origin, _, destination = series.name.partition("->")
            turns[origin, destination] = series.flow
        elif series.kind == "edge" or series.name in edges:
            at_edge[series.name] = series.flow
        else:
            lane = lane_of.get(series.name) or (series.name if series.name in lanes else None)
            if lane is None:
                raise CountsError(
                    f"{series.where}: there is no detector {series.name} in the scenario; the scenario has {_some(lane_of) or 'none'}"
                )
            at_lane[lane].append(series.flow)
    net, expected = load_net(scenario.net), _expected(lights, journeys)
    for edge in sorted({lane.rsplit("_", 1)[0] for lane in at_lane} - at_edge.keys()):
        means = {lane: float(np.mean(flows)) for lane, flows in at_lane.items() if lane.rsplit("_", 1)[0] == edge}
        total = _whole_approach(edge, means, expected.get(edge), net, remarks)
        if total is not None:
            at_edge[edge] = total
    used = (edges & at_edge.keys()) | {
        turn for turn in turns if any(turn == (m.origin, m.destination) for _, m in movements)
    }
    elsewhere = len(at_edge) + len(turns) - len(used)
    if not used and not edges & {lane.rsplit("_", 1)[0] for lane in at_lane}:
        said = f"none of the counts is at a light of {scenario.source.name}; are they for another net?"
        raise CountsError("; ".join(["none of the counts can be used", *remarks]) if remarks and not believed else said)
    if elsewhere:
        remarks.append(f"{elsewhere} counts are of places that belong to no light; they are not used")
    found: dict[str, Flows] = {}
    for name in lights:
        own = [m for light, m in movements if light == name]
        origins = list(dict.fromkeys(m.origin for m in own))
        exits = list(dict.fromkeys(m.destination for m in own))
        seed = np.zeros((len(origins), len(exits)))
        for m in own:
            known = turns.get((m.origin, m.destination), journeys.flows.get((name, m.name), 0.0))
            seed[origins.index(m.origin), exits.index(m.destination)] += known
        for row, origin in enumerate(origins):
            if seed[row].sum() == 0.0 and at_edge.get(origin, 0.0) > 0.0:
                seed[row] = [
                    1.0 if any(m.origin == origin and m.destination == exit for m in own) else 0.0 for exit in exits
                ]
                remarks.append(f"light {name}: nothing tells the turns from {origin}; they are taken evenly")
            if origin not in at_edge and not any((origin, exit) in turns for exit in exits):
                remarks.append(f"light {name}: {origin} is not counted; the flow of the scenario's demand is taken")
        inflow = np.array([at_edge.get(origin, seed[row].sum()) for row, origin in enumerate(origins)])
        table = seed * (inflow / np.where(seed.sum(axis=1) > 0.0, seed.sum(axis=1), 1.0))[:, None]
        if all(exit in at_edge for exit in exits) and table.sum() > 0.0:
            try:
                table = balanced(table, inflow, np.array([at_edge[exit] for exit in exits]))
            except CountsError as error:
                remarks.append(f"light {name}: the exits do not agree with the approaches ({error}); they are not used")
        found[name] = {m.name: 0.0 for m in lights[name].intersection.movements}
        for m in own:
            found[name][m.name] = float(table[origins.index(m.origin), exits.index(m.destination)])
    return found, tuple(remarks)


def _expected(lights: Mapping[str, Light], journeys: Journeys) -> dict[str, dict[str, float]]:
    """What the scenario's demand brings to every lane of every approach {edge: {lane: [veh/h]}}."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name, light in lights.items():
        site = light.intersection
        flows = {m.name: journeys.flows.get((name, m.name), 0.0) for m in site.movements}
        share = lane_flows(site, flows)
        for lane in site.lanes:
            found[lane.name.rsplit("_", 1)[0]][lane.name] = sum(
                f for (_, there), f in share.items() if there == lane.name
            )
    return found


def _whole_approach(
    edge: str, known: Mapping[str, float], expected: Mapping[str, float] | None, net: Any, remarks: list[str]
) -> float | None:
    """The flow of an edge [veh/h] from its counted lanes; an approach's other lanes are taken to have their share of the
    scenario's demand, where the counted ones have enough of it. None where it cannot be told."""
    if expected is None:
        lanes = {lane.getID() for lane in net.getEdge(edge).getLanes() if lane.allows("passenger")}
        return sum(known.values()) if lanes <= known.keys() else None
    missing = sorted(expected.keys() - known.keys())
    if not missing:
        return sum(known.values())
    demand = dict(expected) if sum(expected.values()) > 0.0 else dict.fromkeys(expected, 1.0)
    seen = sum(demand.get(lane, 0.0) for lane in known) / sum(demand.values())
    if seen < ENOUGH:
        return None
    remarks.append(
        f"lane {', '.join(missing)} is not counted; its share of what comes from {edge} is that in the scenario's demand"
    )
    return sum(known.values()) / seen


def _believed(counts: CountsFile, net: Any, scenario: Scenario) -> tuple[list[Series], list[str]]:
    """The series whose edges can carry them; raises CountsError for edges the net lacks."""
    kept, remarks = [], []
    for series in counts.series:
        if series.kind == "detector":
            kept.append(series)
        if series.kind == "detector" or series.name.startswith(":"):
            continue
        names = series.name.split("->")
        for name in names:
            if not net.hasEdge(name):
                raise CountsError(
                    f"there is no edge {name} in {scenario.source.name}, for the {series.kind} {series.name}"
                )
        lanes = min(net.getEdge(name).getLaneNumber() for name in names)
        hourly = float(np.nanmax(series.count)) * 3600.0 / series.interval
        if hourly > MOST_PER_LANE * lanes:
            remarks.append(
                f"{series.kind} {series.name}: counts {hourly:.0f} veh/h, more than {lanes} lanes can carry; it is left out"
            )
        else:
            kept.append(series)
    return kept, remarks


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
