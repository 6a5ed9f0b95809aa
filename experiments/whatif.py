"""What if, from now on, other plans ran? Branches of a running simulation, one for each plan, compared second for second."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import polars as pl

from ..core.certify import SafePlan
from ..core.errors import InputError, SimulationError
from ..core.messages import _
from ..networks.handover import Handover
from ..networks.light import Light
from ..networks.netfile import read_lights
from ..networks.planfile import certified, read_plan_file
from ..networks.scenario import Scenario, read_scenario
from ..networks.simulator import InProcess, can_branch
from ..networks.sumo import SumoStreet, open_street
from .gridlock import locked
from .metrics import read_trips
from .spec import scenario_path

Way = Literal["fork", "state"]
"""How a branch comes about: a copy of the process, in milliseconds, or a saved state, wherever processes cannot be copied."""
FORCE = "in force"

Plans = Mapping[str, SafePlan]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a plan brings from now on, over all vehicles that are under way or come until the horizon.

    `delay` [s/veh] is what they lose from now on, `difference` that against what is in force; `arrived` so many come to
    their end, `left` so many do not; `taken` [s] when the last light runs the plan; `locked` whether it ends in a gridlock.
    """

    plan: str
    delay: float
    difference: float
    vehicles: int
    arrived: int
    left: int
    taken: float | None
    locked: bool


@dataclass(frozen=True, slots=True)
class Prospects:
    """All plans from `at` [s] for `horizon` [s], what is in force first."""

    scenario: str
    at: float
    horizon: float
    seed: int
    plans: tuple[Prospect, ...]

    @property
    def best(self) -> Prospect:
        """Least delay among those that do not lock, where there is one."""
        return min(self.plans, key=lambda p: (p.locked, p.delay))

    @property
    def words(self) -> str:
        """In one line."""
        best = self.best
        if best.plan == FORCE:
            return _("keep what is in force: none of the plans does better in the next {horizon:g} s").format(
                horizon=self.horizon
            )
        return _("{plan} does best: {delay:.1f} s a vehicle in the next {horizon:g} s, {difference:+.1f} s").format(
            plan=best.plan, delay=best.delay, horizon=self.horizon, difference=best.difference
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"best": self.best.plan, "words": self.words}


def what_if(
    scenario: str,
    files: Sequence[Path],
    at: float,
    horizon: float = 900.0,
    *,
    seed: int = 1,
    begin: float | None = None,
    scale: float = 1.0,
    way: Way | None = None,
) -> Prospects:
    """Drive a scenario until `at` [s] as it stands, and from there on under each plan file. One realisation of the traffic,
    the same for all: it tells what to do now, `validate` tells what is better in general.

    Raises InputError, UnsafePlan, MissingSumo, SimulationError.
    """
    read = read_scenario(scenario_path(scenario))
    first = read.begin if begin is None else begin
    if not first <= at or horizon <= 0.0:
        raise InputError(
            _("--at {at:g} s must not lie before the begin at {begin:g} s, nor the horizon be {horizon:g} s").format(
                at=at, begin=first, horizon=horizon
            )
        )
    plans, lights = plans_of(read, files)
    with TemporaryDirectory(prefix="signalwright-") as folder:
        outputs = Path(folder).resolve() / "now"
        with open_street(read, {}, outputs=outputs, seed=seed, begin=begin, end=at, scale=scale) as street:
            while street.tick():
                pass
            ends = _branches(read, street, outputs, lights, plans, at, horizon, seed, scale, way)
    return Prospects(read.name, at, horizon, seed, ends)


def plans_of(scenario: Scenario, files: Sequence[Path]) -> tuple[dict[str, Plans], dict[str, dict[str, Light]]]:
    """{name: {light: plan}} of plan files, the one that begins last in each, and the lights they are certified for."""
    plans: dict[str, Plans] = {}
    lights: dict[str, dict[str, Light]] = {}
    for path in files:
        file = read_plan_file(path)
        title = path.stem if path.stem not in plans and path.stem != "plan" else str(path)
        lights[title] = read_lights(scenario, file.timing, all_sets=file.stage_sets == "all")
        found = certified(file, lights[title], str(path))
        plans[title] = found[list(found)[-1]]
    return plans, lights


