"""Lights from nets: lawful whatever the programs are, and SUMO agrees with every link and every state we would show."""

from __future__ import annotations

import itertools
from functools import lru_cache
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from lxml import etree

from signalwright.core.errors import InputError
from signalwright.core.intersection import GroupKind
from signalwright.core.sequencer import Sequencer
from signalwright.networks.light import Light
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from sumo_material import GAME, HOME, SHARED, everything, load, opinion, with_additional, write_programs

NAMES = sorted(everything())
CROSS = "cross"


@lru_cache(maxsize=8)
def lights_of(name: str, timing: str = "resco", all_sets: bool = False) -> dict[str, Light]:
    """The lights of a scenario, read once."""
    return read_lights(load(name), timing, all_sets=all_sets)  # type: ignore[arg-type]


def round_of(light: Light) -> list[tuple[float, str]]:
    """What the sequencer shows in one round of all stages, second by second, as steps."""
    sequencer = Sequencer(light.intersection)
    longest = (light.intersection.intergreen * light.intersection.exclusive).max(axis=1)
    states: list[str] = []
    marks: list[int] = []
    for target in [*range(len(light.intersection.stages)), 0]:
        for _ in range(400):
            sequencer.elapse()
            sequencer.grant(target)
            clearing = (sequencer.aspects != 2) & (sequencer.since_green < longest)
            states.append(light.letters(sequencer.aspects, sequencer.stage, clearing))
            if sequencer.stage == target and sequencer.complete:
                break
        else:
            pytest.fail(f"{light.name}: stage {target} was never reached")
        marks.append(len(states) - 1)
    shown = states[marks[0] : marks[-1]] if len(light.intersection.stages) > 1 else states[marks[0] :]
    return [(float(len(list(same))), state) for state, same in itertools.groupby(shown)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("timing", "all_sets"), [("resco", False), ("safe", True)])
def test_sumo_finds_nothing_wrong_with_our_stages(name: str, timing: str, all_sets: bool, tmp_path: Path) -> None:
    """Every light of every net makes a lawful site with a feasible round, and SUMO loads that round without a warning."""
    lights = lights_of(name, timing, all_sets)
    ours = {(light.name, "ours"): round_of(light) for light in lights.values()}
    said = opinion(load(name), [write_programs(tmp_path / "ours.add.xml", ours)])
    stays_red = {
        light.name: {link.index for link in light.links if link.group is not None and not _served(light, link.group)}
        for light in lights.values()
    }
    assert not [key for key in (*said.missing_yellow, *said.unsafe, *said.mutual) if key[1] == "ours"]
    for (light_name, program), indices in said.missing_green.items():
        assert program != "ours" or indices <= stays_red[light_name]


def _served(light: Light, row: int) -> bool:
    return bool(light.intersection.stage_greens[:, row].any())


@pytest.mark.parametrize(
    "name", ["shipped-cross", "shipped-corridor", "rilsa-both", "many-programs", "bs3d", "bicycles"]
)
def test_sumo_has_the_same_links_and_runs_the_same_program(name: str) -> None:
    """Indices, lanes and the active program are those SUMO itself reports after loading."""
    import libsumo

    scenario = load(name)
    programs = [str(path) for path in scenario.additionals if b"<tlLogic" in path.read_bytes()]
    command = [
        str(HOME / "bin" / "sumo"),
        "-n",
        str(scenario.net),
        "--no-warnings",
        "true",
        "--xml-validation",
        "never",
    ]
    libsumo.start([*command, *(["-a", ",".join(programs)] if programs else [])])
    try:
        for light in lights_of(name).values():
            links = libsumo.trafficlight.getControlledLinks(light.name)
            assert len(links) == light.n_letters
            theirs = sorted((index, x[0], x[1]) for index, some in enumerate(links) for x in some)
            assert theirs == sorted((link.index, link.lane, link.to_lane) for link in light.links)
            assert libsumo.trafficlight.getProgram(light.name) == light.active
    finally:
        libsumo.close()


