"""From a request to its confirmation, beside the time its bytes take on the wire.

    PYTHONPATH=src:tests python tests/bench/line_delay.py [--seconds 30] [--cabinets 8] [--protocol gbt] [--speeds 9600 115200]

The peer, in another process, is an emulated cabinet on each pty that hears a question when a line of this speed would have
carried it, and whose answer is there when the line would have carried that; it adds nothing of its own. Each second every
service repeats its request, as it does when it decides. `accepted` ends with the cabinet's reply to the command,
`confirmed` with the first status after it; each as a multiple of the wire time of all bytes in between.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
import tty
from pathlib import Path
from typing import Any

import numpy as np

from line_bench import answers_of, bench, crossing, driver_of
from signalwright.core.estimate import Estimate
from signalwright.hardware.cabinets import Authority, LineCabinet
from signalwright.hardware.cabinets.habits import Grip, Habits
from signalwright.hardware.exchange import LinkSettings
from signalwright.hardware.line import Line
from signalwright.hardware.notify import Notifier
from signalwright.hardware.port import PortSettings
from signalwright.hardware.roadside import Roadside
from signalwright.hardware.service import Service, ServiceSettings
from signalwright.hardware.store import Store
from signalwright.hardware.trunk import Trunk

_SPIN = 0.0015  # [s] before an answer is due the peer stops sleeping: a timer of the kernel would be late


def character(protocol: str, speed: int) -> float:
    """How long a character takes [s]: GB/T 20999 has a parity bit."""
    return (11 if protocol == "gbt" else 10) / speed


def open_ptys(count: int) -> list[int]:
    """Near ends; the names of the far ones are printed."""
    pairs = [os.openpty() for _ in range(count)]
    for _, far in pairs:
        tty.setraw(far)
    print(" ".join(os.ttyname(far) for _, far in pairs), flush=True)
    return [near for near, _ in pairs]


def open_sockets(count: int) -> list[int]:
    """Connected ones, as of a gateway; the addresses are printed. No kernel thread stands between the ends, as with a pty."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    print(" ".join(f"socket://127.0.0.1:{server.getsockname()[1]}" for server in servers), flush=True)
    connected = [server.accept()[0] for server in servers]
    for one in connected:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return [one.detach() for one in connected]


def peer(count: int, protocol: str, speed: int, over: str) -> None:
    """Cabinets whose answers come as late as the line makes them."""
    poll, ends, cabinets = select.epoll(), {}, []
    for near in open_ptys(count) if over == "pty" else open_sockets(count):
        poll.register(near, select.EPOLLIN)
        cabinet = bench(protocol).cabinet
        cabinets.append(cabinet)
        ends[near] = answers_of(protocol, cabinet)
    each, waiting = character(protocol, speed), list[tuple[float, int, bytes]]()
    next_tick = time.monotonic()
    while True:
        now = time.monotonic()
        due = min(next_tick, waiting[0][0] if waiting else next_tick)
        for near, _ in poll.poll(max(0.0, due - now - _SPIN)):
            heard = time.monotonic()
            question = os.read(near, 4096)
            if answer := ends[near].receive(question):
                heapq.heappush(waiting, (heard + (len(question) + len(answer)) * each, near, answer))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, near, answer = heapq.heappop(waiting)
            os.write(near, answer)
        if now >= next_tick:
            next_tick += 0.1
            for cabinet in cabinets:
                cabinet.tick()


class Watched(LineCabinet[Any, Any]):
    """A cabinet whose commands are timed. Bytes are those that went over the line since the command was asked for."""

    begun: float | None = None
    octets = 0
    accepted: list[tuple[float, int]]
    confirmed: list[tuple[float, int]]

    def ask_again(self) -> None:
        """The stage in force, whole, as a request or its repetition is."""
        if self.grip is Grip.HOLDING and self.stage is not None:
            self.begun, self.octets, self._until_status = time.monotonic(), 0, False
            self._send(self.driver.command(self.picture, self.stage))

    def outgoing(self) -> bytes:
        data = super().outgoing()
        self.octets += len(data)
        return data

    def receive(self, data: bytes, now: float) -> None:
        self.octets += len(data)
        seen, command = self.picture.seen, self.is_urgent
        super().receive(data, now)
        if self.begun is None:
            return
        if command and not self.is_urgent:
            self.accepted.append((time.monotonic() - self.begun, self.octets))
        elif not command and self.picture.seen > seen:
            self.confirmed.append((time.monotonic() - self.begun, self.octets))
            self.begun = None


class Repeating(Service):
    """A service that asks again for what is in force, once a second."""

    def step(self) -> None:
        cabinet = self.cabinet
        assert isinstance(cabinet, Watched)
        if cabinet.grip is Grip.WATCHING:
            cabinet.request(cabinet.picture.stage)
        else:
            cabinet.request(None)
            cabinet.ask_again()
        self.decisions += 1


async def measure(names: list[str], protocol: str, speed: int, seconds: int) -> tuple[Any, Any]:
    """(n, 2) each: seconds and bytes of what was accepted, and of what was confirmed."""
    site, made = crossing(max_red=None), []
    line = LinkSettings(speed, 11 if protocol == "gbt" else 10, first=1.0, longest=2.0)
    for row, _ in enumerate(names):
        cabinet = Watched(f"elm {row}", driver_of(protocol, site), site, Authority.STAGE, Habits(refresh=5.0), line)
        cabinet.accepted, cabinet.confirmed = [], []
        made.append(cabinet)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "events.db")
        settings = ServiceSettings(Authority.STAGE)
        services = [
            Repeating(cabinet, lambda: Estimate(site), lambda: bench, store, settings)  # type: ignore[arg-type,return-value]
            for cabinet in made
        ]
        trunks = [Trunk(Line(PortSettings(name, speed)), [one]) for name, one in zip(names, services, strict=True)]
        roadside = Roadside(trunks, services, store, Notifier({}))
        running = asyncio.create_task(roadside.run())
        await asyncio.sleep(30.0 if speed < 20_000 else 25.0)
        for cabinet in made:
            cabinet.accepted.clear()
            cabinet.confirmed.clear()
        await asyncio.sleep(seconds)
        roadside.stop()
        await running
    return (
        np.array([delay for one in made for delay in one.accepted]),
        np.array([delay for one in made for delay in one.confirmed]),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cabinets", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--protocol", default="gbt", choices=["gbt", "ntcip"])
    parser.add_argument("--speeds", type=int, nargs="*", default=[9600, 115200])
    parser.add_argument("--over", default="pty", choices=["pty", "tcp"])
    parser.add_argument("--peer", type=int, default=0)
    given = parser.parse_args()
    if given.peer:
        peer(given.cabinets, given.protocol, given.peer, given.over)
    print(f"{given.protocol}, {given.cabinets} cabinets, {given.over}; load {os.getloadavg()[0]:.1f}")
    for speed in given.speeds:
        arguments = [sys.executable, __file__, *sys.argv[1:], "--peer", str(speed)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as far:
            assert far.stdout is not None
            names = far.stdout.readline().split()
            both = asyncio.run(measure(names, given.protocol, speed, given.seconds))
            far.kill()
        for what, found in zip(("accepted", "confirmed"), both, strict=True):
            wire = found[:, 1] * character(given.protocol, speed)
            middle, most = np.quantile(found[:, 0] / wire, [0.5, 0.99])
            print(
                f"{speed:7} bit/s {what:10} {len(found):4} times, wire {1e3 * wire.mean():6.1f} ms, "
                f"median {middle:.3f}, p99 {most:.3f} x the wire",
                flush=True,
            )


if __name__ == "__main__":
    main()
