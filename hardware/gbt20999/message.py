"""Messages of GB/T 20999-2017: what stands between the framing of `frames.gbt`.

    version, 2 | host, 1 | controller, 4 | junction, 1 | serial, 1 | type, 1 | count, 1 | values ...
    value: index, 1 | length, 1 | class, 1 | object, 1 | attribute, 1 | element, 1 | bytes ...

The length of a value counts from its class on. A heartbeat comes with and without the count byte; both are read, and
it is written without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ...core.errors import ProtocolError
from ..frames.gbt import unwrap_datagram, wrap
from .codes import FrameType, Status, read

MAX_VALUE = 251
_HEARTBEATS = (FrameType.HEARTBEAT, FrameType.HEARTBEAT_REPLY)
_ERRORS = (FrameType.QUERY_ERROR, FrameType.SET_ERROR)
_KINDS = {int(kind): kind for kind in FrameType}


class ObjectId(NamedTuple):
    """Class, object, attribute and element (row); attribute 0 or element 0 means all of them.

    >>> str(ObjectId(17, 1, 2, 1))
    '17.1.2.1'
    """

    klass: int
    object: int
    attribute: int = 0
    element: int = 0

    def __str__(self) -> str:
        return ".".join(map(str, self))

    def covers(self, other: ObjectId) -> bool:
        """True if a question for this id is answered by a value with the id `other`."""
        return self[:2] == other[:2] and all(mine in (0, its) for mine, its in zip(self[2:], other[2:], strict=True))


@dataclass(frozen=True, slots=True)
class DataValue:
    """One value, or the question for one when `value` is empty. `index` numbers the values of a frame from 1."""

    id: ObjectId
    value: bytes = b""
    index: int = 1

    def to_bytes(self) -> bytes:
        """Index .. value as in the frame."""
        if len(self.value) > MAX_VALUE:
            raise ProtocolError(f"value of {self.id} has {len(self.value)} bytes, a frame takes {MAX_VALUE}")
        return bytes([self.index, 4 + len(self.value), *self.id]) + self.value

    @property
    def status(self) -> Status | int:
        """Of a value in an error reply: why it was refused."""
        return read(Status, self.value[0]) if self.value else Status.GENERAL_ERROR


@dataclass(frozen=True, slots=True)
class Message:
    """One frame. `serial` numbers requests; a reply need not echo it (a captured controller did not)."""

    type: FrameType
    controller: int
    junction: int
    serial: int
    values: tuple[DataValue, ...] = ()
    host: int = 1
    version: int = field(default=0x0100)

    @classmethod
    def of(
        cls, kind: FrameType, controller: int, junction: int, serial: int, values: Iterable[DataValue], host: int = 1
    ) -> Message:
        """A message whose values are numbered from 1 in the order given."""
        numbered = tuple(DataValue(value.id, value.value, index) for index, value in enumerate(values, 1))
        return cls(kind, controller, junction, serial, numbered, host)

    @property
    def is_error(self) -> bool:
        """True for a reply that says which values were refused."""
        return self.type in _ERRORS

    def to_bytes(self) -> bytes:
        """Version .. last value: the content of a frame."""
        head = self.version.to_bytes(2, "big") + bytes([self.host]) + self.controller.to_bytes(4, "big")
        head += bytes([self.junction, self.serial, self.type])
        return head if self.type in _HEARTBEATS else head + write_values(self.values)

    def to_wire(self) -> bytes:
        """The frame for a serial line or TCP."""
        return wrap(self.to_bytes())

    def to_datagram(self) -> bytes:
        """The frame for UDP, where nothing is escaped."""
        return wrap(self.to_bytes(), escaped=False)

    @classmethod
    def from_datagram(cls, datagram: bytes) -> Message:
        """Read a UDP datagram; raises `ProtocolError`."""
        return cls.from_bytes(unwrap_datagram(datagram))

    @classmethod
    def from_bytes(cls, content: bytes) -> Message:
        """Read the content of a frame, every length checked; raises `ProtocolError`."""
        if len(content) < 10:
            raise ProtocolError(f"a GB/T 20999 message has at least 10 bytes, this one {len(content)}")
        kind = _KINDS.get(content[9])
        if kind is None:
            raise ProtocolError(f"frame type {content[9]:02X} is unknown")
        if kind not in _HEARTBEATS:
            values = _read_values(content[10:])
        elif content[10:] in (b"", b"\0"):
            values = ()
        else:
            raise ProtocolError("a heartbeat carries values")
        return cls(
            type=kind,
            controller=int.from_bytes(content[3:7], "big"),
            junction=content[7],
            serial=content[8],
            values=values,
            host=content[2],
            version=int.from_bytes(content[:2], "big"),
        )


def write_values(values: tuple[DataValue, ...]) -> bytes:
    """Count and values as in the frame."""
    if len(values) > 255:
        raise ProtocolError(f"a frame takes 255 values, not {len(values)}")
    return bytes([len(values)]) + b"".join(value.to_bytes() for value in values)


@lru_cache(4096)
def _read_values(data: bytes) -> tuple[DataValue, ...]:
    """Count and values; a cabinet that goes on as it was says the same bytes again and again, so they are kept."""
    if not data:
        raise ProtocolError("the count of values is missing")
    values, at = [], 1
    for _ in range(data[0]):
        if len(data) < at + 6 or data[at + 1] < 4 or len(data) < at + 2 + data[at + 1]:
            raise ProtocolError("the values of the frame run over its end")
        end = at + 2 + data[at + 1]
        values.append(DataValue(ObjectId(*data[at + 2 : at + 6]), data[at + 6 : end], data[at]))
        at = end
    if at != len(data):
        raise ProtocolError(f"{len(data) - at} bytes follow the last value of the frame")
    return tuple(values)
