"""Framing: chunking, garbage, escapes, resynchronisation, flipped bits, fuzz."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_hardware
from fuzz import fuzz
from golden_frames import AB3418, GBT, PMPP, Golden
from line_bench import PROTOCOLS
from signalwright.core.errors import ProtocolError
from signalwright.hardware.frames import Address, GbtFramer, HdlcFrame, HdlcFramer, unwrap_datagram, wrap
from signalwright.hardware.frames.hdlc import ALL_STATIONS, Control, Protocol

SERIAL_GBT = tuple(frame for frame in GBT if not frame.datagram)
SPECIAL = st.sampled_from([0x7E, 0x7D, 0x5C, 0x5D, 0x5E, 0xC0, 0xDB, 0x00])
CONTENT = st.lists(SPECIAL | st.integers(0, 255), max_size=80).map(bytes)


def chunked(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize("frame", GBT, ids=lambda frame: frame.name)
def test_gbt_golden_frames_are_unwrapped_and_wrapped_to_the_same_bytes(frame: Golden) -> None:
    """Each GB/T frame gives a content which, framed again for its transport, is the frame bit for bit."""
    if frame.datagram:
        assert wrap(unwrap_datagram(frame.wire), escaped=False) == frame.wire
    else:
        (content,) = GbtFramer().feed(frame.wire)
        assert wrap(content) == frame.wire


@pytest.mark.parametrize("frame", [*AB3418, *PMPP], ids=lambda frame: frame.name)
def test_hdlc_golden_frames_are_read_and_written_to_the_same_bytes(frame: Golden) -> None:
    """Each HDLC frame is read, and written again bit for bit."""
    (read,) = HdlcFramer().feed(frame.wire)
    assert read.to_bytes() == frame.wire


@pytest.mark.parametrize("frame", GBT, ids=lambda frame: frame.name)
def test_every_flipped_bit_of_a_gbt_frame_is_rejected(frame: Golden) -> None:
    """No frame that differs in one bit is taken, alone or with an intact one behind it, which is not lost."""
    for bit in range(8 * len(frame.wire)):
        damaged = bytearray(frame.wire)
        damaged[bit // 8] ^= 1 << bit % 8
        if frame.datagram:
            with pytest.raises(ProtocolError):
                unwrap_datagram(bytes(damaged))
            continue
        framer = GbtFramer()
        assert framer.feed(bytes(damaged)) == []
        after = framer.feed(2 * SERIAL_GBT[0].wire)
        assert GbtFramer().feed(SERIAL_GBT[0].wire)[0] in after
        assert len(after) in (1, 2)


@pytest.mark.parametrize("frame", [*AB3418, *PMPP], ids=lambda frame: frame.name)
def test_every_flipped_bit_of_an_hdlc_frame_is_rejected(frame: Golden) -> None:
    """No frame that differs in one bit is taken, and the intact one behind it is not lost."""
    intact = AB3418[0].wire
    for bit in range(8 * len(frame.wire)):
        damaged = bytearray(frame.wire)
        damaged[bit // 8] ^= 1 << bit % 8
        framer = HdlcFramer()
        assert framer.feed(bytes(damaged)) == []
        assert framer.feed(intact) == HdlcFramer().feed(intact)


@given(st.lists(CONTENT, max_size=5), st.lists(st.integers(0, 10_000), max_size=12), st.binary(max_size=20))
def test_gbt_frames_survive_any_chunking_and_garbage_before(
    contents: list[bytes], cuts: list[int], garbage: bytes
) -> None:
    """However a stream is cut, the frames come out whole and in order; noise before them costs at most itself."""
    noise = garbage.replace(b"\x7e", b"").replace(b"\x5c", b"")
    stream = noise + b"".join(wrap(content) for content in contents)
    framer = GbtFramer()
    assert [one for chunk in chunked(stream, cuts) for one in framer.feed(chunk)] == contents
    assert framer.statistics.good == len(contents)
    assert framer.statistics.garbage == len(noise)
    assert framer.statistics.rejected == 0


@given(st.binary(max_size=400), st.lists(st.integers(0, 10_000), max_size=12))
def test_gbt_framer_finds_what_its_slow_twin_finds(stream: bytes, cuts: list[int]) -> None:
    """On any bytes, in any chunks, the framer and a byte-at-a-time reader find the same frames."""
    stream = stream + wrap(b"abc") + stream[::-1] + wrap(stream) + stream
    framer = GbtFramer()
    found = [one for chunk in chunked(stream, cuts) for one in framer.feed(chunk)]
    assert found == naive_hardware.gbt_frames(stream)


BODIES = st.builds(
    HdlcFrame,
    st.builds(Address, st.integers(1, 8191), st.booleans()),
    st.sampled_from(Control),
    st.sampled_from(Protocol),
    CONTENT,
)


@given(st.lists(BODIES, max_size=5), st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
def test_hdlc_frames_survive_any_chunking_and_shared_flags(
    frames: list[HdlcFrame], cuts: list[int], shared: bool
) -> None:
    """However a stream is cut, and whether one flag closes a frame and opens the next or two do, frames come out."""
    stream = b"\xff\xffnoise" + b"".join(frame.to_bytes() for frame in frames)
    if shared:
        stream = stream.replace(b"\x7e\x7e", b"\x7e")
    framer = HdlcFramer()
    assert [one for chunk in chunked(stream, cuts) for one in framer.feed(chunk)] == frames
    assert framer.statistics.rejected == 0


@given(st.binary(max_size=300), st.lists(st.integers(0, 10_000), max_size=12))
def test_hdlc_framer_finds_what_its_slow_twin_finds(stream: bytes, cuts: list[int]) -> None:
    """On any bytes, in any chunks, the framer takes just those frames whose check sequence and escapes are right."""
    stream = stream + AB3418[3].wire + stream + AB3418[-1].wire + stream
    framer = HdlcFramer()
    found = [one for chunk in chunked(stream, cuts) for one in framer.feed(chunk)]
    assert found == [frame for content in naive_hardware.hdlc_contents(stream) for frame in readable(content)]


def readable(content: bytes) -> list[HdlcFrame]:
    """The frame of a content, if its address and control are those of a protocol spoken here."""
    try:
        return [HdlcFrame.from_bytes(content)]
    except ProtocolError:
        return []


@pytest.mark.parametrize(
    ("station", "wire"), [(1, "05"), (2, "09"), (3, "0d"), (63, "fd"), (64, "0003"), (200, "2007"), (8191, "fcff")]
)
def test_station_addresses(station: int, wire: str) -> None:
    """One byte up to 63, two from 64: low six bits first, the last byte odd."""
    assert Address(station).to_bytes().hex() == wire
    assert Address.read(bytes.fromhex(wire)) == (Address(station), len(wire) // 2)


def test_all_stations_is_ff() -> None:
    """The address of all stations is a group, FF."""
    assert ALL_STATIONS.to_bytes() == b"\xff"


@pytest.mark.parametrize("station", [0, -1, 8192])
def test_impossible_stations_are_refused(station: int) -> None:
    """A station number that has no address is an error, not another station."""
    with pytest.raises(ProtocolError, match="between 1 and 8191"):
        Address(station)


def test_length_that_counts_escapes_is_taken_and_counted() -> None:
    """GB/T 20999 leaves open whether the length counts escape bytes: both are read, the odd one is counted."""
    usual = SERIAL_GBT[-2]  # three escapes in the controller's number and one in the check sum
    content = GbtFramer().feed(usual.wire)[0]
    body = (len(content) + 2 + 3 + 1).to_bytes(2, "big") + content
    for extra in range(1, 6):
        body = (len(content) + 2 + extra).to_bytes(2, "big") + content
        frame = body + naive_hardware.crc_gbt20999(body).to_bytes(2, "big")
        escapes = sum(byte in b"\x7e\x7d\x5c" for byte in frame)
        if escapes == extra:
            break
    else:
        pytest.fail("no length fits its own escapes")
    wire = b"\x7e" + b"".join(b"\x5c" * (b in b"\x7e\x7d\x5c") + bytes([b]) for b in frame) + b"\x7d"
    framer = GbtFramer()
    assert framer.feed(wire) == [content]
    assert framer.statistics.odd_length == 1


def test_a_frame_that_never_ends_is_dropped() -> None:
    """A line that sends noise without an end cannot fill the memory, and the next frame is read."""
    gbt = GbtFramer(max_frame=1000)
    hdlc = HdlcFramer(max_frame=500)
    for _ in range(50):
        assert gbt.feed(b"\x7e" + 100 * b"a") == []
        assert gbt.feed(100 * b"a") == []
        assert hdlc.feed(100 * b"a") == []
    assert gbt.feed(b"\x7e" + 2000 * b"a") == []
    assert hdlc.feed(b"\x7e" + 2000 * b"a") == []
    assert len(gbt.feed(SERIAL_GBT[0].wire)) == 1
    assert len(hdlc.feed(AB3418[0].wire)) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_damaged_lines_raise_nothing_and_pass_no_wrong_frame(protocol: str) -> None:
    """10 000 damaged questions and answers at both ends: no exception, no frame taken that was not sent, lawful lamps."""
    taken, answers, wrong = fuzz(protocol, 10_000)
    assert taken >= answers > 10
    assert wrong == 0


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_more_damaged_lines(protocol: str) -> None:
    """100 000 more: at most the two in 65 536 of the damaged ones that 16 check bits must let pass, in fact fewer."""
    assert fuzz(protocol, 100_000, seed=2)[2] <= 100_000 * 2 // 65_536
