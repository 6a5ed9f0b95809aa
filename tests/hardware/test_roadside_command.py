"""`signalwright cabinet`: emulator and service as two programs on the two ends of a pty, as a user starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from line_bench import crossing
from signalwright.networks.sitefile import write_site

CABINET = """
[cabinet]
protocol = "gbt20999"
port = "{port}"
authority = "stage"
controller_id = 7
dead_man_s = 10.0
hold_off_s = 1.0

[[cabinet.plans]]
number = 1
stages = ["B", "C", "D"]
greens_s = [20, 15, 10]

[[cabinet.plans]]
number = 2
starts = "18:00"
stages = ["A", "B", "C", "D"]
greens_s = [10, 8, 12, 8]
"""
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "signalwright", "cabinet", *map(str, arguments)]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file with a cabinet on a pty."""
    path = tmp_path / "elm.toml"
    write_site(crossing(), path)
    path.write_text(path.read_text() + CABINET.format(port=tmp_path / "line"))
    return path


@pytest.fixture
def emulator(site: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """An emulated cabinet on that pty."""
    arguments = command("emulate", site, "--port", f"pty:{tmp_path / 'line'}", "--address", "7", "--quick")
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert "elm speaks gbt20999 at /dev/pts/" in process.stdout.readline()
        yield process
        process.terminate()
        process.wait(10)


def test_a_site_file_is_had_from_a_scenario(tmp_path: Path) -> None:
    """One command writes what `run --check` finds in order; a scenario of several lights asks which."""
    path = tmp_path / "cross.toml"
    assert "cross.toml describes cross" in run("site", "cross", "--out", path, "--port", tmp_path / "line").stdout
    assert "authority up to stage" in run("run", path, "--check").stdout
    several = run("site", "corridor", "--out", tmp_path / "corridor.toml")
    assert several.returncode == 2
    assert "choose one with --light" in several.stderr
    assert not (tmp_path / "corridor.toml").exists()


def panel(emulator: subprocess.Popen[str], line: str) -> str:
    assert emulator.stdin is not None
    assert emulator.stdout is not None
    emulator.stdin.write(line + "\n")
    emulator.stdin.flush()
    return emulator.stdout.readline()


def until(true: Callable[[], bool], within: float = 120.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.slow
def test_a_service_takes_control_is_killed_and_the_cabinet_goes_on(
    site: Path, emulator: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Started, raised to stage, in control; killed with -9: within its dead-man the cabinet runs its own plan; started
    again it is in monitor and the first service's events are all there."""
    state = tmp_path / "state"
    arguments = command("run", site, "--state", state)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as service:
        until(lambda: run("status", "--state", state).returncode == 0)
        assert "authority monitor" in run("status", "--state", state).stdout
        assert run("authority", "stage", "--state", state).stdout.strip() == "authority is stage"
        for loop in ("loop 0", "loop 3"):
            assert "is on" in panel(emulator, f"loop {loop} on")
        until(lambda: "elm: remote" in panel(emulator, "status"))
        (report,) = json.loads(run("status", "--json", "--state", state).stdout)["cabinets"]
        assert report["authority"] == "stage"
        assert report["line"]["error_rate"] == 0.0
        refused = run("run", site, "--state", state)
        assert refused.returncode == 2
        assert "another service runs here" in refused.stderr
        service.send_signal(signal.SIGKILL)
    until(lambda: "elm: local" in panel(emulator, "status"), within=15)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as service:
        until(lambda: "watching" in run("status", "--state", state).stdout)
        assert "authority monitor" in run("status", "--state", state).stdout
        service.terminate()
        service.wait(20)
        assert service.returncode == 0
    exported = run("export", tmp_path / "events.csv", "--state", state)
    assert "events are in" in exported.stdout
    assert ",155,2" in (tmp_path / "events.csv").read_text()
    assert ",41," in (tmp_path / "events.csv").read_text()


def test_the_panel_of_the_emulator(emulator: subprocess.Popen[str]) -> None:
    """Lines on its input are obeyed, nonsense is answered with what there is."""
    until(lambda: "elm: local" in panel(emulator, "status"))
    assert "manual control asks for stage C" in panel(emulator, "press C")
    until(lambda: "manual, stage C:" in panel(emulator, "status"))
    assert "the panel does not know" in panel(emulator, "sing")


def test_check_and_mistakes(site: Path, tmp_path: Path) -> None:
    """`--check` says that all is well; a mistake is one message on stderr with an exit code, no traceback."""
    assert "authority up to stage" in run("run", site, "--check").stdout
    site.write_text(site.read_text().replace("controller_id = 7", 'controller_id = "seven"'))
    wrong = run("run", site, "--check")
    assert wrong.returncode == 2
    assert "cabinet.controller_id" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    nobody = run("status", "--state", tmp_path)
    assert nobody.returncode == 5
    assert "no service answers" in nobody.stderr
    assert "Type=notify" in run("unit").stdout


PLAN = """
format = 1
timing = "safe"

[[lights]]
name = "elm"
stages = [
  { name = "B", green = ["north-south", "north-south-left"] },
  { name = "C", green = ["east-west"] },
  { name = "D", green = ["east-west-left"] },
]

[[plans]]
name = "morning"
light = "elm"
stages = ["B", "C", "D"]
greens_s = [30, 18, 12]
"""


@pytest.mark.slow
def test_a_plan_is_uploaded_to_an_emulated_cabinet(site: Path, emulator: subprocess.Popen[str], tmp_path: Path) -> None:
    """Dry run, upload, upload again into a number that is taken, and a site file that does not allow it: what the user reads."""
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    until(lambda: "elm: local" in panel(emulator, "status"))
    dry = run("upload", site, plan, "--number", "9", "--schedule", "1", "--dry-run")
    assert dry.stdout == "would be written: plan 9, day plan 2, schedule 1\n", dry.stderr
    done = run("upload", site, plan, "--number", "9", "--schedule", "1")
    assert done.stdout.splitlines() == [
        "written, read back and the same: plan 9, day plan 2, schedule 1",
        "in force: schedule 1 runs day plan 2; before it was 1",
    ]
    again = run("upload", site, plan, "--number", "9")
    assert again.returncode == 5
    assert again.stderr == "signalwright: plan 9 runs now: give the new plan another number\n"
    site.write_text(site.read_text().replace('authority = "stage"', 'authority = "advise"'))
    refused = run("upload", site, plan, "--number", "10")
    assert refused.returncode == 2
    assert 'plans may be stored from "plan" on' in refused.stderr
    plan.write_text(PLAN.replace("greens_s = [30, 18, 12]", "greens_s = [30, 18, 3]"))
    site.write_text(site.read_text().replace('authority = "advise"', 'authority = "plan"'))
    unsafe = run("upload", site, plan, "--number", "10")
    assert unsafe.returncode == 1
    assert "minimum green" in unsafe.stderr


def test_plans_are_uploaded_to_no_other_protocol(site: Path, tmp_path: Path) -> None:
    """AB 3418: one message that says why, and what to do; no port is opened."""
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    text = site.read_text().replace('protocol = "gbt20999"', 'protocol = "ab3418"')
    site.write_text("\n".join(line for line in text.splitlines() if not line.startswith(("controller_id", "dead_man"))))
    refused = run("upload", site, plan)
    assert refused.returncode == 2
    assert "AB 3418 has no message for plans but raw memory" in refused.stderr
