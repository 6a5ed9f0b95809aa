"""AB 3418 and 3418E messages against published frames, and the traps of the specification."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_frames import AB3418, Golden, golden
from signalwright.core.errors import ProtocolError
from signalwright.hardware import ab3418
from signalwright.hardware.ab3418 import DetectorFault, Interval, Occupancy, Reason, StatusFlags
from signalwright.hardware.ab3418.dialect import Ab3418Dialect
from signalwright.hardware.ab3418.reading import MESSAGES
from signalwright.hardware.frames import HdlcFrame, HdlcFramer
from signalwright.hardware.pattern import FLASH, FREE, STANDBY, Pattern


def frame(name: str) -> HdlcFrame:
    return HdlcFramer().feed(golden(name).wire)[0]


@pytest.mark.parametrize("one", AB3418, ids=lambda one: one.name)
def test_golden_messages_are_read_and_written_to_the_same_bytes(one: Golden) -> None:
    """Each published message is read into typed data and written again bit for bit."""
    body = HdlcFramer().feed(one.wire)[0].body
    assert ab3418.from_bytes(body).to_bytes() == body


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("get long status", ab3418.GetLongStatus8()),
        ("set pattern 19", ab3418.SetPattern(Pattern.plan(19))),
        ("set pattern 20", ab3418.SetPattern(Pattern.plan(20))),
        ("set standby", ab3418.SetPattern(STANDBY)),
        ("set time", ab3418.SetTime(datetime(2018, 5, 7, 19, 21, 5, 400_000))),
        ("get controller id", ab3418.GetControllerId()),
        ("get short status", ab3418.GetShortStatus()),
        ("short status", ab3418.ShortStatus(frozenset({2, 6}), StatusFlags.LOCAL_ZERO, Pattern.plan(3))),
        ("pattern set", ab3418.PatternSet()),
        ("pattern refused", ab3418.Refusal(0x93, Reason.BAD_VALUE, 1)),
        ("broadcast time", ab3418.BroadcastTime(datetime(2026, 11, 23, 10, 37))),
        ("pattern 126", ab3418.SetPattern(Pattern.plan(126))),
        ("address 31, pattern 68", ab3418.SetPattern(Pattern.plan(68))),
    ],
)
def test_golden_messages_mean_what_their_names_say(name: str, message: ab3418.Message) -> None:
    """Typed messages and published frames are the same thing."""
    wanted = frame(name)
    assert ab3418.from_bytes(wanted.body) == message
    assert message.to_bytes() == wanted.body


def test_patterns_254_and_255_are_not_those_of_ntcip() -> None:
    """Trap: AB 3418 has flash at 254 and free at 255, NTCIP 1202 the other way round."""
    assert (FLASH.to_ab3418(), FREE.to_ab3418()) == (254, 255)
    assert (FREE.to_ntcip(), FLASH.to_ntcip()) == (254, 255)
    assert Pattern.from_ab3418(254) == Pattern.from_ntcip(255) == FLASH
    assert Pattern.from_ab3418(255) == Pattern.from_ntcip(254) == FREE
    assert Pattern.from_ab3418(0) == Pattern.from_ntcip(0) == STANDBY


@given(st.integers(-5, 300))
def test_every_pattern_number_is_one_pattern_or_an_error(number: int) -> None:
    """A number is read as one pattern that is written as the same number, or refused."""
    for read, write in ((Pattern.from_ab3418, Pattern.to_ab3418), (Pattern.from_ntcip, Pattern.to_ntcip)):
        try:
            assert write(read(number)) == number
        except ProtocolError:
            assert not 0 <= number <= 250 or number > 255


def test_plans_beyond_a_protocol_are_refused() -> None:
    """Plan 251 exists in NTCIP 1202 and not in AB 3418; plan 0 and 254 exist in neither."""
    assert Pattern.plan(251).to_ntcip() == 251
    with pytest.raises(ProtocolError, match="AB 3418 has plans 1 to 250"):
        Pattern.plan(251).to_ab3418()
    with pytest.raises(ProtocolError, match="NTCIP 1202 has plans"):
        Pattern.plan(254).to_ntcip()
    with pytest.raises(ProtocolError, match="STANDBY"):
        Pattern.plan(0)


STATUS8 = st.builds(
    ab3418.Status8,
    status=st.builds(StatusFlags, st.integers(0, 255)),
    pattern=st.sampled_from([STANDBY, FREE, FLASH]) | st.builds(Pattern.plan, st.integers(1, 250)),
    intervals=st.tuples(st.sampled_from(Interval), st.sampled_from(Interval)),
    active=st.frozensets(st.integers(1, 8)),
    calls=st.frozensets(st.integers(1, 8)),
    pedestrian_calls=st.frozensets(st.integers(1, 8)),
    presence=st.frozensets(st.integers(1, 28)),
    green_overlaps=st.frozensets(st.integers(1, 4)),
    yellow_overlaps=st.frozensets(st.integers(1, 4)),
    preempts=st.integers(0, 127),
    master_clock=st.integers(0, 255),
    local_clock=st.integers(0, 255),
    flags=st.integers(0, 255),
)
PAIRS = st.builds(Occupancy, st.integers(0, 255), st.integers(0, 200).map(lambda n: n / 200)) | st.builds(
    Occupancy, st.integers(0, 255), st.none(), st.sampled_from(DetectorFault)
)
ANY = st.one_of(
    STATUS8,
    st.builds(ab3418.LongStatus8, STATUS8, st.integers(0, 255), st.lists(PAIRS, min_size=8, max_size=8).map(tuple)),
    st.builds(ab3418.DetectorData, st.integers(0, 255), st.integers(0, 255), st.lists(PAIRS, max_size=20).map(tuple)),
    st.builds(ab3418.GetTimingData, st.integers(0, 0xFFFF), st.integers(1, 32)),
    st.builds(ab3418.TimingData, st.integers(0, 0xFFFF), st.binary(min_size=1, max_size=32)),
    st.builds(ab3418.ControllerId, st.text("Ab 2070-", max_size=30), st.text("Ab 2070-", max_size=30)),
    st.builds(
        ab3418.SetTime,
        st.datetimes(datetime(1995, 1, 1), datetime(2094, 12, 31)).map(
            lambda t: t.replace(microsecond=t.microsecond // 100_000 * 100_000)
        ),
    ),
    st.builds(ab3418.Refusal, st.sampled_from([0x81, 0x93, 0x8C]), st.sampled_from(Reason), st.integers(0, 255)),
)


@given(ANY)
def test_any_message_survives(message: ab3418.Message) -> None:
    """Any message is the same after it was written and read."""
    assert ab3418.from_bytes(message.to_bytes()) == message


CODED = st.builds(lambda code, rest: bytes([code]) + rest, st.sampled_from(sorted(MESSAGES)), st.binary(max_size=40))


@given(st.binary(max_size=40) | CODED)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Any bytes give a message, or ProtocolError; nothing else."""
    try:
        read = ab3418.from_bytes(body)
    except ProtocolError:
        return
    again = read.to_bytes()
    assert ab3418.from_bytes(again) == read
    assert len(again) == len(body)


