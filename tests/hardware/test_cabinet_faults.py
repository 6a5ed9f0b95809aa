"""What can go wrong between a program and a cabinet, each with its safe outcome."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from line_bench import MOVING, PROTOCOLS, Bench, bench, crossing
from signalwright.core.errors import ProtocolError
from signalwright.core.ports import Mode, Refusal
from signalwright.hardware.cabinets import Authority, GbtDriver, LineCabinet
from signalwright.hardware.cabinets.habits import Grip
from signalwright.hardware.emulator.answers_gbt import GbtAnswers
from signalwright.hardware.emulator.answers_ntcip import NtcipAnswers
from signalwright.hardware.emulator.detectors import InputFault
from signalwright.hardware.ntcip import ASC, PduType, SnmpMessage
from signalwright.hardware.ntcip.snmp import Pdu, VarBind


def holding(protocol: str, stage: int = 2) -> Bench:
    """Our request for a stage is in force."""
    one = bench(protocol)
    one.until(lambda: one.host.grip is Grip.WATCHING and one.cabinet.mode is Mode.LOCAL)
    one.until(lambda: one.host.request(stage) is Refusal.NONE and one.host.grip is Grip.HOLDING)
    one.until(lambda: kept(one) and one.cabinet.mode is Mode.REMOTE and one.cabinet.stage == stage)
    one.until(lambda: kept(one) and one.host.status().mode is Mode.REMOTE)
    return one


def kept(one: Bench) -> bool:
    one.host.request(None)
    return True


def keep(one: Bench, seconds: float) -> None:
    for _ in range(round(seconds * 2)):
        kept(one)
        one.run(0.5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_monitor_writes_nothing(protocol: str) -> None:
    """With the authority to monitor, the cabinet is read for a minute and never asked for anything."""
    one = bench(protocol, authority=Authority.MONITOR)
    for _ in range(120):
        one.host.request(1)
        one.host.select(2)
        one.run(0.5)
    assert one.host.grip is Grip.WATCHING
    assert one.cabinet.mode is Mode.LOCAL
    assert not one.cabinet.has_grip
    assert one.cabinet.remote_stage is None
    assert one.host.request(1) in (Refusal.NOT_IN_CONTROL, Refusal.IN_INTERSTAGE, Refusal.NONE)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_plan_is_selected_and_given_back(protocol: str) -> None:
    """With the authority to select plans, plan 2 runs in the middle of the day, and plan 1 again after the release."""
    one = bench(protocol, authority=Authority.PLAN)
    one.until(lambda: one.host.select(2) is Refusal.NONE)
    assert one.host.request(0) is not Refusal.NONE or one.host.stage is None

    def kept_plan() -> bool:
        one.host.select(2)
        return True

    one.until(lambda: kept_plan() and one.host.picture.plan == 2)
    assert one.cabinet.remote_plan == 2
    for _ in range(60):
        kept_plan()
        one.run(0.5)
    assert one.host.grip is Grip.HOLDING
    one.host.release("test")
    one.until(lambda: one.host.grip is Grip.WATCHING)
    one.until(lambda: one.host.picture.plan == 1)


@pytest.mark.parametrize("protocol", ["gbt", "ntcip", "ab3418"])
def test_plans_are_not_changed_again_and_again(protocol: str) -> None:
    """Another plan every second is not followed: what was asked for stands for five minutes, then the other one is asked for once."""
    one = bench(protocol, authority=Authority.PLAN)
    one.until(lambda: one.host.select(2) is Refusal.NONE)
    first = one.now
    for _ in range(290):
        assert one.host.select(1) is Refusal.IN_INTERSTAGE or one.host.select(2) is Refusal.NONE
        one.run(1.0)
    assert one.host.plan == one.cabinet.remote_plan == 2
    one.until(lambda: one.host.select(1) is Refusal.NONE, within=20)
    assert one.now - first >= 299.9
    one.run(2.0)
    assert one.cabinet.remote_plan == 1


def test_ab3418_cannot_move_a_stage() -> None:
    """Asked for a stage over AB 3418, the answer is a refusal and nothing goes out."""
    one = bench("ab3418")
    one.until(lambda: one.host.grip is Grip.WATCHING)
    one.run(10)
    assert one.host.request(1) in (Refusal.NOT_IN_CONTROL, Refusal.IN_INTERSTAGE)
    assert one.host.grip is Grip.WATCHING


@pytest.mark.parametrize("protocol", MOVING)
def test_line_cut_while_holding(protocol: str) -> None:
    """Line cut: the cabinet's dead-man brings back its own plan; the host says the line is lost; after the line is back it
    starts from the beginning, and does not believe its old request still stands."""
    one = holding(protocol)
    one.weather.cut = True
    one.until(lambda: one.cabinet.mode is Mode.LOCAL, within=12)
    one.until(lambda: one.host.link.lost, within=60)
    assert one.host.request(0) is Refusal.LINK
    assert one.host.read().fault.all()
    one.weather.cut = False
    one.until(lambda: one.host.grip is Grip.WATCHING, within=60)
    assert one.host.stage is None
    assert "the line is back" in " ".join(one.notes)
    one.until(lambda: one.host.request(2) is Refusal.NONE)
    assert one.cabinet.monitor.fault is None


@pytest.mark.parametrize("wants", [True, False])
def test_a_pattern_left_behind_is_given_back_or_taken_up_again(wants: bool) -> None:
    """AB 3418 has no dead-man: a pattern stays through a cut of the line. When the line is back it is given back, unless somebody
    who may still wants it."""
    one = bench("ab3418", authority=Authority.PLAN)
    one.until(lambda: one.host.select(2) is Refusal.NONE)
    one.until(lambda: (one.host.select(2), one.host.picture.plan == 2)[1])
    one.weather.cut = True
    one.until(lambda: (one.host.select(2), one.host.grip is Grip.BLIND)[1], within=60)
    assert "what was asked for stays until it is back" in " ".join(one.notes)
    assert not one.host.is_given_back
    one.run(60)
    assert one.cabinet.remote_plan == 2
    if not wants:
        one.host.set_authority(Authority.MONITOR)
    one.weather.cut = False
    one.until(lambda: (one.host.select(2), one.host.is_fresh)[1], within=60)
    for _ in range(40):
        one.host.select(2)
        one.run(0.5)
    assert (one.cabinet.remote_plan == 2) is wants
    assert one.host.is_given_back is not wants
    assert one.host.grip is (Grip.HOLDING if wants else Grip.WATCHING)


@pytest.mark.parametrize("protocol", MOVING)
def test_the_control_loop_stops(protocol: str) -> None:
    """No request for three seconds: everything is given back and confirmed, long before the dead-man."""
    one = holding(protocol)
    one.until(lambda: one.host.grip is Grip.WATCHING, within=6)
    assert one.cabinet.mode is Mode.LOCAL
    assert any("the control loop has stopped" in note for note in one.notes)
    assert any("release confirmed" in note for note in one.notes)


def test_a_release_that_is_not_confirmed_is_an_alarm() -> None:
    """GB/T 20999: the cabinet accepts the release and stays under control: one alarm, and it is asked again until it obeys."""
    one = holding("gbt")
    give_back = one.cabinet.let_go
    one.cabinet.dead_man = 1000.0
    one.cabinet.grip()
    one.cabinet.let_go = lambda: None  # type: ignore[method-assign]
    one.host.release("test")
    keep(one, 30)
    assert one.host.grip is Grip.RELEASING
    assert sum("ALARM" in note for note in one.notes) == 1
    one.cabinet.let_go = give_back  # type: ignore[method-assign]
    one.until(lambda: one.host.grip is Grip.WATCHING, within=10)
    assert one.cabinet.mode is Mode.LOCAL


@pytest.mark.parametrize("protocol", MOVING)
def test_the_whole_program_dies(protocol: str) -> None:
    """Killed while holding: nothing more is sent, and within the dead-man the cabinet runs its own plan."""
    one = holding(protocol)
    for _ in range(110):
        one.cabinet.tick()
        one.answers.tick()
    assert one.cabinet.mode is Mode.LOCAL
    assert one.cabinet.remote_stage is None
    assert one.cabinet.monitor.fault is None


@pytest.mark.parametrize(
    ("trouble", "mode"),
    [("preempt_stage", Mode.PREEMPTION), ("manual_stage", Mode.MANUAL), ("flash_switch", Mode.FLASH)],
)
@pytest.mark.parametrize("protocol", MOVING)
def test_preemption_panel_and_flash_win(protocol: str, trouble: str, mode: Mode) -> None:
    """The cabinet goes its own way at once; we give back, wait until it has been normal for a while, and may ask again."""
    one = holding(protocol)
    setattr(one.cabinet, trouble, True if trouble == "flash_switch" else 0)
    one.until(lambda: kept(one) and one.host.status().mode is mode, within=5)
    assert one.host.request(2) is Refusal.NOT_IN_CONTROL
    one.until(lambda: kept(one) and one.host.grip in (Grip.RELEASING, Grip.WATCHING))
    keep(one, 5)
    assert one.host.stage is None
    setattr(one.cabinet, trouble, False if trouble == "flash_switch" else None)
    one.until(lambda: kept(one) and one.host.status().mode is Mode.LOCAL, within=30)
    normal = one.now
    one.until(lambda: one.host.request(2) is Refusal.NONE, within=60)
    assert one.now - normal >= one.host.habits.hold_off - 0.1
    assert one.cabinet.monitor.fault is None


@pytest.mark.parametrize("protocol", MOVING)
def test_the_cabinet_restarts(protocol: str) -> None:
    """Power cut at the cabinet: it starts by itself, we release, watch, and take hold again only of what we see."""
    one = holding(protocol)
    one.cabinet.reset_monitor()
    one.until(lambda: kept(one) and one.host.status().mode is not Mode.REMOTE, within=5)
    one.until(lambda: kept(one) and one.host.grip is Grip.WATCHING, within=30)
    one.until(lambda: one.host.request(2) is Refusal.NONE, within=60)
    assert one.cabinet.monitor.fault is None


def test_the_wrong_controller_is_never_written() -> None:
    """Another controller's intergreens, or its stages: the difference is named, and nothing is ever sent."""
    site = crossing()
    one = bench("gbt", site)
    other = GbtAnswers(one.cabinet, controller=7, intergreen_unit=1.0)
    one.answers = other
    one.until(lambda: bool(one.notes))
    assert "nothing will be written: the intergreen from phase 1 to" in one.notes[0]
    assert "intergreen_unit_s" in one.notes[0]
    one.run(30)
    assert one.host.grip is Grip.BLIND
    assert one.host.request(2) is Refusal.NOT_IN_CONTROL
    swapped = bench("gbt", site)
    swapped.host = LineCabinet(
        "elm", GbtDriver(site, controller=7, stages=(2, 1, 3, 4)), site, Authority.STAGE, line=swapped.host.line
    )
    swapped.until(lambda: bool(swapped.notes))
    assert "the numbers do not belong together" in swapped.notes[0]


