"""Who crossed when: delay by movement, and the longest red with demand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalwright.core.errors import ResultError
from signalwright.experiments.crossings import longest, read_crossings
from signalwright.experiments.result import read_result
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec, scenario_path
from signalwright.networks.netfile import read_lights
from signalwright.networks.roadnet import load_net, wires_by_light
from signalwright.networks.scenario import read_scenario

NET = """<net>
  <edge id="in"><lane id="in_0" length="100" speed="10"/></edge>
  <edge id="out"><lane id="out_0" length="100" speed="10"/></edge>
  <edge id="side"><lane id="side_0" length="50" speed="10"/></edge>
  <edge id=":J_0" function="internal"><lane id=":J_0_0" length="5" speed="10"/></edge>
  <connection from="in" to="out" tl="J" linkIndex="0"/><connection from="side" to="out" tl="J" linkIndex="1"/>
</net>"""
STATES = """<tlsStates><tlsState time="0" id="J" state="rG"/><tlsState time="30" id="J" state="gr"/>
  <tlsState time="50" id="J" state="yr"/><tlsState time="53" id="J" state="rr"/></tlsStates>"""
ROUTES = """<routes>
  <vehicle id="a" depart="5"><route edges="in out" exitTimes="31 40"/></vehicle>
  <vehicle id="b" depart="20"><route edges="in out" exitTimes="52 60"/></vehicle>
  <vehicle id="c" depart="60"><route edges="side out" exitTimes="-1 -1"/></vehicle></routes>"""


def test_by_hand(tmp_path: Path) -> None:
    """Of a car due at 15 s at a light red to 30 s, one that crosses on amber, and one due at 65 s whose light stays red to the end."""
    (tmp_path / "n.net.xml").write_text(NET)
    (tmp_path / "states.xml").write_text(STATES)
    (tmp_path / "routes.xml").write_text(ROUTES)
    assert read_crossings(tmp_path / "n.net.xml", tmp_path, 100.0).longest_red == 100.0 - 65.0
    (tmp_path / "routes.xml").write_text(ROUTES.replace('id="c" depart="60"', 'id="c" depart="90"'))
    assert read_crossings(tmp_path / "n.net.xml", tmp_path, 100.0).longest_red == 30.0 - 15.0


def test_by_movement(tmp_path: Path) -> None:
    """Delay by movement: due at 15 and 30 s, across at 31 and 52 s; due at 70 s and never across by 100 s."""
    (tmp_path / "n.net.xml").write_text(NET)
    (tmp_path / "states.xml").write_text(STATES)
    (tmp_path / "routes.xml").write_text(ROUTES)
    table = read_crossings(tmp_path / "n.net.xml", tmp_path, 100.0).table()
    assert table.rows() == [("J", "in", "out", 2, (16 + 22) / 2, 15.0), ("J", "side", "out", 1, 35.0, 35.0)]


def test_movements_add_up_to_vehicles(tmp_path: Path) -> None:
    """In a real run every vehicle that got onto the approach of the one light is in one movement, and none lost more there than in all."""
    result = run_once(RunSpec("cross", "plan", end=600.0, tables=True), tmp_path / "out")
    table = read_result(tmp_path / "out").tables["movements.parquet"]
    assert set(table["light"]) == {"cross"}
    assert result.row["arrived"] <= table["vehicles"].sum() <= result.row["inserted"]
    lost = (table["delay"] * table["vehicles"]).sum()
    assert (
        0.5 * result.row["time_loss"] * result.row["inserted"]
        < lost
        < 1.1 * result.row["time_loss"] * result.row["inserted"]
    )


def test_fixed_time_is_known() -> None:
    """Where somebody always waits, the longest red under a fixed program is the longest red in that program."""
    (light,) = read_lights(read_scenario(scenario_path("cross"))).values()
    program = light.programs[light.active]
    wires = wires_by_light(load_net(read_scenario(scenario_path("cross")).net))[light.name]
    signals = [wire.index for wire in wires if not wire.crossing]
    shown = ("".join(step.state[k] * int(step.duration) for step in program.steps * 2) for k in signals)
    longest_runs = (max(map(len, re.findall("r*", letters))) for letters in shown)
    row = run_once(RunSpec("cross", "plan", end=900.0)).row
    assert row["longest_red"] == max(longest_runs)
    assert row["peak_mib"] > 50


def _second_by_second(reds: list[tuple[int, int]], cars: list[tuple[int, int]]) -> int:
    most = 0
    for begin, end in reds:
        waited = [any(due <= t and crossed >= end for due, crossed in cars) for t in range(begin, end)]
        most = max(most, sum(waited))
    return most


@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=10),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 60)), min_size=1, max_size=8),
)
def test_against_counting(spans: list[int], cars: list[tuple[int, int]]) -> None:
    """Equal to counting, second by second, in each red those seconds in which someone due has still to cross after it."""
    at = np.cumsum([0, *spans])
    reds = [(int(a), int(b)) for a, b in zip(at[::2], at[1::2], strict=False)]
    through = [(due, due + wait) for due, wait in cars]
    found = longest(np.array(reds, float), *np.array(through, float).T)
    assert found == _second_by_second(reds, through)


def test_broken_outputs(tmp_path: Path) -> None:
    """A run that left no outputs is one clear error."""
    (tmp_path / "n.net.xml").write_text(NET)
    with pytest.raises(ResultError, match="no usable signal"):
        read_crossings(tmp_path / "n.net.xml", tmp_path, 10.0)
