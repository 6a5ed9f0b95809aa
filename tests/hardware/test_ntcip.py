"""SNMPv1 and the NTCIP 1202 objects against published frames and pyasn1, and their traps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import namedtype, tag, univ

from golden_frames import PMPP, Golden, golden
from signalwright.core.errors import ProtocolError
from signalwright.hardware.ab3418 import DetectorFault, StatusFlags
from signalwright.hardware.frames import HdlcFramer
from signalwright.hardware.ntcip import ASC, Pdu, PduType, SnmpError, SnmpMessage, VarBind, ber, groups_of, phases_of
from signalwright.hardware.ntcip.control import PhaseControl, ask_pattern, control_oids, release, set_backup_time
from signalwright.hardware.ntcip.snmp import get, put
from signalwright.hardware.ntcip.status import (
    ControlStatus,
    FlashStatus,
    PhaseStatus,
    PhaseTiming,
    UnitStatus,
    ask_detectors,
    read_detectors,
)
from signalwright.hardware.pattern import FREE, Pattern

SNMP = PMPP[1:]
EDGES = {-(1 << bits) for bits in (7, 15, 23, 31)}  # pyasn1 writes these one byte longer than X.690 8.3.2 allows
OIDS = st.tuples(st.integers(0, 1), st.integers(0, 39)).flatmap(
    lambda head: st.lists(st.integers(0, 2**32 - 1), max_size=12).map(lambda rest: (*head, *rest))
)
VALUES = st.none() | st.integers(-(2**31), 2**31 - 1) | st.binary(max_size=140) | OIDS
BINDS = st.builds(VarBind, OIDS, VALUES) | st.builds(
    VarBind, OIDS, st.integers(0, 2**32 - 1), st.sampled_from([ber.Tag.COUNTER, ber.Tag.GAUGE, ber.Tag.TIME_TICKS])
)
MESSAGES = st.builds(
    SnmpMessage,
    st.binary(max_size=40),
    st.lists(BINDS, max_size=4).flatmap(
        lambda binds: st.builds(
            Pdu,
            st.sampled_from(PduType),
            st.integers(-(2**31), 2**31 - 1),
            st.just(tuple(binds)),
            st.sampled_from(SnmpError),
            st.integers(0, len(binds)),
        )
    ),
)


@pytest.mark.parametrize("frame", SNMP, ids=lambda frame: frame.name)
def test_golden_messages_are_read_and_written_to_the_same_bytes(frame: Golden) -> None:
    """Each published message is read into typed data and written again bit for bit."""
    body = HdlcFramer().feed(frame.wire)[0].body
    assert SnmpMessage.from_bytes(body).to_bytes() == body


def test_golden_messages_are_built_from_the_dictionary() -> None:
    """Greens of group 1 and a hold of phases 2 and 6 are the published bytes."""
    body = HdlcFramer().feed(golden("get greens").wire)[0].body
    assert get(b"public", 1, [ASC.table["greens"].at(1)]).to_bytes() == body
    body = HdlcFramer().feed(golden("set hold").wire)[0].body
    assert put(b"private", 2, [ASC.table["hold"].put(groups_of([2, 6], 1)[0], 1)]).to_bytes() == body


def test_a_priority_message_of_a_live_system_is_read() -> None:
    """The published cancel of a bus is a set of one octet string by the administrator."""
    message = SnmpMessage.from_bytes(HdlcFramer().feed(golden("priority cancel").wire)[0].body)
    assert message.community == b"administrator"
    assert message.pdu.type is PduType.SET
    (one,) = message.pdu.variables
    assert ".".join(map(str, one.oid)) == "1.3.6.1.4.1.1206.4.2.11.2.5.0"
    assert isinstance(one.value, bytes)
    assert one.value[1:18].decode().strip() == "3825"


@given(MESSAGES)
def test_any_message_survives(message: SnmpMessage) -> None:
    """Any message is the same after it was written and read."""
    assert SnmpMessage.from_bytes(message.to_bytes()) == message


@given(st.integers(-(2**31), 2**32 - 1).filter(lambda value: value not in EDGES))
def test_integers_are_those_of_pyasn1(value: int) -> None:
    """A foreign BER writes the same bytes and reads ours back."""
    ours = ber.wrap(ber.Tag.INTEGER, ber.write_integer(value))
    assert ours == encoder.encode(univ.Integer(value))
    assert int(decoder.decode(ours)[0]) == value == ber.read_integer(ours[2:])


@given(OIDS)
def test_object_identifiers_are_those_of_pyasn1(oid: ber.Oid) -> None:
    """A foreign BER writes the same bytes and reads ours back."""
    ours = ber.wrap(ber.Tag.OID, ber.write_oid(oid))
    assert ours == encoder.encode(univ.ObjectIdentifier(oid))
    assert tuple(decoder.decode(ours)[0]) == oid


def foreign(message: SnmpMessage) -> bytes:
    """The message as pyasn1 writes it."""
    binds = univ.SequenceOf()
    for index, bind in enumerate(message.pdu.variables):
        value: Any
        match bind.value:
            case None:
                value = univ.Null("")
            case int() if bind.tag is not None:
                value = univ.Integer(bind.value).subtype(
                    implicitTag=tag.Tag(tag.tagClassApplication, tag.tagFormatSimple, bind.tag & 0x1F)
                )
            case int():
                value = univ.Integer(bind.value)
            case bytes():
                value = univ.OctetString(bind.value)
            case _:
                value = univ.ObjectIdentifier(bind.value)
        pair = univ.Sequence(
            componentType=namedtype.NamedTypes(
                namedtype.NamedType("name", univ.ObjectIdentifier()), namedtype.NamedType("value", univ.Any())
            )
        )
        pair["name"] = bind.oid
        pair["value"] = encoder.encode(value)
        binds[index] = pair
    pdu = univ.Sequence().subtype(
        implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, message.pdu.type & 0x1F)
    )
    for index, number in enumerate((message.pdu.request, message.pdu.error, message.pdu.error_index)):
        pdu[index] = univ.Integer(number)
    pdu[3] = binds
    whole = univ.Sequence()
    whole[0], whole[1], whole[2] = univ.Integer(0), univ.OctetString(message.community), pdu
    return bytes(encoder.encode(whole))


def writes_alike(message: SnmpMessage) -> bool:
    """True where pyasn1 writes its integers as X.690 wants them, and there are variables."""
    pdu = message.pdu
    return bool(pdu.variables) and not EDGES & {pdu.request, *(one.value for one in pdu.variables if one.value != b"")}


@given(MESSAGES.filter(writes_alike))
def test_whole_messages_are_those_of_pyasn1(message: SnmpMessage) -> None:
    """A foreign BER writes whole messages with the same bytes."""
    assert foreign(message) == message.to_bytes()


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Any bytes give a message, or ProtocolError; nothing else."""
    try:
        read = SnmpMessage.from_bytes(data)
    except ProtocolError:
        return
    assert SnmpMessage.from_bytes(read.to_bytes()) == read


