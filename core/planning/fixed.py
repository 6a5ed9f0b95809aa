"""A fixed-time plan for an intersection from the flow of each of its movements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..intersection import GroupKind, Intersection, Movement, SignalGroup
from ..plan import Plan
from .webster import Calculation, StageDemand, calculate

CROSS_PRODUCT = 50_000.0
"""Turning flow times opposing flow per lane [(veh/h)^2] above which practice gives a turn a stage of its own."""
PERMISSIVE = 0.6
"""Share of its saturation flow that a lane discharges when all its greens give way; between the 0.5 and 0.7 of usual practice."""


def webster_plan(
    site: Intersection, flows: Mapping[str, float], *, name: str = "webster", longest_cycle: int = 120
) -> tuple[Plan, Calculation]:
    """The plan, and the calculation behind it, for `flows` by movement name [veh/h].

    Stages run in the site's order; those that no traffic needs are left out unless a group has no other. Raises InputError where the
    minima do not fit into the longest cycle [s].
    """
    sequence = needed_stages(site, flows)
    demand = stage_demand(site, flows, sequence)
    found = calculate(demand, longest_cycle=longest_cycle)
    greens = tuple(int(green) for green in found.greens)
    return Plan(name, tuple(site.stages[row].name for row in sequence), greens), found


def stage_demand(site: Intersection, flows: Mapping[str, float], sequence: Sequence[int]) -> StageDemand:
    """What stages, run in `sequence` (rows), have to carry, lane by lane."""
    greens = site.stage_greens[list(sequence)]
    movements = site.movements
    group_of = {m.name: row for row, group in enumerate(site.groups) for m in group.movements}
    share = lane_flows(site, flows)
    rows, lane_flow, saturation, serves, extra = [], [], [], [], []
    for lane in site.lanes:
        users = [m for m in movements if share.get((m.name, lane.name), 0.0) > 0.0]
        if not users:
            continue
        served = np.logical_and.reduce([greens[:, group_of[m.name]] for m in users])
        if not served.any():
            served = np.logical_or.reduce([greens[:, group_of[m.name]] for m in users])
        groups = [group_of[m.name] for m in users]
        served, late = _protected(site, users, group_of, greens, served)
        rows.append(lane.name)
        extra.append(_beyond(site, groups, sequence, served) - late)
        lane_flow.append(sum(share[m.name, lane.name] for m in users))
        parts = {m: share[m.name, lane.name] for m in users}
        saturation.append(lane.saturation_flow * _rate(site, parts, group_of, greens, served))
        serves.append(served)
    interstage = [float(site.interstage(sequence[k], sequence[(k + 1) % len(sequence)])) for k in range(len(sequence))]
    minima = [_least_green(site, greens, interstage, k) for k in range(len(sequence))]
    n = len(rows)
    return StageDemand(
        flow=np.array(lane_flow, dtype=float),
        saturation=np.array(saturation, dtype=float),
        serves=np.array(serves, dtype=bool).reshape(n, len(sequence)).T,
        minima=np.array(minima, dtype=float),
        interstage=np.array(interstage, dtype=float),
        extra=np.array(extra, dtype=float),
        least=np.zeros(n),
    )


def _protected(
    site: Intersection,
    users: Sequence[Movement],
    group_of: Mapping[str, int],
    greens: NDArray[np.bool_],
    served: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], float]:
    """The stages a lane can count on, and the green [s] it loses in them: where it gives way to traffic in some and not in others,
    those others, less the amber of the traffic that has gone just before (in a full stream hardly anybody turns)."""
    vehicles = np.array([group.kind is not GroupKind.PEDESTRIAN for group in site.groups])
    facing = np.logical_or.reduce([gives_way(site, group_of[m.name], m) for m in users]) & vehicles
    gives = served & (greens & facing).any(axis=1)
    if not gives.any() or not (served & ~gives).any():
        return served, 0.0
    follows = [k for k in np.flatnonzero(served & ~gives) if gives[k - 1]]
    gone = [site.groups[j].amber for k in follows for j in np.flatnonzero(facing & greens[k - 1] & ~greens[k])]
    return served & ~gives, max(gone, default=0.0)


def _beyond(site: Intersection, groups: Sequence[int], sequence: Sequence[int], served: NDArray[np.bool_]) -> float:
    """Mean green [s] that a lane gets in the changes around each of its greens: it starts before the last, or stays until it must go."""
    gained, runs = 0.0, 0
    for k, row in enumerate(sequence):
        before, after = sequence[k - 1], sequence[(k + 1) % len(sequence)]
        if served[k] and not served[k - 1]:
            gained += site.interstage(before, row) - float(site.starts_after(before, row)[list(groups)].max())
        if served[k] and not served[(k + 1) % len(sequence)]:
            gained += float(site.ends_after(row, after)[list(groups)].min())
            runs += 1
    return gained / runs if runs else 0.0


def lane_flows(site: Intersection, flows: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """(movement, lane) -> [veh/h]: drivers choose the emptier of the lanes open to them, until none gains by another.

    Movements with the fewest lanes settle first, the others fill up what is left.
    """
    load = {lane.name: 0.0 for lane in site.lanes}
    share: dict[tuple[str, str], float] = {}
    for movement in sorted(site.movements, key=lambda m: len(m.lanes)):
        lanes = [name for name in movement.lanes if name in load]
        flow = float(flows.get(movement.name, 0.0))
        if not lanes or flow <= 0.0:
            continue
        level = _water_level([load[name] for name in lanes], flow)
        for name in lanes:
            poured = max(level - load[name], 0.0)
            share[movement.name, name] = poured
            load[name] += poured
    return share


def _water_level(heights: Sequence[float], volume: float) -> float:
    """The level at which `volume` poured over `heights` comes to rest.

    >>> _water_level([100.0, 300.0], 300.0)
    350.0
    """
    ordered = sorted(heights)
    for k in range(1, len(ordered) + 1):
        level = (volume + sum(ordered[:k])) / k
        if k == len(ordered) or level <= ordered[k]:
            return level
    return ordered[-1]


def needed_stages(site: Intersection, flows: Mapping[str, float], *, give_way: float = 0.0) -> list[int]:
    """The stages worth running: one is left out when nothing but what others serve as well is green in it.

    One that only protects turns that must give way in all the others stays, unless the flow of each of these turns times the
    flow per lane they give way to is not above `give_way` [(veh/h)^2] (see CROSS_PRODUCT).
    """
    greens = site.stage_greens
    wanted = np.array(
        [g.max_red is not None and (not g.movements or _called(g.movements, flows)) for g in site.groups], dtype=bool
    )
    kept = list(range(len(site.stages)))
    for row in sorted(kept, key=lambda s: int((greens[s] & wanted).sum())):
        rest = [s for s in kept if s != row]
        alone = greens[row] & ~greens[rest].any(axis=0) if rest else greens[row]
        exists = np.array([g.max_red is not None for g in site.groups])
        if len(rest) > 1 and not (alone & exists).any() and not _protects(site, row, rest, flows, give_way):
            kept = rest
    return kept


def _least_green(site: Intersection, greens: NDArray[np.bool_], interstage: Sequence[float], k: int) -> float:
    """Least green of the k-th stage [s]: its groups' minima, and the clearance that still runs from the stage before it."""
    before, after = greens[k - 1], greens[(k + 1) % len(greens)]
    ending, starting = before & ~greens[k], after & ~greens[k]
    clearing = float((site.intergreen * site.exclusive)[np.ix_(ending, starting)].max(initial=0.0))
    least = max([site.groups[j].min_green for j in np.flatnonzero(greens[k])], default=1.0)
    return max(least, clearing - interstage[k - 1] - interstage[k])


