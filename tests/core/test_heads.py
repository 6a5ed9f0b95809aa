"""Who can stand at the head of a lane that stalls."""

from __future__ import annotations

import numpy as np
import pytest

from signalwright.core.heads import SETS_OFF, Heads

SHARED, LEFT, AHEAD = 0, 0, 1
"""One lane for both movements."""
USES = np.array([[True, True]])
BOTH, LEFT_ALONE = 0, 1


def heads_of(*stages: tuple[bool, bool]) -> Heads:
    """The lane where these stages let those who turn left and those who go ahead go freely."""
    return Heads(USES, np.array(stages))


def stall(heads: Heads, stage: int) -> None:
    for _ in range(int(SETS_OFF)):
        heads.second(stage, np.array([20.0]))


def test_who_stands_at_an_arrow_for_the_others_goes_ahead() -> None:
    """A lane that stalls while only its left turn is green has one at its head who goes ahead: the stage that is green for him helps."""
    heads = heads_of((False, True), (True, False))
    stall(heads, LEFT_ALONE)
    assert heads.may[SHARED].tolist() == [False, True]
    assert heads.lets_go(SHARED).tolist() == [True, False]
    assert heads.may[SHARED].any()


def test_who_gives_way_turns() -> None:
    """A lane that stalls while those ahead are free and those who turn left give way has a left turner at its head."""
    heads = heads_of((False, True), (True, False))
    stall(heads, BOTH)
    assert heads.may[SHARED].tolist() == [True, False]
    assert heads.lets_go(SHARED).tolist() == [False, True]


def test_who_has_been_let_go_either_way_is_blocked() -> None:
    """Whoever has stood through a stage that lets every way go is blocked, until somebody leaves."""
    heads = heads_of((False, True), (True, False))
    stall(heads, BOTH)
    stall(heads, LEFT_ALONE)
    assert not heads.may[SHARED].any()
    assert not heads.lets_go(SHARED).any()
    heads.second(BOTH, np.array([0.0]))
    assert heads.may[SHARED].any()


@pytest.mark.parametrize("seconds", [1, int(SETS_OFF) - 1])
def test_nobody_is_ruled_out_before_he_could_set_off(seconds: int) -> None:
    """A stage that has just begun tells nothing yet of who stands there."""
    heads = heads_of((False, True), (True, False))
    for _ in range(seconds):
        heads.second(LEFT_ALONE, np.array([20.0]))
    assert heads.may[SHARED].all()