def test_all_sets_are_all_maximal_sets() -> None:
    """On request the stages are every maximal set, permissive and protected, and no set that could take one more group."""
    light = lights_of("shipped-cross", "resco", True)[CROSS]
    site = light.intersection
    for forbidden in (site.exclusive, site.conflict):
        graph = nx.complement(nx.from_numpy_array(forbidden))
        cliques = {frozenset(site.groups[row].name for row in clique) for clique in nx.find_cliques(graph)}
        assert cliques <= {stage.green for stage in site.stages}
    for stage in site.stages:
        rows = [site.group_index[name] for name in stage.green]
        others = [row for row in range(len(site.groups)) if row not in rows]
        assert not any(not site.conflict[row, rows].any() for row in others)


def test_groups_show_one_thing_and_know_whom_they_speak_to() -> None:
    """The shipped cross has vehicle groups by approach, walkers by crossing, and every link in exactly one group."""
    light = lights_of("shipped-cross")[CROSS]
    kinds = [group.kind for group in light.intersection.groups]
    assert kinds.count(GroupKind.PEDESTRIAN) == 4
    assert all(link.group is not None for link in light.links)
    for row, group in enumerate(light.intersection.groups):
        origins = {link.lane.rsplit("_", 1)[0] for link in light.links if link.group == row and not link.crossing}
        assert len(origins) == (0 if group.kind is GroupKind.PEDESTRIAN else 1)
    turns = [group for group in light.intersection.groups if {m.turn for m in group.movements} == {"left"}]
    assert len(turns) == 2


def test_bus_lanes_make_bus_groups(tmp_path: Path) -> None:
    """A group whose lanes all are for buses speaks to buses; one that has a lane for cars too does not."""
    tree = etree.parse(str(load("shipped-cross").net))
    for edge, lanes in (("east.cross.bay", None), ("west.cross.bay", {"1"})):
        for lane in tree.findall(f"edge[@id='{edge}']/lane"):
            if (lanes is None or lane.get("index") in lanes) and lane.get("allow") != "pedestrian":
                lane.attrib.pop("disallow", None)
                lane.set("allow", "bus")
    path = tmp_path / "bus.net.xml"
    tree.write(str(path))
    groups = read_lights(read_scenario(path))[CROSS].intersection.groups
    of_origin = {movement.origin: group.kind for group in groups for movement in group.movements}
    assert of_origin["east.cross.bay"] is GroupKind.BUS
    assert of_origin["west.cross.bay"] is GroupKind.VEHICLE
    assert of_origin["north.cross.bay"] is GroupKind.VEHICLE


def test_walkers_are_cleared_in_both_timings() -> None:
    """The intergreen after a crossing is at least its length at 1.2 m/s, whatever the timing."""
    for timing in ("resco", "safe"):
        site = lights_of("shipped-cross", timing)[CROSS].intersection
        for row, group in enumerate(site.groups):
            if group.kind is GroupKind.PEDESTRIAN:
                assert (site.intergreen[row][site.exclusive[row]] >= 6.0).all()
                assert group.min_green == (7.0 if timing == "safe" else 5.0)


def test_so_many_wait_on_the_junction_as_stand_before_those_they_let_pass() -> None:
    """A left turn waits where SUMO cuts its way over the junction in two: 7.5 m a vehicle, and one half over the line counts."""
    net = etree.parse(load(CROSS).net)
    lengths = {lane.get("id"): float(lane.get("length", "nan")) for lane in net.iter("lane")}
    connections = [dict(c.attrib) | {"lane": f"{c.get('from')}_{c.get('fromLane')}"} for c in net.iter("connection")]
    onward = {c["lane"] for c in connections if "via" in c}
    room: dict[str, float] = {}
    for c in connections:
        if "tl" in c and c.get("via") in onward:
            room[c["lane"]] = room.get(c["lane"], 0.0) + np.ceil(lengths[c["via"]] / 7.5)
    (light,) = lights_of(CROSS).values()
    assert sum(room.values()) > 0
    for lane in light.intersection.lanes:
        assert lane.inside == room.get(lane.name, 0.0)