def _called(movements: Sequence[Movement], flows: Mapping[str, float]) -> bool:
    return any(flows.get(m.name, 0.0) > 0.0 for m in movements)


def _protects(site: Intersection, row: int, rest: Sequence[int], flows: Mapping[str, float], give_way: float) -> bool:
    """A group with so much traffic gives way in all other stages that serve it, but not in this one."""
    greens = site.stage_greens
    for j in np.flatnonzero(greens[row]):
        if not _called(site.groups[j].movements, flows) or (site.yields[j] & greens[row]).any():
            continue
        if all((site.yields[j] & greens[s]).any() for s in rest if greens[s, j]):
            against = [site.groups[i] for s in rest if greens[s, j] for i in np.flatnonzero(site.yields[j] & greens[s])]
            if not against or _cross_product(site.groups[j], against, flows) > give_way:
                return True
    return False


def _cross_product(turn: SignalGroup, against: Sequence[SignalGroup], flows: Mapping[str, float]) -> float:
    """Flow of a turn times the flow per lane of what it gives way to [(veh/h)^2]."""
    others = {m.name: m for group in against for m in group.movements}
    lanes = {lane for m in others.values() for lane in m.lanes}
    opposing = sum(flows.get(name, 0.0) for name in others) / max(1, len(lanes))
    return sum(flows.get(m.name, 0.0) for m in turn.movements) * opposing


def gives_way(site: Intersection, row: int, movement: Movement) -> NDArray[np.bool_]:
    """The groups (n_groups,) that a movement of group `row` gives way to: straight on, beside turns of the same group, it is these
    that do."""
    turns = any(other.turn != "straight" for other in site.groups[row].movements)
    return np.asarray(site.yields[row] & (movement.turn != "straight" or not turns))


def _rate(
    site: Intersection,
    parts: Mapping[Movement, float],
    group_of: Mapping[str, int],
    greens: NDArray[np.bool_],
    served: NDArray[np.bool_],
) -> float:
    """Share of the saturation flow left to a lane: all of it where one of its greens is protected; `parts` are its flows [veh/h]."""
    against = {m: gives_way(site, group_of[m.name], m) for m in parts}
    for stage in np.flatnonzero(served):
        if not any((facing & greens[stage]).any() for facing in against.values()):
            return 1.0
    giving = sum(flow for m, flow in parts.items() if against[m].any())
    return 1.0 - (1.0 - PERMISSIVE) * giving / sum(parts.values())
