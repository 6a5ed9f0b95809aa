"""A finished batch made of drawn numbers instead of simulations, for tests of what comes after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from signalwright.experiments.batch import BatchDirectory
from signalwright.experiments.crossings import MOVEMENT_SCHEMA
from signalwright.experiments.lanes import LANE_SCHEMA
from signalwright.experiments.metrics import TRIP_SCHEMA
from signalwright.experiments.result import Result, result_files
from signalwright.experiments.spec import BatchSpec, batch
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import scenario_path

ARMS = ["plan", "better", "same & <odd>"]
SPEC = {"scenarios": "cross", "controllers": ARMS, "seeds": 12, "jitter": 30.0}


def make(folder: Path, means: dict[str, float] | None = None, lanes: bool = True, seeds: int = 12) -> BatchSpec:
    """A batch of three arms on `cross`, with `means` of delay by arm [s]; the seed's share is the same in all arms."""
    spec = batch("made", SPEC | {"seeds": seeds})
    means = means or {"plan": 40.0, "better": 30.0, "same & <odd>": 40.0}
    directory = BatchDirectory(folder)
    directory.claim()
    source = scenario_path("cross")
    keys = []
    for run in spec.runs():
        rng = np.random.default_rng(run.seed)
        luck = rng.normal(0, 5)
        noise = np.random.default_rng([run.seed, len(run.arm)]).normal(0, 0.5)
        delays = np.maximum(0, means[run.arm] + luck + noise + rng.normal(0, 8, 200))
        key = f"{run.arm[:4].strip()}{run.seed:02d}"
        keys.append(key)
        directory.keep(key, result_files(_result(run.arm, run.seed, delays, source, lanes)))
    directory.describe(spec.model_dump(mode="json"), keys)
    directory.tabulate(keys)
    return spec


def _result(arm: str, seed: int, delays: np.ndarray, source: Path, lanes: bool) -> Result:
    n = len(delays)
    trips = pl.DataFrame(
        {name: [None] * n for name in TRIP_SCHEMA}
        | {
            "id": [f"v{k}" for k in range(n)],
            "scheduled": np.linspace(0, 3599, n),
            "time_loss": delays,
            "depart_delay": np.zeros(n),
        },
        schema=TRIP_SCHEMA,
    )
    row = {
        "scenario": "cross", "controller": arm, "timing": "safe", "seed": seed, "begin": 0.0, "end": 3600.0, "scale": 1.0,
        "jitter": 30.0, "delay": float(delays.mean()), "trip_time": 90.0 + seed / 10, "time_loss": float(delays.mean()),
        "depart_delay": 0.0, "waiting_time": 20.0 + seed / 10, "stops": 1.0 + seed / 100, "p95_delay": float(np.quantile(delays, 0.95)),
        "scheduled": n, "inserted": n, "arrived": n, "teleports": 0, "collisions": 0, "emergency_brakings": 1,
        "pedestrians": 0, "pedestrian_delay": 0.0, "longest_red": 60.0 + seed,
        "wall_s": 1.0, "peak_mib": 300.0 + seed,
    }  # fmt: skip
    tables = {}
    if lanes:
        more = 10.0 * ARMS.index(arm)
        moves = [("cross", "west", "east", 100, 10.0 + more, 40.0), ("cross", "south", "east", 50, 20.0 + more, 60.0)]
        names = [
            lane.name for light in read_lights(read_scenario(source)).values() for lane in light.intersection.lanes
        ]
        rows = [(name[:-2], name, 100, 100.0 * (k + 1), 50.0, 3.0, 9.0) for k, name in enumerate(names)]
        tables = {
            "lanes.parquet": pl.DataFrame(rows, schema=LANE_SCHEMA, orient="row"),
            "movements.parquet": pl.DataFrame(moves, schema=MOVEMENT_SCHEMA, orient="row"),
        }
    return Result(row, trips, {"format": 1, "scenario_file": str(source)}, tables)
