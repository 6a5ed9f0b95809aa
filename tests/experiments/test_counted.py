"""Counts as demand: SUMO's sampler meets counts that came from the scenario's own vehicles, and it is said how well."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from signalwright.core.errors import CountsError, InputError
from signalwright.experiments.counted import counted_flows, sample_routes
from signalwright.networks.demand import driven_flows, driven_routes
from signalwright.networks.netfile import read_lights
from sumo_material import load


def turn_counts(folder: Path) -> Path:
    """The turns of the shipped crossing's first hour in four intervals, as a CSV."""
    routes, hours = driven_routes(load("shipped-cross"))
    turns = Counter(turn for route in routes for turn in pairwise(route))
    rows = [f"{a},{b},{900 * k},{count / hours / 4:.0f}" for (a, b), count in turns.items() for k in range(4)]
    path = folder / "turns.csv"
    path.write_text("\n".join(["from,to,begin,count", *rows]))
    return path


def test_sampled_routes_meet_the_counts(tmp_path: Path) -> None:
    """Every turn count is met with a GEH under 5, and the words say so; the file is not written over."""
    counts = turn_counts(tmp_path)
    found = sample_routes("cross", [counts], tmp_path / "out.rou.xml")
    assert all(met.geh < 5.0 for met in found.met)
    assert f"{len(found.met)} of {len(found.met)} counts" in found.words
    with pytest.raises(InputError, match="already"):
        sample_routes("cross", [counts], tmp_path / "out.rou.xml")


def test_counted_flows_are_those_of_the_demand(tmp_path: Path) -> None:
    """Turn counts of the demand give the planner the demand's flows, to the rounding of the counts."""
    scenario = load("shipped-cross")
    flows, remarks = counted_flows("cross", [turn_counts(tmp_path)])
    truth = driven_flows(scenario, read_lights(scenario, "safe"))
    for name, of_light in truth.items():
        assert flows[name] == pytest.approx(of_light, abs=4.0)
    assert remarks == []


def test_loop_counts_cannot_be_sampled(tmp_path: Path) -> None:
    """Routes need counts of edges or turns."""
    path = tmp_path / "loops.csv"
    path.write_text("detector,begin,count\na,0,10\n")
    with pytest.raises(CountsError, match="edges or turns only"):
        sample_routes("cross", [path], tmp_path / "out.rou.xml")
