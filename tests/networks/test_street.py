"""The simulated street: time, letters, counts, and nothing else out of the simulator."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from signalwright.controllers import load_controller
from signalwright.core.counts import Counts
from signalwright.core.errors import InputError
from signalwright.core.estimate import Estimate
from signalwright.core.loop import Junction, run
from signalwright.core.ports import Refusal, Wish
from signalwright.core.state import TrafficState
from signalwright.networks import simulator as simulator_module
from signalwright.networks.options import Outputs, options_of
from signalwright.networks.simulator import find_sumo
from signalwright.networks.sumo import LOCKED_AFTER, Transport, open_street
from simulated import rotate, shipped, street, trips


@pytest.mark.parametrize("name", ["cross", "corridor"])
def test_both_transports_do_the_same_to_the_bit(name: str, tmp_path: Path) -> None:
    """In process and over TraCI the counts, the letters and every trip are the same."""
    seen: dict[str, list[Any]] = {}
    for transport in ("libsumo", "traci"):
        into = seen.setdefault(transport, [])
        with street(name, tmp_path / transport, transport=transport) as clock:
            rotate(clock, 600, lambda s, into=into: into.append(snapshot(s)))  # type: ignore[misc]
    assert len(seen["libsumo"]) == 600
    assert seen["libsumo"] == seen["traci"]
    assert trips(tmp_path / "libsumo") == trips(tmp_path / "traci") != []


def snapshot(clock: Any) -> Any:
    """All that a second says."""
    letters = [cabinet.letters() for cabinet in clock.cabinets.values()]
    return clock.time, letters, clock.loops.vehicles.tolist(), clock.loops.occupancy.tolist()


def test_sumo_shows_what_was_granted(tmp_path: Path) -> None:
    """SUMO's own record of its signals has, in each second, the letters the cabinet granted at its beginning."""
    scenario, lights = shipped("cross")
    (name,) = lights
    record = tmp_path / "record.add.xml"
    record.write_text(
        f'<additional><timedEvent type="SaveTLSStates" source="{name}" dest="{tmp_path / "states.xml"}"/></additional>'
    )
    scenario = replace(scenario, additionals=(*scenario.additionals, record))
    granted = {}
    with open_street(scenario, lights, outputs=tmp_path / "run", seed=1) as clock:
        granted[clock.time] = clock.cabinets[name].letters()
        rotate(clock, 300, lambda s: granted.update({s.time: s.cabinets[name].letters()}))
    shown = {
        float(e.attrib["time"]): e.attrib["state"]
        for e in ET.parse(tmp_path / "run" / "states.xml").getroot().iter("tlsState")
    }
    assert len(shown) == 300
    assert len(set(shown.values())) > 5
    assert shown == {time: granted[time] for time in shown}


def test_the_first_second_is_all_red(tmp_path: Path) -> None:
    """Before anything is granted no letter is green."""
    with street("cross", tmp_path) as clock:
        (cabinet,) = clock.cabinets.values()
        assert not set(cabinet.letters()) & set("Gg")
        assert cabinet.status().stage == -1


ALLOWED = {
    "start", "close", "isLoaded", "simulationStep", "trafficlight.setRedYellowGreenState", "inductionloop.getTimeSinceDetection",
    "inductionloop.getLastStepVehicleNumber", "inductionloop.getVehicleData", "simulation.getMinExpectedNumber",
}  # fmt: skip


class Recorder:
    """Stands before a module and writes down every function called through it."""

    def __init__(self, target: Any, calls: list[str], path: str = "") -> None:
        self._target, self._calls, self._path = target, calls, path

    def __getattr__(self, name: str) -> Any:
        if name in {"_libsumo", "libsumo"}:
            return SimpleNamespace()
        found, path = getattr(self._target, name), f"{self._path}{name}"
        if not callable(found) or isinstance(found, type):
            return Recorder(found, self._calls, f"{path}.")

        def noted(*args: Any, **kwargs: Any) -> Any:
            self._calls.append(path)
            answer = found(*args, **kwargs)
            return strip(answer) if name == "getVehicleData" else answer

        return noted


def strip(data: Any) -> Any:
    """Vehicle data without all that a loop cannot know: name, length and type become traps."""
    return tuple((Trap(), Trap(), entry, leave, Trap()) for _, _, entry, leave, _ in data)


class Trap:
    """Has no value: any use of it fails."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError("a value that is no loop's was used")


@pytest.mark.parametrize("name", ["actuated", "max-pressure"])
def test_controllers_see_loops_and_nothing_else(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No function of the simulator is called but those of loops; of a vehicle only when it came and went is used."""
    calls: list[str] = []
    real = simulator_module.library
    spied: list[Any] = []

    def wrapped(installation: Any) -> Any:
        spied.append(real(installation))
        domains = {
            domain: Recorder(getattr(spied[-1], domain), calls, f"{domain}.")
            for domain in ("trafficlight", "inductionloop", "simulation")
        }
        top = {f: getattr(Recorder(spied[-1], calls), f) for f in ("start", "close", "isLoaded", "simulationStep")}
        return SimpleNamespace(**top, **domains, libsumo=SimpleNamespace())

    monkeypatch.setattr(simulator_module, "library", wrapped)
    with street("cross", tmp_path, end=shipped("cross")[0].begin + 300) as clock:
        controller = load_controller(name)
        run(clock, [Junction(c, Estimate(c.intersection), controller(c.intersection)) for c in clock.cabinets.values()])
    assert set(calls) <= ALLOWED
    assert calls.count("simulationStep") == 300
    assert calls.count("inductionloop.getVehicleData") > 50
    assert calls.count("trafficlight.setRedYellowGreenState") > 5


