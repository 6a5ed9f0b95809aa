"""The link: questions, answers, and everything that can happen in between, with time handed in."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalwright.core.errors import ProtocolError
from signalwright.hardware import ab3418
from signalwright.hardware.ab3418.dialect import Ab3418Dialect
from signalwright.hardware.exchange import (
    Answered,
    Dialect,
    Event,
    Failed,
    LinkSettings,
    Lost,
    Patience,
    Unasked,
)
from signalwright.hardware.frames import Address, HdlcFrame, HdlcFramer
from signalwright.hardware.frames.gbt import wrap
from signalwright.hardware.frames.hdlc import Control, Protocol
from signalwright.hardware.gbt20999 import DataValue, FrameType, Message, ObjectId, RunMode, named
from signalwright.hardware.gbt20999 import dialect as gbt
from signalwright.hardware.gbt20999.dialect import GbtDialect
from signalwright.hardware.link import TABLE, Action, Input, Link, State
from signalwright.hardware.ntcip import ASC, PduType, SnmpError, SnmpMessage, VarBind
from signalwright.hardware.ntcip import dialect as ntcip
from signalwright.hardware.ntcip.dialect import NtcipDialect
from signalwright.hardware.pattern import Pattern

SETTINGS = LinkSettings(bits_per_second=9600, heartbeat=1e9, first=0.5, tries=3, lost_after=2)
STATUS = ab3418.ShortStatus(frozenset({2, 6}), ab3418.StatusFlags(0), Pattern.plan(3))


def ab_link(**changes: float) -> Link[ab3418.Message, ab3418.Message | ab3418.Refusal]:
    values = {name: getattr(SETTINGS, name) for name in SETTINGS.__dataclass_fields__} | changes
    return Link("elm", Ab3418Dialect(1), LinkSettings(**values))


def from_station(message: ab3418.Message | ab3418.Refusal, station: int = 1) -> bytes:
    return HdlcFrame(Address(station), Control.INFORMATION, Protocol.AB3418, message.to_bytes()).to_bytes()


def kinds(events: list[Event]) -> list[str]:  # type: ignore[type-arg]
    return [type(event).__name__ for event in events]


def test_the_table_is_whole() -> None:
    """Every state can be left, every input and action is used, and waiting always ends by an answer or a deadline."""
    assert {state for state, _ in TABLE} == set(State) == {state for state, _ in TABLE.values()}
    assert {what for _, what in TABLE} == set(Input)
    assert {action for _, action in TABLE.values()} == set(Action)
    assert {what for state, what in TABLE if state is State.WAITING} >= {Input.CLEAN, Input.EXPIRED, Input.EXHAUSTED}


def test_question_and_answer() -> None:
    """A question goes out once, its answer comes back as an event, and the line is free again."""
    link = ab_link()
    link.request(ab3418.GetShortStatus(), 0.0)
    assert not link.free
    assert link.outgoing() == bytes.fromhex("7E0533C084C5F37E")
    assert link.outgoing() == b""
    with pytest.raises(ProtocolError, match="still out"):
        link.request(ab3418.GetShortStatus(), 0.1)
    (event,) = link.receive(from_station(STATUS), 0.1)
    assert event == Answered(ab3418.GetShortStatus(), (STATUS,), 0.1, 1)
    assert link.free


def test_silence_is_asked_again_with_doubled_patience_and_then_failed() -> None:
    """Three tries, each waiting longer; then the question fails, and after two failures the line is lost."""
    link = ab_link()
    sent: list[float] = []
    events: list[tuple[float, str]] = []
    now = 0.0
    link.request(ab3418.GetShortStatus(), now)
    while now < 20:
        if link.outgoing():
            sent.append(now)
        events += [(now, kind) for kind in kinds(link.tick(now))]
        if link.free and len(events) == 1:
            link.request(ab3418.GetShortStatus(), now)
        now = round(now + 0.01, 2)
    first, second, third = sent[:3]
    assert first == 0.0
    assert 0.5 <= second < 0.6
    assert 1.0 <= third - second < 1.1
    assert [name for _, name in events] == ["Failed", "Failed", "Lost"]
    assert link.lost
    assert link.exchanges.failed == 2
    assert link.exchanges.repeated == 4


def test_the_message_of_a_lost_line_names_cabinet_and_remedy() -> None:
    """One clear message: who, how often, what to check."""
    link = ab_link(tries=1, lost_after=1)
    link.request(ab3418.GetShortStatus(), 0.0)
    failed, lost = link.tick(10.0)
    assert isinstance(failed, Failed)
    assert "elm did not answer" in str(failed.error)
    assert isinstance(lost, Lost)
    assert "check power, cable, address, speed and parity" in str(lost.error)


def test_an_answer_restores_a_lost_line() -> None:
    """The first answer after a loss says so before it is handed on."""
    link = ab_link(tries=1, lost_after=1)
    link.request(ab3418.GetShortStatus(), 0.0)
    link.tick(10.0)
    link.tick(20.0)
    link.request(ab3418.GetShortStatus(), 20.0)
    assert kinds(link.receive(from_station(STATUS), 20.1)) == ["Restored", "Answered"]
    assert not link.lost
    assert link.failures == 0


def test_a_late_answer_is_not_taken_for_the_next_questions_answer() -> None:
    """Without numbers on the line: after a failure it is kept quiet, and what arrives then is thrown away."""
    link = ab_link(tries=1)
    old = STATUS
    link.request(ab3418.GetShortStatus(), 0.0)
    link.tick(1.0)
    assert link.state is State.QUIET
    with pytest.raises(ProtocolError):
        link.request(ab3418.GetShortStatus(), 1.01)
    (event,) = link.receive(from_station(old), 1.1)
    assert event == Unasked(old, late=True)
    assert link.exchanges.late == 1
    link.tick(link.due)
    assert link.free


def test_an_answer_after_a_second_try_keeps_the_line_quiet() -> None:
    """Two questions may mean two answers: the second one is thrown away before anything else is asked."""
    link = ab_link()
    link.request(ab3418.GetShortStatus(), 0.0)
    link.tick(link.due)
    assert link.exchanges.repeated == 1
    assert kinds(link.receive(from_station(STATUS), 0.6)) == ["Answered"]
    assert link.state is State.QUIET
    assert kinds(link.receive(from_station(STATUS), 0.65)) == ["Unasked"]


def test_answers_of_other_stations_kinds_and_refusals() -> None:
    """Another station's frame and another question's answer are no answer; a refusal of this question is."""
    link = ab_link()
    link.request(ab3418.SetPattern(Pattern.plan(7)), 0.0)
    assert link.receive(from_station(ab3418.PatternSet(), station=2), 0.05) == []
    assert kinds(link.receive(from_station(STATUS), 0.06)) == ["Unasked"]
    assert kinds(link.receive(from_station(ab3418.Refusal(0x84, ab3418.Reason.GENERAL)), 0.07)) == ["Unasked"]
    refusal = ab3418.Refusal(0x93, ab3418.Reason.BAD_VALUE, 1)
    (event,) = link.receive(from_station(refusal), 0.1)
    assert isinstance(event, Answered)
    assert event.frames == (refusal,)


def test_numbered_answers_that_are_late_are_known_by_their_number() -> None:
    """SNMP: an answer with the number of an earlier question is none, and no quiet time is needed."""
    link = Link("elm", NtcipDialect(b"public", b"private", station=1), SETTINGS)
    oid = ASC.table["greens"].at(1)

    def answer(number: int, value: int) -> bytes:
        question = SnmpMessage.from_bytes(HdlcFramer().feed(asked)[0].body)
        body = question.answer([VarBind(oid, value)]).to_bytes()
        reply = SnmpMessage.from_bytes(body)
        reply = SnmpMessage(reply.community, type(reply.pdu)(PduType.RESPONSE, number, reply.pdu.variables))
        return HdlcFrame(Address(1), Control.INFORMATION, Protocol.SNMP, reply.to_bytes()).to_bytes()

    link.request(ntcip.query(oid), 0.0)
    asked = link.outgoing()
    assert kinds(link.receive(answer(1, 5), 0.1)) == ["Answered"]
    link.request(ntcip.query(oid), 1.0)
    asked = link.outgoing()
    assert kinds(link.receive(answer(1, 5), 1.1)) == ["Unasked"]
    (event,) = link.receive(answer(2, 6), 1.2)
    assert isinstance(event, Answered)
    assert event.frames[0].pdu.variables[0].value == 6
    link.request(ntcip.query(oid), 2.0)
    link.tick(link.due)
    assert kinds(link.receive(answer(3, 7), 3.0)) == ["Answered"]
    assert link.state is State.IDLE


def test_an_snmp_error_is_an_answer() -> None:
    """noSuchName comes back as the answer, for the caller to judge."""
    link = Link("elm", NtcipDialect(b"public", b"private"), SETTINGS)
    link.request(ntcip.query(ASC.scalar["max_phases"].oid), 0.0)
    question = SnmpMessage.from_bytes(link.outgoing())
    reply = question.answer(question.pdu.variables, SnmpError.NO_SUCH_NAME, 1)
    (event,) = link.receive(reply.to_bytes(), 0.1)
    assert isinstance(event, Answered)
    assert event.frames[0].pdu.error is SnmpError.NO_SUCH_NAME


def gbt_link() -> Link[gbt.Request, Message]:
    return Link("elm", GbtDialect(controller=7, junction=1), SETTINGS)


def reply(kind: FrameType, serial: int, *values: DataValue, controller: int = 7) -> bytes:
    return Message.of(kind, controller, 1, serial, values).to_wire()


MODE = named("run_mode").value(RunMode.LOCAL_COORDINATED, 1)
PLAN = named("current_plan").value(3, 1)


def test_a_question_answered_by_two_frames() -> None:
    """Trap: good values come in a reply and refused ones in an error reply; the answer is both."""
    link = gbt_link()
    link.request(gbt.query(named("run_mode").ask(1), named("lamp_state_2").ask(1)), 0.0)
    assert link.receive(reply(FrameType.QUERY_REPLY, 1, MODE), 0.05) == []
    refused = DataValue(named("lamp_state_2").ask(1).id, b"\x30")
    (event,) = link.receive(reply(FrameType.QUERY_ERROR, 1, refused), 0.1)
    assert isinstance(event, Answered)
    assert [frame.is_error for frame in event.frames] == [False, True]


def test_a_controller_that_does_not_echo_the_number() -> None:
    """Trap: the captured controller answered number 1 with number 2; the answer is taken by what it answers."""
    link = gbt_link()
    for now in range(5):
        link.request(gbt.query(named("run_mode").ask(1)), float(now))
        assert kinds(link.receive(reply(FrameType.QUERY_REPLY, 200, MODE), now + 0.1)) == ["Answered"]


def test_a_controller_that_echoes_is_held_to_it_until_it_fails() -> None:
    """After three echoed numbers another number is late; after a failed question it is learned anew."""
    link = gbt_link()
    for now in range(4):
        link.request(gbt.query(named("run_mode").ask(1)), float(now))
        assert kinds(link.receive(reply(FrameType.QUERY_REPLY, now + 1, MODE), now + 0.1)) == ["Answered"]
    link.request(gbt.query(named("run_mode").ask(1)), 10.0)
    assert kinds(link.receive(reply(FrameType.QUERY_REPLY, 4, MODE), 10.1)) == ["Unasked"]
    while not link.free:
        link.tick(link.due)
    link.request(gbt.query(named("run_mode").ask(1)), 30.0)
    assert kinds(link.receive(reply(FrameType.QUERY_REPLY, 4, MODE), 30.1)) == ["Answered"]


def test_answers_to_something_else_are_none() -> None:
    """Another value, another controller, a set's reply to a query: none of them answers."""
    link = gbt_link()
    link.request(gbt.query(named("run_mode").ask(1)), 0.0)
    for wire in (
        reply(FrameType.QUERY_REPLY, 1, PLAN),
        reply(FrameType.QUERY_REPLY, 1, MODE, controller=8),
        reply(FrameType.SET_REPLY, 1, MODE),
        reply(FrameType.REPORT, 1, MODE),
    ):
        assert kinds(link.receive(wire, 0.1)) == ["Unasked"]
    assert kinds(link.receive(reply(FrameType.QUERY_REPLY, 1, MODE), 0.2)) == ["Answered"]


