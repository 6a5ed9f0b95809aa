"""What the closed loop costs over bare SUMO, side by side: `python tests/bench/bench_loop.py [SCENARIO ...]`.

Every round runs each way once, so that a busy machine slows all of them alike; the least of the rounds counts, in wall
time and in processor time (SUMO's process over TraCI included). `bare` is SUMO's own program with the net's plan;
`same traffic` is the closed run replayed without the loop: SUMO stepped in process, shown the same letters, no detector
defined. What the loop costs is closed / same traffic; what a user waits for is closed / bare.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from signalwright.controllers import load_controller
from signalwright.core.estimate import Estimate
from signalwright.core.loop import Junction, run
from signalwright.networks.detectors import place_loops
from signalwright.networks.light import Light
from signalwright.networks.netfile import read_lights
from signalwright.networks.options import Outputs, options_of
from signalwright.networks.scenario import Scenario, read_scenario
from signalwright.networks.shipped import SHIPPED
from signalwright.networks.simulator import InProcess, find_sumo
from signalwright.networks.sumo import Transport, open_street

SHARED = Path(__file__).resolve().parents[3] / "shared" / "scenarios" / "resco"
Letters = list[list[tuple[str, str]]]
WAYS = ("bare", "same traffic", "libsumo", "traci")


def timed(way: Callable[[], None]) -> tuple[float, float]:
    """Wall time and processor time [s] of a way, with its child processes."""
    before = os.times()
    way()
    after = os.times()
    used = sum(after[:4]) - sum(before[:4])
    return after.elapsed - before.elapsed, used


def bare(scenario: Scenario, end: float, folder: Path) -> None:
    """SUMO by itself."""
    sumo, outputs = find_sumo(), Outputs(folder)
    command = [str(sumo.program()), *options_of(scenario, outputs, seed=1, end=end)]
    subprocess.run(command, check=True, env=sumo.environment(), capture_output=True)


def closed(
    scenario: Scenario,
    lights: dict[str, Light],
    name: str,
    end: float,
    folder: Path,
    transport: Transport,
    keep: Letters | None = None,
) -> None:
    """The whole loop: every loop read each second, estimate, decide, show."""
    controller = load_controller(name)
    with open_street(scenario, lights, outputs=folder, seed=1, end=end, transport=transport) as street:
        if keep is not None:
            street._simulator = Noting(street._simulator, keep)  # type: ignore[assignment]
        junctions = [
            Junction(c, Estimate(c.intersection), controller(c.intersection)) for c in street.cabinets.values()
        ]
        run(street, junctions)


class Noting:
    """A simulator that keeps the letters it was given."""

    def __init__(self, simulator: object, keep: Letters) -> None:
        self._simulator, self._keep = simulator, keep

    def step(self, letters: Sequence[tuple[str, str]]) -> None:
        self._keep.append(list(letters))
        self._simulator.step(letters)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._simulator, name)


def replayed(scenario: Scenario, letters: Letters, end: float, folder: Path) -> None:
    """The traffic of the closed run, with nothing read."""
    outputs = Outputs(folder)
    simulator = InProcess(find_sumo(), options_of(scenario, outputs, seed=1, end=end), outputs.log)
    for shown in letters:
        simulator.step(shown)
    simulator.close()


def measure(path: Path, controller: str, seconds: float | None, rounds: int) -> dict[str, tuple[float, float]]:
    """The least wall and processor time [s] of every way."""
    scenario = read_scenario(path)
    end = scenario.end if seconds is None else scenario.begin + seconds
    if end is None:
        raise SystemExit(f"{path} has no end; say --seconds")
    lights = place_loops(scenario, read_lights(scenario))
    letters: Letters = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        closed(scenario, lights, controller, end, out, "libsumo", letters)
        ways: dict[str, Callable[[], None]] = {
            "bare": lambda: bare(scenario, end, out),
            "same traffic": lambda: replayed(scenario, letters, end, out),
            "libsumo": lambda: closed(scenario, lights, controller, end, out, "libsumo"),
            "traci": lambda: closed(scenario, lights, controller, end, out, "traci"),
        }
        best = dict.fromkeys(ways, (float("inf"), float("inf")))
        for _ in range(rounds):
            for name, way in ways.items():
                wall, used = timed(way)
                best[name] = (min(best[name][0], wall), min(best[name][1], used))
    return best


def main() -> None:
    """Print the table."""
    known = {name: SHARED / name / f"{name}.sumocfg" for name in ("ingolstadt7", "grid4x4")} | SHIPPED
    parser = argparse.ArgumentParser()
    parser.add_argument("scenarios", nargs="*", default=["ingolstadt7", "grid4x4"])
    parser.add_argument("--controller", default="max-pressure")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    for name in said.scenarios:
        best = measure(known.get(name, Path(name)), said.controller, said.seconds, said.rounds)
        print(f"{Path(name).stem}, {said.controller}, seconds of wall and of processor time")
        for way, (wall, used) in best.items():
            over = ", ".join(f"{wall / best[base][0]:.2f} / {used / best[base][1]:.2f} x {base}" for base in WAYS[:2])
            print(f"  {way:12s} {wall:6.2f} / {used:6.2f}   {over}")


if __name__ == "__main__":
    main()
