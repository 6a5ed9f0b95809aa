"""A day of counts: quiet and busy periods get plans of their own, and the way from one to the next keeps the minima."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest

from signalwright.core.errors import CountsError, InputError
from signalwright.experiments.dayplans import plan_day
from signalwright.experiments.planout import write_day
from signalwright.networks.demand import driven_journeys, flows_of
from signalwright.networks.netfile import read_lights
from signalwright.networks.planfile import read_plan_file
from sumo_material import HOME, load


def counts(folder: Path, factors: list[float]) -> Path:
    """Turn counts of the shipped crossing for a day that is the demand times these factors, from 06:00 on."""
    scenario = load("shipped-cross")
    lights = read_lights(scenario)
    ((name, light),) = lights.items()
    flows = flows_of(driven_journeys(scenario, lights, end=900), lights)[name]
    rows = ["from,to,begin,count"]
    for k, factor in enumerate(factors):
        rows += [
            f"{m.origin},{m.destination},{21_600 + 900 * k},{flows[m.name] / 4 * factor:.0f}"
            for m in light.intersection.movements
            if m.lanes
        ]
    path = folder / "day.csv"
    path.write_text("\n".join(rows))
    return path


def test_the_busy_hours_get_a_plan_of_their_own(tmp_path: Path) -> None:
    """The change is found where the counts change, the plans load as one file, and no green on the way is too short."""
    day = plan_day("cross", [counts(tmp_path, [0.4] * 8 + [1.3] * 8)], cycles=[60, 80, 100], plans=2)
    assert [switch.time for switch in day.times] == [21_600, 21_600 + 8 * 900]
    quiet, busy = (day.plans[switch.name] for switch in day.times)
    assert quiet["cross"].cycle <= busy["cross"].cycle
    written = {path.name: path for path in write_day(day, "safe", tmp_path / "out")}
    assert "wautSwitch" in written["plan.add.xml"].read_text()
    opinion_of = subprocess.run(
        [str(HOME / "bin" / "sumo"), "-n", str(load("shipped-cross").net), "-a", str(written["plan.add.xml"]), "--begin", "21600",
         "--end", "29000", "--no-step-log"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (opinion_of.returncode, "Warning" in opinion_of.stderr) == (0, False)
    changes = list(csv.DictReader(written["changes.csv"].read_text().splitlines()))
    assert [int(row["second"]) for row in changes] == sorted({int(row["second"]) for row in changes})
    assert {row["to"] for row in changes} == {switch.name for switch in day.times}
    assert read_plan_file(written["plan.toml"]).times == day.times
    with pytest.raises(InputError, match="already"):
        write_day(day, "safe", tmp_path / "out")
    change = day.change("cross", 1)
    least = dict(zip(day.nodes["cross"].stages, day.nodes["cross"].minima, strict=True))
    assert all(step.green >= least[step.stage] for step in change.steps)
    assert change.seconds()[-1][0] == change.steps[-1].end - 1


def test_periods_with_the_same_plan_share_its_name(tmp_path: Path) -> None:
    """Quiet, busy, quiet: two plans, three switches, and the clock's file says nothing twice."""
    day = plan_day("cross", [counts(tmp_path, [0.4] * 8 + [1.3] * 8 + [0.4] * 8)], cycles=[60, 100])
    assert len(day.plans) == 2
    names = [switch.name for switch in day.times]
    assert names == [names[0], names[1], names[0]]
    assert [switch.time for switch in day.times] == [21_600, 28_800, 36_000]
    assert day.flows.keys() == day.plans.keys()


def test_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    """Three intervals are no day."""
    with pytest.raises(CountsError, match="four intervals"):
        plan_day("cross", [counts(tmp_path, [1.0] * 3)])
