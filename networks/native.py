"""SUMO's own ways of running a light, as reference arms: the program of the net, or the same steps under its adaptive types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args
from xml.sax.saxutils import quoteattr

from ..core.errors import InputError
from .detectors import write_whole
from .light import Light, Program
from .programs import GREEN, YELLOW

Native = Literal["plan", "sumo-actuated", "sumo-delay-based"]

NATIVE: dict[str, str | None] = {"plan": None, "sumo-actuated": "actuated", "sumo-delay-based": "delay_based"}
"""Name of the arm -> SUMO's type of program; None leaves the light as it is."""

MIN_GREEN = 5
MAX_GREEN = 50
"""Bounds [s] of every green step; all else is SUMO's default."""


def write_programs(path: Path, lights: Mapping[str, Light], arms: Mapping[str, str]) -> bool:
    """Write an additional file with a program for each light whose arm is adaptive; SUMO runs the program it loads last.

    Says whether there was anything to write. Raises InputError for an unknown arm or light, OSError; leaves nothing half-written.
    """
    lines = []
    for name, arm in arms.items():
        if arm not in NATIVE:
            raise InputError(f"light {name}: {arm} is no strategy of SUMO's own; it has {', '.join(get_args(Native))}")
        if name not in lights:
            raise InputError(f"there is no light {name}; the scenario has {', '.join(sorted(lights))}")
        kind = NATIVE[arm]
        if kind is not None:
            light = lights[name]
            lines += _logic(light.programs[light.active], name, arm, kind)
    if lines:
        write_whole(path, "\n".join(["<additional>", *lines, "</additional>\n"]))
    return bool(lines)


def _logic(program: Program, light: str, name: str, kind: str) -> list[str]:
    lines = [f'    <tlLogic id={quoteattr(light)} programID="{name}" type="{kind}" offset="{program.offset:g}">']
    for step in program.steps:
        shown = set(step.state)
        bounds = f' minDur="{MIN_GREEN}" maxDur="{MAX_GREEN}"' if shown & GREEN and not shown & YELLOW else ""
        lines.append(f'        <phase duration="{step.duration:g}" state="{step.state}"{bounds}/>')
    lines.append("    </tlLogic>")
    return lines
