"""GB/T 20999-2017 as the link speaks it: what answers what."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ...core.errors import ProtocolError
from ..exchange import Verdict
from ..frames.gbt import GbtFramer, unwrap_datagram, wrap
from ..frames.statistics import LineStatistics
from .codes import FrameType
from .message import DataValue, Message, ObjectId, write_values
from .objects import at

_TRUST = 3  # answers that bore their question's number, after which one that does not is late


@dataclass(frozen=True)
class Request:
    """A query or set of some values; a heartbeat has none. Its bytes are worked out once."""

    type: FrameType
    values: tuple[DataValue, ...] = ()

    @cached_property
    def tail(self) -> bytes:
        """Type, count and values, numbered from 1, as in the frame."""
        if self.type is FrameType.HEARTBEAT:
            return bytes([self.type])
        numbered = (DataValue(value.id, value.value, index) for index, value in enumerate(self.values, 1))
        return bytes([self.type]) + write_values(tuple(numbered))

    @cached_property
    def answer_size(self) -> int:
        """Bytes of the answer, about: frame, and each value with its head; a text is taken for 16 bytes."""
        things = (at(value.id) for value in self.values)
        return 17 + sum(6 + ((thing.codec.size if thing is not None else None) or 16) for thing in things)

    @cached_property
    def asked(self) -> frozenset[ObjectId]:
        """What the values are of."""
        return frozenset(value.id for value in self.values)


def query(*values: DataValue) -> Request:
    """Ask for values: `query(named("run_mode").ask(1), ...)`."""
    return Request(FrameType.QUERY, values)


def put(*values: DataValue) -> Request:
    """Set values: `put(named("commanded_stage").put(3, 1))`."""
    return Request(FrameType.SET, values)


@dataclass(slots=True)
class GbtDialect:
    """One junction of one controller.

    One question can be answered by two frames, a reply with the good values and an error reply with the others: it is
    answered when every value asked for is in one of them. A controller need not echo the number of the question (a
    captured one did not), so it is required only of one that has echoed it `_TRUST` times running.
    """

    controller: int
    junction: int
    host: int = 1
    version: int = 0x0100
    datagrams: bool = False
    numbered: bool = False
    statistics: LineStatistics = field(init=False)
    _framer: GbtFramer = field(default_factory=GbtFramer)
    _echoes: int = 0
    _head: bytes = field(init=False)
    _covered: tuple[Request, tuple[DataValue, ...]] | None = None

    def __post_init__(self) -> None:
        self.statistics = self._framer.statistics
        place = self.controller.to_bytes(4, "big") + bytes([self.junction])
        self._head = self.version.to_bytes(2, "big") + bytes([self.host]) + place

    def encode(self, request: Request, number: int) -> bytes:
        """The bytes on the wire."""
        return wrap(self._head + bytes([number & 0xFF]) + request.tail, escaped=not self.datagrams)

    def feed(self, data: bytes) -> list[Message]:
        """Messages completed by `data`; broken ones are counted, not raised."""
        contents = self._datagram(data) if self.datagrams else self._framer.feed(data)
        messages = []
        for content in contents:
            try:
                messages.append(Message.from_bytes(content))
            except ProtocolError:
                self.statistics.good -= 1
                self.statistics.malformed += 1
        return messages

    def _datagram(self, data: bytes) -> list[bytes]:
        if not data:
            return []
        self.statistics.octets += len(data)
        try:
            content = unwrap_datagram(data)
        except ProtocolError:
            self.statistics.malformed += 1
            return []
        self.statistics.good += 1
        return [content]

    def judge(self, request: Request, number: int, parts: tuple[Message, ...], frame: Message) -> Verdict:
        """A reply or error reply of our type, from our controller, to nothing but what was asked."""
        if frame.controller != self.controller or frame.type not in (request.type + 0x10, request.type + 0x11):
            return Verdict.STRAY
        known = self._covered
        again = known is not None and known[0] is request and known[1] is frame.values and not parts
        if not again and not self._concerns(request, frame):
            return Verdict.STRAY
        echoed = frame.serial == number & 0xFF
        if not echoed and self._echoes >= _TRUST:
            return Verdict.STRAY
        self._echoes = self._echoes + 1 if echoed else 0
        if again or (frame.type == FrameType.SET_REPLY and not frame.values):
            return Verdict.ANSWER
        there = {value.id for part in (*parts, frame) for value in part.values}
        if not all(one in there or any(one.covers(said) for said in there) for one in request.asked):
            return Verdict.PART
        self._covered = None if parts else (request, frame.values)
        return Verdict.ANSWER

    def _concerns(self, request: Request, frame: Message) -> bool:
        """Nothing is in the frame that was not asked for."""
        asked = request.asked
        wide = [one for one in asked if 0 in one[2:]]
        return all(value.id in asked or any(one.covers(value.id) for one in wide) for value in frame.values)

    def content(self, frame: Message) -> object:
        """The values, kept as long as the same bytes come; an error says something else with the same ones."""
        return None if frame.is_error else frame.values

    def respond(self, frame: Message) -> bytes:
        """A heartbeat question of our controller is answered."""
        if frame.type is not FrameType.HEARTBEAT or frame.controller != self.controller:
            return b""
        reply = Message(
            FrameType.HEARTBEAT_REPLY, self.controller, frame.junction, frame.serial, (), self.host, self.version
        )
        return wrap(reply.to_bytes(), escaped=not self.datagrams)

    def heartbeat(self) -> Request:
        """Frame type 70."""
        return Request(FrameType.HEARTBEAT)

    def answer_size(self, request: Request) -> int:
        """As much as its objects hold."""
        return request.answer_size

    def reset(self) -> None:
        """Forget half a frame, and what was learned about numbering."""
        self._framer.reset()
        self._echoes = 0
