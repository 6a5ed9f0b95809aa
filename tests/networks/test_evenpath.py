"""What SUMO is told of files has one length wherever they lie, so that its memory, and with it its numbers, is the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from signalwright.core.errors import SimulationError
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec
from signalwright.networks.evenpath import LENGTH, even_path, plain_path
from signalwright.networks.options import Outputs, options_of
from signalwright.networks.scenario import read_scenario

SHIPPED = Path(__file__).resolve().parents[2] / "networks" / "scenarios" / "cross"


def test_one_length(tmp_path: Path) -> None:
    """Paths of any length lead to the same file with one length, or a multiple of it, and are read as they were."""
    for folder in (tmp_path, tmp_path / "long" / ("x" * 200), tmp_path / ("y" * 240) / ("z" * 240)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "net.xml").write_text("there")
        text = even_path(folder / "net.xml")
        assert len(text) % LENGTH == 0
        assert Path(text).read_text() == "there"
        assert plain_path(f"cannot open '{text}'") == f"cannot open '{folder / 'net.xml'}'"
    assert plain_path("see https://sumo.dlr.de//docs") == "see https://sumo.dlr.de/docs"


def test_same_options_wherever_it_lies(tmp_path: Path) -> None:
    """The options of a scenario have the same lengths in whatever folder it lies and whatever folder the run writes to."""
    said = []
    for name in ("a", "a_folder_with_a_rather_long_name"):
        home = tmp_path / name
        shutil.copytree(SHIPPED, home / "cross")
        said.append(
            options_of(read_scenario(home / "cross" / "cross.sumocfg"), Outputs(home), seed=1, extra={"fcd-output": ""})
        )
    assert [len(word) for word in said[0]] == [len(word) for word in said[1]]
    assert said[0] != said[1]


def test_errors_name_plain_paths(tmp_path: Path) -> None:
    """SUMO's own words about a file name its path as people write it."""
    shutil.copytree(SHIPPED, tmp_path / "cross")
    routes = next((tmp_path / "cross").glob("*.rou.xml"))
    routes.write_text("<routes><vehicle id='1' depart='0' route='none'/></routes>")
    with pytest.raises(SimulationError) as raised:
        run_once(RunSpec(str(tmp_path / "cross"), "plan", end=60.0))
    assert "//" not in str(raised.value)
