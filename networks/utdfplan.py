"""Plans as UTDF and back: a phase for each stage, movements by the direction they drive in and their turn.

What is relied on was read off files that Synchro wrote (UTDFVERSION 8): times in seconds and lengths in feet, speeds in mph
where Metric is 0; a node of TYPE 0 has a signal, one of TYPE 1 none; BRP is barrier, ring and position; a phase is green from
Start for ActGreen, then Yellow and AllRed to End; LocalStart counts from the reference, so that Offset is the Start whose
LocalStart is 0 (Referenced To 0: beginning of green); Phase1 to Phase4 protect a movement, PermPhase1 to PermPhase4 let it go
while it gives way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..core.certify import SafePlan
from ..core.errors import InputError
from ..core.intersection import GroupKind, Intersection, Movement
from ..core.messages import _
from ..core.plan import Plan, interstages_of
from ..core.planning.split import whole
from .demand import Flows
from .light import Light
from .roadnet import load_net
from .scenario import Scenario
from .utdf import TITLES, Section, Utdf

DIRECTIONS = {"NB": 0.0, "EB": 90.0, "SB": 180.0, "WB": 270.0}
DIAGONALS = {"NE": 45.0, "SE": 135.0, "SW": 225.0, "NW": 315.0}
"""Direction of travel, clockwise from north [degrees]; the diagonal ones only where four do not do."""
TURNS = {"left": "L", "straight": "T", "right": "R", "uturn": "L"}
FEET, MPH = 0.3048, 0.44704
"""In metres, and in metres a second."""
MOST = 16
"""Phases of a signal."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column each movement of a light stands in, and the edges by direction."""

    of_movement: Mapping[str, str]
    edges: Mapping[str, str]


def columns_of(scenario: Scenario, light: Light) -> Columns:
    """Directions are given to the approaches so that they turn least from where they really point."""
    net = load_net(scenario.net)
    movements = _driven(light.intersection)
    edges = list(dict.fromkeys(m.origin for m in movements))
    directions = DIRECTIONS if len(edges) <= len(DIRECTIONS) else DIRECTIONS | DIAGONALS
    if len(edges) > len(directions):
        raise InputError(
            _("light {light}: UTDF has room for 8 approaches, there are {n}").format(light=light.name, n=len(edges))
        )
    turn = np.array([[abs((_heading(net, e) - d + 180.0) % 360.0 - 180.0) for d in directions.values()] for e in edges])
    rows, places = linear_sum_assignment(turn**2)
    name_of = {edges[row]: list(directions)[place] for row, place in zip(rows, places, strict=True)}
    found: dict[str, str] = {}
    for m in movements:
        column = name_of[m.origin] + TURNS.get(m.turn, "T")
        if column in found.values() and m.turn in {"left", "right"} and f"{column}2" not in found.values():
            column += "2"
        found[m.name] = column
    return Columns(found, {direction: edge for edge, direction in name_of.items()})


def _driven(site: Intersection) -> list[Movement]:
    return [m for group in site.groups if group.kind is not GroupKind.PEDESTRIAN for m in group.movements if m.lanes]


def _heading(net: object, edge: str) -> float:
    """Direction of travel at the end of an edge, clockwise from north [degrees]."""
    (x1, y1), (x2, y2) = net.getEdge(edge).getShape()[-2:]  # type: ignore[attr-defined]
    return math.degrees(math.atan2(x2 - x1, y2 - y1)) % 360.0


