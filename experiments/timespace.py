"""Distance against time along the busiest street: greens, the bands they leave, and simulated vehicles over them."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import networkx as nx

from ..core.certify import SafePlan
from ..core.errors import SimulationError
from ..core.intersection import Intersection, Movement
from ..core.messages import _
from ..core.planning.arterial import Arterial
from ..networks.demand import Journeys
from ..networks.light import Light
from ..networks.options import Outputs, options_of
from ..networks.planprogram import program_of
from ..networks.programs import GREEN
from ..networks.redirect import redirected
from ..networks.roadnet import load_net
from ..networks.scenario import Scenario, elements
from ..networks.simulator import find_sumo
from ..networks.spoken import last_words
from ..networks.street import street_graph

LEAST_PART = 0.2
"""Share of the busiest pair's traffic that makes a street go on to the next light."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A light on a street in one direction: `position` [m], the seconds of the cycle at which its through traffic has
    green, (begin, end) [s] by the clock's zero, its `cycle` [s]."""

    light: str
    position: float
    greens: tuple[tuple[int, int], ...]
    cycle: int


@dataclass(frozen=True, slots=True)
class Band:
    """Vehicles that pass the first light between `begin` and `begin + width` [s] of the cycle meet green at all."""

    begin: float
    width: float
    times: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Street:
    """Lights along a street, the way out and the way back, with the edges in order and the distance at which each
    begins."""

    lights: tuple[str, ...]
    out: tuple[Passage, ...]
    back: tuple[Passage, ...]
    band_out: Band | None
    band_back: Band | None
    edges_out: Mapping[str, float]
    edges_back: Mapping[str, tuple[float, float]]

    @property
    def length(self) -> float:
        """From the first light to the last [m]."""
        return self.out[-1].position


def busiest_street(
    scenario: Scenario, lights: Mapping[str, Light], plans: Mapping[str, SafePlan], journeys: Journeys
) -> Street | None:
    """The street of most traffic from light to light under the plans, None where no light follows another."""
    graph = street_graph(scenario)
    row = busiest_row(graph, set(plans), journeys)
    if row is None:
        return None
    lengths = {edge.getID(): float(edge.getLength()) for edge in load_net(scenario.net).getEdges(False)}
    out, edges_out = _way(graph, lengths, row, lights, plans, journeys)
    back, edges_back = _way(graph, lengths, row[::-1], lights, plans, journeys)
    length = out[-1].position
    return Street(
        tuple(row), out, tuple(replace(p, position=length - p.position) for p in back), _band(out, graph), _band(back, graph),
        edges_out, {edge: (length, begin) for edge, begin in edges_back.items()},
    )  # fmt: skip


def busiest_row(graph: nx.DiGraph, names: Collection[str], journeys: Journeys) -> list[str] | None:
    """The lights along the street of most traffic from light to light, None where no light follows another."""
    weight: dict[tuple[str, str], float] = {}
    for (one, other), leg in journeys.legs.items():
        pair = (one[0], other[0])
        if pair[0] != pair[1] and graph.has_edge(*pair) and pair[0] in names and pair[1] in names:
            weight[pair] = weight.get(pair, 0.0) + leg.flow
    both = {way: flow + weight.get(way[::-1], 0.0) for pair, flow in weight.items() for way in (pair, pair[::-1])}
    if not both:
        return None
    first = max((both[pair], pair) for pair in weight)[1]
    row = list(first)
    least = LEAST_PART * both[first]
    for end in (-1, 0):
        while onward := [(both[a, b], b) for a, b in both if a == row[end] and b not in row and both[a, b] >= least]:
            row.insert(len(row) if end else 0, max(onward)[1])
    return row


def arterial_of(scenario: Scenario, sites: Mapping[str, Intersection], journeys: Journeys) -> Arterial | None:
    """The busiest street for the network search: which stages let the way out and the way back go at each of its lights.

    None where no light follows another, or a light has no stage for both ways.
    """
    graph = street_graph(scenario)
    row = busiest_row(graph, set(sites), journeys)
    if row is None or not all(graph.has_edge(*pair) and graph.has_edge(*pair[::-1]) for pair in pairwise(row)):
        return None
    lengths = {edge.getID(): float(edge.getLength()) for edge in load_net(scenario.net).getEdges(False)}
    positions, speeds = [0.0], []
    for pair in pairwise(row):
        length = sum(lengths[edge] for edge in graph.edges[pair]["via"])
        back = graph.edges[pair[::-1]]
        positions.append(positions[-1] + length)
        speeds.append(tuple(length / max(1.0, float(way["travel_time"])) for way in (graph.edges[pair], back)))
    out = [_letting(graph, row, k, 1, sites[name], journeys) for k, name in enumerate(row)]
    inward = [_letting(graph, row, k, -1, sites[name], journeys) for k, name in enumerate(row)]
    if not all((*out, *inward)):
        return None
    return Arterial(
        "busiest street", tuple(row), tuple(positions), tuple(out), tuple(inward), tuple((a, b) for a, b in speeds)
    )


def _letting(
    graph: nx.DiGraph, row: Sequence[str], k: int, step: int, site: Intersection, journeys: Journeys
) -> frozenset[str]:
    """The stages of a light in which the busiest movement along the row, in the one or the other direction, is green."""
    before, after = k - step, k + step
    coming = graph.edges[row[before], row[k]]["via"][-1] if 0 <= before < len(row) else None
    going = graph.edges[row[k], row[after]]["via"][0] if 0 <= after < len(row) else None
    through = _through(site, coming, going, journeys)
    if through is None:
        return frozenset()
    group = next(g for g in site.groups if through in g.movements)
    return frozenset(stage.name for stage in site.stages if group.name in stage.green)


