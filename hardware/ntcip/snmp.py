"""SNMPv1 messages (RFC 1157): get, get-next, set and response, several variables in one.

A set of several variables is done whole or not at all, so a hold and its force-off, or a plan and its start, go
together. Traps are not read: a cabinet is polled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from ...core.errors import ProtocolError
from . import ber
from .ber import Oid, Tag

Value = int | bytes | Oid | None


class PduType(IntEnum):
    """What a message asks or answers."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3


class SnmpError(IntEnum):
    """Error status of a response."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GENERAL = 5


@dataclass(frozen=True, slots=True)
class VarBind:
    """One variable: its name, and its value or None in a question. `tag` tells counters and gauges from integers."""

    oid: Oid
    value: Value = None
    tag: Tag | None = None

    def to_bytes(self) -> bytes:
        """The sequence of name and value."""
        tag, content = self._content()
        return ber.wrap(Tag.SEQUENCE, ber.wrap(Tag.OID, ber.write_oid(self.oid)) + ber.wrap(tag, content))

    def _content(self) -> tuple[Tag, bytes]:
        match self.value:
            case None:
                return Tag.NULL, b""
            case int():
                return self.tag or Tag.INTEGER, ber.write_integer(self.value)
            case bytes():
                return self.tag or Tag.OCTETS, self.value
            case _:
                return Tag.OID, ber.write_oid(self.value)

    @classmethod
    def from_bytes(cls, content: bytes) -> VarBind:
        """Read the content of one variable's sequence; raises `ProtocolError`."""
        parts = ber.split(content)
        if len(parts) != 2 or parts[0][0] != Tag.OID:
            raise ProtocolError("a variable is not a name and a value")
        tag, inner = parts[1]
        return cls(ber.read_oid(parts[0][1]), *_read_value(tag, inner))


def _read_value(tag: int, content: bytes) -> tuple[Value, Tag | None]:
    match tag:
        case Tag.INTEGER:
            value = ber.read_integer(content)
            if not -(1 << 31) <= value < 1 << 31:
                raise ProtocolError("an integer needs more than 32 bits")
            return value, None
        case Tag.COUNTER | Tag.GAUGE | Tag.TIME_TICKS:
            value = ber.read_integer(content)
            if not 0 <= value < 1 << 32:
                raise ProtocolError("a counter or gauge is negative or needs more than 32 bits")
            return value, Tag(tag)
        case Tag.OCTETS:
            return content, None
        case Tag.OPAQUE:
            return content, Tag.OPAQUE
        case Tag.IP_ADDRESS if len(content) == 4:
            return content, Tag.IP_ADDRESS
        case Tag.NULL if not content:
            return None, None
        case Tag.OID:
            return ber.read_oid(content), None
    raise ProtocolError(f"a value with tag {tag:02X} and {len(content)} bytes is no SNMPv1 value")


@dataclass(frozen=True, slots=True)
class Pdu:
    """The question or answer itself. `error_index` counts the variables from 1."""

    type: PduType
    request: int
    variables: tuple[VarBind, ...]
    error: SnmpError = SnmpError.NO_ERROR
    error_index: int = 0

    def to_bytes(self) -> bytes:
        """Tag, length, content."""
        numbers = (self.request, self.error, self.error_index)
        head = b"".join(ber.wrap(Tag.INTEGER, ber.write_integer(number)) for number in numbers)
        return ber.wrap(self.type, head + write_variables(self.variables))

    @classmethod
    def from_bytes(cls, tag: int, content: bytes) -> Pdu:
        """Read tag and content; raises `ProtocolError`."""
        parts = ber.split(content)
        if [part[0] for part in parts] != [Tag.INTEGER, Tag.INTEGER, Tag.INTEGER, Tag.SEQUENCE]:
            raise ProtocolError("the message is not a request number, an error, its index and variables")
        request, error, index = (ber.read_integer(part[1]) for part in parts[:3])
        variables = _read_variables(parts[3][1])
        if not -(1 << 31) <= request < 1 << 31 or not 0 <= index <= max(len(variables), 1):
            raise ProtocolError("request number or error index is out of range")
        try:
            return cls(PduType(tag), request, variables, SnmpError(error), index)
        except ValueError:
            raise ProtocolError(f"message type {tag:02X} or error {error} is no SNMPv1 get, set or response") from None


def write_variables(variables: tuple[VarBind, ...]) -> bytes:
    """The sequence of variables."""
    return ber.wrap(Tag.SEQUENCE, b"".join(variable.to_bytes() for variable in variables))


@lru_cache(4096)
def _read_variables(content: bytes) -> tuple[VarBind, ...]:
    """A controller that goes on as it was says the same bytes again and again, so what they mean is kept."""
    variables = []
    for tag, inner in ber.split(content):
        if tag != Tag.SEQUENCE:
            raise ProtocolError("the list of variables holds something else")
        variables.append(VarBind.from_bytes(inner))
    return tuple(variables)


@dataclass(frozen=True, slots=True)
class SnmpMessage:
    """A whole SNMPv1 message: the body of a PMPP frame, or a UDP datagram to port 161."""

    community: bytes
    pdu: Pdu

    def to_bytes(self) -> bytes:
        """The message in BER."""
        head = ber.wrap(Tag.INTEGER, b"\0") + ber.wrap(Tag.OCTETS, self.community)
        return ber.wrap(Tag.SEQUENCE, head + self.pdu.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> SnmpMessage:
        """Read a whole message, nothing before or after it; raises `ProtocolError`."""
        tag, content, end = ber.take(data, 0)
        if tag != Tag.SEQUENCE or end != len(data):
            raise ProtocolError("the message is no sequence, or bytes follow it")
        parts = ber.split(content)
        if len(parts) != 3 or [part[0] for part in parts[:2]] != [Tag.INTEGER, Tag.OCTETS]:
            raise ProtocolError("the message is not a version, a community and a question or answer")
        if ber.read_integer(parts[0][1]) != 0:
            raise ProtocolError("the message is not of SNMP version 1: set the controller to SNMPv1")
        return cls(parts[1][1], Pdu.from_bytes(*parts[2]))

    def answer(
        self, variables: Iterable[VarBind], error: SnmpError = SnmpError.NO_ERROR, index: int = 0
    ) -> SnmpMessage:
        """The response to this message."""
        return SnmpMessage(self.community, Pdu(PduType.RESPONSE, self.pdu.request, tuple(variables), error, index))


def get(community: bytes, request: int, oids: Iterable[Oid]) -> SnmpMessage:
    """Ask for several variables in one message."""
    return SnmpMessage(community, Pdu(PduType.GET, request, tuple(VarBind(oid) for oid in oids)))


def put(community: bytes, request: int, values: Iterable[VarBind]) -> SnmpMessage:
    """Set several variables in one message: all or none."""
    return SnmpMessage(community, Pdu(PduType.SET, request, tuple(values)))