def test_a_set_is_confirmed_with_or_without_its_values() -> None:
    """Whether a set's reply repeats the values is open: both are taken."""
    for values in ((), (named("commanded_stage").value(3, 1),)):
        link = gbt_link()
        link.request(gbt.put(named("commanded_stage").put(3, 1)), 0.0)
        assert kinds(link.receive(reply(FrameType.SET_REPLY, 1, *values), 0.1)) == ["Answered"]


def test_heartbeats_of_both_sides() -> None:
    """Ours goes out when nothing else did for so long and only while we are healthy; theirs is answered."""
    link: Link[gbt.Request, Message] = Link("elm", GbtDialect(controller=7, junction=1), LinkSettings(heartbeat=5.0))
    link.request(gbt.query(named("run_mode").ask(1)), 0.0)
    link.outgoing()
    link.receive(reply(FrameType.QUERY_REPLY, 1, MODE), 0.1)
    link.tick(5.0)
    assert link.outgoing() == b""
    link.tick(5.1)
    beat = Message.from_bytes(GbtDialect(7, 1)._framer.feed(link.outgoing())[0])
    assert beat.type is FrameType.HEARTBEAT
    assert kinds(link.receive(Message(FrameType.HEARTBEAT_REPLY, 7, 1, beat.serial).to_wire(), 5.2)) == ["Answered"]
    link.healthy = False
    link.tick(60.0)
    assert link.outgoing() == b""
    assert kinds(link.receive(Message(FrameType.HEARTBEAT, 7, 1, 99).to_wire(), 61.0)) == ["Unasked"]
    assert Message.from_bytes(GbtDialect(7, 1)._framer.feed(link.outgoing())[0]).type is FrameType.HEARTBEAT_REPLY


