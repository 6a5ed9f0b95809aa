"""A cabinet on a line as `core.ports.Cabinet`: polls, shadow-checks, commands, refreshes, releases. No device, no clock.

The caller moves bytes and time: `receive` what the line gave, `advance` to now, write `outgoing`. In between, `read`,
`status` and `request` answer at once from the picture of the last poll, so a control loop never waits for a line.

    BLIND      the cabinet is not identified yet: nothing is written
    WATCHING   identified; nothing of ours is in force
    HOLDING    a request of ours is in force and repeated while the caller keeps asking
    RELEASING  everything is given back and not yet confirmed by the cabinet's status

A request is repeated every `refresh` as long as `request` was called within `patience`: when the control loop stops,
so does the repeating, and the cabinet's own dead-man takes over. Nothing is sent in flash, manual or preemption, nor
until the cabinet has been normal for `hold_off`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Generic

import numpy as np
import numpy.typing as npt

from ...core.counts import Counts
from ...core.errors import LinkLost, ProtocolError
from ...core.intersection import Intersection
from ...core.ports import Mode, Refusal, Status, Wish
from ..exchange import Answered, Failed, LinkSettings, Lost, Restored
from ..link import Link
from .agenda import Agenda
from .authority import Authority
from .doubts import Doubts
from .driver import A, Driver, Q
from .habits import Grip, Habits
from .picture import Picture
from .shadow import Shadow

_TICK = 0.1  # cabinets act in steps of that [s]


@dataclass(slots=True)
class LineCabinet(Generic[Q, A]):
    """One cabinet on one line. `notes` collects what an operator should read, newest last; take them with `news`."""

    name: str
    driver: Driver[Q, A]
    site: Intersection
    authority: Authority = Authority.MONITOR
    habits: Habits = field(default_factory=Habits)
    line: LinkSettings = field(default_factory=LinkSettings)
    link: Link[Q, A] = field(init=False)
    picture: Picture = field(init=False)
    grip: Grip = Grip.BLIND
    stage: int | None = None
    plan: int | None = None
    now: float = 0.0
    _shadow: Shadow = field(init=False)
    agenda: Agenda[Q, A] = field(init=False)
    _news: list[str] = field(default_factory=list)
    _calls: Sequence[bool] | npt.NDArray[np.bool_] | None = None
    _leave_at: float = inf
    _asked: float = float("-inf")
    _sent: float = float("-inf")
    _released: float = float("-inf")
    _accepted: float = float("-inf")
    _doubts: Doubts = field(init=False)
    _alarmed: bool = False
    _owes: bool = False

    def __post_init__(self) -> None:
        self.link = Link(self.name, self.driver.dialect, self.line, healthy=False)
        self.picture = Picture(self.site)
        self._shadow, self._doubts = Shadow(self.site), Doubts(self.habits)
        self.agenda = Agenda(self.driver, self.habits)
        self.picture.taken = self.now

    @property
    def intersection(self) -> Intersection:
        """The site this cabinet runs."""
        return self.site

    @property
    def is_fresh(self) -> bool:
        """The cabinet was seen lately enough to act on."""
        return not self.link.lost and self.now - self.picture.seen <= self.habits.stale

    def read(self) -> Counts:
        """What its loops said since the last read; a cabinet that is out of reach has only faulty loops."""
        return self.picture.take(self.now, blind=not self.is_fresh)

    def status(self) -> Status:
        """Its stage and mode as last seen; elapsed goes on between two looks."""
        return self._shadow.status(self.picture, self.now)

    def request(self, wish: Wish, calls: Sequence[bool] | npt.NDArray[np.bool_] | None = None) -> Refusal:
        """Ask for a stage, or with None keep what stands; the shadow answers at once, the line follows."""
        self._asked, self._calls, self._leave_at = self.now, calls, self.now
        refusal = self._out_of_hand()
        if refusal is not Refusal.NONE:
            return refusal
        if wish is not None and wish != self.stage:
            refusal = self._shadow.veto(wish, calls, self.now)
            if refusal is Refusal.NONE:
                return self._command(wish)
        return self._leave() or refusal

    def _command(self, stage: int) -> Refusal:
        if self.authority < Authority.STAGE or not self.driver.moves_stages:
            return Refusal.NOT_IN_CONTROL
        try:
            commands = self.driver.command(self.picture, stage)
        except ProtocolError as problem:
            self._note(str(problem))
            return Refusal.NOT_IN_CONTROL
        self.stage, self.plan, self._leave_at = stage, None, inf
        self._send(commands)
        return Refusal.NONE

    def _leave(self) -> Refusal:
        """Leave the stage when the longest red leaves no more time; until then it is known when to look again."""
        if self.stage is None or self.now < self._leave_at:
            return Refusal.NONE
        if (stage := self._shadow.stage_forced(self.now)) is None:
            self._leave_at = self.now + self._shadow.spare(self.now)
            return Refusal.NONE
        return Refusal.NONE if stage == self.stage else self._command(stage) or Refusal.FORCED

    def select(self, plan: int) -> Refusal:
        """Ask for a plan or pattern by its number on the line; one that was asked for stands for `plan_for` at least."""
        self._asked = self.now
        if (refusal := self._out_of_hand()) or self.authority < Authority.PLAN:
            return refusal or Refusal.NOT_IN_CONTROL
        if self.plan not in (None, plan) and not self._doubts.has_stood(self.now):
            return Refusal.IN_INTERSTAGE
        if plan != self.plan:
            self.stage, self.plan = None, plan
            self._doubts.begin(self.now)
            self._send(self.driver.select(plan))
        return Refusal.NONE

    @property
    def is_given_back(self) -> bool:
        """Nothing of ours is in force, nor may be: a cabinet without dead-man keeps what it was asked for."""
        return self.grip not in (Grip.HOLDING, Grip.RELEASING) and not self._owes

    def release(self, why: str) -> None:
        """Give everything back; confirmed when the cabinet's status says it is on its own."""
        if self.grip is Grip.HOLDING:
            self._give_back(why)

    def _give_back(self, why: str) -> None:
        self._note(f"released: {why}")
        self.grip, self._released, self._alarmed = Grip.RELEASING, self.now, False
        self.stage = self.plan = None
        self._doubts.unsettle()
        self._let_go()

    def _let_go(self) -> None:
        self._sent = self.now
        self.agenda.command(self.driver.release(), alone=True)

    def set_authority(self, authority: Authority) -> None:
        """Raise or lower; lowering under what is in force gives it back."""
        self.authority = authority
        needed = Authority.STAGE if self.stage is not None else Authority.PLAN
        if authority < needed:
            self.release(f"authority lowered to {authority.name.lower()}")

    def reopened(self) -> None:
        """The port was closed and opened again: nothing of before is believed, identity is checked anew."""
        self._digest(self.link.reset(self.now))
        self._lose_sight()
        self.picture.identified, self.picture.trouble = False, None
        self.agenda.clear()

    def _lose_sight(self) -> None:
        self._owes |= not (self.is_given_back or self.driver.keeps_dead_man)
        self.grip, self.stage, self.plan = Grip.BLIND, None, None

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came from the line."""
        self.now = now
        self._digest(self.link.receive(data, now))

    def outgoing(self) -> bytes:
        """Bytes for the line; handed out once."""
        return self.link.outgoing()

    def advance(self, now: float) -> None:
        """Time has passed: time-outs, then the next question: commands before polls before counts."""
        self.now = now
        self._digest(self.link.tick(now))
        self._supervise()
        self.picture.commanded = self.stage if self.picture.mode is Mode.REMOTE else None
        blind, doubted = self.grip is Grip.BLIND, self.picture.trouble is not None
        if self.link.free and (request := self.agenda.next(now, blind, doubted)) is not None:
            self.link.request(request, now)

    @property
    def due(self) -> float:
        """When `advance` next has something to do; at the latest a poll from now, to look after what is in force."""
        if self.link.free:
            return self.now if self.agenda else self.agenda.due
        return min(self.link.due, self.now + self.habits.poll)

    @property
    def is_urgent(self) -> bool:
        """A command waits to be sent."""
        return self.agenda.is_urgent

    def news(self) -> list[str]:
        """What an operator should read since the last call."""
        news, self._news = self._news, []
        return news

    def _note(self, text: str) -> None:
        self._news.append(f"{self.name}: {text}")

    def _send(self, commands: Sequence[Q]) -> None:
        if self.grip is not Grip.HOLDING:
            self._doubts.begin(self.now)
        self.grip, self._sent, self._owes = Grip.HOLDING, self.now, False
        self.agenda.command(commands, is_out=not self.link.free)

    def _supervise(self) -> None:
        """Repeat what is in force while the control loop lives; give it back when something is wrong."""
        self._doubts.watch(self.picture.mode, self.now)
        is_asked = self.now - self._asked <= self.habits.patience
        self.link.healthy = self.grip is Grip.HOLDING and is_asked
        if self.grip is Grip.HOLDING:
            self._hold()
        elif self.grip is Grip.RELEASING:
            self._confirm_release()
        elif self._owes and self.grip is Grip.WATCHING and not (is_asked and self.authority >= Authority.PLAN):
            self._give_back("what was asked for before the line was lost may still be in force")

    def _hold(self) -> None:
        picture = self.picture
        obeyed = picture.mode is Mode.REMOTE if self.driver.moves_stages else picture.plan == self.plan
        if self.link.lost:
            self._lose_sight()
            after = "what was asked for stays until it is back" if self._owes else "the cabinet falls back by itself"
            self._note(f"the line is lost: {after}")
        elif (doubt := self._doubts.look(picture, obeyed, self.now, self._asked)) is not None:
            self.release(doubt)
        elif self.now - self._sent >= min(self.habits.refresh, (picture.dead_man or inf) / 3):
            self._repeat()
        else:
            self._leave()

    def _repeat(self) -> None:
        try:
            if self.stage is not None:
                self._send(self.driver.command(self.picture, self.stage))
            elif self.plan is not None and self.driver.keeps_dead_man:
                self._send(self.driver.select(self.plan))
        except ProtocolError as problem:
            self.release(str(problem))

    def _confirm_release(self) -> None:
        fresh = self._accepted > self._released and self.picture.seen > self._accepted
        if fresh and not self.agenda and self.picture.mode is not Mode.REMOTE:
            self.grip = Grip.WATCHING if self.picture.identified else Grip.BLIND
            self._owes = False
            self._note("release confirmed")
        elif self.now - self._sent >= self.habits.refresh and not self.agenda.has_command:
            self._let_go()
        elif self.now - self._released > self.habits.release_within and not self._alarmed:
            self._alarmed = True
            self._note("ALARM: the cabinet has not confirmed the release; it is asked again and again")

    def _out_of_hand(self) -> Refusal:
        if not self.is_fresh:
            return Refusal.LINK
        settled = self._doubts.is_settled(self.now)
        return Refusal.NONE if settled and self.grip in (Grip.WATCHING, Grip.HOLDING) else Refusal.NOT_IN_CONTROL

    def _digest(self, events: Sequence[object]) -> None:
        for event in events:
            match event:
                case Answered(request=request, frames=frames, elapsed=elapsed):
                    if request is self.agenda.status:
                        self._shadow.late, self._shadow.travel = self.habits.poll + elapsed, elapsed + _TICK
                    self._answered(request, frames)
                case Failed(request=request, error=error):
                    self._failed(request, error)
                case Lost(error=error):
                    self._note(str(error))
                    self.agenda.clear()
                    self.picture.identified = False
                    if self.grip is not Grip.HOLDING:
                        self._lose_sight()
                case Restored():
                    self._note("the line is back")

    def _failed(self, request: Q, error: LinkLost) -> None:
        self.agenda.is_whole &= self.grip is not Grip.BLIND
        if self.agenda.done(request, self.now):
            self._note(f"a command was not confirmed ({error})")

    def _answered(self, request: Q, frames: tuple[A, ...]) -> None:
        if self.agenda.done(request, self.now):
            self.agenda.next_poll = self.now  # whether it is obeyed is told by the status only
            refusal = self.driver.refused(request, frames)
            if refusal is not None:
                self._note(f"the cabinet refused a command: {refusal}")
                if self.grip is Grip.HOLDING:
                    self.release("a command was refused")
            elif self.grip is Grip.RELEASING:
                self._accepted = self.now
            return
        seen = self.picture.seen
        try:
            self._read(request, frames)
        except ProtocolError as problem:
            self._believe_not(request, problem)
            return
        if self.picture.seen > seen:
            self._shadow.observe(self.picture, self._calls, self.now)
        if request is self.agenda.status and self.picture.identified:
            self.picture.trouble = None
        if self.grip is Grip.BLIND and not self.agenda and self.agenda.is_whole and self.is_fresh:
            self.picture.identified, self.picture.trouble = True, None
            self.grip = Grip.WATCHING
            self._note(f"identified: {self.picture.identity or 'cabinet answers'}")

    def _read(self, request: Q, frames: tuple[A, ...]) -> None:
        """Into the picture; a status that says what the last one said is only seen again."""
        picture = self.picture
        if len(frames) > 1 or request is not self.agenda.status:
            self.driver.read(request, frames, picture, self.now)
            return
        content = self.driver.dialect.content(frames[0])
        if not picture.hears_again(content, self.now):
            self.driver.read(request, frames, picture, self.now)
            picture.heard(content)

    def _believe_not(self, request: Q, problem: ProtocolError) -> None:
        """An answer that cannot be believed gives back control; one about who is there ends it until that is settled."""
        identity = self.agenda.identifies(request)
        if self.picture.trouble != str(problem):
            self.picture.trouble = str(problem)
            self._note(f"nothing will be written: {problem}" if identity else str(problem))
        self._doubts.unsettle()
        self.release("an answer cannot be believed")
        if identity:
            self.agenda.is_whole = self.picture.identified = False
            self.grip = Grip.BLIND if self.grip is Grip.WATCHING else self.grip
