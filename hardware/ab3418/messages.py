"""AB 3418 (1995) messages: the body of a frame whose protocol byte is C0.

| message | request | reply | refusal |
|---|---|---|---|
| get controller id | 81 | C1 | E1 |
| set time | 92, A2 without answer | D2 | F2 |
| set pattern | 93, A3 without answer | D3 | F3 |
| get short status | 84 | C4 | E4 |
| get system detector data | 85 | C5 | E5 |

The reply to a request is the request + 0x40, a refusal the request + 0x60.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol, Self, runtime_checkable

from ...core.errors import ProtocolError
from ..frames.bitmap import from_bits, to_bits
from ..pattern import Pattern
from .status import Occupancy, Reason, StatusFlags


@runtime_checkable
class Message(Protocol):
    """Any message: its first byte, and both ways to bytes."""

    code: ClassVar[int]

    def to_bytes(self) -> bytes: ...

    @classmethod
    def from_bytes(cls, body: bytes) -> Self: ...


def take(body: bytes, code: int, size: int | None = 1) -> bytes:
    """The bytes after the first one, which must be `code`; `size` is that of the whole body."""
    if not body or body[0] != code:
        raise ProtocolError(f"message {body[:1].hex()} is not {code:02x}")
    if size is not None and len(body) != size:
        raise ProtocolError(f"message {code:02x} has {len(body)} bytes, not {size}")
    return body[1:]


@dataclass(frozen=True, slots=True)
class Bare:
    """A message that is its first byte and nothing more."""

    code: ClassVar[int]

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        return bytes([self.code])

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read the body of a frame; raises `ProtocolError`."""
        take(body, cls.code)
        return cls()


class GetControllerId(Bare):
    """Ask who is there."""

    __slots__ = ()
    code = 0x81


class GetShortStatus(Bare):
    """Ask for greens, status and pattern."""

    __slots__ = ()
    code = 0x84


class GetDetectorData(Bare):
    """Ask for the last sample of the system detectors (optional in the specification)."""

    __slots__ = ()
    code = 0x85


class TimeSet(Bare):
    """The clock was set."""

    __slots__ = ()
    code = 0xD2


class PatternSet(Bare):
    """The pattern was accepted; whether it runs is told by the status only."""

    __slots__ = ()
    code = 0xD3


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request was refused: `request` is its first byte, `field` counts the bytes after that from 1."""

    request: int
    reason: Reason
    field: int = 0

    @property
    def code(self) -> int:
        """First byte of this refusal."""
        return self.request + 0x60

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        return bytes([self.code, self.reason, self.field])

    @classmethod
    def from_bytes(cls, body: bytes) -> Refusal:
        """Read the body of a frame; raises `ProtocolError`."""
        if len(body) != 3 or body[0] < 0xE0:
            raise ProtocolError(f"{body.hex(' ')} is no refusal")
        try:
            return cls(body[0] - 0x60, Reason(body[1]), body[2])
        except ValueError:
            raise ProtocolError(f"reason {body[1]} of a refusal is unknown") from None


@dataclass(frozen=True, slots=True)
class ControllerId:
    """Who is there: maker and model as the controller writes them, and the protocol it says it speaks."""

    maker: str
    model: str
    protocol: str = "AB3418 V1"
    code: ClassVar[int] = 0xC1

    def to_bytes(self) -> bytes:
        """The body of the frame: the length of all that follows, then three texts each with its length before it."""
        texts = b"".join(
            bytes([len(text)]) + text.encode("latin-1") for text in (self.maker, self.model, self.protocol)
        )
        return bytes([self.code, len(texts)]) + texts

    @classmethod
    def from_bytes(cls, body: bytes) -> ControllerId:
        """Read the body of a frame; the three texts decide, not the length before them. Raises `ProtocolError`."""
        rest = take(body, cls.code, None)
        texts, at = [], 1
        while at < len(rest):
            end = at + 1 + rest[at]
            texts.append(rest[at + 1 : end].decode("latin-1"))
            at = end
        if at != len(rest) or len(texts) != 3:
            raise ProtocolError("the identity does not consist of three texts: maker, model and protocol")
        return cls(*texts)


@dataclass(frozen=True, slots=True)
class SetTime:
    """Set the clock, to a tenth of a second."""

    time: datetime
    code: ClassVar[int] = 0x92

    def to_bytes(self) -> bytes:
        """Weekday from Sunday = 1, month, day, year of the century, hour, minute, second, tenth."""
        t = self.time
        weekday = t.isoweekday() % 7 + 1
        tenth = t.microsecond // 100_000
        return bytes([self.code, weekday, t.month, t.day, t.year % 100, t.hour, t.minute, t.second, tenth])

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read the body of a frame; years 00..94 are of this century (the specification); raises `ProtocolError`."""
        weekday, month, day, year, hour, minute, second, tenth = take(body, cls.code, 9)
        try:
            century = 2000 if year < 95 else 1900
            time = datetime(century + year, month, day, hour, minute, second, tenth * 100_000)
        except ValueError:
            raise ProtocolError(f"{body[1:].hex(' ')} is no date and time") from None
        if not 1 <= weekday <= 7 or year > 99:
            raise ProtocolError(f"weekday {weekday} or year {year} is out of range")
        return cls(time)


