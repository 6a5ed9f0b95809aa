"""What the look-ahead search believes of a junction where some give way: when they get through, and when they never will."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from signalwright.core.estimate import Estimate
from signalwright.core.heads import SETS_OFF
from signalwright.core.horizon import Horizon
from signalwright.core.intersection import (
    Detector,
    Exit,
    GroupKind,
    Intersection,
    Lane,
    LoopKind,
    Movement,
    SignalGroup,
    Stage,
)
from signalwright.core.shutin import SETTLES
from signalwright.core.stagetables import PASSED, StageTables
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


def walkers(turn: str) -> Intersection:
    """As `left_turn`, with walkers beside the side road's exit whom those from the west give way to; they need 14 s to clear the side
    road's way, vehicles 5 s."""
    site = left_turn()
    move = replace(site.groups[LEFT].movements[0], turn=turn)
    crossing = SignalGroup(
        "N crossing", (Movement("walk", "c0", "c1", (), "crossing"),), GroupKind.PEDESTRIAN, amber=0.0, max_red=None
    )
    groups = (site.groups[0], replace(site.groups[LEFT], movements=(move,)), site.groups[2], crossing)
    stages = (
        Stage("both", frozenset({"E straight", "W left", "N crossing"})),
        Stage("left", frozenset({"W left"})),
        Stage("side", frozenset({"S straight"})),
    )
    conflict = ~np.eye(4, dtype=np.bool_)
    conflict[0, 3] = conflict[3, 0] = False
    yields = np.zeros((4, 4), dtype=np.bool_)
    yields[LEFT, [0, 3]] = True
    intergreen = np.where(conflict, 5.0, 0.0)
    intergreen[3] = 14.0 * conflict[3]
    return replace(site, groups=groups, stages=stages, conflict=conflict, yields=yields, intergreen=intergreen)


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


@pytest.mark.parametrize(("turn", "free"), [("left", 5.0), ("right", 14.0)])
def test_who_waited_for_walkers_goes_as_soon_as_these_have_red(turn: str, free: float) -> None:
    """In a change that waits for walkers to clear, vehicles keep their green meanwhile: who waited for the walkers alone has all of it,
    who waited for oncoming traffic too only what follows that."""
    tables = StageTables(walkers(turn))
    assert tables.freed_for[BOTH, SIDE] == free


def test_what_gets_through_walkers_is_learnt() -> None:
    """Nobody counts walkers, but how many vehicles get past them in green tells."""
    site = walkers("right")
    horizon, state = Horizon(site), seen(site, BOTH)
    horizon.learn(state)
    free = 1.0 / (horizon.steady[0] + horizon.waiting[0])
    for t in range(1, 400):
        state.stage, state.queue[LEFT], state.greened[LEFT], state.departed[LEFT] = BOTH, 3.0, float(t), 0.2 * free
        horizon.watch(state)
    assert horizon.discharge.through[0] == pytest.approx(0.2, rel=0.2)


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


def _turn(horizon: Horizon, state: TrafficState, vehicles: int) -> None:
    """So many go onto the junction to turn left, one a second, while a queue from the east goes straight on."""
    state.queue[0], state.departed = 9.0, np.zeros(len(state.queue))
    state.crossed[LEFT] = 1.0
    for _ in range(vehicles):
        horizon.watch(state)
    state.crossed[LEFT] = 0.0


@pytest.mark.parametrize(("room", "waited_for"), [(np.inf, True), (3.0, True), (2.0, False)])
def test_no_more_wait_on_the_junction_than_find_room_there(room: float, waited_for: bool) -> None:
    """Where two vehicles fit, a count of seven that are still on the junction is an error of loops, and holds no stage back."""
    site = left_turn()
    site = replace(site, lanes=tuple(replace(lane, inside=room) for lane in site.lanes))
    horizon = Horizon(site)
    state = seen(site, BOTH)
    horizon.learn(state)
    _turn(horizon, state, 4)
    skip = np.zeros(3, dtype=np.int32)
    state.inside = 7.0
    horizon._shut_in.forbid(state, skip)
    assert (skip[SIDE] == 2) == waited_for


def test_no_more_wait_on_the_junction_than_went_onto_it_to_turn() -> None:
    """Who waits on the junction came over the stop line of a lane that gives way, in this green, and not all found a gap since."""
    site = left_turn()
    horizon = Horizon(site)
    state = seen(site, BOTH)
    horizon.learn(state)
    state.inside = 7.0
    for vehicles, free, waited_for in ((2, 0, False), (3, 0, True), (0, 20, False)):
        _turn(horizon, state, vehicles)
        state.queue[0] = 0.0
        for _ in range(free):
            horizon.watch(state)
        for _ in range(SETTLES):
            skip = np.zeros(3, dtype=np.int32)
            horizon._shut_in.forbid(state, skip)
        assert (skip[SIDE] == 2) == waited_for


@pytest.mark.parametrize("behind", [0.0, 3.0])
def test_nobody_found_a_gap_while_one_stands_half_over_the_line(behind: float) -> None:
    """Left turners who wait on the junction go when nobody comes against them, but not while the one behind them cannot move."""
    site = left_turn()
    horizon = Horizon(site)
    state = seen(site, BOTH)
    horizon.learn(state)
    _turn(horizon, state, 4)
    state.queue[:] = 0.0
    state.stuck[LEFT] = behind
    for _ in range(20):
        horizon.watch(state)
    skip = np.zeros(3, dtype=np.int32)
    state.inside = np.nan
    horizon._shut_in.forbid(state, skip)
    assert (skip[SIDE] == 2) == (behind > 0.0)