def to_utdf(
    scenario: Scenario,
    lights: Mapping[str, Light],
    plans: Mapping[str, SafePlan],
    flows: Mapping[str, Flows] | None = None,
) -> Utdf:
    """Certified plans {light: plan} as a combined file, with the volumes of their movements [veh/h] if there are `flows`."""
    net = load_net(scenario.net)
    number = {name: str(k) for k, name in enumerate(plans, 1)}
    columns = {name: columns_of(scenario, lights[name]) for name in plans}
    heads = (*DIRECTIONS, *(d for d in DIAGONALS if any(d in c.edges for c in columns.values())))
    lanes_head = tuple(dict.fromkeys(f"{d}{t}" for d in heads for t in "LTR"))
    lanes_head = (
        *lanes_head,
        *sorted({c for one in columns.values() for c in one.of_movement.values()} - {*lanes_head}),
    )
    nodes: list[tuple[str, ...]] = []
    links: list[tuple[str, ...]] = []
    lanes: list[tuple[str, ...]] = []
    timeplans: list[tuple[str, ...]] = []
    phases: list[tuple[str, ...]] = []
    outer: dict[str, str] = {}
    junction = {
        net.getEdge(m.origin).getToNode().getID(): number[name]
        for name in plans
        for m in _driven(lights[name].intersection)
    }
    for name, safe in plans.items():
        site, at = lights[name].intersection, number[name]
        edges = {d: net.getEdge(edge) for d, edge in columns[name].edges.items()}
        own = [key for key, value in junction.items() if value == at]
        nodes.append((at, "0", *_place([net.getNode(key).getCoord() for key in own]), "0", name))
        ups = {}
        for direction, edge in edges.items():
            node = edge.getFromNode().getID()
            ups[direction] = junction.get(node) or outer.setdefault(node, str(1000 + len(outer)))
        links += _rows(at, heads, {
            "Up ID": ups,
            "Lanes": {d: str(edge.getLaneNumber()) for d, edge in edges.items()},
            "Name": {d: edge.getName() or edge.getID() for d, edge in edges.items()},
            "Distance": {d: f"{edge.getLength() / FEET:.0f}" for d, edge in edges.items()},
            "Speed": {d: f"{edge.getSpeed() / MPH:.0f}" for d, edge in edges.items()},
            "Time": {d: f"{edge.getLength() / edge.getSpeed():.1f}" for d, edge in edges.items()},
        })  # fmt: skip
        lanes += _rows(at, lanes_head, _lane_records(site, safe, columns[name], ups, (flows or {}).get(name, {})))
        records, count = _phase_records(site, safe)
        phases += _rows(at, tuple(f"D{k}" for k in range(1, MOST + 1)), records)
        start = float(records["Start"]["D1"])
        timeplans += [
            (record, at, value)
            for record, value in (
                ("Control Type", "0"), ("Cycle Length", str(safe.cycle)), ("Lock Timings", "0"), ("Referenced To", "0"),
                ("Offset", f"{start:g}"), ("Master", "0"), ("Yield", "0"), ("Node 0", at), ("Node 1", "0"),
            )
        ]  # fmt: skip
    nodes += [(intid, "1", *_place([net.getNode(node).getCoord()]), "0", node) for node, intid in outer.items()]
    made: dict[str, tuple[tuple[str, ...], list[tuple[str, ...]]]] = {
        "Network": (("RECORDNAME", "DATA"), [("UTDFVERSION", "8"), ("Metric", "0")]),
        "Nodes": (("INTID", "TYPE", "X", "Y", "Z", "DESCRIPTION"), nodes),
        "Links": (("RECORDNAME", "INTID", *heads), links),
        "Lanes": (("RECORDNAME", "INTID", *lanes_head), lanes),
        "Timeplans": (("RECORDNAME", "INTID", "DATA"), timeplans),
        "Phases": (("RECORDNAME", "INTID", *(f"D{k}" for k in range(1, MOST + 1))), phases),
    }
    return Utdf({key: Section(TITLES[key], head, tuple(rows)) for key, (head, rows) in made.items()})


def _place(points: list[tuple[float, float]]) -> tuple[str, str]:
    x, y = np.mean(points, axis=0) / FEET
    return f"{x:.0f}", f"{y:.0f}"


def _rows(
    intersection: str, columns: tuple[str, ...], records: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, ...]]:
    return [(record, intersection, *(cells.get(column, "") for column in columns)) for record, cells in records.items()]


def _lane_records(
    site: Intersection, safe: SafePlan, columns: Columns, ups: Mapping[str, str], flows: Flows
) -> dict[str, dict[str, str]]:
    group_of = {m.name: row for row, group in enumerate(site.groups) for m in group.movements}
    stages = [site.stage_index[name] for name in safe.plan.stages]
    records: dict[str, dict[str, str]] = {"Up Node": {}, "Lanes": {}, "Volume": {}}
    for k in range(1, 5):
        records |= {f"Phase{k}": {}, f"PermPhase{k}": {}}
    volume: dict[str, float] = {}
    used: set[str] = set()
    for m in _driven(site):
        column, row = columns.of_movement[m.name], group_of[m.name]
        records["Up Node"][column] = ups[column[:2]]
        fresh = set(m.lanes) - used
        used |= fresh
        records["Lanes"][column] = str(int(records["Lanes"].get(column, "0")) + len(fresh))
        volume[column] = volume.get(column, 0.0) + flows.get(m.name, 0.0)
        seen = {"Phase": 0, "PermPhase": 0}
        for k, stage in enumerate(stages, 1):
            on = site.stage_greens[stage]
            kind = "PermPhase" if (site.yields[row] & on).any() else "Phase"
            if on[row]:
                seen[kind] += 1
                if seen[kind] > 4:
                    raise InputError(
                        _("light {light}: {movement} is green in more than four stages, which UTDF cannot say").format(
                            light=site.name, movement=m.name
                        )
                    )
                records[f"{kind}{seen[kind]}"].setdefault(column, str(k))
    records["Volume"] = {column: f"{flow:.0f}" for column, flow in volume.items()} if flows else {}
    return {record: cells for record, cells in records.items() if cells}


