"""A line and those who stand on it: turns, silence, gaps, mistakes; and the wheel that wakes them. In virtual time."""

from __future__ import annotations

import asyncio
import heapq
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

import pytest

from line_bench import crossing, plans
from signalwright.core.errors import LinkLost
from signalwright.core.intersection import Intersection
from signalwright.core.ports import Mode, Refusal
from signalwright.hardware.cabinets import Authority, GbtDriver, LineCabinet, NtcipDriver
from signalwright.hardware.cabinets.habits import Grip, Habits
from signalwright.hardware.emulator import EmulatedCabinet
from signalwright.hardware.emulator.answers_gbt import GbtAnswers
from signalwright.hardware.emulator.answers_ntcip import NtcipAnswers
from signalwright.hardware.emulator.cabinet import Timing
from signalwright.hardware.exchange import LinkSettings
from signalwright.hardware.gbt20999.dialect import GbtDialect
from signalwright.hardware.line import Line
from signalwright.hardware.port import PortSettings
from signalwright.hardware.trunk import Trunk
from signalwright.hardware.wheel import Wheel


class Stop(LineCabinet[Any, Any]):
    """A cabinet that listens to what its line says of itself."""

    trouble: str | None = None

    def line_is(self, trouble: str | None) -> None:
        self.trouble = trouble


@dataclass
class Drop:
    """A shared line of a speed: what the host says all cabinets hear, what one of them says the host hears."""

    ends: list[Any]
    bits_per_second: int = 0
    silent: set[int] = field(default_factory=set)
    name: str = "drop"
    is_open: bool = False
    next_try: float = 0.0
    trouble: str | None = None
    now: float = 0.0
    said: list[tuple[float, bytes]] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    coming: list[tuple[float, bytes]] = field(default_factory=list)

    def reopen(self, now: float, aside: object) -> bool:
        self.is_open = now >= self.next_try
        return self.is_open

    def read(self) -> bytes:
        due = [data for when, data in self.coming if when <= self.now]
        self.coming = [(when, data) for when, data in self.coming if when > self.now]
        if due:
            self.heard.append(self.now)
        return b"".join(due)

    def write(self, data: bytes) -> None:
        self.said.append((self.now, data))
        each = 10 / self.bits_per_second if self.bits_per_second else 0.0
        for row, end in enumerate(self.ends):
            answer = end.receive(data)
            if answer and row not in self.silent:
                self.coming.append((self.now + each * (len(data) + len(answer)), answer))

    def close(self) -> None:
        self.is_open = False


@dataclass
class Street:
    """Cabinets on a shared line, in virtual time."""

    trunk: Trunk
    drop: Drop
    stops: list[Stop]
    cabinets: list[EmulatedCabinet]
    step: float = 0.01
    steps: int = 0

    def run(self, seconds: float, keep: bool = True) -> None:
        for _ in range(round(seconds / self.step)):
            self.steps += 1
            now = self.steps * self.step
            self.drop.now = now
            if self.steps % round(0.1 / self.step) == 0:
                for cabinet in self.cabinets:
                    cabinet.tick()
            self.trunk.pump(now)
            if keep and self.steps % round(1 / self.step) == 0:
                for stop in self.stops:
                    stop.request(None)

    def until(self, true: Callable[[], bool], within: float = 90.0) -> None:
        start = self.steps
        while not true():
            assert (self.steps - start) * self.step < within, [stop.news() for stop in self.stops]
            self.run(0.1)


def street(count: int, protocol: str = "gbt", speed: int = 9600, turnaround: float = 0.0, step: float = 0.01) -> Street:
    """`count` cabinets with the addresses 1, 2, ... on one line."""
    site = crossing()
    cabinets = [EmulatedCabinet(site, plans(site), timing=Timing(2.0, 3.0)) for _ in range(count)]
    ends: list[Any]
    if protocol == "gbt":
        ends = [GbtAnswers(cabinet, controller=row + 1) for row, cabinet in enumerate(cabinets)]
    else:
        ends = [NtcipAnswers(cabinet, b"r", b"w", row + 1) for row, cabinet in enumerate(cabinets)]
    line = LinkSettings(bits_per_second=speed, first=0.5, longest=0.5)
    habits = Habits(hold_off=2.0, stale=max(2.0, 1.0 * count))
    stops = [
        Stop(f"elm {row + 1}", driver(protocol, site, row + 1), site, Authority.STAGE, habits, line)
        for row in range(count)
    ]
    drop = Drop(ends, speed)
    return Street(Trunk(drop, stops, turnaround), drop, stops, cabinets, step)  # type: ignore[arg-type]