def test_patience_is_learned_as_in_rfc_6298() -> None:
    """First sample R: mean R, spread R/2; then 1/8 and 1/4 of the difference, four times the spread."""
    patience = Patience(first=1.0)
    assert patience.wait == 1.0
    patience.learn(0.2)
    assert patience.wait == pytest.approx(0.2 + 4 * 0.1)
    patience.learn(0.4)
    assert patience.mean == pytest.approx(0.2 * 7 / 8 + 0.4 / 8)
    assert patience.spread == pytest.approx(0.1 * 3 / 4 + 0.2 / 4)


def test_patience_follows_the_cabinet_and_never_learns_from_a_repeated_question() -> None:
    """A cabinet that answers in 20 ms is waited for shortly; an ambiguous answer changes nothing (Karn)."""
    link = ab_link()
    now = 0.0
    for _ in range(50):
        link.request(ab3418.GetShortStatus(), now)
        link.receive(from_station(STATUS), now + 0.02 + SETTINGS.wire_time(8 + 11))
        now += 1
    assert link.patience.mean == pytest.approx(0.02, abs=0.002)
    assert link.patience.wait < 0.05
    before = (link.patience.mean, link.patience.spread)
    link.request(ab3418.GetShortStatus(), now)
    link.tick(link.due)
    link.receive(from_station(STATUS), now + 3)
    assert (link.patience.mean, link.patience.spread) == before


