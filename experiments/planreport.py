"""The report for the person who signs: one HTML file with map, calculation, signal times, time-space diagram, validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2

from ..core.messages import _
from .planfigures import TIMESPACE, figures_of, svg
from .planner import Planned
from .validate import Verdict
from .worked import Worked

SHOWN_QUEUES = 12
"""Lanes with the fullest queues that are shown."""

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
<td>{{ "%.1f"|format(d.worst_after) }}</td></tr>{% endfor %}</table>
<p>{{ evidence }}</p>{% if queues %}<table><tr><th>{{ t.lane }}</th><th>{{ t.room }}</th><th>{{ t.queue_before }}</th>
<th>{{ t.queue_after }}</th><th>{{ t.queue_worst }}</th><th>{{ t.spilled }}</th></tr>{% for q in queues %}<tr><td>{{ q.lane }}</td>
<td>{{ "%.0f"|format(q.room) }}</td><td>{{ "%.0f"|format(q.before) }}</td><td>{{ "%.0f"|format(q.after) }}</td>
<td>{{ "%.0f"|format(q.worst) }}</td><td>{{ q.spilled_before }} / {{ q.spilled_after }}</td></tr>{% endfor %}</table>{% endif %}{% endif %}
{% if remarks %}<ul>{% for remark in remarks %}<li>{{ remark }}</li>{% endfor %}</ul>{% endif %}
<h2>{{ t.candidates }}</h2><table><tr><th>{{ t.candidate }}</th><th>{{ t.cycle }}</th><th>{{ t.model }}</th><th>{{ t.delays }}</th>
<th>{{ t.locks }}</th></tr>
{% for c in candidates %}<tr><td>{{ c.name }}</td><td>{{ c.cycle or "" }}</td>
<td>{{ "%.1f"|format(c.value) if c.value is not none else "" }}</td>
<td>{% for d in c.delays %}{{ "%.1f"|format(d) }} {% endfor %}</td><td>{{ c.locks }}</td></tr>{% endfor %}</table>
{% if timespace %}<h2>{{ t.timespace }}</h2><figure>{{ timespace|safe }}</figure>{% endif %}
{% for light in lights %}<h2>{{ t.light }} {{ light.worked.light }}</h2>
<p>{{ light.line }}</p><figure>{{ light.map|safe }}</figure><figure>{{ light.times|safe }}</figure>
<table><tr><th>{{ t.lane }}</th><th>q [veh/h]</th><th>s [veh/h]</th><th>y</th><th>g [s]</th>
<th>x</th><th>d1 [s]</th><th>d2 [s]</th><th>d3 [s]</th><th>d [s]</th>
<th>{{ t.service }}</th></tr>
{% for r in light.worked.lanes %}<tr{% if r.critical %} class="critical"{% endif %}><td>{{ r.lane }}{% if r.critical %} *{% endif %}</td>
<td>{{ "%.0f"|format(r.flow) }}</td><td>{{ "%.0f"|format(r.saturation_flow) }}</td><td>{{ "%.3f"|format(r.flow_ratio) }}</td>
<td>{{ "%.0f"|format(r.effective_green) }}</td><td>{{ "%.2f"|format(r.saturation_degree) }}</td>
<td>{{ "%.1f"|format(r.uniform_delay) }}</td>
<td>{{ "%.1f"|format(r.incremental_delay) }}</td>
<td>{{ "%.1f"|format(r.initial_queue_delay) }}</td><td>{{ "%.1f"|format(r.delay) }}</td><td>{{ r.service }}</td></tr>{% endfor %}</table>
<table><tr><th>{{ t.movement }}</th><th>q [veh/h]</th><th>x</th><th>d [s]</th><th>{{ t.service }}</th></tr>
{% for r in light.worked.movements %}<tr><td>{{ r.movement }}</td><td>{{ "%.0f"|format(r.flow) }}</td>
<td>{{ "%.2f"|format(r.saturation_degree) }}</td><td>{{ "%.1f"|format(r.delay) }}</td><td>{{ r.service }}</td></tr>{% endfor %}</table>
{% if light.worked.crossings %}<table><tr><th>{{ t.crossing }}</th><th>{{ t.walk }}</th><th>{{ t.least }}</th><th>{{ t.clearance }}</th>
<th>{{ t.wait }}</th></tr>{% for r in light.worked.crossings %}<tr><td>{{ r.crossing }}</td><td>{{ r.walk }}</td>
<td>{{ "%.0f"|format(r.least) }}</td><td>{{ "%.0f"|format(r.clearance) }}</td>
<td>{{ "%.1f"|format(r.delay) }}</td></tr>{% endfor %}</table>{% endif %}
{% if light.worked.remarks %}<ul>{% for remark in light.worked.remarks %}<li>{{ remark }}</li>{% endfor %}</ul>{% endif %}
{% endfor %}<p><small>{{ t.symbols }}</small></p></body></html>
"""


