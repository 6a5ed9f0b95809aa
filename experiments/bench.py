"""Where candidate plans are tried: in SUMO, with seeds and a heavier demand of the planner's own, and how they are ranked."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..core.certify import SafePlan, certify
from ..core.errors import UnsafePlan
from ..core.messages import _
from ..networks.light import Light
from ..networks.planprogram import write_plans
from .alter import fuller, shifted, with_cycle
from .catchments import Catchments
from .journal import Journal
from .refine import Judged
from .trial import Trial

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
"""Seeds asked at once for a breakdown."""
PUT_OFF = 30.0
"""Departures are put off by up to this long [s] where the demand is more; the others have the scenario's own as it stands."""
ENDURANCE = 40
"""Further seeds, half of them of the heaviest demand, that the plan to be chosen must come through."""
BROKE_DOWN = 2.5
"""Delay of a seed, in medians of the plan's own under the same demand, above which it broke down, though it may not have locked."""
EFFORT = 50e6
"""Seconds that simulated vehicles may spend under way while plans are altered: some five to ten minutes of one core."""
ENDURED = 16
"""The fewest seeds of endurance, where a trial takes long: together they are to cost no more than the alterations."""
MENDINGS = 5
"""How often a plan that breaks down is mended."""
FEWEST, MOST = 40, 120
"""Trials for the alterations, whatever the scenario's size."""

PIECES, BRIEF = 3, 900.0
"""A brief trial is one of so many pieces of the window, unless they are shorter than this [s]."""
SIFTED = 6
"""How many ways of mending a plan are tried under a second seed."""

