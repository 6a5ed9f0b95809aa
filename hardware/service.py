"""The service of one cabinet: reads it, decides once a second, asks, remembers, and lets go when in doubt.

It starts in MONITOR whatever the site file allows; an operator raises the authority up to the file's ceiling, falling
happens by itself. What makes it let go:

| trigger | outcome |
|---|---|
| line lost, stale status, answer not to be believed, request not confirmed | `LineCabinet` gives back by itself |
| flash, manual, preemption | given back at once; asked again only after the hold-off |
| the strategy raised an exception | given back, authority falls to MONITOR |
| a decision came later than `deadline` | given back; after `strikes` of them the authority falls to ADVISE |
| more than `blind` of the detectors have failed | given back until they work again |
| the wall clock jumped by more than `jump` | given back; the estimate starts anew |
| SIGTERM, or the operator's `stop` | given back, confirmed, then the end |
| this program killed | nothing is repeated any more; the cabinet's dead-man takes over |
| the site file is changed | nothing: what was checked at the start holds; said once, and in `status --json` |
| the disk is full | nothing: control needs no memory; said once, and in `status` |

A decision is made when the second is over, its counts have come (they are asked for so much earlier that they have) and the line
is free: what it asks for goes out at once and waits for no poll.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.aspects import Aspects
from ..core.certify import SafePlan
from ..core.counts import Counts
from ..core.errors import InputError
from ..core.loop import Estimator
from ..core.ports import Controller, Mode, Refusal, Status, Wish
from .cabinets import Authority, LineCabinet
from .cabinets.habits import Grip
from .cabinets.shadow import Shadow
from .config import Source
from .indiana import Recorder
from .link import Link
from .report import in_a_line, report_cabinet, report_line, stage_name
from .store import Store

_STEP = 1.0
_FILE_EVERY = 10  # decisions between two looks at the site file
_ANSWERS = {Refusal.NONE: "granted", Refusal.LINK: "the cabinet is out of reach"}
_HURRY = 0.5  # later than that a decision waits no longer for the line to be free


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Times in [s]. `dry_run` decides and remembers, but never asks for more than ADVISE. `blind` is a share of 1."""

    ceiling: Authority = Authority.MONITOR
    dry_run: bool = False
    deadline: float = 0.5
    strikes: int = 3
    jump: float = 0.5
    blind: float = 0.5
    stop_within: float = 15.0


