"""Counts as demand: SUMO's sampler meets counts that came from the scenario's own vehicles, and it is said how well."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from signalwright.core.errors import CountsError, InputError
from signalwright.experiments.counted import counted_flows, sample_routes
from signalwright.experiments.countedscenario import counted_scenario
from signalwright.networks.demand import driven_flows, driven_routes
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import elements, read_scenario
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
    counted = counted_flows("cross", [turn_counts(tmp_path)])
    truth = driven_flows(scenario, read_lights(scenario, "safe"))
    for name, of_light in truth.items():
        assert counted.flows[name] == pytest.approx(of_light, abs=4.0)
    assert [*counted.remarks] == [
        "counts from 00:00:00 to 01:00:00: 4 intervals of 15 min, of 16 places",
        "4 counts are of places that belong to no light; they are not used",
    ]
    assert counted.shape == pytest.approx((1.0,) * 4)


def test_only_the_window_asked_for_counts(tmp_path: Path) -> None:
    """Of a whole day the scenario's hour is taken, or the one that is asked for; a mean over the whole day is said to be one."""
    rows = [line.split(",") for line in turn_counts(tmp_path).read_text().splitlines()[1:]]
    day = tmp_path / "day.csv"
    hours = {0: 1, 3600: 2, **{3600 * k: 3 for k in range(2, 24)}}
    made = [f"{a},{b},{int(at) + hour},{times * int(n)}" for hour, times in hours.items() for a, b, at, n in rows]
    day.write_text("\n".join(["from,to,begin,count", *made]))
    first = counted_flows("cross", [turn_counts(tmp_path)]).flows["cross"]
    assert counted_flows("cross", [day]).flows["cross"] == pytest.approx(first)
    second = counted_flows("cross", [day], begin=3600.0, end=7200.0)
    assert second.flows["cross"] == pytest.approx({name: 2 * flow for name, flow in first.items()})
    assert second.remarks[0].startswith("counts from 01:00:00 to 02:00:00: 4 intervals")
    whole = counted_flows("cross", [day], begin=0.0, end=86400.0)
    assert "give --begin and --end for a peak" in whole.remarks[1]
    with pytest.raises(CountsError, match="nothing was counted from 90000 to 93600 s"):
        counted_flows("cross", [day], begin=90000.0, end=93600.0)


def test_a_plan_for_counts_is_tried_under_them(tmp_path: Path) -> None:
    """Half of the demand counted: the scenario that is simulated carries half of it, each turn with a GEH under 5, walkers as before;
    nothing is written over."""
    counted = counted_flows("cross", [turn_counts(tmp_path)])
    half = replace(counted, flows={"cross": {name: flow / 2 for name, flow in counted.flows["cross"].items()}})
    made, words = counted_scenario("cross", half, tmp_path / "out")
    assert words.startswith("12 of 12 counts are met with a GEH under 5")
    read, own = read_scenario(made), load("shipped-cross")
    lights = read_lights(read, "safe")
    driven = driven_flows(read, lights)["cross"]
    for movement in lights["cross"].intersection.movements:
        if movement.lanes:
            assert driven[movement.name] == pytest.approx(half.flows["cross"][movement.name], abs=25.0)
    assert sum(driven.values()) == pytest.approx(sum(half.flows["cross"].values()), rel=0.02)
    walkers = [sum(1 for _ in elements(path, "person", "personFlow")) for path in (read.routes[0], own.routes[0])]
    assert walkers[0] == walkers[1] > 0
    with pytest.raises(InputError, match="already"):
        counted_scenario("cross", half, tmp_path / "out")


def test_loop_counts_cannot_be_sampled(tmp_path: Path) -> None:
    """Routes need counts of edges or turns."""
    path = tmp_path / "loops.csv"
    path.write_text("detector,begin,count\na,0,10\n")
    with pytest.raises(CountsError, match="edges or turns only"):
        sample_routes("cross", [path], tmp_path / "out.rou.xml")
