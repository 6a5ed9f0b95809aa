"""Where loops go, whose they are, and that SUMO takes them without a word."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.core.intersection import LoopKind
from signalwright.networks.detectors import own_loops, place_loops, write_loops
from signalwright.networks.netfile import read_lights
from signalwright.networks.roadnet import load_net
from signalwright.networks.scenario import Scenario, read_scenario
from signalwright.networks.shipped import SHIPPED
from signalwright.networks.simulator import find_sumo
from signalwright.networks.sumo import open_street
from simulated import rotate, shipped, street

NAMES = sorted(SHIPPED)


@pytest.mark.parametrize("name", NAMES)
def test_every_approach_lane_has_its_loops(name: str) -> None:
    """One at the stop line, one about 40 m upstream, one further up; between them, some 60 or 80 m upstream, one that speaks for it alone
    where there can be one; every exit that takes traffic has one."""
    _, lights = shipped(name)
    for light in lights.values():
        site = light.intersection
        for lane in site.lanes:
            of_lane = {
                kind: [d for d in site.detectors if d.kind is kind and lane.name in d.lanes] for kind in LoopKind
            }
            (stop,) = of_lane[LoopKind.STOP]
            assert stop.lane == lane.name
            assert 0.5 <= stop.distance <= 3.0
            assert all(35 <= d.distance <= 45 for d in of_lane[LoopKind.ADVANCE])
            assert of_lane[LoopKind.ADVANCE]
            assert all(55 <= d.distance <= 90 and d.lanes == (lane.name,) for d in of_lane[LoopKind.MIDDLE])
            assert all(100 <= d.distance <= 181 for d in of_lane[LoopKind.ENTRANCE])
            assert of_lane[LoopKind.ENTRANCE]
        assert {d.exit for d in site.detectors if d.kind is LoopKind.EXIT} == {way.name for way in site.exits}
        behind = [d for d in site.detectors if d.kind is LoopKind.EXIT]
        ways = {(link.lane, link.to_lane) for link in light.links if not link.crossing}
        assert all(d.feeders and {(lane, d.lane) for lane in d.feeders} <= ways for d in behind)
        assert all(d.position <= 21.0 for d in behind)
        assert all(-80.0 <= d.distance < -d.position for d in behind)  # the junction itself lies between


@pytest.mark.parametrize("name", NAMES)
def test_loops_lie_on_their_lanes(name: str) -> None:
    """No loop begins before its lane or ends after it, and no name stands for two places."""
    scenario, lights = shipped(name)
    net = load_net(scenario.net)
    places: dict[str, tuple[str, float]] = {}
    for light in lights.values():
        for loop in light.intersection.detectors:
            assert loop.position >= 0
            assert loop.position + loop.length <= net.getLane(loop.lane).getLength() + 1e-6
            assert places.setdefault(loop.name, (loop.lane, loop.position)) == (loop.lane, loop.position)


@pytest.mark.parametrize("name", NAMES)
def test_sumo_loads_the_loops_without_a_word(name: str, tmp_path: Path) -> None:
    """The log of SUMO's warnings and errors stays empty."""
    with street(name, tmp_path) as clock:
        rotate(clock, 5)
    assert (tmp_path / "sumo.log").read_text() == ""


def built(tmp_path: Path, nodes: str, edges: str) -> Scenario:
    """A net of these nodes and edges, and of `light`, the one with signals at (0, 0)."""
    (tmp_path / "b.nod.xml").write_text(f'<nodes>{nodes}<node id="light" x="0" y="0" type="traffic_light"/></nodes>')
    (tmp_path / "b.edg.xml").write_text(f"<edges>{edges}</edges>")
    sumo = find_sumo()
    command = [str(sumo.program("netconvert")), "-n", str(tmp_path / "b.nod.xml"), "-e", str(tmp_path / "b.edg.xml")]
    command += ["-o", str(tmp_path / "built.net.xml")]
    subprocess.run(command, check=True, env=sumo.environment(), capture_output=True)
    return read_scenario(tmp_path / "built.net.xml")


