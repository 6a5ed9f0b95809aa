"""Plans in SUMO: the programs are what the sequencer shows, load without a warning, and switch by the time of day."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from signalwright.core.certify import SafePlan, certify
from signalwright.core.errors import InputError
from signalwright.core.plan import Plan
from signalwright.networks.light import Light
from signalwright.networks.netfile import read_lights
from signalwright.networks.planprogram import Switch, write_plans
from signalwright.networks.sumo import open_street
from signalwright.networks.timing import Timing
from sumo_material import HOME, load


def even_plan(light: Light, green: int = 15, offset: int = 0) -> SafePlan:
    """All stages of a light in order with one green."""
    site = light.intersection
    stages = tuple(stage.name for stage in site.stages)
    return certify(Plan("even", stages, (green,) * len(stages), offset), site)


def states(net: Path, additional: Path, folder: Path, end: int) -> dict[str, list[tuple[float, str, str]]]:
    """Light -> (time, program, state) as SUMO saved them; fails when SUMO warns of anything."""
    extra, out = folder / "save.add.xml", folder / "states.xml"
    names = [tl.get("id") for tl in ET.parse(additional).getroot().iter("tlLogic")]
    events = "".join(f'<timedEvent type="SaveTLSStates" source="{name}" dest="{out}"/>' for name in set(names))
    extra.write_text(f"<additional>{events}</additional>")
    done = subprocess.run(
        [str(HOME / "bin" / "sumo"), "-n", str(net), "-a", f"{additional},{extra}", "--end", str(end), "--no-step-log",
         "--xml-validation", "never"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    found: dict[str, list[tuple[float, str, str]]] = {}
    for row in ET.parse(out).getroot().iter("tlsState"):
        found.setdefault(str(row.get("id")), []).append(
            (float(row.get("time", 0)), str(row.get("programID")), str(row.get("state")))
        )
    return found


@pytest.mark.parametrize("name", ["shipped-cross", "shipped-corridor"])
@pytest.mark.parametrize("timing", ["resco", "safe"])
def test_sumo_runs_the_plan_as_the_cabinet_does(name: str, timing: Timing, tmp_path: Path) -> None:
    """SUMO alone with the file shows, second by second, what our cabinets show in the loop; and it warns of nothing."""
    scenario = load(name)
    lights = read_lights(scenario, timing)
    plans = {name: even_plan(light, offset=7) for name, light in lights.items()}
    path = tmp_path / "plans.add.xml"
    write_plans(path, lights, {"new": plans})
    alone = {
        (light, time): (program, state)
        for light, rows in states(scenario.net, path, tmp_path, 400).items()
        for time, program, state in rows
    }
    compared = 0
    with open_street(scenario, lights, outputs=tmp_path / "out", end=400) as street:
        while street.time < 400 and street.tick():
            for light, cabinet in street.cabinets.items():
                cabinet.request(plans[light].stage_at(street.time))
                if street.time >= 2 * plans[light].cycle and (light, street.time) in alone:
                    assert alone[light, street.time] == ("new", cabinet.letters()), street.time
                    compared += 1
    assert compared > 100 * len(lights)


def test_nothing_is_overwritten_and_no_name_taken(tmp_path: Path) -> None:
    """A file that is there is kept, and a program name in use is refused."""
    lights = read_lights(load("shipped-cross"))
    ((name, light),) = lights.items()
    plans = {name: even_plan(light)}
    path = tmp_path / "plans.add.xml"
    with pytest.raises(InputError, match="call the new one something else"):
        write_plans(path, lights, {light.active: plans})
    write_plans(path, lights, {"new": plans})
    with pytest.raises(InputError, match="is there already"):
        write_plans(path, lights, {"new": plans})
    write_plans(path, lights, {"newer": plans}, overwrite=True)
    assert 'programID="newer"' in path.read_text()


@pytest.mark.parametrize("scenario", ["shipped-cross", "shipped-corridor"])
def test_the_clock_switches_programs_without_a_jump(tmp_path: Path, scenario: str) -> None:
    """With times of day SUMO, which warns of nothing, changes the program near the time, and no green ends without its amber."""
    read = load(scenario)
    lights = read_lights(read)
    day = {
        "night": {name: even_plan(light, 15) for name, light in lights.items()},
        "day": {name: even_plan(light, 20, offset=11) for name, light in lights.items()},
    }
    path = tmp_path / "plans.add.xml"
    write_plans(path, lights, day, times=[Switch(0, "night"), Switch(100, "day")])
    for name, rows in states(read.net, path, tmp_path, 400).items():
        running = {time: program for time, program, _ in rows}
        assert running[99] == "night"
        assert running[300] == "day"
        vehicles = [link.index for link in lights[name].links if not link.crossing]
        for (_, _, before), (_, _, after) in zip(rows, rows[1:], strict=False):
            assert not any(before[k] in "gG" and after[k] == "r" for k in vehicles)
