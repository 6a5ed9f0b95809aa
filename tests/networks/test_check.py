"""The safety check: it finds all that SUMO warns of at load, and where it accuses, cars collide or the arithmetic says so."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from signalwright.networks.check import Finding, as_json, check_programs
from signalwright.networks.course import Course
from signalwright.networks.light import Program, ProgramStep
from signalwright.networks.programs import read_programs
from sumo_material import HOME, SHARED, Opinion, everything, load, opinion, with_additional, write_programs

NAMES = sorted(everything())
RED = "rrrrrrrrrrrr"


def findings(tmp_path: Path, *steps: tuple[float, str], name: str = "cross", light: str = "0") -> list[Finding]:
    """What is found in a program of ours for a light, other programs left out."""
    scenario = with_additional(load(name), write_programs(tmp_path / "x.add.xml", {(light, "x"): steps}))
    return [finding for finding in check_programs(scenario) if finding.program == "x"]


def rules(found: list[Finding]) -> set[str]:
    """The rules broken, links never served left aside."""
    return {finding.rule for finding in found} - {"never-served"}


@pytest.mark.parametrize("name", NAMES)
def test_all_that_sumo_warns_of_is_found(name: str) -> None:
    """Missing yellow, missing green, unsafe greens and mutual conflicts of SUMO's load are all among the findings."""
    scenario = load(name)
    said, found = opinion(scenario), check_programs(scenario)
    _covers(said, found)
    accused = {(f.light, f.program): set(f.links) for f in found if f.rule == "never-served"}
    assert accused.keys() == said.missing_green.keys()


def _covers(said: Opinion, found: list[Finding]) -> None:
    def links(rule: str, key: tuple[str, str]) -> set[int]:
        return {link for f in found if f.rule == rule and (f.light, f.program) == key for link in f.links}

    def steps(key: tuple[str, str]) -> set[int]:
        return {
            step for f in found if f.rule == "conflicting-greens" and (f.light, f.program) == key for step in f.steps
        }

    for key, indices in said.missing_yellow.items():
        assert indices <= links("yellow", key), (key, "yellow")
    for key, indices in said.missing_green.items():
        assert indices <= links("never-served", key), (key, "green")
    for key, unsafe in said.unsafe.items():
        assert unsafe <= steps(key), (key, "unsafe")
    for key in said.mutual:
        assert links("mutual-yield", key) | links("conflicting-greens", key), (key, "mutual")


@pytest.mark.parametrize("name", ["shipped-cross", "rilsa", "cross"])
def test_random_programs_are_judged_as_sumo_judges_them(name: str, tmp_path: Path) -> None:
    """Of 60 programs of random letters we find all that SUMO warns of, and miss yellows and greens nowhere else."""
    scenario = load(name)
    light = {"shipped-cross": "cross"}.get(name, "0")
    count = len(_plan(name, light)[0].state)
    draw = random.Random(3)
    programs = {
        (light, f"p{k}"): [
            (draw.choice((1.0, 5.0, 30.0)), "".join(draw.choices("rgGys", (5, 2, 2, 2, 0.3), k=count)))
            for _ in range(draw.randint(2, 6))
        ]
        for k in range(60)
    }
    ours = with_additional(scenario, write_programs(tmp_path / "x.add.xml", programs))
    said, found = opinion(ours), check_programs(ours)
    _covers(said, found)
    for key in programs:
        yellow = {
            step
            for f in found
            if f.rule == "yellow" and (f.light, f.program) == key and "without yellow" in f.message
            for step in f.steps
        }
        green = {link for f in found if f.rule == "never-served" and (f.light, f.program) == key for link in f.links}
        assert yellow == said.red_at.get(key, frozenset())
        assert said.missing_green.get(key, frozenset()) == frozenset(sorted(green)[:1])  # SUMO names the first


def test_the_shipped_plans_are_safe() -> None:
    """No program we ship has an error."""
    for name in ("shipped-cross", "shipped-corridor", "shipped-grid"):
        assert not [str(finding) for finding in check_programs(load(name)) if finding.unsafe]


