"""The service: authority, letting go, memory, console; in virtual time against the emulated cabinet, and once for real."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from line_bench import Answers, bench, crossing, plans
from signalwright.core.aspects import Aspect
from signalwright.core.counts import Counts
from signalwright.core.errors import InputError, LinkLost
from signalwright.core.forecast import Forecast
from signalwright.core.ports import Mode, Status, Wish
from signalwright.core.state import TrafficState
from signalwright.hardware.cabinets import Authority, GbtDriver, LineCabinet
from signalwright.hardware.cabinets.habits import Grip, Habits
from signalwright.hardware.config import Source
from signalwright.hardware.console import Console, ask
from signalwright.hardware.emulator import EmulatedCabinet
from signalwright.hardware.emulator.cabinet import Timing
from signalwright.hardware.emulator.detectors import InputFault
from signalwright.hardware.emulator.server import Emulator, answers_for
from signalwright.hardware.exchange import LinkSettings
from signalwright.hardware.indiana import Row
from signalwright.hardware.line import Line
from signalwright.hardware.logfile import LogFile
from signalwright.hardware.notify import Notifier
from signalwright.hardware.port import PortSettings
from signalwright.hardware.roadside import Roadside as Process
from signalwright.hardware.service import Service, ServiceSettings
from signalwright.hardware.store import Store
from signalwright.hardware.trunk import Trunk
from signalwright.hardware.unit import hint_for, systemd_unit, this_program


class Blind:
    """An estimator that knows the stage and nothing of the traffic."""

    def __init__(self) -> None:
        none = np.zeros(0)
        self.state = TrafficState(
            crossing(),
            0.0,
            -1,
            True,
            0.0,
            none,
            none,
            none,
            none,
            none,
            none,
            none,
            none,
            np.ones(4, dtype=np.bool_),
            none,
        )

    def update(self, counts: Counts, status: Status) -> TrafficState:
        self.state.time, self.state.stage, self.state.in_interstage = status.time, status.stage, status.in_interstage
        return self.state


class Rounds:
    """A strategy that goes round the stages, one every 12 seconds."""

    def decide(self, state: TrafficState) -> Wish:
        return int(state.time) // 12 % 4


@dataclass
class Wire:
    """A line in virtual time straight into the emulated cabinet; can be unplugged."""

    answers: Answers
    name: str = "wire"
    is_open: bool = False
    next_try: float = 0.0
    plugged: bool = True
    trouble: str | None = None
    back: bytearray = field(default_factory=bytearray)

    def reopen(self, now: float, aside: object) -> bool:
        self.is_open, self.trouble = self.plugged, None if self.plugged else "wire is unplugged"
        return self.is_open

    def read(self) -> bytes:
        if not self.plugged:
            self.is_open = False
            raise LinkLost("wire is gone: was the adapter unplugged?")
        data = bytes(self.back)
        self.back.clear()
        return data

    def write(self, data: bytes) -> None:
        self.back += self.answers.receive(data)

    def close(self) -> None:
        self.is_open = False


@dataclass
class Roadside:
    """A service and an emulated cabinet in virtual time."""

    service: Service
    process: Process
    cabinet: EmulatedCabinet
    answers: Answers
    wire: Wire
    said: list[str]
    now: float = 0.0
    wall_offset: float = 1e9
    steps: int = 0

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            self.steps += 1
            self.now = self.steps / 50
            if self.steps % 5 == 0:
                self.cabinet.tick()
                self.answers.tick()
            self.process.pump()

    def until(self, true: Any, within: float = 90.0) -> None:
        start = self.now
        while not true():
            assert self.now - start < within, self.said[-5:]
            self.run(0.1)


@pytest.fixture
def roadside(tmp_path: Path) -> Iterator[Roadside]:
    """A service over GB/T 20999 with all authority in its site file, just started."""
    yield from roadside_with(tmp_path, ServiceSettings(ceiling=Authority.STAGE))


def roadside_with(folder: Path, settings: ServiceSettings, controller: type = Rounds) -> Iterator[Roadside]:
    parts = bench("gbt", authority=Authority.MONITOR)
    wire = Wire(parts.answers)
    said: list[str] = []
    store = Store(folder / "events.db")
    service = Service(
        parts.host, Blind, controller, store, settings, say=said.append,
        steady=lambda: place.now, wall=lambda: place.now + place.wall_offset,
    )  # fmt: skip
    trunk = Trunk(wire, [service])  # type: ignore[arg-type]
    process = Process([trunk], [service], store, Notifier({}), said.append, steady=lambda: place.now)
    place = Roadside(service, process, parts.cabinet, parts.answers, wire, said)
    yield place
    store.close()


def in_control(place: Roadside) -> None:
    place.until(lambda: place.service.cabinet.grip is Grip.WATCHING)
    assert place.service.raise_authority(Authority.STAGE) == "authority is stage"
    place.until(lambda: place.cabinet.mode is Mode.REMOTE and place.service.cabinet.picture.mode is Mode.REMOTE)


def test_it_starts_in_monitor_and_stays_there(roadside: Roadside) -> None:
    """A minute without an operator: everything is read and decided, nothing is asked."""
    roadside.run(60)
    assert roadside.service.cabinet.authority is Authority.MONITOR
    assert roadside.service.decisions >= 50
    assert not roadside.cabinet.has_grip
    assert roadside.cabinet.mode is Mode.LOCAL


def test_who_is_on_a_loop_is_remembered(roadside: Roadside) -> None:
    """The service writes detector events (82 on, 81 off) from what the cabinet tells, decisions or not."""
    roadside.until(lambda: roadside.service.cabinet.grip is Grip.WATCHING)
    for present in (True, False):
        roadside.cabinet.inputs.set(2, present)
        roadside.run(1.0)
    roadside.service.store.flush()
    events = [(code, number) for _, _, code, number in roadside.service.store.read_events() if code in (81, 82)]
    assert events == [(82, 3), (81, 3)]


def test_an_operator_raises_it_and_the_strategy_moves_the_stages(roadside: Roadside) -> None:
    """With authority, the cabinet goes through all stages as the strategy asks, lawfully."""
    in_control(roadside)
    seen = set()
    for _ in range(120):
        roadside.run(1)
        if roadside.cabinet.mode is Mode.REMOTE:
            seen.add(roadside.cabinet.stage)
    assert seen == {0, 1, 2, 3}
    assert roadside.cabinet.monitor.fault is None


def test_the_ceiling_of_the_site_file_holds(tmp_path: Path) -> None:
    """Asked for more than the file allows, the answer says so and what holds is the ceiling."""
    for place in roadside_with(tmp_path, ServiceSettings(ceiling=Authority.ADVISE)):
        assert "the site file allows no more" in place.service.raise_authority(Authority.STAGE)
        place.run(30)
        assert not place.cabinet.has_grip


def test_a_dry_run_asks_for_nothing_and_says_what_it_would(tmp_path: Path) -> None:
    """--dry-run: decisions are made, noted as advice, and never sent."""
    for place in roadside_with(tmp_path, ServiceSettings(ceiling=Authority.STAGE, dry_run=True)):
        assert "dry run" in place.service.raise_authority(Authority.STAGE)
        place.run(60)
        assert not place.cabinet.has_grip
        assert any("would ask for stage" in text for text in place.said)


class Broken:
    """A strategy that raises after a while."""

    decided = 0

    def decide(self, state: TrafficState) -> Wish:
        self.decided += 1
        if self.decided > 40:
            raise ZeroDivisionError("no lanes")
        return 2


def test_a_strategy_that_raises_lets_go(tmp_path: Path) -> None:
    """An exception in the strategy: given back, monitor, and the message names it."""
    for place in roadside_with(tmp_path, ServiceSettings(ceiling=Authority.STAGE), Broken):
        in_control(place)
        place.until(lambda place=place: place.service.cabinet.authority is Authority.MONITOR)
        place.until(lambda place=place: place.cabinet.mode is Mode.LOCAL, within=5)
        assert any("ZeroDivisionError: no lanes" in text for text in place.said)


def test_a_strategy_that_cannot_run_the_site_is_told_before_the_line_is_open(tmp_path: Path) -> None:
    """The first decision is made on an empty road, before anything else; what fails there is an input error."""
    for place in roadside_with(tmp_path, ServiceSettings()):
        place.service.warm_up()

        class Never:
            def decide(self, state: TrafficState) -> Wish:
                raise IndexError("no lanes")

        place.service.new_controller = Never
        with pytest.raises(InputError, match=r"elm: the strategy cannot run this site \(IndexError: no lanes\)"):
            place.service.warm_up()


def test_the_wall_clock_jumps(roadside: Roadside) -> None:
    """Forward and back by an hour: given back each time, taken up again after the hold-off."""
    in_control(roadside)
    for jump in (3600, -3600):
        roadside.wall_offset += jump
        roadside.until(lambda: roadside.service.cabinet.grip is not Grip.HOLDING, within=3)
        assert any(f"the clock jumped by {jump:+.1f} s" in text for text in roadside.said)
        roadside.until(lambda: roadside.service.cabinet.grip is Grip.HOLDING)
        roadside.until(lambda: roadside.cabinet.mode is Mode.REMOTE)


def test_late_decisions_let_go_and_then_lower_the_authority(tmp_path: Path) -> None:
    """Each decision over the deadline gives back; three of them end in advise."""
    for place in roadside_with(tmp_path, ServiceSettings(ceiling=Authority.STAGE)):
        in_control(place)

        class Slow:
            def __init__(self, place: Roadside = place) -> None:
                self.place = place

            def decide(self, state: TrafficState) -> Wish:
                self.place.now += 0.7
                self.place.steps += 35
                return 2

        place.service._controller = Slow()
        place.run(10)
        assert place.service.cabinet.authority is Authority.ADVISE
        assert place.service.late >= 3
        assert any("a decision took 0.7 s" in text for text in place.said)
        assert not place.cabinet.has_grip


def test_unplugging_the_adapter(roadside: Roadside) -> None:
    """Unplugged: one message, the cabinet on its own; plugged in again: identified anew and back in control."""
    in_control(roadside)
    roadside.wire.plugged = False
    roadside.until(lambda: roadside.cabinet.mode is Mode.LOCAL, within=15)
    assert sum("unplugged" in text for text in roadside.said) <= 2
    assert roadside.service.report()["line"]["open"] is False
    roadside.wire.plugged = True
    roadside.until(lambda: roadside.cabinet.mode is Mode.REMOTE)
    assert sum("identified" in text for text in roadside.said) == 2


def test_detectors_that_die_let_go(roadside: Roadside) -> None:
    """One loop of four is lived with; three are not: given back and left to itself, and taken up again when they work."""
    in_control(roadside)
    faults = roadside.cabinet.inputs.faults
    faults[0] = InputFault.STUCK_ON
    roadside.run(20)
    assert roadside.service.report()["grip"] == "holding"
    faults[1] = faults[2] = InputFault.STUCK_ON
    roadside.until(lambda: roadside.service.cabinet.grip is Grip.WATCHING, within=10)
    roadside.run(30)
    assert roadside.service.report()["mode"] == "local"
    assert any("3 of 4 detectors have failed: the cabinet is left to itself" in text for text in roadside.said)
    assert roadside.service.report()["failed_detectors"] == ["loop 0", "loop 1", "loop 2"]
    faults.clear()
    roadside.until(lambda: roadside.cabinet.mode is Mode.REMOTE)


class Talker(Rounds):
    """A strategy that tells its neighbour what comes."""

    def __init__(self, name: str, other: str) -> None:
        self.name, self.other = name, other
        self.heard: list[Forecast] = []

    def tell(self) -> tuple[Forecast, ...]:
        return (Forecast(self.name, self.other, "exit 0", 0.0, (0.5,)),)

    def hear(self, forecasts: tuple[Forecast, ...]) -> None:
        self.heard += forecasts


def test_neighbours_in_one_process_tell_each_other(roadside: Roadside, tmp_path: Path) -> None:
    """Once a second each hears what the other told; one that raises costs the news, and is named once."""
    elm, oak = Talker("elm", "oak"), Talker("oak", "elm")
    first, store = roadside.service, roadside.service.store
    first._controller = elm
    site = replace(crossing(), name="oak")
    host = LineCabinet("oak", GbtDriver(site, controller=8), site)
    second = Service(host, Blind, lambda: oak, store, steady=lambda: roadside.now, wall=lambda: roadside.now)
    roadside.process.services = [first, second]
    roadside.run(5)
    assert len(elm.heard) >= 4
    assert {forecast.sender for forecast in elm.heard} == {"oak"}
    assert {forecast.sender for forecast in oak.heard} == {"elm"}
    oak.tell = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    roadside.run(5)
    assert sum("neighbours are not told" in text for text in roadside.said) == 1


def test_a_full_disk_disturbs_nothing(roadside: Roadside) -> None:
    """The store takes nothing more: it is said once, the cabinet stays in control, and later what was kept is written."""
    in_control(roadside)
    roadside.run(2)
    base = roadside.service.store._base
    base.execute(f"PRAGMA max_page_count = {base.execute('PRAGMA page_count').fetchone()[0]}")
    roadside.service.store.events("elm", [Row(1e9, 82, 1)] * 5000)
    roadside.run(60)
    full = [text for text in roadside.said if "full" in text]
    assert len(full) == 1
    assert "events wait in memory until there is room" in full[0]
    assert roadside.service.cabinet.grip is Grip.HOLDING
    assert "full" in str(roadside.process.report()["store"])
    assert "full" in roadside.process.summary()
    base.execute("PRAGMA max_page_count = 1000000")
    roadside.run(2)
    times = [time for time, *_ in roadside.service.store.read_events()]
    assert max(b - a for a, b in pairwise(times)) < 30


def test_the_site_file_is_changed_under_it(roadside: Roadside, tmp_path: Path) -> None:
    """What was read at the start holds; that the file is another one now is said once and reported."""
    path = tmp_path / "elm.toml"
    path.write_text("name = 'elm'")
    roadside.service.source = Source.of(path)
    in_control(roadside)
    assert roadside.service.report()["site_file_has_changed"] is False
    path.write_text("name = 'oak'")
    roadside.run(40)
    assert roadside.service.report()["site_file_has_changed"] is True
    assert sum("has changed" in text for text in roadside.said) == 1
    assert roadside.service.cabinet.grip is Grip.HOLDING
    path.unlink()
    assert roadside.service.report()["site_file_has_changed"] is True


def test_events_are_stamped_when_they_are_seen(roadside: Roadside) -> None:
    """Changes of the lamps are remembered at the poll that shows them, to 0.1 s, and counts once a second."""
    in_control(roadside)
    roadside.cabinet.inputs.set(0, True)
    lit, begun = roadside.cabinet.sequencer.aspects == Aspect.GREEN, []
    for _ in range(600):
        roadside.run(0.1)
        now = roadside.cabinet.sequencer.aspects == Aspect.GREEN
        begun += [roadside.now + roadside.wall_offset] * int((now & ~lit).sum())
        lit = now
    told = [time for time, _, code, _ in roadside.service.store.read_events(begin=begun[0] - 1) if code == 1]
    assert len(told) >= len(begun) - 1 >= 3
    assert max(abs(time - true) for time, true in zip(told, begun, strict=False)) <= 0.35
    (counted,) = roadside.service.store._base.execute("SELECT count(*) FROM counts WHERE detector = 1").fetchone()
    assert counted >= 50


def test_the_log_has_a_bound_and_never_fails(tmp_path: Path) -> None:
    """Old lines go, the newest are there with their time; a directory that vanishes is no exception."""
    folder = tmp_path / "state"
    folder.mkdir()
    log = LogFile(folder / "log", most_bytes=2000, copies=2)
    for number in range(500):
        log(f"elm: line {number}")
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 3 * 2000
    assert len(list(folder.iterdir())) == 3
    assert (folder / "log").read_text().splitlines()[-1].endswith("elm: line 499")
    log.close()
    shutil.rmtree(folder)
    log("elm: nobody reads this")
    log.close()


def test_stopping_gives_back_first(roadside: Roadside) -> None:
    """`stop`: the cabinet is on its own, and has confirmed it, before the service ends."""
    in_control(roadside)
    roadside.service.stop()
    assert not roadside.process.is_over
    roadside.until(lambda: roadside.process.is_over, within=10)
    assert roadside.cabinet.mode is Mode.LOCAL
    assert roadside.service.cabinet.grip is Grip.WATCHING


def test_what_happened_is_remembered(roadside: Roadside) -> None:
    """Events and notes of a session are in the store: holds, modes, greens, what was asked and why it was let go."""
    in_control(roadside)
    roadside.run(60)
    roadside.service.raise_authority(Authority.MONITOR)
    roadside.run(5)
    codes = {code for _, _, code, _ in roadside.service.store.read_events()}
    assert {1, 7, 8, 9, 10, 41, 42, 131, 155} <= codes
    notes = " ".join(text for _, _, text in roadside.service.store.read_notes())
    assert "asks for stage" in notes
    assert "release confirmed" in notes


def test_the_console(roadside: Roadside, tmp_path: Path) -> None:
    """Status for people and machines, authority, release; what makes no sense is answered with what does."""
    console = Console(roadside.process, tmp_path / "state")
    in_control(roadside)
    assert console.do("status").startswith("elm: holding, remote, stage")
    (report,) = json.loads(console.do("status --json"))["cabinets"]
    assert report == json.loads(console.do("status --json elm"))
    assert (report["authority"], report["mode"], report["line"]["lost"]) == ("stage", "remote", False)
    assert console.do("authority plan") == "authority is plan"
    roadside.until(lambda: roadside.cabinet.mode is Mode.LOCAL, within=10)
    console.do("release")
    assert roadside.service.cabinet.authority is Authority.MONITOR
    with pytest.raises(InputError, match="monitor, advise, plan, stage"):
        console.do("authority god")
    asyncio.run(console.close())


def test_one_writer(roadside: Roadside, tmp_path: Path) -> None:
    """A second service on the same state is refused; after the first has gone it may start."""
    first = Console(roadside.process, tmp_path / "state")
    with pytest.raises(InputError, match="another service runs here"):
        Console(roadside.process, tmp_path / "state")
    asyncio.run(first.close())
    asyncio.run(Console(roadside.process, tmp_path / "state").close())


def test_nobody_answers_where_no_service_runs(tmp_path: Path) -> None:
    """`status` without a service is one clear message."""
    with pytest.raises(LinkLost, match="no service answers"):
        ask(tmp_path, "status")


def test_several_cabinets_in_one_process(tmp_path: Path) -> None:
    """Six cabinets at four real ptys, three of them on one: all are served, each is raised by its name, all given back."""

    async def live() -> None:
        site, emulators, serving = crossing(), [], []
        services: list[Service] = []
        trunks = []
        store = Store(tmp_path / "events.db")
        for count in (3, 1, 1, 1):
            far = Line(PortSettings("pty:"))
            far.open()
            stations = []
            for row in range(count):
                cabinet = EmulatedCabinet(site, plans(site), timing=Timing(0.2, 0.3))
                answers = answers_for("gbt20999", cabinet, address=row + 1)
                emulators.append((cabinet, answers))
                driver = GbtDriver(site, controller=row + 1, dead_man=10.0)
                habits = Habits(hold_off=0.2)
                host = LineCabinet(f"elm {len(services)}", driver, site, habits=habits, line=LinkSettings(0))
                stations.append(Service(host, Blind, Rounds, store, ServiceSettings(ceiling=Authority.STAGE)))
                services.append(stations[-1])
            trunks.append(Trunk(Line(PortSettings(far.name)), stations))
            one = Emulator(*emulators[-1], far)
            if count > 1:
                one.answers = Everybody(
                    [answers for _, answers in emulators], [cabinet for cabinet, _ in emulators[:-1]]
                )
            serving.append((one, asyncio.create_task(one.run())))
        process = Process(trunks, services, store, Notifier({}))
        console = Console(process, tmp_path / "state")
        running = asyncio.create_task(process.run())
        for _ in range(400):
            await asyncio.sleep(0.05)
            if all(service.cabinet.grip is Grip.WATCHING for service in services):
                break
        assert all(service.cabinet.grip is Grip.WATCHING for service in services)
        with pytest.raises(InputError, match="name one: elm 0, elm 1"):
            console.do("authority stage")
        with pytest.raises(InputError, match="no cabinet 'oak' is served here"):
            console.do("authority stage oak")
        for service in services:
            assert console.do(f"authority stage '{service.cabinet.name}'") == "authority is stage"
        for _ in range(600):
            await asyncio.sleep(0.05)
            if all(cabinet.mode is Mode.REMOTE for cabinet, _ in emulators):
                break
        assert all(cabinet.mode is Mode.REMOTE for cabinet, _ in emulators)
        assert len(console.do("status").splitlines()) == 6
        assert "6 cabinets, 6 held" in process.headline()
        assert console.do("stop") == "giving everything back"
        await running
        assert all(service.cabinet.picture.mode is Mode.LOCAL for service in services)
        await console.close()
        for emulator, task in serving:
            emulator.stop()
            await task

    asyncio.run(live())


@dataclass
class Everybody:
    """Several cabinets on one line, each hears everything; the others' time passes with the first one's."""

    answers: list[Any]
    others: list[EmulatedCabinet]

    def receive(self, data: bytes) -> bytes:
        return b"".join(answers.receive(data) for answers in self.answers)

    def tick(self) -> None:
        for cabinet in self.others:
            cabinet.tick()


def test_systemd_is_told(tmp_path: Path) -> None:
    """Ready, alive with a status, stopping: as datagrams to the socket systemd names; without one nothing happens."""
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(place)
        notifier = Notifier({"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "10000000"})
        assert notifier.interval == 5.0
        notifier.ready()
        notifier.alive("all is well")
        notifier.stopping()
        said = [systemd.recv(100) for _ in range(3)]
    assert said == [b"READY=1", b"WATCHDOG=1\nSTATUS=all is well", b"STOPPING=1"]
    Notifier({}).ready()
    notifier.ready()


def test_the_unit_is_lawful_to_systemd(tmp_path: Path) -> None:
    """systemd's own checker finds nothing wrong with the unit; without systemd its keys are checked to be there."""
    text = systemd_unit(sys.executable)
    assert f"ExecStart={sys.executable} cabinet run /etc/signalwright/%i.toml" in text
    for key in ("Type=notify", "WatchdogSec=", "Restart=always", "DynamicUser=yes", "SupplementaryGroups=dialout"):
        assert key in text
    checker = shutil.which("systemd-analyze")
    if checker is not None:
        unit = tmp_path / "signalwright-cabinet@.service"
        unit.write_text(text)
        done = subprocess.run([checker, "verify", str(unit)], capture_output=True, text=True, check=False)
        assert "signalwright-cabinet" not in done.stderr, done.stderr


