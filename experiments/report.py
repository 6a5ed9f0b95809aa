"""The report of a batch: one HTML file that opens offline, its figures beside it, and the tables for a page or a
paper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jinja2
import polars as pl

from .. import __version__
from ..core.errors import SignalwrightError
from ..core.messages import _
from . import figures
from .batch import RUNS
from .places import Places, by_light, mean_lanes
from .provenance import versions
from .result import MANIFEST, TRIPS, write_directory
from .summary import COUNTS, HEADLINE, Cell, Summary
from .tables import UNITS, cell_rows, cell_warnings, head, latex, markdown, metric_name, ranking_notes

TEMPLATE = Path(__file__).with_name("report.html.j2")
LANES, MOVEMENTS = "lanes.parquet", "movements.parquet"
WORST_LANES = 12
"""Rows of the table of lanes."""


@dataclass(frozen=True)
class _CellData:
    """What a cell's figures are drawn from: its runs, read once."""

    summary: Summary
    cell: Cell

    @cached_property
    def keys(self) -> dict[str, list[str]]:
        cell = self.cell
        rows = self.summary.runs.filter(
            scenario=cell.scenario, timing=cell.timing, scale=cell.scale, begin=cell.begin, end=cell.end
        )
        return {arm.name: rows.filter(controller=arm.name)["key"].to_list() for arm in cell.arms[HEADLINE]}

    def tables(self, name: str) -> dict[str, list[pl.DataFrame]]:
        folder = self.summary.directory / RUNS
        found = {
            arm: [pl.read_parquet(folder / key / name) for key in keys if (folder / key / name).exists()]
            for arm, keys in self.keys.items()
        }
        return {arm: tables for arm, tables in found.items() if tables}

    @cached_property
    def places(self) -> Places:
        key = next(key for keys in self.keys.values() for key in keys)
        manifest = json.loads((self.summary.directory / RUNS / key / MANIFEST).read_text(encoding="utf-8"))
        return Places(Path(manifest["scenario_file"]))


@dataclass(frozen=True)
class _Part:
    """A cell as the template shows it."""

    name: str
    rows: list[list[str]]
    warnings: list[str]
    others: list[tuple[str, list[list[str]]]]
    counts: list[list[str]]
    figures: dict[str, tuple[str, figures.Drawing]] = field(default_factory=dict)
    lanes: list[list[str]] = field(default_factory=list)
    movements: list[list[str]] = field(default_factory=list)
    no_map: str = ""


def write_report(summary: Summary, out: Path) -> Path:
    """Write the report's directory: report.html, figures as SVG and PNG, tables.md, tables.tex. Returns the path of the HTML
    file.

    An older report there is replaced. Raises ResultError where it cannot be written.
    """
    parts = [_part(_CellData(summary, cell)) for cell in summary.cells]
    files = {
        "report.html": render(summary, parts).encode(),
        "tables.md": markdown(summary).encode(),
        "tables.tex": latex(summary).encode(),
    }
    for number, part in enumerate(parts, 1):
        for name, (_caption, drawing) in part.figures.items():
            files[f"{number}-{name}.svg"] = drawing.svg.encode()
            files[f"{number}-{name}.png"] = drawing.png
    write_directory(out, files)
    return out / "report.html"