@given(MESSAGES, st.data())
def test_damaged_messages_are_read_or_refused(message: SnmpMessage, data: st.DataObject) -> None:
    """A message with any byte changed, cut or lengthened is another message or ProtocolError; nothing else."""
    wire = bytearray(message.to_bytes())
    at = data.draw(st.integers(0, len(wire) - 1))
    wire[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wire)))
    for damaged in (bytes(wire), bytes(wire[:cut]), bytes(wire) + b"\0"):
        try:
            read = SnmpMessage.from_bytes(damaged)
        except ProtocolError:
            continue
        assert SnmpMessage.from_bytes(read.to_bytes()) == read


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("indefinite length", "30 80 02 01 00 00 00"),
        ("integer longer than it need be", "30 0c 02 02 00 01 04 00 a0 04 02 00 02 00"),
        ("bytes after the end", "30 00 00"),
        ("length beyond the data", "30 05 02 01 00"),
        ("version 2", "30 0b 02 01 01 04 00 a0 04 02 01 00 05 00"),
        ("nothing", ""),
    ],
)
def test_unlawful_ber_is_refused(what: str, data: str) -> None:
    """Forms BER or SNMPv1 forbids are refused."""
    with pytest.raises(ProtocolError):
        SnmpMessage.from_bytes(bytes.fromhex(data))