def test_a_controller_without_a_dead_man_is_not_controlled() -> None:
    """NTCIP: a backup time of 0 would keep our last request for ever; we say what to set and ask for nothing."""
    one = bench("ntcip")
    one.cabinet.dead_man = 0.0
    one.until(lambda: one.host.grip is Grip.WATCHING and one.cabinet.mode is Mode.LOCAL)
    one.run(10)
    one.until(
        lambda: one.host.request(2) is Refusal.NOT_IN_CONTROL and bool(one.notes) and "unitBackupTime" in one.notes[-1]
    )
    assert one.cabinet.remote_stage is None


def test_a_wrong_community_is_a_refused_command() -> None:
    """NTCIP: reading works, writing is refused: the command is named as refused and given back."""
    one = bench("ntcip")
    assert isinstance(one.answers, NtcipAnswers)
    one.answers.write_community = b"changed"
    one.until(lambda: one.host.request(2) is Refusal.NONE and one.host.grip is Grip.HOLDING)
    one.until(lambda: any("did not answer" in note or "refused" in note for note in one.notes), within=60)
    assert one.cabinet.mode is not Mode.REMOTE


@pytest.mark.parametrize("protocol", MOVING)
def test_broken_loops_are_reported_as_such(protocol: str) -> None:
    """A loop the cabinet knows to be stuck is a faulty loop in the counts; the others go on counting."""
    one = bench(protocol)
    one.until(lambda: one.host.grip is Grip.WATCHING)
    one.cabinet.inputs.faults[1] = InputFault.STUCK_ON
    one.run(3)
    one.host.read()
    total = np.zeros(4, dtype=np.int64)
    passed = 0
    for second in range(60):
        if second % 2 == 0:
            one.cabinet.inputs.set(0, True)
            passed += 1
        one.run(0.5)
        one.cabinet.inputs.set(0, False)
        one.run(0.5)
        counts = one.host.read()
        total += counts.vehicles
        assert counts.fault.tolist() == [False, True, False, False]
    assert abs(int(total[0]) - passed) <= 1
    assert total[2:].sum() == 0


