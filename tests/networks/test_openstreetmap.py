"""A map becomes a scenario, and what it did not say is listed."""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from pathlib import Path

import pytest

import osm_street
from signalwright.core.errors import InputError
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec
from signalwright.networks.netfile import read_lights
from signalwright.networks.openstreetmap import GUESSED, Imported, import_map
from signalwright.networks.scenario import read_scenario

pytest.importorskip("libsumo")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The map written by hand, imported."""
    folder = tmp_path_factory.mktemp("map")
    return import_map(osm_street.write(folder / "small town.osm.xml"), folder / "out", window=600.0)


def test_lights_where_the_map_has_them(made: Imported) -> None:
    """Of two crossings with signals and one without come two lights, which can be controlled, with traffic arriving."""
    assert made.lights == 2
    assert list(read_lights(read_scenario(made.scenario))) == ["2", "3"]
    row = run_once(RunSpec(str(made.scenario), "own_strategies:Rotation")).row
    assert row["arrived"] > 100


def test_guesses_are_told(made: Imported) -> None:
    """Just the streets without speed, or lanes, in their tags are named with what was taken; timing and demand always are."""
    told = {kind: [g for g in made.guesses if g.kind == kind] for kind in made.counts()}
    assert [guess.what for guess in told["speed"]] == ["First Street (way 102)", "Third Street (way 104)"]
    assert {guess.taken for guess in told["speed"]} == {"50 km/h"}
    assert [guess.what for guess in told["lanes"]] == ['Second "Old" Street (way 103)', "Third Street (way 104)"]
    assert {guess.what.split(" (")[0] for guess in told["turn lanes"]} == {"Main Street"}
    assert len(told["timing"]) == 2
    assert [guess.taken for guess in told["demand"]] == ["1000 veh/h from and to places drawn at random"]
    assert [guess.what for guess in told["crossing"]] == ["node 12"]
    with (made.scenario.parent / GUESSED).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["what"], row["taken"]) for row in rows] == [
        (g.kind, g.what, g.taken) for g in made.guesses
    ]


def test_same_again(made: Imported, tmp_path: Path) -> None:
    """The same map, packed, gives the same bytes, and nothing else lies beside them."""
    packed = tmp_path / "small town.osm.gz"
    packed.write_bytes(gzip.compress(osm_street.text().encode()))
    again = import_map(packed, tmp_path / "out", window=600.0)
    names = sorted(file.name for file in made.scenario.parent.iterdir())
    assert names == ["guessed.csv", "small_town.net.xml", "small_town.rou.xml", "small_town.sumocfg"]
    for name in names:
        assert (again.scenario.parent / name).read_bytes() == (made.scenario.parent / name).read_bytes()


def test_no_lights(tmp_path: Path) -> None:
    """A map without signals is refused with the way out, which works; nothing is left behind."""
    source = osm_street.write(tmp_path / "dark.osm", signals=False)
    with pytest.raises(InputError, match="--guess-lights"):
        import_map(source, tmp_path / "out")
    assert [file.name for file in tmp_path.iterdir()] == ["dark.osm"]
    assert import_map(source, tmp_path / "out", guess_lights=True).lights == 3


def test_bad_maps(tmp_path: Path) -> None:
    """What is no map, is packed, empty, or would go into a folder with something in it, is refused by name."""
    (tmp_path / "net.xml").write_text("<net/>")
    (tmp_path / "empty.osm").write_text("<osm/>")
    for name, message in (
        ("net.xml", "<net> is no OpenStreetMap"),
        ("a.osm.pbf", "osmium"),
        ("empty.osm", "no street"),
        ("none.osm", "none"),
    ):
        with pytest.raises(InputError, match=message):
            import_map(tmp_path / name, tmp_path / "out")
    with pytest.raises(InputError, match="not empty"):
        import_map(tmp_path / "empty.osm", tmp_path)


def test_commands(tmp_path: Path) -> None:
    """Both commands make a scenario and say where it lies; a kind of streets nobody knows is one line."""
    source = osm_street.write(tmp_path / "town.osm")

    def said(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "signalwright", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = said("import", str(source), "-o", str(tmp_path / "map"), "--window", "300")
    assert done.returncode == 0, done.stderr
    assert "town.sumocfg: 2 lights, 4 streets" in done.stdout
    assert "node 12" in done.stdout
    done = said("synthetic", "arterial", "--lights", "2", "--demand", "tidal", "-o", str(tmp_path / "net"))
    assert done.stdout.strip() == str(tmp_path / "net" / "arterial2.sumocfg")
    done = said("synthetic", "spiral", "-o", str(tmp_path / "x"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
