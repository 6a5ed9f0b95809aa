"""Plans as UTDF: a phase for each stage, movements by the direction they drive in and their turn.

What is relied on was read off files that Synchro wrote (UTDFVERSION 8): times in seconds and lengths in feet, speeds in mph
where Metric is 0; a node of TYPE 0 has a signal, one of TYPE 1 none; BRP is barrier, ring and position; a phase is green from
Start for ActGreen, then Yellow and AllRed to End; LocalStart counts from the reference, so that Offset is the Start whose
LocalStart is 0 (Referenced To 0: beginning of green); Phase1 to Phase4 protect a movement, PermPhase1 to PermPhase4 let it go
while it gives way.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..core.certify import SafePlan
from ..core.errors import InputError
from ..core.intersection import GroupKind, Intersection
from ..core.messages import _
from ..core.plan import interstages_of
from ..core.planning.fixed import gives_way
from .demand import Flows
from .light import Light
from .roadnet import load_net
from .scenario import Scenario
from .utdf import TITLES, Section, Utdf
from .utdfcolumns import DIAGONALS, DIRECTIONS, Columns, columns_of, driven

FEET, MPH = 0.3048, 0.44704
"""In metres, and in metres a second."""
MOST = 16
"""Phases of a signal."""


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
        for m in driven(lights[name].intersection)
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
    records: dict[str, dict[str, str]] = {"Up Node": {}, "Lanes": {}, "Shared": {}, "Volume": {}}
    for k in range(1, 5):
        records |= {f"Phase{k}": {}, f"PermPhase{k}": {}}
    volume: dict[str, float] = {}
    used: set[str] = set()
    lanes_of: dict[str, set[str]] = {}
    through_first = sorted(driven(site), key=lambda m: not columns.of_movement[m.name].endswith("T"))
    for m in through_first:  # which a lane that is shared counts for
        column, row = columns.of_movement[m.name], group_of[m.name]
        records["Up Node"][column] = ups[column[:2]]
        fresh = set(m.lanes) - used
        used |= fresh
        lanes_of.setdefault(column, set()).update(m.lanes)
        records["Lanes"][column] = str(int(records["Lanes"].get(column, "0")) + len(fresh))
        volume[column] = volume.get(column, 0.0) + flows.get(m.name, 0.0)
        seen = {"Phase": 0, "PermPhase": 0}
        for k, stage in enumerate(stages, 1):
            on = site.stage_greens[stage]
            kind = "PermPhase" if (gives_way(site, row, m) & on).any() else "Phase"
            if on[row]:
                seen[kind] += 1
                if seen[kind] > 4:
                    raise InputError(
                        _("light {light}: {movement} is green in more than four stages, which UTDF cannot say").format(
                            light=site.name, movement=m.name
                        )
                    )
                records[f"{kind}{seen[kind]}"].setdefault(column, str(k))
    for column, lanes in lanes_of.items():
        if column.endswith("T"):  # 0 with nobody, 1 with left, 2 with right, 3 with both
            turns = (lanes_of.get(column[:-1] + turn, set()) for turn in "LR")
            records["Shared"][column] = str(
                sum(code for code, other in zip((1, 2), turns, strict=True) if lanes & other)
            )
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
