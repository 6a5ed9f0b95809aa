"""AB 3418 as the link speaks it: what answers what."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.errors import ProtocolError
from ..exchange import Verdict
from ..frames.hdlc import Address, Control, HdlcFrame, HdlcFramer, Protocol
from ..frames.statistics import LineStatistics
from .messages import GetShortStatus, Message, Refusal
from .reading import from_bytes, reply_code


@dataclass(slots=True)
class Ab3418Dialect:
    """One station on the line. `poll_gets`: deployed masters send gets with control 33, others with 13."""

    station: int
    poll_gets: bool = True
    numbered: bool = False
    statistics: LineStatistics = field(init=False)
    _framer: HdlcFramer = field(default_factory=HdlcFramer)
    _address: Address = field(init=False)

    def __post_init__(self) -> None:
        self.statistics = self._framer.statistics
        self._address = Address(self.station)

    def encode(self, request: Message, number: int) -> bytes:
        """The bytes on the wire; raises `ProtocolError` for a message nobody answers (a broadcast is not sent)."""
        if reply_code(request.code) is None:
            raise ProtocolError(f"message {request.code:02x} has no answer and is not sent")
        get = request.code & 0xF0 == 0x80
        control = Control.POLL if get and self.poll_gets else Control.INFORMATION
        return HdlcFrame(self._address, control, Protocol.AB3418, request.to_bytes()).to_bytes()

    def feed(self, data: bytes) -> list[Message | Refusal]:
        """Messages of our station completed by `data`; broken ones are counted, not raised."""
        messages = []
        for frame in self._framer.feed(data):
            if frame.address != self._address or frame.protocol is not Protocol.AB3418:
                continue
            try:
                messages.append(from_bytes(frame.body))
            except ProtocolError:
                self.statistics.good -= 1
                self.statistics.malformed += 1
        return messages

    def judge(
        self, request: Message, number: int, parts: tuple[Message | Refusal, ...], frame: Message | Refusal
    ) -> Verdict:
        """The reply that belongs to the request, or its refusal."""
        if isinstance(frame, Refusal):
            return Verdict.ANSWER if frame.request == request.code else Verdict.STRAY
        return Verdict.ANSWER if frame.code == reply_code(request.code) else Verdict.STRAY

    def content(self, frame: Message | Refusal) -> object:
        """The message itself: the same bytes are the same message."""
        return frame

    def respond(self, frame: Message | Refusal) -> bytes:
        """Nothing: a secondary never asks."""
        return b""

    def heartbeat(self) -> Message:
        """A short status."""
        return GetShortStatus()

    def answer_size(self, request: Message) -> int:
        """A long status has 40 bytes, timing cells up to 41, the others fewer."""
        return 44 if request.code in (0x81, 0x85, 0x89, 0x8C) else 24

    def reset(self) -> None:
        """Forget half a frame."""
        self._framer.reset()