def test_resco_timing_is_that_of_the_benchmark() -> None:
    """3 s of amber, no all-red, 5 s of green, and 180 s of red unless a round needs more."""
    for light in lights_of("grid6").values():
        site = light.intersection
        assert {(g.amber, g.min_green, g.max_red) for g in site.groups} == {(3.0, 5.0, 180.0)}
        assert set(site.intergreen[site.exclusive]) == {3.0}


def test_safe_timing_leaves_more_than_the_amber() -> None:
    """Amber grows with speed, and every intergreen of vehicles holds the amber and the way out of the conflict."""
    site = lights_of("shipped-cross", "safe")[CROSS].intersection
    vehicles = [row for row, group in enumerate(site.groups) if group.kind is GroupKind.VEHICLE]
    assert {site.groups[row].amber for row in vehicles} == {3.0}
    for row in vehicles:
        assert (site.intergreen[row][site.exclusive[row]] >= 4.0).all()
    assert np.array_equal(site.intergreen, np.rint(site.intergreen))


def _cross_with(tmp_path: Path, *states: tuple[float, str]) -> Light:
    scenario = with_additional(load("cross"), write_programs(tmp_path / "x.add.xml", {("0", "x"): states}))
    return read_lights(scenario)["0"]


def test_a_group_no_program_turns_green_is_reported(tmp_path: Path) -> None:
    """It has no longest red, no stage, and a note with its name; SUMO calls its link missing a green."""
    scenario = load("many-programs")
    light = read_lights(scenario)["335525545"]
    row = next(link.group for link in light.links if link.index == 12)
    assert row is not None
    assert light.intersection.groups[row].max_red is None
    assert not _served(light, row)
    assert any(light.intersection.groups[row].name in note for note in light.notes)
    assert 12 in opinion(scenario).missing_green["335525545", "0"]


def test_conflicting_greens_are_not_inherited(tmp_path: Path) -> None:
    """Of two crossing greens one is left out of the stage; both are served, and a note says so."""
    light = _cross_with(tmp_path, (30, "rGrrGrrrrrrr"), (3, "ryrryrrrrrrr"), (30, "rrrrrrrGrrGr"), (3, "rrrrrrryrryr"))
    site = light.intersection
    rows = {link.index: link.group for link in light.links}
    north, west = rows[1], rows[4]
    assert north is not None
    assert west is not None
    assert site.exclusive[north, west]
    assert not any(site.stage_greens[k, north] and site.stage_greens[k, west] for k in range(len(site.stages)))
    assert _served(light, north)
    assert _served(light, west)
    assert any("conflicting" in note for note in light.notes)


UNSAFE = [("rilsa", "0", 3, 11), *([("shared-ingolstadt7", "gneJ210", 6, 8)] if SHARED.is_dir() else [])]


@pytest.mark.parametrize(("name", "light_name", "one", "other"), UNSAFE)
def test_programs_sumo_calls_unsafe_are_not_inherited(name: str, light_name: str, one: int, other: int) -> None:
    """Where SUMO sees a lane targeted by two G links, ours are exclusive or one gives way, and both are served."""
    light = lights_of(name)[light_name]
    assert any(key[0] == light_name for key in opinion(load(name)).unsafe)
    rows = {link.index: link.group for link in light.links}
    a, b = rows[one], rows[other]
    assert a is not None
    assert b is not None
    assert _served(light, a)
    assert _served(light, b)
    for row in range(len(light.intersection.stages)):
        assert not light.stage_letters(row)[one] == light.stage_letters(row)[other] == "G"


def test_turns_on_red_rest_at_their_letter(tmp_path: Path) -> None:
    """A link that shows s while its group is red keeps it in that stage, and only there."""
    light = _cross_with(tmp_path, (30, "GGrsrrGGrsrr"), (3, "yyrsrryyrsrr"), (30, "rrrGGrrrrGGr"), (3, "rrryyrrrryyr"))
    assert [resting[3] for resting in light.resting][:2] == ["s", "r"]
    assert light.stage_letters(0)[3] == "s"
    assert light.stage_letters(1)[3] == "G"


