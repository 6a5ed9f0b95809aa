"""The report for the person who signs: one HTML file with map, calculation, signal times, time-space diagram, validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jinja2

from ..core.messages import _
from ..networks.planfile import clock
from ..networks.scenario import read_scenario
from .planfigures import TIMESPACE, figures_of, svg
from .planner import Planned
from .provenance import file_hash, versions
from .validate import Verdict
from .worked import Worked

SHOWN_QUEUES = 12
"""Lanes with the fullest queues that are shown."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.6rem 0}td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}tr.critical td{font-weight:600}h2{margin-top:2.4rem}
td.text,th.text{text-align:left}.verdict{font-size:1.25rem;padding:.6rem 1rem;background:#f3f1ec;border-left:4px solid #2e8b57}
figure{margin:1rem 0}
.signed{width:100%;margin-top:3rem}.signed td{width:33%;border:0;border-top:1px solid #222;text-align:left}
svg{max-width:100%;height:auto}small{color:#666}</style></head><body>
<h1>{{ title }}</h1>
<p>{{ summary }}</p>
<table>{% for name, value in facts %}<tr><td>{{ name }}</td><td class="text">{{ value }}</td></tr>{% endfor %}</table>
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
{% if remarks %}<h2>{{ t.remarks }}</h2><ul>{% for remark in remarks %}<li>{{ remark }}</li>{% endfor %}</ul>{% endif %}
<h2>{{ t.candidates }}</h2><table><tr><th>{{ t.candidate }}</th><th>{{ t.cycle }}</th><th>{{ t.model }}</th><th>{{ t.delays }}</th>
<th>{{ t.locks }}</th></tr>
{% for c in candidates %}<tr><td>{{ c.name }}</td><td>{{ c.cycle or "" }}</td>
<td>{{ "%.1f"|format(c.value) if c.value is not none else "" }}</td>
<td>{% for d in c.delays %}{{ "%.1f"|format(d) }} {% endfor %}{{ t.given_up if c.lost }}</td><td>{{ c.locks }}</td></tr>{% endfor %}</table>
{% if timespace %}<h2>{{ t.timespace }}</h2><figure>{{ timespace|safe }}</figure>{% endif %}
{% for light in lights %}<h2>{{ t.light }} {{ light.worked.light }}</h2>
<p>{{ light.line }}</p><table><tr><th>{{ t.stage }}</th><th>{{ t.from }}</th><th>{{ t.green }}</th><th>{{ t.change }}</th>
<th class="text">{{ t.groups }}</th></tr>{% for s in light.stages %}<tr><td>{{ s.name }}</td><td>{{ s.begin }}</td><td>{{ s.green }}</td>
<td>{{ s.change }}</td><td class="text">{{ s.groups }}</td></tr>{% endfor %}</table>
<figure>{{ light.map|safe }}</figure><figure>{{ light.times|safe }}</figure>
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
{% endfor %}<p><small>{{ t.symbols }}</small></p>
<table class="signed"><tr>{% for who in signers %}<td>{{ who }}</td>{% endfor %}</tr></table></body></html>
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
            "stages": _stages(planned, worked),
        }
        for worked in planned.worked
    ]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_PAGE).render(
        title=_("Signal plan for {scenario}").format(scenario=planned.scenario.stem),
        summary=_("Chosen: {name}. Timing: {timing}. {n} lights.").format(
            name=planned.chosen.name, timing=planned.timing, n=len(planned.worked)
        ),
        facts=_facts(planned),
        signers=(_("made by"), _("checked by"), _("date")),
        verdict=verdict,
        evidence="" if verdict is None else _evidence(verdict),
        remarks=planned.remarks,
        candidates=planned.candidates,
        timespace=drawn.get(TIMESPACE, ""),
        queues=verdict.queues[:SHOWN_QUEUES] if verdict else (),
        lights=lights,
        t={
            "remarks": _("Remarks"), "given_up": _("given up, far behind"), "stage": _("stage"), "from": _("from second"),
            "green": _("green [s]"), "change": _("change before it [s]"), "groups": _("signal groups that are green"),
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


def _facts(planned: Planned) -> list[tuple[str, str]]:
    """What the plan is for, and what it was made with."""
    read, made = read_scenario(planned.scenario), versions()
    last = planned.journeys.until if math.isfinite(planned.journeys.until) else read.end
    until = _("the last departure") if last is None else clock(round(last))
    return [
        (_("scenario"), planned.scenario.name),
        (_("window"), f"{clock(round(read.begin))} - {until}"),
        (_("traffic"), _("{n:.0f} vehicles an hour pass the stop lines of {lights} lights").format(
            n=sum(sum(of_light.values()) for of_light in planned.flows.values()), lights=len(planned.flows))),
        (_("made with"), ", ".join(f"{name} {made[name]}" for name in ("signalwright", "eclipse-sumo") if name in made)),
        (_("files"), ", ".join(f"{path.name} (SHA-256 {file_hash(path)[:12]})" for path in (read.net, *read.routes))),
    ]  # fmt: skip


def _stages(planned: Planned, worked: Worked) -> list[dict[str, Any]]:
    """Each stage with the second of the cycle at which it is green."""
    green = {stage.name: sorted(stage.green) for stage in planned.lights[worked.light].intersection.stages}
    rows, time = [], 0
    for name, change, shown in zip(worked.stages, worked.interstages, worked.greens, strict=True):
        time += change
        rows.append({"name": name, "begin": time, "green": shown, "change": change, "groups": ", ".join(green[name])})
        time += shown
    return rows


def _line(worked: Worked) -> str:
    best = _("none") if worked.optimum_cycle is None else f"{worked.optimum_cycle:.0f} s"
    return _(
        "Cycle {cycle} s, offset {offset} s; Y = {y:.2f}, lost time {lost:.0f} s, Webster's cycle {best}; "
        "mean control delay {delay:.1f} s."
    ).format(
        cycle=worked.cycle,
        offset=worked.offset,
        y=worked.critical_flow_ratio,
        lost=worked.lost_time,
        best=best,
        delay=worked.delay,
    )


def _evidence(verdict: Verdict) -> str:
    return _(
        "{n} seeds, paired; gridlocks {locks_before} in force, {locks} with the plan; the worst seed is {seed}; lanes full to their "
        "beginning {full_before:.1f} in force, {full:.1f} with the plan, on average."
    ).format(
        n=len(verdict.seeds), locks_before=verdict.gridlocks[0], locks=verdict.gridlocks[1], seed=verdict.worst_seed,
        full_before=verdict.full_lanes[0], full=verdict.full_lanes[1],
    )  # fmt: skip
