"""The two check sums of the serial protocols.

| name | polynomial | start | reflected | final xor | of ASCII 123456789 | sent |
|---|---|---|---|---|---|---|
| GB/T 20999-2017 CRC | 0x1005 | 0x0000 | no | 0x0000 | 0x5BB8 | high byte first |
| CRC-16/X-25, HDLC's FCS | 0x1021 | 0xFFFF | yes | 0xFFFF | 0x906E | low byte first |

Both polynomials have the factor x + 1, so every odd number of flipped bits is seen, and so is every burst of 16 bits.
"""

from __future__ import annotations

import binascii
import struct

_REFLECTED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _table(polynomial: int) -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        register = byte << 8
        for _ in range(8):
            register = (register << 1) ^ polynomial if register & 0x8000 else register << 1
        rows.append(register & 0xFFFF)
    return tuple(rows)


_GBT = _table(0x1005)
_AHEAD = [(row & 0xFF) << 8 ^ _GBT[row >> 8] for row in _GBT]
_GBT_2 = tuple(high ^ low for high in _AHEAD for low in _GBT)
"""The same for two bytes at once: half the steps."""


def crc_gbt20999(data: bytes) -> int:
    """Check sum of a GB/T 20999-2017 frame, over length .. last data byte, unescaped.

    >>> hex(crc_gbt20999(b"123456789"))
    '0x5bb8'
    """
    register, odd = 0, len(data) & 1
    if odd:
        register = _GBT[data[0]]
    for pair in struct.unpack_from(f">{len(data) >> 1}H", data, odd):
        register = _GBT_2[register ^ pair]
    return register


def fcs_x25(data: bytes) -> int:
    """Frame check sequence of HDLC (CRC-16/X-25), over address .. body, unescaped.

    The standard library has this polynomial the other way round, at the speed of C: bits are mirrored in and out.

    >>> hex(fcs_x25(b"123456789"))
    '0x906e'
    """
    mirrored = binascii.crc_hqx(data.translate(_REFLECTED), 0xFFFF)
    return (_REFLECTED[mirrored & 0xFF] << 8 | _REFLECTED[mirrored >> 8]) ^ 0xFFFF
