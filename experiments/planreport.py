"""The report for the person who signs: one HTML file with map, calculation, signal times, time-space diagram, validation."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jinja2

from ..core.errors import InputError
from ..core.messages import _
from ..networks.detectors import write_whole
from ..networks.light import Light
from ..networks.planprogram import program_of, write_plans
from ..networks.scenario import Scenario, read_scenario
from ..networks.sketch import sketch
from .planner import Planned
from .timespace import Street, Trajectory, busiest_street, trajectories
from .validate import Verdict
from .worked import Worked

COLOURS = {"G": "#2e8b57", "g": "#8fc7a5", "y": "#e0b000", "u": "#e07000", "r": "#e4e1dc", "s": "#bcd3c4"}
CYCLES = 4
"""Cycles shown in the time-space diagram."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.6rem 0}td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}tr.critical td{font-weight:600}h2{margin-top:2.4rem}
.verdict{font-size:1.25rem;padding:.6rem 1rem;background:#f3f1ec;border-left:4px solid #2e8b57}figure{margin:1rem 0}
svg{max-width:100%;height:auto}small{color:#666}</style></head><body>
<h1>{{ title }}</h1>
<p>{{ summary }}</p>
{% if verdict %}<p class="verdict">{{ verdict.words }}</p>
<table><tr><th>{{ t.measure }}</th><th>{{ t.before }}</th><th>{{ t.after }}</th><th>{{ t.difference }}</th><th>{{ t.interval }}</th>
<th>{{ t.worst }}</th></tr>
{% for d in verdict.differences %}<tr><td>{{ d.measure }}</td><td>{{ "%.1f"|format(d.before) }}</td><td>{{ "%.1f"|format(d.after) }}</td>
<td>{{ "%+.1f"|format(d.difference) }}</td><td>[{{ "%.1f"|format(d.interval.low) }}, {{ "%.1f"|format(d.interval.high) }}]</td>
<td>{{ "%.1f"|format(d.worst_after) }}</td></tr>{% endfor %}</table>{% endif %}
{% if remarks %}<ul>{% for remark in remarks %}<li>{{ remark }}</li>{% endfor %}</ul>{% endif %}
<h2>{{ t.candidates }}</h2><table><tr><th>{{ t.candidate }}</th><th>{{ t.cycle }}</th><th>{{ t.model }}</th><th>{{ t.delays }}</th></tr>
{% for c in candidates %}<tr><td>{{ c.name }}</td><td>{{ c.cycle or "" }}</td>
<td>{{ "%.1f"|format(c.value) if c.value is not none else "" }}</td>
<td>{% for d in c.delays %}{{ "%.1f"|format(d) }} {% endfor %}</td></tr>{% endfor %}</table>
{% if timespace %}<h2>{{ t.timespace }}</h2><figure>{{ timespace|safe }}</figure><p><small>{{ timespace_note }}</small></p>{% endif %}
{% for light in lights %}<h2>{{ t.light }} {{ light.worked.light }}</h2>
<p>{{ light.line }}</p><figure>{{ light.map|safe }}</figure><figure>{{ light.times|safe }}</figure>
<table><tr><th>{{ t.lane }}</th><th>q [veh/h]</th><th>s [veh/h]</th><th>y</th><th>g [s]</th>
<th>x</th><th>d1 [s]</th><th>d2 [s]</th><th>d [s]</th>
<th>{{ t.service }}</th></tr>
{% for r in light.worked.lanes %}<tr{% if r.critical %} class="critical"{% endif %}><td>{{ r.lane }}{% if r.critical %} *{% endif %}</td>
<td>{{ "%.0f"|format(r.flow) }}</td><td>{{ "%.0f"|format(r.saturation_flow) }}</td><td>{{ "%.3f"|format(r.flow_ratio) }}</td>
<td>{{ "%.0f"|format(r.effective_green) }}</td><td>{{ "%.2f"|format(r.saturation_degree) }}</td>
<td>{{ "%.1f"|format(r.uniform_delay) }}</td>
<td>{{ "%.1f"|format(r.incremental_delay) }}</td><td>{{ "%.1f"|format(r.delay) }}</td><td>{{ r.service }}</td></tr>{% endfor %}</table>
{% if light.worked.remarks %}<ul>{% for remark in light.worked.remarks %}<li>{{ remark }}</li>{% endfor %}</ul>{% endif %}
{% endfor %}<p><small>{{ t.symbols }}</small></p></body></html>
"""


def write_report(path: Path, planned: Planned, verdict: Verdict | None = None, *, overwrite: bool = False) -> None:
    """Write the report; raises InputError where a file lies there and `overwrite` is not set."""
    if path.exists() and not overwrite:
        raise InputError(
            _("{path}: is there already; name another file, or ask for it to be overwritten").format(path=path)
        )
    write_whole(path, report_html(planned, verdict))


def report_html(planned: Planned, verdict: Verdict | None = None) -> str:
    """The whole page as text; nothing in it is fetched from elsewhere."""
    scenario = read_scenario(planned.scenario)
    drawn, note = _time_space(planned, scenario)
    lights = [
        {
            "worked": worked,
            "line": _line(worked),
            "map": _map(scenario, planned.lights[worked.light], worked),
            "times": _times(planned, worked),
        }
        for worked in planned.worked
    ]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_PAGE).render(
        title=_("Signal plan for {scenario}").format(scenario=scenario.name),
        summary=_("Chosen: {name}. Timing: {timing}. {n} lights.").format(
            name=planned.chosen.name, timing=planned.timing, n=len(planned.worked)
        ),
        verdict=verdict,
        remarks=planned.remarks,
        candidates=planned.candidates,
        timespace=drawn,
        timespace_note=note,
        lights=lights,
        t={
            "measure": _("measure"), "before": _("in force"), "after": _("plan"), "difference": _("difference"),
            "interval": _("95 % interval"), "worst": _("worst seed"), "candidates": _("Candidates, tried in SUMO"),
            "candidate": _("candidate"), "cycle": _("cycle [s]"), "model": _("model [veh waiting]"),
            "delays": _("delay by seed [s/veh]"), "timespace": _("Time-space diagram"), "light": _("Light"),
            "lane": _("lane (* critical)"), "service": _("level of service"),
            "symbols": _("q flow, s saturation flow, y = q/s, g effective green, x degree of saturation, d1 and d2 uniform and "
                         "incremental delay, d control delay (HCM 7, chapter 19)."),
        },
    )  # fmt: skip


def _line(worked: Worked) -> str:
    best = _("none") if worked.optimum_cycle is None else f"{worked.optimum_cycle:.0f} s"
    return _(
        "Cycle {cycle} s, offset {offset} s; Y = {y:.2f}, lost time {lost:.0f} s, Webster's cycle {best}; "
        "mean control delay {delay:.1f} s. "
    ).format(
        cycle=worked.cycle,
        offset=worked.offset,
        y=worked.critical_flow_ratio,
        lost=worked.lost_time,
        best=best,
        delay=worked.delay,
    ) + "; ".join(
        _("stage {stage}: {change} s change, {green} s green").format(stage=stage, change=change, green=green)
        for stage, change, green in zip(worked.stages, worked.interstages, worked.greens, strict=True)
    )


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Any) -> str:
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "signalwright", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _map(scenario: Scenario, light: Light, worked: Worked) -> str:
    drawing = sketch(scenario, light)
    figure, axes = _figure(5.0, 5.0)
    critical = {row.lane for row in worked.lanes if row.critical}
    load = {row.lane: row for row in worked.lanes}
    for lane, points in drawing.lanes.items():
        axes.plot(
            *points.T, color="#d8d4cc", linewidth=max(2.0, 1.6 * drawing.widths[lane]), solid_capstyle="butt", zorder=1
        )
    for way in drawing.ways:
        colour = "#7a93ac" if way.crossing else "#c0392b" if way.lane in critical else "#444444"
        axes.plot(*way.path.T, color=colour, linewidth=1.0, linestyle=":" if way.crossing else "-", zorder=2)
    for lane, points in drawing.lanes.items():
        if lane in load:
            axes.annotate(
                f"{load[lane].flow:.0f}",
                points[max(0, len(points) - 8)],
                fontsize=7,
                ha="center",
                va="center",
                zorder=3,
            )
    axes.set_aspect("equal")
    axes.axis("off")
    return _svg(figure)


def _times(planned: Planned, worked: Worked) -> str:
    """Every signal group against the seconds of the cycle."""
    light, plan = planned.lights[worked.light], _plans(planned)[worked.light]
    program = program_of(light, plan, "drawn")
    groups = light.intersection.groups
    figure, axes = _figure(8.0, 0.6 + 0.28 * len(groups))
    for row, _group in enumerate(groups):
        index = next((link.index for link in light.links if link.group == row), None)
        spans, colours, time = [], [], 0.0
        for step in program.steps:
            if index is not None:
                spans.append((time, step.duration))
                colours.append(COLOURS.get(step.state[index], "#999999"))
            time += step.duration
        axes.broken_barh(spans, (row - 0.35, 0.7), facecolors=colours)
    axes.set_yticks(range(len(groups)), [group.name for group in groups], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, worked.cycle)
    axes.set_xlabel(_("seconds of the cycle"))
    return _svg(figure)


def _plans(planned: Planned) -> Mapping[str, Any]:
    return planned.plans or next(c.plans for c in planned.candidates if c.plans)


def _time_space(planned: Planned, scenario: Scenario) -> tuple[str, str]:
    plans = _plans(planned)
    street = busiest_street(scenario, planned.lights, plans, planned.journeys)
    if street is None:
        return "", ""
    cycle = street.out[0].cycle
    begin = scenario.begin + 900.0
    end = begin + CYCLES * cycle
    with TemporaryDirectory(prefix="signalwright-") as folder:
        path = Path(folder, "drawn.add.xml")
        write_plans(path, planned.lights, {"signalwright drawn": plans})
        out, back = trajectories(scenario, street, path, begin, end)
    figure, axes = _figure(9.0, 2.0 + 0.6 * len(street.lights))
    reach = max(street.length, 1.0) * 0.012
    for passages, side, shade in ((street.out, reach, "#2e8b57"), (street.back, -reach, "#3b6ea5")):
        for p in passages:
            axes.hlines(p.position + side, begin, end, color="#e4c9c5", linewidth=3)
            for first, last in p.greens:
                for k in range(int((begin - last) // p.cycle) - 1, int((end - first) // p.cycle) + 2):
                    low, high = max(begin, first + k * p.cycle), min(end, last + k * p.cycle)
                    if high > low:
                        axes.hlines(p.position + side, low, high, color=shade, linewidth=3)
    _bands(axes, street, begin, end)
    for ways, colour in ((out, "#555555"), (back, "#8888aa")):
        for way in ways:
            _draw(axes, way, colour)
    axes.set_yticks([p.position for p in street.out], street.lights, fontsize=7)
    axes.set_xlim(begin, end)
    axes.set_xlabel(_("time [s]"))
    widths = [band.width for band in (street.band_out, street.band_back) if band is not None]
    words = _("Bands of {widths} s at the speed limit; lines are simulated vehicles.").format(
        widths=" / ".join(f"{w:.0f}" for w in widths)
    )
    return _svg(figure), words if widths else _(
        "The lights run at different cycles: no band. Lines are simulated vehicles."
    )


def _draw(axes: Any, way: Trajectory, colour: str) -> None:
    times, places = zip(*way, strict=True)
    axes.plot(times, places, color=colour, linewidth=0.5)


def _bands(axes: Any, street: Street, begin: float, end: float) -> None:
    for band, passages, colour in (
        (street.band_out, street.out, "#2e8b57"),
        (street.band_back, street.back, "#3b6ea5"),
    ):
        if band is None or band.width <= 0.0:
            continue
        cycle = passages[0].cycle
        for k in range(int(begin // cycle) - 2, int(end // cycle) + 1):
            first = [band.begin + k * cycle + t for t in band.times]
            axes.fill_betweenx(
                [p.position for p in passages],
                first,
                [t + band.width for t in first],
                color=colour,
                alpha=0.12,
                linewidth=0,
            )
