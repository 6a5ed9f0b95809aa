"""The coded bytes of AB 3418: status flags, intervals, detector occupancy, reasons of refusal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from ...core.errors import ProtocolError


class StatusFlags(IntFlag):
    """The status byte. `COORDINATION` means: not in the ordered pattern within three cycles."""

    PREEMPT = 0x01
    CABINET_FLASH = 0x02
    LOCAL_ZERO = 0x04
    LOCAL_OVERRIDE = 0x08
    COORDINATION = 0x10
    DETECTOR = 0x20
    NON_CRITICAL = 0x40
    CRITICAL = 0x80


class Interval(IntEnum):
    """What a ring is doing, four bits."""

    WALK = 0
    DONT_WALK = 1
    MIN_GREEN = 2
    UNUSED = 3
    ADDED_INITIAL = 4
    PASSAGE = 5
    MAX_GAP = 6
    MIN_GAP = 7
    RED_REST = 8
    PREEMPTION = 9
    STOP_TIME = 10
    RED_REVERT = 11
    MAX_TERMINATION = 12
    GAP_TERMINATION = 13
    FORCE_OFF = 14
    RED_CLEARANCE = 15


class DetectorFault(IntEnum):
    """Faults coded in place of an occupancy; NTCIP 1202 uses the same numbers."""

    STUCK_ON = 210
    STUCK_OFF = 211
    OPEN_LOOP = 212
    SHORTED_LOOP = 213
    EXCESSIVE_INDUCTANCE = 214
    OVERCOUNT = 215


class Reason(IntEnum):
    """Why a message was refused."""

    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GENERAL = 5


@dataclass(frozen=True, slots=True)
class Occupancy:
    """One volume and occupancy pair. `occupancy` is a share of 1, None when the detector has a `fault`.

    >>> Occupancy.from_bytes(bytes([12, 55])).occupancy
    0.275
    """

    volume: int
    occupancy: float | None
    fault: DetectorFault | None = None

    def to_bytes(self) -> bytes:
        """Volume and occupancy byte (0.5 % each)."""
        if self.occupancy is None:
            if self.fault is None:
                raise ProtocolError("a detector without occupancy must have a fault")
            return bytes([self.volume, self.fault])
        if not 0 <= self.occupancy <= 1 or not 0 <= self.volume <= 255:
            raise ProtocolError(f"volume {self.volume} and occupancy {self.occupancy} do not fit a byte each")
        return bytes([self.volume, round(self.occupancy * 200)])

    @classmethod
    def from_bytes(cls, pair: bytes) -> Occupancy:
        """Read one pair; raises `ProtocolError` for the reserved numbers."""
        volume, code = pair
        if code <= 200:
            return cls(volume, code / 200)
        try:
            return cls(volume, None, DetectorFault(code))
        except ValueError:
            raise ProtocolError(f"occupancy {code} is reserved") from None
