"""Plan files: what is written is read again, and every fault is named with its file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from signalwright.core.certify import certify
from signalwright.core.errors import InputError, UnsafePlan
from signalwright.core.plan import Plan
from signalwright.networks.netfile import read_lights
from signalwright.networks.planfile import certified, plan_file, read_plan_file, write_plan_file
from signalwright.networks.planprogram import Switch
from sumo_material import load


def written(folder: Path) -> Path:
    """A plan file for the shipped crossing."""
    lights = read_lights(load("shipped-cross"))
    ((name, light),) = lights.items()
    stages = tuple(stage.name for stage in light.intersection.stages)
    safe = certify(Plan("am", stages, (15,) * len(stages), 3), light.intersection)
    path = folder / "plans.toml"
    write_plan_file(plan_file(lights, {"am": {name: safe}}, "resco", times=(Switch(27_000, "am"),)), path)
    return path


def test_a_plan_file_comes_back(tmp_path: Path) -> None:
    """Reading gives the plans that were written, and they certify for their net."""
    path = written(tmp_path)
    file = read_plan_file(path)
    lights = read_lights(load("shipped-cross"), file.timing)
    safe = certified(file, lights)["am"]
    ((name, plan),) = safe.items()
    assert plan.plan.offset == 3
    assert file.times == (Switch(27_000, "am"),)
    assert plan.plan.greens == (15,) * len(plan.plan.stages)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """A second write to the same place is refused, and done when asked for."""
    path = written(tmp_path)
    file = read_plan_file(path)
    with pytest.raises(InputError, match="is there already"):
        write_plan_file(file, path)
    write_plan_file(file, path, overwrite=True)
    assert read_plan_file(path) == file


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("offset_s = 3", "offset_s = -3", "offset_s"),
        ("offset_s = 3", "offset = 3", "no key of a plan file"),
        ('timing = "resco"', 'timing = "fast"', "timing"),
        ('plan = "am"', 'plan = "pm"', "there is no plan pm"),
        ("format = 1", "format = ", "not TOML"),
    ],
)
def test_a_fault_is_named_with_its_file(tmp_path: Path, old: str, new: str, match: str) -> None:
    """Every broken key gives one message with the file and what is wrong."""
    path = written(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=match) as caught:
        read_plan_file(path)
    assert str(path) in str(caught.value)


def test_a_plan_for_another_net_is_told(tmp_path: Path) -> None:
    """The corridor has no such light, and says so."""
    with pytest.raises(InputError, match="another net"):
        certified(read_plan_file(written(tmp_path)), read_lights(load("shipped-corridor")))


def test_an_unsafe_plan_is_refused_with_its_reasons(tmp_path: Path) -> None:
    """A green under its minimum never becomes a plan that can be run."""
    path = written(tmp_path)
    path.write_text(path.read_text().replace("    15,", "    2,"))
    with pytest.raises(UnsafePlan, match="minimum green"):
        certified(read_plan_file(path), read_lights(load("shipped-cross")))