def test_long_lengths_are_read() -> None:
    """A length in more bytes than it needs, as some agents write it, is lawful BER and read."""
    message = get(b"public", 1, [ASC.scalar["max_phases"].oid])
    wire = message.to_bytes()
    assert SnmpMessage.from_bytes(b"\x30\x82\x00" + wire[1:2] + wire[2:]) == message


@pytest.mark.parametrize(
    ("name", "row", "place"),
    [
        ("minimum_green", 3, "1.2.1.4.3"), ("yellow_change", 1, "1.2.1.8.1"), ("red_clear", 8, "1.2.1.9.8"),
        ("phase_concurrency", 2, "1.2.1.23.2"), ("reds", 1, "1.4.1.2.1"), ("yellows", 1, "1.4.1.3.1"),
        ("greens", 1, "1.4.1.4.1"), ("walks", 1, "1.4.1.7.1"), ("vehicle_calls", 1, "1.4.1.8.1"),
        ("phase_ons", 2, "1.4.1.10.2"), ("phase_nexts", 2, "1.4.1.11.2"), ("phase_omit", 1, "1.5.1.2.1"),
        ("hold", 1, "1.5.1.4.1"), ("force_off", 1, "1.5.1.5.1"), ("vehicle_call", 1, "1.5.1.6.1"),
        ("pedestrian_call", 1, "1.5.1.7.1"), ("detector_reset", 4, "2.2.1.15.4"),
        ("detector_call_phase", 4, "2.2.1.4.4"),
        ("detector_group_active", 1, "2.4.1.2.1"), ("detector_volume", 5, "2.5.4.1.1.5"),
        ("detector_occupancy", 5, "2.5.4.1.2.5"), ("pattern_cycle", 7, "4.7.1.2.7"), ("split_time", 2, "4.9.1.3.2"),
        ("preempt_state", 1, "6.2.1.16.1"), ("ring_omit_red_clear", 1, "7.5.1.8.1"), ("channel_greens", 1, "8.4.1.4.1"),
        ("overlap_reds", 1, "9.4.1.2.1"), ("port1_status", 0, "10.2.1.4.0"),
    ],
)  # fmt: skip
def test_columns_lie_where_the_mib_has_them(name: str, row: int, place: str) -> None:
    """Trap: public emulators place control at 1.4 and status at 1.3; the compiled MIB has 1.5 and 1.4."""
    oid = ASC.table[name].at(row)
    assert ".".join(map(str, oid)) == f"1.3.6.1.4.1.1206.4.2.1.{place}"
    assert ASC.name_of(oid) == f"{name}.{row}"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("max_phases", "1.1.0"), ("backup_time", "3.3.0"), ("control_status", "3.5.0"), ("flash_status", "3.6.0"),
        ("alarm_status_1", "3.8.0"), ("short_alarm", "3.9.0"), ("unit_control", "3.10.0"), ("pattern_status", "4.10.0"),
        ("local_free_status", "4.11.0"), ("pattern_control", "4.14.0"), ("sync_control", "4.15.0"),
    ],
)  # fmt: skip
def test_scalars_lie_where_the_mib_has_them(name: str, place: str) -> None:
    """Scalars take the instance 0."""
    assert ".".join(map(str, ASC.scalar[name].oid)) == f"1.3.6.1.4.1.1206.4.2.1.{place}"
    assert ASC.name_of(ASC.scalar[name].oid) == name


