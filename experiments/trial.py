"""A trial: a scenario under given programs, simulated once and measured, queues included; many of them in parallel."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import numpy as np
import polars as pl
from lxml import etree

from ..core.errors import ResultError, SimulationError
from ..core.messages import _
from ..networks.netfile import read_lights
from ..networks.options import Outputs, options_of
from ..networks.redirect import redirected
from ..networks.scenario import Scenario, read_scenario
from ..networks.simulator import find_sumo
from ..networks.spoken import last_words
from ..networks.sumo import open_street
from .crew import work_through
from .gridlock import locked, time_to_clear
from .metrics import measure, read_statistic, read_trips
from .spec import Transport, scenario_path
from .watched import Watched, watched

Way = Literal["sumo", "libsumo", "traci"]
"""SUMO's program by itself, or stepped in this process, or over TraCI."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What to simulate: `programs` are additional files loaded after the scenario's own.

    variation: the demand is scaled by a factor drawn by the seed between 1 - variation and 1 + variation, and every
    departure put off by up to `jitter` [s]; both are the same for the same seed, whatever the programs. queues: measure
    them too; losses: the time lost on every edge. transport: SUMO's program by itself, the quickest for many trials, or
    stepped by libsumo or TraCI as our own strategies are; the numbers are the same. within: watch the vehicles' presence
    (see watched), and give the trial up where it is above this limit, minute by minute; only with SUMO's program by itself.
    """

    scenario: str
    arm: str
    seed: int
    programs: tuple[str, ...] = ()
    begin: float | None = None
    end: float | None = None
    scale: float = 1.0
    variation: float = 0.0
    jitter: float = 0.0
    queues: bool = False
    losses: bool = False
    transport: Way = "sumo"
    within: tuple[float, ...] | None = None

    @property
    def options(self) -> dict[str, str]:
        """Further options for SUMO."""
        return {"random-depart-offset": f"{self.jitter:g}"} if self.jitter else {}

    @property
    def demand(self) -> float:
        """The factor on the demand of this seed."""
        drawn = np.random.default_rng([self.seed, 4]).uniform(-1.0, 1.0)
        return self.scale * (1.0 + self.variation * float(drawn))


def tried(trial: Trial) -> dict[str, Any]:
    """Simulate a trial: a row with its arm, its seed and every metric, `locked` and `to_clear` [s] (see gridlock); with
    `queues` also `longest_queue` [m], `full_lanes` (whose queue reached the lane's beginning), `queue_share`, the greatest
    share of a lane that stood, and `lanes`, each lane's queue; with `losses` {edge: time lost on it or before its start [s]};
    with `within` the `presence`, and of a trial that was given up nothing but when, `lost` [s].

    Raises InputError, MissingSumo, SimulationError.
    """
    scenario = read_scenario(scenario_path(trial.scenario))
    scenario = replace(
        scenario, additionals=(*scenario.additionals, *(Path(path).resolve() for path in trial.programs))
    )
    with TemporaryDirectory(prefix="signalwright-", ignore_cleanup_errors=True) as folder:
        outputs = Path(folder)
        rooms = approach_lanes(scenario) if trial.queues else {}
        if trial.queues:
            scenario = _watched(scenario, rooms, outputs)
        if trial.losses:
            scenario = _timed(scenario, outputs)
        seen = (_alone if trial.transport == "sumo" else _stepped)(trial, scenario, outputs)
        if seen is not None and seen.lost is not None:
            return {"arm": trial.arm, "seed": trial.seed, "demand": trial.demand, "lost": seen.lost}
        statistic = read_statistic(outputs / "statistics.xml")
        end = statistic["performance"]["end"]
        trips = read_trips(outputs / "tripinfo.xml", end)
        metrics = measure(trips, statistic)
        queues = _read_queues(outputs / QUEUES, rooms) if trial.queues else {}
        lost = {"losses": _read_losses(outputs / LOSSES, trips.vehicles)} if trial.losses else {}
        presence = {} if seen is None else {"presence": list(seen.presence)}
        jam = {"locked": locked(trips.vehicles, end), "to_clear": time_to_clear(trips.vehicles, end)}
    return {
        "arm": trial.arm,
        "seed": trial.seed,
        "demand": trial.demand,
        **asdict(metrics),
        **jam,
        **queues,
        **lost,
        **presence,
    }


def _stepped(trial: Trial, scenario: Scenario, outputs: Path) -> Watched | None:
    transport: Transport = "traci" if trial.transport == "traci" else "libsumo"
    with open_street(
        scenario, {}, outputs=outputs, seed=trial.seed, begin=trial.begin, end=trial.end, scale=trial.demand,
        transport=transport, extra=trial.options,
    ) as street:  # fmt: skip
        while street.tick():
            pass
    return None


def _alone(trial: Trial, scenario: Scenario, outputs: Path) -> Watched | None:
    sumo = find_sumo()
    options = options_of(
        scenario, Outputs(outputs), seed=trial.seed, begin=trial.begin, end=trial.end, scale=trial.demand,
        additionals=redirected(scenario, outputs), extra=trial.options,
    )  # fmt: skip
    command = [str(sumo.program()), *options]
    seen = None
    if trial.within is None:
        done = subprocess.run(command, env=sumo.environment(), capture_output=True, text=True, check=False)
        code, said = done.returncode, done.stdout + done.stderr
    else:
        seen = watched(command, sumo.environment(), outputs, trial.within)
        code, said = seen.code if seen.lost is None else 0, seen.said
    if code != 0:
        raise SimulationError(
            _("{scenario}: SUMO failed:").format(scenario=scenario.source)
            + "\n"
            + last_words(outputs / "sumo.log", said, "")
        )
    return seen


def try_all(
    trials: Sequence[Trial], workers: int | None = None, told: Callable[[float], None] | None = None
) -> list[dict[str, Any]]:
    """The rows of many trials, in their order, from parallel worker processes. Raises SimulationError with the first
    trial that failed."""
    rows: dict[int, dict[str, Any]] = {}
    for place, row in _outcomes(trials, workers or len(os.sched_getaffinity(0))):
        rows[place] = row
        if told is not None:
            told(len(rows) / len(trials))
    return [rows[place] for place in range(len(trials))]


def _outcomes(trials: Sequence[Trial], workers: int) -> Iterator[tuple[int, dict[str, Any]]]:
    if not trials:
        return
    if all(trial.transport == "sumo" for trial in trials):  # SUMO's program is the worker process
        with ThreadPoolExecutor(min(workers, len(trials))) as pool:
            yield from enumerate(pool.map(tried, trials))
        return
    for outcome in work_through(enumerate(trials), _numbered, min(workers, len(trials))):
        if outcome.error:
            place, trial = outcome.job
            raise SimulationError(
                _("{arm}, seed {seed}, came to no end: {why}").format(
                    arm=trial.arm, seed=trial.seed, why=outcome.error.strip()
                )
            )
        yield outcome.value


def _numbered(job: tuple[int, Trial]) -> tuple[int, dict[str, Any]]:
    """In a worker."""
    place, trial = job
    return place, tried(trial)


QUEUES, QUEUE_LOOPS = "queues.xml", "queues.add.xml"
WATCH = "signalwright queue "
FULL = 0.9
"""Share of a lane's length from which on its queue is taken to reach the lane's beginning, and to spill back."""


def approach_lanes(scenario: Scenario) -> dict[str, float]:
    """The lanes that lead to the lights, and their lengths [m]."""
    lights = read_lights(scenario)
    return {
        lane.name: lane.length for light in lights.values() for lane in light.intersection.lanes if lane.length > 1.0
    }


LOSSES, LOSS_METERS = "losses.xml", "losses.add.xml"


def _timed(scenario: Scenario, folder: Path) -> Scenario:
    """The scenario with the time lost on every edge written at the end."""
    path = folder / LOSS_METERS
    path.write_text(
        f'<additional>\n    <edgeData id="signalwright losses" file={quoteattr(str(folder / LOSSES))} '
        'withInternal="true" excludeEmpty="true" writeAttributes="timeLoss"/>\n</additional>\n',
        encoding="utf-8",
    )
    return replace(scenario, additionals=(*scenario.additionals, path))


def _read_losses(path: Path, vehicles: pl.DataFrame) -> dict[str, float]:
    """Time lost on each edge [s], with what vehicles waited to enter it."""
    lost: dict[str, float] = {}
    try:
        for _event, edge in etree.iterparse(str(path), tag="edge"):
            lost[edge.get("id")] = lost.get(edge.get("id"), 0.0) + float(edge.get("timeLoss", 0.0))
    except (OSError, etree.XMLSyntaxError, ValueError, TypeError) as error:
        raise ResultError(_("{path}: no usable edge output of SUMO: {error}").format(path=path, error=error)) from error
    waited = vehicles.filter(pl.col("depart_delay") > 0.0).select("from_lane", "depart_delay")
    for lane, seconds in waited.iter_rows():
        edge = (lane or "").rpartition("_")[0]
        lost[edge] = lost.get(edge, 0.0) + seconds
    return lost


def _watched(scenario: Scenario, lanes: Iterable[str], folder: Path) -> Scenario:
    """The scenario with an area detector on these lanes."""
    lines = ["<additional>"]
    for lane in lanes:
        lines.append(
            f'    <laneAreaDetector id={quoteattr(WATCH + lane)} lane={quoteattr(lane)} pos="0" '
            f'endPos="-0.1" friendlyPos="true" file={quoteattr(str(folder / QUEUES))}/>'
        )
    path = folder / QUEUE_LOOPS
    path.write_text("\n".join([*lines, "</additional>\n"]), encoding="utf-8")
    return replace(scenario, additionals=(*scenario.additionals, path))


def _read_queues(path: Path, rooms: Mapping[str, float]) -> dict[str, Any]:
    """The longest queue, how many lanes were full to their beginning, the greatest share of a lane in queue, and lane by
    lane {queue, room [m], spilled}."""
    lanes = {lane: {"queue": 0.0, "room": room, "spilled": False} for lane, room in rooms.items()}
    try:
        found: Iterable[Any] = (element for _event, element in etree.iterparse(str(path), tag="interval"))
        for interval in found:
            lane = lanes[interval.get("id").removeprefix(WATCH)]
            lane["queue"] = max(lane["queue"], float(interval.get("maxJamLengthInMeters", 0.0)))
            lane["spilled"] = lane["queue"] > FULL * lane["room"]
    except (OSError, etree.XMLSyntaxError, ValueError, KeyError) as error:
        raise ResultError(
            _("{path}: no usable detector output of SUMO: {error}").format(path=path, error=error)
        ) from error
    return {
        "longest_queue": max((lane["queue"] for lane in lanes.values()), default=0.0),
        "full_lanes": float(sum(lane["spilled"] for lane in lanes.values())),
        "queue_share": max((min(1.0, lane["queue"] / lane["room"]) for lane in lanes.values()), default=0.0),
        "lanes": lanes,
    }