def _phase_records(site: Intersection, safe: SafePlan) -> tuple[dict[str, dict[str, str]], int]:
    plan, cycle = safe.plan, safe.cycle
    n = len(plan.stages)
    if n > MOST:
        raise InputError(_("light {light}: UTDF has room for 16 phases, there are {n}").format(light=site.name, n=n))
    stages = [site.stage_index[name] for name in plan.stages]
    between = interstages_of(plan, site)
    records: dict[str, dict[str, str]] = {
        key: {} for key in ("BRP", "MinGreen", "MaxGreen", "Yellow", "AllRed", "Recall", "MinSplit", "Walk", "DontWalk",
                            "Start", "End", "LocalStart", "ActGreen")
    }  # fmt: skip
    start = [(plan.offset + safe.starts[k] + between[k]) % cycle for k in range(n)]
    for k, green in enumerate(plan.greens):
        d, on, after = f"D{k + 1}", site.stage_greens[stages[k]], site.stage_greens[stages[(k + 1) % n]]
        gap = between[(k + 1) % n]
        amber = max(
            [g.amber for g, one, two in zip(site.groups, on, after, strict=True) if one and not two], default=0.0
        )
        yellow = min(float(gap), amber)
        least = max([g.min_green for g, one in zip(site.groups, on, strict=True) if one], default=1.0)
        values = {
            "BRP": f"{1 + k // 4}1{1 + k % 4}", "MinGreen": f"{least:g}", "MaxGreen": f"{green}", "Yellow": f"{yellow:g}",
            "AllRed": f"{gap - yellow:g}", "Recall": "3", "MinSplit": f"{least + gap:g}", "Start": f"{start[k]}",
            "End": f"{start[(k + 1) % n]}", "LocalStart": f"{(start[k] - start[0]) % cycle}", "ActGreen": f"{green}",
        }  # fmt: skip
        walk = [j for j, g in enumerate(site.groups) if g.kind is GroupKind.PEDESTRIAN and on[j]]
        if walk:
            clear = max(float((site.intergreen[j] * site.exclusive[j]).max(initial=0.0)) for j in walk)
            values |= {
                "Walk": f"{max(site.groups[j].min_green for j in walk):g}", "DontWalk": f"{clear:g}",
            }  # fmt: skip
        for record, value in values.items():
            records[record][d] = value
    return {record: cells for record, cells in records.items() if cells}, n


def from_utdf(
    utdf: Utdf,
    scenario: Scenario,
    lights: Mapping[str, Light],
    source: str,
    *,
    at: Mapping[str, str] | None = None,
    name: str = "utdf",
) -> tuple[dict[str, Plan], dict[str, Flows], tuple[str, ...]]:
    """The plans of the lights found in a file, their volumes [veh/h], and what had to be changed.

    A light is the node whose DESCRIPTION is its name, or whose INTID `at` {light: INTID} gives. Greens are cut or stretched
    where our interstages differ from yellow and all-red, so that every green begins when it did. Raises InputError.
    """
    nodes = utdf.section("Nodes", source)
    known = {row[nodes.columns.index("INTID")]: dict(zip(nodes.columns, row, strict=True)) for row in nodes.rows}
    chosen = {cells.get("DESCRIPTION", ""): intid for intid, cells in known.items()} | dict(at or {})
    plans: dict[str, Plan] = {}
    flows: dict[str, Flows] = {}
    remarks: list[str] = []
    for light in at or {}:
        if light not in lights:
            raise InputError(
                _("{path}: there is no light {light}; there are {others}").format(
                    path=source, light=light, others=", ".join(sorted(lights))
                )
            )
    for light in lights:
        if light not in chosen:
            continue
        if chosen[light] not in known:
            raise InputError(
                _("{path}: light {light}: there is no INTID {intid} in [Nodes]").format(
                    path=source, light=light, intid=chosen[light]
                )
            )
        where = f"{source}: INTID {chosen[light]}"
        columns = columns_of(scenario, lights[light])
        movements = utdf.section("Lanes", source).records(chosen[light])
        plans[light], said = _plan(
            utdf, source, where, chosen[light], lights[light].intersection, columns, movements, name
        )
        remarks += said
        volumes = movements.get("Volume", {})
        shared = {c: sum(other == c for other in columns.of_movement.values()) for c in columns.of_movement.values()}
        flows[light] = {m: float(volumes.get(c, 0.0)) / shared[c] for m, c in columns.of_movement.items()}
    if not plans:
        raise InputError(
            _("{path}: no node is called like a light of the net ({lights}); say which is which, LIGHT=INTID").format(
                path=source, lights=", ".join(sorted(lights)[:6])
            )
        )
    return plans, flows, tuple(remarks)


