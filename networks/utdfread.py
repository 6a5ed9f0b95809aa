"""The timing in a UTDF file as plans for the lights of a net; what its records mean is in `utdfplan`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..core.errors import InputError
from ..core.intersection import Intersection
from ..core.messages import _
from ..core.plan import Plan
from ..core.planning.split import whole
from .demand import Flows
from .light import Light
from .scenario import Scenario
from .utdf import Utdf
from .utdfcolumns import Columns, columns_of, driven


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
    vehicles = {m.name for m in driven(site)}
    for k, stage in enumerate(site.stages):
        here = {m.name for g, on in zip(site.groups, site.stage_greens[k], strict=True) if on for m in g.movements}
        if here & vehicles == wanted:
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