def driver(protocol: str, site: Intersection, address: int) -> Any:
    if protocol == "gbt":
        return GbtDriver(site, controller=address, dead_man=10.0)
    return NtcipDriver(site, b"r", b"w", address)


def is_held(stop: Stop) -> bool:
    return stop.request(2) is Refusal.NONE and stop.grip is Grip.HOLDING


def in_control(place: Street, rows: list[int]) -> None:
    place.until(lambda: all(place.stops[row].grip is Grip.WATCHING for row in rows))
    for row in rows:
        place.until(partial(is_held, place.stops[row]))
    place.until(lambda: all(place.cabinets[row].mode is Mode.REMOTE for row in rows))


@pytest.mark.parametrize(("protocol", "speed"), [("gbt", 9600), ("ntcip", 38_400)])
def test_several_cabinets_share_a_line(protocol: str, speed: int) -> None:
    """Three addresses on one line: all are identified and held, one question is out at a time, none is mistaken."""
    place = street(3, protocol, speed)
    in_control(place, [0, 1, 2])
    place.drop.said.clear()
    place.drop.heard.clear()
    place.run(20)
    both = list(
        heapq.merge([(when, "said") for when, _ in place.drop.said], [(when, "heard") for when in place.drop.heard])
    )
    last = both[0][1]
    for when, what in both[1:]:
        assert what != last or what == "said", f"two answers in a row at {when}"
        last = what
    assert all(stop.grip is Grip.HOLDING for stop in place.stops)
    assert all(stop.link.exchanges.repeated == 0 for stop in place.stops)
    assert all(cabinet.monitor.fault is None for cabinet in place.cabinets)


def test_a_silent_cabinet_does_not_starve_the_others() -> None:
    """One of four falls silent: the others stay fresh and held; it is asked rarely once it is lost, and found again."""
    place = street(4)
    in_control(place, [0, 1, 3])
    place.drop.silent.add(2)
    oldest = 0.0
    for _ in range(600):
        place.run(0.1)
        oldest = max(oldest, *(place.drop.now - place.stops[row].picture.seen for row in (0, 1, 3)))
    assert oldest < place.stops[0].habits.stale
    assert all(place.stops[row].grip is Grip.HOLDING for row in (0, 1, 3))
    assert place.stops[2].link.lost
    before = len(place.drop.said)
    asked = place.stops[2].link.exchanges.asked + place.stops[2].link.exchanges.repeated
    place.run(30)
    rarely = place.stops[2].link.exchanges.asked + place.stops[2].link.exchanges.repeated - asked
    assert rarely <= 7
    assert len(place.drop.said) - before > 20 * rarely
    place.drop.silent.clear()
    place.until(lambda: place.stops[2].grip is Grip.WATCHING, within=30)


def test_a_late_answer_is_not_the_answer_of_another() -> None:
    """An answer that comes in the turn of another cabinet is thrown away: its picture is of its own lamps alone."""
    place = street(2)
    place.until(lambda: all(stop.grip is Grip.WATCHING for stop in place.stops))
    late = place.drop.ends[0].receive(place.stops[0].driver.dialect.encode(place.stops[0].driver.poll()[0], 1))
    place.cabinets[0].flash_switch = True
    for _ in range(50):
        place.drop.coming.append((place.drop.now, late))
        place.run(0.1)
    assert place.stops[1].picture.mode is not Mode.FLASH
    assert place.stops[0].picture.mode is Mode.FLASH


def test_a_command_goes_first() -> None:
    """On a slow line with five cabinets a request is sent after the exchange that is out, before all other polls."""
    place = street(5, speed=9600)
    in_control(place, [4])
    place.stops[4].release("test")
    asked = place.drop.now
    place.drop.said.clear()
    place.until(lambda: place.cabinets[4].mode is Mode.LOCAL)
    assert place.drop.now - asked < 0.4


@pytest.mark.parametrize("turnaround", [0.0, 0.05])
def test_the_gap_after_an_answer_is_kept(turnaround: float) -> None:
    """A line that must be turned round is left alone so long after what was heard, and no longer."""
    place = street(2, turnaround=turnaround)
    place.run(20)
    gaps = []
    for when, _ in place.drop.said:
        earlier = [heard for heard in place.drop.heard if heard <= when]
        gaps += [when - earlier[-1]] if earlier else []
    assert min(gaps) >= turnaround - 1e-9
    assert min(gaps) <= turnaround + 0.011