@pytest.mark.parametrize("protocol", MOVING)
def test_lowered_authority_gives_back(protocol: str) -> None:
    """The operator takes the authority away: what is in force is released, and confirmed by the status."""
    one = holding(protocol)
    one.host.set_authority(Authority.ADVISE)
    one.until(lambda: kept(one) and one.host.grip is Grip.WATCHING, within=10)
    assert one.cabinet.mode is Mode.LOCAL
    assert one.host.request(1) is not Refusal.NONE or one.host.stage is None


@pytest.mark.parametrize("protocol", MOVING)
def test_two_masters_end_in_release(protocol: str) -> None:
    """Somebody else sends the cabinet back to its plan while we hold: we notice and give back, and do not fight."""
    one = holding(protocol)
    start = one.now
    while one.host.grip is Grip.HOLDING and one.now - start < 60:
        if one.cabinet.mode is Mode.REMOTE and one.now % 1.3 < 0.02:
            one.cabinet.let_go()
        kept(one)
        one.step()
    assert one.host.grip is not Grip.HOLDING
    assert any("is there a second master?" in note for note in one.notes)


@pytest.mark.parametrize("protocol", ["gbt", "ntcip"])
@pytest.mark.parametrize("kind", ["loss", "flip", "double", "half", "swap", "noise", "late", "copy"])
def test_a_bad_line_never_moves_a_lamp_wrongly(protocol: str, kind: str) -> None:
    """A minute at a tenth of the pieces damaged: no unlawful aspect, and what we asked for is what the cabinet does."""
    one = bench(protocol, seed=3)
    setattr(one.weather, kind, 0.1)
    random_ = random.Random(kind)
    served: set[int] = set()
    asked: set[int] = set()
    one.until(lambda: one.host.grip is Grip.WATCHING and one.cabinet.mode is Mode.LOCAL)
    for _ in range(120):
        wish = random_.randrange(4)
        if one.host.request(wish) is Refusal.NONE and one.host.stage == wish:
            asked.add(wish)
        one.run(0.5)
        if one.cabinet.mode is Mode.REMOTE and one.cabinet.remote_stage is not None:
            assert one.cabinet.remote_stage in asked | {one.cabinet.stage}
            served.add(one.cabinet.stage)
    assert one.cabinet.monitor.fault is None
    assert len(served) >= 2