class Alone(Estimate):
    """An estimator the loop does not know, so that it goes from cabinet to cabinet."""


@pytest.mark.parametrize("name", ["actuated", "max-pressure"])
def test_cabinets_abreast_as_one_by_one(name: str, tmp_path: Path) -> None:
    """Read and asked together, also after seconds nobody listened, the cabinets of a street grant and show what they do one by one."""
    seen: dict[type[Estimate], list[Any]] = {}
    controller = load_controller(name)
    for make in (Estimate, Alone):
        into = seen.setdefault(make, [])

        def note(junction: Junction, state: TrafficState, wish: Wish, refusal: Refusal, into: list[Any] = into) -> None:
            into.append((state.time, junction.cabinet.status().stage, state.elapsed, wish, refusal))

        with street("corridor", tmp_path / make.__name__, end=shipped("corridor")[0].begin + 400) as clock:
            for _ in range(3):
                clock.tick()
            cabinets = clock.cabinets.values()
            run(clock, [Junction(c, make(c.intersection), controller(c.intersection)) for c in cabinets], note)
    assert len(seen[Estimate]) == 397 * 6
    assert seen[Estimate] == seen[Alone]
    assert trips(tmp_path / "Estimate") == trips(tmp_path / "Alone") != []


def test_nothing_is_lost_between_reads(tmp_path: Path) -> None:
    """A cabinet read every 5 s hears all that one read each second hears."""
    often: list[Counts] = []
    seldom: list[Counts] = []
    for gap, into in ((1, often), (5, seldom)):
        with street("cross", tmp_path / str(gap)) as clock:
            (cabinet,) = clock.cabinets.values()
            for second in range(1, 301):
                clock.tick()
                cabinet.request(second // 20 % len(cabinet.intersection.stages))
                if second % gap == 0:
                    into.append(cabinet.read())
    assert {c.interval for c in seldom} == {5.0}
    total = np.array([c.vehicles for c in often]).reshape(60, 5, -1).sum(axis=1)
    mean = np.array([c.occupancy for c in often]).reshape(60, 5, -1).mean(axis=1)
    assert total.sum() > 100
    assert np.array_equal(np.array([c.vehicles for c in seldom]), total)
    assert np.allclose(np.array([c.occupancy for c in seldom]), mean, atol=1e-12)


def test_the_window_ends_the_clock(tmp_path: Path) -> None:
    """No tick after the end; the outputs are complete then, unfinished and undeparted trips included."""
    scenario, _ = shipped("cross")
    with street("cross", tmp_path, begin=scenario.begin + 100, end=scenario.begin + 160) as clock:
        ticks = 0
        while clock.tick():
            ticks += 1
        assert not clock.tick()
    assert ticks == 60
    assert any(float(trip["arrival"]) < 0 for trip in trips(tmp_path))
    assert (tmp_path / "statistics.xml").is_file()


@pytest.mark.parametrize("transport", ["libsumo", "traci"])
def test_a_gridlock_ends_a_scenario_without_an_end(transport: Transport, tmp_path: Path) -> None:
    """Lights that stay red for good fill the streets; once nobody has moved for a quarter of an hour the clock stops."""
    scenario, lights = shipped("cross")
    with open_street(replace(scenario, end=None), lights, outputs=tmp_path, seed=1, transport=transport) as clock:
        while clock.tick():
            assert clock.time < scenario.begin + 7200.0
        ended = clock.time
    assert ended > scenario.begin + LOCKED_AFTER
    assert sum(float(t["waitingTime"]) > LOCKED_AFTER for t in trips(tmp_path)) > 20


def test_lights_left_alone_run_their_own_program(tmp_path: Path) -> None:
    """With no light under control the trips are those of SUMO run by itself."""
    scenario, _ = shipped("cross")
    end = scenario.begin + 300
    with open_street(scenario, {}, outputs=tmp_path / "ours", seed=3, end=end) as clock:
        while clock.tick():
            pass
    alone = Outputs(tmp_path / "alone")
    alone.directory.mkdir()
    sumo = find_sumo()
    command = [str(sumo.program()), *options_of(scenario, alone, seed=3, end=end)]
    subprocess.run(command, check=True, env=sumo.environment(), capture_output=True)
    assert trips(tmp_path / "ours") == trips(tmp_path / "alone") != []


def test_requests_are_answered_by_the_sequencer(tmp_path: Path) -> None:
    """A stage the site lacks is refused, and a change in progress refuses another."""
    with street("cross", tmp_path) as clock:
        (cabinet,) = clock.cabinets.values()
        clock.tick()
        assert cabinet.request(0) is Refusal.NONE
        clock.tick()
        assert cabinet.status().in_interstage
        assert cabinet.request(1) is Refusal.IN_INTERSTAGE
        assert cabinet.request(99) is Refusal.UNKNOWN_STAGE


@pytest.mark.parametrize(
    ("options", "words"), [({"end": 0.0, "begin": 10.0}, "ends at 0 s"), ({"scale": 0.0}, "scale 0")]
)
def test_impossible_windows_and_scales_are_refused(options: dict[str, float], words: str, tmp_path: Path) -> None:
    """Before SUMO is started, in one clear message."""
    with pytest.raises(InputError, match=words):
        street("cross", tmp_path, **options)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file stands where the directory should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        street("cross", tmp_path / "file")