T = TypeVar("T")
Plans = Mapping[str, SafePlan]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan for every light that has one: `cycle` [s] where all share it, `value` what the model says of it [veh]
    waiting, None where it was not asked, `delays` [s/veh] in SUMO, seed by seed; `locks` of these seeds ended in a
    gridlock; `way` is how long its vehicles were under way together in a trial [s]; `lost` says that a trial was given up, far
    behind the best."""

    name: str
    plans: Plans
    cycle: int | None = None
    value: float | None = None
    delays: tuple[float, ...] = ()
    locks: int = 0
    way: float = 0.0
    lost: bool = False

    @property
    def score(self) -> float:
        """Mean delay, half a standard deviation and a quarter of the worst seed's excess [s/veh]; infinite before the
        first trial, and where one was given up."""
        if self.lost or not self.delays:
            return float("inf")
        mean = float(np.mean(self.delays))
        return mean + MARGIN * float(np.std(self.delays)) + WORST * (max(self.delays) - mean)

    @property
    def rank(self) -> tuple[float, float]:
        """What candidates are sorted by: seldom locked first, then the score."""
        return (self.locks / max(1, len(self.delays)), self.score)


@dataclass(frozen=True)
class Bench:
    """Where candidates are tried: in SUMO, in parallel, with seeds of the planner's own and departures put off a little.

    `window` is where the scenario begins and ends [s]. `keep` leaves every light its cycle; `journal` keeps what every trial came
    to, so that an interrupted search goes on where it was. `endurance` is how many seeds a plan must come through (None: ENDURANCE).
    """

    scenario: str
    lights: Mapping[str, Light]
    name: str
    folder: Path
    catchments: Catchments
    window: tuple[float, float]
    workers: int | None = None
    keep: bool = False
    endurance: int | None = None
    journal: Journal = field(default_factory=Journal)

    @property
    def share(self) -> float:
        """What a brief trial costs, in trials: a part of the window, all of it where that is short."""
        return 1.0 / PIECES if self.window[1] - self.window[0] >= PIECES * BRIEF else 1.0

    def tried(self, candidates: Sequence[Candidate], seeds: Iterable[int]) -> list[Candidate]:
        """The candidates with the delays of these seeds added."""
        seeds = list(seeds)
        rows = self._rows([(candidate.plans, seed) for candidate in candidates for seed in seeds])
        n = len(seeds)
        return [_with(c, rows[k * n : (k + 1) * n]) for k, c in enumerate(candidates)]

    def sifted(self, candidates: Sequence[Candidate], seed: int) -> list[Candidate]:
        """The candidates with the delay of this seed; those given up that fell far behind the best before them."""
        made: list[Candidate] = []
        best: Judged | None = None
        for each in batches(candidates, self.side):
            rows = self._rows([(c.plans, seed) for c in each], within=() if best is None else best.within())
            made += [_with(c, [row]) for c, row in zip(each, rows, strict=True)]
            best = min([*([best] if best else []), *map(self._judged, rows)], key=lambda one: one.cost)
        return made

    def judged(
        self, plans: Sequence[Plans], seed: int, brief: bool = False, beside: Judged | None = None
    ) -> list[Judged]:
        """What plans cost under a seed of the alterations, or, from TRAINING on, the seed itself: the delay, of a seed that
        locked three times, and the time lost light by light. A `brief` trial is a piece of the window, another for each seed."""
        piece = seed if brief and self.share < 1.0 else None
        seed = seed if seed >= TRAINING else TRAINING + 100 + seed
        within = () if beside is None else beside.within()
        return [self._judged(row) for row in self._rows([(one, seed) for one in plans], within=within, piece=piece)]

    def broken(self, plans: Plans) -> dict[int, Judged]:
        """The seeds of endurance that end in a gridlock or break down; after a few with one the others are not asked."""
        kinds = {STRESS.index(min(STRESS)), STRESS.index(max(STRESS))}
        usual = [k for k in range(TRAINING + 900, TRAINING + 900 + 2 * ENDURANCE) if k % len(STRESS) in kinds]
        rows: dict[int, Any] = {}
        for first in range(0, self.endurance or ENDURANCE, TOGETHER):
            seeds = usual[first : first + TOGETHER]
            rows |= dict(zip(seeds, self._rows([(plans, seed) for seed in seeds]), strict=True))
            found: dict[int, Judged] = {}
            for kind in kinds:
                alike = {seed: row for seed, row in rows.items() if seed % len(STRESS) == kind}
                limit = BROKE_DOWN * float(np.median([row["delay"] for row in alike.values()]))
                found |= {k: self._judged(row) for k, row in alike.items() if row["locked"] or row["delay"] > limit}
            if found:
                return found
        return {}

    @property
    def side(self) -> int:
        """How many simulations run side by side."""
        return self.workers or len(os.sched_getaffinity(0))

    def _judged(self, row: Mapping[str, Any]) -> Judged:
        if "lost" in row:
            return Judged(math.inf, {})
        by_light = self.catchments.losses(row["losses"])
        scheduled = max(1, row["scheduled"])
        return Judged(
            row["delay"] * (LOCKED if row["locked"] else 1.0), {k: lost / scheduled for k, lost in by_light.items()},
            row["presence"], scheduled,
        )  # fmt: skip

    def _rows(
        self, wanted: Sequence[tuple[Plans, int]], within: tuple[float, ...] = (), piece: int | None = None
    ) -> list[dict[str, Any]]:
        begin, end = self.window
        if piece is not None:
            length = (end - begin) / PIECES
            begin += piece % PIECES * length
            end = begin + length
        trials = [
            replace(self._trial(f"{place}", plans, place, seed), begin=begin, end=end, within=within)
            for place, (plans, seed) in enumerate(wanted)
        ]
        return self.journal.rows(trials, self.workers)

    def _trial(self, arm: str, plans: Plans, place: int, seed: int) -> Trial:
        programs: tuple[str, ...] = ()
        if plans:
            path = self.folder / f"{place}.add.xml"
            write_plans(path, self.lights, {self._free_name(): plans}, overwrite=True)
            programs = (str(path),)
        stress = STRESS[seed % len(STRESS)]
        if stress == 1.0:  # the scenario's own demand as it stands, which may lock where a varied one does not
            return Trial(self.scenario, arm, seed, programs, losses=True)
        return Trial(self.scenario, arm, seed, programs, scale=stress, jitter=PUT_OFF, losses=True)

    def _free_name(self) -> str:
        taken = {program for light in self.lights.values() for program in light.programs}
        return next(name for name in (self.name, *(f"{self.name}-{k}" for k in range(2, 99))) if name not in taken)


def _with(candidate: Candidate, rows: Sequence[Mapping[str, Any]]) -> Candidate:
    """The candidate with what further seeds came to."""
    made = [row for row in rows if "lost" not in row]
    return replace(
        candidate,
        delays=(*candidate.delays, *(row["delay"] for row in made)),
        locks=candidate.locks + sum(bool(row["locked"]) for row in made),
        way=float(np.mean([row["trip_time"] * row["inserted"] for row in made] or [candidate.way])),
        lost=candidate.lost or len(made) < len(rows),
    )


def batches(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """So many at a time."""
    for first in range(0, len(things), size):
        yield things[first : first + size]


def ranked(bench: Bench, candidates: list[Candidate], finalists: int) -> list[Candidate]:
    """The candidates, the best first: all tried with one seed, the finalists again with the heaviest demand."""
    first = sorted(bench.sifted(candidates, TRAINING), key=lambda c: c.rank)
    heavy = TRAINING + STRESS.index(max(STRESS))
    return [*sorted(bench.tried(first[:finalists], [heavy]), key=lambda c: c.rank), *first[finalists:]]


def mended(bench: Bench, plans: Plans, broken: Mapping[int, Judged], others: Sequence[Plans]) -> tuple[Plans, str]:
    """The plans altered at the light whose queues broke down, and that light: turns that gave way are given time of their own, or the
    whole plan comes at another time, for traffic may also meet unluckily. Of what can be put in, what `others` have, and the later
    ones, the best under the seeds that broke and a usual one."""
    usual = bench.judged([plans], TRAINING + 1)[0].by_light
    worst = max(broken.values(), key=lambda one: one.cost)
    culprit = max(plans, key=lambda light: worst.by_light.get(light, 0.0) - usual.get(light, 0.0))
    now = plans[culprit]
    ways = [*fuller(now), *(other[culprit] for other in others if culprit in other)]
    more = [safe for safe in ways if len(set(safe.plan.stages)) > len(set(now.plan.stages))] or ways
    crowd: list[Plans] = [] if more else [plans]
    if len(plans) > 1:
        more = [*more, *shifted(now)]
    for way in more:
        for light in (None if bench.keep else way, _at_cycle(way, now.cycle)):
            if light is not None and all(light.plan != one[culprit].plan for one in crowd):
                crowd.append({**plans, culprit: light})
    costs = np.zeros(len(crowd))
    for seed in [*list(broken)[:2], TRAINING + 1]:
        best: Judged | None = None
        for some in batches(np.argsort(costs, kind="stable")[: SIFTED if costs.any() else None].tolist(), bench.side):
            for k, one in zip(some, bench.judged([crowd[k] for k in some], seed, beside=best), strict=True):
                costs[k] += one.cost
                best = one if best is None or one.cost < best.cost else best
        costs[np.argsort(costs, kind="stable")[SIFTED:]] = math.inf
    return crowd[int(np.argmin(costs))], culprit


def hardened(
    bench: Bench,
    plans: Plans,
    others: Sequence[Plans],
    better: Callable[[Plans, frozenset[str]], Plans],
    told: Callable[[str], None],
) -> Plans:
    """Plans that come through endurance, as far as MENDINGS can bring it about: each time some seed breaks down, the light to
    blame gets more stages, which it keeps when the plans are then made `better` again."""
    firm: frozenset[str] = frozenset()
    for _mending in range(MENDINGS):
        found = bench.broken(plans)
        if not found:
            break
        plans, light = mended(bench, plans, found, others)
        firm |= {light}
        told(_("traffic broke down: light {light} gets other stages, or comes later").format(light=light))
        plans = better(plans, firm)
    return plans


def _at_cycle(safe: SafePlan, cycle: int) -> SafePlan | None:
    try:
        return certify(with_cycle(safe.plan, safe.intersection, cycle), safe.intersection)
    except UnsafePlan:
        return None


def endured(bench: Bench, order: list[Candidate]) -> list[Candidate]:
    """The candidates, those last that break down in seeds of endurance: looked for from the best down to the first that comes through.

    Where the programs in force lock as well the rank has said what can be said.
    """
    failed: list[Candidate] = []
    while order and order[0].plans and not any(c.locks for c in order if not c.plans):
        found = bench.broken(order[0].plans)
        if not found:
            break
        failed.append(replace(order[0], locks=order[0].locks + len(found)))
        order = order[1:]
    return [*order, *failed]
