"""What the look-ahead search believes of a junction where some give way: when they get through, and when they never will."""

from __future__ import annotations

import numpy as np
import pytest

from signalwright.core.estimate import Estimate
from signalwright.core.heads import SETS_OFF
from signalwright.core.horizon import Horizon
from signalwright.core.intersection import Detector, Exit, Intersection, Lane, LoopKind, Movement, SignalGroup, Stage
from signalwright.core.stagetables import PASSED
from signalwright.core.state import TrafficState
from simple_sites import quiet, status

BOTH, LEFT_ALONE, SIDE = range(3)
LEFT = 1


def left_turn() -> Intersection:
    """Traffic from the east goes straight on; from the west it turns left, giving way, and in a stage of its own; and a side road."""
    lanes = (Lane("e_0", 200, 200, 14.0), Lane("w_0", 200, 200, 14.0), Lane("s_0", 200, 200, 14.0))
    groups = (
        SignalGroup("E straight", (Movement("e->w", "e", "w", ("e_0",)),), max_red=None),
        SignalGroup("W left", (Movement("w->n", "w", "n", ("w_0",), "left"),), max_red=None),
        SignalGroup("S straight", (Movement("s->n", "s", "n", ("s_0",)),), max_red=None),
    )
    loops = [Detector(f"{lane.name}/stop", LoopKind.STOP, lane.name, 197.5, 2.5, (lane.name,)) for lane in lanes]
    conflict = ~np.eye(3, dtype=np.bool_)
    yields = np.zeros((3, 3), dtype=np.bool_)
    yields[1, 0] = True
    stages = (
        Stage("both", frozenset({"E straight", "W left"})),
        Stage("left", frozenset({"W left"})),
        Stage("side", frozenset({"S straight"})),
    )
    exits = (Exit("w", 200, 1, 14.0), Exit("n", 200, 1, 14.0))
    return Intersection("L", groups, stages, conflict, yields, np.where(conflict, 3.0, 0.0), lanes, exits, tuple(loops))


def seen(site: Intersection, stage: int) -> TrafficState:
    """Nobody has come yet."""
    return Estimate(site).update(quiet(site, 1), status(1, stage))


def test_who_gave_way_goes_when_those_facing_have_passed() -> None:
    """In the change from giving way to a stage of their own, left turners hardly get through until the others' amber is over."""
    site = left_turn()
    horizon = Horizon(site)
    horizon.learn(seen(site, BOTH))
    begin, length = int(horizon.begins[BOTH, LEFT_ALONE]), int(horizon.length[BOTH, LEFT_ALONE])
    rates = horizon.rates[begin : begin + length, LEFT]
    whole = horizon.rates[LEFT_ALONE, LEFT]
    hindered = int(site.groups[0].amber + PASSED)
    assert length >= hindered
    assert (rates[:hindered] < 0.2 * whole).all()
    assert rates[hindered:] == pytest.approx(np.full(length - hindered, whole))


def test_a_saturation_flow_is_learnt_where_nobody_hinders() -> None:
    """A queue that gets through at a third of it while it gives way teaches nothing of its saturation flow; one that need not does."""
    site = left_turn()
    rates = {}
    for stage in (BOTH, LEFT_ALONE):
        estimate = Estimate(site)
        for t in range(1, 400):
            counts = quiet(site, t)
            counts.vehicles[LEFT] = 1 if t % 6 == 0 else 0
            counts.occupancy[LEFT] = 0.3 if t % 6 == 0 else 0.9
            estimate.queue[LEFT] = 8.0
            state = estimate.update(counts, status(t, stage))
        rates[stage] = float(state.saturation[LEFT])
    assert rates[BOTH] == pytest.approx(site.lanes[LEFT].saturation_flow / 3600.0)
    assert rates[LEFT_ALONE] < 0.8 * rates[BOTH]


@pytest.mark.parametrize(("stage", "released"), [(BOTH, True), (LEFT_ALONE, False)])
def test_who_stalls_where_nobody_hinders_is_blocked(stage: int, released: bool) -> None:
    """A lane that stalls while it gives way is thought to go in its own stage; one that stalls in that is thought to go in none."""
    site = left_turn()
    horizon = Horizon(site)
    state = seen(site, stage)
    horizon.learn(state)
    state.queue[LEFT], state.stalled[LEFT], state.closed[LEFT] = 6.0, 50.0, 50.0
    for _ in range(int(SETS_OFF)):
        horizon.watch(state)
    horizon.decide(state)
    assert horizon.opens[LEFT] == (0.0 if released else 50.0)
    assert (horizon.rates[BOTH, LEFT] == 0.0) == released
    assert horizon.rates[LEFT_ALONE, LEFT] > 0.0


@pytest.mark.parametrize("behind", [0.0, 3.0])
def test_nobody_found_a_gap_while_one_stands_half_over_the_line(behind: float) -> None:
    """Left turners who wait on the junction go when nobody comes against them, but not while the one behind them cannot move."""
    site = left_turn()
    horizon = Horizon(site)
    state = seen(site, BOTH)
    horizon.learn(state)
    horizon._shut_in.second(BOTH, 4.0, 0.0)
    state.queue[:] = 0.0
    state.stuck[LEFT] = behind
    for _ in range(20):
        horizon.watch(state)
    skip = np.zeros(3, dtype=np.int32)
    state.inside = np.nan
    horizon._shut_in.forbid(state, skip)
    assert (skip[SIDE] == 2) == (behind > 0.0)