def _through(site: Intersection, origin: str | None, destination: str | None, journeys: Journeys) -> Movement | None:
    """The busiest movement between the edges."""
    ways = [
        m for m in site.movements
        if m.lanes and (origin is None or m.origin == origin) and (destination is None or m.destination == destination)
    ]  # fmt: skip
    return max(ways, key=lambda m: (journeys.flows.get((site.name, m.name), 0.0), m.name), default=None)


def _way(
    graph: nx.DiGraph,
    lengths: Mapping[str, float],
    row: Sequence[str],
    lights: Mapping[str, Light],
    plans: Mapping[str, SafePlan],
    journeys: Journeys,
) -> tuple[tuple[Passage, ...], dict[str, float]]:
    """Passages of one direction, and where its edges begin [m]; empty where the street is one-way the other way."""
    position, passages, edges = 0.0, [], {}
    for k, name in enumerate(row):
        coming = graph.edges[row[k - 1], name] if k and graph.has_edge(row[k - 1], name) else None
        going = graph.edges[name, row[k + 1]] if k + 1 < len(row) and graph.has_edge(name, row[k + 1]) else None
        if coming is not None:
            for edge in coming["via"]:
                edges[edge] = position
                position += lengths[edge]
        passages.append(
            Passage(
                name, position,
                _greens(lights[name], plans[name], coming and coming["via"][-1], going and going["via"][0], journeys),
                plans[name].cycle,
            )
        )  # fmt: skip
    return tuple(passages), edges


def _greens(
    light: Light, plan: SafePlan, origin: str | None, destination: str | None, journeys: Journeys
) -> tuple[tuple[int, int], ...]:
    """(begin, end) [s] of green of the busiest movement between the edges; it may reach beyond the cycle's end."""
    site = light.intersection
    through = _through(site, origin, destination, journeys)
    if through is None:
        return ()
    group = next(row for row, g in enumerate(site.groups) if through in g.movements)
    index = next(link.index for link in light.links if link.group == group)
    program = program_of(light, plan, "drawn")
    spans: list[tuple[int, int]] = []
    time = 0
    for step in program.steps:
        if step.state[index] in GREEN:
            if spans and spans[-1][1] == time:
                spans[-1] = (spans[-1][0], time + int(step.duration))
            else:
                spans.append((time, time + int(step.duration)))
        time += int(step.duration)
    if len(spans) > 1 and spans[0][0] == 0 and spans[-1][1] == time:
        spans[0] = (spans.pop()[0] - time, spans[0][1])
    return tuple((begin + plan.plan.offset, end + plan.plan.offset) for begin, end in spans)


def _band(passages: Sequence[Passage], graph: nx.DiGraph) -> Band | None:
    """The widest band over all lights; None where cycles differ or there is no green."""
    cycle = passages[0].cycle
    if any(p.cycle != cycle or not p.greens for p in passages):
        return None
    times = [0.0]
    for one, other in pairwise(passages):
        if not graph.has_edge(one.light, other.light):
            return None
        times.append(times[-1] + float(graph.edges[one.light, other.light]["travel_time"]))
    fits = [
        all(
            any((s + t - begin) % cycle < end - begin for begin, end in p.greens)
            for p, t in zip(passages, times, strict=True)
        )
        for s in range(cycle)
    ]
    best, length = 0, 0
    for start in range(cycle):
        run = next((k for k in range(cycle) if not fits[(start + k) % cycle]), cycle)
        if run > length:
            best, length = start, run
    return Band(float(best), float(length), tuple(times))


Trajectory = tuple[tuple[float, float], ...]
"""(time [s], position along the street [m]) of one vehicle."""


def trajectories(
    scenario: Scenario, street: Street, programs: Path, begin: float, end: float, seed: int = 1
) -> tuple[list[Trajectory], list[Trajectory]]:
    """How vehicles drove along the street, out and back, between `begin` and `end` [s]. Raises SimulationError."""
    sumo = find_sumo()
    with TemporaryDirectory(prefix="signalwright-") as folder:
        outputs = Outputs(Path(folder))
        wanted = Path(folder, "edges.txt")
        wanted.write_text("\n".join(f"edge:{edge}" for edge in (*street.edges_out, *street.edges_back)) + "\n")
        seen = Path(folder, "fcd.xml")
        extra = {
            "fcd-output": str(seen),
            "fcd-output.filter-edges.input-file": str(wanted),
            "device.fcd.begin": f"{begin:g}",
        }
        files = [*redirected(scenario, outputs.directory), programs]
        options = options_of(scenario, outputs, seed=seed, end=end, additionals=files, extra=extra)
        done = subprocess.run(
            [str(sumo.program()), *options], env=sumo.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not seen.is_file():
            raise SimulationError(_("SUMO could not draw trajectories:") + "\n" + last_words(outputs.log, done.stderr))
        out: dict[str, list[tuple[float, float]]] = {}
        back: dict[str, list[tuple[float, float]]] = {}
        for step in elements(seen, "timestep"):
            time = float(step.get("time"))
            for vehicle in step.iter("vehicle"):
                edge, _sep, _lane = vehicle.get("lane").rpartition("_")
                along = float(vehicle.get("pos"))
                if edge in street.edges_out:
                    out.setdefault(vehicle.get("id"), []).append((time, street.edges_out[edge] + along))
                elif edge in street.edges_back:
                    length, first = street.edges_back[edge]
                    back.setdefault(vehicle.get("id"), []).append((time, length - first - along))
    return [tuple(way) for way in out.values()], [tuple(way) for way in back.values()]
