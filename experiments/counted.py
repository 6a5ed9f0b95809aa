"""Counts become demand: flows of every movement for planning, and sampled routes for simulation, with GEH per count."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import quoteattr

from ..core.errors import CountsError, InputError, SimulationError
from ..core.messages import _
from ..core.planning.demand import geh
from ..networks.countsfile import CountsFile, movement_flows, read_counts
from ..networks.demand import Flows, driven_journeys, driven_routes
from ..networks.detectors import place_loops, write_whole
from ..networks.netfile import read_lights
from ..networks.scenario import elements, read_scenario
from ..networks.simulator import find_sumo
from .spec import Timing, scenario_path

GOOD_GEH = 5.0
"""A count met better than this is met (the usual bound for hourly flows)."""


def counted_flows(
    scenario: str,
    counts: Sequence[Path],
    timing: Timing = "safe",
    *,
    begin: float | None = None,
    end: float | None = None,
) -> tuple[dict[str, Flows], list[str]]:
    """Flow of every movement of every light [veh/h] from files of counts, and everything to be said about them."""
    read = read_scenario(scenario_path(scenario))
    lights = place_loops(read, read_lights(read, timing))
    found = read_counts(counts)
    journeys = driven_journeys(read, lights, begin=begin, end=end)
    flows, remarks = movement_flows(found, read, lights, journeys)
    return flows, [*found.remarks, *remarks]


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
        good = sum(m.geh < GOOD_GEH for m in self.met)
        worst = max(self.met, key=lambda m: m.geh)
        return _("{good} of {n} counts are met with a GEH under 5; the worst is {name} with {geh:.1f}").format(
            good=good, n=len(self.met), name=worst.name, geh=worst.geh
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
    ways = dict.fromkeys(tuple(route) for route in routes if route)
    first = usable[0].begin
    last = first + usable[0].interval * usable[0].count.size
    with TemporaryDirectory(prefix="signalwright-") as folder:
        candidates = Path(folder, "ways.rou.xml")
        lines = [f'    <route id="w{k}" edges={quoteattr(" ".join(way))}/>' for k, way in enumerate(ways)]
        candidates.write_text("\n".join(["<routes>", *lines, "</routes>\n"]), encoding="utf-8")
        files = _counts_for_sampler(CountsFile(tuple(usable), ()), Path(folder))
        sumo, sampled = find_sumo(), Path(folder, "sampled.rou.xml")
        command = [
            sys.executable, str(sumo.home / "tools" / "routeSampler.py"), "-r", str(candidates), *files, "-o", str(sampled),
            "--seed", str(seed), "--begin", f"{first:g}", "--end", f"{last:g}", "--optimize", "full",
        ]  # fmt: skip
        done = subprocess.run(command, env=sumo.environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0 or not sampled.is_file():
            words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise SimulationError(_("routeSampler failed: {words}").format(words=" / ".join(words[-3:])))
        met = _met(CountsFile(tuple(usable), ()), sampled, (last - first) / 3600.0)
        write_whole(out, sampled.read_text(encoding="utf-8"))
    return Sampled(out, met)


def _counts_for_sampler(counts: CountsFile, folder: Path) -> list[str]:
    edges: dict[bool, list[str]] = {True: [], False: []}
    some = counts.series[0]
    for k in range(some.count.size):
        begin = some.begin + k * some.interval
        head = f'<interval id="i{k}" begin="{begin:g}" end="{begin + some.interval:g}">'
        for turn in (True, False):
            rows = [s for s in counts.series if (s.kind == "turn") is turn and s.count[k] == s.count[k]]
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
        if any((s.kind == "turn") is turn for s in counts.series):
            (folder / name).write_text("\n".join(["<data>", *edges[turn], "</data>\n"]), encoding="utf-8")
            options += [option, str(folder / name)]
    return options


def _met(counts: CountsFile, sampled: Path, hours: float) -> tuple[Met, ...]:
    passed: dict[str, int] = {}
    for element in elements(sampled, "vehicle"):
        edges: list[str] = next((route.get("edges").split() for route in element.iter("route")), [])
        for name in [*edges, *(f"{a}->{b}" for a, b in pairwise(edges))]:
            passed[name] = passed.get(name, 0) + 1
    rows = []
    for series in counts.series:
        flow = passed.get(series.name, 0) / hours
        rows.append(Met(series.name, series.flow, flow, float(geh(flow, series.flow))))
    return tuple(rows)
