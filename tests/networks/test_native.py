"""SUMO's own strategies as reference arms."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.networks.native import write_programs
from signalwright.networks.sumo import open_street
from simulated import shipped, trips


def test_adaptive_arms_keep_the_steps_of_the_program(tmp_path: Path) -> None:
    """Same states and durations; the steps with green and no yellow, and only those, may last 5 to 50 s."""
    _, lights = shipped("cross")
    ((name, light),) = lights.items()
    assert write_programs(tmp_path / "p.xml", lights, {name: "sumo-actuated"})
    logic = ET.parse(tmp_path / "p.xml").getroot().find("tlLogic")
    assert logic is not None
    assert (logic.get("id"), logic.get("type"), logic.get("programID")) == (name, "actuated", "sumo-actuated")
    steps = [(float(p.attrib["duration"]), p.attrib["state"], p.get("minDur"), p.get("maxDur")) for p in logic]
    program = light.programs[light.active]
    assert [step[:2] for step in steps] == [(s.duration, s.state) for s in program.steps]
    for _, state, least, most in steps:
        varies = bool(set(state) & set("gG")) and "y" not in state
        assert (least, most) == (("5", "50") if varies else (None, None))


def test_the_plan_arm_writes_nothing(tmp_path: Path) -> None:
    """The net's own program needs no file."""
    _, lights = shipped("cross")
    assert not write_programs(tmp_path / "p.xml", lights, dict.fromkeys(lights, "plan"))
    assert list(tmp_path.iterdir()) == []


def test_only_the_chosen_lights_change(tmp_path: Path) -> None:
    """One light of the corridor under SUMO's rule, the others on their plans, differs from all on plans and all under the rule."""
    scenario, lights = shipped("corridor")
    some = list(lights)[:1]
    found = []
    for label, arms in (
        ("plan", {}),
        ("one", dict.fromkeys(some, "sumo-actuated")),
        ("all", dict.fromkeys(lights, "sumo-actuated")),
    ):
        out = tmp_path / label
        with open_street(scenario, {}, outputs=out, native=arms, seed=1, end=scenario.begin + 900) as clock:
            while clock.tick():
                pass
        assert "Error" not in (out / "sumo.log").read_text()
        found.append([trip["timeLoss"] for trip in trips(out)])
    assert found[0] != found[1] != found[2] != found[0]


@pytest.mark.parametrize(
    ("arms", "words"), [({"J": "plan"}, "no light J"), ({"x": "magic"}, "magic is no strategy of SUMO's own")]
)
def test_unknown_arms_and_lights_are_named(arms: dict[str, str], words: str, tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match=words):
        write_programs(tmp_path / "p.xml", {}, arms)
