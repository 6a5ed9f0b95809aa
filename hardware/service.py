"""The service at the roadside: reads the cabinet, decides once a second, asks, remembers, and lets go when in doubt.

It starts in MONITOR whatever the site file allows; an operator raises the authority up to the file's ceiling, falling
happens by itself. What makes it let go:

| trigger | outcome |
|---|---|
| line lost, stale status, answer not to be believed, request not confirmed | `LineCabinet` gives back by itself |
| flash, manual, preemption | given back at once; asked again only after the hold-off |
| the strategy raised an exception | given back, authority falls to MONITOR |
| a decision came later than `deadline` | given back; after `strikes` of them the authority falls to ADVISE |
| the wall clock jumped by more than `jump` | given back; the estimate starts anew |
| SIGTERM, or the operator's `stop` | given back, confirmed, then the end |
| this program killed | nothing is repeated any more; the cabinet's dead-man takes over |
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.aspects import Aspects
from ..core.counts import Counts
from ..core.errors import InputError, LinkLost
from ..core.loop import Estimator
from ..core.ports import Controller, Mode, Refusal, Status, Wish
from .cabinets import Authority, LineCabinet
from .cabinets.habits import Grip
from .indiana import Recorder
from .line import Line
from .notify import Notifier
from .store import Store

_TICK = 0.02
_STEP = 1.0


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Times in [s]. `dry_run` decides and remembers, but never asks for more than ADVISE."""

    ceiling: Authority = Authority.MONITOR
    dry_run: bool = False
    deadline: float = 0.5
    strikes: int = 3
    jump: float = 0.5
    stop_within: float = 15.0


