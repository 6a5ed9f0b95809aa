"""The figures of a plan: map of each light, its signal times, the time-space diagram; for the report, and as PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..core.messages import _
from ..networks.light import Light
from ..networks.planprogram import program_of, write_plans
from ..networks.scenario import Scenario, read_scenario
from ..networks.sketch import sketch
from .planner import Planned
from .timespace import Street, Trajectory, busiest_street, trajectories
from .worked import Worked

COLOURS = {"G": "#2e8b57", "g": "#8fc7a5", "y": "#e0b000", "u": "#e07000", "r": "#e4e1dc", "s": "#bcd3c4"}
CYCLES = 4
"""Cycles shown in the time-space diagram."""
TIMESPACE = "time-space"


def figures_of(planned: Planned) -> dict[str, Any]:
    """Every figure by its title: `time-space` where lights follow each other, `map LIGHT` and `times LIGHT`."""
    scenario = read_scenario(planned.scenario)
    street = _time_space(planned, scenario)
    drawn = {} if street is None else {TIMESPACE: street}
    for worked in planned.worked:
        drawn[f"map {worked.light}"] = _map(scenario, planned.lights[worked.light], worked)
        drawn[f"times {worked.light}"] = _times(planned, worked)
    return drawn


def png(figure: Any) -> bytes:
    """A figure as a PNG file."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=150)
    return out.getvalue()


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def svg(figure: Any) -> str:
    """A figure as SVG text, the same every time."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "signalwright", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _map(scenario: Scenario, light: Light, worked: Worked) -> Any:
    drawing = sketch(scenario, light)
    figure, axes = _figure(6.5, 6.5)
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
                f"{load[lane].flow:.0f}", points[max(0, len(points) - 8)], fontsize=6, ha="center", va="center",
                rotation=_slope(points), rotation_mode="anchor", zorder=3,
            )  # fmt: skip
    for edge, outer in _outer_ends(drawing.lanes, load).items():
        axes.annotate(
            edge, outer[0], fontsize=6, color="#777777", ha="center", va="center", rotation=_slope(outer), zorder=3
        )
    axes.set_title(_("vehicles an hour on every lane; red: ways from critical lanes"), fontsize=7, color="#555555")
    axes.set_aspect("equal")
    axes.axis("off")
    return figure


def _slope(points: Any) -> float:
    """The angle at which to write along a line so that it can be read [degrees]."""
    east, north = points[-1] - points[0]
    angle = math.degrees(math.atan2(north, east))
    return angle - 180.0 if angle > 90.0 else angle + 180.0 if angle <= -90.0 else angle


def _outer_ends(lanes: Mapping[str, Any], load: Mapping[str, Any]) -> dict[str, Any]:
    """Where to write the name of every approach: beside its outermost lane, in the middle of what is drawn."""
    found: dict[str, Any] = {}
    for lane in load:
        edge, points = lane.rpartition("_")[0], lanes.get(lane)
        if points is None or edge in found or len(points) < 4:
            continue
        along = points[-1] - points[0]
        aside = 4.0 * np.array([along[1], -along[0]]) / max(1.0, float(np.hypot(*along)))
        found[edge] = points[len(points) // 3 :] + aside
    return found


def _times(planned: Planned, worked: Worked) -> Any:
    """Every signal group against the seconds of the cycle."""
    from matplotlib.patches import Patch

    light, plan = planned.lights[worked.light], _plans(planned)[worked.light]
    program = program_of(light, plan, "drawn")
    groups = light.intersection.groups
    figure, axes = _figure(8.0, 0.9 + 0.28 * len(groups))
    for row, _group in enumerate(groups):
        indices = [link.index for link in light.links if link.group == row]
        spans, colours, time = [], [], 0.0
        for step in program.steps:
            if indices:
                shown = {step.state[index] for index in indices}
                spans.append((time, step.duration))
                colours.append(COLOURS.get("G" if "G" in shown else step.state[indices[0]], "#999999"))
            time += step.duration
        axes.broken_barh(spans, (row - 0.35, 0.7), facecolors=colours)
    axes.set_yticks(range(len(groups)), [group.name for group in groups], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, worked.cycle)
    axes.set_xlabel(_("seconds of the cycle"))
    said = {"G": _("green"), "g": _("green, all of it gives way"), "y": _("amber"), "r": _("red")}
    patches = [Patch(color=COLOURS[letter], label=words) for letter, words in said.items()]
    axes.legend(handles=patches, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, fontsize=7, frameon=False)
    return figure


def _plans(planned: Planned) -> Mapping[str, Any]:
    return planned.plans or next(c.plans for c in planned.candidates if c.plans)


def _time_space(planned: Planned, scenario: Scenario) -> Any | None:
    plans = _plans(planned)
    street = busiest_street(scenario, planned.lights, plans, planned.journeys)
    if street is None:
        return None
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
    legend = _(
        "Upper bars, grey lines: towards {last}; lower bars, blue lines: towards {first}; lines are simulated vehicles."
    ).format(last=street.lights[-1], first=street.lights[0])
    axes.set_title(f"{_said_of_bands(street)}\n{legend}", fontsize=8)
    return figure


def _said_of_bands(street: Street) -> str:
    bands = [band for band in (street.band_out, street.band_back) if band is not None]
    if not bands:
        return _("The lights run at different cycles: no band.")
    if all(band.width < 1.0 for band in bands):
        return _("No band: at the speed limit nobody passes all lights without a stop.")
    return _("Bands of {widths} s at the speed limit.").format(widths=" / ".join(f"{band.width:.0f}" for band in bands))


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