def _branches(
    scenario: Scenario,
    street: SumoStreet,
    outputs: Path,
    lights: Mapping[str, Mapping[str, Light]],
    plans: Mapping[str, Plans],
    at: float,
    horizon: float,
    seed: int,
    scale: float,
    way: Way | None,
) -> tuple[Prospect, ...]:
    simulator = street.simulator
    assert isinstance(simulator, InProcess)
    way = way or ("fork" if can_branch() else "state")
    branches = {"": (), FORCE: ()} | {
        name: tuple(Handover(lights[name][light], plan) for light, plan in of_lights.items())
        for name, of_lights in plans.items()
    }
    places = {name: outputs.parent / f"branch{k}" for k, name in enumerate(branches)}
    taken: dict[str, float | None] = {}
    state = outputs.parent / "state.xml.gz"
    if way == "state":
        simulator.save(state)
        street.close()
    for name, handovers in branches.items():  # "" ends at once: it tells what was lost before
        places[name].mkdir()
        end = at + horizon if name else at
        if way == "fork":
            _in_a_copy(simulator, street, outputs, places[name], handovers, end, name)
        elif name:
            extra = {"load-state": str(state)}
            with open_street(
                scenario, {}, outputs=places[name], seed=seed, begin=at, end=end, scale=scale, extra=extra
            ) as other:
                _drive(other, handovers, end, places[name])
        taken[name] = _taken(places[name])
    now = outputs if way == "state" else places[""]
    before = _lost(_under_way(read_trips(now / "tripinfo.xml", at).vehicles, at))
    made: list[Prospect] = []
    for name in list(branches)[1:]:
        here = _under_way(read_trips(places[name] / "tripinfo.xml", at + horizon).vehicles, at)
        if len(here) == 0:
            raise InputError(
                _("nobody is under way in {scenario} from {at:g} s on; name a time --at which there is traffic").format(
                    scenario=scenario.name, at=at
                )
            )
        arrived = len(here.filter(pl.col("arrival").is_not_null()))
        delay = (_lost(here) - before) / max(1, len(here))
        made.append(
            Prospect(
                name, delay, delay - made[0].delay if made else 0.0, len(here), arrived, len(here) - arrived, taken[name],
                locked(here, at + horizon),
            )
        )  # fmt: skip
    return tuple(made)


def _in_a_copy(
    simulator: InProcess,
    street: SumoStreet,
    outputs: Path,
    into: Path,
    handovers: Sequence[Handover],
    end: float,
    name: str,
) -> None:
    number = simulator.branch(outputs, into, lambda: _drive(street, handovers, end, into))
    _pid, status = os.waitpid(number, 0)
    if status != 0:
        trace = into / "trace.txt"
        why = trace.read_text(encoding="utf-8").strip().splitlines()[-1] if trace.is_file() else f"status {status}"
        raise SimulationError(_("the branch of {plan} came to no end: {why}").format(plan=name or FORCE, why=why))


def _drive(street: SumoStreet, handovers: Sequence[Handover], end: float, folder: Path) -> None:
    """Go on until `end` [s] with the lights handed over."""
    simulator = street.simulator
    assert isinstance(simulator, InProcess)
    street.until(end)
    known: dict[str, str] = {}
    while True:
        for one in handovers:
            letters = one.letters(street.time, simulator.shown(one.light.name) if one.taken is None else "")
            if letters is not None and known.get(one.light.name) != letters:
                known[one.light.name] = letters
                street.show(one.light.name, letters)
        if not street.tick():
            break
    street.close()
    times = [one.taken for one in handovers]
    known_times = [time for time in times if time is not None]
    if times and len(known_times) == len(times):
        (folder / "taken.txt").write_text(f"{max(known_times):g}", encoding="utf-8")


def _taken(folder: Path) -> float | None:
    path = folder / "taken.txt"
    return float(path.read_text(encoding="utf-8")) if path.is_file() else None


def _under_way(vehicles: pl.DataFrame, at: float) -> pl.DataFrame:
    """Those that had not arrived at `at` [s]."""
    return vehicles.filter(pl.col("arrival").is_null() | (pl.col("arrival") > at))


def _lost(vehicles: pl.DataFrame) -> float:
    """Delay of all vehicles together [s]."""
    return float((vehicles["time_loss"] + vehicles["depart_delay"]).sum())
