"""Plans into a cabinet: written, read back, compared, put in force last; refused and cut off at every step."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from line_bench import crossing, plans
from signalwright.core.certify import SafePlan, certify
from signalwright.core.errors import LinkLost, ProtocolError
from signalwright.core.plan import Plan
from signalwright.hardware.cabinets import GbtDriver
from signalwright.hardware.emulator import EmulatedCabinet
from signalwright.hardware.emulator.answers_gbt import GbtAnswers
from signalwright.hardware.emulator.cabinet import Timing
from signalwright.hardware.exchange import LinkSettings
from signalwright.hardware.gbt20999 import DataValue, FrameType, Message, named
from signalwright.hardware.gbt20999.objects import at
from signalwright.hardware.link import Link
from signalwright.hardware.upload import Place, Uploaded, converse, plan_values, upload

SITE = crossing()


def new_plan(offset: int = 7) -> SafePlan:
    return certify(Plan("new", ("B", "D", "C"), (21, 11, 16), offset), SITE)


@dataclass
class Wired:
    """A cabinet at the end of a line that can be cut after so many questions, and that may change what it is sent."""

    answers: GbtAnswers
    cut_after: int = 1 << 30
    change: Callable[[bytes], bytes] = lambda data: data
    asked: int = 0
    sent: list[Message] = field(default_factory=list)
    now: float = 0.0
    _back: bytes = b""

    def read(self) -> bytes:
        data, self._back = self._back, b""
        return data

    def write(self, data: bytes) -> None:
        self.asked += 1
        if self.asked <= self.cut_after:
            self._back += self.answers.receive(self.change(data))

    def run(self, safe: SafePlan, place: Place, **how: Any) -> Uploaded:
        driver = GbtDriver(SITE, controller=7)
        link = Link("elm", driver.dialect, LinkSettings(0, first=0.1, longest=0.5))

        def wait(line: object) -> None:
            self.now += 0.02
            self.answers.cabinet.tick()

        def heard(script: Any) -> Any:
            request = next(script)
            while True:
                if request.type is FrameType.SET:
                    self.sent.append(request)
                try:
                    try:
                        answers = yield request
                    except LinkLost as problem:
                        request = script.throw(problem)
                    else:
                        request = script.send(answers)
                except StopIteration as end:
                    return end.value

        done: Uploaded = converse(
            heard(upload(driver, safe, place, **how)), link, self, lambda: self.now, wait,  # type: ignore[arg-type]
        )  # fmt: skip
        return done


def wired(**how: Any) -> Wired:
    cabinet = EmulatedCabinet(SITE, plans(SITE)[:1], timing=Timing(0.1, 0.1))
    for _ in range(50):
        cabinet.tick()
    return Wired(GbtAnswers(cabinet, controller=7), **how)


def running(one: Wired) -> int:
    plan = one.answers.cabinet.current_plan
    assert plan is not None
    return plan.number


def test_a_plan_is_stored_and_not_run() -> None:
    """Without a schedule the plan lies in the cabinet as it was, to the second, and the old one goes on."""
    one = wired()
    done = one.run(new_plan(), Place(9))
    assert (done.written, done.active) == (["plan 9"], False)
    stored = one.answers.cabinet.plans[9].plan
    assert (stored.plan.stages, stored.plan.greens, stored.plan.offset) == (("B", "D", "C"), (21, 11, 16), 7)
    assert running(one) == 1


def test_a_schedule_puts_it_in_force_with_one_last_byte() -> None:
    """Plan, day plan, schedule in this order; the last frame is one byte; what was before is told."""
    one = wired()
    done = one.run(new_plan(), Place(9, schedule=1))
    assert done.written == ["plan 9", "day plan 2", "schedule 1"]
    assert (done.day_plan, done.before, done.active) == (2, 1, True)
    assert running(one) == 9
    assert [len(value.value) for value in one.sent[-1].values] == [1]


def test_the_times_add_up_to_the_cycle_as_in_the_captured_plan() -> None:
    """Stage times are green and the change after it, so that they sum to the cycle (captured: 29, 31, 29, 31 and 120)."""
    values = plan_values(GbtDriver(SITE, controller=7), new_plan())
    assert sum(values["plan_times"]) == values["plan_cycle"]
    assert values["plan_stages"] == (2, 4, 3)
    assert values["plan_times"] == (21 + 5, 11 + 0, 16 + 5)


def test_a_dry_run_writes_nothing() -> None:
    """Everything is read and checked, what would be written is told, no set frame is sent."""
    one = wired()
    done = one.run(new_plan(), Place(9, schedule=1), dry_run=True)
    assert done.written == ["plan 9", "day plan 2", "schedule 1"]
    assert not done.active
    assert not one.sent
    assert 9 not in one.answers.cabinet.plans


def test_a_line_cut_anywhere_puts_nothing_in_force() -> None:
    """Cut after each question in turn: the old plan runs, unless it was the very last write that got through."""
    whole = wired()
    whole.run(new_plan(), Place(9, schedule=1))
    for cut_after in range(whole.asked):
        one = wired(cut_after=cut_after)
        last_write = whole.asked - 2
        why = "nothing new is in force" if cut_after < last_write else "whether schedule 1 runs day plan 2 is not known"
        with pytest.raises(LinkLost, match=why):
            one.run(new_plan(), Place(9, schedule=1))
        assert running(one) == (9 if cut_after > last_write else 1), cut_after


def test_a_bad_line_ends_in_a_whole_upload_or_none() -> None:
    """With a fifth of all frames damaged, ten times: the plan in force is the whole new one, or the old one."""
    seen = set()
    for seed in range(10):
        chance = random.Random(seed)

        def damage(data: bytes, chance: random.Random = chance) -> bytes:
            if chance.random() > 0.2:
                return data
            place = chance.randrange(len(data))
            return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]

        one = wired(change=damage)
        try:
            one.run(new_plan(), Place(9, schedule=1))
        except ProtocolError:
            assert running(one) in (1, 9)
        seen.add(running(one))
        if 9 in one.answers.cabinet.plans:
            assert one.answers.cabinet.plans[9].plan.plan.greens == (21, 11, 16)
    assert 9 in seen


@pytest.mark.parametrize("name", ["plan_times", "plan_stages", "plan_offset", "day_plan_plans"])
def test_a_cabinet_that_stores_something_else(name: str) -> None:
    """What reads back differently is named with both values, and not put in force."""
    one = wired()
    real = one.answers._reads[name]

    def other(row: int) -> Any:
        value = real(row)
        changed = [*value[:-1], value[-1] + 1] if isinstance(value, list) else value + 1
        return changed if row == (2 if name.startswith("day") else 9) and value != [0] * 48 else value

    one.answers._reads[name] = other
    with pytest.raises(ProtocolError, match=f"{name} was written as .* and reads .*not put in force"):
        one.run(new_plan(), Place(9, schedule=1))
    assert running(one) == 1


def test_only_what_nobody_runs_is_written() -> None:
    """A plan that runs, one a day plan uses, a schedule out of use, a day plan in use or with times: each refused by name."""
    for place, why in (
        (Place(1), "plan 1 runs now"),
        (Place(9, schedule=4), "schedule 4 is not in use: name one of 1"),
        (Place(9, schedule=1, day_plan=1), "day plan 1 is in use"),
        (Place(9, schedule=1, day_plan=99), "day plan 99 is in use, or is not there"),
    ):
        one = wired()
        with pytest.raises(ProtocolError, match=why):
            one.run(new_plan(), place)
        assert not one.sent
    one = wired()
    one.run(new_plan(), Place(9))
    one.answers.book.days[3][0] = 9
    with pytest.raises(ProtocolError, match="plan 9 is used by day plan 3"):
        one.run(new_plan(), Place(9))
    one.answers._reads["day_plan_starts"] = lambda row: bytes(95) + b"\x07"
    with pytest.raises(ProtocolError, match="day plan 2 has times of day in it"):
        one.run(new_plan(), Place(8, schedule=1))


def test_a_cabinet_that_is_not_the_right_one_or_not_in_order() -> None:
    """Other intergreens, other stages, flashing: refused before anything is written."""
    one = wired()
    one.answers.intergreen_unit = 1.0
    with pytest.raises(ProtocolError, match="the intergreen from phase"):
        one.run(new_plan(), Place(9))
    one = wired()
    one.answers.cabinet.flash_switch = True
    one.answers.cabinet.tick()
    with pytest.raises(ProtocolError, match="the cabinet is in flash"):
        one.run(new_plan(), Place(9))
    assert not one.sent


def test_empty_stages_are_filled_first() -> None:
    """A stage the cabinet does not have yet (class 6) is written and read back before the plan; others are left alone."""
    one = wired()
    one.answers.book.empty_stages.add(4)
    done = one.run(new_plan(), Place(9))
    assert done.written == ["stage 4", "plan 9"]
    assert not one.answers.book.empty_stages


def test_the_emulated_cabinet_checks_for_itself() -> None:
    """A plan under a minimum green, one that does not add up, unknown stages, empty schedules: refused, and nothing is kept."""
    answers = wired().answers
    good = plan_values(GbtDriver(SITE, controller=7), new_plan())

    def write(row: int, **change: Any) -> set[FrameType]:
        values = tuple(named(name).put(value, row) for name, value in (good | change).items())
        return {reply.type for reply in answers._answer(Message.of(FrameType.SET, 7, 1, 1, values))}

    times = good["plan_times"]
    short = (10, *times[1:])
    for change in (
        {"plan_times": short, "plan_cycle": sum(short)}, {"plan_cycle": 99}, {"plan_stages": (2, 4, 9)},
        {"plan_offset": 900}, {"plan_junction": 3}, {"plan_times": times[:2]},
    ):  # fmt: skip
        assert write(9, **change) == {FrameType.SET_ERROR}, change
        assert 9 not in answers.cabinet.plans
    assert write(9) == {FrameType.SET_REPLY}
    value = named("schedule_day_plan").put(5, 1)
    (reply,) = answers._answer(Message.of(FrameType.SET, 7, 1, 1, (value,)))
    assert reply.type is FrameType.SET_ERROR


def test_safety_times_can_neither_be_put_nor_are_they_sent() -> None:
    """Minimum greens, ambers, conflicts, intergreens: refused by construction, and no set frame of an upload has one."""
    for name in (
        "min_green",
        "losing_time_1",
        "losing_time_2",
        "conflicts",
        "intergreens",
        "transitions",
        "max_green_1",
    ):
        with pytest.raises(ProtocolError, match="is never written by this program"):
            named(name).put(1, 1)
    one = wired()
    one.answers.book.empty_stages.add(4)
    one.run(new_plan(), Place(9, schedule=1))
    written = {thing.name for request in one.sent for value in request.values if (thing := at(value.id))}
    assert written == {
        "stage_phases", "plan_junction", "plan_cycle", "plan_coordination", "plan_offset", "plan_stages", "plan_times",
        "plan_occurrence", "day_plan_junction", "day_plan_plans", "day_plan_modes", "schedule_day_plan",
    }  # fmt: skip
    forged = Message.of(FrameType.SET, 7, 1, 1, (DataValue(named("min_green").ask(1).id, b"\0\1"),))
    assert {reply.type for reply in one.answers._answer(forged)} == {FrameType.SET_ERROR}


def test_the_plan_that_was_uploaded_is_the_plan_that_runs() -> None:
    """A day later the stages come when the certified plan says, second by second."""
    one = wired()
    safe = new_plan()
    one.run(safe, Place(9, schedule=1))
    cabinet = one.answers.cabinet
    stored = cabinet.plans[9].plan
    assert replace(stored.plan, name="new") == safe.plan
    assert [stored.stage_at(t) for t in range(200)] == [safe.stage_at(t) for t in range(200)]
    for _ in range(3000):
        cabinet.tick()
    assert cabinet.monitor.fault is None
