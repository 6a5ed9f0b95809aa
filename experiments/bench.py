"""Where candidate plans are tried: in SUMO, with seeds and a heavier demand of the planner's own, and how they are ranked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.certify import SafePlan
from ..networks.light import Light
from ..networks.planprogram import write_plans
from .trial import Trial, try_all

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
TOGETHER = 8
"""Seeds asked at once for a gridlock."""
PUT_OFF = 30.0
"""Departures are put off by up to this long [s] where the demand is more; the others have the scenario's own as it stands."""
ENDURANCE = 40
"""Further seeds, half of them of the heaviest demand, that the plan to be chosen must come through without a gridlock."""

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
        """How many of the seeds of endurance end in a gridlock; after a few with one the others are not asked."""
        kinds = {STRESS.index(min(STRESS)), STRESS.index(max(STRESS))}
        usual = [k for k in range(TRAINING + 900, TRAINING + 900 + 2 * ENDURANCE) if k % len(STRESS) in kinds]
        found = 0
        for first in range(0, ENDURANCE, TOGETHER):
            seeds = usual[first : first + TOGETHER]
            rows = try_all([self._trial("endurance", plans, 0, seed) for seed in seeds], self.workers)
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


def ranked(bench: Bench, candidates: list[Candidate], seeds: int, finalists: int) -> list[Candidate]:
    """The candidates, the best first, each tried as often as its place deserved."""
    first = sorted(bench.tried(candidates, [TRAINING]), key=lambda c: c.rank)
    half = max(finalists, len(first) // 2)
    second = sorted(bench.tried(first[:half], [TRAINING + 1, TRAINING + 2][: max(0, seeds - 1)]), key=lambda c: c.rank)
    rest = range(TRAINING + 3, TRAINING + seeds)
    third = sorted(bench.tried(second[:finalists], rest), key=lambda c: c.rank)
    return [*third, *second[finalists:], *first[half:]]


def endured(bench: Bench, order: list[Candidate]) -> list[Candidate]:
    """The candidates, those last that lock in seeds of endurance: looked for from the best down to the first that comes through.

    Where the programs in force lock as well the rank has said what can be said.
    """
    failed: list[Candidate] = []
    while order and order[0].plans and not any(c.locks for c in order if not c.plans):
        found = bench.locks(order[0].plans)
        if found == 0:
            break
        failed.append(replace(order[0], locks=order[0].locks + found))
        order = order[1:]
    return [*order, *failed]