@pytest.mark.parametrize("speed", [9600, 115200])
def test_a_request_waits_for_nothing_but_the_wire(speed: int) -> None:
    """From request to the reply and to the status that confirms it: the time of the bytes and not 2 % more, at each speed."""
    place = street(1, speed=speed, step=0.0002)
    place.until(lambda: place.stops[0].grip is Grip.WATCHING)
    place.until(lambda: place.cabinets[0].mode is Mode.LOCAL)
    place.until(lambda: place.stops[0].link.free and place.stops[0].request(place.cabinets[0].stage) is Refusal.NONE)
    (stop,), drop = place.stops, place.drop
    for _ in range(3):
        while not stop.link.free:
            place.run(place.step)
        begun, said, heard = drop.now, len(drop.said), stop.link.dialect.statistics.octets
        seen = stop.picture.seen
        assert stop.stage is not None
        stop._send(stop.driver.command(stop.picture, stop.stage))
        while stop.picture.seen == seen:
            place.run(place.step, keep=False)
        octets = sum(len(data) for _, data in drop.said[said : said + 2]) + stop.link.dialect.statistics.octets - heard
        assert octets > 100
        assert drop.now - begun <= octets * 10 / speed + 5 * place.step
        place.run(1.0)


def test_a_mistake_on_one_line_ends_nothing_else() -> None:
    """An exception in our own code closes its line, is told, and begins again; what else runs in the process goes on."""
    place = street(1)
    place.until(lambda: place.stops[0].grip is Grip.WATCHING)

    class Broken(GbtDialect):
        def feed(self, data: bytes) -> list[Any]:
            raise ZeroDivisionError("a mistake")

    dialect, place.stops[0].link.dialect = place.stops[0].link.dialect, Broken(1, 1)
    place.run(1)
    assert "ZeroDivisionError: a mistake" in str(place.stops[0].trouble)
    place.stops[0].link.dialect = dialect
    place.until(lambda: place.stops[0].grip is Grip.WATCHING, within=30)


class Sleepy:
    """Somebody on the wheel who wants to be woken every so often."""

    def __init__(self, period: float, loop: asyncio.AbstractEventLoop) -> None:
        self.slot = self.wanted = inf
        self.period, self.loop = period, loop
        self.woken: list[float] = []

    def wake(self, now: float) -> float:
        self.woken.append(now)
        return now + self.period


def test_the_wheel_wakes_everybody_in_time() -> None:
    """Never before the time that is wanted, soon after it; a time moved ahead or back holds; one timer for all."""

    async def turn() -> None:
        loop = asyncio.get_running_loop()
        wheel, begin = Wheel(loop), loop.time()
        often, later, sooner = Sleepy(0.03, loop), Sleepy(inf, loop), Sleepy(inf, loop)
        wheel.put(often, begin)
        wheel.put(later, begin + 0.05)
        wheel.put(later, begin + 0.2)
        wheel.put(sooner, begin + 9.0)
        wheel.put(sooner, begin + 0.1)
        await asyncio.sleep(0.4)
        wheel.stop()
        assert len(often.woken) >= 5
        assert len(later.woken) == len(sooner.woken) == 1
        assert later.woken[0] >= begin + 0.2
        assert sooner.woken[0] >= begin + 0.1
        count = len(often.woken)
        await asyncio.sleep(0.1)
        assert len(often.woken) == count

    asyncio.run(turn())


def test_a_gateway_that_is_waited_for_delays_nobody() -> None:
    """Opened aside, a line over TCP returns at once and is found open at a later call; without a gateway it says so."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as aside:
        address = f"socket://127.0.0.1:{server.getsockname()[1]}"
        line = Line(PortSettings(address, retry=0.0))
        found = line.reopen(0.0, aside)
        for _ in range(200):
            if found:
                break
            found = line.reopen(1.0, aside)
            aside.submit(lambda: None).result()
        assert found
        line.close()
    gone = Line(PortSettings(address, retry=0.0))
    with ThreadPoolExecutor(1) as aside:
        for moment in range(3):
            assert not gone.reopen(float(moment), aside)
            aside.submit(lambda: None).result()
    assert "nobody listens" in str(gone.trouble)
    gone.close()


def test_nobody_reads_for_ever() -> None:
    """Questions that no device takes do not fill the memory, and the line works again when one does."""
    far = Line(PortSettings("pty:"))
    far.open()
    near = Line(PortSettings(far.name))
    near.open()
    try:
        for _ in range(5000):
            near.write(bytes(100))
        assert len(near._unsent) <= 70_000
    except LinkLost as problem:  # pragma: no cover
        pytest.fail(str(problem))
    finally:
        near.close()
        far.close()