def test_a_slow_line_is_given_the_time_its_bytes_take() -> None:
    """At 1200 bit/s an answer of 40 bytes takes 1/3 s: the deadline contains it, whatever was learned."""
    slow = ab_link(bits_per_second=1200, first=0.1)
    slow.request(ab3418.GetLongStatus8(), 0.0)
    assert slow.due >= (8 + 40) * 10 / 1200 + 0.1


def test_bytes_that_trickle_in_put_the_deadline_off_but_not_for_ever() -> None:
    """An answer in pieces is waited for while it comes; a babbling line is cut off after `longest`."""
    link = ab_link(longest=2.0)
    link.request(ab3418.GetShortStatus(), 0.0)
    wire = from_station(STATUS)
    now = 0.45
    for index in range(len(wire) - 1):
        assert link.receive(wire[index : index + 1], now) == []
        assert link.tick(now) == []
        now += 0.04
    assert kinds(link.receive(wire[-1:], now)) == ["Answered"]
    link.request(ab3418.GetShortStatus(), 10.0)
    now = 10.0
    while link.exchanges.repeated == 0:
        now += 0.01
        link.receive(b"\xaa", now)
        link.tick(now)
        assert now < 12.1


def test_reopening_fails_what_was_out_and_forgets_half_a_frame() -> None:
    """After the port was reopened nothing of before is sent or completed."""
    link = ab_link()
    link.request(ab3418.SetPattern(Pattern.plan(3)), 0.0)
    wire = from_station(ab3418.PatternSet())
    link.receive(wire[:4], 0.05)
    assert kinds(link.reset(0.1)) == ["Failed"]
    assert link.outgoing() == b""
    assert link.receive(wire[4:], 0.2) == []
    assert link.state is State.QUIET