def test_the_unit_starts_the_program_that_printed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its whole path, quoted where it has spaces; without a command of ours the interpreter; homes are out of the unit's sight."""
    monkeypatch.setattr("sys.argv", ["/opt/signal wright/bin/signalwright", "cabinet", "unit"])
    assert this_program() == '"/opt/signal wright/bin/signalwright"'
    monkeypatch.setattr("sys.argv", ["/usr/lib/python3/signalwright/__main__.py"])
    assert this_program() == f"{sys.executable} -m signalwright"
    assert "install it in /opt" in (hint_for("/home/engineer/venv/bin/signalwright") or "")
    assert hint_for("/opt/signalwright/bin/signalwright") is None


def test_a_whole_roadside_for_real(tmp_path: Path) -> None:
    """Emulator and service on the two ends of a real pty, the console from outside, control taken and given back."""

    async def live() -> None:
        site = crossing()
        cabinet = EmulatedCabinet(site, plans(site))
        cabinet.timing = cabinet.timing.__class__(0.2, 0.3)
        cabinet.reset_monitor()
        far = Line(PortSettings("pty:"))
        far.open()
        emulator = Emulator(cabinet, answers_for("gbt20999", cabinet, address=7), far)
        serving = asyncio.create_task(emulator.run())
        host = bench("gbt", site, Authority.MONITOR).host
        store = Store(tmp_path / "events.db")
        service = Service(host, Blind, Rounds, store, ServiceSettings(ceiling=Authority.STAGE))
        process = Process([Trunk(Line(PortSettings(far.name)), [service])], [service], store, Notifier({}))
        console = Console(process, tmp_path / "state")
        await console.open()
        running = asyncio.create_task(process.run())
        answers: list[str] = []

        def operator() -> None:
            answers.append(ask(tmp_path / "state", "authority stage"))

        thread = threading.Thread(target=operator)
        thread.start()
        for _ in range(300):
            await asyncio.sleep(0.05)
            if cabinet.mode is Mode.REMOTE:
                break
        thread.join()
        assert cabinet.mode is Mode.REMOTE
        assert answers == ["authority is stage"]
        assert os.stat(console.path).st_mode & 0o077 == 0
        process.stop()
        await running
        assert host.picture.mode is Mode.LOCAL
        await console.close()
        emulator.stop()
        await serving

    asyncio.run(live())
