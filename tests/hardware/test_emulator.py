"""The emulated cabinet: its lamps are lawful whoever asks, its conflict monitor sees what is not, its modes keep order."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker import Judge
from line_bench import bench, crossing, plans
from signalwright.core.aspects import Aspect
from signalwright.core.errors import InputError
from signalwright.core.ports import Mode
from signalwright.core.sequencer import Sequencer
from signalwright.hardware import ab3418
from signalwright.hardware.emulator import ConflictMonitor, EmulatedCabinet, Lamps
from signalwright.hardware.emulator.answers_ab3418 import Ab3418Answers
from signalwright.hardware.emulator.cabinet import Timing
from signalwright.hardware.emulator.panel import Panel
from signalwright.hardware.emulator.server import PROTOCOLS, Emulator, answers_for
from signalwright.hardware.frames import Address, HdlcFrame, HdlcFramer
from signalwright.hardware.frames.hdlc import ALL_STATIONS, Control, Protocol
from signalwright.hardware.line import Line
from signalwright.hardware.pattern import FLASH, STANDBY, Pattern
from signalwright.hardware.port import PortSettings
from strategies import sites

QUICK = Timing(startup_flash=1.0, startup_red=2.0, dead_man=3.0)


def running(time_of_day: float = 0.0) -> EmulatedCabinet:
    """A cabinet past its start-up."""
    cabinet = EmulatedCabinet(crossing(), plans(crossing()), time_of_day, QUICK)
    go(cabinet, 4)
    return cabinet


def decider(cabinet: EmulatedCabinet) -> Mode:
    return cabinet.mode


def go(cabinet: EmulatedCabinet, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        cabinet.tick()


def lamps_of(aspects: list[int]) -> list[Lamps]:
    of = {
        0: Lamps(True, False, False),
        1: Lamps(True, True, False),
        2: Lamps(False, False, True),
        3: Lamps(False, True, False),
    }
    return [of[aspect] for aspect in aspects]


@settings(max_examples=40, deadline=None)
@given(sites(), st.integers(0, 2**32 - 1))
def test_the_monitor_never_trips_on_the_sequencer(site: object, seed: int) -> None:
    """Whatever is wished at any site, two watchers that share no code with the machine see nothing unlawful."""
    from signalwright.core.intersection import Intersection

    assert isinstance(site, Intersection)
    random_, sequencer, monitor, judge = random.Random(seed), Sequencer(site), ConflictMonitor(site), Judge(site)
    for _ in range(1500):
        if random_.random() < 0.05:
            sequencer.grant(random_.randrange(-1, len(site.stages)))
        else:
            sequencer.grant(None)
        sequencer.elapse(1)
        shown = [int(aspect) for aspect in sequencer.aspects]
        judge.see(shown)
        assert monitor.watch(lamps_of(shown)), monitor.fault
    assert judge.breaches == []


def green_for(monitor: ConflictMonitor, aspects: list[int], ticks: int) -> str | None:
    for _ in range(ticks):
        monitor.watch(lamps_of(aspects))
    return monitor.fault


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ([([0, 0, 0, 0], 20), ([2, 0, 2, 0], 1)], "conflict: north-south and east-west are open together"),
        ([([0, 0, 0, 0], 20), ([2, 0, 0, 0], 60), ([3, 0, 2, 0], 1)], "conflict: north-south and east-west"),
        ([([2, 0, 0, 0], 49), ([3, 0, 0, 0], 1)], "minimum green: north-south was green for 4.9 s"),
        ([([2, 0, 0, 0], 60), ([0, 0, 0, 0], 1)], "amber: north-south went from green to red"),
        ([([2, 0, 0, 0], 60), ([3, 0, 0, 0], 29), ([0, 0, 0, 0], 1)], "amber: north-south showed it for 2.9 s"),
        ([([2, 0, 0, 0], 60), ([3, 0, 0, 0], 30), ([0, 0, 0, 0], 29), ([0, 0, 2, 0], 1)], "intergreen: east-west turned green 5.9 s"),
    ],
)  # fmt: skip
def test_the_monitor_sees_each_kind_of_fault(script: list[tuple[list[int], int]], fault: str) -> None:
    """Each rule broken by one tick is seen and named; kept to the tick, nothing is."""
    monitor = ConflictMonitor(crossing())
    for aspects, ticks in script[:-1]:
        assert green_for(monitor, aspects, ticks) is None
    said = green_for(monitor, *script[-1])
    assert said is not None
    assert said.startswith(fault)


def test_the_monitor_is_content_with_the_exact_times() -> None:
    """Minimum green, amber and intergreen kept to the tick are lawful."""
    monitor = ConflictMonitor(crossing())
    for aspects, ticks in (([2, 0, 0, 0], 50), ([3, 0, 0, 0], 30), ([0, 0, 0, 0], 30), ([0, 0, 2, 0], 50)):
        assert green_for(monitor, aspects, ticks) is None


def test_the_monitor_sees_dark_and_doubled_lamps_and_keeps_the_first_fault() -> None:
    """A group dark for a second, or green with red, trips; what comes later does not overwrite why."""
    monitor = ConflictMonitor(crossing())
    red, dark, double = Lamps(True, False, False), Lamps(False, False, False), Lamps(True, False, True)
    for _ in range(9):
        assert monitor.watch([red, dark, red, red])
    assert not monitor.watch([red, dark, red, red])
    assert not monitor.watch([double, red, red, red])
    assert str(monitor.fault) == "dark: no lamp of north-south-left is lit"
    monitor.reset()
    assert not monitor.watch([double, red, red, red])
    assert str(monitor.fault).startswith("doubled: north-south")


def test_it_starts_flashing_then_red_then_its_plan() -> None:
    """10 s of flashing and 5 s of red as captured from a production controller, then the plan of the hour."""
    cabinet = EmulatedCabinet(crossing(), plans(crossing()), time_of_day=18 * 3600 - 3600)
    shown = []
    for _ in range(400):
        cabinet.tick()
        shown.append(int(cabinet.sequencer.aspects[0]))
    assert set(shown[:99]) == {Aspect.FLASHING_AMBER}
    assert set(shown[101:149]) == {Aspect.RED}
    assert decider(cabinet) is Mode.LOCAL
    assert cabinet.current_plan is not None
    assert cabinet.current_plan.number == 1
    cabinet.clock_offset += 3600
    assert cabinet.current_plan.number == 2


def test_the_local_plan_runs_by_the_clock_of_the_day() -> None:
    """In step, the stage asked for is the one of the plan at this time of day, cycle after cycle."""
    cabinet = running()
    go(cabinet, 200)
    plan = plans(crossing())[0].plan
    for _ in range(3 * plan.cycle):
        go(cabinet, 1)
        wanted = {plan.stage_at(cabinet.time_of_day), plan.stage_at(cabinet.time_of_day - 0.1)}
        assert cabinet.stage in wanted or cabinet.changing or not cabinet.sequencer.complete or cabinet.elapsed < 1.5


def test_who_decides() -> None:
    """Preemption beats the panel, the panel beats the host, the host beats the plan, flashing beats all."""
    cabinet = running()
    cabinet.remote_stage = 2
    cabinet.grip()
    go(cabinet, 0.1)
    assert decider(cabinet) is Mode.REMOTE
    cabinet.manual_stage = 0
    go(cabinet, 0.1)
    assert decider(cabinet) is Mode.MANUAL
    cabinet.preempt_stage = 3
    go(cabinet, 0.1)
    assert decider(cabinet) is Mode.PREEMPTION
    go(cabinet, 30)
    assert cabinet.stage == 3
    cabinet.flash_switch = True
    go(cabinet, 0.1)
    assert decider(cabinet) is Mode.FLASH
    assert set(cabinet.sequencer.aspects) == {Aspect.FLASHING_AMBER}
    cabinet.flash_switch = False
    cabinet.preempt_stage = cabinet.manual_stage = None
    go(cabinet, 4)
    assert decider(cabinet) is Mode.LOCAL


def test_a_silent_host_loses_its_grip() -> None:
    """Dead-man: 3 s after the last control message the cabinet is on its own and has forgotten what was asked."""
    cabinet = running()
    cabinet.remote_stage = 2
    cabinet.grip()
    go(cabinet, 2.9)
    assert decider(cabinet) is Mode.REMOTE
    go(cabinet, 0.3)
    assert decider(cabinet) is Mode.LOCAL
    assert cabinet.remote_stage is None


def test_a_stuck_green_lamp_ends_in_flashing_until_somebody_comes() -> None:
    """The monitor sees the relay that sticks, latches, and neither mending nor time ends the flashing, only the button."""
    cabinet = running()
    panel = Panel(cabinet)
    assert "stuck on" in panel.do("break lamp north-south green")
    go(cabinet, 60)
    assert decider(cabinet) is Mode.FLASH
    assert cabinet.monitor.fault is not None
    panel.do("mend")
    go(cabinet, 600)
    assert decider(cabinet) is Mode.FLASH
    panel.do("reset")
    go(cabinet, 5)
    assert decider(cabinet) is Mode.LOCAL


def test_detectors_count_edges_and_time_and_break_on_command() -> None:
    """Rising edges and occupied ticks by period; stuck and chattering loops say what such loops say."""
    cabinet = running()
    panel = Panel(cabinet)
    while cabinet.ticks % 10:
        cabinet.tick()
    for on in (True, False, True, True, False, False, False, False, False, False):
        cabinet.inputs.set(0, on)
        cabinet.tick()
    assert (cabinet.inputs.volume[0], cabinet.inputs.occupancy[0]) == (2, 0.3)
    panel.do("break loop loop 1 on")
    panel.do("break loop loop 2 chatter")
    go(cabinet, 2)
    assert (cabinet.inputs.volume[1], cabinet.inputs.occupancy[1]) == (0, 1.0)
    assert cabinet.inputs.volume[2] == 5
    cabinet.inputs.pass_by(np.array([3, 3, 0, 0], dtype=np.int32), np.array([4.0, 4.0, 0.0, 0.0]))
    go(cabinet, 1)
    assert cabinet.inputs.volume.tolist() == [3, 0, 5, 0]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("loop loop 3 on", "loop loop 3 is on"),
        ("press C", "asks for stage C"),
        ("preempt off", "ended"),
        ("flash on", "the flash switch is on"),
        ("clock -3600", "jumped by -3600 s"),
    ],
)
def test_the_panel_obeys(line: str, answer: str) -> None:
    """Each line of the panel does what it says and says what it did."""
    cabinet = running()
    assert answer in Panel(cabinet).do(line)
    assert "elm: " in Panel(cabinet).do("status")


@pytest.mark.parametrize(
    "line", ["dance", "loop x on", "press Z", "flash maybe", "break lamp y green", "clock soon", "break loop loop 1 up"]
)
def test_the_panel_says_what_it_does_not_understand(line: str) -> None:
    """A line that makes no sense is named, and changes nothing."""
    cabinet = running()
    with pytest.raises(InputError):
        Panel(cabinet).do(line)
    assert decider(cabinet) is Mode.LOCAL


STATION = Address(1)


def ask(
    answers: Ab3418Answers, message: ab3418.Message, control: Control = Control.INFORMATION, to: Address = STATION
) -> list[bytes]:
    wire = HdlcFrame(to, control, Protocol.AB3418, message.to_bytes()).to_bytes()
    return [frame.body for frame in HdlcFramer().feed(answers.receive(wire))]


def test_ab3418_station_answers_polls_and_information_and_nobody_else() -> None:
    """Deployed masters get with 33 or with 13: both are answered; a broadcast is obeyed in silence; others are not."""
    cabinet = running()
    answers = Ab3418Answers(cabinet)
    for control in (Control.POLL, Control.INFORMATION):
        (body,) = ask(answers, ab3418.GetShortStatus(), control)
        assert isinstance(ab3418.from_bytes(body), ab3418.ShortStatus)
    assert ask(answers, ab3418.GetShortStatus(), to=Address(2)) == []
    assert ask(answers, ab3418.BroadcastTime(datetime(2026, 11, 23, 18, 30)), Control.BROADCAST, ALL_STATIONS) == []
    assert cabinet.time_of_day == pytest.approx(18.5 * 3600)


def test_ab3418_patterns() -> None:
    """A known pattern runs and stays without being repeated; an unknown one is a bad value; flash flashes; 0 ends it."""
    cabinet = running()
    answers = Ab3418Answers(cabinet)

    def live(seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            cabinet.tick()
            answers.tick()

    assert ask(answers, ab3418.SetPattern(Pattern.plan(2))) == [ab3418.PatternSet().to_bytes()]
    live(60)
    (body,) = ask(answers, ab3418.GetShortStatus())
    status = ab3418.from_bytes(body)
    assert isinstance(status, ab3418.ShortStatus)
    assert status.pattern == Pattern.plan(2)
    assert ask(answers, ab3418.SetPattern(Pattern.plan(77))) == [
        ab3418.Refusal(0x93, ab3418.Reason.BAD_VALUE, 1).to_bytes()
    ]
    ask(answers, ab3418.SetPattern(FLASH))
    live(1)
    assert decider(cabinet) is Mode.FLASH
    ask(answers, ab3418.SetPattern(STANDBY))
    live(5)
    assert decider(cabinet) is Mode.LOCAL


def test_an_unknown_message_is_refused_by_name() -> None:
    """What the station does not know is answered with noSuchName."""
    wire = HdlcFrame(Address(1), Control.INFORMATION, Protocol.AB3418, b"\x8a").to_bytes()
    (frame,) = HdlcFramer().feed(Ab3418Answers(running()).receive(wire))
    assert ab3418.from_bytes(frame.body) == ab3418.Refusal(0x8A, ab3418.Reason.NO_SUCH_NAME, 1)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PROTOCOLS), st.booleans(), st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_leave_the_cabinet_unharmed(protocol: str, datagrams: bool, pieces: list[bytes]) -> None:
    """Noise on the line makes no exception and no change of control."""
    cabinet = running()
    answers = answers_for(protocol, cabinet, datagrams and protocol != "ab3418")
    for piece in pieces:
        answers.receive(piece)
        cabinet.tick()
        answers.tick()
    assert decider(cabinet) is Mode.LOCAL


def test_it_lives_on_a_real_pty_in_real_time() -> None:
    """A client on the other end of a pseudo terminal is answered, at the pace of a slow line, and ticks go on."""

    async def live() -> float:
        cabinet = EmulatedCabinet(crossing(), plans(crossing()))
        server = Line(PortSettings("pty:"))
        server.open()
        emulator = Emulator(cabinet, answers_for("ab3418", cabinet), server, bits_per_second=1200)
        task = asyncio.create_task(emulator.run())
        await asyncio.sleep(0)
        client = Line(PortSettings(server.name))
        client.open()
        loop = asyncio.get_running_loop()
        got = asyncio.Event()
        framer = HdlcFramer()
        client.attach(loop, lambda data: got.set() if framer.feed(data) else None, lambda problem: None)
        start = loop.time()
        client.write(bytes.fromhex("7E 05 33 C0 84 C5 F3 7E"))
        await asyncio.wait_for(got.wait(), 5)
        took = loop.time() - start
        await asyncio.sleep(0.5)
        assert cabinet.ticks >= 4
        client.close()
        emulator.stop()
        await task
        assert not server.is_open
        return took

    assert asyncio.run(live()) >= (8 + 11) * 10 / 1200 * 0.99


def test_an_unknown_protocol_is_named() -> None:
    """The message lists those there are."""
    with pytest.raises(InputError, match="gbt20999, ab3418, ntcip1202"):
        answers_for("morse", running())


def test_a_bench_starts() -> None:
    """The emulated cabinet and its host find each other over every protocol of the bench."""
    one = bench("ab3418")
    one.run(8)
    assert one.cabinet.mode is Mode.LOCAL