def _plan(
    utdf: Utdf,
    source: str,
    where: str,
    intid: str,
    site: Intersection,
    columns: Columns,
    lanes: Mapping[str, Mapping[str, str]],
    name: str,
) -> tuple[Plan, list[str]]:
    said: list[str] = []
    times = utdf.section("Timeplans", source).records(intid)
    phases = utdf.section("Phases", source).records(intid)
    for record in ("Start", "End", "Yellow", "AllRed"):
        if record not in phases:
            raise InputError(_("{where}: [Phases] has no {record}").format(where=where, record=record))
    exact = _number(times.get("Cycle Length", {}).get("DATA", ""), where, "Cycle Length")
    cycle = round(exact)
    if abs(exact - cycle) > 1e-6:
        said.append(
            _("{where}: its cycle of {exact:g} s is rounded to {cycle} s").format(where=where, exact=exact, cycle=cycle)
        )
    green: dict[str, tuple[float, float]] = {}
    clearing: list[tuple[float, float]] = []
    for d, begin in phases["Start"].items():
        start, end = (_number(text, where, d) for text in (begin, phases["End"].get(d, "")))
        gap = sum(_number(phases[record].get(d, "0"), where, d) for record in ("Yellow", "AllRed"))
        split = (end - start) % exact or exact
        green[d] = (start, max(0.0, split - gap))
        clearing.append((start + split - gap, gap))
    runs = _runs(green, clearing, exact)
    first = min(range(len(runs)), key=lambda k: sorted(int(d[1:]) for d in runs[k][1]), default=0)
    runs = [*runs[first:], *runs[:first]]
    stages: list[str] = []
    begins: list[float] = []
    for since, on in runs:
        stage = _stage(site, columns, lanes, {d[1:] for d in on}, where, since)
        if not stages or stages[-1] != stage:
            stages.append(stage)
            begins.append(since)
    if len(stages) > 1 and stages[0] == stages[-1]:
        stages, begins = stages[1:], begins[1:]
    n = len(stages)
    rows = [site.stage_index[stage] for stage in stages]
    gaps = [site.interstage(rows[k - 1], rows[k]) if n > 1 else 0 for k in range(n)]
    length = [((begins[(k + 1) % n] - begins[k]) % exact or exact) * cycle / exact for k in range(n)]
    splits = whole(length, cycle)
    greens = [int(splits[k]) - gaps[(k + 1) % n] for k in range(n)]
    if min(greens) < 1:
        k = int(np.argmin(greens))
        raise InputError(
            _(
                "{where}: stage {stage} has {green} s left after a change of {gap} s; the plan is too short for this net"
            ).format(where=where, stage=stages[k], green=greens[k], gap=gaps[(k + 1) % n])
        )
    offset = (round(begins[0] * cycle / exact) - gaps[0]) % cycle
    return Plan(name, tuple(stages), tuple(greens), offset), said


def _runs(
    green: Mapping[str, tuple[float, float]], clearing: list[tuple[float, float]], cycle: float
) -> list[tuple[float, frozenset[str]]]:
    """(begin [s], phases) of every span in which the same phases are green and none is being cleared, in order of time."""
    edges = sorted({round(t % cycle, 3) for begin, span in (*green.values(), *clearing) for t in (begin, begin + span)})
    found: list[tuple[float, frozenset[str]]] = []
    for k, begin in enumerate(edges):
        middle = begin + ((edges[(k + 1) % len(edges)] - begin) % cycle or cycle) / 2.0
        if any((middle - first) % cycle < span for first, span in clearing):
            continue
        on = frozenset(d for d, (first, span) in green.items() if (middle - first) % cycle < span)
        if on and not (found and found[-1][1] == on):
            found.append((begin, on))
    return found


def _stage(
    site: Intersection,
    columns: Columns,
    lanes: Mapping[str, Mapping[str, str]],
    phases: set[str],
    where: str,
    begin: float,
) -> str:
    """The stage in which just the movements of these phases are green, whatever walkers do."""
    records = [f"{kind}{k}" for kind in ("Phase", "PermPhase") for k in range(1, 5)]
    open_ = {c for record in records for c, phase in lanes.get(record, {}).items() if phase in phases}
    wanted = {m for m, c in columns.of_movement.items() if c in open_}
    driven = {m.name for m in _driven(site)}
    for k, stage in enumerate(site.stages):
        here = {m.name for g, on in zip(site.groups, site.stage_greens[k], strict=True) if on for m in g.movements}
        if here & driven == wanted:
            return stage.name
    raise InputError(
        _(
            "{where}: at {time:g} s {movements} go together, which is no stage of light {light}; try --stages all"
        ).format(where=where, time=begin, movements=", ".join(sorted(wanted)) or _("none"), light=site.name)
    )


def _number(text: str, where: str, what: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(
            _("{where}: {what}: {text!r} is no number").format(where=where, what=what, text=text)
        ) from error
