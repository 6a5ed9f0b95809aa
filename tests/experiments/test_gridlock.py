"""Gridlock: told from the trips alone, and told apart from queues that grow and from traffic that ebbs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from signalwright.experiments.gridlock import locked, time_to_clear
from signalwright.experiments.trial import Trial, tried
from signalwright.networks.netfile import read_lights
from sumo_material import load, write_programs

END = 3600.0


def trips(arrivals: list[float], left: int) -> pl.DataFrame:
    """Vehicles that arrive then, and some that never do; a trip takes 60 s without hindrance."""
    n = len(arrivals) + left
    return pl.DataFrame(
        {
            "scheduled": np.linspace(0.0, END, n, endpoint=False),
            "arrival": [*arrivals, *(None for _ in range(left))],
            "duration": [90.0] * n,
            "time_loss": [30.0] * n,
        },
        schema_overrides={"arrival": pl.Float64},
    )


def test_when_nobody_arrives_any_more_it_is_a_gridlock() -> None:
    """A vehicle every 5 s until half past, then none."""
    table = trips([float(t) for t in range(100, 1800, 5)], 380)
    assert locked(table, END)
    assert time_to_clear(table, END) == 380 * 600.0


def test_a_queue_that_grows_at_a_steady_throughput_is_none() -> None:
    """A vehicle arrives every 5 s to the end; 400 that came above capacity wait."""
    assert not locked(trips([float(t) for t in range(100, 3600, 5)], 400), END)


def test_traffic_that_ebbs_is_none() -> None:
    """Most have arrived early; in the end few come, and few are left."""
    assert not locked(trips([*(float(t) for t in range(100, 1800, 5)), 2500.0, 3100.0, 3500.0], 2), END)


def test_no_vehicles_no_gridlock() -> None:
    """An empty window is not locked."""
    assert not locked(trips([], 0), END)


@pytest.mark.parametrize("red", [True, False])
def test_a_light_that_stays_red_locks_its_roads(tmp_path: Path, red: bool) -> None:
    """In SUMO the shipped crossing locks when it turns red for good after a quarter of an hour, and not under its own plan."""
    scenario = load("shipped-cross")
    ((name, light),) = read_lights(scenario).items()
    own = [(round(step.duration), step.state) for step in light.programs[light.active].steps]
    laps = round(900 / sum(duration for duration, _ in own))
    path = write_programs(tmp_path / "red.add.xml", {(name, "red"): [*(own * laps), (9999, "r" * light.n_letters)]})
    row = tried(Trial("cross", "red", 1, (str(path),) if red else (), end=2400.0))
    assert row["locked"] is red