@dataclass(slots=True)
class Service:
    """One cabinet under control. `steady` and `wall` are the clocks, handed in by tests."""

    cabinet: LineCabinet[Any, Any]
    line: Line
    new_estimator: Callable[[], Estimator]
    new_controller: Callable[[], Controller]
    store: Store
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    notifier: Notifier = field(default_factory=Notifier)
    steady: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    say: Callable[[str], None] = lambda text: None
    decisions: int = 0
    late: int = 0
    last_wish: Wish = None
    last_refusal: Refusal = Refusal.NONE
    line_trouble: str | None = None
    _estimator: Estimator = field(init=False)
    _controller: Controller = field(init=False)
    _recorder: Recorder = field(default_factory=Recorder)
    _offset: float | None = None
    _strikes: int = 0
    _next_step: float = 0.0
    _next_alive: float = 0.0
    _stopping: float | None = None
    _failure: str = ""

    def __post_init__(self) -> None:
        self._estimator, self._controller = self.new_estimator(), self.new_controller()

    def warm_up(self) -> None:
        """Decide once on an empty road, before any line is open: kernels are compiled, and what cannot run says so.

        Raises InputError when the strategy or the estimate cannot work at this site.
        """
        count = len(self.cabinet.site.detectors)
        nothing = Counts(0.0, _STEP, np.zeros(count, np.int32), np.zeros(count), np.zeros(count, np.bool_))
        red = Aspects(np.zeros(len(self.cabinet.site.groups), np.int8))
        status = Status(0.0, 0, False, 0.0, Mode.LOCAL, red)
        try:
            for _ in range(2):
                self.new_controller().decide(self.new_estimator().update(nothing, status))
        except Exception as problem:
            raise InputError(
                f"{self.cabinet.name}: the strategy cannot run this site ({type(problem).__name__}: {problem}): has it lanes, "
                "movements and detectors?"
            ) from None

    def raise_authority(self, wanted: Authority) -> str:
        """An operator's wish; at most the ceiling, at most ADVISE in a dry run. Answers with what holds now."""
        most = min(self.settings.ceiling, Authority.ADVISE) if self.settings.dry_run else self.settings.ceiling
        granted = min(wanted, most)
        self.cabinet.set_authority(granted)
        self._strikes, self._failure = 0, ""
        self._note(f"authority is {granted.name.lower()}")
        if granted < wanted:
            why = "this is a dry run" if self.settings.dry_run else "the site file allows no more"
            return f"authority is {granted.name.lower()}: {why}"
        return f"authority is {granted.name.lower()}"

    def stop(self) -> None:
        """Give back, wait for the confirmation, end."""
        if self._stopping is None:
            self._stopping = self.steady()
            self.notifier.stopping()
            self.cabinet.release("the service stops")

    async def run(self) -> None:
        """Serve until `stop`."""
        self._next_step = self.steady() + _STEP
        self.notifier.ready()
        try:
            while not self._is_over():
                self.pump()
                await asyncio.sleep(_TICK)
        finally:
            self._drain()
            self.line.close()
            self.store.close()

    def _is_over(self) -> bool:
        if self._stopping is None:
            return False
        done = self.cabinet.grip not in (Grip.HOLDING, Grip.RELEASING)
        return done or self.steady() - self._stopping > self.settings.stop_within

    def pump(self) -> None:
        """Everything that is due now: bytes, time-outs, and once a second a decision."""
        now = self.steady()
        self._carry(now)
        if now >= self._next_step:
            self._next_step = max(self._next_step + _STEP, now)
            self.step()
            self._carry(self.steady())
        if self.notifier.interval and now >= self._next_alive:
            self._next_alive = now + self.notifier.interval
            self.notifier.alive(self.summary())

    def _carry(self, now: float) -> None:
        """Bytes between line and cabinet; a line that has gone is opened again and nothing of before is believed."""
        try:
            if not self.line.is_open:
                if not self.line.reopen(now):
                    self._line_is(self.line.trouble)
                    self.cabinet.advance(now)
                    self.cabinet.outgoing()
                    return
                self.cabinet.reopened()
                self._line_is(None)
            while data := self.line.read():
                self.cabinet.receive(data, now)
            self.cabinet.advance(now)
            if data := self.cabinet.outgoing():
                self.line.write(data)
        except LinkLost as problem:
            self._line_is(str(problem))

    def _line_is(self, trouble: str | None) -> None:
        if trouble != self.line_trouble:
            self.line_trouble = trouble
            self._note(trouble or "the line is open")

    def step(self) -> None:
        """Once a second: read, estimate, decide, ask; then remember."""
        self._check_clock()
        begin = self.steady()
        try:
            state = self._estimator.update(self.cabinet.read(), self.cabinet.status())
            wish = self._controller.decide(state)
        except Exception as problem:
            self._failed(problem)
        else:
            self.decisions += 1
            self._strike(self.steady() - begin)
            if self._stopping is None and self.cabinet.authority > Authority.MONITOR:
                self._ask(wish, state.calls)
        self._remember()

    def _ask(self, wish: Wish, calls: Any) -> None:
        refusal = self.cabinet.request(wish, calls)
        if (wish, refusal) != (self.last_wish, self.last_refusal) and wish is not None:
            name = self.cabinet.site.stages[wish].name if 0 <= wish < len(self.cabinet.site.stages) else str(wish)
            advice = "would ask" if self.cabinet.authority < Authority.STAGE else "asks"
            self._note(f"{advice} for stage {name}: {refusal.name.lower().replace('_', ' ')}")
        self.last_wish, self.last_refusal = wish, refusal

    def _failed(self, problem: Exception) -> None:
        self.cabinet.set_authority(Authority.MONITOR)
        self._estimator, self._controller = self.new_estimator(), self.new_controller()
        failure = (
            f"the strategy failed ({type(problem).__name__}: {problem}); authority is monitor until it is raised again"
        )
        if failure != self._failure:
            self._failure = failure
            self._note(failure)

    def _strike(self, took: float) -> None:
        if took <= self.settings.deadline:
            return
        self.late += 1
        self._strikes += 1
        self.cabinet.release(f"a decision took {took:.1f} s, more than {self.settings.deadline:g} s")
        if self._strikes >= self.settings.strikes and self.cabinet.authority > Authority.ADVISE:
            self.cabinet.set_authority(Authority.ADVISE)
            self._note(f"{self._strikes} decisions came too late; authority is advise until an operator raises it")

    def _check_clock(self) -> None:
        offset = self.wall() - self.steady()
        if self._offset is not None and abs(offset - self._offset) > self.settings.jump:
            self.cabinet.release(f"the clock jumped by {offset - self._offset:+.1f} s")
            self._note(f"the clock jumped by {offset - self._offset:+.1f} s")
            self._estimator, self._controller = self.new_estimator(), self.new_controller()
        self._offset = offset

    def _note(self, text: str) -> None:
        self.store.note(self.cabinet.name, self.wall(), text)
        self.say(f"{self.cabinet.name}: {text}")

    def _drain(self) -> None:
        for text in self.cabinet.news():
            self.store.note(self.cabinet.name, self.wall(), text.partition(": ")[2])
            self.say(text)

    def _remember(self) -> None:
        now, cabinet, picture = self.wall(), self.cabinet, self.cabinet.picture
        held = cabinet.stage if cabinet.grip is Grip.HOLDING else None
        rows = self._recorder.look(
            now, picture.aspects, picture.mode, picture.plan, held, cabinet.is_fresh, picture.fault
        )
        self.store.events(cabinet.name, rows)
        self._drain()
        before = self.store.trouble
        self.store.flush()
        if self.store.trouble != before:
            self.say(f"{cabinet.name}: {self.store.trouble or 'the event store has room again'}")

    def summary(self) -> str:
        """One line for a person."""
        cabinet = self.cabinet
        stage = cabinet.picture.stage
        where = f"stage {cabinet.site.stages[stage].name}" if stage >= 0 else "no stage seen"
        trouble = self.line_trouble or cabinet.picture.trouble or self.store.trouble
        return (
            f"{cabinet.name}: {cabinet.grip.name.lower()}, {cabinet.picture.mode.value}, {where}, "
            f"authority {cabinet.authority.name.lower()}{f'; {trouble}' if trouble else ''}"
        )

    def report(self) -> dict[str, Any]:
        """All of it for a machine."""
        cabinet, link = self.cabinet, self.cabinet.link
        statistics = link.dialect.statistics
        return {
            "name": cabinet.name,
            "grip": cabinet.grip.name.lower(),
            "authority": cabinet.authority.name.lower(),
            "ceiling": self.settings.ceiling.name.lower(),
            "dry_run": self.settings.dry_run,
            "mode": cabinet.picture.mode.value,
            "stage": cabinet.site.stages[cabinet.picture.stage].name if cabinet.picture.stage >= 0 else None,
            "held": cabinet.site.stages[cabinet.stage].name if cabinet.stage is not None else None,
            "plan": cabinet.picture.plan,
            "identity": cabinet.picture.identity,
            "fresh": cabinet.is_fresh,
            "alarms": sorted(cabinet.picture.alarms),
            "failed_detectors": [
                detector.name
                for detector, bad in zip(cabinet.site.detectors, cabinet.picture.fault, strict=True)
                if bad
            ],
            "trouble": self.line_trouble or cabinet.picture.trouble or self.store.trouble,
            "decisions": self.decisions,
            "late_decisions": self.late,
            "line": {
                "open": self.line.is_open,
                "lost": link.lost,
                "asked": link.exchanges.asked,
                "answered": link.exchanges.answered,
                "repeated": link.exchanges.repeated,
                "failed": link.exchanges.failed,
                "late": link.exchanges.late,
                "error_rate": statistics.error_rate,
                "bad_checks": statistics.bad_check,
                "malformed": statistics.malformed,
                "garbage_bytes": statistics.garbage,
                "answer_time_s": link.patience.mean,
            },
        }


async def run_with_signals(service: Service, signals: tuple[int, ...]) -> None:
    """Run until one of the signals comes, then give back in order."""
    loop = asyncio.get_running_loop()
    for number in signals:
        loop.add_signal_handler(number, service.stop)
    await service.run()
