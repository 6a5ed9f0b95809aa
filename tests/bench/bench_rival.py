"""Our closed loop beside that of sumo-rl, side by side in one run: `python tests/bench/bench_rival.py PYTHON [SCENARIO]`.

PYTHON is the interpreter of an environment that has sumo-rl (it needs libsumo and traci there). Both take a random stage at every light
every 5 s on the same map and demand; ours reads every loop each second besides, estimates, and decides through the sequencer. Every
round runs each way once, in a process of its own; the least of the rounds counts. Timed is the episode with SUMO's start, but no import.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from signalwright.core.estimate import Estimate
from signalwright.core.intersection import Intersection
from signalwright.core.loop import Junction, run
from signalwright.core.ports import Wish
from signalwright.core.state import TrafficState
from signalwright.networks.detectors import place_loops
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import SHIPPED
from signalwright.networks.sumo import open_street

INTERVAL = 5
"""Seconds from one decision to the next, of both."""


class AnyStage:
    """Asks for a random stage every 5 s."""

    def __init__(self, site: Intersection, rng: np.random.Generator) -> None:
        self._stages, self._rng = len(site.stages), rng

    def decide(self, state: TrafficState) -> Wish:
        """A stage, or None between decisions."""
        return int(self._rng.integers(self._stages)) if round(state.time) % INTERVAL == 0 else None


def ours(path: Path, seconds: float, transport: str) -> None:
    """Run ours once and print processor and wall time [s], SUMO's included."""
    scenario = read_scenario(path)
    lights, rng = place_loops(scenario, read_lights(scenario)), np.random.default_rng(1)
    end = scenario.begin + seconds
    with tempfile.TemporaryDirectory() as folder:
        for last in (scenario.begin + 2, end):  # the first time loads the kernels
            before, began = os.times(), time.perf_counter()
            with open_street(
                scenario,
                lights,
                outputs=Path(folder),
                seed=1,
                end=last,
                transport="traci" if transport == "traci" else "libsumo",
            ) as street:
                cabinets = street.cabinets.values()
                run(street, [Junction(c, Estimate(c.intersection), AnyStage(c.intersection, rng)) for c in cabinets])
            wall, after = time.perf_counter() - began, os.times()
            used = sum(after[:4]) - sum(before[:4])
    print(f"{used:.2f} {wall:.2f}")


def theirs(python: str, path: Path, seconds: float) -> list[str]:
    """The command that runs sumo-rl once."""
    scenario = read_scenario(path)
    script = Path(__file__).with_name("rival_sumo_rl.py")
    routes = ",".join(map(str, scenario.routes))
    return [python, str(script), str(scenario.net), routes, f"{scenario.begin:.0f}", f"{seconds:.0f}"]


def main() -> None:
    """Run every way in turn and print simulated seconds per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python")
    parser.add_argument("scenario", nargs="?", default="grid")
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--transports", nargs="+", choices=("traci", "libsumo"), default=["traci", "libsumo"])
    parser.add_argument("--ours", choices=("libsumo", "traci"), help=argparse.SUPPRESS)
    said = parser.parse_args()
    path = Path(SHIPPED.get(said.scenario, said.scenario)).resolve()
    if said.ours:
        ours(path, said.seconds, said.ours)
        return
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for _ in range(said.rounds):
        for transport in said.transports:
            for who in ("ours", "sumo-rl"):
                mine = [
                    sys.executable,
                    __file__,
                    said.python,
                    str(path),
                    "--seconds",
                    f"{said.seconds}",
                    "--ours",
                    transport,
                ]
                command = mine if who == "ours" else theirs(said.python, path, said.seconds)
                clean = {
                    k: v for k, v in os.environ.items() if k not in ("LIBSUMO_AS_TRACI", "SUMO_HOME", "PYTHONPATH")
                }
                if who == "ours":
                    clean = dict(os.environ)
                elif transport == "libsumo":
                    clean["LIBSUMO_AS_TRACI"] = "1"
                with tempfile.TemporaryDirectory() as folder:
                    done = subprocess.run(command, env=clean, cwd=folder, capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(f"{who} over {transport}:\n{done.stderr[-2000:]}")
                used, wall = (float(word) for word in done.stdout.split("\n")[-2].split()[:2])
                known = best.get((transport, who), (float("inf"), float("inf")))
                best[transport, who] = (min(known[0], used), min(known[1], wall))
    print(
        f"{path.stem}, {said.seconds:g} s, a random stage every {INTERVAL} s: simulated seconds per second of wall / of processor time"
    )
    for transport in said.transports:
        for who in ("ours", "sumo-rl"):
            used, wall = best[transport, who]
            print(f"  {transport:8s} {who:8s} {said.seconds / wall:8.0f} / {said.seconds / used:8.0f}")
        (mine_used, mine_wall), (used, wall) = best[transport, "ours"], best[transport, "sumo-rl"]
        print(f"  {transport:8s} ours is {wall / mine_wall:.1f} / {used / mine_used:.1f} times as fast")


if __name__ == "__main__":
    main()
