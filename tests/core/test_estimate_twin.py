"""The estimator's second, one kernel, against its plain twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from naive_estimate import STATE, NaiveEstimate
from signalwright.controllers import load_controller
from signalwright.core.aspects import Aspects
from signalwright.core.counts import Counts
from signalwright.core.estimate import Estimate, Estimates
from signalwright.core.intersection import Intersection
from signalwright.core.loop import Junction, run
from signalwright.core.ports import Status
from signalwright.core.state import TrafficState
from signalwright.networks.detectors import place_loops
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import SHIPPED
from signalwright.networks.sumo import open_street
from simple_sites import crossing


def agree(state: TrafficState, twin: NaiveEstimate) -> None:
    for name in STATE:
        if name == "inside" and np.isnan(state.inside) and np.isnan(twin.inside):
            continue  # neither can tell
        assert np.abs(np.subtract(getattr(state, name), getattr(twin, name), dtype=float)).max() < 1e-9, (
            state.time,
            name,
        )


@pytest.mark.parametrize("seed", range(3))
def test_kernel_estimates_as_its_plain_twin(seed: int) -> None:
    """Over a quarter of an hour of random pulses, greens and faulty loops, kernel and twin make the same state each second."""
    rng = np.random.default_rng(seed)
    site: Intersection = crossing(middle=("w_1", "n_0")[:seed])
    fast, slow, n = Estimate(site), NaiveEstimate(site), len(site.detectors)
    stuck, dead = rng.random(n) < 0.2, rng.random(n) < 0.2
    aspects, doubted = np.zeros(len(site.groups), dtype=np.int8), False
    for second in range(900):
        vehicles = (rng.random(n) < rng.choice((0.02, 0.3))).astype(np.int32) * rng.integers(1, 3, n, dtype=np.int32)
        occupancy = np.where(vehicles > 0, rng.random(n), np.where(rng.random(n) < 0.3, 1.0, 0.0))
        if seed and 200 < second < 600:
            occupancy = np.where(stuck, 1.0, np.where(dead, 0.0, occupancy))
            vehicles = np.where(stuck | dead, 0, vehicles).astype(np.int32)
        if second % int(rng.integers(4, 20)) == 0:
            aspects = rng.choice((0, 2, 2, 3), len(site.groups)).astype(np.int8)
        counts = Counts(float(second), 1.0, vehicles, occupancy, rng.random(n) < 0.0005)
        stage = int(rng.integers(-1, len(site.stages)))
        status = Status(second, stage, False, 9.0, aspects=None if second % 5 == 0 else Aspects(aspects))
        state = fast.update(counts, status)
        slow.update(counts, status)
        agree(state, slow)
        doubted |= bool((state.confidence < 0.9).any())
    assert doubted or not seed


def test_together_as_one_by_one() -> None:
    """Three estimators brought on together are in the same states as three brought on alone, to the last bit."""
    sites = [crossing(name) for name in "XYZ"]
    alone, grouped = [Estimate(site) for site in sites], [Estimate(site) for site in sites]
    together = Estimates(grouped)
    rng = np.random.default_rng(5)
    for second in range(400):
        heard = []
        for site in sites:
            n = len(site.detectors)
            vehicles = (rng.random(n) < 0.2).astype(np.int32)
            occupancy = np.where(vehicles > 0, rng.random(n), 0.0)
            counts = Counts(float(second), 1.0, vehicles, occupancy, rng.random(n) < 0.001)
            heard.append((counts, Status(second, int(rng.integers(2)), False, 9.0)))
        for one, state, (counts, status) in zip(alone, together.update(heard), heard, strict=True):
            other = one.update(counts, status)
            for name in STATE:
                assert np.array_equal(getattr(other, name), getattr(state, name), equal_nan=name == "inside"), (
                    second,
                    name,
                )
            assert other.notes == state.notes


def test_kernel_estimates_a_run_as_its_plain_twin(tmp_path: Path) -> None:
    """In ten minutes of SUMO on the shipped crossing under max pressure, kernel and twin make the same state each second."""
    scenario = read_scenario(SHIPPED["cross"])
    lights = place_loops(scenario, read_lights(scenario))
    twins = {name: NaiveEstimate(light.intersection) for name, light in lights.items()}
    compared = 0

    class Both:
        """An estimator beside its twin."""

        def __init__(self, site: Intersection) -> None:
            self._fast, self._slow = Estimate(site), twins[site.name]

        def update(self, counts: Counts, status: Status) -> TrafficState:
            nonlocal compared
            compared += 1
            state = self._fast.update(counts, status)
            self._slow.update(counts, status)
            agree(state, self._slow)
            return state

    make = load_controller("max-pressure")
    with open_street(scenario, lights, outputs=tmp_path, seed=3, end=scenario.begin + 600.0) as street:
        run(street, [Junction(c, Both(c.intersection), make(c.intersection)) for c in street.cabinets.values()])
    assert compared == 600 * len(lights)
    assert all(twin.rate.max() > 0.05 for twin in twins.values())
