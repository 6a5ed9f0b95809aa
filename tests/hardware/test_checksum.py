"""Check sums of the serial protocols."""

from __future__ import annotations

import anycrc
import fastcrc
from hypothesis import given
from hypothesis import strategies as st

import naive_hardware
from golden_frames import AB3418, GBT, PMPP
from signalwright.hardware.frames import crc_gbt20999, fcs_x25

ANYCRC_GBT = anycrc.CRC(16, 0x1005, 0, False, False, 0)


@given(st.binary(max_size=600))
def test_gbt_crc_is_that_of_anycrc_and_of_the_bitwise_twin(data: bytes) -> None:
    """Polynomial 0x1005, start 0, nothing reflected: three implementations agree on any bytes."""
    assert crc_gbt20999(data) == ANYCRC_GBT.calc(data) == naive_hardware.crc_gbt20999(data)


@given(st.binary(max_size=600))
def test_fcs_is_that_of_fastcrc_and_of_the_bitwise_twin(data: bytes) -> None:
    """CRC-16/X-25: three implementations agree on any bytes."""
    assert fcs_x25(data) == fastcrc.crc16.ibm_sdlc(data) == naive_hardware.fcs_x25(data)


def test_residues() -> None:
    """A frame with its own check sum appended gives the residue the standards name: 0 and F0B8."""
    assert crc_gbt20999(b"123456789" + (0x5BB8).to_bytes(2, "big")) == 0
    assert fcs_x25(b"123456789" + (0x906E).to_bytes(2, "little")) ^ 0xFFFF == 0xF0B8


def test_published_frames_bear_these_check_sums() -> None:
    """Every golden frame carries the check sum a foreign library computes over it."""
    for frame in GBT:
        body = frame.wire[1:-1]
        if not frame.datagram:
            body = body.replace(b"\x5c\x7e", b"\x7e").replace(b"\x5c\x7d", b"\x7d").replace(b"\x5c\x5c", b"\x5c")
        assert ANYCRC_GBT.calc(body[:-2]) == int.from_bytes(body[-2:], "big"), frame.name
    for frame in (*AB3418, *PMPP):
        body = frame.wire[1:-1].replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
        assert fastcrc.crc16.ibm_sdlc(body[:-2]) == int.from_bytes(body[-2:], "little"), frame.name
