"""How the values of GB/T 20999-2017 objects are written: a handful of shapes, each both ways.

Chains and arrays are sent **last item first**: stages 1, 2, 3, 4 of a plan are `00 x12 04 03 02 01`. The captured
conflict mask `00 00 00 00 00 00 F2 F0` and the captured intergreens beside it name the same phases only when read so.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from ...core.errors import ProtocolError
from ..frames.bitmap import from_bits, to_bits
from .codes import read


@dataclass(frozen=True, slots=True)
class Codec:
    """Bytes of one value to Python and back; `size` in bytes, None when it varies."""

    size: int | None
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def number(size: int) -> Codec:
    """An unsigned number of `size` bytes, high byte first."""
    return Codec(size, lambda data: int.from_bytes(data, "big"), lambda value: int(value).to_bytes(size, "big"))


def code(kind: type[IntEnum]) -> Codec:
    """One byte out of an enumeration; numbers a maker added stay numbers."""
    return Codec(1, lambda data: read(kind, data[0]), lambda value: bytes([value]))


def text(most: int) -> Codec:
    """Text of up to `most` bytes: UTF-8 as captured, GBK as older controllers send it; padding taken off."""

    def decode(data: bytes) -> str:
        data = data.rstrip(b"\0 ")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("gb18030", errors="replace")

    def encode(value: str) -> bytes:
        data = value.encode("utf-8")
        if len(data) > most:
            raise ProtocolError(f"text {value!r} takes {len(data)} bytes, the object holds {most}")
        return data

    return Codec(None, decode, encode)


def bits(size: int) -> Codec:
    """A set of numbers from 1 as bits, number 1 in the lowest bit of the last byte."""
    return Codec(size, from_bits, lambda value: to_bits(value, size))


def chain(length: int, item: int = 1) -> Codec:
    """Numbers in order, sent last first and filled with 0: a tuple without the filling."""

    def decode(data: bytes) -> tuple[int, ...]:
        values = _items(data, item)
        while values and not values[-1]:
            values.pop()
        return tuple(values)

    return Codec(length * item, decode, lambda values: _write_items(values, length, item))


def array(length: int) -> Codec:
    """`length` one-byte numbers, one for each phase or stage from 1, sent last first; zeros are values."""
    return Codec(length, lambda data: tuple(_items(data, 1)), lambda values: _write_items(values, length, 1))


def _items(data: bytes, item: int) -> list[int]:
    return [int.from_bytes(data[at : at + item], "big") for at in range(len(data) - item, -1, -item)]


def _write_items(values: Sequence[int], length: int, item: int) -> bytes:
    if len(values) > length:
        raise ProtocolError(f"{len(values)} values for an object that holds {length}")
    filled = [*values, *[0] * (length - len(values))]
    return b"".join(int(value).to_bytes(item, "big") for value in reversed(filled))


def _read_time(data: bytes) -> datetime | None:
    if not any(data):
        return None
    try:
        return datetime(int.from_bytes(data[:2], "big"), *data[2:])
    except ValueError:
        raise ProtocolError(f"{data.hex(' ')} is no date and time") from None


def _write_time(value: datetime | None) -> bytes:
    if value is None:
        return bytes(7)
    return value.year.to_bytes(2, "big") + bytes([value.month, value.day, value.hour, value.minute, value.second])


TIME = Codec(7, _read_time, _write_time)
IPV4 = Codec(4, ipaddress.IPv4Address, lambda value: ipaddress.IPv4Address(value).packed)
IPV6 = Codec(16, ipaddress.IPv6Address, lambda value: ipaddress.IPv6Address(value).packed)
RAW = Codec(None, bytes, bytes)
