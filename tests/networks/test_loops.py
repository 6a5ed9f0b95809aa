"""Loop counts against SUMO's own E1 output, which no one here wrote."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from signalwright.networks.detectors import write_loops
from signalwright.networks.loops import Loops
from signalwright.networks.simulator import Passage
from signalwright.networks.sumo import SumoStreet, open_street
from simulated import doubled_loops, rotate, shipped

SECONDS = 400


@pytest.mark.parametrize("name", ["cross", "corridor"])
def test_counts_are_those_of_sumos_own_output(name: str, tmp_path: Path) -> None:
    """Every second of every loop has the vehicles and the occupancy SUMO writes for it, the latter cut at 1."""
    scenario, lights = shipped(name)
    write_loops(tmp_path / "one.add.xml", lights.values())
    twin = doubled_loops(tmp_path / "one.add.xml", tmp_path / "twin.add.xml", tmp_path / "e1.xml")
    scenario = replace(scenario, additionals=(*scenario.additionals, twin))
    vehicles, occupancy = [], []

    def note(street: SumoStreet) -> None:
        vehicles.append(street.loops.vehicles)
        occupancy.append(street.loops.occupancy)

    with open_street(scenario, lights, outputs=tmp_path / "run", seed=5, begin=scenario.begin + 900) as street:
        rotate(street, SECONDS, note)
    names = list(dict.fromkeys(d.name for light in lights.values() for d in light.intersection.detectors))
    column = {name: k for k, name in enumerate(names)}
    theirs = np.zeros((2, SECONDS, len(names)))
    for row in ET.parse(tmp_path / "run" / "e1.xml").getroot().iter("interval"):
        place = int(float(row.attrib["begin"]) - scenario.begin - 900), column[row.attrib["id"].removeprefix("twin ")]
        if place[0] < SECONDS:
            theirs[(0, *place)] = int(row.attrib["nVehEntered"])
            theirs[(1, *place)] = float(row.attrib["occupancy"]) / 100
    assert theirs[0].sum() > 500
    assert np.array_equal(np.array(vehicles), theirs[0])
    assert np.abs(np.array(occupancy) - np.minimum(theirs[1], 1.0)).max() < 1e-4


class OneLoop:
    """A simulator whose one loop tells what it is told to."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self.now = 0.0

    def watch(self, loops: object) -> None:
        pass

    def since(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        left = [self.now if leave < 0 else leave for _, leave in self.passages]
        return np.array([self.now - max(left, default=-100.0)])

    def look(
        self, counted: list[int], seen: list[int]
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], list[list[Passage]]]:
        last = [p for p in self.passages if p[1] < 0 or p[1] >= self.now - 1.0]
        return np.array([len(last)] * len(counted), dtype=np.int64), [last] * len(seen)

    def second(self, loops: Loops, now: float, *passages: Passage) -> tuple[int, float]:
        self.now, self.passages = now, list(passages)
        loops.read(now)
        return int(loops.vehicles[0]), round(float(loops.occupancy[0]), 6)


def test_a_vehicle_is_counted_in_the_second_it_comes() -> None:
    """Standing on the loop, driving off it, and a second vehicle in the same second are told apart."""
    fake = OneLoop()
    loops = Loops(fake, ["a"])  # type: ignore[arg-type]
    assert fake.second(loops, 1.0) == (0, 0.0)
    assert fake.second(loops, 2.0, (1.25, -1.0)) == (1, 0.75)
    assert fake.second(loops, 3.0, (1.25, -1.0)) == (0, 1.0)
    assert fake.second(loops, 4.0, (1.25, 3.25), (3.5, -1.0)) == (1, 0.75)
    assert fake.second(loops, 5.0, (3.5, 4.5)) == (0, 0.5)
    assert fake.second(loops, 6.0, (3.5, 4.5)) == (0, 0.0)


def test_a_vehicle_that_comes_at_the_very_end_of_a_second_is_counted_once() -> None:
    """Its entry time is also the beginning of the next second."""
    fake = OneLoop()
    loops = Loops(fake, ["a"])  # type: ignore[arg-type]
    assert fake.second(loops, 2.0, (2.0, -1.0)) == (1, 0.0)
    assert fake.second(loops, 3.0, (2.0, 2.5), (2.75, -1.0)) == (1, 0.75)


def test_a_vehicle_that_left_sideways_is_no_vehicle_any_more() -> None:
    """A lane change ends at the end of its second, so SUMO still shows it in the next one."""
    fake = OneLoop()
    loops = Loops(fake, ["a"])  # type: ignore[arg-type]
    assert fake.second(loops, 2.0, (1.5, 2.0)) == (1, 0.5)
    assert fake.second(loops, 3.0, (1.5, 2.0), (2.25, -1.0)) == (1, 0.75)
    assert fake.second(loops, 4.0, (2.25, -1.0)) == (0, 1.0)
