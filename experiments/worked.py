"""A plan worked out for the person who signs it: flow ratios, critical lanes, saturation, control delay, level of service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..core.intersection import GroupKind, Intersection
from ..core.messages import _
from ..core.plan import Plan, cycle_of, interstages_of
from ..core.planning.fixed import lane_flows, stage_demand
from ..core.planning.hcm import control_delay, level_of_service
from ..core.planning.webster import critical, optimum_cycle, shortest_cycle


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One approach lane: `movements` on it, flow and saturation flow [veh/h], y, effective green [s], x, the three parts of
    HCM control delay and their sum [s/veh], level of service, and the queue left after the quarter of an hour [veh]."""

    lane: str
    movements: tuple[str, ...]
    flow: float
    saturation_flow: float
    flow_ratio: float
    critical: bool
    effective_green: float
    saturation_degree: float
    uniform_delay: float
    incremental_delay: float
    initial_queue_delay: float
    delay: float
    service: str
    queue: float


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One movement over all its lanes: flow [veh/h], the highest degree of saturation it meets, mean control delay [s/veh],
    level of service."""

    movement: str
    flow: float
    saturation_degree: float
    delay: float
    service: str


@dataclass(frozen=True, slots=True)
class CrossingRow:
    """One crossing: `walk` [s] of green in a cycle against the least its site asks for, `clearance` [s] kept free behind it,
    mean delay [s] of a walker."""

    crossing: str
    walk: int
    least: float
    clearance: float
    delay: float


@dataclass(frozen=True, slots=True)
class Worked:
    """The calculation of one light. `greens` and `interstages` [s] by stage, Y, L [s], Webster's cycle [s] (None when
    Y >= 1), the shortest cycle the minima allow [s], mean control delay [s/veh], and what walkers get."""

    light: str
    cycle: int
    offset: int
    stages: tuple[str, ...]
    greens: tuple[int, ...]
    interstages: tuple[int, ...]
    critical_flow_ratio: float
    lost_time: float
    optimum_cycle: float | None
    shortest_cycle: float | None
    delay: float
    lanes: tuple[LaneRow, ...]
    movements: tuple[MovementRow, ...]
    crossings: tuple[CrossingRow, ...]
    remarks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def worked_out(
    site: Intersection, plan: Plan, flows: Mapping[str, float], queues: Mapping[str, float] | None = None
) -> Worked:
    """Work a plan out for `flows` by movement [veh/h]; `queues` by lane [veh] stand at the beginning (rows of the quarter of an
    hour before tell what was left)."""
    sequence = [site.stage_index[name] for name in plan.stages]
    demand = stage_demand(site, flows, sequence)
    cycle = cycle_of(plan, site)
    deciding, y, lost = critical(demand)
    best, least = optimum_cycle(lost, y), shortest_cycle(demand)
    effective = np.minimum(demand.effective_green(np.array(plan.greens, dtype=float)), float(cycle))
    share = lane_flows(site, flows)
    users = {
        lane.name: tuple(m.name for m in site.movements if share.get((m.name, lane.name), 0.0) > 0.0)
        for lane in site.lanes
    }
    names = [lane for lane, of_lane in users.items() if of_lane]
    waiting_at = np.array([(queues or {}).get(name, 0.0) for name in names])
    found = control_delay(demand.flow, demand.saturation, effective, float(cycle), queue=waiting_at)
    rows = tuple(
        LaneRow(
            lane=name,
            movements=users[name],
            flow=float(demand.flow[k]),
            saturation_flow=float(demand.saturation[k]),
            flow_ratio=float(demand.flow_ratio[k]),
            critical=k in deciding,
            effective_green=float(effective[k]),
            saturation_degree=float(found.x[k]),
            uniform_delay=float(found.uniform[k]),
            incremental_delay=float(found.incremental[k]),
            initial_queue_delay=float(found.initial_queue[k]),
            delay=float(found.total[k]),
            service=found.service[k],
            queue=float(found.queue[k]),
        )
        for k, name in enumerate(names)
    )
    return Worked(
        light=site.name,
        cycle=cycle,
        offset=plan.offset,
        stages=plan.stages,
        greens=plan.greens,
        interstages=interstages_of(plan, site),
        critical_flow_ratio=y,
        lost_time=lost,
        optimum_cycle=float(best) if np.isfinite(best) else None,
        shortest_cycle=float(least) if np.isfinite(least) else None,
        delay=found.mean(demand.flow),
        lanes=rows,
        movements=_movements(site, rows, share),
        crossings=_crossings(site, plan),
        remarks=_remarks(rows, y),
    )


def _movements(
    site: Intersection, rows: Sequence[LaneRow], share: Mapping[tuple[str, str], float]
) -> tuple[MovementRow, ...]:
    made = []
    for movement in site.movements:
        own = [(share[movement.name, row.lane], row) for row in rows if share.get((movement.name, row.lane), 0.0) > 0.0]
        flow = sum(part for part, _row in own)
        if flow > 0.0:
            delay = sum(part * row.delay for part, row in own) / flow
            x = max(row.saturation_degree for _part, row in own)
            made.append(MovementRow(movement.name, flow, x, delay, level_of_service(delay, x)))
    return tuple(made)


def _crossings(site: Intersection, plan: Plan) -> tuple[CrossingRow, ...]:
    clearance = (site.intergreen * site.exclusive).max(axis=1, initial=0.0)
    made = []
    for row, group in enumerate(site.groups):
        spans = green_spans(site, plan, row)
        if group.kind is GroupKind.PEDESTRIAN and spans:
            made.append(
                CrossingRow(
                    group.name, sum(end - begin for begin, end in spans), group.min_green, float(clearance[row]),
                    waiting(spans, cycle_of(plan, site)),
                )
            )  # fmt: skip
    return tuple(made)


def green_spans(site: Intersection, plan: Plan, row: int) -> list[tuple[int, int]]:
    """(begin, end) [s after the plan's zero] of every green of a group in a cycle; the last may reach beyond it."""
    on = [bool(site.stage_greens[site.stage_index[name], row]) for name in plan.stages]
    between = interstages_of(plan, site)
    time = 0
    spans: list[tuple[int, int]] = []
    for k, green in enumerate(plan.greens):
        begin = time if on[k] and on[k - 1] else time + between[k]
        time += between[k] + green
        if not on[k]:
            continue
        if spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], time)
        else:
            spans.append((begin, time))
    if len(spans) > 1 and spans[0][0] == 0 and spans[-1][1] == time:
        begin, _end = spans.pop()
        spans[0] = (begin - time, spans[0][1])
    return spans


def waiting(spans: Sequence[tuple[int, int]], cycle: int) -> float:
    """Mean delay [s] of walkers who come evenly and set off while it is green: the sum of (red)^2 / (2 cycle) (HCM).

    >>> waiting([(10, 40)], 90)
    20.0
    """
    reds = [(spans[(k + 1) % len(spans)][0] - end) % cycle for k, (_begin, end) in enumerate(spans)]
    return sum(red**2 for red in reds) / (2.0 * cycle) if spans else float(cycle)


def _remarks(rows: tuple[LaneRow, ...], y: float) -> tuple[str, ...]:
    remarks = []
    if y >= 1.0:
        remarks.append(_("oversaturated: no cycle can carry this traffic (Y = {y:.2f}); queues will grow").format(y=y))
    over = [row for row in rows if row.saturation_degree > 1.0]
    if over:
        worst = max(over, key=lambda row: row.saturation_degree)
        remarks.append(
            _("{n} lanes are over their capacity, the worst is {lane} with a degree of saturation of {x:.2f}").format(
                n=len(over), lane=worst.lane, x=worst.saturation_degree
            )
        )
    return tuple(remarks)
