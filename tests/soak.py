"""A day at the roadside in virtual time: the service and an emulated cabinet, a bad line between them, and every fault we know of.

What is watched, tick by tick: the cabinet's conflict monitor; commands that stay in force though nobody holds them, or that
are held and not obeyed; and after every fault how long it takes until the service is in control again.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from line_bench import Weather, bench, crossing, plans
from signalwright.controllers.adaptive import Adaptive
from signalwright.core.aspects import Aspect
from signalwright.core.certify import SafePlan
from signalwright.core.errors import LinkLost
from signalwright.core.estimate import Estimate
from signalwright.core.intersection import Intersection
from signalwright.core.ports import Mode, Wish
from signalwright.core.state import TrafficState
from signalwright.hardware.cabinets import Authority
from signalwright.hardware.cabinets.habits import Grip
from signalwright.hardware.emulator.answers_ab3418 import Ab3418Answers
from signalwright.hardware.emulator.answers_gbt import GbtAnswers
from signalwright.hardware.emulator.detectors import InputFault
from signalwright.hardware.pattern import STANDBY
from signalwright.hardware.service import Service, ServiceSettings
from signalwright.hardware.store import Store
from signalwright.hardware.trunk import Trunk

STEPS = 20
"""Steps of virtual time in a second."""
RETURN_WITHIN = 240.0
OBEYED_WITHIN = 180.0
PLAN_FOR = 600.0
"""So long one plan is followed [s] where only plans can be asked for."""


@dataclass
class Wire:
    """The service's line. What is written arrives at the other end after the weather has had its way with it."""

    far: Callable[[bytes], bytes]
    weather: Weather
    clock: Callable[[], float]
    late: float = 0.0
    swapped: float = 0.0
    plugged: bool = True
    is_open: bool = True
    trouble: str | None = None
    next_try: float = 0.0
    name: str = "wire"
    _down: list[tuple[float, bytes]] = field(default_factory=list)
    _up: list[tuple[float, bytes]] = field(default_factory=list)

    def reopen(self, now: float, aside: object = None) -> bool:
        self.is_open, self.trouble = self.plugged, None if self.plugged else "wire is unplugged"
        return self.is_open

    @property
    def has_arrived(self) -> bool:
        return any(when <= self.clock() for when, _ in self._up)

    def read(self) -> bytes:
        if not self.plugged:
            self.close()
            raise LinkLost("wire is gone: was the adapter unplugged?")
        return b"".join(self._due(self._up))

    def write(self, data: bytes) -> None:
        self._send(self._down, data)

    def close(self) -> None:
        self.is_open = False
        self._down.clear()
        self._up.clear()

    def pass_on(self) -> None:
        """Bytes that have arrived at the cabinet are answered."""
        for data in self._due(self._down):
            self._send(self._up, self.far(data))

    def _send(self, way: list[tuple[float, bytes]], data: bytes) -> None:
        data = self.weather.carry(data)
        if not data:
            return
        chance = self.weather.random
        delay = self.weather.delay
        if chance.random() < self.late:
            delay += chance.uniform(0.2, 4.0)
        if chance.random() < self.swapped:
            delay += 0.3
        way.append((self.clock() + delay, data))

    def _due(self, way: list[tuple[float, bytes]]) -> list[bytes]:
        if not way:
            return []
        now = self.clock()
        there = sorted((piece for piece in way if piece[0] <= now), key=lambda piece: piece[0])
        way[:] = [piece for piece in way if piece[0] > now]
        return [data for _, data in there]