def test_merging_greens_are_found() -> None:
    """The RiLSA net of the wheel shows two G links into one lane: both groups, the step, and the one to make g are named."""
    found = [finding for finding in check_programs(load("rilsa")) if finding.unsafe]
    assert {finding.rule for finding in found} == {"conflicting-greens"}
    assert any({3, 11} <= set(finding.links) for finding in found)
    assert all("show g for" in finding.remedy for finding in found)


UNSAFE_LINKS = {
    "G and G, the left gives way by the net": ("G", "G", True),
    "the wrong one of the two is g": ("G", "g", True),
    "the left turn is g": ("g", "G", False),
}


@pytest.mark.parametrize("case", list(UNSAFE_LINKS))
def test_what_is_accused_collides_in_sumo(case: str, tmp_path: Path) -> None:
    """Left turn and opposite straight: cars collide exactly where the check accuses, though SUMO loads all three in silence."""
    left, straight, wrong = UNSAFE_LINKS[case]
    state = "".join({8: left, 1: straight}.get(index, "r") for index in range(12))
    found = findings(tmp_path, (900, state))
    assert ("conflicting-greens" in rules(found)) == wrong
    assert not opinion(load("cross"), [tmp_path / "x.add.xml"]).unsafe
    assert (_collisions(tmp_path) > 0) == wrong


def _collisions(folder: Path) -> int:
    """Collisions of left turners with opposite traffic under the program written in the folder, over a quarter of an hour."""
    (folder / "r.rou.xml").write_text(
        '<routes><route id="s" edges="2si 1o"/><route id="l" edges="1si 4o"/>'
        '<flow id="f" route="s" begin="0" end="900" period="3" departSpeed="max"/>'
        '<flow id="g" route="l" begin="0" end="900" period="6" departSpeed="max" departLane="best"/></routes>'
    )
    command = [str(HOME / "bin" / "sumo"), "-n", str(load("cross").net), "-r", "r.rou.xml", "-a", "x.add.xml"]
    command += ["--end", "900", "--no-step-log", "--xml-validation", "never", "--seed", "1"]
    command += ["--collision.check-junctions", "--collision.action", "warn"]
    environment = dict(os.environ, SUMO_HOME=str(HOME))
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=True)
    return done.stderr.count("collision")


def test_a_yellow_too_short_or_missing_is_found_by_signal(tmp_path: Path) -> None:
    """2 s are accused, none is accused, 2 + 1 s over two steps are not."""
    green, amber = "rGrrrrrGrrrr", "ryrrrrryrrrr"
    assert rules(findings(tmp_path, (20, green), (2, amber), (9, RED))) == {"yellow"}
    assert rules(findings(tmp_path, (20, green), (9, RED))) == {"yellow"}
    half = "ryrGrrryrrGr"
    found = findings(tmp_path, (20, green), (2, amber), (1, half), (20, "rrrGrrrrrrGr"), (3, "rrryrrrrrryr"), (4, RED))
    assert not [finding for finding in found if finding.rule == "yellow"]


def test_the_yellow_of_bologna_is_not_accused() -> None:
    """Light 235 shows its 3 s over two steps; no light of that city is unsafe."""
    for name in ["shared-bologna_acosta"] if SHARED.is_dir() else ["shipped-cross"]:
        assert not [str(finding) for finding in check_programs(load(name)) if finding.unsafe]


def test_a_green_during_the_others_yellow_is_found(tmp_path: Path) -> None:
    """A conflicting green that starts before the yellow is over is an error; right after it only a warning."""
    north, east = "rGrrrrrGrrrr", "rrrrGrrrrrGr"
    early = findings(
        tmp_path, (20, north), (1, "ryrrrrryrrrr"), (2, "ryrrGrryrrGr"), (20, east), (3, "rrrryrrrrryr"), (5, RED)
    )
    assert {(f.rule, f.severity) for f in early if f.rule == "intergreen"} == {("intergreen", "error")}
    tight = findings(tmp_path, (20, north), (3, "ryrrrrryrrrr"), (20, east), (3, "rrrryrrrrryr"))
    assert {(f.rule, f.severity) for f in tight if f.rule != "never-served"} == {("intergreen", "warning")}
    wide = findings(tmp_path, (20, north), (3, "ryrrrrryrrrr"), (4, RED), (20, east), (3, "rrrryrrrrryr"), (4, RED))
    assert not rules(wide)


