"""The signal programs of a scenario, from its net and its additional files, in SUMO's order of loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.errors import InputError
from .light import Program, ProgramStep
from .scenario import Scenario, elements

LETTERS = frozenset("rygGsuoOY")
"""Every signal letter SUMO knows."""

GREEN = frozenset("gG")
YELLOW = frozenset("yY")


def read_programs(scenario: Scenario) -> dict[str, dict[str, Program]]:
    """Light -> program name -> program. The one loaded last is the one SUMO runs, so it stands last.

    Raises InputError for a state of unknown letters or of uneven length, naming file, light and program.
    """
    programs: dict[str, dict[str, Program]] = {}
    for path in (scenario.net, *scenario.additionals):
        for element in elements(path, "tlLogic"):
            program = _program(path, element)
            if program is not None:
                of_light = programs.setdefault(element.get("id"), {})
                of_light.pop(program.name, None)
                of_light[program.name] = program
    return programs


def _program(path: Path, element: Any) -> Program | None:
    light, name = element.get("id"), element.get("programID", "0")
    where = f"{path}: light {light}, program {name}"
    if light is None:
        raise InputError(f"{path}: a tlLogic has no id; give it the name of its light")
    steps = tuple(_step(where, child) for child in element.iter("phase"))
    if not steps:
        return None  # it only adds parameters to a program known already
    if len({len(step.state) for step in steps}) > 1:
        raise InputError(f"{where}: its states differ in length; give each step one letter for every link")
    try:
        offset = float(element.get("offset", "0"))
    except ValueError:
        offset = 0.0  # "begin": the program starts when the simulation does
    return Program(name, element.get("type", "static"), offset, steps, str(path))


def _step(where: str, element: Any) -> ProgramStep:
    state = element.get("state", "")
    strange = sorted(set(state) - LETTERS)
    if strange or not state:
        raise InputError(f"{where}: state {state!r} is no signal state; use the letters {' '.join(sorted(LETTERS))}")
    try:
        return ProgramStep(
            duration=float(element.get("duration", "0")),
            state=state,
            min_duration=_number(element, "minDur"),
            max_duration=_number(element, "maxDur"),
            following=tuple(int(number) for number in element.get("next", "").split()),
        )
    except ValueError as error:
        raise InputError(f"{where}: a step has a duration that is no number; give seconds") from error


def _number(element: Any, key: str) -> float | None:
    value = element.get(key)
    return None if value is None else float(value)
