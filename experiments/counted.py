"""Counts become demand: flows of every movement for planning, and sampled routes for simulation, with GEH per count."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from ..core.errors import CountsError, InputError, SimulationError
from ..core.messages import _
from ..core.planning.demand import geh
from ..networks.countedflows import movement_flows
from ..networks.countsfile import Series, read_counts
from ..networks.demand import Flows, driven_journeys, driven_routes
from ..networks.detectors import place_loops, write_whole
from ..networks.netfile import read_lights
from ..networks.planfile import clock
from ..networks.scenario import elements, read_scenario
from ..networks.simulator import find_sumo
from .spec import Timing, scenario_path

LONG = 3 * 3600.0
"""Counts over more than this [s] have no one flow a plan can be made for."""
GOOD_GEH = 5.0
"""A count met better than this is met (the usual bound for hourly flows)."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What files of counts tell of a scenario: the flow of every movement of every light [veh/h], `remarks`, and `shape`, the
    counts of each interval of the window against their mean (one number where they do not cover the window)."""

    flows: dict[str, Flows]
    remarks: tuple[str, ...]
    shape: tuple[float, ...] = (1.0,)


def counted_flows(
    scenario: str,
    counts: Sequence[Path],
    timing: Timing = "safe",
    *,
    begin: float | None = None,
    end: float | None = None,
) -> Counted:
    """Flows from files of counts, in the window asked for, else in the scenario's where they reach into it, else over all of them."""
    read = read_scenario(scenario_path(scenario))
    lights = place_loops(read, read_lights(read, timing))
    first, last = read.begin if begin is None else begin, read.end if end is None else end
    try:
        found = read_counts(counts, first, last)
    except CountsError:
        if begin is not None or end is not None:
            raise
        found = read_counts(counts)
    if not found.series:
        raise CountsError(_("none of the counts can be used: {why}").format(why="; ".join(found.remarks)))
    journeys = driven_journeys(read, lights, begin=begin, end=end)
    flows, remarks = movement_flows(found, read, lights, journeys)
    some = found.series[0]
    until = some.begin + some.interval * some.count.size
    said = _("counts from {begin} to {end}: {n} intervals of {minutes:g} min, of {sources} places").format(
        begin=clock(round(some.begin)),
        end=clock(round(until)),
        n=some.count.size,
        minutes=some.interval / 60.0,
        sources=len(found.series),
    )
    long = [
        _("that is a mean over many hours; give --begin and --end for a peak, or --day for plans by the time of day")
    ]
    totals = np.nanmean([series.count for series in found.series], axis=0)
    covers = (
        some.begin == first and last is not None and until == last and np.isfinite(totals).all() and totals.min() > 0.0
    )
    shape = tuple(float(total) for total in totals / totals.mean()) if covers else (1.0,)
    return Counted(flows, (said, *(long if until - some.begin > LONG else []), *found.remarks, *remarks), shape)


@dataclass(frozen=True, slots=True)
class Met:
    """How well one count is met by sampled routes [veh/h]."""

    name: str
    counted: float
    sampled: float
    geh: float


@dataclass(frozen=True, slots=True)
class Sampled:
    """Routes sampled to counts: the file, and how well each edge or turn count is met."""

    routes: Path
    met: tuple[Met, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"routes": str(self.routes), "words": self.words, "met": [asdict(one) for one in self.met]}

    @property
    def words(self) -> str:
        """In one line."""
        return words_of(self.met)


def words_of(met: Sequence[Met]) -> str:
    """How well counts are met, in one line."""
    good, worst = sum(m.geh < GOOD_GEH for m in met), max(met, key=lambda m: m.geh)
    return _("{good} of {n} counts are met with a GEH under 5; the worst is {name} with {geh:.1f}").format(
        good=good, n=len(met), name=worst.name, geh=worst.geh
    )


