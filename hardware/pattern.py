"""What a cabinet is asked to run, as one type; numbers only at the border of each protocol.

The two American families use the same byte for opposite things, so an integer shared between them would put an
intersection into flash:

| | standby | plans | free | flash |
|---|---|---|---|---|
| AB 3418 | 0 | 1..250 | 255 | 254 |
| NTCIP 1202 | 0 | 1..253 | 254 | 255 |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ..core.errors import ProtocolError


class PatternKind(Enum):
    """Standby follows the cabinet's own time of day; a plan is numbered; free is uncoordinated actuated control."""

    STANDBY = auto()
    PLAN = auto()
    FREE = auto()
    FLASH = auto()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern to run: `Pattern.plan(19)`, `STANDBY`, `FREE`, `FLASH`.

    >>> FREE.to_ab3418(), FREE.to_ntcip()
    (255, 254)
    """

    kind: PatternKind
    number: int = 0

    @classmethod
    def plan(cls, number: int) -> Pattern:
        """Plan `number`, from 1; how far the numbers go is the protocol's business."""
        if number < 1:
            raise ProtocolError(f"plan numbers start at 1, not {number}; to leave a plan ask for STANDBY")
        return cls(PatternKind.PLAN, number)

    def to_ab3418(self) -> int:
        """The byte of AB 3418 messages."""
        return self._number(_AB3418, 250, "AB 3418")

    def to_ntcip(self) -> int:
        """The value of systemPatternControl and coordPatternStatus."""
        return self._number(_NTCIP, 253, "NTCIP 1202")

    def _number(self, table: dict[PatternKind, int], last: int, protocol: str) -> int:
        if self.kind is not PatternKind.PLAN:
            return table[self.kind]
        if self.number > last:
            raise ProtocolError(f"{protocol} has plans 1 to {last}, not {self.number}")
        return self.number

    @classmethod
    def from_ab3418(cls, number: int) -> Pattern:
        """Read the byte of AB 3418 messages; raises `ProtocolError` for the reserved 251 to 253."""
        return cls._read(number, _AB3418, 250, "AB 3418")

    @classmethod
    def from_ntcip(cls, number: int) -> Pattern:
        """Read coordPatternStatus or systemPatternControl."""
        return cls._read(number, _NTCIP, 253, "NTCIP 1202")

    @classmethod
    def _read(cls, number: int, table: dict[PatternKind, int], last: int, protocol: str) -> Pattern:
        for kind, value in table.items():
            if value == number:
                return cls(kind)
        if not 1 <= number <= last:
            raise ProtocolError(f"{protocol} has no pattern {number}")
        return cls(PatternKind.PLAN, number)


_AB3418 = {PatternKind.STANDBY: 0, PatternKind.FLASH: 254, PatternKind.FREE: 255}
_NTCIP = {PatternKind.STANDBY: 0, PatternKind.FREE: 254, PatternKind.FLASH: 255}

STANDBY = Pattern(PatternKind.STANDBY)
FREE = Pattern(PatternKind.FREE)
FLASH = Pattern(PatternKind.FLASH)