@dataclass(slots=True, eq=False)
class Service:
    """One cabinet under control, a station of its line. `steady` and `wall` are the clocks, handed in by tests.

    `plans` tells the number on the line of plans by name: a strategy that follows one of them has it selected where
    stages cannot be moved.
    """

    cabinet: LineCabinet[Any, Any]
    new_estimator: Callable[[], Estimator]
    new_controller: Callable[[], Controller]
    store: Store
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    source: Source | None = None
    steady: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    say: Callable[[str], None] = lambda text: None
    plans: Mapping[str, int] = field(default_factory=dict)
    decisions: int = 0
    late: int = 0
    last_wish: Wish = None
    last_refusal: Refusal = Refusal.NONE
    line_trouble: str | None = "the line is not open yet"
    _estimator: Estimator = field(init=False)
    _controller: Controller = field(init=False)
    _recorder: Recorder = field(default_factory=Recorder)
    _offset: float | None = None
    _strikes: int = 0
    _next_step: float | None = None
    _recorded: object = None
    _stopping: float | None = None
    _failure: str = ""
    _is_blind: bool = False
    _file_has_changed: bool = False

    def __post_init__(self) -> None:
        self._estimator, self._controller = self.new_estimator(), self.new_controller()

    @property
    def controller(self) -> Controller:
        """The strategy at work; another one after it failed or the clock jumped."""
        return self._controller

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
            Shadow(self.cabinet.site).rehearse()
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
            self.cabinet.release("the service stops")

    @property
    def is_over(self) -> bool:
        """It was told to stop, and has given everything back or waited long enough for that to be confirmed."""
        if self._stopping is None:
            return False
        return self.cabinet.is_given_back or self.steady() - self._stopping > self.settings.stop_within

    @property
    def link(self) -> Link[Any, Any]:
        """Questions and answers."""
        return self.cabinet.link

    @property
    def due(self) -> float:
        """When `advance` next has something to do."""
        due, step = self.cabinet.due, self._next_step
        return due if step is None or step >= due or not self.cabinet.link.free else step

    @property
    def is_urgent(self) -> bool:
        """A command waits to be sent."""
        return self.cabinet.is_urgent

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came from the line; what they change of the status is an event."""
        self.cabinet.receive(data, now)
        if self.cabinet.picture.content is not self._recorded:
            self._recorded = self.cabinet.picture.content
            self._record()

    def advance(self, now: float) -> None:
        """Time has passed: once a second a decision, then what the cabinet has to do."""
        if self._next_step is None:
            self._next_step = now + _STEP
            self.cabinet.agenda.count_by(self._next_step)
        elif now >= self._next_step and (self._is_ready or now >= self._next_step + _HURRY):
            self._next_step += _STEP
            if self._next_step < now:
                self._next_step = now
                self.cabinet.agenda.count_by(now + _STEP)
            self.cabinet.now = now
            self.step()
        self.cabinet.advance(now)

    @property
    def _is_ready(self) -> bool:
        return self.cabinet.link.free and not self.cabinet.agenda.is_counting

    def outgoing(self) -> bytes:
        """Bytes for the line; handed out once."""
        return self.cabinet.outgoing()

    def reopened(self) -> None:
        """The port was closed and opened again."""
        self.cabinet.reopened()

    def line_is(self, trouble: str | None) -> None:
        """The line has gone, and why; None when it is open."""
        if trouble != self.line_trouble:
            self.line_trouble = trouble
            self._note(trouble or "the line is open")

    def step(self) -> None:
        """Once a second: read, estimate, decide, ask; then remember."""
        self._check_clock()
        begin = self.steady()
        try:
            counts = self.cabinet.read()
            self.store.counts(self.cabinet.name, self.wall(), counts)
            status = self.cabinet.status()
            state = self._estimator.update(counts, status)
            wish = self._controller.decide(state)
        except Exception as problem:
            self._failed(problem)
        else:
            self.decisions += 1
            self._strike(self.steady() - begin)
            if self._stopping is None and self.cabinet.authority > Authority.MONITOR and self._sees(counts):
                self._ask(wish, state.calls, status)
        self._record()
        if self.decisions % _FILE_EVERY == 0:
            self._watch_file()
        self.tell()

    def _sees(self, counts: Counts) -> bool:
        """Enough of the detectors work; a cabinet out of reach is another matter, and its own."""
        failed, every = int(np.count_nonzero(counts.fault)), len(counts.fault)
        blind = self.cabinet.is_fresh and failed > self.settings.blind * every
        if blind:
            self.cabinet.release(f"{failed} of {every} detectors have failed")
        if blind != self._is_blind:
            self._is_blind = blind
            left = f"{failed} of {every} detectors have failed: the cabinet is left to itself"
            self._note(left if blind else "detectors work again")
        return not blind

    def _watch_file(self) -> None:
        if self.source is not None and not self._file_has_changed and self.source.has_changed:
            self._file_has_changed = True
            self._note(f"{self.source.path} has changed; what was read at the start holds until a new start")

    def _ask(self, wish: Wish, calls: Any, status: Status) -> None:
        followed = getattr(self._controller, "plan", None)
        number = self.plans.get(followed.plan.name) if isinstance(followed, SafePlan) else None
        if number is not None and not (self.cabinet.driver.moves_stages and self.cabinet.authority is Authority.STAGE):
            self.last_refusal = self.cabinet.select(number)
            return
        refusal = self.cabinet.request(self._taking(wish, status), calls)
        if (wish, refusal) != (self.last_wish, self.last_refusal) and wish is not None:
            advice = "would ask" if self.cabinet.authority < Authority.STAGE else "asks"
            answer = _ANSWERS.get(refusal, refusal.name.lower().replace("_", " "))
            self._note(f"{advice} for stage {stage_name(self.cabinet, wish)}: {answer}")
        self.last_wish, self.last_refusal = wish, refusal

    def _taking(self, wish: Wish, status: Status) -> Wish:
        """A strategy that wants no change while nothing of ours is in force wants what stands: that is asked for."""
        if wish is None and self.cabinet.grip is Grip.WATCHING and status.stage >= 0 and not status.in_interstage:
            return status.stage
        return wish

    def _failed(self, problem: Exception) -> None:
        self.cabinet.set_authority(Authority.MONITOR)
        self._estimator, self._controller = self.new_estimator(), self.new_controller()
        name = type(problem).__name__
        failure = f"the strategy failed ({name}: {problem}); authority is monitor until it is raised again"
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

    def tell(self) -> None:
        """What the cabinet has to say, to the operator and to the memory."""
        for text in self.cabinet.news():
            self.store.note(self.cabinet.name, self.wall(), text.partition(": ")[2])
            self.say(text)

    def _record(self) -> None:
        now, cabinet, picture = self.wall(), self.cabinet, self.cabinet.picture
        held = cabinet.stage if cabinet.grip is Grip.HOLDING else None
        rows = self._recorder.look(
            now, picture.aspects, picture.mode, picture.plan, held, cabinet.is_fresh, picture.fault, picture.present
        )
        if rows:
            self.store.events(cabinet.name, rows)

    @property
    def trouble(self) -> str | None:
        """What keeps it from its work."""
        return self.line_trouble or self.cabinet.picture.trouble

    def summary(self) -> str:
        """One line for a person."""
        return in_a_line(self.cabinet, self.trouble)

    def report(self) -> dict[str, Any]:
        """All of it for a machine."""
        return {
            **report_cabinet(self.cabinet),
            "ceiling": self.settings.ceiling.name.lower(),
            "dry_run": self.settings.dry_run,
            "wish": stage_name(self.cabinet, self.last_wish),
            "refusal": self.last_refusal.name.lower(),
            "trouble": self.trouble,
            "decisions": self.decisions,
            "late_decisions": self.late,
            "deadline_s": self.settings.deadline,
            "site_file": None if self.source is None else str(self.source.path),
            "site_file_has_changed": self.source is not None and self.source.has_changed,
            "line": {"open": self.line_trouble is None, **report_line(self.cabinet.link)},
        }
