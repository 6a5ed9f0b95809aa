"""The safety check of the programs in a scenario: what is wrong, at which signals, and what to change."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

from .course import TIMED, Course
from .light import Program
from .programs import GREEN
from .rightofway import paths_cross
from .roadnet import Wire
from .scenario import Scenario
from .survey import Survey, survey_lights
from .timing import WALKING, amber_of, conflict_time, walk_to_clear

Severity = Literal["error", "warning"]

MINOR = frozenset("gos")
LEAST_AMBER = 3.0  # [s]
LEAST_GREEN = 5.0  # [s], vehicles
LEAST_WALK = 4.0  # [s], MUTCD


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one program of one light.

    `rule` is one of conflicting-greens, mutual-yield, yellow, intergreen, never-served, minimum-green,
    pedestrian-clearance, letters; an `error` is unsafe, a `warning` is worth a look. `groups` are signal groups by
    name, `links` SUMO's signal indices, `steps` SUMO's phases; `source` is the file the program stands in.
    """

    light: str
    program: str
    rule: str
    severity: Severity
    groups: tuple[str, ...]
    links: tuple[int, ...]
    steps: tuple[int, ...]
    message: str
    remedy: str
    source: str = ""

    @property
    def unsafe(self) -> bool:
        """Whether it is an error."""
        return self.severity == "error"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.severity}: light {self.light}, program {self.program}, {self.rule}: {self.message}; {self.remedy}"
        )


def check_programs(scenario: Scenario, lights: Iterable[str] | None = None) -> list[Finding]:
    """Every finding in every program of the scenario's lights, errors first within each program.

    Raises InputError where the net cannot be read, has no light, or lacks one that is named.
    """
    named = None if lights is None else list(dict.fromkeys(lights))
    surveys, _ = survey_lights(scenario, named)
    return [
        finding
        for survey in surveys.values()
        for program in survey.programs
        for finding in check_program(survey, program)
    ]


def check_program(survey: Survey, program: Program) -> list[Finding]:
    """Every finding in one program of one light, errors first."""
    checker = _Checker(survey, program)
    return sorted(checker.findings(), key=lambda finding: (finding.severity, finding.rule, finding.links))


def as_json(findings: Sequence[Finding]) -> str:
    """The findings as one JSON text."""
    return json.dumps([finding.to_dict() for finding in findings], indent=2)


