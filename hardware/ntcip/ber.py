"""The part of BER (X.690) that SNMPv1 needs: definite lengths, short tags, strict reading.

Refused: indefinite lengths, lengths beyond the data or of more than four bytes, integers and object identifiers
longer than they need be, bytes after the end. A length may be written in more bytes than it needs: BER allows it and
net-snmp does it.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from ...core.errors import ProtocolError

Oid = tuple[int, ...]


class Tag(IntEnum):
    """Universal and SNMP application tags."""

    INTEGER = 0x02
    OCTETS = 0x04
    NULL = 0x05
    OID = 0x06
    SEQUENCE = 0x30
    IP_ADDRESS = 0x40
    COUNTER = 0x41
    GAUGE = 0x42
    TIME_TICKS = 0x43
    OPAQUE = 0x44


def wrap(tag: int, content: bytes) -> bytes:
    """Tag, length in as few bytes as possible, content."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def take(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and content at `at`, and where the next element starts; raises `ProtocolError`."""
    if at + 2 > len(data):
        raise ProtocolError("the message ends inside a tag or length")
    tag, size = data[at], data[at + 1]
    at += 2
    if size >= 0x80:
        width = size & 0x7F
        if not 1 <= width <= 4 or at + width > len(data):
            raise ProtocolError("a length is indefinite, of more than four bytes, or cut off")
        size = int.from_bytes(data[at : at + width], "big")
        at += width
    if at + size > len(data):
        raise ProtocolError("an element is longer than what holds it")
    return tag, data[at : at + size], at + size


def split(content: bytes) -> list[tuple[int, bytes]]:
    """All elements of a sequence's content; raises `ProtocolError`."""
    elements, at = [], 0
    while at < len(content):
        tag, inner, at = take(content, at)
        elements.append((tag, inner))
    return elements


def write_integer(value: int) -> bytes:
    """Two's complement, as short as possible.

    >>> write_integer(127).hex(), write_integer(128).hex(), write_integer(-129).hex()
    ('7f', '0080', 'ff7f')
    """
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)


def read_integer(content: bytes) -> int:
    """Read two's complement of up to five bytes (an unsigned 32-bit counter needs the fifth); raises
    `ProtocolError`."""
    if not 1 <= len(content) <= 5:
        raise ProtocolError(f"an integer has {len(content)} bytes")
    if len(content) > 1 and (content[0] << 1 | content[1] >> 7) in (0, 0x1FF):
        raise ProtocolError("an integer is longer than it need be")
    return int.from_bytes(content, "big", signed=True)


@lru_cache(4096)
def write_oid(oid: Oid) -> bytes:
    """The content of an object identifier; raises `ProtocolError` for one that cannot be written.

    >>> write_oid((1, 3, 6, 1, 4, 1, 1206)).hex()
    '2b060104018936'
    """
    if len(oid) < 2 or oid[0] > 2 or (oid[0] < 2 and oid[1] > 39) or not all(0 <= arc < 1 << 32 for arc in oid):
        raise ProtocolError(f"{'.'.join(map(str, oid))} is no object identifier")
    content = bytearray()
    for arc in (oid[0] * 40 + oid[1], *oid[2:]):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return bytes(content)


@lru_cache(4096)
def read_oid(content: bytes) -> Oid:
    """Read the content of an object identifier; raises `ProtocolError`."""
    if not content or content[-1] & 0x80 or len(content) > 128:
        raise ProtocolError("an object identifier is empty, cut off or too long")
    arcs, arc, fresh = [], 0, True
    for byte in content:
        if fresh and byte == 0x80:
            raise ProtocolError("a part of an object identifier is longer than it need be")
        arc = arc << 7 | byte & 0x7F
        fresh = not byte & 0x80
        if fresh:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    if arcs[0] - 80 >= 1 << 32 or any(part >= 1 << 32 for part in arcs[1:]):
        raise ProtocolError("a part of an object identifier needs more than 32 bits")
    return (first, arcs[0] - 40 * first, *arcs[1:])
