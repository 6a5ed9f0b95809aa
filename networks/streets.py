"""The lights of a scenario and the traffic between them as the network optimiser sees them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import numpy.typing as npt

from ..core.intersection import GroupKind, Intersection, Movement
from ..core.planning.fixed import gives_way, lane_flows, needed_stages, stage_demand
from ..core.planning.site import light_of
from ..core.planning.streets import Light as Node
from ..core.planning.streets import Link, Streets
from .approach import CAR
from .demand import Flows, Journeys
from .light import Light

CRITICAL_GAP, FOLLOW_UP = 4.5, 2.5
"""Of a turn that gives way [s] (HCM 7, exhibit 19-32 and chapter 31)."""
SNEAKERS = 2.0
"""Vehicles that get through at the end of a green in which they gave way (HCM)."""
USUAL_SHARE, USUAL_CYCLE = 0.45, 90.0
"""Share of green and cycle [s] taken for the stream that is given way to, before there is a plan."""
LEAST_SHARE = 0.05
LOST, OPPOSING_AMBER = 2.0, 3.0
"""Green [s] lost when a queue sets off; and, by turns that gave way until then, while the last of the others go."""
AT_ONCE = 360_000.0
"""Walkers an hour that set off when their green begins: so many that nobody waits for others."""


@dataclass(frozen=True, slots=True)
class _LaneGroup:
    """Lanes of one approach that the same movements use: one link of the streets. `parts` {movement: [veh/h]}."""

    light: str
    origin: str
    lanes: tuple[str, ...]
    parts: Mapping[str, float]

    @property
    def name(self) -> str:
        return f"{self.light}|{','.join(self.lanes)}"

    @property
    def flow(self) -> float:
        return sum(self.parts.values())


def streets_of(
    lights: Mapping[str, Light],
    flows: Mapping[str, Flows],
    journeys: Journeys,
    *,
    orders: bool = True,
    give_way: float = 0.0,
    walkers: float = 0.0,
) -> tuple[Streets, dict[str, Intersection]]:
    """The streets, and each light's site with only the stages that its traffic needs.

    `flows` are planned for, `journeys` tell how the traffic of one light comes to the next. With `orders` every order
    of up to five stages may be tried; stages that only protect turns whose cross product with what they give way to is not
    above `give_way` [(veh/h)^2] are left out. Walkers count by their minima everywhere; with `walkers` [persons/h] on every
    crossing their waiting counts too, a person as much as a vehicle.
    """
    sites = {name: needed_site(light.intersection, flows[name], give_way=give_way) for name, light in lights.items()}
    groups = [group for name, site in sites.items() for group in _lane_groups(site, flows[name])]
    nodes = tuple(_node(site, flows[name], orders) for name, site in sites.items())
    links = _links(groups, sites, flows, journeys)
    if walkers > 0.0:
        links += [link for site in sites.values() for link in _crossings(site, walkers)]
    return Streets(nodes, tuple(links)), sites


def needed_site(site: Intersection, flows: Mapping[str, float], *, give_way: float = 0.0) -> Intersection:
    """The site without the stages that the traffic does not need."""
    kept = needed_stages(site, flows, give_way=give_way)
    stages = tuple(site.stages[row] for row in kept)
    names = {stage.name for stage in stages}
    barred = frozenset(pair for pair in site.barred if set(pair) <= names)
    return replace(site, stages=stages, barred=barred)


def _node(site: Intersection, flows: Mapping[str, float], orders: bool) -> Node:
    n = len(site.stages)
    ways = [(0, *rest) for rest in permutations(range(1, n))] if orders and 2 < n <= 5 else [tuple(range(n))]
    names = [stage.name for stage in site.stages]
    node = light_of(site, orders=[[names[k] for k in way] for way in ways])
    least = np.array(node.minima)
    for way in node.orders:
        demand = stage_demand(site, flows, way)
        least[list(way)] = np.maximum(least[list(way)], np.ceil(demand.minima - 1e-9).astype(int))
    return replace(node, minima=tuple(int(green) for green in least))


def _lane_groups(site: Intersection, flows: Mapping[str, float]) -> list[_LaneGroup]:
    share = lane_flows(site, flows)
    by_use: dict[tuple[str, frozenset[str]], list[str]] = {}
    origin_of = {m.name: m.origin for m in site.movements}
    for lane in site.lanes:
        users = frozenset(name for name, where in share if where == lane.name and share[name, where] > 1e-6)
        if users:
            by_use.setdefault((origin_of[min(users)], users), []).append(lane.name)
    return [
        _LaneGroup(
            site.name,
            origin,
            tuple(lanes),
            {m: sum(share.get((m, lane), 0.0) for lane in lanes) for m in sorted(users)},
        )
        for (origin, users), lanes in by_use.items()
    ]


def _links(
    groups: Sequence[_LaneGroup], sites: Mapping[str, Intersection], flows: Mapping[str, Flows], journeys: Journeys
) -> list[Link]:
    using: dict[tuple[str, str], list[_LaneGroup]] = defaultdict(list)
    for group in groups:
        for movement in group.parts:
            using[group.light, movement].append(group)
    feeds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (before, after), leg in journeys.legs.items():
        served = journeys.flows.get(before, 0.0)
        into = sum(group.parts[after[1]] for group in using[after])
        if served <= 0.0 or into <= 0.0:
            continue
        for target in using[after]:
            here = target.parts[after[1]] / into
            times[target.name].append((leg.flow * here, leg.time))
            for source in using[before]:
                if source.name != target.name:
                    carried = source.parts[before[1]] / source.flow
                    feeds[target.name][source.name] += carried * min(1.0, leg.flow / served) * here
    flow_of = {group.name: group.flow for group in groups}
    approach = {(g.light, g.origin): 0.0 for g in groups}
    for group in groups:
        approach[group.light, group.origin] += group.flow
    made = []
    for group in groups:
        site = sites[group.light]
        fed = {source: share for source, share in feeds[group.name].items() if share > 1e-4}
        brought = sum(share * flow_of[source] for source, share in fed.items())
        scale = min(1.0, group.flow / brought) if brought > 0.0 else 1.0
        weight = sum(flow for flow, _ in times[group.name])
        time = sum(flow * t for flow, t in times[group.name]) / weight if weight > 0.0 else 20.0
        lanes = [lane for lane in site.lanes if lane.name in group.lanes]
        part = group.flow / approach[group.light, group.origin]
        room = sum(lane.length for lane in lanes) + part * sum(max(0.0, lane.chain - lane.length) for lane in lanes)
        green, yielding = _green(site, group, flows[group.light])
        made.append(
            Link(
                name=group.name,
                travel_time=max(1.0, time),
                saturation_flow=sum(lane.saturation_flow for lane in lanes),
                feeds=tuple((source, share * scale) for source, share in sorted(fed.items())),
                entry=max(0.0, group.flow - brought * scale),
                storage=max(2.0, room / CAR) if fed else 1e6,
                light=group.light,
                green=green,
                yielding=yielding,
                start_loss=LOST + (OPPOSING_AMBER if green and yielding else 0.0),
            )
        )
    return made


def _crossings(site: Intersection, walkers: float) -> list[Link]:
    """Each crossing as a link whose queue sets off all at once: its delay is that of (red)^2 / (2 cycle) a person (HCM)."""
    return [
        Link(
            name=f"{site.name}|{group.name}",
            travel_time=1.0,
            saturation_flow=AT_ONCE,
            entry=walkers,
            storage=1e6,
            light=site.name,
            green=frozenset(stage.name for stage in site.stages if group.name in stage.green),
            stop_weight=0.0,
            start_loss=0.0,
            end_gain=0.0,
        )
        for group in site.groups
        if group.kind is GroupKind.PEDESTRIAN and any(group.name in stage.green for stage in site.stages)
    ]


def _green(
    site: Intersection, group: _LaneGroup, flows: Mapping[str, float]
) -> tuple[frozenset[str], dict[str, float]]:
    """Stages that give the lanes all their saturation flow, and those that give a share of it."""
    row_of = {m.name: row for row, g in enumerate(site.groups) for m in g.movements}
    movement = {m.name: m for m in site.movements}
    green, yielding = set(), {}
    for k, stage in enumerate(site.stages):
        on = site.stage_greens[k]
        time = 0.0  # that a mean vehicle takes, in units of its headway at full flow
        for name, flow in group.parts.items():
            share = _share(site, movement[name], row_of[name], on, flows) if on[row_of[name]] else 0.0
            time = math.inf if share <= 0.0 else time + flow / group.flow / share
        if time <= 1.0 + 1e-6:
            green.add(stage.name)
        elif math.isfinite(time):
            yielding[stage.name] = max(1.0 / time, LEAST_SHARE)
    if not green and not yielding:  # no stage has all its movements green: the first of another kind holds the lane
        for k, stage in enumerate(site.stages):
            part = sum(flow for name, flow in group.parts.items() if site.stage_greens[k, row_of[name]]) / group.flow
            if part > 0.0:
                yielding[stage.name] = max(LEAST_SHARE, 0.5 * part)
    return frozenset(green), yielding


def _share(
    site: Intersection, movement: Movement, row: int, on: npt.NDArray[np.bool_], flows: Mapping[str, float]
) -> float:
    """Share of its saturation flow that a movement gets where it gives way to others that are green.

    HCM 7 chapter 31: nothing while the opposing queue discharges, then gap acceptance; and the sneakers of a cycle.
    """
    against, lanes = 0.0, 0
    facing = gives_way(site, row, movement) & on
    for other in np.flatnonzero(facing):
        if site.groups[other].kind is GroupKind.PEDESTRIAN:
            continue
        against += sum(flows.get(m.name, 0.0) for m in site.groups[other].movements)
        lanes += max(1, len({lane for m in site.groups[other].movements for lane in m.lanes}))
    if lanes == 0:
        return 1.0 if not facing.any() else 0.8
    ratio = min(0.95 * USUAL_SHARE, against / (lanes * 1800.0))
    open_part = (USUAL_SHARE - ratio) / (USUAL_SHARE * (1.0 - ratio))
    rate = max(against, 1.0) / 3600.0
    through = rate * math.exp(-rate * CRITICAL_GAP) / (1.0 - math.exp(-rate * FOLLOW_UP))
    sneaking = SNEAKERS / (USUAL_SHARE * USUAL_CYCLE)
    return float(min(1.0, max(LEAST_SHARE, (open_part * through + sneaking) / 0.5)))