@given(st.frozensets(st.integers(1, 32)))
def test_phases_and_groups_are_inverse(phases: frozenset[int]) -> None:
    """Phase 8 g - 7 + b is bit b of group g, both ways."""
    groups = groups_of(phases, 4)
    assert phases_of(groups) == phases
    for phase in range(1, 33):
        assert (groups[(phase - 1) // 8] >> (phase - 1) % 8 & 1) == (phase in phases)


def test_a_request_is_the_whole_state_in_one_message() -> None:
    """Every byte of hold, force-off, omits and calls is in the message, the zeros too."""
    control = PhaseControl(hold=frozenset({2, 6}), vehicle_call=frozenset({9}))
    variables = control.variables(2)
    assert [variable.oid for variable in variables] == list(control_oids(2))
    assert {variable.oid: variable.value for variable in variables if variable.value} == {
        ASC.table["hold"].at(1): 0x22,
        ASC.table["vehicle_call"].at(2): 0x01,
    }
    assert len(variables) == 12
    assert all(variable.value == 0 for variable in release(2))
    assert release(2)[-1].oid == ASC.scalar["pattern_control"].oid


def test_contradictory_and_dangerous_requests_are_refused() -> None:
    """Hold with force-off, a dead-man of 0 s, a phase that is not there, a minimum green: none can be built."""
    with pytest.raises(ProtocolError, match="held and forced off"):
        PhaseControl(hold=frozenset({2}), force_off=frozenset({2}))
    with pytest.raises(ProtocolError, match="dead-man"):
        set_backup_time(0)
    with pytest.raises(ProtocolError, match="phase 9"):
        PhaseControl(hold=frozenset({9})).variables(1)
    for name in ("minimum_green", "yellow_change", "red_clear", "preempt_control", "ring_force_off"):
        with pytest.raises(ProtocolError, match="never written"):
            ASC.table[name].put(1, 1)


def test_free_is_254_here() -> None:
    """Trap: asking NTCIP for free sends 254; 255 would be flash."""
    assert ask_pattern(FREE).value == 254
    assert ask_pattern(Pattern.plan(3)) == VarBind(ASC.scalar["pattern_control"].oid, 3)


def test_status_is_read_by_name_and_checked() -> None:
    """A response in any order gives the status; a phase in two colours or a missing variable is an error."""
    oids = PhaseStatus.ask(1)
    values = dict.fromkeys(oids, 0) | {ASC.table["greens"].at(1): 0x22, ASC.table["reds"].at(1): 0xDD}
    status = PhaseStatus.read([VarBind(oid, value) for oid, value in reversed(values.items())], 1)
    assert status.greens == {2, 6}
    assert status.reds == {1, 3, 4, 5, 7, 8}
    with pytest.raises(ProtocolError, match=r"greens\.1 = None"):
        PhaseStatus.read([VarBind(oid, 0) for oid in oids if oid != ASC.table["greens"].at(1)], 1)
    with pytest.raises(ProtocolError, match="phase 2 is reported in two colours"):
        PhaseStatus.read([VarBind(oid, values[oid] | 2) for oid in oids], 1)
    with pytest.raises(ProtocolError, match="not a number"):
        PhaseStatus.read([VarBind(oid, b"\2") for oid in oids], 1)


def test_unit_status_tells_who_is_in_charge() -> None:
    """Mode, flash, alarms, pattern and dead-man are read; a mode of a later edition counts as other."""
    values = [4, 2, 0x11, 254, 10]
    status = UnitStatus.read([VarBind(oid, value) for oid, value in zip(UnitStatus.ask(), values, strict=True)])
    assert status == UnitStatus(
        ControlStatus.BACKUP, FlashStatus.NOT_FLASH, StatusFlags.COORDINATION | StatusFlags.PREEMPT, FREE, 10
    )
    later = UnitStatus.read(
        [VarBind(oid, value) for oid, value in zip(UnitStatus.ask(), [77, 99, 0, 1, 0], strict=True)]
    )
    assert (later.control, later.flash) == (ControlStatus.OTHER, FlashStatus.OTHER)


def test_timing_is_read_in_seconds() -> None:
    """Minimum green counts seconds, yellow and red clearance tenths."""
    answer = [VarBind(oid, value) for oid, value in zip(PhaseTiming.ask(2), [7, 35, 15, 40, 5, 12], strict=True)]
    assert PhaseTiming.read(answer, 2) == PhaseTiming(7.0, 3.5, 1.5, 40.0, 5.0, 12.0)


def test_detectors_are_read_with_their_faults() -> None:
    """Occupancy counts half percents; from 210 on it is a fault."""
    answer = [VarBind(oid, value) for oid, value in zip(ask_detectors([3, 4]), [12, 55, 0, 210], strict=True)]
    read = read_detectors(answer, [3, 4])
    assert (read[3].volume, read[3].occupancy) == (12, 0.275)
    assert (read[4].occupancy, read[4].fault) == (None, DetectorFault.STUCK_ON)