@dataclass(frozen=True, slots=True)
class _Clash:
    rule: str
    severity: Severity
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Checker:
    survey: Survey
    program: Program

    def findings(self) -> Iterator[Finding]:
        yield from self._letters()
        yield from self._together()
        yield from self._never_served()
        if self.program.kind in TIMED and len(self.program.steps) > 1:
            course = Course(self.program)
            for row in range(len(self.survey.groups)):
                yield from self._yellow(course, row)
                yield from self._green(course, row)
                yield from self._clearing(course, row)

    def _finding(
        self,
        rule: str,
        severity: Severity,
        rows: Sequence[int],
        links: Iterable[int],
        steps: Iterable[int],
        message: str,
        remedy: str,
    ) -> Finding:
        names = tuple(dict.fromkeys(self.survey.names[row] for row in rows))
        return Finding(
            light=self.survey.name,
            program=self.program.name,
            rule=rule,
            severity=severity,
            groups=names,
            links=tuple(sorted(set(links))),
            steps=tuple(sorted(set(steps))),
            message=message,
            remedy=remedy,
            source=self.program.source,
        )

    def _letters(self) -> Iterator[Finding]:
        have, need = len(self.program.steps[0].state), self.survey.n_letters
        if have < need:
            yield self._finding(
                "letters", "error", (), range(have, need), (),
                f"its states have {have} letters for {need} links, SUMO will not load it",
                "give one letter for every link",
            )  # fmt: skip
        elif have > need:
            yield self._finding(
                "letters", "warning", (), range(need, have), (),
                f"its states have {have} letters for {need} links, the last {have - need} mean nothing",
                "take them out, or check that the program belongs to this net",
            )  # fmt: skip

    def _together(self) -> Iterator[Finding]:
        """Greens that must not be together: one finding for each pair of groups and reason, with all its steps."""
        found: dict[tuple[str, tuple[int, ...]], tuple[_Clash, set[int], set[int]]] = {}
        wires = self.survey.wires
        for number, step in enumerate(self.program.steps):
            letters = [step.state[wire.index] if wire.index < len(step.state) else "r" for wire in wires]
            moving = [row for row, letter in enumerate(letters) if letter in GREEN or letter in MINOR]
            for a, b in combinations(moving, 2):
                clash = self._clash(a, b, letters[a], letters[b])
                if clash is not None:
                    groups = {self.survey.group_of.get(wires[row].index, -1) for row in (a, b)}
                    key = (clash.rule, tuple(sorted(groups - {-1})))
                    _, links, steps = found.setdefault(key, (clash, set(), set()))
                    links |= {wires[a].index, wires[b].index}
                    steps.add(number)
        for (rule, rows), (clash, links, steps) in found.items():
            more = f" (the same for their links {_listed(links)})" if len(links) > 2 else ""
            message = f"{clash.message} in {_steps(steps)}{more}"
            yield self._finding(rule, clash.severity, rows, links, steps, message, clash.remedy)

    def _clash(self, a: int, b: int, of_a: str, of_b: str) -> _Clash | None:
        survey, one, other = self.survey, self.survey.wires[a], self.survey.wires[b]
        twice = one.inner or other.inner or one.halved or other.halved
        merge = one.to_lane == other.to_lane and one.lane != other.lane and not (one.crossing or twice)
        if not survey.conflict[a, b] and not (merge and of_a == of_b == "G"):
            return None
        if one.index == other.index and twice:
            return None  # the second half of a movement joins those it waited beside
        a_yields, b_yields = bool(survey.yields[a, b]), bool(survey.yields[b, a])
        names = f"{self._name(a)} and {self._name(b)}"
        if of_a in MINOR and of_b in MINOR and a_yields and b_yields:
            return _Clash(
                "mutual-yield", "warning", f"{names} both give way to each other ({of_a} and {of_b}), so nobody may go",
                "show G for the one that goes first, or give them different steps",
            )  # fmt: skip
        one_gives_way = (of_a == "g" and a_yields) or (of_b == "g" and b_yields)
        if not {of_a, of_b} <= GREEN or one_gives_way or not _meet(one, other):
            return None
        way = "run into the same lane" if one.to_lane == other.to_lane else "cross"
        if a_yields != b_yields:
            lesser = a if a_yields else b
            remedy = f"show g for {self._name(lesser)}, which gives way by the net, or give them different steps"
        else:
            remedy = "give them different steps"
        message = f"{names} are green together ({of_a} and {of_b}), and their ways {way}"
        return _Clash("conflicting-greens", "error", message, remedy)

    def _never_served(self) -> Iterator[Finding]:
        for row, members in enumerate(self.survey.groups):
            served = GREEN | MINOR | {"O"}
            dark = [
                i for i in members if not any(i < len(s.state) and s.state[i] in served for s in self.program.steps)
            ]
            if dark:
                yield self._finding(
                    "never-served", "warning", (row,), dark, (), f"{self.survey.names[row]} never turns green",
                    "give it a step, or close the movement in the net",
                )  # fmt: skip

    def _yellow(self, course: Course, row: int) -> Iterator[Finding]:
        wires = self.survey.group_wires[row]
        if all(wire.crossing for wire in wires):
            return
        index, name = self.survey.groups[row][0], self.survey.names[row]
        missing, short = [], []
        for a, b in course.ends_of_green(index):
            amber = course.amber_from(index, b)
            if course.shows(index, b) in {"r", "u"}:
                missing.append(b)
            elif 0 < amber < LEAST_AMBER:
                short.append((amber, a))
        need = f"show y for {_seconds(_amber(wires))}"
        if missing:
            yield self._finding(
                "yellow", "error", (row,), self.survey.groups[row], missing,
                f"{name} turns from green to red without yellow at the change to {_steps(missing)}",
                f"{need} before the red",
            )  # fmt: skip
        if short:
            yield self._finding(
                "yellow", "error", (row,), self.survey.groups[row], [step for _, step in short],
                f"{name} shows only {min(short)[0]:g} s of yellow after {_steps(step for _, step in short)}",
                f"{need}, at least 3 s",
            )  # fmt: skip

    def _green(self, course: Course, row: int) -> Iterator[Finding]:
        walkers = all(wire.crossing for wire in self.survey.group_wires[row])
        least = LEAST_WALK if walkers else LEAST_GREEN
        run = course.shortest_green(self.survey.groups[row][0])
        if run is not None and run[0] < least:
            yield self._finding(
                "minimum-green", "warning", (row,), self.survey.groups[row], (run[1],),
                f"{self.survey.names[row]} is green for {run[0]:g} s only, from step {run[1]}",
                f"give it {least:g} s or more",
            )  # fmt: skip

    def _clearing(self, course: Course, row: int) -> Iterator[Finding]:
        """From the end of this group's green to the greens of those it conflicts with: the worst pair of each kind."""
        survey = self.survey
        worst: dict[object, tuple[float, Finding]] = {}
        for a in survey.rows[row]:
            for b, foe in enumerate(survey.wires):
                other = survey.group_of.get(foe.index)
                if not survey.exclusive[a, b] or other is None or other == row:
                    continue
                gap = course.gap(survey.wires[a].index, foe.index)
                if gap is None:
                    continue
                found = self._gap_finding(row, other, survey.wires[a], foe, gap)
                if found is not None and (found[0] not in worst or found[1] > worst[found[0]][0]):
                    worst[found[0]] = found[1:]
        for _, finding in worst.values():
            yield finding

    def _gap_finding(
        self, row: int, other: int, wire: Wire, foe: Wire, gap: tuple[float, float, int]
    ) -> tuple[object, float, Finding] | None:
        """(kind and pair, seconds missing, finding), None if the gap will do."""
        time, amber, step = gap
        names = self.survey.names
        links, rows = (wire.index, foe.index), (row, other)
        if wire.crossing:
            far = walk_to_clear(wire, foe)
            need = far / WALKING
            if time >= need - 1e-9:
                return None
            message = (
                f"{names[other]} turns green {time:g} s after {names[row]}, where it takes {need:.1f} s "
                f"to walk the {far:.1f} m out of its way at {WALKING} m/s"
            )
            finding = self._finding(
                "pedestrian-clearance", "error", rows, links, (step,), message, f"leave {_seconds(need)}"
            )
            return ("walk", need - time, finding)
        leaves = conflict_time(wire, foe)
        need = amber + leaves
        if time < amber - 1e-9:
            message = f"{names[other]} turns green while {names[row]} still shows yellow, {time:g} s after the end of its green"
            finding = self._finding("intergreen", "error", rows, links, (step,), message, f"leave {_seconds(need)}")
            return (("yellow", other), amber - time, finding)
        if time < need - 1e-9:
            message = (
                f"{names[other]} turns green {time:g} s after the end of green of {names[row]}; who passes at the end of its "
                f"{amber:g} s of yellow is out of the way {need:.1f} s after it"
            )
            finding = self._finding("intergreen", "warning", rows, links, (step,), message, f"leave {_seconds(need)}")
            return ("short", need - time, finding)
        return None

    def _name(self, row: int) -> str:
        wire = self.survey.wires[row]
        group = self.survey.group_of.get(wire.index)
        name = self.survey.names[group] if group is not None else "unsignalled"
        return f"{name} (link {wire.index}, {wire.origin} to {wire.destination})"


def _meet(one: Wire, other: Wire) -> bool:
    return one.to_lane == other.to_lane or paths_cross(one.path, other.path)


def _amber(wires: Sequence[Wire]) -> float:
    return float(min(6, max(3, math.ceil(amber_of(max(wire.speed for wire in wires)) - 1e-9))))


def _seconds(time: float) -> str:
    return f"{math.ceil(time - 1e-9)} s"


def _steps(numbers: Iterable[int]) -> str:
    known = set(numbers)
    return f"step{'s' if len(known) > 1 else ''} {_listed(known)}"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(set(numbers))))