@dataclass(frozen=True, slots=True)
class SetPattern:
    """Ask for a pattern. There is no dead-man: it stays until another one is asked for."""

    pattern: Pattern
    code: ClassVar[int] = 0x93

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        return bytes([self.code, self.pattern.to_ab3418()])

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read the body of a frame; raises `ProtocolError`."""
        return cls(Pattern.from_ab3418(take(body, cls.code, 2)[0]))


class BroadcastTime(SetTime):
    """Set the clock of all stations; nobody answers."""

    __slots__ = ()
    code = 0xA2


class BroadcastPattern(SetPattern):
    """Ask all stations for a pattern; nobody answers. Read, but never sent by this program."""

    __slots__ = ()
    code = 0xA3


@dataclass(frozen=True, slots=True)
class ShortStatus:
    """Which phases are green, the status flags and the pattern in force."""

    greens: frozenset[int]
    status: StatusFlags
    pattern: Pattern
    code: ClassVar[int] = 0xC4

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        return bytes([self.code, *to_bits(self.greens, 1), self.status, self.pattern.to_ab3418()])

    @classmethod
    def from_bytes(cls, body: bytes) -> ShortStatus:
        """Read the body of a frame; raises `ProtocolError`."""
        greens, status, pattern = take(body, cls.code, 4)
        return cls(from_bits(bytes([greens])), StatusFlags(status), Pattern.from_ab3418(pattern))


@dataclass(frozen=True, slots=True)
class DetectorData:
    """Volume and occupancy of the system detectors over the last `period` [s]; `sequence` counts the samples."""

    sequence: int
    period: int
    detectors: tuple[Occupancy, ...]
    code: ClassVar[int] = 0xC5

    def to_bytes(self) -> bytes:
        """The body of the frame: the number of bytes that follow, then sample, period, number of detectors, pairs."""
        pairs = b"".join(detector.to_bytes() for detector in self.detectors)
        tail = bytes([self.sequence, self.period, len(self.detectors)]) + pairs
        return bytes([self.code, len(tail)]) + tail

    @classmethod
    def from_bytes(cls, body: bytes) -> DetectorData:
        """Read the body of a frame; raises `ProtocolError`."""
        rest = take(body, cls.code, None)
        if len(rest) < 4 or len(rest) != 4 + 2 * rest[3]:
            raise ProtocolError("the detector data are shorter or longer than the number of detectors says")
        pairs = tuple(Occupancy.from_bytes(rest[at : at + 2]) for at in range(4, len(rest), 2))
        return cls(rest[1], rest[2], pairs)
