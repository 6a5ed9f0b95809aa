"""Hardware in the loop: a scenario through services, ptys and emulated cabinets, beside the same in process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from signalwright.core.errors import InputError, LinkLost
from signalwright.experiments.prelude import BEFORE
from signalwright.experiments.result import read_manifest
from signalwright.experiments.run import rerun, run_once
from signalwright.experiments.spec import RunSpec
from signalwright.hardware.emulator.lockstep import lockstep_pty
from signalwright.hardware.port import PortSettings
from signalwright.networks.sumo import SumoCabinet

Shown = list[tuple[float, str, str]]


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What every light showed, second by second."""
    shown: Shown = []
    keeping = SumoCabinet.keep

    def keep(self: SumoCabinet) -> None:
        shown.append((self._street.time, self.light.name, self._letters))
        keeping(self)

    monkeypatch.setattr(SumoCabinet, "keep", keep)
    return shown


@pytest.mark.parametrize("protocol", ["gbt20999", "ntcip1202", "ab3418"])
def test_a_fixed_plan_shows_the_same_over_every_protocol(protocol: str, letters: Shown) -> None:
    """Webster's plan through the loop: once in step, every second shows what it shows in process, give or take one."""
    inside = run_once(RunSpec("cross", "webster", end=240.0))
    plain = letters[:]
    letters.clear()
    looped = run_once(RunSpec("cross", "webster", end=240.0, protocol=protocol))  # type: ignore[arg-type]
    same = [
        any(before == there for _, _, before in plain[max(0, at - 1) : at + 2])
        for at, (_, _, there) in enumerate(letters)
    ]
    assert np.mean(same[90:]) > 0.99
    assert looped.row["delay"] == pytest.approx(inside.row["delay"], rel=0.03)
    assert looped.manifest["line"]["cross"]["conflict_monitor"] is None
    assert looped.manifest["line"]["cross"]["failed"] == 0


@pytest.mark.parametrize("protocol", ["gbt20999", "ntcip1202"])
@pytest.mark.parametrize("controller", ["adaptive", "actuated"])
def test_a_strategy_decides_the_same_over_the_line(controller: str, protocol: str, letters: Shown) -> None:
    """From the same lamps on, every second shows in the loop what it shows in process, and the delay is the same.

    In a seed without two courses that cost nearly alike: a departure that the line tells a second later would choose between them.
    """
    inside = run_once(RunSpec("cross", controller, seed=2, end=300.0, start="plan"))
    plain = letters[:]
    letters.clear()
    looped = run_once(RunSpec("cross", controller, seed=2, end=300.0, protocol=protocol))  # type: ignore[arg-type]
    assert np.mean([a == b for a, b in zip(plain, letters, strict=True)]) > 0.95
    assert looped.row["delay"] == pytest.approx(inside.row["delay"], rel=0.01)
    assert looped.manifest["line"]["cross"]["mode"] == "remote"


def test_a_run_may_begin_where_the_cabinets_plans_have_come_to(letters: Shown) -> None:
    """In process as well: lamps are green in the first second, and all red when they begin as after switching on."""
    for start, green in (("plan", True), ("red", False)):
        letters.clear()
        run_once(RunSpec("cross", "max-pressure", end=5.0, start=start))  # type: ignore[arg-type]
        assert ("G" in letters[0][2]) is green


def test_a_run_in_the_loop_is_kept_and_made_again(tmp_path: Path) -> None:
    """Result directory and manifest as of any run; made again from the manifest, to the last digit."""
    spec = RunSpec("cross", "max-pressure", end=60.0, protocol="gbt20999", bits_per_second=115_200)
    result = run_once(spec, out=tmp_path / "out")
    assert result.row["controller"] == "max-pressure over gbt20999"
    assert read_manifest(tmp_path / "out")["spec"]["protocol"] == "gbt20999"
    assert rerun(tmp_path / "out").identical


def test_many_lights_at_once() -> None:
    """Six lights of the corridor: each has its own pty, cabinet and service, and neighbours hear each other."""
    result = run_once(RunSpec("corridor", "adaptive", end=40.0, protocol="gbt20999"))
    lines = result.manifest["line"]
    assert len(lines) == 6
    assert {line["mode"] for line in lines.values()} == {"remote"}
    assert all(line["answered"] > 100 and line["conflict_monitor"] is None for line in lines.values())


def test_what_cannot_be_in_the_loop_is_said() -> None:
    """SUMO's own arms have no cabinet, and a line too slow to identify a cabinet in time names the light."""
    with pytest.raises(InputError, match="there is no cabinet to put into the loop"):
        run_once(RunSpec("cross", "plan", end=30.0, protocol="gbt20999"))
    with pytest.raises(LinkLost, match="cross: not identified within 40 s"):
        run_once(RunSpec("cross", "adaptive", end=30.0, protocol="ntcip1202", bits_per_second=300))


def test_real_time_is_no_faster_than_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --real-time every slot waits for the clock: the sleeps of a run add up to its simulated time."""
    wall, slept = 100.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal wall, slept
        wall, slept = wall + seconds, slept + seconds

    monkeypatch.setattr("time.monotonic", lambda: wall)
    monkeypatch.setattr("time.sleep", sleep)
    run_once(RunSpec("cross", "max-pressure", end=20.0, protocol="gbt20999", real_time=True))
    assert slept == pytest.approx(BEFORE + 20.0, abs=1.0)


@pytest.mark.parametrize(("paced", "after"), [(True, 1.0), (False, 0.0)])
def test_a_pty_in_lockstep_carries_bytes_when_a_line_would(paced: bool, after: float) -> None:
    """960 bytes at 9600 bit/s arrive a second later; unpaced at once; always all of them, in order."""
    now = 0.0
    near, far = lockstep_pty(lambda: now, PortSettings("pty:", 9600), paced)
    data = bytes(range(240)) * 4
    near.write(data)
    if after:
        now = after - 0.01
        assert far.read() == b""
    now = after
    assert far.read() == data
    far.write(b"yes")
    now += 1.0
    assert near.read() == b"yes"
    near.close()
    far.close()