class Cabinet:
    """The other end over a line that loses, damages, doubles and delays; numbers its answers in the pattern field."""

    def __init__(self, seed: int, loss: float) -> None:
        self.random = random.Random(seed)
        self.loss = loss
        self.framer = HdlcFramer()
        self.answers = 0
        self.on_the_way: list[tuple[float, bytes]] = []

    def take(self, data: bytes, now: float) -> None:
        for frame in self.framer.feed(self._line(data)):
            assert ab3418.from_bytes(frame.body) == ab3418.GetShortStatus()
            self.answers = self.answers % 250 + 1
            status = ab3418.ShortStatus(frozenset(), ab3418.StatusFlags(0), Pattern.plan(self.answers))
            times = 2 if self.random.random() < self.loss else 1
            arrival = now + self.random.uniform(0.01, 0.05)
            self.on_the_way.append((arrival, self._line(times * from_station(status))))

    def _line(self, data: bytes) -> bytes:
        if self.random.random() < self.loss:
            return b""
        if self.random.random() < self.loss:
            at = self.random.randrange(len(data))
            return data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :]
        return data

    def give(self, now: float) -> bytes:
        ready = [data for when, data in self.on_the_way if when <= now]
        self.on_the_way = [(when, data) for when, data in self.on_the_way if when > now]
        return b"".join(ready)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.05, 0.3]))
def test_a_bad_line_loses_time_but_never_mistakes_an_answer(seed: int, loss: float) -> None:
    """With loss, flips and doubled answers every answer is that to its own question: their numbers only go up."""
    cabinet, link = Cabinet(seed, loss), ab_link(lost_after=10**6)
    answered: list[int] = []
    now = 0.0
    while len(answered) < 40:
        now += 0.005
        assert now < 2000
        if link.free:
            link.request(ab3418.GetShortStatus(), now)
        if data := link.outgoing():
            cabinet.take(data, now)
        for event in [*link.receive(cabinet.give(now), now), *link.tick(now)]:
            if isinstance(event, Answered):
                (frame,) = event.frames
                assert isinstance(frame, ab3418.ShortStatus)
                answered.append(frame.pattern.number)
    assert all(a < b for a, b in itertools.pairwise(answered))
    if loss == 0.0:
        assert link.exchanges.repeated == link.exchanges.failed == 0


def test_broken_contents_are_counted_not_raised() -> None:
    """A frame with a right check sum and senseless content counts as malformed on every protocol."""
    nonsense: list[tuple[Dialect, bytes]] = [  # type: ignore[type-arg]
        (GbtDialect(7, 1), wrap(b"nonsense")),
        (GbtDialect(7, 1, datagrams=True), wrap(b"nonsense", escaped=False)),
        (GbtDialect(7, 1, datagrams=True), b"nonsense"),
        (Ab3418Dialect(1), HdlcFrame(Address(1), Control.INFORMATION, Protocol.AB3418, b"\x42").to_bytes()),
        (NtcipDialect(b"", b"", 1), HdlcFrame(Address(1), Control.INFORMATION, Protocol.SNMP, b"\x42").to_bytes()),
        (NtcipDialect(b"", b""), b"\x42"),
    ]
    for dialect, wire in nonsense:
        assert dialect.feed(wire) == []
        assert (dialect.statistics.good, dialect.statistics.malformed) == (0, 1)
        assert dialect.statistics.error_rate == 1.0


def test_private_objects_can_be_asked() -> None:
    """A maker's own class goes through like any other."""
    link = gbt_link()
    link.request(gbt.query(DataValue(ObjectId(200, 1, 0, 0))), 0.0)
    answer = DataValue(ObjectId(200, 1, 3, 1), b"abc")
    (event,) = link.receive(reply(FrameType.QUERY_REPLY, 1, answer), 0.1)
    assert isinstance(event, Answered)
    assert event.frames[0].values[0].value == b"abc"
