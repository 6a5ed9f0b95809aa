"""HDLC frames on an asynchronous line, as AB 3418 and NTCIP 2101 PMPP use them.

    7E | address, 1 or 2 | control | IPI | body ... | FCS low | FCS high | 7E

Between the flags 7E is sent as 7D 5E and 7D as 7D 5D, the FCS included. One flag may close a frame and open the next.
Sources: AB 3418 (read in full); frames of a live bus-priority system for PMPP.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from ...core.errors import ProtocolError
from .checksum import fcs_x25
from .statistics import LineStatistics

FLAG, ESCAPE = 0x7E, 0x7D
MAX_FRAME = 4096  # unescaped; the specification asks for an information field of at least 515 bytes


class Control(IntEnum):
    """Control field of the three frame kinds in use."""

    BROADCAST = 0x03  # unnumbered information, no answer
    INFORMATION = 0x13  # unnumbered information with poll/final
    POLL = 0x33  # unnumbered poll


class Protocol(IntEnum):
    """Initial protocol identifier: whose message the body is."""

    AB3418 = 0xC0
    SNMP = 0xC1


@dataclass(frozen=True, slots=True)
class Address:
    """Station 1..63 in one byte, 64..8191 in two; `group` addresses a group of stations, which do not answer.

    >>> Address(1).to_bytes().hex(), Address(200).to_bytes().hex(), ALL_STATIONS.to_bytes().hex()
    ('05', '2007', 'ff')
    """

    station: int
    group: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.station < 1 << 13:
            raise ProtocolError(f"station address {self.station} is not between 1 and 8191")

    def to_bytes(self) -> bytes:
        """One or two bytes, as on the wire."""
        low = (self.station & 0x3F) << 2 | self.group << 1
        return bytes([low | 1] if self.station < 64 else [low, self.station >> 6 << 1 | 1])

    @classmethod
    def read(cls, data: bytes) -> tuple[Address, int]:
        """The address at the start of `data`, and how many bytes it took."""
        if data[0] & 1:
            return cls(data[0] >> 2, bool(data[0] & 2)), 1
        if not data[1] & 1 or data[1] == 1:
            raise ProtocolError("the address field is longer than two bytes or longer than it need be")
        return cls(data[1] >> 1 << 6 | data[0] >> 2, bool(data[0] & 2)), 2


ALL_STATIONS = Address(63, group=True)
_CONTROLS = {int(one): one for one in Control}
_PROTOCOLS = {int(one): one for one in Protocol}


@dataclass(frozen=True, slots=True)
class HdlcFrame:
    """One frame without flags, escapes and check sequence."""

    address: Address
    control: Control
    protocol: Protocol
    body: bytes

    def to_bytes(self) -> bytes:
        """The bytes on the wire, flags included."""
        content = self.address.to_bytes() + bytes([self.control, self.protocol]) + self.body
        content += fcs_x25(content).to_bytes(2, "little")
        stuffed = content.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
        return b"\x7e" + stuffed + b"\x7e"

    @classmethod
    def from_bytes(cls, content: bytes) -> HdlcFrame:
        """Read address .. body, check sequence already verified and taken off; raises `ProtocolError`."""
        if len(content) < 3:
            raise ProtocolError("the frame is too short to have an address, a control byte and a protocol byte")
        address, size = _address(content[:2])
        kind = content[size : size + 2]
        if len(kind) < 2 or kind[0] not in _CONTROLS or kind[1] not in _PROTOCOLS:
            raise ProtocolError(f"control {kind.hex()} is of no AB 3418 or SNMP frame")
        return cls(address, _CONTROLS[kind[0]], _PROTOCOLS[kind[1]], content[size + 2 :])


_address = lru_cache(256)(Address.read)


class HdlcFramer:
    """Cuts frames out of a stream of bytes, however the bytes are chunked. Every flag ends what came before it."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self.statistics = LineStatistics()
        self._max_frame = 2 * max_frame
        self._pending = bytearray()
        self._open = False

    def reset(self) -> None:
        """Forget a half-received frame (after reopening the port)."""
        self.statistics.garbage += len(self._pending)
        self._pending.clear()
        self._open = False

    def feed(self, data: bytes) -> list[HdlcFrame]:
        """Take the next bytes of the stream; return all frames they complete."""
        self.statistics.octets += len(data)
        found: list[HdlcFrame] = []
        *closed, rest = data.split(b"\x7e")
        for piece in closed:
            self._take(piece)
            if self._open and self._pending:
                self._close(bytes(self._pending), found)
            self._pending.clear()
            self._open = True
        self._take(rest)
        return found

    def _take(self, piece: bytes) -> None:
        if not self._open:
            self.statistics.garbage += len(piece)
        elif len(self._pending) + len(piece) > self._max_frame:
            self.statistics.malformed += 1
            self.statistics.garbage += len(self._pending) + len(piece)
            self._pending.clear()
            self._open = False
        else:
            self._pending += piece

    def _close(self, stuffed: bytes, found: list[HdlcFrame]) -> None:
        try:
            content = _unstuff(stuffed)
            if len(content) < 5:
                raise ProtocolError("the frame is too short")
            if fcs_x25(content[:-2]) != int.from_bytes(content[-2:], "little"):
                self.statistics.bad_check += 1
                return
            found.append(HdlcFrame.from_bytes(content[:-2]))
            self.statistics.good += 1
        except ProtocolError:
            self.statistics.malformed += 1


def _unstuff(stuffed: bytes) -> bytes:
    if b"\x7d" not in stuffed:
        return stuffed
    first, *others = stuffed.split(b"\x7d")
    plain = bytearray(first)
    for piece in others:
        if not piece or piece[0] not in (0x5E, 0x5D):
            raise ProtocolError("an escape byte is followed by something else than 5E or 5D")
        plain.append(piece[0] ^ 0x20)
        plain += piece[1:]
    return bytes(plain)
