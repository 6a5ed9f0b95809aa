"""From a site to what planning works on: a light of the streets, and what its stages have to carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..intersection import GroupKind, Intersection
from .split import share_out
from .streets import Light
from .webster import Calculation, StageDemand, calculate

YIELDING = 0.4
"""Share of its saturation flow that a group is counted with when it is green only where it gives way."""


def light_of(site: Intersection, *, orders: Sequence[Sequence[str]] = (), repeats: int = 1) -> Light:
    """The light as the network optimiser sees it; stages' least greens are those of their groups, pedestrians' included.

    orders : orders of stages that may be tried, each naming every stage once; the site's own order when empty.
    A change between stages that is barred keeps an order from being taken. Raises InputError when none is left.
    """
    names = tuple(stage.name for stage in site.stages)
    rows = [tuple(site.stage_index[name] for name in order) for order in orders] or [tuple(range(len(names)))]
    lawful = [row for row in rows if not any((names[row[k - 1]], names[row[k]]) in site.barred for k in range(len(row)))]
    if not lawful:
        raise InputError(f"{site.name}: every order of stages asked for contains a change that is barred")
    n = len(names)
    table = np.array([[site.interstage(i, j) if i != j else 0 for j in range(n)] for i in range(n)], dtype=float)
    return Light(site.name, names, tuple(_minima(site)), table, tuple(lawful), repeats)


def _minima(site: Intersection) -> list[int]:
    return [
        max([1, *(int(np.ceil(g.min_green - 1e-9)) for g in site.groups if g.name in stage.green)]) for stage in site.stages
    ]


def saturation_flows(site: Intersection, flow: Mapping[str, float]) -> dict[str, float]:
    """Saturation flow [veh/h] of each vehicle group: its lanes', a lane that groups share divided by their traffic in it."""
    lanes = {lane.name: lane.saturation_flow for lane in site.lanes}
    used = {g.name: sorted({name for m in g.movements for name in m.lanes}) for g in site.groups}
    load: dict[str, float] = dict.fromkeys(lanes, 0.0)
    for group, names in used.items():
        for name in names:
            load[name] += max(flow.get(group, 0.0), 1.0) / len(names)
    return {
        group: sum(lanes[name] * max(flow.get(group, 0.0), 1.0) / len(names) / load[name] for name in names)
        for group, names in used.items()
        if names
    }


def stage_demand(
    site: Intersection,
    flow: Mapping[str, float],
    *,
    stages: Sequence[str] | None = None,
    saturation: Mapping[str, float] | None = None,
    start_loss: float = 2.0,
    end_gain: float = 2.0,
) -> tuple[StageDemand, tuple[str, ...]]:
    """What the stages (default: all, in the site's order) carry, and the groups its movements stand for, in order.

    flow : signal group -> [veh/h]; saturation : signal group -> [veh/h], from the lanes where not given. A group is
    counted with its right of way; one that is only ever green giving way counts with 0.4 of its saturation flow.
    Raises InputError for groups or stages the site lacks, and for traffic without a stage.
    """
    unknown = sorted((flow.keys() | (saturation or {}).keys()) - site.group_index.keys())
    if unknown:
        raise InputError(f"{site.name}: there is no signal group {unknown[0]}; it has {', '.join(site.group_index)}")
    names = tuple(stages) if stages is not None else tuple(s.name for s in site.stages)
    missing = [name for name in names if name not in site.stage_index]
    if missing:
        raise InputError(f"{site.name}: there is no stage {missing[0]}; it has {', '.join(site.stage_index)}")
    rows = [site.stage_index[name] for name in names]
    green = site.stage_greens[rows]
    free = np.array([[green[k, g] and not (site.yields[g] & green[k]).any() for g in range(green.shape[1])] for k in range(len(rows))])
    only_yields = green.any(axis=0) & ~free.any(axis=0)
    serves = np.where(only_yields[None, :], green, free)
    by_lanes = saturation_flows(site, flow)
    full = np.array([(saturation or {}).get(g.name, by_lanes.get(g.name, 1800.0)) for g in site.groups])
    stranded = [g.name for g, some in zip(site.groups, green.any(axis=0), strict=True) if flow.get(g.name, 0.0) > 0.0 and not some]
    if stranded:
        raise InputError(f"{site.name}: group {stranded[0]} has traffic but none of the stages {', '.join(names)} has it green")
    walking = np.array([g.kind is GroupKind.PEDESTRIAN for g in site.groups])
    minima = np.array(_minima(site), dtype=float)[rows]
    return StageDemand(
        flow=np.where(walking, 0.0, np.array([flow.get(g.name, 0.0) for g in site.groups])),
        saturation=full * np.where(only_yields, YIELDING, 1.0),
        serves=serves.astype(bool),
        minima=minima,
        interstage=np.array([site.interstage(rows[k], rows[(k + 1) % len(rows)]) for k in range(len(rows))], dtype=float),
        extra=np.where(walking, 0.0, end_gain - start_loss),
        least=np.zeros(len(site.groups)),
    ), tuple(g.name for g in site.groups)


def timing(
    site: Intersection, flow: Mapping[str, float], *, cycle: int | None = None, least_cycle: int = 30, longest_cycle: int = 120
) -> Calculation:
    """The site's own fixed-time timing for these flows [veh/h], all stages in their order; see `webster.calculate`."""
    demand, _ = stage_demand(site, flow)
    if demand.minima.size == 1:
        raise InputError(f"{site.name}: a single stage has nothing to time")
    return calculate(demand, cycle=cycle, least_cycle=least_cycle, longest_cycle=longest_cycle)


def even_greens(light: Light, cycle: int) -> NDArray[np.int64]:
    """Greens (n_stages,) [s] in the usual order when nothing is known of the traffic: minima, and the rest evenly."""
    order = light.usual
    minima = [light.minima[k] for k in order]
    return share_out(cycle // light.repeats - light.lost(order), [1.0] * len(order), minima)
