"""Scenarios: what a configuration says is what is read, and what is wrong with it is said in one message."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import scenario_path
from sumo_material import WHEEL

CROSS = scenario_path("cross").with_suffix(".net.xml")


def config(folder: Path, text: str) -> Path:
    """A configuration beside a copy of a net."""
    shutil.copy(CROSS, folder / "the.net.xml")
    path = folder / "the.sumocfg"
    path.write_text(f"<configuration>{text}</configuration>", encoding="utf-8")
    return path


def test_every_option_is_read(tmp_path: Path) -> None:
    """Times, seed and step are numbers, synonyms count, relative paths lie beside the configuration, the rest is kept."""
    for name in ("a.rou.xml", "b.rou.xml", "c.add.xml"):
        (tmp_path / name).write_text("<additional/>", encoding="utf-8")
    path = config(
        tmp_path,
        '<input><net-file value="the.net.xml"/><route-files value="a.rou.xml, b.rou.xml"/>'
        '<additional v="c.add.xml"/></input><time><begin value="7:00:00"/><end value="28800"/><step-length value="0.5"/></time>'
        '<random_number><seed value="42"/></random_number><processing><time-to-teleport value="-1"/>'
        '<ignore-junction-blocker value="20"/></processing>',
    )
    found = read_scenario(path)
    assert found.name == "the"
    assert found.net == tmp_path / "the.net.xml"
    assert [route.name for route in found.routes] == ["a.rou.xml", "b.rou.xml"]
    assert found.additionals == (tmp_path / "c.add.xml",)
    assert (found.begin, found.end, found.seed, found.step_length) == (25200.0, 28800.0, 42, 0.5)
    assert found.time_to_teleport == -1.0
    assert found.options == {"ignore-junction-blocker": "20"}


def test_defaults_are_those_of_sumo(tmp_path: Path) -> None:
    """A configuration with a net alone begins at 0 with steps of 1 s; an end of -1 is none."""
    found = read_scenario(config(tmp_path, '<net-file value="the.net.xml"/><end value="-1"/>'))
    assert (found.begin, found.end, found.seed, found.step_length, found.time_to_teleport) == (
        0.0,
        None,
        None,
        1.0,
        None,
    )


def test_a_bare_net_is_a_scenario(tmp_path: Path) -> None:
    """A net, packed or not, is read as a scenario without demand, with the same lights."""
    packed = tmp_path / "the.net.xml.gz"
    packed.write_bytes(gzip.compress(CROSS.read_bytes()))
    plain, small = read_scenario(CROSS), read_scenario(packed)
    assert (plain.routes, small.routes, small.name) == ((), (), "the")
    assert read_lights(plain)["cross"].intersection.groups == read_lights(small)["cross"].intersection.groups


def test_the_wheels_configurations_are_read() -> None:
    """Configurations others wrote name nets, routes and additional files that are there."""
    for path in WHEEL.values():
        found = read_scenario(path)
        assert found.net.is_file()
        assert all(file.is_file() for file in (*found.routes, *found.additionals))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('<net-file value="gone.net.xml"/>', "gone.net.xml"),
        ('<net-file value="the.net.xml"/><route-files value="gone.rou.xml"/>', "gone.rou.xml"),
        ('<net-file value="the.net.xml"/><additional-files value="gone.add.xml"/>', "gone.add.xml"),
        ('<route-files value="the.net.xml"/>', "net-file"),
        ('<net-file value="the.net.xml"/><begin value="early"/>', "early"),
        ('<net-file value="the.net.xml"/><seed value="1.5"/>', "1.5"),
        ('<something value="x"/>', "neither"),
        ('<net-file value="the.net.xml"', "well-formed"),
    ],
)
def test_a_broken_configuration_gets_one_message(tmp_path: Path, text: str, names: str) -> None:
    """What is missing or wrong is named, with the configuration it stands in."""
    with pytest.raises(InputError, match=names) as error:
        read_scenario(config(tmp_path, text))
    assert "the.sumocfg" in str(error.value)


def test_a_missing_or_foreign_file_gets_one_message(tmp_path: Path) -> None:
    """No file, a folder, a text, a cut gzip and a route file are refused with their name."""
    (tmp_path / "text.sumocfg").write_text("hello", encoding="utf-8")
    (tmp_path / "cut.net.xml.gz").write_bytes(gzip.compress(CROSS.read_bytes())[:4000])
    (tmp_path / "x.rou.xml").write_text('<routes><vType id="a"/></routes>', encoding="utf-8")
    for path in ("gone.sumocfg", "", "text.sumocfg", "x.rou.xml"):
        with pytest.raises(InputError, match=str(tmp_path)):
            read_scenario(tmp_path / path)
    with pytest.raises(InputError, match=r"cut\.net\.xml"):
        read_lights(read_scenario(tmp_path / "cut.net.xml.gz"))
