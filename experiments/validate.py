"""A plan against the programs in force, before anything is said of it: paired seeds, varied demand, a verdict in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from ..core.errors import InputError, UnsafePlan
from ..core.messages import _
from ..networks.check import Finding, check_programs
from ..networks.demand import window_end
from ..networks.netfile import read_lights
from ..networks.planfile import certified, read_plan_file
from ..networks.planprogram import write_plans
from ..networks.programs import read_programs
from ..networks.scenario import Scenario, read_scenario
from .spec import scenario_path
from .statistics import LEVEL, Interval, sign_flip_p
from .trial import Trial, Way, try_all

LOOKS = (5, 10, 20, 40)
"""After how many seeds the answer is looked at; the level is shared out among the looks (Bonferroni)."""
SURE = 10
"""Seeds before a plan is called better: one that locks now and then may not show it in fewer."""
JAM = 3.0
"""Delay of a seed, in medians of either arm, above which it broke down, however it ended."""
TWICE = 2.0
"""Delay of a seed, in that of the same seed under the programs in force and in medians of the plan, at which it broke down."""
MEASURES = ("delay", "p95_delay", "stops", "longest_queue")
"""What must not get worse; the first decides whether the plan is better."""
FORCE, PLAN = "in force", "plan"
SHOWN_ABOVE = 0.005
"""Share of the mean below which a difference, though there, is not worth a word."""


class Outcome(Enum):
    """What was found; the value is the exit code of the command."""

    BETTER = 0
    NOT_SHOWN = 10
    WORSE = 11


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure, plan less programs in force: means, mean of the paired differences and its interval (95 % over all
    looks together), the worst seed of each."""

    measure: str
    before: float
    after: float
    difference: float
    interval: Interval
    worst_before: float
    worst_after: float

    @property
    def better(self) -> bool:
        """Shown to be less, by more than half a per cent."""
        return self.interval.high < 0.0 and abs(self.difference) > SHOWN_ABOVE * abs(self.before)

    @property
    def worse(self) -> bool:
        """Shown to be more, by more than half a per cent."""
        return self.interval.low > 0.0 and abs(self.difference) > SHOWN_ABOVE * abs(self.before)


