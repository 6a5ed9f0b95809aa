"""One run: a scenario under a strategy, from the files to the metrics, and the same run again from its manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import polars as pl

from ..core.errors import ResultError
from ..core.loop import Observer, run
from ..core.messages import _
from ..core.ports import Clock
from ..networks.options import window_of
from ..networks.scenario import Scenario, read_scenario
from .arms import check_strategy, chosen, open_arm, source
from .crossings import Crossings, read_crossings
from .gridlock import locked
from .lanes import read_lanes
from .memory import forget_peak, peak
from .metrics import Metrics, Trips, measure, read_statistic, read_trips
from .provenance import code_hash, digest, input_hashes, versions
from .result import Result, check_target, read_manifest, table_hash, write_result
from .spec import RunSpec, scenario_path

FORMAT = 1
"""Of the manifest; a manifest of another format cannot be rerun."""
ROOM = 2**16
"""Bytes; with less room where SUMO writes, an output that cannot be read is no surprise."""
TOLD_EVERY = 10
"""Simulated seconds between two reports of progress."""


def run_once(
    spec: RunSpec,
    out: Path | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[float], None] | None = None,
    observe: Observer | None = None,
    command: Iterable[str] = (),
) -> Result:
    """Simulate one run and measure it; with `out`, keep it there as a result directory.

    `progress` is told the share done, in [0, 1]; `observe` sees every decision. An exception or Ctrl-C on the way
    leaves nothing behind. Raises InputError, MissingSumo, SimulationError, ResultError.
    """
    if out is not None:
        check_target(out, overwrite=overwrite)
    started = perf_counter()
    forget_peak()
    scenario = read_scenario(scenario_path(spec.scenario))
    with TemporaryDirectory(prefix="signalwright-", ignore_cleanup_errors=True) as folder:
        outputs = Path(folder)
        end, about = _simulate(spec, scenario, outputs, progress, observe)
        try:
            trips, metrics, crossings, tables = _read_outputs(spec, scenario, outputs, end)
        except ResultError as error:
            if disk_usage(outputs).free < ROOM:
                message = _("{folder}: the disk is full, SUMO's outputs are not whole; free some space, or set TMPDIR")
                raise ResultError(message.format(folder=outputs.parent)) from error
            raise
    row = {
        "scenario": scenario.name,
        "controller": spec.arm,
        "timing": spec.timing,
        "seed": spec.seed,
        "begin": scenario.begin if spec.begin is None else spec.begin,
        "end": end,
        "scale": spec.scale,
        "jitter": spec.jitter,
        "view": spec.view,
        **asdict(metrics),
        "longest_red": crossings.longest_red,
        "stuck": int(locked(trips.vehicles, end)),
        "wall_s": round(perf_counter() - started, 3),
        "peak_mib": round(peak(), 1),
    }
    manifest = _manifest(spec, scenario, row, table_hash(trips.vehicles), command) | about
    result = Result(row, trips.vehicles, manifest, tables)
    if out is not None:
        write_result(result, out, overwrite=overwrite)
    return result


def _read_outputs(
    spec: RunSpec, scenario: Scenario, outputs: Path, end: float
) -> tuple[Trips, Metrics, Crossings, dict[str, pl.DataFrame]]:
    """What SUMO left, measured. Raises ResultError where some of it is missing or broken."""
    trips = read_trips(outputs / "tripinfo.xml", end)
    metrics = measure(trips, read_statistic(outputs / "statistics.xml"))
    crossings = read_crossings(scenario.net, outputs, end)
    if not spec.tables:
        return trips, metrics, crossings, {}
    tables = {"lanes.parquet": read_lanes(outputs / "lanes.xml"), "movements.parquet": crossings.table()}
    return trips, metrics, crossings, tables


def _simulate(
    spec: RunSpec,
    scenario: Scenario,
    outputs: Path,
    progress: Callable[[float], None] | None,
    observe: Observer | None,
) -> tuple[float, dict[str, Any]]:
    """Let the window pass; when it ended [s], and what else the manifest should tell."""
    if spec.protocol:
        from .hil import drive

        return drive(spec, scenario, outputs, progress)
    street, junctions = open_arm(spec, scenario, outputs)
    with street:
        begin, end = street.time, scenario.end if spec.end is None else spec.end
        clock: Clock = street
        if spec.start == "plan":
            from .prelude import Prelude

            clock = Prelude(street)
        if progress is not None:
            clock = _Told(clock, lambda: progress(min(1.0, (street.time - begin) / (end - begin)) if end else 0.0))
        run(clock, junctions, observe)
        return street.time, {}


class _Told:
    """A clock that tells now and then that it ticked."""

    def __init__(self, clock: Clock, tell: Callable[[], None]) -> None:
        self._clock, self._tell, self._count = clock, tell, 0

    def tick(self) -> bool:
        """See Clock."""
        more = self._clock.tick()
        if not more or self._count % TOLD_EVERY == 0:
            self._tell()
        self._count += 1
        return more


def verify(specs: Iterable[RunSpec]) -> None:
    """Raise InputError if a scenario, window, strategy or light that a run names does not exist. Nothing is simulated."""
    specs = list(specs)
    for path, begin, end in {(scenario_path(spec.scenario), spec.begin, spec.end) for spec in specs}:
        window_of(read_scenario(path), begin, end)
    for name in {name for spec in specs for name in (spec.controller, *spec.lights.values())}:
        check_strategy(name)
    for spec in {(spec.scenario, spec.arm): spec for spec in specs if spec.lights or spec.blind}.values():
        chosen(spec, read_scenario(scenario_path(spec.scenario)))


def run_key(spec: RunSpec) -> str:
    """What names a run in a batch: a digest of all that can change its numbers."""
    return digest(_identity(spec, read_scenario(scenario_path(spec.scenario))))[:20]


def _identity(spec: RunSpec, scenario: Scenario) -> dict[str, Any]:
    values = spec.as_dict() | {"scenario": scenario.name}
    del values["transport"], values["gui"], values["real_time"]  # the numbers are the same
    return {
        "format": FORMAT,
        "spec": values,
        "inputs": _inputs(scenario.source, _stamp(scenario)),
        "code": code_hash(),
        "strategies": {name: source(name) for name in (spec.controller, *spec.lights.values())},
        "sumo": versions().get("eclipse-sumo", ""),
    }


def _files(scenario: Scenario) -> list[Path]:
    return list(dict.fromkeys((scenario.source, scenario.net, *scenario.routes, *scenario.additionals)))


def _stamp(scenario: Scenario) -> tuple[int, ...]:
    return tuple(path.stat().st_mtime_ns for path in _files(scenario))


@lru_cache(maxsize=64)
def _inputs(source: Path, _changed: tuple[int, ...]) -> dict[str, str]:
    """Hash of every file of a scenario, computed anew only when one has changed."""
    return input_hashes(_files(read_scenario(source)), source.parent)


def _manifest(
    spec: RunSpec, scenario: Scenario, row: Mapping[str, Any], trips: str, command: Iterable[str]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "command": list(command),
        "scenario_file": str(scenario.source),
        **_identity(spec, scenario),
        "spec": spec.as_dict(),
        "versions": versions(),
        "trips": trips,
        "result": dict(row),
    }


@dataclass(frozen=True)
class Rerun:
    """A run made again: `numbers` that came out otherwise, {field: (then, now)}, and `causes` that may be why, in plain
    words."""

    result: Result
    numbers: dict[str, tuple[Any, Any]]
    causes: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether every number and every trip came out as before."""
        return not self.numbers


