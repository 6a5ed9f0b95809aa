"""What is learnt of how queues set off: the start of a green, and the gaps that are used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from signalwright.core.discharge import Discharge
from signalwright.core.estimate import Estimate
from signalwright.core.horizon import Horizon
from signalwright.core.intersection import Intersection, Lane, Movement, SignalGroup, Stage
from signalwright.core.state import TrafficState
from simple_sites import crossing, quiet, status

NONE = np.zeros(0, dtype=np.int64)


def _state(site: Intersection) -> TrafficState:
    return Estimate(site).update(quiet(site, 1), status(1, 0))


def _green(learnt: Discharge, state: TrafficState, loss: int, seconds: int = 20) -> None:
    """One green of lane 0 with nine waiting, who leave one every two seconds after `loss` seconds."""
    state.saturation[0] = 0.5
    state.queue[0] = 9.0
    for second in range(1, seconds + 1):
        state.greened[0] = second
        state.departed[0] = float(second > loss and (second - loss) % 2 == 0)
        state.queue[0] -= state.departed[0]
        learnt.update(state, NONE, NONE, np.zeros(0))
    state.greened[0] = state.departed[0] = 0.0
    learnt.update(state, NONE, NONE, np.zeros(0))


@pytest.mark.parametrize("loss", [0, 2, 6])
def test_the_loss_at_the_start_is_learnt(loss: int) -> None:
    """After ten greens the loss believed is the one there was, within half a second."""
    learnt, state = Discharge(3, 0, 1.0), _state(crossing())
    for _ in range(10):
        _green(learnt, state, loss)
    assert learnt.lost[0] == pytest.approx(loss, abs=0.5)
    assert learnt.lost[1] == 1.0


def test_a_green_without_a_queue_teaches_nothing() -> None:
    """Whoever finds a green with one vehicle waiting leaves the belief alone."""
    learnt, state = Discharge(3, 0, 1.0), _state(crossing())
    state.queue[0], state.greened[0] = 1.0, 1.0
    for second in range(1, 20):
        state.greened[0] = second
        learnt.update(state, NONE, NONE, np.zeros(0))
    assert learnt.lost[0] == 1.0


@pytest.mark.parametrize("factor", [0.25, 2.0])
def test_what_gets_through_gaps_is_learnt(factor: float) -> None:
    """Where more or fewer get through than the rule expects, what is believed goes there; within bounds."""
    learnt, state = Discharge(3, 2, 1.0), _state(crossing())
    state.queue[2], state.greened[2] = 5.0, 10.0
    for _ in range(900):
        state.departed[2] = 0.1 * factor
        learnt.update(state, np.array([2]), np.array([1]), np.array([0.1]))
    assert learnt.through[1] == pytest.approx(factor, rel=0.15)
    assert learnt.through[0] == 1.0


def _opposing() -> Intersection:
    """Two arms that face each other, one lane each for straight on and for each turn, all green together; left gives way."""
    lanes = tuple(Lane(f"{arm}_{k}", 100, 100, 14.0) for arm in "ws" for k in range(3))
    groups = tuple(
        SignalGroup(
            arm.upper(),
            (
                Movement(f"{arm}r", arm, near, (f"{arm}_0",), "right"),
                Movement(f"{arm}s", arm, over, (f"{arm}_1",)),
                Movement(f"{arm}l", arm, far, (f"{arm}_2",), "left"),
            ),
            max_red=None,
        )
        for arm, over, near, far in (("w", "to e", "to s", "to n"), ("s", "to w", "to n", "to s"))
    )
    both = np.array([[False, True], [True, False]])
    return Intersection(
        "Y", groups, (Stage("1", frozenset("WS")),), both, both, np.where(both, 3.0, 0.0), lanes
    )  # fmt: skip


def test_who_turns_to_the_near_side_waits_for_nobody_who_faces_him() -> None:
    """A right turn gives way neither to those who go straight on nor to those who turn left into the same road; a left turn to both."""
    horizon = Horizon(_opposing())
    horizon.learn(_state(_opposing()))
    against = {int(lane): row for lane, row in zip(horizon.giver, horizon.against, strict=True)}
    right, straight, left = 3, 4, 5
    assert sorted(against) == [2, 5]
    assert against[2][straight] > 0
    assert against[2][right] > 0
    assert against[2][left] == 0


def test_who_turns_to_the_near_side_waits_where_the_net_says_so() -> None:
    """Where only the one group gives way its right turn waits for the other's left turn into the same road."""
    site = replace(_opposing(), yields=np.array([[False, True], [False, False]]))
    assert [(int(m), int(k)) for m, k in np.argwhere(site.hindered)] == [(0, 5), (2, 3), (2, 4)]
