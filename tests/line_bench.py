"""A line in virtual time between a `LineCabinet` and an emulated cabinet, with what lines do to bytes; and small sites."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from signalwright.core.certify import certify
from signalwright.core.intersection import Detector, Exit, Intersection, Lane, LoopKind, Movement, SignalGroup, Stage
from signalwright.core.plan import Plan
from signalwright.hardware.cabinets import Ab3418Driver, Authority, GbtDriver, LineCabinet, NtcipDriver
from signalwright.hardware.cabinets.habits import Habits
from signalwright.hardware.emulator import EmulatedCabinet, LocalPlan
from signalwright.hardware.emulator.answers_ab3418 import Ab3418Answers
from signalwright.hardware.emulator.answers_gbt import GbtAnswers
from signalwright.hardware.emulator.answers_ntcip import NtcipAnswers
from signalwright.hardware.emulator.cabinet import Timing
from signalwright.hardware.exchange import LinkSettings


def crossing(max_red: float | None = 120.0) -> Intersection:
    """Two roads, each with a left turn of its own: four groups, lanes and loops, four stages."""
    names = ("north-south", "north-south-left", "east-west", "east-west-left")
    groups = tuple(
        SignalGroup(
            name,
            (Movement(name, f"arm {row}", f"exit {row}", (f"lane {row}",)),),
            min_green=5.0 + 1.0 * (row % 2),
            amber=3.0,
            red_amber=0.0,
            max_red=max_red,
        )
        for row, name in enumerate(names)
    )
    conflict = ~np.eye(4, dtype=np.bool_)
    conflict[0, 1] = conflict[1, 0] = conflict[2, 3] = conflict[3, 2] = False
    stages = (
        Stage("A", frozenset({names[0]})),
        Stage("B", frozenset({names[0], names[1]})),
        Stage("C", frozenset({names[2]})),
        Stage("D", frozenset({names[3]})),
    )
    intergreen = np.where(conflict, 5.0, 0.0)
    intergreen[0, 2] = 6.0
    lanes = tuple(Lane(f"lane {n}", 200.0, 200.0, 13.9) for n in range(4))
    exits = tuple(Exit(f"exit {n}", 200.0, 1, 13.9) for n in range(4))
    loops = tuple(Detector(f"loop {n}", LoopKind.STOP, f"lane {n}", 198.0, 2.0, (f"lane {n}",)) for n in range(4))
    yields = np.zeros((4, 4), dtype=np.bool_)
    return Intersection("elm", groups, stages, conflict, yields, intergreen, lanes, exits, loops)


def plans(site: Intersection) -> tuple[LocalPlan, ...]:
    """A day plan, and an evening plan from 18:00 on."""
    day = certify(Plan("day", ("B", "C", "D"), (20, 15, 10)), site)
    evening = certify(Plan("evening", ("A", "B", "C", "D"), (10, 8, 12, 8)), site)
    return LocalPlan(1, day), LocalPlan(2, evening, starts=18 * 3600)


class Answers(Protocol):
    """The protocol side of an emulated cabinet."""

    def receive(self, data: bytes) -> bytes: ...

    def tick(self) -> None: ...


@dataclass
class Weather:
    """What the line does to each piece of bytes: chances of loss, a flipped bit, doubling, half a frame, its halves swapped,
    noise, up to three seconds of delay, a copy that comes up to three seconds later; the delay it always has [s]."""

    loss: float = 0.0
    flip: float = 0.0
    double: float = 0.0
    half: float = 0.0
    swap: float = 0.0
    noise: float = 0.0
    late: float = 0.0
    copy: float = 0.0
    delay: float = 0.01
    seed: int = 1
    cut: bool = False
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def carry(self, data: bytes) -> bytes:
        """The bytes as they arrive."""
        chance = self.random.random
        if self.cut or not data or chance() < self.loss:
            return b""
        if chance() < self.flip:
            at = self.random.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :]
        if chance() < self.double:
            data += data
        if chance() < self.half:
            data = data[: self.random.randrange(len(data))]
        if chance() < self.swap:
            at = self.random.randrange(len(data))
            data = data[at:] + data[:at]
        if chance() < self.noise:
            data = self.random.randbytes(self.random.randrange(1, 20)) + data
        return data


@dataclass
class Bench:
    """Both ends and the line between them; `step` moves everything by 20 ms of virtual time."""

    host: LineCabinet[Any, Any]
    cabinet: EmulatedCabinet
    answers: Answers
    weather: Weather = field(default_factory=Weather)
    now: float = 0.0
    notes: list[str] = field(default_factory=list)
    shown: list[tuple[int, ...]] = field(default_factory=list)
    watch: Callable[[], None] = lambda: None
    _steps: int = 0
    _down: list[tuple[float, bytes]] = field(default_factory=list)
    _up: list[tuple[float, bytes]] = field(default_factory=list)

    def step(self) -> None:
        """20 ms pass at both ends."""
        self._steps += 1
        self.now = round(self._steps * 0.02, 2)
        if self._steps % 5 == 0:
            self.cabinet.tick()
            self.answers.tick()
            self.shown.append(tuple(int(aspect) for aspect in self.cabinet.sequencer.aspects))
            self.watch()
        arrived = [data for when, data in self._up if when <= self.now]
        self._up = [(when, data) for when, data in self._up if when > self.now]
        self.host.receive(b"".join(arrived), self.now)
        self.host.advance(self.now)
        self._send(self._down, self.host.outgoing())
        arrived = [data for when, data in self._down if when <= self.now]
        self._down = [(when, data) for when, data in self._down if when > self.now]
        for data in arrived:
            self._send(self._up, self.answers.receive(data))
        self.notes += self.host.news()

    def _send(self, way: list[tuple[float, bytes]], data: bytes) -> None:
        weather = self.weather
        data = weather.carry(data)
        if data:
            held_up = 3.0 * weather.random.random() if weather.random.random() < weather.late else 0.0
            way.append((self.now + weather.delay + held_up, data))
            if weather.random.random() < weather.copy:
                way.append((self.now + weather.delay + 3.0 * weather.random.random(), data))

    def run(self, seconds: float) -> None:
        """So much virtual time."""
        for _ in range(round(seconds * 50)):
            self.step()

    def until(self, true: Callable[[], bool], within: float = 120.0) -> float:
        """Go on until something is true; returns the time it took and fails when it does not come true."""
        start = self.now
        while not true():
            assert self.now - start < within, f"not within {within} s; notes: {self.notes[-5:]}"
            self.step()
        return self.now - start


def answers_of(protocol: str, cabinet: EmulatedCabinet) -> Answers:
    """The emulated cabinet's end of one protocol."""
    match protocol:
        case "gbt" | "gbt-udp":
            return GbtAnswers(cabinet, controller=7, datagrams=protocol == "gbt-udp")
        case "ntcip" | "ntcip-udp":
            return NtcipAnswers(cabinet, b"elm-read", b"elm-write", 1 if protocol == "ntcip" else None)
    return Ab3418Answers(cabinet)