def rerun(manifest: Path, scenario: Path | None = None, progress: Callable[[float], None] | None = None) -> Rerun:
    """Make the run of a manifest (or of the result directory it lies in) again and say whether it came out the same.

    `scenario` is where the scenario lies now if it has moved. Raises ResultError if the manifest cannot be used, and
    what `run_once` raises.
    """
    then = read_manifest(manifest)
    if then.get("format") != FORMAT:
        message = _("{path}: a manifest of format {format}; this version reads {ours}")
        raise ResultError(message.format(path=manifest, format=then.get("format"), ours=FORMAT))
    return rerun_manifest(then, str(scenario or then["scenario_file"]), progress)


def rerun_manifest(then: Mapping[str, Any], scenario: str, progress: Callable[[float], None] | None = None) -> Rerun:
    """`rerun` for a manifest already read, with the scenario given."""
    spec = RunSpec(**then["spec"] | {"scenario": scenario})
    result = run_once(spec, progress=progress)
    numbers = result.differences(then["result"])
    if result.manifest["trips"] != then["trips"]:
        numbers["trips"] = (then["trips"], result.manifest["trips"])
    return Rerun(result, numbers, tuple(_causes(then, result.manifest)))


def _causes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterable[str]:
    """What differs between two manifests, one line each."""
    for name in sorted(then["versions"].keys() | now["versions"].keys()):
        was, has = then["versions"].get(name, _("none")), now["versions"].get(name, _("none"))
        if was != has:
            yield _("version of {name}: {was} then, {has} now").format(name=name, was=was, has=has)
    for name in sorted(then["inputs"].keys() | now["inputs"].keys()):
        if then["inputs"].get(name) != now["inputs"].get(name):
            yield _("file {name}: its content has changed").format(name=name)
    if then["code"] != now["code"]:
        yield _("the code of signalwright has changed")
    for name, was in then["strategies"].items():
        if now["strategies"].get(name) != was:
            yield _("the code of strategy {name} has changed").format(name=name)
