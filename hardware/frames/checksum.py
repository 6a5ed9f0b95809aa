"""The two check sums of the serial protocols.

| name | polynomial | start | reflected | final xor | of ASCII 123456789 | sent |
|---|---|---|---|---|---|---|
| GB/T 20999-2017 CRC | 0x1005 | 0x0000 | no | 0x0000 | 0x5BB8 | high byte first |
| CRC-16/X-25, HDLC's FCS | 0x1021 | 0xFFFF | yes | 0xFFFF | 0x906E | low byte first |

Both polynomials have the factor x + 1, so every odd number of flipped bits is seen, and so is every burst of 16 bits.
"""

from __future__ import annotations

import binascii

import numpy as np
import numpy.typing as npt

from ...core.kernels import kernel

_REFLECTED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _table(polynomial: int) -> npt.NDArray[np.uint16]:
    rows = np.zeros(256, dtype=np.uint16)
    for byte in range(256):
        register = byte << 8
        for _ in range(8):
            register = (register << 1) ^ polynomial if register & 0x8000 else register << 1
        rows[byte] = register & 0xFFFF
    return rows


_GBT = _table(0x1005)


@kernel
def _divide(data: npt.NDArray[np.uint8], table: npt.NDArray[np.uint16]) -> int:
    """(n,) bytes, (256,) remainders of one byte: the remainder of them all."""
    register = 0
    for byte in data:
        register = ((register << 8) & 0xFF00) ^ int(table[(register >> 8) ^ byte])
    return register


def crc_gbt20999(data: bytes) -> int:
    """Check sum of a GB/T 20999-2017 frame, over length .. last data byte, unescaped.

    >>> hex(crc_gbt20999(b"123456789"))
    '0x5bb8'
    """
    return int(_divide(np.frombuffer(data, dtype=np.uint8), _GBT)) if data else 0


def fcs_x25(data: bytes) -> int:
    """Frame check sequence of HDLC (CRC-16/X-25), over address .. body, unescaped.

    The standard library has this polynomial the other way round, at the speed of C: bits are mirrored in and out.

    >>> hex(fcs_x25(b"123456789"))
    '0x906e'
    """
    mirrored = binascii.crc_hqx(data.translate(_REFLECTED), 0xFFFF)
    return (_REFLECTED[mirrored & 0xFF] << 8 | _REFLECTED[mirrored >> 8]) ^ 0xFFFF
