"""One line to one cabinet: a question, its answer, and everything that can happen in between. No clock, no device.

Theory
------
The host asks, the cabinet answers; one question is out at a time, since none of the protocols promises an order of
answers. A question that is not answered in time is sent again, unchanged: every request of this project is a read or a
whole state, so doing it twice does what doing it once does. What is left is the danger that an answer comes *late* and
is taken for the answer to a later question. Where the protocol numbers its questions (SNMP) the number tells. Where it
does not, the line is kept *quiet* after any exchange that was not clean, long enough for a late answer to arrive and
be thrown away, and only then the next question goes out. What remains is a line that doubles a frame by itself and
holds the copy back until the next question of the same kind: then a status is read that is one question old.

    IDLE     nothing is out; a question may be sent
    WAITING  a question is out; an answer is due before the deadline
    QUIET    the last exchange needed another try or failed; what arrives now is late and is thrown away

How long to wait is learned as in TCP (RFC 6298): the time the cabinet takes beyond the bare bits on the wire is
averaged, its spread four times added; a repeated question gives no sample (Karn) and doubles the wait. Bytes that
still trickle in put the deadline off, up to `longest`. After `lost_after` failed questions in a row the line is lost;
the first answer restores it. All times are seconds on any steady clock of the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, auto
from math import inf
from typing import Generic

from ..core.errors import LinkLost, ProtocolError
from .exchange import (
    A,
    Answered,
    Dialect,
    Event,
    Exchanges,
    Failed,
    LinkSettings,
    Lost,
    Patience,
    Q,
    Restored,
    Unasked,
    Verdict,
)


class State(IntEnum):
    """Where the line stands."""

    IDLE = auto()
    WAITING = auto()
    QUIET = auto()


class Input(IntEnum):
    """What can happen to it."""

    REQUEST = auto()  # the caller has a question
    PART = auto()  # an answer came that leaves something of the question open
    CLEAN = auto()  # the answer, at the first try or with the question's own number
    REPEATED = auto()  # the answer, after more than one try, without a number
    STRAY = auto()  # a frame that answers nothing
    EXPIRED = auto()  # the deadline passed and there are tries left
    EXHAUSTED = auto()  # the deadline passed and there are none
    SILENCE = auto()  # the line has been quiet long enough


class Action(IntEnum):
    """What is done about it, before the new state holds."""

    NONE = auto()
    SEND = auto()
    RESEND = auto()
    KEEP = auto()
    FINISH = auto()
    FAIL = auto()
    DISCARD = auto()


TABLE: dict[tuple[State, Input], tuple[State, Action]] = {
    (State.IDLE, Input.REQUEST): (State.WAITING, Action.SEND),
    (State.IDLE, Input.STRAY): (State.IDLE, Action.DISCARD),
    (State.WAITING, Input.PART): (State.WAITING, Action.KEEP),
    (State.WAITING, Input.CLEAN): (State.IDLE, Action.FINISH),
    (State.WAITING, Input.REPEATED): (State.QUIET, Action.FINISH),
    (State.WAITING, Input.STRAY): (State.WAITING, Action.DISCARD),
    (State.WAITING, Input.EXPIRED): (State.WAITING, Action.RESEND),
    (State.WAITING, Input.EXHAUSTED): (State.QUIET, Action.FAIL),
    (State.QUIET, Input.STRAY): (State.QUIET, Action.DISCARD),
    (State.QUIET, Input.SILENCE): (State.IDLE, Action.NONE),
}


@dataclass(slots=True)
class _Out(Generic[Q, A]):
    """The question that is out."""

    request: Q
    number: int
    wire: bytes
    first_sent: float
    sent: float
    tries: int = 1
    parts: tuple[A, ...] = ()
    octets: int = 0


@dataclass(slots=True)
class Link(Generic[Q, A]):
    """The state machine. Feed it bytes and the time, take from it bytes and events; see the module's theory.

    `healthy` is the caller's word that it is alive and sane: while False, no heartbeat is sent, so that a cabinet
    which listens for heartbeats falls back by itself.
    """

    name: str
    dialect: Dialect[Q, A]
    settings: LinkSettings = field(default_factory=LinkSettings)
    healthy: bool = True
    state: State = State.IDLE
    exchanges: Exchanges = field(default_factory=Exchanges)
    failures: int = 0
    lost: bool = False
    patience: Patience = field(init=False)
    _out: _Out[Q, A] | None = None
    _outgoing: bytearray = field(default_factory=bytearray)
    _deadline: float = inf
    _last_exchange: float = -inf
    _number: int = 0

    def __post_init__(self) -> None:
        self.patience = Patience(self.settings.first)

    @property
    def free(self) -> bool:
        """True when a question may be asked."""
        return self.state is State.IDLE

    @property
    def due(self) -> float:
        """When `tick` next has something to do, on the caller's clock."""
        if self.state is not State.IDLE:
            return self._deadline
        return self._last_exchange + self.settings.heartbeat if self.healthy else inf

    def outgoing(self) -> bytes:
        """The bytes to write to the line; they are handed out once."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def request(self, request: Q, now: float) -> None:
        """Ask; raises `ProtocolError` while another question is out."""
        if not self.free:
            raise ProtocolError(f"{self.name}: a question is still out; wait for its answer")
        self._number = self._number % 0x7FFFFFFF + 1
        wire = self.dialect.encode(request, self._number)
        self._out = _Out(request, self._number, wire, now, now)
        self._move(Input.REQUEST, now)

    def receive(self, data: bytes, now: float) -> list[Event[Q, A]]:
        """Bytes came in; what they mean."""
        events: list[Event[Q, A]] = []
        out = self._out
        if out is not None and data:
            out.octets += len(data)
            trickle = now + max(self.settings.shortest, self.settings.wire_time(16))
            self._deadline = max(self._deadline, min(trickle, out.sent + self.settings.longest))
        for frame in self.dialect.feed(data):
            self._take(frame, now, events)
        return events

    def tick(self, now: float) -> list[Event[Q, A]]:
        """Time has passed; what is due is done."""
        events: list[Event[Q, A]] = []
        if self.state is State.WAITING and now >= self._deadline:
            out = self._the_question()
            left = out.tries < self.settings.tries
            self._move(Input.EXPIRED if left else Input.EXHAUSTED, now, events)
        if self.state is State.QUIET and now >= self._deadline:
            self._move(Input.SILENCE, now)
        if self.state is State.IDLE and self.healthy and now >= self._last_exchange + self.settings.heartbeat:
            beat = self.dialect.heartbeat()
            self._last_exchange = now
            if beat is not None:
                self.request(beat, now)
        return events

    def reset(self, now: float) -> list[Event[Q, A]]:
        """The port was closed and opened again: what was out is failed, half a frame is forgotten, nothing is sent."""
        events: list[Event[Q, A]] = []
        self._outgoing.clear()
        self.dialect.reset()
        if self.state is State.WAITING:
            self._move(Input.EXHAUSTED, now, events)
        return events

    def _the_question(self) -> _Out[Q, A]:
        if self._out is None:
            raise ProtocolError(f"{self.name}: the link waits for an answer but has asked nothing")
        return self._out

    def _take(self, frame: A, now: float, events: list[Event[Q, A]]) -> None:
        out = self._out
        verdict = Verdict.STRAY
        if out is not None and self.state is State.WAITING:
            verdict = self.dialect.judge(out.request, out.number, out.parts, frame)
        if out is None or verdict is Verdict.STRAY:
            answer = self.dialect.respond(frame)
            self._outgoing += answer
            self._move(Input.STRAY, now)
            self.exchanges.late += self.state is State.QUIET
            events.append(Unasked(frame, late=self.state is State.QUIET))
            return
        out.parts += (frame,)
        if verdict is Verdict.PART:
            self._move(Input.PART, now)
        else:
            clean = out.tries == 1 or self.dialect.numbered
            self._move(Input.CLEAN if clean else Input.REPEATED, now, events)

    def _move(self, what: Input, now: float, events: list[Event[Q, A]] | None = None) -> None:
        """Look the step up, do its action, enter the new state."""
        state, action = TABLE[self.state, what]
        match action:
            case Action.SEND | Action.RESEND:
                self._send(now, action is Action.RESEND)
            case Action.FINISH if events is not None:
                self._finish(now, events)
            case Action.FAIL if events is not None:
                self._fail(now, events)
        if state is State.QUIET and self.state is not State.QUIET:
            self._deadline = now + min(self.patience.wait * 2 + self.settings.shortest, self.settings.longest)
        elif state is State.IDLE:
            self._deadline = inf
        self.state = state

    def _send(self, now: float, again: bool) -> None:
        out, settings = self._the_question(), self.settings
        if again:
            out.tries += 1
            out.parts, out.octets = (), 0
            self.exchanges.repeated += 1
        else:
            self.exchanges.asked += 1
        out.sent = now
        self._outgoing += out.wire
        wait = self.patience.wait * 2 ** (out.tries - 1)
        on_wire = settings.wire_time(len(out.wire) + self.dialect.answer_size(out.request))
        self._deadline = now + on_wire + min(max(wait, settings.shortest), settings.longest)

    def _finish(self, now: float, events: list[Event[Q, A]]) -> None:
        out = self._the_question()
        if out.tries == 1:
            self.patience.learn(max(0.0, now - out.sent - self.settings.wire_time(len(out.wire) + out.octets)))
        self._out, self._last_exchange, self.failures = None, now, 0
        self.exchanges.answered += 1
        if self.lost:
            self.lost = False
            events.append(Restored())
        events.append(Answered(out.request, out.parts, now - out.first_sent, out.tries))

    def _fail(self, now: float, events: list[Event[Q, A]]) -> None:
        out = self._the_question()
        self._out, self._last_exchange = None, now
        self.dialect.reset()
        self.failures += 1
        self.exchanges.failed += 1
        spent = now - out.first_sent
        error = LinkLost(f"{self.name} did not answer {out.tries} times in {spent:.1f} s")
        events.append(Failed(out.request, out.parts, error))
        if self.failures == self.settings.lost_after:
            self.lost = True
            self.patience = Patience(self.settings.first)
            events.append(
                Lost(
                    LinkLost(
                        f"{self.name} has not answered {self.failures} questions in a row: check power, cable, "
                        "address, speed and parity"
                    )
                )
            )
