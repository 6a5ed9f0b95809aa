"""All the lines and services of one process: one loop, one timer, one memory.

Lines wake the process when bytes are there; nothing is polled and nothing waits, so that hundreds of cabinets share one
core. Once a second what happened is written to the disk by a thread of its own: a slow disk delays no answer.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any

from .. import __version__
from ..core.forecast import Neighbourly
from ..core.loop import exchange
from .cabinets.habits import Grip
from .notify import Notifier
from .service import Service
from .store import Store
from .trunk import Trunk
from .wheel import Wheel

_SECOND = 1.0


@dataclass(slots=True, eq=False)
class Roadside:
    """`services` are the stations of the `trunks`. `say` must not raise and is for what concerns all of them."""

    trunks: Sequence[Trunk]
    services: Sequence[Service]
    store: Store
    notifier: Notifier = field(default_factory=Notifier)
    say: Callable[[str], None] = lambda text: None
    steady: Callable[[], float] = time.monotonic
    begun: float = field(default_factory=time.time)
    _next_second: float = -inf
    _next_alive: float = -inf
    _trouble: str | None = None
    _is_silent: bool = False
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Give everything back, wait for the confirmations, end."""
        if not self._stopped.is_set():
            self._stopped.set()
            self.notifier.stopping()
            for service in self.services:
                service.stop()

    @property
    def is_over(self) -> bool:
        """Everything is given back, or was waited for long enough."""
        return all(service.is_over for service in self.services)

    def pump(self) -> None:
        """Everything that is due now, lines being asked for bytes: for a time that is not the loop's."""
        now = self.steady()
        for trunk in self.trunks:
            trunk.pump(now)
        if now >= self._next_second:
            self._next_second = now + _SECOND
            self._look_after(now)
            self.store.flush()

    async def run(self) -> None:
        """Serve until `stop`."""
        loop = asyncio.get_running_loop()
        wheel = Wheel(loop)
        pen = ThreadPoolExecutor(1, "store")
        doors = ThreadPoolExecutor(4, "doors")
        writing: Future[bool] | None = None
        for row, trunk in enumerate(self.trunks):
            trunk.aside = doors
            trunk.attach = _attachment(trunk, wheel, loop)
            wheel.put(trunk, loop.time() + _SECOND * row / len(self.trunks))  # not all in the same slot of a second
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be searched for garbage again and again
        self.notifier.ready()
        try:
            while not self._stopped.is_set() or not self.is_over:
                self._look_after(loop.time())
                if writing is None or writing.done():
                    writing = pen.submit(self.store.write, self.store.take())
                if self._stopped.is_set():
                    await asyncio.sleep(0.05)
                else:
                    await self._second()
        finally:
            wheel.stop()
            gc.unfreeze()
            for trunk in self.trunks:
                trunk.close()
            for service in self.services:
                service.tell()
            doors.shutdown(wait=False)
            pen.shutdown()
            self.store.close()

    async def _second(self) -> None:
        try:
            async with asyncio.timeout(_SECOND):
                await self._stopped.wait()
        except TimeoutError:
            return

    def _look_after(self, now: float) -> None:
        if self.notifier.interval and now >= self._next_alive:
            self._next_alive = now + self.notifier.interval
            self.notifier.alive(self.headline())
        if self.store.trouble != self._trouble:
            self._trouble = self.store.trouble
            self.say(self._trouble or "the event store has room again")
        self._exchange()

    def _exchange(self) -> None:
        """Strategies in one process tell their neighbours what comes; a mistake of theirs costs the news and no more."""
        talkers = [
            (service.cabinet.site.name, service.controller)
            for service in self.services
            if isinstance(service.controller, Neighbourly)
        ]
        try:
            if len(talkers) > 1:
                exchange(talkers)
        except Exception as problem:
            if not self._is_silent:
                self.say(f"neighbours are not told what comes ({type(problem).__name__}: {problem})")
            self._is_silent = True

    def headline(self) -> str:
        """One line, whatever the number of cabinets."""
        if len(self.services) == 1:
            return self.services[0].summary()
        held = sum(service.cabinet.grip is Grip.HOLDING for service in self.services)
        troubled = [service.cabinet.name for service in self.services if service.trouble]
        return f"{len(self.services)} cabinets, {held} held" + f"; trouble at {', '.join(troubled)}" * bool(troubled)

    def summary(self) -> str:
        """A line for each cabinet, and one for what troubles all."""
        lines = [service.summary() for service in self.services]
        return "\n".join([*lines, self.store.trouble] if self.store.trouble else lines)

    def report(self) -> dict[str, Any]:
        """All of it for a machine."""
        return {
            "version": __version__,
            "begun": datetime.fromtimestamp(self.begun, UTC).isoformat(timespec="seconds"),
            "running_s": round(time.time() - self.begun, 1),
            "stopping": self._stopped.is_set(),
            "store": self.store.report(),
            "cabinets": [service.report() for service in self.services],
        }


def _attachment(trunk: Trunk, wheel: Wheel, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    def arrived(data: bytes) -> None:
        wheel.put(trunk, trunk.take(data, loop.time()))

    return lambda: trunk.line.attach(loop, arrived, trunk.gone)
