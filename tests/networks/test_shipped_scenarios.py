"""The shipped scenarios: drawn anew they are the same, SUMO loads them without a word, their plans keep the rules."""

from __future__ import annotations

import os
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.networks.scenarios.build import SCENES, build, main, netconvert
from signalwright.networks.scenarios.timing import YELLOW, program, split
from signalwright.networks.shipped import SHIPPED, scenario_path

NAMES = sorted(SHIPPED)


def sumo(configuration: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs SUMO on a configuration and gives back what it said."""
    home = netconvert().parent.parent
    command = [str(home / "bin" / "sumo"), "-c", str(configuration), "--no-step-log", *options]
    around = {**os.environ, "SUMO_HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, env=around, check=False)


def net(name: str) -> ET.Element:
    """The shipped net, read as plain XML."""
    return ET.parse(scenario_path(name).with_suffix(".net.xml")).getroot()


@pytest.fixture(scope="module", params=NAMES)
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A scenario built anew in a folder of its own."""
    return request.param, build(request.param, tmp_path_factory.mktemp("drawn")).parent


def test_every_scene_is_shipped() -> None:
    """What can be built and what is shipped are the same scenarios."""
    assert set(SCENES) == set(SHIPPED)


def test_building_again_gives_the_same_files(drawn: tuple[str, Path]) -> None:
    """Sources and demand come out byte for byte, the net element for element."""
    name, folder = drawn
    shipped = scenario_path(name).parent
    assert sorted(file.name for file in folder.iterdir()) == sorted(file.name for file in shipped.iterdir())
    for file in folder.iterdir():
        if file.name.endswith(".net.xml"):
            assert ET.canonicalize(from_file=file) == ET.canonicalize(from_file=shipped / file.name)
        else:
            assert file.read_bytes() == (shipped / file.name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_files_name_no_machine(name: str) -> None:
    """No shipped file holds a comment, an absolute path or a date of netconvert's."""
    for file in scenario_path(name).parent.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "<!--" not in text
        assert '="/' not in text
        assert file.stat().st_size < 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_sumo_loads_and_runs_without_a_word(name: str, tmp_path: Path) -> None:
    """Ten minutes pass without warning, teleport or collision, and nearly everyone who wants to enter does."""
    statistics = tmp_path / "statistics.xml"
    done = sumo(scenario_path(name), "--end", "600", "--time-to-teleport", "-1", "--statistic-output", str(statistics))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    root = ET.parse(statistics).getroot()
    found = {element.tag: element.attrib for element in root}
    assert found["teleports"]["total"] == found["safety"]["collisions"] == "0"
    assert int(found["vehicles"]["inserted"]) > 300
    assert int(found["vehicles"]["waiting"]) < 20


@pytest.mark.parametrize("name", NAMES)
def test_net_holds_the_engineers_plans(name: str) -> None:
    """The programs in the built net are those of the worksheet, on one common cycle, and cover every signal index."""
    scene = SCENES[name]()
    timings = scene.timings()
    root = net(name)
    programs = {logic.attrib["id"]: logic for logic in root.iter("tlLogic")}
    assert set(programs) == set(timings)
    assert len({timing.cycle for timing in timings.values()}) == 1
    for light, logic in programs.items():
        lines = [
            (phase.attrib["name"], int(phase.attrib["duration"]), phase.attrib["state"])
            for phase in logic.iter("phase")
        ]
        expected = program(scene.drawing, light, timings[light])
        assert lines == [(phase.name, phase.duration, phase.state) for phase in expected]
        assert float(logic.attrib["offset"]) == timings[light].offset
        assert sum(duration for _, duration, _ in lines) == timings[light].cycle
        indices = {int(link.attrib["linkIndex"]) for link in root.iter("connection") if link.get("tl") == light}
        assert indices == set(range(len(lines[0][2])))


@pytest.mark.parametrize("name", NAMES)
def test_vehicles_see_yellow_and_everyone_sees_green(name: str) -> None:
    """Every signal index is green at some time, and each vehicle's green ends in exactly 3 s of yellow before its red."""
    root = net(name)
    crossings = {
        (link.attrib["tl"], int(link.attrib["linkIndex"]))
        for link in root.iter("connection")
        if "tl" in link.attrib and link.attrib["from"].startswith(":")
    }
    for logic in root.iter("tlLogic"):
        phases = [(int(phase.attrib["duration"]), phase.attrib["state"]) for phase in logic.iter("phase")]
        for index in range(len(phases[0][1])):
            seconds = "".join(state[index] * duration for duration, state in phases)
            start = seconds.index("r")
            shown = re.findall(r"([Gg]+)(y*)r", seconds[start:] + seconds[:start] + "r")
            assert shown
            yellow = 0 if (logic.attrib["id"], index) in crossings else YELLOW
            assert {len(yellows) for _, yellows in shown} == {yellow}


def test_pedestrians_reach_the_kerb_before_traffic_from_red_starts() -> None:
    """From the end of a crossing's green to the next vehicle that starts or need not give way there is time to cross at 1.2 m/s."""
    root = net("cross")
    seconds = [p.attrib["state"] for p in root.iter("phase") for _ in range(int(p.attrib["duration"]))] * 2
    edges = [edge for edge in root.iter("edge") if edge.get("function") == "crossing"]
    lengths = {edge.attrib["id"]: float(edge[0].attrib["length"]) for edge in edges}
    crossings = {int(c.attrib["linkIndex"]): c.attrib["to"] for c in root.iter("connection") if c.get("to") in lengths}
    assert len(crossings) == 4
    for index, crossing in crossings.items():
        changes = range(1, len(seconds))
        closed = next(t for t in changes if seconds[t - 1][index] == "G" and seconds[t][index] == "r")
        started = min(
            next(t for t in changes if t >= closed and seconds[t - 1][link] + seconds[t][link] in ("rg", "rG", "gG"))
            for link in range(min(crossings))
        )
        assert started - closed >= lengths[crossing] / 1.2


def test_split_adds_up_and_keeps_minimum_greens() -> None:
    """Whole greens add up to the total; a stage that needs little still gets its minimum."""
    assert split([0.3, 0.01, 0.29], [8, 8, 8], 68) == (31, 8, 29)


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Both look-up and command name the scenarios there are."""
    with pytest.raises(InputError, match="cross, corridor, grid"):
        scenario_path("square")
    assert main(["square"]) == InputError.exit_code
    assert "cross, corridor, grid" in capsys.readouterr().err