def report_html(planned: Planned, verdict: Verdict | None = None, figures: Mapping[str, Any] | None = None) -> str:
    """The whole page as text, with `figures` as figures_of gives them; nothing in it is fetched from elsewhere."""
    drawn = {title: svg(figure) for title, figure in (figures or figures_of(planned)).items()}
    lights = [
        {
            "worked": worked,
            "line": _line(worked),
            "map": drawn[f"map {worked.light}"],
            "times": drawn[f"times {worked.light}"],
        }
        for worked in planned.worked
    ]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_PAGE).render(
        title=_("Signal plan for {scenario}").format(scenario=planned.scenario.stem),
        summary=_("Chosen: {name}. Timing: {timing}. {n} lights.").format(
            name=planned.chosen.name, timing=planned.timing, n=len(planned.worked)
        ),
        verdict=verdict,
        evidence="" if verdict is None else _evidence(verdict),
        remarks=planned.remarks,
        candidates=planned.candidates,
        timespace=drawn.get(TIMESPACE, ""),
        queues=verdict.queues[:SHOWN_QUEUES] if verdict else (),
        lights=lights,
        t={
            "measure": _("measure"), "before": _("in force"), "after": _("plan"), "difference": _("difference"),
            "interval": _("95 % interval"), "worst": _("worst seed"), "candidates": _("Candidates, tried in SUMO"),
            "candidate": _("candidate"), "cycle": _("cycle [s]"), "model": _("model [veh waiting]"),
            "delays": _("delay by seed [s/veh]"), "locks": _("gridlocks"), "timespace": _("Time-space diagram"), "light": _("Light"),
            "lane": _("lane (* critical)"), "room": _("room [m]"), "queue_before": _("longest queue in force [m]"),
            "queue_after": _("with the plan [m]"), "queue_worst": _("worst seed [m]"),
            "spilled": _("seeds with spillback, in force / plan"), "service": _("level of service"),
            "movement": _("movement"), "crossing": _("crossing"), "walk": _("walk [s]"), "least": _("least walk [s]"),
            "clearance": _("clearance [s]"), "wait": _("delay [s/person]"),
            "symbols": _("q flow, s saturation flow, y = q/s, g effective green, x degree of saturation, d1, d2 and d3 uniform, "
                         "incremental and initial queue delay, d control delay (HCM 7, chapter 19)."),
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


def _evidence(verdict: Verdict) -> str:
    return _(
        "{n} seeds, paired; gridlocks {locks_before} in force, {locks} with the plan; the worst seed is {seed}; lanes full to their "
        "beginning {full_before:.1f} in force, {full:.1f} with the plan, on average."
    ).format(
        n=len(verdict.seeds), locks_before=verdict.gridlocks[0], locks=verdict.gridlocks[1], seed=verdict.worst_seed,
        full_before=verdict.full_lanes[0], full=verdict.full_lanes[1],
    )  # fmt: skip