class Strategy:
    """The real strategy, which can be made to raise, or to be late. Over AB 3418 one of two plans in turn is followed instead."""

    def __init__(self, site: Intersection, day: Day) -> None:
        self._inner, self._day = Adaptive(site), day
        self._plans = [row.plan for row in plans(site)] if day.protocol == "ab3418" else []

    @property
    def plan(self) -> SafePlan | None:
        """The plan that is followed now."""
        return self._plans[int(self._day.now // PLAN_FOR) % 2] if self._plans else None

    def decide(self, state: TrafficState) -> Wish:
        if self._day.raising:
            raise ZeroDivisionError("a fault put in on purpose")
        self._day.pass_by(self._day.slow)
        return self._inner.decide(state)


@dataclass
class Tally:
    """What a day came to. `returned` [s] until control after each fault, by its kind."""

    seconds: float = 0.0
    conflicts: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong_writes: int = 0
    in_control: float = 0.0
    decisions: int = 0
    stages: int = 0
    returned: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def faults(self) -> int:
        """How many were put in."""
        return sum(len(times) for times in self.returned.values())

    @property
    def is_clean(self) -> bool:
        """No conflict, nothing stuck, always back."""
        return not (self.conflicts or self.stuck or self.lost or self.wrong_writes)

    def table(self) -> str:
        """For people."""
        lines = [f"{'fault':16} {'times':>6} {'back after, mean':>17} {'longest':>8}"]
        for kind, times in sorted(self.returned.items()):
            lines.append(f"{kind:16} {len(times):6d} {np.mean(times):15.1f} s {max(times):6.1f} s")
        lines += [
            f"simulated {self.seconds / 3600:.2f} h, {self.faults} faults, {self.decisions} decisions, {self.stages} changes of stage, "
            f"{100 * self.in_control / max(self.seconds, 1):.1f} % of the time in control",
            f"conflicting greens {len(self.conflicts)}, commands stuck {len(self.stuck)}, faults without return {len(self.lost)}, "
            f"writes to a wrong device {self.wrong_writes}",
        ]
        return "\n".join(lines + self.conflicts + self.stuck + self.lost)


class Day:
    """One cabinet, one service, one line, and the one who breaks them."""

    def __init__(self, protocol: str, seed: int, store: Path | str = ":memory:") -> None:
        self.random = random.Random(seed)
        self.protocol = protocol
        self.site = crossing()
        parts = bench(protocol, self.site, Authority.MONITOR)
        self.cabinet, self.answers = parts.cabinet, parts.answers
        other = bench(protocol, self.site)
        self.other = other.cabinet
        self.stranger = GbtAnswers(other.cabinet, controller=7, intergreen_unit=1.0) if protocol == "gbt" else None
        self.wire = Wire(self._hear, Weather(seed=seed), lambda: self.now)
        self.store = Store(store, most_bytes=32 << 20)
        self.steps = 0
        self.slow = 0.0
        self.raising = self.swapped_device = False
        self.wall = 1.8e9
        self.said: list[str] = []
        self.tally = Tally()
        self.rivals = False
        self._waiting = np.zeros(len(self.site.lanes))
        self._traffic = np.random.default_rng(seed)
        self._unheld = self._unobeyed = 0.0
        self._stage = -1
        self.quiet = True
        self.service: Service | None = None
        self._host = parts.host
        self.start()

    @property
    def now(self) -> float:
        """Steady time [s]."""
        return self.steps / STEPS

    def _hear(self, data: bytes) -> bytes:
        if self.swapped_device:
            return self.stranger.receive(data) if self.stranger is not None else b""
        return self.answers.receive(data)

    def start(self) -> None:
        """The service is started: in monitor, knowing nothing."""
        host = self._host
        if host is None:
            host = bench(self.protocol, self.site, Authority.MONITOR).host
        self._host = None  # type: ignore[assignment]
        host.now = self.now
        self.wire.close()
        self.wire.plugged = True
        self.service = Service(
            host, lambda: Estimate(self.site), lambda: Strategy(self.site, self), self.store,
            ServiceSettings(ceiling=Authority.STAGE), steady=lambda: self.now, wall=lambda: self.now + self.wall, say=self.said.append,
            plans={row.plan.plan.name: row.number for row in plans(self.site)},
        )  # fmt: skip
        self._wake = 0.0
        self.trunk = Trunk(self.wire, [self.service])  # type: ignore[arg-type]

    def pass_by(self, seconds: float) -> None:
        """The world goes on while the service is busy."""
        for _ in range(round(seconds * STEPS)):
            self._pass()

    def _pass(self) -> None:
        self.steps += 1
        if self.steps % (STEPS // 10) == 0:
            self._tick()
        if self.steps % STEPS == 0:
            self._drive()
        self.wire.pass_on()

    def step(self) -> None:
        """50 ms pass."""
        self._pass()
        service = self.service
        if service is not None:
            if self.now >= self._wake or self.wire.has_arrived or not self.wire.plugged:
                self._wake = self.trunk.pump(self.now)
            if self.steps % STEPS == 0:
                self.store.flush()
            if self.quiet and service.cabinet.authority < Authority.STAGE:
                service.raise_authority(Authority.STAGE)
        del self.said[:-20]

    def _tick(self) -> None:
        self.cabinet.tick()
        self.answers.tick()
        if self.swapped_device:
            self.other.tick()
            self.tally.wrong_writes += self.other.has_grip
        tally, cabinet, service = self.tally, self.cabinet, self.service
        if cabinet.monitor.fault is not None:
            tally.conflicts.append(f"{self.now:.1f} s: {cabinet.monitor.fault}")
            cabinet.reset_monitor()
        holding = service is not None and service.cabinet.grip is Grip.HOLDING
        remote = cabinet.mode is Mode.REMOTE
        tally.in_control += 0.1 * self.is_ours
        self._unheld = self._unheld + 0.1 if remote and not holding and self._ends_by_itself else 0.0
        if self._unheld > cabinet.dead_man + 2.0:
            tally.stuck.append(
                f"{self.now:.1f} s: in force {self._unheld:.0f} s after nobody held it; {self.said[-3:]}"
            )
            self._unheld = -1e9
        asked = (service.cabinet.stage, service.cabinet.plan) if service is not None and holding else (None, None)
        serves = asked[0] in (None, cabinet.stage) and self._runs(asked[1])
        obeyed = serves or not self.quiet
        self._unobeyed = 0.0 if obeyed else self._unobeyed + 0.1
        if self._unobeyed > OBEYED_WITHIN:
            tally.stuck.append(f"{self.now:.1f} s: stage, plan {asked} held and not served; {self.said[-3:]}")
            self._unobeyed = -1e9
        tally.stages += cabinet.stage != self._stage
        self._stage = cabinet.stage

    @property
    def _ends_by_itself(self) -> bool:
        """What is in force must end: by the cabinet's dead-man, or where there is none by the service, once it sees the cabinet."""
        service = self.service
        return self.protocol != "ab3418" or (service is not None and service.cabinet.is_fresh)

    def _drive(self) -> None:
        """A second of traffic: arrivals at random, half a vehicle a second leaves a lane that has green."""
        arrivals = self._traffic.poisson((0.12, 0.04, 0.10, 0.04))
        green = np.asarray(self.cabinet.sequencer.aspects) == Aspect.GREEN
        self._waiting = np.minimum(self._waiting + arrivals, 40.0)
        leaving = np.where(green & (self._waiting > 0), self._traffic.random(4) < 0.5, False)
        self._waiting -= leaving
        inputs = self.cabinet.inputs
        inputs.pass_by(leaving.astype(np.int32), np.where(leaving, 4.0, np.where(self._waiting > 0, 10.0, 0.0)))

    def run(self, seconds: float) -> None:
        """So much time."""
        end = self.now + seconds
        while self.now < end:
            self.step()

    @property
    def is_ours(self) -> bool:
        """The service holds the cabinet, and the cabinet says so."""
        service = self.service
        if service is None or service.cabinet.grip is not Grip.HOLDING:
            return False
        plan = service.cabinet.plan
        return self.cabinet.mode is Mode.REMOTE if plan is None else self._runs(plan)

    def _runs(self, plan: int | None) -> bool:
        """The cabinet runs this plan, whether it was asked to or the day has come to it."""
        current = self.cabinet.current_plan
        in_hand = self.cabinet.mode in (Mode.LOCAL, Mode.REMOTE)
        return plan is None or (in_hand and current is not None and current.number == plan)

    def until_ours(self, kind: str) -> None:
        """How long it takes until control."""
        begin = self.now
        while not self.is_ours:
            self.step()
            if self.now - begin > RETURN_WITHIN:
                self.tally.lost.append(f"{self.now:.1f} s: not back after {kind}; {self.said[-5:]}")
                self.start()
                begin = self.now
        self.tally.returned[kind].append(self.now - begin)

    def live(self, seconds: float, progress: Callable[[float], None] = lambda share: None) -> Tally:
        """Faults at random, one or two at a time, for so long."""
        self.until_ours("start")
        kinds = list(FAULTS)
        bag: list[str] = []
        while self.now < seconds:
            self.run(self.random.uniform(10, 120))
            if not bag:
                bag = self.random.sample(kinds, len(kinds))
            chosen = [bag.pop()]
            if self.random.random() < 0.2 and bag:
                chosen.append(bag.pop())
            self.quiet = False
            ends = [FAULTS[kind](self) for kind in chosen]
            self.run(self.random.choice((0.2, 1.0, 3.0, 9.0, 15.0, 40.0)) * self.random.uniform(0.5, 1.5))
            for end in ends:
                end()
            self.quiet = True
            self.until_ours(" + ".join(chosen) if len(chosen) == 1 else "two at once")
            progress(self.now / seconds)
        self.tally.seconds = self.now
        self.tally.decisions += self.service.decisions if self.service is not None else 0
        self.store.close()
        return self.tally


Begin = Callable[[Day], Callable[[], None]]


def _weather(**change: Any) -> Begin:
    def begin(day: Day) -> Callable[[], None]:
        for name, value in change.items():
            setattr(day.wire.weather, name, value)

        def end() -> None:
            for name in change:
                setattr(day.wire.weather, name, 0.01 if name == "delay" else type(change[name])())

        return end

    return begin


def _wire(name: str, value: float) -> Begin:
    def begin(day: Day) -> Callable[[], None]:
        setattr(day.wire, name, value)
        return lambda: setattr(day.wire, name, 0.0)

    return begin


def _unplugged(day: Day) -> Callable[[], None]:
    day.wire.plugged = False
    return lambda: setattr(day.wire, "plugged", True)


def _wrong_device(day: Day) -> Callable[[], None]:
    """The plug goes into another cabinet, and back."""
    day.wire.close()
    day.swapped_device = True

    def end() -> None:
        day.wire.close()
        day.swapped_device = False

    return end


def _restart(day: Day) -> Callable[[], None]:
    day.cabinet.reset_monitor()
    return lambda: None


def _switch(name: str, off: object, *on: object) -> Begin:
    def begin(day: Day) -> Callable[[], None]:
        setattr(day.cabinet, name, day.random.choice(on))
        return lambda: setattr(day.cabinet, name, off)

    return begin


def _clock(day: Day) -> Callable[[], None]:
    """The service's clock jumps, or the cabinet's; either way, and sometimes back again."""
    jump = day.random.choice((-7200.0, -30.0, -1.0, 1.0, 30.0, 7200.0))
    place, name = (day, "wall") if day.random.random() < 0.6 else (day.cabinet, "clock_offset")
    setattr(place, name, getattr(place, name) + jump)
    back = jump if day.random.random() < 0.5 else 0.0
    return lambda: setattr(place, name, getattr(place, name) - back)


def _killed(day: Day) -> Callable[[], None]:
    """kill -9: nothing is given back, nothing more is sent."""
    if day.service is not None:
        day.tally.decisions += day.service.decisions
    day.service = None
    return day.start


def _dying(day: Day) -> Callable[[], None]:
    rows = day.random.sample(range(4), day.random.randint(1, 4))
    for row in rows:
        day.cabinet.inputs.faults[row] = day.random.choice(list(InputFault))
    return day.cabinet.inputs.faults.clear


def _second_master(day: Day) -> Callable[[], None]:
    """Somebody else gives the cabinet back to its own plan, again and again."""
    tick = day.cabinet.tick
    told = 0

    def taken() -> None:
        nonlocal told
        told += 1
        if told % 20 == 0:
            day.cabinet.let_go()
            if isinstance(day.answers, Ab3418Answers):
                day.answers.pattern = STANDBY
        tick()

    day.cabinet.tick = taken  # type: ignore[method-assign]
    return lambda: setattr(day.cabinet, "tick", tick)


def _slow(day: Day) -> Callable[[], None]:
    day.slow = day.random.uniform(0.3, 1.5)
    return lambda: setattr(day, "slow", 0.0)


def _raising(day: Day) -> Callable[[], None]:
    day.raising = True
    return lambda: setattr(day, "raising", False)


FAULTS: dict[str, Begin] = {
    "line cut": _weather(cut=True),
    "noise": _weather(noise=0.4, flip=0.3),
    "lost pieces": _weather(loss=0.4),
    "half frames": _weather(half=0.4),
    "duplicated": _weather(double=0.5),
    "delayed": _wire("late", 0.4),
    "swapped": _wire("swapped", 0.4),
    "slow line": _weather(delay=0.6),
    "unplugged": _unplugged,
    "wrong device": _wrong_device,
    "second master": _second_master,
    "cabinet restart": _restart,
    "flash": _switch("flash_switch", False, True),
    "manual": _switch("manual_stage", None, 0, 1, 2, 3),
    "preemption": _switch("preempt_stage", None, 0, 1, 2, 3),
    "clock jump": _clock,
    "service killed": _killed,
    "loops dying": _dying,
    "late decisions": _slow,
    "strategy raises": _raising,
}
