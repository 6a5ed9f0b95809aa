"""Nets that others made, and what SUMO itself says of programs: the second opinion for the tests of `networks`."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sumo

from signalwright.networks.scenario import Scenario, read_scenario
from signalwright.networks.shipped import SHIPPED, scenario_path

HOME = Path(sumo.SUMO_HOME)
GAME = HOME / "tools" / "game"
RILSA = HOME / "tools" / "sumolib" / "scenario" / "scenarios"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "scenarios"

WHEEL: dict[str, Path] = {
    "cross": GAME / "cross.sumocfg",
    "corridor": GAME / "corridor.sumocfg",
    "grid6": GAME / "grid6.sumocfg",
    "square": GAME / "square.sumocfg",
    "ramp": GAME / "ramp.sumocfg",
    "rail": GAME / "rail.sumocfg",
    "A10KW": GAME / "A10KW.sumocfg",
    "bs3d": GAME / "bs3d.sumocfg",
    "many-programs": GAME / "fkk_in.sumocfg",
    "bicycles": GAME / "fokr_bs_demo.sumocfg",
    "hiking": GAME / "hiking" / "hiking.net.xml",
    "highway": GAME / "highway" / "highway.net.xml",
    "kuehne": GAME / "kuehne" / "kuehne.net.xml",
    "rilsa": RILSA / "RiLSA1" / "rilsa1.net.xml",
    "rilsa-both": RILSA / "RiLSA1BothTLS" / "rilsa1both.net.xml",
    "rilsa-2": RILSA / "RealWorld" / "RiLSA_example2" / "rilsa2.net.xml",
}
"""Nets with lights in the eclipse-sumo wheel: crossings, bicycles signalled twice, many programs, rails, ramps."""


def everything() -> dict[str, Path]:
    """Name -> scenario: shipped, from the wheel, and from the shared folder where there is one."""
    shared = sorted(SHARED.rglob("*.sumocfg")) if SHARED.is_dir() else []
    return (
        {f"shipped-{name}": scenario_path(name) for name in SHIPPED}
        | WHEEL
        | {f"shared-{path.parent.name}": path for path in shared}
    )


@dataclass(frozen=True)
class Opinion:
    """SUMO's warnings at load. Keys are (light, program); values signal indices, or steps for `unsafe` and `red_at`.

    Of the indices that miss a yellow at one change of step SUMO names the first.
    """

    missing_yellow: Mapping[tuple[str, str], frozenset[int]]
    red_at: Mapping[tuple[str, str], frozenset[int]]
    missing_green: Mapping[tuple[str, str], frozenset[int]]
    unsafe: Mapping[tuple[str, str], frozenset[int]]
    mutual: frozenset[tuple[str, str]]
    lines: tuple[str, ...]


def opinion(scenario: Scenario, additionals: Sequence[Path] | None = None) -> Opinion:
    """Let SUMO load the net and the programs, and nothing else, and read what it warns of."""
    files = [path for path in scenario.additionals if b"<tlLogic" in path.read_bytes()]
    files += additionals or []
    command = [str(HOME / "bin" / "sumo"), "-n", str(scenario.net), "--end", "1", "--no-step-log", "true"]
    command += ["--xml-validation", "never", *(["-a", ",".join(map(str, files))] if files else [])]
    environment = dict(os.environ, SUMO_HOME=str(HOME), PROJ_DATA=str(HOME / "data" / "proj"))
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout + done.stderr
    return Opinion(
        missing_yellow=_by_program(text, r"Missing yellow phase in tlLogic '(.*?)', program '(.*?)' for tl-index (\d+)"),
        red_at=_by_program(text, r"Missing yellow phase in tlLogic '(.*?)', program '(.*?)' for .*? switching to phase (\d+)"),
        missing_green=_by_program(text, r"Missing green phase in tlLogic '(.*?)', program '(.*?)' for tl-index (\d+)"),
        unsafe=_by_program(re.sub(r"Unsafe green phase (\d+) in tlLogic '(.*?)', program '(.*?)'", r"@\2@\3@\1@", text),
                           r"@(.*?)@(.*?)@(\d+)@"),
        mutual=frozenset(
            (light, program)
            for program, light in re.findall(r"Program '(.*?)' at tlLogic '(.*?)' is incompatible", text)
        ),
        lines=tuple(line for line in text.splitlines() if line.startswith("Warning") and "tlLogic" in line),
    )  # fmt: skip


def write_programs(path: Path, programs: Mapping[tuple[str, str], Sequence[tuple[float, str]]]) -> Path:
    """Write (light, program) -> [(duration, state)] as an additional file."""
    text = ["<additional>"]
    for (light, name), steps in programs.items():
        text.append(f'<tlLogic id="{light}" type="static" programID="{name}" offset="0">')
        text += [f'<phase duration="{duration:g}" state="{state}"/>' for duration, state in steps]
        text.append("</tlLogic>")
    path.write_text("\n".join([*text, "</additional>"]), encoding="utf-8")
    return path


def with_additional(scenario: Scenario, path: Path) -> Scenario:
    """The scenario with one more additional file."""
    return Scenario(
        name=scenario.name, source=scenario.source, net=scenario.net, additionals=(*scenario.additionals, path)
    )


def load(name: str) -> Scenario:
    """A scenario of `everything` by name."""
    return read_scenario(everything()[name])


def _by_program(text: str, pattern: str) -> dict[tuple[str, str], frozenset[int]]:
    found: dict[tuple[str, str], set[int]] = {}
    for light, program, number in re.findall(pattern, text):
        found.setdefault((light, program), set()).add(int(number))
    return {key: frozenset(numbers) for key, numbers in found.items()}
