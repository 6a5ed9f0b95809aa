"""Counts in: every format gives the same flows, gaps and dead detectors are told, what cannot be is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from signalwright.core.errors import CountsError, InputError
from signalwright.core.planning.fixed import lane_flows
from signalwright.networks.countedflows import movement_flows
from signalwright.networks.countsfile import read_counts
from signalwright.networks.demand import Journeys, driven_journeys, flows_of
from signalwright.networks.netfile import read_lights
from sumo_material import load


def written(folder: Path, text: str, name: str = "counts.csv") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text)
    return path


def test_csv_and_e1_say_the_same(tmp_path: Path) -> None:
    """A CSV with times of day and SUMO's E1 output of the same counts are read as the same series."""
    table = written(tmp_path, "detector;begin;count;occupancy\na;07:00;10;3\na;07:15;20;4\n")
    output = written(
        tmp_path,
        '<detector><interval begin="25200" end="26100" id="a" nVehContrib="10" nVehEntered="10" occupancy="3"/>'
        '<interval begin="26100" end="27000" id="a" nVehContrib="20" nVehEntered="20" occupancy="4"/></detector>',
        "e1.xml",
    )
    one, two = read_counts([table]).series[0], read_counts([output]).series[0]
    assert (one.name, one.begin, one.interval, one.count.tolist()) == (
        two.name,
        two.begin,
        two.interval,
        two.count.tolist(),
    )
    assert one.flow == 60.0


def test_gaps_and_dead_detectors_are_told(tmp_path: Path) -> None:
    """A gap is left out of the mean, a detector silent half the time or beyond belief is left out, each with a remark."""
    rows = ["detector,begin,count"]
    for k in range(4):
        rows += [f"good,{900 * k},{50 if k else ''}", f"silent,{900 * k},{'' if k else 9}", f"mad,{900 * k},2000"]
    found = read_counts([written(tmp_path, "\n".join(rows))])
    assert [series.name for series in found.series] == ["good"]
    assert found.series[0].flow == 200.0
    assert math.isnan(found.series[0].count[0])
    assert [remark.split(":")[0] for remark in found.remarks] == ["detector good", "detector silent", "detector mad"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("detector,begin,count\na,0,-5\n", "line 2: a: a count of -5 cannot be"),
        ("detector,begin,count\na,0,many\n", "'many' is no number"),
        ("detector,begin,count\na,0,5\na,0,6\n", "counted twice"),
        ("detector,time\na,0\n", "no column count"),
        ("detector,begin,count\na,noon,5\n", "is none"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, match: str) -> None:
    """One message with file, line and detector."""
    with pytest.raises(CountsError, match=match):
        read_counts([written(tmp_path, text)])


def test_counts_of_the_demand_give_back_its_flows(tmp_path: Path) -> None:
    """Turn counts, and approach and exit counts with the demand's turns, both return the flows that were counted."""
    scenario = load("shipped-cross")
    lights = read_lights(scenario)
    journeys = driven_journeys(scenario, lights, end=900)
    truth = flows_of(journeys, lights)
    ((name, light),) = lights.items()
    ways = [m for m in light.intersection.movements if m.lanes]
    turns = ["from,to,begin,count", *(f"{m.origin},{m.destination},0,{truth[name][m.name] / 4}" for m in ways)]
    edges = ["edge,begin,count"]
    for edge in dict.fromkeys(edge for m in ways for edge in (m.origin, m.destination)):
        edges.append(f"{edge},0,{sum(truth[name][m.name] for m in ways if edge in (m.origin, m.destination)) / 4}")
    for text in (turns, edges):
        flows, remarks = movement_flows(read_counts([written(tmp_path, "\n".join(text))]), scenario, lights, journeys)
        assert flows[name] == pytest.approx(truth[name], abs=1e-3)
        assert remarks == ()


def test_without_turns_they_are_taken_evenly_and_said(tmp_path: Path) -> None:
    """Where nothing tells the turns they are even, with a remark; an unknown detector is refused by name."""
    scenario = load("shipped-cross")
    lights = read_lights(scenario)
    ((name, light),) = lights.items()
    origin = next(m.origin for m in light.intersection.movements if m.lanes)
    nothing = Journeys({}, {})
    flows, remarks = movement_flows(
        read_counts([written(tmp_path, f"edge,begin,count\n{origin},0,300\n")]), scenario, lights, nothing
    )
    shares = [flows[name][m.name] for m in light.intersection.movements if m.origin == origin and m.lanes]
    assert shares == pytest.approx([1200.0 / len(shares)] * len(shares))
    assert any("taken evenly" in remark for remark in remarks)
    with pytest.raises(CountsError, match="no detector nowhere"):
        movement_flows(read_counts([written(tmp_path, "id,begin,count\nnowhere,0,3\n")]), scenario, lights, nothing)
    with pytest.raises(InputError, match="is not there"):
        read_counts([tmp_path / "none.csv"])


def test_what_a_dead_loop_would_have_counted_is_told_from_its_neighbours(tmp_path: Path) -> None:
    """One of the loops of an approach is dead: its lane has the share it has in the demand, and that is said; where hardly anything
    of an approach is counted the demand stands in."""
    scenario = load("shipped-cross")
    lights = read_lights(scenario)
    journeys = driven_journeys(scenario, lights, end=1800)
    site = lights["cross"].intersection
    flows = {m.name: journeys.flows.get(("cross", m.name), 0.0) for m in site.movements}
    lanes: dict[str, float] = {}
    for (_movement, lane), flow in lane_flows(site, flows).items():
        lanes[lane] = lanes.get(lane, 0.0) + flow
    origin = next(m.origin for m in site.movements if m.lanes)
    dead = max((lane for lane in lanes if lane.startswith(origin)), key=lambda lane: lanes[lane])
    text = "\n".join(
        ["detector,begin,count", *(f"{lane},0,{flow / 4:.3f}" for lane, flow in lanes.items() if lane != dead)]
    )
    found, remarks = movement_flows(read_counts([written(tmp_path, text)]), scenario, lights, journeys)
    assert found["cross"] == pytest.approx(flows, rel=1e-3, abs=0.1)
    assert any(f"lane {dead} is not counted; its share" in remark for remark in remarks)
    quiet = min((lane for lane in lanes if lane.startswith(origin)), key=lambda lane: lanes[lane])
    found, remarks = movement_flows(
        read_counts([written(tmp_path, f"detector,begin,count\n{quiet},0,300\n")]), scenario, lights, journeys
    )
    assert lanes[quiet] < 0.1 * sum(flow for lane, flow in lanes.items() if lane.startswith(origin))
    assert any(f"{origin} is not counted" in remark for remark in remarks)
    assert found["cross"] == pytest.approx(flows)