def test_indices_switched_off_are_in_no_group(tmp_path: Path) -> None:
    """A link every program leaves off belongs to no group, and keeps its letter whatever the groups show."""
    net = tmp_path / "off.net.xml"
    text = load("cross").net.read_text(encoding="utf-8")
    tree = etree.fromstring(text.encode())
    for phase in tree.findall("tlLogic/phase"):
        state = phase.get("state")
        phase.set("state", "O" + state[1:])
    net.write_bytes(etree.tostring(tree))
    light = read_lights(read_scenario(net))["0"]
    assert [link.group is None for link in light.links if link.index == 0] == [True]
    assert all(state.startswith("O") for _, state in round_of(light))


def test_two_programs_make_the_groups_of_both(tmp_path: Path) -> None:
    """Links that any program shows apart are apart; stages are the last program's."""
    states = [(20.0, "GGrrrrGGrrrr"), (3.0, "yyrrrryyrrrr"), (20.0, "rrrGGrrrrGGr"), (3.0, "rrryyrrrryyr")]
    split = [(20.0, "GrrrrrGrrrrr"), (3.0, "yrrrrryrrrrr"), (20.0, "rGrrrrrGrrrr"), (3.0, "ryrrrrryrrrr")]
    path = write_programs(tmp_path / "x.add.xml", {("0", "a"): split, ("0", "b"): states})
    light = read_lights(with_additional(load("cross"), path))["0"]
    rows = {link.index: link.group for link in light.links}
    assert light.active == "b"
    assert rows[0] != rows[1]
    assert light.intersection.stages[0].green >= {
        light.intersection.groups[row].name for row in (rows[0], rows[1]) if row is not None
    }


def test_what_cannot_be_read_gets_one_message(tmp_path: Path) -> None:
    """No light, a light the net lacks, a short state, a strange letter, an unknown timing: said with file and name."""
    with pytest.raises(InputError, match="no signal light"):
        read_lights(read_scenario(GAME / "racing" / "spreewaldring.net.xml"))
    with pytest.raises(InputError, match="no light nowhere; it has cross"):
        read_lights(load("shipped-cross"), lights=["nowhere"])
    with pytest.raises(InputError, match=r"x\.add\.xml: light 0, program x: .* 3 letters for 12 links"):
        _cross_with(tmp_path, (30, "rGr"))
    with pytest.raises(InputError, match="is no signal state"):
        _cross_with(tmp_path, (30, "rGrxrrrrrrrr"))
    with pytest.raises(InputError, match="differ in length"):
        _cross_with(tmp_path, (30, "rGrrrrrrrrrr"), (3, "ryrr"))
    with pytest.raises(InputError, match="no timing"):
        read_lights(load("shipped-cross"), "fast")  # type: ignore[arg-type]


def test_a_broken_net_gets_one_message(tmp_path: Path) -> None:
    """A net cut in the middle, and one whose connections lead nowhere, are refused by name."""
    whole = load("shipped-cross").net.read_text(encoding="utf-8")
    cut = tmp_path / "cut.net.xml"
    cut.write_text(whole[: len(whole) // 2], encoding="utf-8")
    lost = tmp_path / "lost.net.xml"
    lost.write_text(
        whole.replace('from="north.cross.bay" to="cross.west"', 'from="north.cross.bay" to="nowhere"'), encoding="utf-8"
    )
    for path in (cut, lost):
        with pytest.raises(InputError, match=path.name):
            read_lights(read_scenario(path))


def test_chosen_lights_alone_are_read() -> None:
    """Naming lights gives those, in the order named, the rest stays with SUMO."""
    assert list(read_lights(load("shipped-corridor"), lights=["market", "church"])) == ["market", "church"]
