"""From a scenario and its traffic to a plan for every light: candidates from the model, ranked in SUMO, certified."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..core.certify import SafePlan, certify
from ..core.errors import InputError, UnsafePlan
from ..core.messages import _
from ..core.plan import Plan
from ..core.planning.arterial import Arterial
from ..core.planning.fixed import CROSS_PRODUCT, webster_plan
from ..core.planning.network import NetworkPlan, optimise
from ..core.planning.streets import Streets
from ..networks.demand import Flows, Journeys, driven_journeys, flows_of
from ..networks.light import Light
from ..networks.netfile import read_lights
from ..networks.planprogram import write_plans
from ..networks.scenario import Scenario, read_scenario
from ..networks.streets import streets_of
from .refine import refined
from .spec import Timing, scenario_path
from .timespace import arterial_of
from .trial import Trial, try_all
from .worked import Worked, worked_out

IN_FORCE = "in force"
"""The programs the scenario runs as it stands."""
TRAINING = 1000
"""Seeds from here on are the planner's; those below are left to the validation, so that nothing is tuned on them."""
MARGIN = 0.5
"""Standard deviations of the seeds added to a mean before candidates are ranked."""
WORST = 0.25
"""Share of what the worst seed lies above the mean that is added to it."""
LOCKED = 3.0
"""Factor on the delay of a seed that locked, where one number must say how good a plan is."""

STRESS = (1.0, 1.05, 1.0, 1.1)
"""Factors on the demand, seed by seed: a plan with nothing to spare is found out before it is chosen."""
PUT_OFF = 30.0
"""Departures are put off by up to this long [s] where the demand is more; the others have the scenario's own as it stands."""

ENDURANCE = 20
"""Further seeds, all of the heaviest demand, that the plan to be chosen must come through without a gridlock."""
FAMILIES = {0.0: "turns protected", CROSS_PRODUCT: "busy turns protected", math.inf: "fewest stages"}
"""Which turns may do without a stage that protects them (see streets_of), and what that is called."""

