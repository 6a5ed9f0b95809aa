"""The two check sums of the serial protocols.

| name | polynomial | start | reflected | final xor | of ASCII 123456789 | sent |
|---|---|---|---|---|---|---|
| GB/T 20999-2017 CRC | 0x1005 | 0x0000 | no | 0x0000 | 0x5BB8 | high byte first |
| CRC-16/X-25, HDLC's FCS | 0x1021 | 0xFFFF | yes | 0xFFFF | 0x906E | low byte first |

Both polynomials have the factor x + 1, so every odd number of flipped bits is seen, and so is every burst of 16 bits.
"""

from __future__ import annotations

import binascii

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


def crc_gbt20999(data: bytes) -> int:
    """Check sum of a GB/T 20999-2017 frame, over length .. last data byte, unescaped.

    >>> hex(crc_gbt20999(b"123456789"))
    '0x5bb8'
    """
    register = 0
    for byte in data:
        register = (register << 8 & 0xFF00) ^ _GBT[register >> 8 ^ byte]
    return register


def fcs_x25(data: bytes) -> int:
    """Frame check sequence of HDLC (CRC-16/X-25), over address .. body, unescaped.

    The standard library has this polynomial the other way round, at the speed of C: bits are mirrored in and out.

    >>> hex(fcs_x25(b"123456789"))
    '0x906e'
    """
    mirrored = binascii.crc_hqx(data.translate(_REFLECTED), 0xFFFF)
    return (_REFLECTED[mirrored & 0xFF] << 8 | _REFLECTED[mirrored >> 8]) ^ 0xFFFF