PROTOCOLS = ("gbt", "gbt-udp", "ntcip", "ntcip-udp", "ab3418")
MOVING = PROTOCOLS[:4]


def driver_of(protocol: str, site: Intersection) -> Any:
    """Our end of one protocol, for the cabinet that `bench` emulates."""
    match protocol:
        case "gbt" | "gbt-udp":
            return GbtDriver(site, controller=7, datagrams=protocol == "gbt-udp", dead_man=10.0)
        case "ntcip" | "ntcip-udp":
            return NtcipDriver(site, b"elm-read", b"elm-write", 1 if protocol == "ntcip" else None)
    return Ab3418Driver(site, station=1)


def bench(
    protocol: str, site: Intersection | None = None, authority: Authority = Authority.STAGE, **weather: Any
) -> Bench:
    """Both ends of one protocol, the emulated cabinet just switched on."""
    site = site or crossing()
    cabinet = EmulatedCabinet(site, plans(site), timing=Timing(startup_flash=2.0, startup_red=3.0))
    driver, answers = driver_of(protocol, site), answers_of(protocol, cabinet)
    line = LinkSettings(bits_per_second=0, first=0.2, longest=1.0, heartbeat=5.0)
    host = LineCabinet(site.name, driver, site, authority, Habits(hold_off=2.0), line)
    return Bench(host, cabinet, answers, Weather(**weather))