@dataclass(frozen=True, slots=True)
class LaneQueue:
    """The longest queue on a lane that leads to a light against its `room` [m]: mean over the seeds before and after,
    the worst seed after [m], and in how many seeds it filled the lane to its beginning, so that it spilled back."""

    lane: str
    room: float
    before: float
    after: float
    worst: float
    spilled_before: int
    spilled_after: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: `words` for a person, `outcome` for a script, and what it rests on.

    `gridlocks` (before, after) are seeds that ended in a gridlock or broke down (see `broken`), `locked_seeds` those of
    the plan; `incidents` collisions and teleports (before, after), `full_lanes` how many lanes' queues reached back to
    their beginning, on average; `queues` each lane's queue against its room, the fullest under the plan first.
    """

    scenario: str
    plan: str
    outcome: Outcome
    words: str
    seeds: tuple[int, ...]
    stopped_early: bool
    differences: tuple[Difference, ...]
    gridlocks: tuple[int, int]
    locked_seeds: tuple[int, ...]
    incidents: tuple[int, int]
    full_lanes: tuple[float, float]
    queues: tuple[LaneQueue, ...]
    worst_seed: int
    p: float
    rows: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"outcome": self.outcome.name.lower(), "exit_code": self.outcome.value}


def validate(
    scenario: str,
    candidate: Path,
    *,
    baseline: Path | None = None,
    seeds: int = 20,
    variation: float = 0.1,
    jitter: float = 30.0,
    begin: float | None = None,
    end: float | None = None,
    workers: int | None = None,
    transport: Way = "libsumo",
    told: Callable[[float], None] | None = None,
) -> Verdict:
    """Compare a candidate, an additional file or a plan file, with the programs in force (or those of `baseline`).

    Both run with the same seeds 1, 2, ...; each seed scales the demand by up to `variation` and puts departures off by
    up to `jitter` [s]. It ends as soon as the answer on delay is clear, with `seeds` seeds at the latest. A candidate
    that `check` finds unsafe is not run: UnsafePlan. Raises InputError, MissingSumo, SimulationError.
    """
    if seeds < 2:
        raise InputError(_("{seeds} seed cannot show a difference; take at least {least}").format(seeds=seeds, least=5))
    source = scenario_path(scenario)
    read = read_scenario(source)
    looks = sorted({min(look, seeds) for look in LOOKS} | {seeds})
    end = window_end(read, begin, end)
    with TemporaryDirectory(prefix="signalwright-") as folder:
        arms = {FORCE: _programs(read, baseline, Path(folder, "before.add.xml")) if baseline else ()}
        arms[PLAN] = _programs(read, candidate, Path(folder, "after.add.xml"))
        check_safe(read, [Path(path) for path in arms[PLAN]])
        rows: list[dict[str, Any]] = []
        for look in looks:
            first = len(rows) // 2 + 1
            trials = [
                Trial(
                    str(source), arm, seed, files, begin, end, variation=variation, jitter=jitter, queues=True,
                    transport=transport,
                )
                for seed in range(first, look + 1)
                for arm, files in arms.items()
            ]  # fmt: skip
            rows += try_all(trials, workers)
            if told is not None:
                told(look / seeds)
            verdict = judged(rows, read.name, candidate.name, len(looks), look < looks[-1])
            if verdict.outcome is Outcome.WORSE or (verdict.outcome is Outcome.BETTER and look >= min(SURE, seeds)):
                break
    return verdict


def judged(rows: Sequence[Mapping[str, Any]], scenario: str, plan: str, looks: int, early: bool = False) -> Verdict:
    """The verdict on rows of both arms, with the level shared out among so many looks."""
    by_arm = {arm: {row["seed"]: row for row in rows if row["arm"] == arm} for arm in (FORCE, PLAN)}
    seeds = tuple(sorted(by_arm[FORCE].keys() & by_arm[PLAN].keys()))
    before, after = ([by_arm[arm][seed] for seed in seeds] for arm in (FORCE, PLAN))
    differences = tuple(_difference(name, before, after, looks) for name in MEASURES)
    delays = [np.array([row["delay"] for row in arm], dtype=float) for arm in (before, after)]
    ends = [np.array([bool(row.get("locked", False)) for row in arm]) for arm in (before, after)]
    lost = broken(delays[0], delays[1], ends[0], ends[1])
    gridlocks = (int(lost[0].sum()), int(lost[1].sum()))
    incidents = tuple(int(sum(row["collisions"] + row["teleports"] for row in arm)) for arm in (before, after))
    full = tuple(float(np.mean([row["full_lanes"] for row in arm])) for arm in (before, after))
    outcome, words = _said(differences, gridlocks, (incidents[0], incidents[1]), len(seeds))
    return Verdict(
        scenario=scenario,
        plan=plan,
        outcome=outcome,
        words=words,
        seeds=seeds,
        stopped_early=early and outcome is not Outcome.NOT_SHOWN,
        differences=differences,
        gridlocks=gridlocks,
        locked_seeds=tuple(seed for seed, there in zip(seeds, lost[1], strict=True) if there),
        incidents=(incidents[0], incidents[1]),
        full_lanes=(full[0], full[1]),
        queues=_queues(before, after),
        worst_seed=seeds[int(np.argmax(delays[1]))],
        p=sign_flip_p(delays[1] - delays[0]),
        rows=tuple({key: value for key, value in row.items() if key != "lanes"} for row in rows),
    )


Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def broken(before: Floats, after: Floats, locked_before: Bools, locked_after: Bools) -> tuple[Bools, Bools]:
    """Which seeds (n,) broke down, under the programs in force and under the plan, from delays [s/veh] and from which
    ended in a gridlock: these, those above three medians of either arm, and under the plan those at twice both the same
    seed's delay under the programs in force and the plan's own median."""
    usual, own = float(np.median(before)), float(np.median(after))
    one = locked_before | (before > JAM * usual)
    two = (
        locked_after | (after > JAM * usual) | (after > JAM * own) | ((after > TWICE * before) & (after > TWICE * own))
    )
    return np.asarray(one), np.asarray(two)


def _queues(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[LaneQueue, ...]:
    made = []
    for lane in after[0].get("lanes", {}):
        rows = [[row["lanes"][lane] for row in arm] for arm in (before, after)]
        longest = [[float(one["queue"]) for one in arm] for arm in rows]
        spilled = [sum(bool(one["spilled"]) for one in arm) for arm in rows]
        made.append(
            LaneQueue(
                lane, float(rows[0][0]["room"]), float(np.mean(longest[0])), float(np.mean(longest[1])), max(longest[1]),
                spilled[0], spilled[1],
            )
        )  # fmt: skip
    return tuple(
        sorted(made, key=lambda queue: (-queue.spilled_after, -queue.after / max(1.0, queue.room), queue.lane))
    )


def _difference(
    measure: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], looks: int
) -> Difference:
    one = np.array([row[measure] for row in before], dtype=float)
    two = np.array([row[measure] for row in after], dtype=float)
    return Difference(
        measure, float(one.mean()), float(two.mean()), float((two - one).mean()), paired_interval(two - one, looks),
        float(one.max()), float(two.max()),
    )  # fmt: skip


def paired_interval(differences: npt.NDArray[np.float64], looks: int = 1) -> Interval:
    """Student's interval of the mean of paired differences (n,), at 95 % over all `looks` together.

    Wider than a bootstrap's for few seeds, and so the one to stop early by.
    """
    n = len(differences)
    mean = float(differences.mean())
    if n < 2:
        return Interval(-math.inf, math.inf)
    spread = float(differences.std(ddof=1)) / math.sqrt(n)
    half = float(stats.t.ppf(1.0 - (1.0 - LEVEL) / (2.0 * looks), n - 1)) * spread
    return Interval(mean - half, mean + half)


_UNITS = {"delay": "s", "p95_delay": "s", "longest_queue": "m", "stops": ""}


def _said(
    differences: Sequence[Difference], gridlocks: tuple[int, int], incidents: tuple[int, int], seeds: int
) -> tuple[Outcome, str]:
    delay = differences[0]
    worse = [_worse(d) for d in differences if d.worse]
    if gridlocks[1] > gridlocks[0]:
        worse.append(
            _("gridlock ({n} of {seeds} seeds, {before} before)").format(
                n=gridlocks[1], seeds=seeds, before=gridlocks[0]
            )
        )
    if incidents[1] > incidents[0]:
        worse.append(_("collisions and teleports ({n}, {before} before)").format(n=incidents[1], before=incidents[0]))
    serious = delay.worse or gridlocks[1] > gridlocks[0] or incidents[1] > incidents[0]
    tail = _("worse on: {what}").format(what="; ".join(worse)) if worse else ""
    low, high = delay.interval.low, delay.interval.high
    if serious:
        return Outcome.WORSE, tail
    if delay.better and not gridlocks[1]:
        words = _("better by {d:.1f} s [{low:.1f}, {high:.1f}]").format(d=-delay.difference, low=-high, high=-low)
        return Outcome.BETTER, f"{words}, {tail}" if tail else words
    words = _("no improvement shown ({d:+.1f} s [{low:.1f}, {high:.1f}])").format(
        d=delay.difference, low=low, high=high
    )
    if gridlocks[1]:
        words += _(": it locks in {n} of {seeds} seeds ({before} before)").format(
            n=gridlocks[1], seeds=seeds, before=gridlocks[0]
        )
    return Outcome.NOT_SHOWN, f"{words}, {tail}" if tail else words


def _worse(d: Difference) -> str:
    names = {
        "delay": _("delay"), "p95_delay": _("the slowest twentieth"), "stops": _("stops"),
        "longest_queue": _("longest queue"),
    }  # fmt: skip
    return f"{names[d.measure]} {d.difference:+.1f} {_UNITS[d.measure]} [{d.interval.low:.1f}, {d.interval.high:.1f}]".replace(
        "  ", " "
    )


def check_safe(scenario: Scenario, files: Sequence[Path]) -> None:
    """Raise UnsafePlan with everything `check` finds unsafe in the programs of these files; InputError for a light the
    net lacks, or a file without programs."""
    reasons = [str(f) for f in findings_in(scenario, files) if f.unsafe]
    if reasons:
        raise UnsafePlan(", ".join(sorted(path.name for path in files)), reasons)


def check_plan(scenario: str, plan: Path) -> list[Finding]:
    """What `check` finds in the programs of a plan file, or of an additional file. Raises InputError, UnsafePlan."""
    read = read_scenario(scenario_path(scenario))
    with TemporaryDirectory(prefix="signalwright-") as folder:
        return findings_in(read, [Path(path) for path in _programs(read, plan, Path(folder, "plan.add.xml"))])


def findings_in(scenario: Scenario, files: Sequence[Path]) -> list[Finding]:
    """What `check` finds in the programs of these files. Raises InputError for a light the net lacks, or a file without programs."""
    own = {name: set(programs) for name, programs in read_programs(scenario).items()}
    extended = replace(scenario, additionals=(*scenario.additionals, *files))
    lights, sources = [], {str(path) for path in files}
    for name, programs in read_programs(extended).items():
        new = [program for program in programs.values() if program.source in sources]
        if not new:
            continue
        if name not in own:
            raise InputError(f"{new[0].source}: it is a plan for another net: there is no light {name}")
        if twice := sorted({program.name for program in new} & own[name]):
            raise InputError(
                f"{new[0].source}: light {name} has a program {twice[0]} already; give the new one another programID"
            )
        lights.append(name)
    if not lights:
        raise InputError(f"{', '.join(sorted(sources))}: there is no program of a light in it")
    return [finding for finding in check_programs(extended, lights) if finding.source in sources]


def _programs(scenario: Scenario, path: Path, into: Path) -> tuple[str, ...]:
    """The additional file of a candidate; a plan file is certified and written as one."""
    if not path.is_file():
        raise InputError(f"{path}: is not there; name an additional file or a plan file")
    if path.suffix != ".toml":
        return (str(path.resolve()),)
    file = read_plan_file(path)
    lights = read_lights(scenario, file.timing, all_sets=file.stage_sets == "all")
    plans = certified(file, lights, str(path))
    taken = {program for light in lights.values() for program in light.programs}
    renamed = {f"{name} (candidate)" if name in taken else name: of_lights for name, of_lights in plans.items()}
    write_plans(into, lights, renamed, times=() if taken & plans.keys() else file.times)
    return (str(into),)
