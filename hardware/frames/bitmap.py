"""Sets of numbered things (phases, lamp groups, detectors) as bits, number 1 in the lowest bit of the last byte.

GB/T 20999 sends eight bytes, highest first; NEMA devices use one byte per group of eight. Both are this rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...core.errors import ProtocolError


def to_bits(numbers: Iterable[int], size: int) -> bytes:
    """`size` bytes with the bits of `numbers` (from 1) set.

    >>> to_bits([1, 2, 3, 4], 8).hex(), to_bits([2, 6], 1).hex()
    ('000000000000000f', '22')
    """
    bits = 0
    for number in numbers:
        if not 1 <= number <= 8 * size:
            raise ProtocolError(f"number {number} is not between 1 and {8 * size}")
        bits |= 1 << (number - 1)
    return bits.to_bytes(size, "big")


def from_bits(data: bytes) -> frozenset[int]:
    """The numbers (from 1) whose bits are set.

    >>> sorted(from_bits(bytes.fromhex("000000000000f2f0")))
    [5, 6, 7, 8, 10, 13, 14, 15, 16]
    """
    bits = int.from_bytes(data, "big")
    return frozenset(index + 1 for index in range(bits.bit_length()) if bits >> index & 1)
