"""AB 3418E (2003) messages: status with intervals, calls, presence and counts, and reading of timing cells.

| message | request | reply | refusal |
|---|---|---|---|
| get status 8 | 86 | C6 | E6 |
| get controller timing data | 89 | C9 | E9 |
| get long status 8 | 8C | CC | EC |

Not here: set controller timing data (99), which writes raw memory of one firmware and is never used; set login access
(97), set master polling (98), get status 16 (8A) and set master traffic responsive (9D), whose layouts are not known
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ...core.errors import ProtocolError
from ..frames.bitmap import from_bits, to_bits
from ..pattern import Pattern
from .messages import Bare, take
from .status import Interval, Occupancy, StatusFlags

_OVERLAPS = "ABCD"


class GetStatus8(Bare):
    """Ask for the status of eight phases."""

    __slots__ = ()
    code = 0x86


class GetLongStatus8(Bare):
    """Ask for the status of eight phases and the last sample of eight system detectors."""

    __slots__ = ()
    code = 0x8C


@dataclass(frozen=True, slots=True)
class Status8:
    """Status of an eight-phase controller. `intervals` is that of ring 1 and ring 2; clocks count up in seconds.

    `calls` and `pedestrian_calls` are phases; `active` phases are timing; `presence` are detectors 1..28.
    `green_overlaps` and `yellow_overlaps` are numbered from 1 for A. `preempts` keeps its byte: bits 0-3 emergency
    vehicle A-D, bits 4-5 railroad 1-2, bit 6 pattern transition.
    """

    status: StatusFlags
    pattern: Pattern
    intervals: tuple[Interval, Interval]
    active: frozenset[int] = frozenset()
    calls: frozenset[int] = frozenset()
    pedestrian_calls: frozenset[int] = frozenset()
    presence: frozenset[int] = frozenset()
    green_overlaps: frozenset[int] = frozenset()
    yellow_overlaps: frozenset[int] = frozenset()
    preempts: int = 0
    master_clock: int = 0
    local_clock: int = 0
    flags: int = 0
    code: ClassVar[int] = 0xC6
    SIZE: ClassVar[int] = 16

    @property
    def in_transition(self) -> bool:
        """True while the controller is changing from one pattern to another."""
        return bool(self.preempts & 0x40)

    @property
    def preempted(self) -> bool:
        """True while an emergency vehicle or a railway has the intersection."""
        return bool(self.preempts & 0x3F) or bool(self.status & StatusFlags.PREEMPT)

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        overlaps = to_bits(self.green_overlaps, 1)[0] | to_bits(self.yellow_overlaps, 1)[0] << 4
        head = [self.code, self.flags, self.status, self.pattern.to_ab3418(), overlaps, self.preempts]
        sets = to_bits(self.calls, 1) + to_bits(self.pedestrian_calls, 1) + to_bits(self.active, 1)
        interval = self.intervals[0] | self.intervals[1] << 4
        presence = to_bits(self.presence, 4)[::-1]
        return bytes(head) + sets + bytes([interval]) + presence + bytes([self.master_clock, self.local_clock])

    @classmethod
    def from_bytes(cls, body: bytes) -> Status8:
        """Read the body of a frame; raises `ProtocolError`."""
        return cls._read(take(body, cls.code, cls.SIZE))

    @classmethod
    def _read(cls, rest: bytes) -> Status8:
        flags, status, pattern, overlaps, preempts, calls, pedestrians, active, interval = rest[:9]
        return Status8(
            status=StatusFlags(status),
            pattern=Pattern.from_ab3418(pattern),
            intervals=(Interval(interval & 15), Interval(interval >> 4)),
            active=from_bits(bytes([active])),
            calls=from_bits(bytes([calls])),
            pedestrian_calls=from_bits(bytes([pedestrians])),
            presence=from_bits(rest[9:13][::-1]),
            green_overlaps=from_bits(bytes([overlaps & 15])),
            yellow_overlaps=from_bits(bytes([overlaps >> 4])),
            preempts=preempts,
            master_clock=rest[13],
            local_clock=rest[14],
            flags=flags,
        )


@dataclass(frozen=True, slots=True)
class LongStatus8:
    """`Status8` with the last sample of the eight system detectors; `sequence` counts the samples."""

    status8: Status8
    sequence: int
    detectors: tuple[Occupancy, ...]
    code: ClassVar[int] = 0xCC
    SIZE: ClassVar[int] = 33

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        if len(self.detectors) != 8:
            raise ProtocolError(f"a long status carries 8 system detectors, not {len(self.detectors)}")
        pairs = b"".join(detector.to_bytes() for detector in self.detectors)
        return bytes([self.code]) + self.status8.to_bytes()[1:] + bytes([self.sequence]) + pairs

    @classmethod
    def from_bytes(cls, body: bytes) -> LongStatus8:
        """Read the body of a frame; raises `ProtocolError`."""
        rest = take(body, cls.code, cls.SIZE)
        pairs = tuple(Occupancy.from_bytes(rest[at : at + 2]) for at in range(16, 32, 2))
        return cls(Status8._read(rest), rest[15], pairs)


@dataclass(frozen=True, slots=True)
class GetTimingData:
    """Ask for `count` (1..32) cells of the timing memory from `offset` on."""

    offset: int
    count: int
    code: ClassVar[int] = 0x89

    def __post_init__(self) -> None:
        if not 0 <= self.offset <= 0xFFFF or not 1 <= self.count <= 32:
            raise ProtocolError(
                f"timing cells {self.offset:#x} + {self.count}: 1 to 32 cells within 16 bits can be read"
            )

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        return bytes([self.code]) + self.offset.to_bytes(2, "big") + bytes([self.count])

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read the body of a frame; raises `ProtocolError`."""
        rest = take(body, cls.code, 4)
        return cls(int.from_bytes(rest[:2], "big"), rest[2])


@dataclass(frozen=True, slots=True)
class TimingData:
    """Cells of the timing memory from `offset` on; what they mean depends on the firmware."""

    offset: int
    cells: bytes
    code: ClassVar[int] = 0xC9

    def to_bytes(self) -> bytes:
        """The body of the frame."""
        return bytes([self.code]) + self.offset.to_bytes(2, "big") + bytes([len(self.cells)]) + self.cells

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read the body of a frame; raises `ProtocolError`."""
        rest = take(body, cls.code, None)
        if len(rest) < 3 or len(rest) != 3 + rest[2] or not 1 <= rest[2] <= 32:
            raise ProtocolError("the timing cells are fewer or more than their count says")
        return cls(int.from_bytes(rest[:2], "big"), rest[3:])
