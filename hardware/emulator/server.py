"""The emulated cabinet on a real port, in real time: ticks of 100 ms, bytes paced as a slow line would carry them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ...core.errors import InputError, LinkLost
from ..line import Line
from .answers_ab3418 import Ab3418Answers
from .answers_gbt import GbtAnswers
from .answers_ntcip import NtcipAnswers
from .cabinet import EmulatedCabinet

PROTOCOLS = ("gbt20999", "ab3418", "ntcip1202")
_TICK = 0.1


class Answers(Protocol):
    """The protocol side of an emulated cabinet."""

    def receive(self, data: bytes) -> bytes:
        """What a host sent, to what it gets back."""

    def tick(self) -> None:
        """100 ms have passed."""


def answers_for(protocol: str, cabinet: EmulatedCabinet, datagrams: bool = False, address: int = 1) -> Answers:
    """The protocol side named `protocol`; `address` is station, or controller id. Raises InputError for an unknown one."""
    match protocol:
        case "gbt20999":
            return GbtAnswers(cabinet, controller=address, datagrams=datagrams)
        case "ab3418":
            return Ab3418Answers(cabinet, station=address)
        case "ntcip1202":
            return NtcipAnswers(cabinet, station=None if datagrams else address)
    raise InputError(f"there is no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")


@dataclass(slots=True)
class Emulator:
    """A cabinet, its protocol and its line. `bits_per_second` paces the answers, 0 leaves them as fast as they are.

    `on_tick` is called every 100 ms, after the cabinet's tick: for a display, or to hand in detectors.
    """

    cabinet: EmulatedCabinet
    answers: Answers
    line: Line
    bits_per_second: int = 0
    bits_per_character: int = 10
    on_tick: Callable[[], None] = lambda: None
    _busy_until: float = 0.0
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    async def run(self) -> None:
        """Serve until `stop`; a port that disappears is opened again."""
        loop = asyncio.get_running_loop()
        next_tick = loop.time()
        attached = False
        try:
            while not self._stopped.is_set():
                if not self.line.is_open:
                    attached = False
                if not attached and self.line.reopen(loop.time()):
                    self.line.attach(loop, self._take, lambda problem: None)
                    attached = True
                self.cabinet.tick()
                self.answers.tick()
                self.on_tick()
                next_tick = max(next_tick + _TICK, loop.time() - 1.0)
                try:
                    async with asyncio.timeout_at(next_tick):
                        await self._stopped.wait()
                except TimeoutError:
                    continue
        finally:
            self.line.close()

    def _take(self, data: bytes) -> None:
        answer = self.answers.receive(data)
        if not answer:
            return
        loop = asyncio.get_running_loop()
        if not self.bits_per_second:
            self._write(answer)
            return
        per_character = self.bits_per_character / self.bits_per_second
        heard = max(loop.time(), self._busy_until) + len(data) * per_character
        self._busy_until = heard + len(answer) * per_character
        loop.call_at(self._busy_until, self._write, answer)

    def _write(self, answer: bytes) -> None:
        try:
            self.line.write(answer)
        except LinkLost:
            return  # the line says so itself in `trouble`, and is opened again by `run`
