"""Full view: what the simulator knows, and nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec
from signalwright.networks.detectors import place_loops
from signalwright.networks.fullview import SIGHT, SLOW, FullView
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import scenario_path
from signalwright.networks.sumo import open_street

pytest.importorskip("libsumo")


def test_queues_are_the_simulator_s(tmp_path: Path) -> None:
    """Each approach lane's queue holds all slow vehicles on it within sight; with the arrivals it is all that are bound for the light."""
    import libsumo

    scenario = read_scenario(scenario_path("cross"))
    lights = place_loops(scenario, read_lights(scenario), "placed")
    with open_street(scenario, lights, outputs=tmp_path, seed=1, end=300.0) as street:
        (cabinet,) = street.cabinets.values()
        view = FullView(cabinet.light, street)
        most = 0.0
        while street.tick():
            state = view.update(cabinet.read(), cabinet.status())
            cabinet.request(int(street.time // 30) % len(cabinet.intersection.stages), state.calls)
            for row, lane in enumerate(cabinet.intersection.lanes):
                length = libsumo.lane.getLength(lane.name)
                on_lane = libsumo.lane.getLastStepVehicleIDs(lane.name)
                near = [v for v in on_lane if length - libsumo.vehicle.getLanePosition(v) <= SIGHT]
                slow = sum(libsumo.vehicle.getSpeed(v) < SLOW for v in near)
                assert state.queue[row] >= slow
                assert state.queue[row] + state.arrivals[row].sum() >= len(near) - 1
                most = max(most, slow)
            bound = [v for v in street.approaching("cross") if v.distance <= SIGHT]
            assert state.queue.sum() + state.arrivals.sum() == len(bound)
        assert most >= 3


def test_marked() -> None:
    """A run with the full view says so in its row, its manifest and the name of its arm; over TraCI it is refused."""
    result = run_once(RunSpec("cross", "max-pressure", end=90.0, view="full"))
    assert (result.row["view"], result.row["controller"], result.manifest["spec"]["view"]) == (
        "full",
        "max-pressure, full view",
        "full",
    )
    with pytest.raises(InputError, match="libsumo only"):
        run_once(RunSpec("cross", "max-pressure", end=30.0, view="full", transport="traci"))
    with pytest.raises(InputError, match="did you mean 'full'"):
        RunSpec("cross", "max-pressure", view="ful")  # type: ignore[arg-type]