Plans = Mapping[str, SafePlan]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan for every light that has one: `cycle` [s] where all share it, `value` what the model says of it [veh]
    waiting, None where it was not asked, `delays` [s/veh] in SUMO, seed by seed; `locks` of these seeds ended in a
    gridlock."""

    name: str
    plans: Plans
    cycle: int | None = None
    value: float | None = None
    delays: tuple[float, ...] = ()
    locks: int = 0

    @property
    def score(self) -> float:
        """Mean delay, half a standard deviation and a quarter of the worst seed's excess [s/veh]; infinite before the
        first trial."""
        if not self.delays:
            return float("inf")
        mean = float(np.mean(self.delays))
        return mean + MARGIN * float(np.std(self.delays)) + WORST * (max(self.delays) - mean)

    @property
    def rank(self) -> tuple[float, float]:
        """What candidates are sorted by: seldom locked first, then the score."""
        return (self.locks / max(1, len(self.delays)), self.score)


@dataclass(frozen=True)
class Planned:
    """What the planner found.

    plans       {light: plan}, empty where nothing beat the programs in force
    chosen      the candidate they are; `candidates` all of them, the best first
    worked      the calculation of every light of the chosen plan (of Webster's where it is the one in force)
    saturated   whether some light is over the capacity that cyclic profiles can judge
    """

    scenario: Path
    timing: Timing
    lights: Mapping[str, Light]
    flows: Mapping[str, Flows]
    plans: Plans
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    worked: tuple[Worked, ...]
    saturated: bool
    remarks: tuple[str, ...] = ()
    journeys: Journeys = field(default_factory=lambda: Journeys({}, {}))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "scenario": self.scenario.name,
            "timing": self.timing,
            "chosen": self.chosen.name,
            "cycle": self.chosen.cycle,
            "saturated": self.saturated,
            "remarks": list(self.remarks),
            "candidates": [
                {"name": c.name, "cycle": c.cycle, "model": c.value, "delays": list(c.delays), "locks": c.locks}
                for c in self.candidates
            ],
            "lights": [worked.to_dict() for worked in self.worked],
        }


def plan_scenario(
    scenario: str,
    flows: Mapping[str, Flows] | None = None,
    timing: Timing = "safe",
    *,
    name: str = "signalwright",
    cycles: Sequence[int] | None = None,
    seeds: int = 4,
    finalists: int = 3,
    polish: int = 60,
    walkers: float = 0.0,
    begin: float | None = None,
    end: float | None = None,
    workers: int | None = None,
    seed: int = 0,
    told: Callable[[str], None] = lambda text: None,
) -> Planned:
    """Plans for all lights of a scenario, for `flows` by light and movement [veh/h] or those its own demand brings.

    The candidates are the programs in force, Webster's plan at each light and the best of the network search at several
    cycles, with and without stages that only protect a turn. All go through SUMO with one seed, the better half with
    two more, the `finalists` with `seeds`; the best, and the best with more stages, are then altered, light by light, in
    `polish` further trials. The last word have twice as many fresh seeds, so that a plan that was lucky is found out, and
    what is chosen must come through 20 seeds of heavy demand without a gridlock. `walkers` [persons/h] on every crossing
    count in the search as vehicles do; their minima hold in any case. Nothing that `certify` refuses is
    simulated. The same `seed` gives the same plans.
    Raises InputError, MissingSumo, SimulationError.
    """
    source = scenario_path(scenario)
    read = read_scenario(source)
    lights = read_lights(read, timing)
    remarks: list[str] = []
    told(_("counting the traffic of {n} lights").format(n=len(lights)))
    journeys = driven_journeys(read, lights, begin=begin, end=end)
    if end is None and read.end is None:
        end = float(math.ceil(journeys.until))
        remarks.append(_("the scenario has no end: tried until its last departure at {end:.0f} s").format(end=end))
    flows = flows_of(journeys, lights) if flows is None else _complete(flows, lights, str(source))
    if not any(flow > 0.0 for of_light in flows.values() for flow in of_light.values()):
        raise InputError(f"{source}: no traffic comes to any light; give routes in the scenario, or counts")
    lights = {light: found for light, found in lights.items() if sum(flows[light].values()) > 0.0}
    told(_("searching cycles, greens, offsets"))
    candidates, saturated = _candidates(read, lights, flows, journeys, name, cycles, seed, walkers, remarks)
    told(_("trying {n} candidates in SUMO").format(n=len(candidates)))
    with TemporaryDirectory(prefix="signalwright-") as folder:
        bench = Bench(str(source), lights, name, Path(folder), begin, end, workers)
        ranked = _ranked(bench, candidates, seeds, finalists)
        starts = _starts(ranked) if polish else []
        for start in starts:
            share = polish // len(starts)
            told(_("altering {name} in {n} trials").format(name=start.name, n=share))
            plans = refined(start.plans, bench.costs, share, np.random.default_rng(seed))
            if plans != start.plans:
                better = Candidate(_("{name}, polished in SUMO").format(name=start.name), plans, start.cycle)
                ranked.insert(0, better)
        if len(ranked) > 1:
            last = ranked[: finalists + len(starts)]
            rest = ranked[len(last) :]
            last += [c for c in rest if c.name == IN_FORCE]
            last += [c for c in rest if _stages(c) > max(map(_stages, last))][:1]  # with its turns protected
            told(_("trying the best {n} again with fresh seeds").format(n=len(last)))
            fresh = range(TRAINING + 500, TRAINING + 500 + 2 * seeds)  # none that anything was chosen or altered on
            again = bench.tried([replace(c, delays=(), locks=0) for c in last], fresh)
            told(_("looking for gridlocks under heavy demand"))
            ranked = _endured(bench, sorted(again, key=lambda c: c.rank)) + [c for c in rest if c not in last]
    chosen = ranked[0]
    if not chosen.plans:
        remarks.append(_("no improvement found: none of the candidates did better in SUMO than the programs in force"))
    shown = chosen.plans or next((c.plans for c in ranked if c.plans), {})
    worked = tuple(worked_out(lights[light].intersection, safe.plan, flows[light]) for light, safe in shown.items())
    remarks += [f"{one.light}: {remark}" for one in worked for remark in one.remarks]
    return Planned(
        source, timing, lights, flows, chosen.plans, chosen, tuple(ranked), worked, saturated, tuple(remarks), journeys
    )


def _starts(ranked: Sequence[Candidate]) -> list[Candidate]:
    """What is worth altering: the best plan, and the best of those with more stages, whose turns are better protected."""
    best = next((c for c in ranked if c.plans), None)
    if best is None:
        return []
    fuller = next((c for c in ranked if c.plans and _stages(c) > _stages(best)), None)
    return [best] if fuller is None else [best, fuller]


def _endured(bench: Bench, ranked: list[Candidate]) -> list[Candidate]:
    """The candidates, those last that lock under heavy demand: looked for from the best down to the first that comes through.

    Where the programs in force lock as well the rank has said what can be said.
    """
    failed: list[Candidate] = []
    while ranked and ranked[0].plans and not any(c.locks for c in ranked if not c.plans):
        found = bench.locks(ranked[0].plans)
        if found == 0:
            break
        failed.append(replace(ranked[0], locks=ranked[0].locks + found))
        ranked = ranked[1:]
    return [*ranked, *failed]


def _stages(candidate: Candidate) -> int:
    return sum(len(safe.plan.stages) for safe in candidate.plans.values())


def _complete(flows: Mapping[str, Flows], lights: Mapping[str, Light], source: str) -> dict[str, Flows]:
    for light, of_light in flows.items():
        if light not in lights:
            raise InputError(f"{source}: there is no light {light}; there are {', '.join(sorted(lights))}")
        known = {m.name for m in lights[light].intersection.movements}
        for movement, flow in of_light.items():
            if movement not in known:
                raise InputError(f"{source}: light {light} has no movement {movement}")
            if not (np.isfinite(flow) and 0.0 <= flow <= 20_000.0):
                raise InputError(f"light {light}: {flow:g} veh/h on {movement} cannot be; correct the counts")
    return {
        name: {m.name: flows.get(name, {}).get(m.name, 0.0) for m in light.intersection.movements}
        for name, light in lights.items()
    }


def _candidates(
    read: Scenario,
    lights: Mapping[str, Light],
    flows: Mapping[str, Flows],
    journeys: Journeys,
    name: str,
    cycles: Sequence[int] | None,
    seed: int,
    walkers: float,
    remarks: list[str],
) -> tuple[list[Candidate], bool]:
    found = [Candidate(IN_FORCE, {})]
    webster = _certified(
        {n: webster_plan(light.intersection, flows[n], name=name)[0] for n, light in lights.items()}, lights
    )
    if webster is not None:
        found.append(Candidate("webster", webster))
    saturated = False
    seen: set[tuple[str, ...]] = set()
    for give_way, title in FAMILIES.items():
        streets, sites = streets_of(lights, flows, journeys, give_way=give_way, walkers=walkers)
        kept = tuple(stage.name for site in sites.values() for stage in site.stages)
        if kept in seen:
            continue
        seen.add(kept)
        longest = [light.name for light in streets.lights if sum(light.minima) + light.lost(light.usual) > 120]
        if longest:
            remarks.append(_("the minima of {lights} need more than 120 s").format(lights=", ".join(longest)))
        wanted = cycles or tuple(range(30, 121, 5)) if not longest else tuple(range(120, 241, 10))
        wanted = tuple(c for c in wanted if c >= streets.shortest_cycle()) or (streets.shortest_cycle(),)
        try:
            plans = _searched(streets, arterial_of(read, sites, journeys), wanted, seed, name)
        except InputError as error:
            remarks.append(str(error))
            continue
        saturated |= plans[0].form == "storage"
        found += _best_of_each_cycle(plans, lights, _(title))
    return found, saturated


def _searched(
    streets: Streets, arterial: Arterial | None, cycles: Sequence[int], seed: int, name: str
) -> tuple[NetworkPlan, ...]:
    """The best in the model, started from the bands of the busiest street too where it can have any."""
    for arterials in ((arterial,), ()) if arterial else ((),):
        try:
            return optimise(
                streets, cycles=cycles, arterials=arterials, restarts=3, keep=60, generations=30, seed=seed, name=name
            )
        except InputError:
            if not arterials:
                raise
    raise AssertionError


def _best_of_each_cycle(
    plans: Iterable[NetworkPlan], lights: Mapping[str, Light], family: str, most: int = 5
) -> list[Candidate]:
    by_cycle: dict[int, Candidate] = {}
    for one in plans:
        if one.cycle in by_cycle or len(by_cycle) == most:
            continue
        safe = _certified(dict(zip(lights, one.plans, strict=True)), lights)
        if safe is not None:
            title = _("network, {cycle} s, {family}").format(cycle=one.cycle, family=family)
            by_cycle[one.cycle] = Candidate(title, safe, one.cycle, one.value)
    return list(by_cycle.values())


def _certified(plans: Mapping[str, Plan], lights: Mapping[str, Light]) -> dict[str, SafePlan] | None:
    """All plans certified, None where one is refused."""
    try:
        return {name: certify(plan, lights[name].intersection) for name, plan in plans.items()}
    except UnsafePlan:
        return None


@dataclass(frozen=True)
class Bench:
    """Where candidates are tried: in SUMO, in parallel, with seeds of the planner's own and departures put off a little."""

    scenario: str
    lights: Mapping[str, Light]
    name: str
    folder: Path
    begin: float | None = None
    end: float | None = None
    workers: int | None = None

    def tried(self, candidates: Sequence[Candidate], seeds: Iterable[int]) -> list[Candidate]:
        """The candidates with the delays of these seeds added."""
        seeds = list(seeds)
        trials = [
            self._trial(candidate.name, candidate.plans, place, seed)
            for place, candidate in enumerate(candidates)
            for seed in seeds
        ]
        rows = try_all(trials, self.workers)
        n = len(seeds)
        return [
            replace(
                c,
                delays=(*c.delays, *(row["delay"] for row in rows[k * n : (k + 1) * n])),
                locks=c.locks + sum(bool(row["locked"]) for row in rows[k * n : (k + 1) * n]),
            )
            for k, c in enumerate(candidates)
        ]

    def costs(self, plans: Sequence[Plans], seeds: Sequence[int]) -> list[float]:
        """Mean delay [s/veh] of each of the plans over the seeds of an alteration, of a seed that locked three times."""
        trials = [
            self._trial(f"alteration {k}", one, k, TRAINING + 100 + seed)
            for k, one in enumerate(plans)
            for seed in seeds
        ]
        rows = try_all(trials, self.workers)
        n = len(seeds)
        cost = [row["delay"] * (LOCKED if row["locked"] else 1.0) for row in rows]
        return [float(np.mean(cost[k * n : (k + 1) * n])) for k in range(len(plans))]

    def locks(self, plans: Plans) -> int:
        """How many seeds of heavy demand end in a gridlock; the first tells, where there is one among a few."""
        heavy = [
            k for k in range(TRAINING + 900, TRAINING + 1000 + ENDURANCE * len(STRESS)) if STRESS[k % 4] == max(STRESS)
        ]
        found = 0
        for first in range(0, ENDURANCE, 5):
            rows = try_all(
                [self._trial("endurance", plans, 0, seed) for seed in heavy[first : first + 5]], self.workers
            )
            found += sum(bool(row["locked"]) for row in rows)
            if found:
                break
        return found

    def _trial(self, arm: str, plans: Plans, place: int, seed: int) -> Trial:
        programs: tuple[str, ...] = ()
        if plans:
            path = self.folder / f"{place}.add.xml"
            write_plans(path, self.lights, {self._free_name(): plans}, overwrite=True)
            programs = (str(path),)
        stress = STRESS[seed % len(STRESS)]
        if stress == 1.0:  # the scenario's own demand as it stands, which may lock where a varied one does not
            return Trial(self.scenario, arm, seed, programs, self.begin, self.end)
        return Trial(self.scenario, arm, seed, programs, self.begin, self.end, scale=stress, jitter=PUT_OFF)

    def _free_name(self) -> str:
        taken = {program for light in self.lights.values() for program in light.programs}
        return next(name for name in (self.name, *(f"{self.name}-{k}" for k in range(2, 99))) if name not in taken)


def _ranked(bench: Bench, candidates: list[Candidate], seeds: int, finalists: int) -> list[Candidate]:
    """The candidates, the best first, each tried as often as its place deserved."""
    first = sorted(bench.tried(candidates, [TRAINING]), key=lambda c: c.rank)
    half = max(finalists, len(first) // 2)
    second = sorted(bench.tried(first[:half], [TRAINING + 1, TRAINING + 2][: max(0, seeds - 1)]), key=lambda c: c.rank)
    rest = range(TRAINING + 3, TRAINING + seeds)
    third = sorted(bench.tried(second[:finalists], rest), key=lambda c: c.rank)
    return [*third, *second[finalists:], *first[half:]]
