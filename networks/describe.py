"""What a light is, in words a person can follow: plain data, for tables and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..core.intersection import Detector
from .light import Light
from .roadnet import load_net
from .scenario import Scenario


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """One signal group: `approach` the street it comes from, `links` SUMO's signal indices, times in [s]."""

    name: str
    kind: str
    approach: str
    movements: tuple[str, ...]
    lanes: tuple[str, ...]
    links: tuple[int, ...]
    stages: tuple[str, ...]
    min_green: float
    amber: float
    max_red: float | None
    excludes: tuple[str, ...]
    gives_way_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One stage: its groups, the state string SUMO is shown, and the interstage [s] to each other stage."""

    name: str
    green: tuple[str, ...]
    letters: str
    interstages: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LoopSummary:
    """One loop: `distance` [m] upstream of the stop line, negative behind it; the exit, or the groups, its traffic goes to."""

    name: str
    kind: str
    lane: str
    distance: float
    leads_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LightSummary:
    """One light. `conflicts` are pairs of groups with the least time [s] from the end of one green to the other."""

    name: str
    streets: tuple[str, ...]
    neighbours: tuple[str, ...]
    groups: tuple[GroupSummary, ...]
    stages: tuple[StageSummary, ...]
    conflicts: tuple[tuple[str, str, float], ...]
    loops: tuple[LoopSummary, ...]
    programs: tuple[str, ...]
    active: str
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def describe(light: Light, scenario: Scenario | None = None) -> LightSummary:
    """Summarise a light; with its scenario, approaches go by street name where the net knows one."""
    site = light.intersection
    streets = _streets(scenario, light)
    groups = tuple(_group(light, row, streets) for row in range(len(site.groups)))
    names = [group.name for group in site.groups]
    pairs = np.argwhere(site.exclusive)
    return LightSummary(
        name=light.name,
        streets=tuple(dict.fromkeys(name for name in streets.values() if name)),
        neighbours=tuple(dict.fromkeys(exit.towards for exit in site.exits if exit.towards)),
        groups=groups,
        stages=tuple(_stage(light, row) for row in range(len(site.stages))),
        conflicts=tuple((names[a], names[b], float(site.intergreen[a, b])) for a, b in pairs),
        loops=tuple(_loop(light, detector) for detector in site.detectors),
        programs=tuple(light.programs),
        active=light.active,
        notes=light.notes,
    )


def _group(light: Light, row: int, streets: dict[str, str]) -> GroupSummary:
    site = light.intersection
    group = site.groups[row]
    names = [other.name for other in site.groups]
    origins = list(dict.fromkeys(movement.origin for movement in group.movements))
    return GroupSummary(
        name=group.name,
        kind=group.kind.value,
        approach=", ".join(dict.fromkeys(streets.get(origin) or origin for origin in origins)),
        movements=tuple(
            f"{movement.origin} -> {movement.destination} ({movement.turn})" for movement in group.movements
        ),
        lanes=tuple(dict.fromkeys(lane for movement in group.movements for lane in movement.lanes)),
        links=tuple(sorted({link.index for link in light.links if link.group == row})),
        stages=tuple(stage.name for stage in site.stages if group.name in stage.green),
        min_green=group.min_green,
        amber=group.amber,
        max_red=group.max_red,
        excludes=_picked(names, site.exclusive[row]),
        gives_way_to=_picked(names, site.yields[row] & ~site.exclusive[row]),
    )


def _stage(light: Light, row: int) -> StageSummary:
    site = light.intersection
    green = site.stage_greens[row]
    return StageSummary(
        name=site.stages[row].name,
        green=_picked([group.name for group in site.groups], green),
        letters=light.stage_letters(row),
        interstages=tuple(
            (other.name, site.interstage(row, column)) for column, other in enumerate(site.stages) if column != row
        ),
    )


def _loop(light: Light, detector: Detector) -> LoopSummary:
    seen = set(detector.lanes)
    groups = [
        group.name
        for group in light.intersection.groups
        if any(seen.intersection(movement.lanes) for movement in group.movements)
    ]
    leads_to = (detector.exit,) if detector.exit else tuple(groups)
    return LoopSummary(detector.name, detector.kind.value, detector.lane, detector.distance, leads_to)


def _picked(names: Sequence[str], chosen: Any) -> tuple[str, ...]:
    return tuple(name for name, yes in zip(names, chosen, strict=True) if yes)


def _streets(scenario: Scenario | None, light: Light) -> dict[str, str]:
    """Approach edge -> street name, empty where the net has none."""
    if scenario is None:
        return {}
    net = load_net(scenario.net)
    edges = dict.fromkeys(movement.origin for movement in light.intersection.movements)
    return {edge: net.getEdge(edge).getName() or "" for edge in edges if not edge.startswith(":")}