def two_junctions(tmp_path: Path, near: float = 25.0) -> Scenario:
    """A light whose western approach is `near` [m] long and continues upstream of a junction without signals.

    Before that junction come 100 m of two lanes, and a side street.
    """
    return built(
        tmp_path,
        '<node id="west" x="-130" y="0"/><node id="side" x="-30" y="-90"/><node id="merge" x="-30" y="0" type="priority"/>'
        '<node id="east" x="200" y="0"/><node id="north" x="0" y="200"/>',
        '<edge id="far" from="west" to="merge" numLanes="2" priority="3"/><edge id="lane" from="side" to="merge" priority="1"/>'
        f'<edge id="near" from="merge" to="light" numLanes="2" priority="3" length="{near}"/>'
        '<edge id="out" from="light" to="east" numLanes="2"/><edge id="down" from="north" to="light"/>',
    )


def test_short_lanes_are_followed_upstream(tmp_path: Path) -> None:
    """Over a junction without signals the loops stand on the edges before it, and name the approach lanes they lead to."""
    scenario = two_junctions(tmp_path)
    (light,) = place_loops(scenario, read_lights(scenario)).values()
    site = light.intersection
    near = {lane.name for lane in site.lanes if lane.name.startswith("near")}
    upstream = [d for d in site.detectors if d.kind is not LoopKind.STOP and set(d.lanes) & near]
    assert {d.lane.rsplit("_", 1)[0] for d in upstream if d.kind is LoopKind.ADVANCE} >= {"far"}
    assert {d.lane.rsplit("_", 1)[0] for d in upstream if d.kind is LoopKind.ENTRANCE} == {"far", "lane"}
    assert all(set(d.lanes) == near for d in upstream if d.kind is LoopKind.ENTRANCE and d.lane.startswith("far"))
    entrance = next(d for d in upstream if d.kind is LoopKind.ENTRANCE and d.lane == "far_0")
    net = load_net(scenario.net)
    chain = sum(net.getLane(name).getLength() for name in ("near_0", "far_0"))
    assert chain - 2 < entrance.distance < chain + 25


def test_a_last_lane_too_short_for_a_loop_has_it_on_the_lane_before(tmp_path: Path) -> None:
    """Queues of a lane of 1 m stand on the one before it, and there the stop line's loop lies, as far from the line as ever."""
    scenario = two_junctions(tmp_path, near=1.0)
    (light,) = place_loops(scenario, read_lights(scenario)).values()
    stops = {d.lanes: d for d in light.intersection.detectors if d.kind is LoopKind.STOP}
    assert stops["near_1",].lane == "far_1"
    assert 2.0 < stops["near_1",].distance < 25.0
    assert stops["near_0",].lane == "near_0"  # the side street comes there too


def test_nobody_is_followed_back_to_the_junction_he_left(tmp_path: Path) -> None:
    """Where an exit runs on into an approach of the same light, no loop of the approach lies on the exit."""
    scenario = built(
        tmp_path,
        '<node id="west" x="-200" y="0"/><node id="north" x="0" y="200"/><node id="bend" x="60" y="0"/><node id="back" x="45" y="-20"/>'
        '<node id="away" x="200" y="0"/>',
        '<edge id="in" from="west" to="light"/><edge id="down" from="north" to="light"/><edge id="out" from="light" to="bend"/>'
        '<edge id="on" from="bend" to="away"/><edge id="turn" from="bend" to="back"/><edge id="home" from="back" to="light"/>'
        '<edge id="up" from="light" to="west"/>',
    )
    (light,) = place_loops(scenario, read_lights(scenario)).values()
    upstream = {d.lane for d in light.intersection.detectors if "home_0" in d.lanes and d.kind is not LoopKind.STOP}
    assert upstream == {"turn_0"}
    assert {d.lane for d in light.intersection.detectors if d.kind is LoopKind.EXIT} >= {"out_0"}


def test_a_middle_loop_speaks_for_one_lane_only(tmp_path: Path) -> None:
    """Where a road feeds two approaches of a light, one of them nearer than the loop would lie, it gets no middle loop."""
    scenario = built(
        tmp_path,
        '<node id="start" x="-250" y="0"/><node id="mid" x="-45" y="0"/><node id="fork" x="-30" y="0"/><node id="bend" x="-15" y="40"/>'
        '<node id="east" x="200" y="0"/>',
        '<edge id="far" from="start" to="mid"/><edge id="main" from="mid" to="fork" length="20"/>'
        '<edge id="near" from="fork" to="light" length="20"/><edge id="slip" from="fork" to="bend" length="30"/>'
        '<edge id="top" from="bend" to="light" length="30"/><edge id="out" from="light" to="east"/>',
    )
    (light,) = place_loops(scenario, read_lights(scenario)).values()
    loops = light.intersection.detectors
    assert {lane.name for lane in light.intersection.lanes} == {"near_0", "top_0"}
    assert not [d for d in loops if d.kind is LoopKind.MIDDLE and d.lane == "main_0"]
    assert {lane for d in loops if d.kind is LoopKind.ENTRANCE and d.lane == "far_0" for lane in d.lanes} == {
        "near_0",
        "top_0",
    }


