"""GB/T 20999-2017 messages and objects against published frames, and the traps of the standard."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_frames import GBT, Golden, golden
from signalwright.core.errors import ProtocolError
from signalwright.hardware.frames import GbtFramer, unwrap_datagram, wrap
from signalwright.hardware.gbt20999 import OBJECTS, DataValue, FrameType, Message, ObjectId, RunMode, Status, named
from signalwright.hardware.gbt20999.codes import StageState
from signalwright.hardware.gbt20999.objects import at


def content(frame: Golden) -> bytes:
    return unwrap_datagram(frame.wire) if frame.datagram else GbtFramer().feed(frame.wire)[0]


def message(name: str) -> Message:
    return Message.from_bytes(content(golden(name)))


@pytest.mark.parametrize("frame", GBT, ids=lambda frame: frame.name)
def test_golden_messages_are_read_and_written_to_the_same_bytes(frame: Golden) -> None:
    """Each published message is read into typed data and written again bit for bit."""
    read = Message.from_bytes(content(frame))
    assert (read.to_datagram() if frame.datagram else read.to_wire()) == frame.wire


@pytest.mark.parametrize(
    ("frame", "name", "value"),
    [
        ("reply run mode 23", "run_mode", RunMode.LOCAL_COORDINATED),
        ("maker", "maker", "东土正创"),
        ("device number", "device_number", "20210824101010"),
        ("made", "made", datetime(2021, 8, 19, 1, 1, 1)),
        ("time", "time_utc", datetime(2021, 9, 10, 9, 42, 27)),
        ("host port", "host_port", 5051),
        ("host link", "host_link", 2),
        ("no plate", "detector_plate", ""),
        ("stages of plan 1", "plan_stages", (1, 2, 3, 4)),
        ("times of plan 1", "plan_times", (29, 31, 29, 31)),
        ("occurrence of plan 1", "plan_occurrence", (0x10, 0x10, 0x10, 0x10)),
        ("phases of stage 1", "stage_phases", frozenset({1, 2, 3, 4})),
        ("late start in stage 1", "stage_late_start", (10, *[0] * 63)),
        ("stage 1 in transition", "stage_state", StageState.IN_TRANSITION),
        ("stage 5 elapsed 6 s", "stage_elapsed", 6),
        ("conflicts of phase 1", "conflicts", frozenset({5, 6, 7, 8, 10, 13, 14, 15, 16})),
        ("current stage 3", "current_stage", 3),
        ("fault count", "fault_count", 3000),
    ],
)
def test_captured_values_mean_what_the_capture_says(frame: str, name: str, value: Any) -> None:
    """The value in a captured reply is read by the object its id names, and written back to the same bytes."""
    (said,) = message(frame).values
    thing = at(said.id)
    assert thing is named(name)
    assert thing.read(said.value) == value
    if name not in ("device_number", "detector_plate"):
        assert thing.value(value, said.id.element).value == said.value


def test_captured_conflicts_and_intergreens_name_the_same_phases() -> None:
    """Read last byte first, the phases with an intergreen are those of the conflict mask: the order is right."""
    conflicts = named("conflicts").read(message("conflicts of phase 1").values[0].value)
    intergreens = named("intergreens").read(message("intergreens of phase 1").values[0].value)
    assert {phase for phase, value in enumerate(intergreens, 1) if value} == conflicts
    assert set(intergreens) == {0, 3}


def test_plan_chains_are_sent_last_byte_first() -> None:
    """Trap: stages 1, 2, 3, 4 of a plan are sent 04 03 02 01 at the end of the value."""
    assert named("plan_stages").put((1, 2, 3, 4), 1).value == bytes(12) + bytes([4, 3, 2, 1])
    assert named("plan_times").put((29, 31), 1).value == bytes(28) + bytes([0, 31, 0, 29])


def test_centre_control_lies_under_17_1() -> None:
    """Trap: stage, plan and mode are attributes 2, 3, 4 of object 17.1; published tables with 17.2 and on are wrong."""
    frame = Message.of(
        FrameType.SET,
        0x000C48FC,
        1,
        0x13,
        [
            named("commanded_stage").put(1, 1),
            named("commanded_plan").put(1, 1),
            named("commanded_mode").put(RunMode.LOCAL_FIXED, 1),
        ],
        host=5,
    )
    assert frame.to_wire() == golden("set stage, plan and mode").wire
    assert [str(value.id) for value in frame.values] == ["17.1.2.1", "17.1.3.1", "17.1.4.1"]
    assert at(ObjectId(17, 2, 1, 1)) is None
    refused = message("error 17.2.1.1")
    assert refused.is_error
    assert refused.values[0].status is Status.DOES_NOT_EXIST


@pytest.mark.parametrize("kind", [FrameType.HEARTBEAT, FrameType.HEARTBEAT_REPLY])
def test_heartbeats_with_and_without_a_count(kind: FrameType) -> None:
    """Trap: some hosts send a count of 0 in a heartbeat, the standard none; both are read, none is written."""
    bare = Message(kind, 7, 1, 9, (), host=5)
    assert Message.from_bytes(bare.to_bytes()) == Message.from_bytes(bare.to_bytes() + b"\0") == bare
    with pytest.raises(ProtocolError, match="heartbeat carries"):
        Message.from_bytes(bare.to_bytes() + b"\1")


@pytest.mark.parametrize(("frame", "number"), [("alarm type of a maker", 0x80), ("fault action of a maker", 7)])
def test_numbers_a_maker_added_are_read_as_numbers(frame: str, number: int) -> None:
    """Trap: production controllers send codes that are in no table; they are kept, not refused."""
    (said,) = message(frame).values
    thing = at(said.id)
    assert thing is not None
    assert thing.read(said.value) == number


def test_length_counts_check_sum_but_neither_flags_nor_itself() -> None:
    """Trap: other software counts 2 more or 2 less; every captured frame says all bytes less 4."""
    for frame in GBT:
        if frame.datagram:
            assert int.from_bytes(frame.wire[1:3], "big") == len(frame.wire) - 4
    short = bytearray(golden("query run mode").wire)
    short[2] -= 2
    with pytest.raises(ProtocolError, match="length field"):
        unwrap_datagram(bytes(short))


@pytest.mark.parametrize("name", ["min_green", "intergreens", "conflicts", "losing_time_2", "command", "max_green_1"])
def test_what_keeps_traffic_safe_is_never_written(name: str) -> None:
    """Minimum greens, ambers, conflicts, intergreens and the command pipe have no way into a set frame."""
    with pytest.raises(ProtocolError, match="never written"):
        named(name).put(0, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("commanded_stage", 256), ("commanded_stage", -1), ("plan_stages", range(17)), ("stage_phases", [65])],
)
def test_values_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    """A value too big for its object is an error, not a cut value."""
    with pytest.raises(ProtocolError):
        named(name).put(value, 1)


def test_a_value_of_the_wrong_size_is_refused() -> None:
    """A reply whose size is not that of the object is not half read."""
    with pytest.raises(ProtocolError, match="run_mode"):
        named("run_mode").read(b"\x23\x23")


def test_every_object_has_its_own_place_and_name() -> None:
    """The table has no place and no name twice."""
    assert len({thing.id for thing in OBJECTS.values()}) == len(OBJECTS) == 178
    with pytest.raises(ProtocolError, match="no object"):
        named("lamp_colour")


IDS = st.builds(ObjectId, *[st.integers(0, 255)] * 4)
MESSAGES = st.builds(
    Message.of,
    st.sampled_from([kind for kind in FrameType if "HEARTBEAT" not in kind.name]),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.integers(0, 255),
    st.lists(st.builds(DataValue, IDS, st.binary(max_size=251)), max_size=8),
    st.integers(0, 255),
)


@given(MESSAGES)
def test_any_message_survives_the_line(sent: Message) -> None:
    """Any message is the same after the serial line, and after a datagram."""
    assert [Message.from_bytes(one) for one in GbtFramer().feed(sent.to_wire())] == [sent]
    assert Message.from_datagram(sent.to_datagram()) == sent


@given(st.binary(max_size=60) | st.builds(lambda m, n: m.to_bytes()[:n], MESSAGES, st.integers(0, 200)))
def test_any_content_is_read_or_refused(data: bytes) -> None:
    """Any bytes with a right check sum give a message that writes back to them, or ProtocolError; nothing else."""
    try:
        read = Message.from_bytes(GbtFramer().feed(wrap(data))[0])
    except ProtocolError:
        return
    assert read.to_bytes() in (data, data[:-1])


def test_a_question_covers_its_answers() -> None:
    """Attribute 0 and element 0 ask for all; a numbered attribute asks for itself only."""
    assert ObjectId(3, 3).covers(ObjectId(3, 3, 2, 17))
    assert ObjectId(3, 3, 2).covers(ObjectId(3, 3, 2, 17))
    assert not ObjectId(3, 3, 1).covers(ObjectId(3, 3, 2, 17))
    assert not ObjectId(3, 3, 0, 4).covers(ObjectId(3, 3, 2, 17))
    assert not ObjectId(3, 2).covers(ObjectId(3, 3))