def sample_routes(
    scenario: str, counts: Sequence[Path], out: Path, *, seed: int = 1, overwrite: bool = False
) -> Sampled:
    """Routes that meet edge and turn counts, drawn by SUMO's routeSampler from the ways the scenario's vehicles take.

    Raises InputError, CountsError where no edge or turn is counted, SimulationError with the tool's last words.
    """
    if out.exists() and not overwrite:
        raise InputError(
            _("{path}: is there already; name another file, or ask for it to be overwritten").format(path=out)
        )
    read = read_scenario(scenario_path(scenario))
    found = read_counts(counts)
    usable = [series for series in found.series if series.kind in {"edge", "turn"}]
    if not usable:
        raise CountsError(_("routes can be sampled to counts of edges or turns only, and there is none"))
    routes, _hours = driven_routes(read)
    text, met = sampled_routes(usable, routes, seed)
    write_whole(out, text)
    return Sampled(out, met)


def sampled_routes(
    series: Sequence[Series], routes: Sequence[Sequence[str]], seed: int, *, attributes: str = "", gap: int = 0
) -> tuple[str, tuple[Met, ...]]:
    """Routes to counts of edges and turns, drawn by SUMO's routeSampler from these ways, and how well they meet them. Each vehicle
    bears the `attributes`; up to `gap` edges lie between the two of a turn. Raises SimulationError with the tool's last words."""
    ways = dict.fromkeys(tuple(route) for route in routes if route)
    first = series[0].begin
    last = first + series[0].interval * series[0].count.size
    with TemporaryDirectory(prefix="signalwright-") as folder:
        candidates = Path(folder, "ways.rou.xml")
        lines = [f'    <route id="w{k}" edges={quoteattr(" ".join(way))}/>' for k, way in enumerate(ways)]
        candidates.write_text("\n".join(["<routes>", *lines, "</routes>\n"]), encoding="utf-8")
        files = _counts_for_sampler(series, Path(folder))
        sumo, sampled = find_sumo(), Path(folder, "sampled.rou.xml")
        command = [
            sys.executable, str(sumo.home / "tools" / "routeSampler.py"), "-r", str(candidates), *files, "-o", str(sampled),
            "--seed", str(seed), "--begin", f"{first:g}", "--end", f"{last:g}", "--optimize", "full",
            "--turn-max-gap", str(gap), *(["--attributes", attributes] if attributes else []),
        ]  # fmt: skip
        done = subprocess.run(command, env=sumo.environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0 or not sampled.is_file():
            words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise SimulationError(_("routeSampler failed: {words}").format(words=" / ".join(words[-3:])))
        return sampled.read_text(encoding="utf-8"), _met(series, sampled, (last - first) / 3600.0, gap)


def _counts_for_sampler(series: Sequence[Series], folder: Path) -> list[str]:
    edges: dict[bool, list[str]] = {True: [], False: []}
    some = series[0]
    for k in range(some.count.size):
        begin = some.begin + k * some.interval
        head = f'<interval id="i{k}" begin="{begin:g}" end="{begin + some.interval:g}">'
        for turn in (True, False):
            rows = [s for s in series if (s.kind == "turn") is turn and s.count[k] == s.count[k]]
            edges[turn].append(head)
            for s in rows:
                number = round(float(s.count[k]))
                if turn:
                    origin, _arrow, destination = s.name.partition("->")
                    edges[turn].append(
                        f'<edgeRelation from={quoteattr(origin)} to={quoteattr(destination)} count="{number}"/>'
                    )
                else:
                    edges[turn].append(f'<edge id={quoteattr(s.name)} entered="{number}"/>')
            edges[turn].append("</interval>")
    options: list[str] = []
    for turn, option, name in ((True, "--turn-files", "turns.xml"), (False, "--edgedata-files", "edges.xml")):
        if any((s.kind == "turn") is turn for s in series):
            (folder / name).write_text("\n".join(["<data>", *edges[turn], "</data>\n"]), encoding="utf-8")
            options += [option, str(folder / name)]
    return options


def _met(series: Sequence[Series], sampled: Path, hours: float, gap: int = 0) -> tuple[Met, ...]:
    passed: dict[str, int] = {}
    for element in elements(sampled, "vehicle"):
        edges: list[str] = next((route.get("edges").split() for route in element.iter("route")), [])
        turns = {f"{a}->{b}" for k, a in enumerate(edges) for b in edges[k + 1 : k + 2 + gap]}
        for name in [*edges, *turns]:
            passed[name] = passed.get(name, 0) + 1
    rows = []
    for one in series:
        flow = passed.get(one.name, 0) / hours
        rows.append(Met(one.name, one.flow, flow, float(geh(flow, one.flow))))
    return tuple(rows)
