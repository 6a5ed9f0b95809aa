"""Finding, starting and ending SUMO, and what it says when it fails."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from signalwright.core.errors import MissingSumo, SimulationError
from signalwright.networks.options import Outputs, options_of
from signalwright.networks.simulator import InProcess, find_sumo
from signalwright.networks.spoken import last_words
from signalwright.networks.sumo import SumoStreet, open_street
from signalwright.networks.wire import OverTraci
from simulated import shipped, street

TRANSPORTS = ("libsumo", "traci")


def start(transport: str, options: list[str], log: Path) -> Any:
    """A simulator of either kind."""
    return InProcess(find_sumo(), options, log) if transport == "libsumo" else OverTraci(find_sumo(), options, log)


def test_sumo_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SUMO_HOME with programs is taken; one without is refused with the remedy; a program it lacks is named."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("SUMO_HOME", str(tmp_path))
    found = find_sumo()
    assert found.home == tmp_path
    with pytest.raises(MissingSumo, match=r"no bin/sumo; correct it, or install the extra"):
        found.program()
    monkeypatch.setenv("SUMO_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(MissingSumo, match=r"SUMO_HOME is .*nowhere"):
        find_sumo()


def test_the_data_wheel_is_no_sumo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing sumolib or libsumo writes a folder without programs into SUMO_HOME; the wheel is found all the same."""
    monkeypatch.setenv("SUMO_HOME", "/anywhere/sumo_data")
    assert find_sumo().program("netconvert").is_file()


def test_no_sumo_anywhere_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """With neither SUMO_HOME nor the wheel the message names both ways out."""
    monkeypatch.delenv("SUMO_HOME", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingSumo, match=r"set SUMO_HOME, or install the extra: pip install 'signalwright\[sumo\]'"):
        find_sumo()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_scenario_sumo_refuses_is_told_in_its_own_words(transport: str, tmp_path: Path, capfd: Any) -> None:
    """The error repeats SUMO's complaint, and nothing of it reaches the console."""
    scenario, _ = shipped("cross")
    broken = tmp_path / "broken.add.xml"
    broken.write_text(
        '<additional><inductionLoop id="x" lane="nowhere_0" pos="1" period="60" file="NUL"/></additional>'
    )
    options = [
        "--net-file",
        str(scenario.net),
        "--additional-files",
        str(broken),
        "--error-log",
        str(tmp_path / "sumo.log"),
    ]
    with pytest.raises(SimulationError, match=r"could not start:\n.*'nowhere_0' is not known"):
        start(transport, options, tmp_path / "sumo.log")
    assert "nowhere_0" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_simulation_opens_after_another_was_closed(transport: str, tmp_path: Path) -> None:
    """Closing frees the process for the next; closing twice does no harm."""
    for turn in range(2):
        clock = street("cross", tmp_path / str(turn), transport=transport)
        assert clock.tick()
        clock.close()
        clock.close()
        assert not clock.tick()


def test_a_second_simulation_in_one_process_is_refused(tmp_path: Path) -> None:
    """SUMO as a library holds one; the message says what to do, and the first goes on."""
    with street("cross", tmp_path / "one") as clock:
        with pytest.raises(SimulationError, match="already open"):
            street("cross", tmp_path / "two")
        assert clock.tick()


def test_an_unknown_loop_is_named_when_it_is_watched(tmp_path: Path) -> None:
    """Over TraCI SUMO's answer carries the name."""
    scenario, _ = shipped("cross")
    simulator = start("traci", ["--net-file", str(scenario.net), "--no-step-log", "true"], tmp_path / "sumo.log")
    with pytest.raises(SimulationError, match="nowhere"):
        simulator.watch(["nowhere"])


def tick_on(clock: SumoStreet, seconds: int) -> None:
    """So many ticks, whatever they say."""
    for _ in range(seconds):
        clock.tick()


def test_sumo_that_dies_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    """A SUMO process killed in the middle ends the run in a SimulationError, not in a hang."""
    with street("cross", tmp_path, transport="traci") as clock:
        assert clock.tick()
        process = clock._simulator._process  # type: ignore[attr-defined]
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(SimulationError, match="SUMO stopped"):
            tick_on(clock, 100)


def test_a_running_sumo_is_reached_by_host_and_port(tmp_path: Path) -> None:
    """A SUMO started elsewhere with a remote port can be driven."""
    scenario, _ = shipped("cross")
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    sumo = find_sumo()
    command = [str(sumo.program()), *options_of(scenario, Outputs(tmp_path)), "--remote-port", str(port)]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, env=sumo.environment(), stdout=said, stderr=said)
    with open_street(scenario, {}, outputs=tmp_path / "ours", remote=("localhost", port)) as clock:
        assert all(clock.tick() for _ in range(10))
    assert process.wait(timeout=30) == 0


def test_last_words_prefer_errors(tmp_path: Path) -> None:
    """Warnings are repeated only where there is no error; each line once."""
    log = tmp_path / "log"
    log.write_text("Warning: slow\nError: lane\n")
    assert last_words(log, "Error: lane\nQuitting (on error).") == "  Error: lane"
    log.write_text("Warning: slow\n")
    assert last_words(log) == "  Warning: slow"
    assert last_words(None) == "  (SUMO said nothing)"
