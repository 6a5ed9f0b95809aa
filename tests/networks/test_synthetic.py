"""Networks made to measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import scenario_path
from signalwright.networks.synthetic import Layout, build

pytest.importorskip("libsumo")


@pytest.mark.parametrize(
    "layout",
    [
        Layout("grid", 6, pattern="peak"),
        Layout("arterial", 4, pattern="tidal", lanes=1),
        Layout("random", 8, flow=150.0, seed=3),
    ],
    ids=lambda layout: layout.kind,
)
def test_runs(layout: Layout, tmp_path: Path) -> None:
    """Each kind has the lights asked for, SUMO runs it with vehicles arriving, and it can be controlled."""
    path = build(layout, tmp_path / "net")
    assert len(read_lights(read_scenario(path))) == layout.lights
    row = run_once(RunSpec(str(path), "own_strategies:Rotation", end=300.0)).row
    assert row["arrived"] > 0
    assert row["scheduled"] > 20 * layout.lights / 4


def test_same_again(tmp_path: Path) -> None:
    """The same layout gives the same bytes; another seed another demand."""
    one, two, other = (build(Layout("grid", 4, seed=seed), tmp_path / str(k)) for k, seed in enumerate((1, 1, 2)))
    for name in ("grid4.net.xml", "grid4.rou.xml"):
        assert (one.parent / name).read_bytes() == (two.parent / name).read_bytes()
    assert (one.parent / "grid4.rou.xml").read_bytes() != (other.parent / "grid4.rou.xml").read_bytes()


def test_the_shipped_example(tmp_path: Path) -> None:
    """The network that ships as an example is what the command makes, byte for byte."""
    made = build(Layout("random", 9, pattern="peak", seed=7), tmp_path / "random9")
    for file in scenario_path("random9").parent.iterdir():
        assert (made.parent / file.name).read_bytes() == file.read_bytes()


def test_tide(tmp_path: Path) -> None:
    """Under tidal demand more comes from the west than from the east."""
    path = build(Layout("arterial", 3, pattern="tidal"), tmp_path / "net")
    trips = run_once(RunSpec(str(path), "plan", end=900.0)).trips
    west = trips["from_lane"].str.starts_with("left").sum()
    east = trips["from_lane"].str.starts_with("right").sum()
    assert west > 2 * east > 0


def test_bad_layouts(tmp_path: Path) -> None:
    """A layout that cannot be is refused with what can; a folder with something in it is left alone."""
    with pytest.raises(InputError, match="spiral"):
        Layout("spiral")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="1 to 2000"):
        Layout(lights=5000)
    with pytest.raises(InputError, match="60 m"):
        Layout(spacing=5)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not empty"):
        build(Layout(), tmp_path)
