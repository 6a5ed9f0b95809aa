"""The estimator's error against the simulator's truth, which no controller ever sees.

    python tests/bench/estimate_error.py SCENARIO.sumocfg [--seed 1] [--begin S] [--end S]

Runs the adaptive controller on its loops and prints, for every lane: queue (vehicles under 2 m/s within 100 m of the stop line)
and vehicles due within ten seconds, true mean, bias and mean absolute error; the turning shares' mean absolute error after half
an hour; and the loops that were called faulty though none is.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from signalwright.controllers.adaptive import Adaptive
from signalwright.core.estimate import Estimate
from signalwright.experiments.spec import scenario_path
from signalwright.networks.detectors import place_loops
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.sumo import open_street

NEAR, SLOW, SOON, LEARNT = 100.0, 2.0, 10, 1800.0


def _truth(libsumo: Any) -> dict[str, list[tuple[int, float, float, str, float]]]:
    """Light -> (link, distance, speed, lane, allowed speed) of every vehicle whose next light it is."""
    found: dict[str, list[tuple[int, float, float, str, float]]] = defaultdict(list)
    vehicle = libsumo.vehicle
    for name in vehicle.getIDList():
        for light, link, distance, _ in vehicle.getNextTLS(name)[:1]:
            seen = (link, distance, vehicle.getSpeed(name), vehicle.getLaneID(name), vehicle.getAllowedSpeed(name))
            found[light].append(seen)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--begin", type=float)
    parser.add_argument("--end", type=float)
    arguments = parser.parse_args()
    scenario = read_scenario(scenario_path(arguments.scenario))
    lights = place_loops(scenario, read_lights(scenario, "resco"))
    errors: dict[tuple[str, str], list[tuple[float, float, float, float]]] = defaultdict(list)
    turns: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    alarms: dict[str, set[str]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("SUMO_HOME", None)
        street = open_street(
            scenario, lights, outputs=Path(folder), seed=arguments.seed, begin=arguments.begin, end=arguments.end
        )
        with street:
            import libsumo

            arms = {
                name: (street.cabinets[name], Estimate(light.intersection), Adaptive(light.intersection))
                for name, light in lights.items()
            }
            came_from: dict[str, str] = {}
            first = street.time
            while street.tick():
                truth = _truth(libsumo)
                if street.time - first > LEARNT:
                    for vehicle in libsumo.vehicle.getIDList():
                        lane = libsumo.vehicle.getLaneID(vehicle)
                        before = came_from.get(vehicle, "")
                        if lane.startswith(":"):
                            continue
                        edge = lane.rsplit("_", 1)[0]
                        if before and before.rsplit("_", 1)[0] != edge:
                            turns["", before][edge] += 1
                        came_from[vehicle] = lane
                for name, (cabinet, estimate, controller) in arms.items():
                    state = estimate.update(cabinet.read(), cabinet.status())
                    alarms[name] |= set(state.notes)
                    cabinet.request(controller.decide(state), state.calls)
                    lanes = cabinet.intersection.lanes
                    row = {lane.name: k for k, lane in enumerate(lanes)}
                    leads = {link.index: link.lane for link in lights[name].links if link.lane in row}
                    queue, due = np.zeros(len(lanes)), np.zeros(len(lanes))
                    for link, distance, speed, lane, allowed in truth[name]:
                        at = row.get(lane if lane in row else leads.get(link, ""), -1)
                        if at >= 0:
                            standing = speed < SLOW and distance < NEAR
                            queue[at] += standing
                            due[at] += standing or distance / max(allowed, 1.0) < SOON
                    thought = state.queue + state.arrivals[:, :SOON].sum(axis=1)
                    for k, lane in enumerate(lanes):
                        errors[name, lane.name].append((state.queue[k], queue[k], thought[k], due[k]))
            print(f"{'lane':32s} {'queue':>6s} {'bias':>6s} {'MAE':>6s}   {'in 10 s':>7s} {'bias':>6s} {'MAE':>6s}")
            every = np.concatenate([np.array(v) for v in errors.values()])
            for (_, name), rows in [*errors.items(), (("", "all lanes"), every)]:
                r = np.array(rows)
                dq, dn = r[:, 0] - r[:, 1], r[:, 2] - r[:, 3]
                print(
                    f"{name:32s} {r[:, 1].mean():6.2f} {dq.mean():+6.2f} {abs(dq).mean():6.2f}   "
                    f"{r[:, 3].mean():7.2f} {dn.mean():+6.2f} {abs(dn).mean():6.2f}"
                )
            shares = []
            for cabinet, estimate, _ in arms.values():
                for k, lane in enumerate(cabinet.intersection.lanes):
                    real = turns["", lane.name]
                    total = sum(
                        real.get(m.destination, 0) for m in cabinet.intersection.movements if lane.name in m.lanes
                    )
                    if total >= 30:
                        shares += [
                            abs(estimate.state.turning[k, m] - real.get(move.destination, 0) / total)
                            for m, move in enumerate(cabinet.intersection.movements)
                            if lane.name in move.lanes
                        ]
            if shares:
                print(f"turning shares after {LEARNT / 60:.0f} min: mean absolute error {np.mean(shares):.3f}")
    wrong, loops = sum(map(len, alarms.values())), sum(len(light.intersection.detectors) for light in lights.values())
    print(f"healthy loops called faulty at some time: {wrong} of {loops}")


if __name__ == "__main__":
    main()