def test_walkers_need_their_time(tmp_path: Path) -> None:
    """A crossing of the shipped cross takes as long as its way out of the cars' way at 1.2 m/s, and no second less will do."""
    plan = [(step.duration, step.state) for step in _plan("shipped-cross", "cross")]
    assert not [f for f in findings(tmp_path, *plan, name="shipped-cross", light="cross") if f.unsafe]
    closing = [k for k, (_, state) in enumerate(plan) if "G" not in state[16:] and "G" in plan[k - 1][1][16:]]
    hurried = [(1.0 if k in closing else duration, state) for k, (duration, state) in enumerate(plan)]
    found = [f for f in findings(tmp_path, *hurried, name="shipped-cross", light="cross") if f.unsafe]
    assert {f.rule for f in found} == {"pedestrian-clearance"}
    assert all("crossing" in f.groups[0] for f in found)


def _plan(name: str, light: str) -> tuple[ProgramStep, ...]:
    return next(iter(read_programs(load(name))[light].values())).steps


def test_a_green_too_short_is_found(tmp_path: Path) -> None:
    """4 s for cars are too short, 5 s are not; an actuated program is judged by its shortest."""
    for green, short in ((4.0, True), (5.0, False)):
        found = findings(tmp_path, (green, "rGrrrrrGrrrr"), (3, "ryrrrrryrrrr"), (9, RED))
        assert ("minimum-green" in rules(found)) == short


def test_states_that_do_not_fit_are_found(tmp_path: Path) -> None:
    """Letters too many are a warning, as SUMO has it; letters too few an error, as SUMO refuses them."""
    long = findings(tmp_path, (20, "rGrrrrrGrrrrr"), (3, "ryrrrrryrrrrr"), (9, RED + "r"))
    assert {(f.rule, f.severity) for f in long if f.rule == "letters"} == {("letters", "warning")}
    assert any("Unused states" in line for line in opinion(load("cross"), [tmp_path / "x.add.xml"]).lines)
    few = findings(tmp_path, (20, "rGr"), (3, "ryr"))
    assert ("letters", "error") in {(f.rule, f.severity) for f in few}


def test_findings_are_data_and_sentences(tmp_path: Path) -> None:
    """A finding says light, program, groups, links and what to change, and survives JSON."""
    found = findings(tmp_path, (20, "rGrrrrrGrrrr"), (9, RED))
    again = json.loads(as_json(found))
    assert [one["rule"] for one in again] == [one.rule for one in found]
    first = next(one for one in found if one.rule == "yellow")
    assert first.source.endswith("x.add.xml")
    assert first.links == (1,)
    assert str(first).startswith("error: light 0, program x, yellow: E straight turns from green to red without yellow")


def test_branches_of_a_program_are_followed() -> None:
    """With `next`, the shortest of the ways counts: a green, a yellow, and a gap are measured along it."""
    steps = (
        ProgramStep(10.0, "Gr", following=(1, 3)),
        ProgramStep(3.0, "yr"),
        ProgramStep(20.0, "rG", following=(4,)),
        ProgramStep(1.0, "yr", following=(2,)),
        ProgramStep(3.0, "ry", following=(0,)),
    )
    course = Course(Program("x", "static", 0.0, steps))
    assert [course.amber_from(0, step) for _, step in course.ends_of_green(0)] == [3.0, 1.0]
    assert course.gap(0, 1) == (1.0, 1.0, 0)
    assert course.gap(1, 0) == (3.0, 3.0, 2)
    assert course.shortest_green(1) == (20.0, 2)


def test_actuated_programs_count_their_least() -> None:
    """The shortest an actuated step can be is its minDur; a static one ignores it."""
    steps = (ProgramStep(30.0, "G", min_duration=4.0), ProgramStep(3.0, "y"), ProgramStep(5.0, "r"))
    assert Course(Program("x", "actuated", 0.0, steps)).shortest_green(0) == (4.0, 0)
    assert Course(Program("x", "static", 0.0, steps)).shortest_green(0) == (30.0, 0)