@pytest.mark.parametrize("protocol", ["gbt", "ntcip"])
def test_killed_at_every_state_of_a_command(protocol: str) -> None:
    """kill -9 at every moment from the request to the confirmed release, half a frame on the wire or none: within its
    dead-man the cabinet runs its own plan, and a new program believes nothing of the old one and writes only when asked."""
    states: set[tuple[str, str, bool]] = set()
    for moment in (0, 1, 2, 3, 5, 14, 30, 46, 47, 48, 50, 80):
        one = bench(protocol)
        one.until(lambda one=one: one.host.grip is Grip.WATCHING and one.cabinet.mode is Mode.LOCAL)  # type: ignore[misc]
        one.until(lambda one=one: one.host.request(2) is Refusal.NONE and one.host.grip is Grip.HOLDING)  # type: ignore[misc]
        for step in range(moment):
            kept(one)
            if step == 45:
                one.host.release("test")
            one.step()
        states.add((one.host.grip.name, one.host.link.state.name, one.host.is_urgent))
        new = bench(protocol).host
        new.authority = Authority.MONITOR
        one.host, one._up = new, one._up[: moment % 3]
        if one._down and moment % 4:
            when, data = one._down.pop()
            one._down.append((when, data[: len(data) // 2]))
        new.now = one.now
        one.run(12)
        assert one.cabinet.mode is Mode.LOCAL
        assert one.cabinet.remote_stage is None
        one.until(lambda one=one: one.host.grip is Grip.WATCHING, within=20)  # type: ignore[misc]
        assert one.host.stage is None
        assert not one.cabinet.has_grip
        assert one.cabinet.monitor.fault is None
    assert {grip for grip, _, _ in states} >= {"HOLDING", "RELEASING", "WATCHING"}
    assert {line for _, line, _ in states} >= {"IDLE", "WAITING"}
    assert {urgent for _, _, urgent in states} == {True, False}


def test_the_controller_is_reprogrammed_under_us() -> None:
    """Intergreens changed at the controller while we hold: noticed within a minute, given back, nothing is written until
    they are those of the site file again."""
    one = holding("gbt")
    assert isinstance(one.answers, GbtAnswers)
    one.answers.intergreen_unit = 1.0
    one.until(lambda: kept(one) and one.host.grip is not Grip.HOLDING, within=one.host.habits.verify + 5)
    assert "nothing will be written: the intergreen from phase" in " ".join(one.notes)
    one.until(lambda: kept(one) and one.host.grip is Grip.BLIND, within=20)
    for _ in range(200):
        assert one.host.request(1) is not Refusal.NONE
        one.run(0.5)
    assert not one.cabinet.has_grip
    one.answers.intergreen_unit = 0.1
    one.until(lambda: one.host.grip is Grip.WATCHING, within=one.host.habits.verify + 5)
    one.until(lambda: one.host.request(2) is Refusal.NONE, within=60)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("minimum_green", 0, "implausible minimum green of 0 s"),
        ("yellow_change", 29, "2.9 s of yellow: less than 3 s"),
        (
            "red_clear",
            20,
            "phase 1 (north-south) has 5 s of yellow and red clearance, the site file an intergreen of 6 s",
        ),
        ("max_phases", 3, "the controller has 3 phases, the site file speaks of phase 4"),
    ],
)
def test_times_that_keep_nobody_safe_are_not_worked_with(name: str, value: int, said: str) -> None:
    """NTCIP 1202: minimum green, yellow and clearance that cannot be, or fall short of the site file: nothing is ever written."""
    one = bench("ntcip")
    assert isinstance(one.answers, NtcipAnswers)
    place = ASC.scalar[name].oid if name in ASC.scalar else ASC.table[name].at(1)
    one.answers._reads[place] = lambda: value
    for _ in range(60):
        one.host.request(1)
        one.run(0.5)
    assert one.host.grip is Grip.BLIND
    assert said in (one.host.picture.trouble or "")
    assert not one.cabinet.has_grip


def test_another_controller_is_put_on_the_line() -> None:
    """Its answers bear another number: the line counts as lost, and it is never asked for anything."""
    one = holding("gbt")
    other = bench("gbt")
    other.run(10)
    one.answers = GbtAnswers(other.cabinet, controller=8)
    keep(one, 60)
    assert one.host.link.lost
    assert not other.cabinet.has_grip
    assert one.cabinet.mode is Mode.LOCAL


@pytest.mark.parametrize("protocol", MOVING)
def test_who_is_there_is_asked_whole(protocol: str) -> None:
    """A line that loses half of everything at the start: nothing is written before every question of identity was answered."""
    one = bench(protocol, loss=0.5, seed=11)
    answered: set[int] = set()
    read = one.host.driver.read

    class Watching:
        def __getattr__(self, name: str) -> Any:
            return getattr(driver, name)

        def read(self, request: Any, *rest: Any) -> None:
            answered.add(id(request))
            read(request, *rest)

    driver = one.host.driver
    wanted = {id(request) for request in one.host.agenda._identity}
    one.host.driver = Watching()
    one.until(lambda: one.host.grip is Grip.WATCHING, within=600)
    assert wanted <= answered


def test_numbers_no_detector_can_report_are_not_believed() -> None:
    """NTCIP: a negative volume or an occupancy beyond a byte is an answer that cannot be believed, not an exception."""
    one = bench("ntcip")
    driver, (request,) = one.host.driver, one.host.driver.counts()
    for bad in (-1, 256):
        values = tuple(VarBind(variable.oid, bad if row else 1) for row, variable in enumerate(request.variables))
        answer = SnmpMessage(b"elm-read", Pdu(PduType.RESPONSE, 1, values))
        with pytest.raises(ProtocolError, match="detector 1 reports"):
            driver.read(request, (answer,), one.host.picture, 1.0)