def own(tmp_path: Path, *loops: str) -> Scenario:
    """The shipped cross with loops of its own."""
    scenario, _ = shipped("cross")
    path = tmp_path / "own.add.xml"
    path.write_text("<additional>" + "".join(loops) + "</additional>")
    return replace(scenario, additionals=(path,))


def on(lane: str, position: float, name: str = "d1") -> str:
    """A loop as a scenario's author writes it."""
    return f'<e1Detector id="{name}" lane="{lane}" pos="{position}" freq="900" file="out.xml"/>'


def test_the_scenarios_own_loops_are_taken(tmp_path: Path) -> None:
    """Stop line, upstream and exit loops get their kinds by where they lie; positions from the lane's end too."""
    _, lights = shipped("cross")
    site = next(iter(lights.values())).intersection
    lane = site.lanes[0]
    exit_lane = f"{site.exits[0].name}_1" if site.exits[0].lanes > 1 else f"{site.exits[0].name}_0"
    scenario = own(
        tmp_path,
        on(lane.name, -3, "s"),
        on(lane.name, lane.length - 45, "a"),
        on(lane.name, 5, "e"),
        on(exit_lane, 8, "x"),
    )
    assert [loop.name for loop in own_loops(scenario)] == ["s", "a", "e", "x"]
    (light,) = place_loops(scenario, read_lights(scenario), "own").values()
    kinds = {d.name: (d.kind, d.lanes) for d in light.intersection.detectors}
    assert kinds["s"] == (LoopKind.STOP, (lane.name,))
    assert kinds["a"] == (LoopKind.ADVANCE, (lane.name,))
    assert kinds["x"] == (LoopKind.EXIT, ())
    assert ("e" in kinds) == (lane.length - 5 <= 180)


def test_own_loops_are_read_where_the_scenario_put_them(tmp_path: Path) -> None:
    """SUMO gets no second loop of the same name, and what the scenario writes lands in the run's directory."""
    _, lights = shipped("cross")
    lane = next(iter(lights.values())).intersection.lanes[0]
    scenario = own(tmp_path, on(lane.name, -3))
    found = place_loops(scenario, read_lights(scenario), "own")
    with open_street(scenario, found, outputs=tmp_path / "run", seed=1) as clock:
        seen = 0
        for _ in range(200):
            clock.tick()
            seen += int(next(iter(clock.cabinets.values())).read().vehicles.sum())
            next(iter(clock.cabinets.values())).request(0)
    assert seen > 0
    assert (tmp_path / "run" / "out.xml").is_file()
    assert not (tmp_path / "out.xml").exists()


@pytest.mark.parametrize(
    ("loops", "words"),
    [
        (lambda lane: [on("nowhere_0", 5)], r"own\.add\.xml: loop d1 lies on lane nowhere_0, which the net lacks"),
        (
            lambda lane: [on(lane, 5).replace('pos="5"', 'pos="five"')],
            r"own\.add\.xml: loop d1: its position is no number",
        ),
        (lambda lane: ['<e1Detector id="d1" pos="5"/>'], r"own\.add\.xml: a loop has no id or no lane"),
        (lambda lane: [], "none of the scenario's own loops"),
    ],
)
def test_own_loops_that_cannot_be_used_are_named(loops: Callable[[str], list[str]], words: str, tmp_path: Path) -> None:
    """File, loop, and what to do."""
    _, lights = shipped("cross")
    scenario = own(tmp_path, *loops(next(iter(lights.values())).intersection.lanes[0].name))
    with pytest.raises(InputError, match=words):
        place_loops(scenario, read_lights(scenario), "own")


def test_a_loop_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full nothing is left behind, and an older file stays."""
    _, lights = shipped("cross")
    target = tmp_path / "loops.add.xml"
    target.write_text("older")

    def full(self: Path, other: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_loops(target, lights.values())
    assert [path.name for path in tmp_path.iterdir()] == ["loops.add.xml"]
    assert target.read_text() == "older"
