"""What makes a line cabinet give back, and for how long it keeps away."""

from __future__ import annotations

import pytest

from signalwright.core.ports import Mode
from signalwright.hardware.cabinets.doubts import Doubts
from signalwright.hardware.cabinets.habits import Habits
from signalwright.hardware.cabinets.picture import Picture
from simple_sites import crossing


def picture(now: float, mode: Mode = Mode.REMOTE) -> Picture:
    one = Picture(crossing())
    one.seen, one.mode = now, mode
    return one


def disputed(doubts: Doubts, now: float) -> float:
    """Taken back three times, a second each; returns when we gave up."""
    doubts.begin(now)
    for _ in range(3):
        assert doubts.look(picture(now), True, now, now) is None
        now += 1.0
        said = doubts.look(picture(now, Mode.LOCAL), False, now, now)
    assert said is not None
    assert "second master" in said
    return now


def test_who_loses_a_cabinet_again_and_again_keeps_away_longer_each_time() -> None:
    """5, 10, 20, 40 and then 60 s of hold-off after as many disputes; a minute in peace, and it is 5 s again."""
    doubts, now, waits = Doubts(Habits(hold_off=5.0)), 0.0, []
    for _ in range(6):
        waits.append(doubts.hold_off)
        now = disputed(doubts, now)
    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    doubts.begin(now)
    for second in range(62):
        assert doubts.look(picture(now + second), True, now + second, now + second) is None
    assert doubts.hold_off == 5.0


@pytest.mark.parametrize(
    ("mode", "seen", "asked", "obeyed", "why"),
    [
        (Mode.FLASH, 20.0, 20.0, True, "the cabinet is in flash"),
        (Mode.MANUAL, 20.0, 20.0, True, "the cabinet is in manual"),
        (Mode.REMOTE, 17.9, 20.0, True, "the status is stale"),
        (Mode.REMOTE, 20.0, 16.9, True, "the control loop has stopped"),
        (Mode.LOCAL, 20.0, 20.0, False, "does not confirm our request"),
    ],
)
def test_each_doubt_alone_gives_back(mode: Mode, seen: float, asked: float, obeyed: bool, why: str) -> None:
    """Twenty seconds after the request, one thing wrong each time; it is named."""
    doubts = Doubts(Habits())
    doubts.begin(0.0)
    one = picture(seen, mode)
    assert why in (doubts.look(one, obeyed, 20.0, asked) or "")


def test_it_must_have_been_normal_for_the_whole_hold_off() -> None:
    """Flash in between starts it anew."""
    doubts = Doubts(Habits(hold_off=5.0))
    doubts.watch(Mode.LOCAL, 0.0)
    doubts.watch(Mode.FLASH, 4.0)
    doubts.watch(Mode.LOCAL, 6.0)
    assert not doubts.is_settled(10.9)
    assert doubts.is_settled(11.0)
    doubts.unsettle()
    assert not doubts.is_settled(20.0)
