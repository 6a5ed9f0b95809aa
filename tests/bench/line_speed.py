"""How much of a core the roadside takes: cabinets on ptys, a peer in another process that answers real frames.

    PYTHONPATH=src:tests python tests/bench/line_speed.py [--cabinets 500] [--rate 10] [--seconds 10] [--protocol gbt]

Printed is the CPU time of this process alone, as a share of one core, the least and the median second, for three amounts
of work: the bare exchange (a question written, the answer read, nothing done with it), the cabinets (polled, parsed,
believed, supervised), and the whole service (a decision a second, memory on the disk) with two strategies. On a busy
machine give it priority: `chrt -r 10`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import time
import tty
from pathlib import Path
from typing import Any

from line_bench import bench, crossing, driver_of
from signalwright.controllers import load_controller
from signalwright.core.estimate import Estimate
from signalwright.hardware.cabinets import Authority, LineCabinet
from signalwright.hardware.cabinets.habits import Habits
from signalwright.hardware.exchange import LinkSettings
from signalwright.hardware.frames.gbt import GbtFramer, wrap
from signalwright.hardware.frames.hdlc import HdlcFrame, HdlcFramer
from signalwright.hardware.line import Line
from signalwright.hardware.notify import Notifier
from signalwright.hardware.port import PortSettings
from signalwright.hardware.roadside import Roadside
from signalwright.hardware.service import Service, ServiceSettings
from signalwright.hardware.store import Store
from signalwright.hardware.trunk import Trunk


def peer(count: int, protocol: str) -> None:
    """So many ptys with a cabinet at each. They show what one emulated cabinet shows, so an answer is made once."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    one = bench(protocol)
    poll, names, ends = select.epoll(), [], []
    for _ in range(count):
        near, far = os.openpty()
        tty.setraw(far)
        os.set_blocking(near, False)
        poll.register(near, select.EPOLLIN)
        names.append(os.ttyname(far))
        ends.append(far)
    print(" ".join(names), flush=True)
    known: dict[bytes, tuple[int, bytes]] = {}
    parts: dict[bytes, tuple[bytes, bytes]] = {}

    def answer_ntcip(question: bytes) -> bytes:
        """As the emulated cabinet answers; where only the number of the question differs, with that changed."""
        frame = HdlcFramer().feed(question)[0]
        begin, end = number_of(frame.body)
        key = frame.body[:begin] + frame.body[end:]
        if key not in parts:
            said = HdlcFramer().feed(one.answers.receive(question))[0].body
            first, last = number_of(said)
            parts[key] = said[:first], said[last:]
        before, behind = parts[key]
        return HdlcFrame(
            frame.address, frame.control, frame.protocol, before + frame.body[begin:end] + behind
        ).to_bytes()

    def answer(question: bytes) -> bytes:
        """As the emulated cabinet answers; where only the number of the question differs, with that changed."""
        if protocol == "ntcip":
            return answer_ntcip(question)
        if 0x5C in question:
            return one.answers.receive(question)
        key = question[:11] + question[12:-3]
        if key not in known:
            known[key] = question[11], GbtFramer().feed(one.answers.receive(question))[0]
        number, content = known[key]
        assert content[8] == number
        return wrap(content[:8] + question[11:12] + content[9:])

    next_tick = time.monotonic()
    while True:
        for near, events in poll.poll(0.05):
            if events & select.EPOLLIN:
                question = os.read(near, 4096)
                os.write(near, answer(question))
        now = time.monotonic()
        if now >= next_tick:
            next_tick += 0.1
            shown = one.cabinet.sequencer.aspects.copy()
            there = one.cabinet.inputs.present.copy()
            if one.cabinet.ticks % 5 == 0:  # somebody comes onto a loop or leaves it twice a second
                one.cabinet.inputs.set(one.cabinet.ticks // 5 % 4, one.cabinet.ticks // 20 % 2 == 0)
            one.cabinet.tick()
            seen = (one.cabinet.sequencer.aspects == shown).all() and (one.cabinet.inputs.present == there).all()
            if one.cabinet.ticks % 10 == 0 or not seen:
                known.clear()
                parts.clear()


def number_of(body: bytes) -> tuple[int, int]:
    """Where the number of an SNMP message begins (with its length, which those around it depend on) and ends."""
    at = 0
    for inside in (True, False, False, True):  # the message, its version, the community, the PDU
        size = body[at + 1]
        long = size & 0x7F if size & 0x80 else 0
        at += 2 + long if inside else 2 + size
    return at + 1, at + 2 + body[at + 1]


class Bare:
    """A station that asks the same question again and again and looks at no answer."""

    def __init__(self, question: bytes, period: float) -> None:
        self.question, self.period, self.due, self.answered = question, period, 0.0, 0
        self.link: Any = None
        self.is_urgent, self._out = False, b""

    def receive(self, data: bytes, now: float) -> None:
        self.answered += 1

    def advance(self, now: float) -> None:
        if now >= self.due:
            self.due = max(self.due + self.period, now)
            self._out = self.question

    def outgoing(self) -> bytes:
        data, self._out = self._out, b""
        return data

    def reopened(self) -> None: ...

    def line_is(self, trouble: str | None) -> None: ...


class Quiet(LineCabinet[Any, Any]):
    """A cabinet that nobody decides for."""

    def line_is(self, trouble: str | None) -> None: ...


def service_of(cabinet: Quiet, work: str, store: Store) -> Service:
    """The service of a cabinet, with the strategy of this name."""
    site, strategy = cabinet.site, load_controller(work)
    settings = ServiceSettings(Authority.ADVISE)
    return Service(cabinet, lambda: Estimate(site), lambda: strategy(site), store, settings)


def stations(work: str, names: list[str], protocol: str, rate: float, store: Store) -> list[Any]:
    """What stands on the lines."""
    line = LinkSettings(bits_per_second=0, first=0.5, longest=2.0, heartbeat=5.0)
    made: list[Any] = []
    habits, site = Habits(poll=1 / rate), crossing()
    for row, _ in enumerate(names):
        driver = driver_of(protocol, site)
        if work == "bare":
            made.append(Bare(driver.dialect.encode(driver.poll()[0], 1), 1 / rate))
            continue
        cabinet = Quiet(f"elm {row}", driver, site, Authority.MONITOR, habits, line)
        if work == "cabinets":
            made.append(cabinet)
            continue
        made.append(service_of(cabinet, work, store))
    return made


async def measure(work: str, names: list[str], protocol: str, rate: float, seconds: int) -> dict[str, float]:
    """Serve for so long; the share of a core this process took, exchanges a second, decisions a second."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "events.db")
        served = stations(work, names, protocol, rate, store)
        trunks = [Trunk(Line(PortSettings(name)), [station]) for name, station in zip(names, served, strict=True)]
        services = [one for one in served if isinstance(one, Service)]
        if services:
            services[0].warm_up()
            for service in services:
                service.cabinet.set_authority(Authority.ADVISE)
        roadside = Roadside(trunks, services, store, Notifier({}))
        running = asyncio.create_task(roadside.run())
        await asyncio.sleep(6.0)

        def answered() -> int:
            return sum(one.answered if isinstance(one, Bare) else one.link.exchanges.answered for one in served)

        def lost() -> int:
            return sum(0 if isinstance(one, Bare) else one.link.exchanges.repeated for one in served)

        decided, late, again = sum(one.decisions for one in services), sum(one.late for one in services), lost()
        begin, start, shares = time.monotonic(), answered(), []
        for _ in range(seconds):
            then, cpu = time.monotonic(), time.process_time()
            await asyncio.sleep(1.0)
            shares.append((time.process_time() - cpu) / (time.monotonic() - then))
        took = time.monotonic() - begin
        result = {
            "least": min(shares),
            "median": statistics.median(shares),
            "exchanges": (answered() - start) / took,
            "repeated": lost() - again,
            "decisions": (sum(one.decisions for one in services) - decided) / took,
            "late": sum(one.late for one in services) - late,
        }
        roadside.stop()
        await running
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cabinets", type=int, default=500)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--protocol", default="gbt")
    parser.add_argument("--work", nargs="*", default=["bare", "cabinets", "actuated", "adaptive"])
    parser.add_argument("--peer", action="store_true")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    if given.peer:
        peer(given.cabinets, given.protocol)
    print(f"{given.cabinets} cabinets, {given.protocol}, {given.rate:g} Hz; load {os.getloadavg()[0]:.1f}")
    for work in given.work:
        with subprocess.Popen(
            [sys.executable, __file__, *sys.argv[1:], "--peer"], stdout=subprocess.PIPE, text=True
        ) as far:
            assert far.stdout is not None
            names = far.stdout.readline().split()
            one = asyncio.run(measure(work, names, given.protocol, given.rate, given.seconds))
            far.kill()
        print(
            f"{work:10} {one['least']:5.0%} to {one['median']:5.0%} of a core, {one['exchanges']:6.0f} exchanges/s, "
            f"{one['repeated']:.0f} repeated, {one['decisions']:5.0f} decisions/s, {one['late']:.0f} late",
            flush=True,
        )


if __name__ == "__main__":
    main()