def render(summary: Summary, parts: list[_Part]) -> str:
    """The HTML, with everything it needs inside it."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    spec = summary.spec
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        _=_,
        title=_("Comparison of signal control strategies"),
        version=__version__,
        versions=versions(),
        summary=summary,
        facts=[
            (_("strategies"), ", ".join(spec.arm_names)),
            (_("compared with"), summary.baseline),
            (_("scenarios"), ", ".join(dict.fromkeys(cell.scenario for cell in summary.cells))),
            (_("seeds"), ", ".join(map(str, spec.seeds))),
            (_("demand factors"), ", ".join(f"{scale:g}" for scale in spec.scales)),
            (_("departures put off by up to"), f"{spec.jitter:g} s"),
            (_("runs"), str(len(summary.runs))),
            (_("most memory of a worker"), f"{summary.most_memory:.0f} MiB"),
        ],
        head=head(),
        counts_head=[_("strategy"), *(count.replace("_", " ") for count in COUNTS)],
        movements_head=[_("light"), _("from"), _("to"), _("vehicles"), *_arm_titles(summary)],
        lanes_head=[_("light"), _("lane"), _("movements"), *_arm_titles(summary)],
        ranking=summary.ranks,
        ranking_notes=ranking_notes(summary),
        parts=parts,
    )


def _arm_titles(summary: Summary) -> list[str]:
    return [_("{arm} [s/veh]").format(arm=arm) for arm in summary.spec.arm_names]


def _part(data: _CellData) -> _Part:
    cell = data.cell
    part = _Part(
        name=cell.name,
        rows=cell_rows(cell),
        warnings=cell_warnings(cell),
        others=[(metric_name(metric), cell_rows(cell, metric)) for metric in cell.arms if metric != HEADLINE],
        counts=[[arm, *(f"{counts[count]:.1f}" for count in COUNTS)] for arm, counts in cell.counts.items()],
    )
    _draw(data, part.figures)
    part.movements.extend(_movement_rows(data))
    try:
        _draw_places(data, part.figures, part.lanes)
    except SignalwrightError as error:
        object.__setattr__(part, "no_map", str(error))
    return part


def _draw(data: _CellData, drawn: dict[str, tuple[str, figures.Drawing]]) -> None:
    cell = data.cell
    for metric, arms in cell.arms.items():
        drawn[f"{metric}-intervals"] = (metric_name(metric), figures.intervals(arms, UNITS[metric]))
    if found := cell.comparisons[HEADLINE]:
        drawn["difference"] = (
            _("Difference from {arm}").format(arm=found[0].baseline),
            figures.differences(found, "[s/veh]"),
        )
    trips = data.tables(TRIPS)
    delays = {arm: [table["time_loss"] + table["depart_delay"] for table in tables] for arm, tables in trips.items()}
    drawn["distribution"] = (_("Delay of the vehicles, a line for each seed"), figures.distribution(delays))
    bins = {arm: figures.in_bins(tables) for arm, tables in trips.items()}
    drawn["over-time"] = (_("Delay over time, with the range over seeds"), figures.over_time(bins))


def _draw_places(data: _CellData, drawn: dict[str, tuple[str, figures.Drawing]], rows: list[list[str]]) -> None:
    tables = data.tables(LANES)
    if not tables:
        return
    means = {arm: mean_lanes(found) for arm, found in tables.items()}
    places = data.places
    lights = {arm: by_light(lanes, places.lights) for arm, lanes in means.items()}
    drawn["lights"] = (_("Time lost on the approach lanes of each light"), figures.bars(lights, "s/veh"))
    each = {arm: dict(zip(table["lane"], table["each"], strict=True)) for arm, table in means.items()}
    used = {
        arm: {lane: value for lane, value in values.items() if lane in places.shapes} for arm, values in each.items()
    }
    top = max((value for values in used.values() for value in _most(values)), default=1.0) or 1.0
    for arm, values in used.items():
        drawing = figures.network(places.shapes, values, places.spots, top, arm)
        drawn[f"map-{list(used).index(arm) + 1}"] = (_("Time lost on each lane under {arm}").format(arm=arm), drawing)
    rows += _lane_rows(data.summary, places, each)


def _movement_rows(data: _CellData) -> list[list[str]]:
    """Every movement with its delay under each arm, as means over the seeds, those that lose most first."""
    tables = data.tables(MOVEMENTS)
    if not tables:
        return []
    place = ["light", "origin", "destination"]
    means = [
        pl.concat(found).group_by(place).agg(pl.col("vehicles").mean(), pl.col("delay").mean().alias(arm))
        for arm, found in tables.items()
    ]
    joined = means[0]
    for other in means[1:]:
        joined = joined.join(other.drop("vehicles"), on=place, how="left")
    joined = joined.sort(pl.max_horizontal(*tables), *place, descending=[True, False, False, False])
    return [
        [*row[:3], f"{row[3]:.0f}", *("" if value is None else f"{value:.1f}" for value in row[4:])]
        for row in joined.rows()
    ]


def _most(values: Mapping[str, float]) -> list[float]:
    """The 98th percentile of a map's values, so that one short lane does not take all the colour."""
    ordered = sorted(values.values())
    return [ordered[int(0.98 * (len(ordered) - 1))]] if ordered else []


def _lane_rows(summary: Summary, places: Places, each: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """The approach lanes that lose most under any arm."""
    found: list[tuple[float, list[str]]] = []
    for light in places.lights:
        for lane, movements in places.movements(light).items():
            values = [each.get(arm, {}).get(lane) for arm in summary.spec.arm_names]
            worst = max((value for value in values if value is not None), default=0.0)
            found.append(
                (worst, [light, lane, movements, *("" if value is None else f"{value:.1f}" for value in values)])
            )
    return [row for _worst, row in sorted(found, key=lambda item: -item[0])[:WORST_LANES]]