def test_long_status_has_the_published_size_and_order() -> None:
    """A long status frame has 40 bytes between and with its flags when none is escaped; phase 1 is bit 0."""
    status = ab3418.Status8(
        StatusFlags.COORDINATION,
        Pattern.plan(3),
        (Interval.MIN_GREEN, Interval.RED_CLEARANCE),
        active=frozenset({1}),
        calls=frozenset({2}),
        pedestrian_calls=frozenset({8}),
        presence=frozenset({1, 9, 28}),
        green_overlaps=frozenset({1}),
        yellow_overlaps=frozenset({4}),
        master_clock=70,
        local_clock=71,
    )
    body = ab3418.LongStatus8(status, 5, 8 * (Occupancy(1, 0.5),)).to_bytes()
    assert len(body) + 7 == 40
    assert body[:17].hex(" ") == "cc 00 10 03 81 00 02 80 01 f2 01 01 00 08 46 47 05"


def test_nobody_is_asked_what_has_no_answer() -> None:
    """A broadcast has no reply and is never sent; gets are polls or not as configured, sets never are."""
    dialect = Ab3418Dialect(1)
    with pytest.raises(ProtocolError, match="no answer"):
        dialect.encode(ab3418.BroadcastPattern(STANDBY), 1)
    assert dialect.encode(ab3418.GetShortStatus(), 1) == golden("get short status, poll").wire
    assert Ab3418Dialect(1, poll_gets=False).encode(ab3418.GetShortStatus(), 1) == golden("get short status").wire
    assert dialect.encode(ab3418.SetPattern(Pattern.plan(19)), 1) == golden("set pattern 19").wire


def test_raw_memory_is_never_written() -> None:
    """There is no message that writes timing cells."""
    assert 0x99 not in MESSAGES
    with pytest.raises(ProtocolError, match="not known"):
        ab3418.from_bytes(bytes.fromhex("99 01 01 92 00"))
