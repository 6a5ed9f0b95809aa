"""Queues and arrivals from loops: what is counted in is somewhere, and what is seen at the stop line is believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from signalwright.core.aspects import Aspects
from signalwright.core.counts import Counts
from signalwright.core.coverage import SPACE, STRAY
from signalwright.core.estimate import Estimate
from signalwright.core.intersection import LoopKind
from signalwright.core.kernels import book
from signalwright.core.kernels.account import LEAKY, SLIPPERY
from signalwright.core.kernels.book import REMEMBERED
from simple_sites import crossing, quiet, seen, status


def _expected(estimate: Estimate) -> npt.NDArray[np.float64]:
    total: npt.NDArray[np.float64] = (
        estimate.far.sum(axis=1) + estimate.near.sum(axis=1) + estimate.queue + estimate.upper
    )
    return total


def test_a_vehicle_is_expected_when_it_would_come() -> None:
    """One seen 40 m upstream is due at the stop line in distance over speed, and nowhere else."""
    site = crossing()
    estimate = Estimate(site)
    state = estimate.update(seen(site, 1, {"n_0/advance": 1}), status(1, 0))
    state.arrivals[:, 10:] = 0
    assert state.arrivals[2, :10].sum() == pytest.approx(1.0)
    centre = (np.arange(10) * state.arrivals[2, :10]).sum()
    assert centre + 1 == pytest.approx(40.0 / (0.93 * 14.0), abs=0.6)
    assert state.arrivals[:2, :10].sum() == 0


def test_nobody_is_lost_between_the_loops() -> None:
    """Vehicles that pass entrance and advance loop stand in the queue at red, each once."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 60):
        passing = {}
        if t % 6 == 0 and t < 31:
            passing["n_0/entrance"] = 1
        if t >= 11 and (t - 11) % 6 == 0 and t - 11 < 31 and t > 11:
            passing["n_0/advance"] = 1
        standing = ("n_0/stop",) if t > 21 else ()
        if t == 21:
            passing["n_0/stop"] = 1
        estimate.update(seen(site, t, passing, standing), status(t, 0))
    assert _expected(estimate)[2] == pytest.approx(5.0, abs=0.3)
    assert estimate.state.queue[2] == pytest.approx(5.0, abs=0.3)
    assert estimate.state.calls[1]


def test_a_middle_loop_says_who_comes_to_its_lane() -> None:
    """Whoever an entrance loop expects in two lanes is expected in the one whose middle loop he passes, and nobody twice."""
    site = crossing(middle=("w_0", "w_1"))
    estimate = Estimate(site)
    estimate.update(seen(site, 1, {"w_0/entrance": 1}), status(1, 1))
    for t in range(2, 9):
        state = estimate.update(quiet(site, t), status(t, 1))
    before = state.arrivals[:2, :12].sum(axis=1)
    state = estimate.update(seen(site, 9, {"w_1/middle": 1}), status(9, 1))
    expected = state.arrivals[:2, :12].sum(axis=1)
    assert 0.3 < before[0] == pytest.approx(before[1])
    assert expected[1] == pytest.approx(1.0, abs=0.1)
    for t in range(10, 14):
        state = estimate.update(quiet(site, t), status(t, 1))
    assert state.arrivals[0, :12].sum() == pytest.approx(0.0, abs=0.01)


def test_nobody_is_lost_between_three_loops() -> None:
    """Vehicles that pass entrance, middle and advance loop stand in the queue at red, each once."""
    site = crossing(middle=("n_0",))
    estimate = Estimate(site)
    for t in range(1, 60):
        passing = {f"n_0/{loop}": 1 for loop, first in (("entrance", 6), ("middle", 14), ("advance", 17))
                   if first <= t < first + 30 and (t - first) % 6 == 0}  # fmt: skip
        standing = ("n_0/stop",) if t > 21 else ()
        if t == 21:
            passing["n_0/stop"] = 1
        estimate.update(seen(site, t, passing, standing), status(t, 0))
    assert estimate.state.queue[2] == pytest.approx(5.0, abs=0.3)
    assert estimate.mid[2].sum() == pytest.approx(0.0, abs=0.3)


def test_the_queue_leaves_by_the_stop_line() -> None:
    """Each departure takes one from the queue, also of one that stood on the loop; a queue that is gone is zero."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 20):
        passing = {"w_0/advance": 1} if t in (2, 4, 6) else {"w_0/stop": 1} if t == 7 else {}
        estimate.update(seen(site, t, passing, ("w_0/stop",) if t > 7 else ()), status(t, 1))
    assert estimate.state.queue[0] == pytest.approx(3.0 * (1.0 - STRAY), abs=0.05)
    left = 0.0
    for t in range(20, 34):
        estimate.update(seen(site, t, {"w_0/stop": 1} if t in (22, 24) else {}), status(t, 0))
        left += estimate.departed[0]
    assert left == 3.0
    assert estimate.state.queue[0] == 0.0


def test_an_empty_green_stop_line_heals_the_count() -> None:
    """What was counted in and never came is forgotten after some seconds of a green that nobody uses."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 12):
        estimate.update(seen(site, t, {"n_0/advance": 1}), status(t, 0))
    assert estimate.state.queue[2] >= 0.0
    for t in range(12, 26):
        estimate.update(quiet(site, t), status(t, 1))
    assert estimate.state.queue[2] == 0.0


def test_a_queue_over_the_advance_loop_is_at_least_as_long() -> None:
    """An advance loop that stands occupied while somebody waits at the stop line means a full stretch between."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 12):
        estimate.update(seen(site, t, {}, ("n_0/advance", "n_0/stop")), status(t, 0))
    assert estimate.state.queue[2] >= 40.0 / 7.0 - 0.01


def test_who_has_left_is_not_looked_for_before_those_who_still_stand() -> None:
    """While a queue sets off its last still stand on the advance loop when its first are gone: the stretch between is not full then."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 12):
        estimate.update(seen(site, t, {}, ("n_0/advance", "n_0/stop")), status(t, 0))
    for t in range(12, 19):
        estimate.update(seen(site, t, {"n_0/stop": t % 2}, ("n_0/advance",)), status(t, 1))
    assert 2.5 <= estimate.state.queue[2] <= 4.0


def test_who_changes_lanes_below_the_advance_loop_is_learnt() -> None:
    """Where every third vehicle over a lane's advance loop leaves by the lane beside, that lane comes to expect it."""
    site = crossing()
    estimate = Estimate(site)
    rng = np.random.default_rng(1)
    under_way: list[tuple[int, str]] = []
    for t in range(1, 5400):
        passing: dict[str, int] = {f"{lane}/stop": 1 for due, lane in under_way if due == t}
        for lane in ("w_0", "w_1"):
            if rng.random() < (0.12 if t // 120 % 2 == int(lane == "w_1") else 0.02):
                passing[f"{lane}/advance"] = 1
                under_way.append((t + 3, "w_1" if lane == "w_0" and rng.random() < 0.33 else lane))
        estimate.update(seen(site, t, passing), status(t, 0))
    row = [d.name for d in site.detectors].index("w_0/advance")
    links = range(int(estimate.link[row]), int(estimate.link[row + 1]))
    share = {int(estimate.lane_of[k]): float(estimate.share[k]) for k in links}
    assert 0.2 < share[1] < 0.45
    assert share[0] + share[1] == pytest.approx(1.0, abs=0.05)


def test_an_approach_loses_nobody_who_changes_lanes() -> None:
    """Of six who come over one lane's advance loop some wait in the lane beside: six are there, and when all have left by both, nobody."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 50):
        passing = {"w_0/advance": 1} if t in (12, 15, 18, 21, 24, 27) else {}
        standing = ("w_0/stop",) * (t > 16) + ("w_1/stop",) * (t > 19)
        passing |= {f"{lane}/stop": 1 for lane, first in (("w_0", 16), ("w_1", 19)) if t == first}
        state = estimate.update(seen(site, t, passing, standing), status(t, 1))
    assert state.queue[:2].sum() == pytest.approx(6.0, abs=1e-6)
    there = {}
    for t in range(50, 56):
        passing = {"w_0/stop": 1, "w_1/stop": 1} if t in (52, 54) else {}
        there[t] = estimate.update(seen(site, t, passing), status(t, 0)).queue[:2].sum()
    assert [there[t] for t in (50, 52, 54)] == pytest.approx([4.0, 2.0, 0.0], abs=1e-6)


@pytest.mark.parametrize("off", [0.1, 0.33])
def test_an_approach_people_leave_between_its_loops_has_no_account(off: float) -> None:
    """Where some turn off below the advance loop, what the account was set right by says so, or a loop is doubted; there is no queue."""
    site = crossing()
    estimate = Estimate(site)
    rng = np.random.default_rng(2)
    due: list[int] = []
    phantom = 0.0
    for t in range(1, 1800):
        passing = {"n_0/stop": 1} if t in due else {}
        if t % 60 < 40 and rng.random() < 0.25:
            passing["n_0/advance"] = 1
            due += [t + 4] * (rng.random() >= off)
        state = estimate.update(seen(site, t, passing), status(t, 1))
        phantom = max(phantom, state.queue[2]) if t > 600 else 0.0
    assert estimate.lanes[book.SLIPS, 1] > SLIPPERY or not state.trust.all()
    assert phantom < 3.0


@pytest.mark.parametrize(("below", "there"), [(0, 3.0), (2, 40.0 / SPACE)])
def test_an_account_that_loses_some_still_says_how_many_there_are_at_most(below: int, there: float) -> None:
    """Where every fourth one turns off on the way, three who stand back to the advance loop with a gap between them are three; where
    others besides begin their trip below that loop, nobody knows, and the road is full."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 400):
        passing = (
            {"n_0/advance": 1} if t % 16 == 1 and t < 380 else {"n_0/stop": 1} if t % 16 == 5 and t % 64 > 5 else {}
        )
        passing |= {"n_0/stop": 1} if t in (300, 364)[:below] else {}
        state = estimate.update(seen(site, t, passing), status(t, 1))
    assert estimate.lanes[book.SLIPS, 1] > SLIPPERY
    assert (estimate.lanes[book.LACKS, 1] > LEAKY) == (below > 0)
    assert estimate.lanes[book.ACCOUNT, 1] == 0.0
    assert state.trust.all()
    for t in range(400, 430):
        passing = {"n_0/advance": 1} if t in (401, 404, 407) else {"n_0/stop": 1} if t == 405 else {}
        standing = ("n_0/stop",) * (t > 405) + ("n_0/advance",) * (t > 407)
        state = estimate.update(seen(site, t, passing, standing), status(t, 0))
    assert estimate.lanes[book.STORAGE, 2] > 5.0
    assert state.queue[2] == pytest.approx(there, abs=0.01)


def test_standing_upstream_of_an_empty_stop_line_is_no_queue() -> None:
    """An occupied advance loop with nobody at the stop line is held up elsewhere: green would serve nobody."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 40):
        estimate.update(seen(site, t, {}, ("n_0/advance",)), status(t, 1))
    assert estimate.state.queue[2] == 0.0


def test_a_queue_over_an_entrance_loop_is_that_of_the_lane_that_stands() -> None:
    """Where one of two lanes stands up to its advance loop and the other is free, all who fill the road behind wait for the first."""
    site = crossing()
    estimate = Estimate(site)
    links = [k for d, name in enumerate(d.name for d in site.detectors) if name == "w_0/entrance"
             for k in range(estimate.link[d], estimate.link[d + 1])]  # fmt: skip
    whole = {int(estimate.lane_of[k]): estimate.links[book.HEAD, k] for k in links}
    assert set(whole) == {0, 1}
    standing = ("w_0/stop", "w_0/advance", "w_0/entrance")
    for t in range(1, 20):
        state = estimate.update(seen(site, t, {}, standing), status(t, 1))
    assert estimate.lanes[book.UPPER, 0] == pytest.approx(whole[0])
    assert estimate.lanes[book.UPPER, 1] == 0.0
    assert state.queue[1] == 0.0
    for t in range(20, 30):
        estimate.update(seen(site, t, {}, (*standing, "w_1/stop", "w_1/advance")), status(t, 1))
    assert 0.0 < estimate.lanes[book.UPPER, 1] < whole[1]


def test_a_green_that_nobody_leaves_by_is_blocked() -> None:
    """A vehicle that stands at green closes its lane; the first that leaves opens it."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 20):
        state = estimate.update(seen(site, t, {}, ("n_0/stop",)), status(t, 1))
    assert state.closed[2] >= 8.0
    state = estimate.update(quiet(site, 20), status(20, 1))
    state = estimate.update(seen(site, 21, {"n_0/stop": 1}), status(21, 1))
    assert state.closed[2] == 0.0


def test_a_full_exit_closes_the_lanes_that_lead_there() -> None:
    """Where the loop behind the junction stands occupied there is no room, and nothing is expected to leave."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 6):
        state = estimate.update(seen(site, t, {}, ("e_0/exit",)), status(t, 0))
    assert state.room[0] == 0.0
    assert (state.closed[:2] > 0).all()
    assert state.closed[2] == 0.0


@pytest.mark.parametrize(("length", "full"), [(14.0, True), (200.0, False)])
def test_a_short_exit_is_full_as_soon_as_one_of_its_lanes_is(length: float, full: bool) -> None:
    """Where two vehicles fill a lane behind the junction nobody gets round them; on a longer road they may."""
    site = crossing()
    exits = (replace(site.exits[0], length=length, lanes=2), site.exits[1])
    beside = replace(next(d for d in site.detectors if d.name == "e_0/exit"), name="e_1/exit", lane="e_1")
    estimate = Estimate(replace(site, exits=exits, detectors=(*site.detectors, beside)))
    for t in range(1, 6):
        state = estimate.update(seen(estimate.site, t, {}, ("e_0/exit",)), status(t, 0))
    assert (state.room[0] == 0.0) == full
    assert bool((state.closed[:2] > 0).all()) == full


def test_no_more_are_thought_to_wait_than_the_lane_holds() -> None:
    """A link between two lights too short for loops upstream: somebody may always have come, but never more than fit there."""
    site = crossing()
    short = replace(site.lanes[2], length=12.0, chain=12.0)
    loops = tuple(d for d in site.detectors if "n_0" not in d.lanes or d.kind is LoopKind.STOP)
    estimate = Estimate(replace(site, lanes=(*site.lanes[:2], short), detectors=loops))
    for t in range(1, 200):
        state = estimate.update(seen(estimate.site, t, {}, ("n_0/stop",)), status(t, 0))
    assert 1.0 <= state.queue[2] <= 12.0 / SPACE + 1.0


def test_a_stub_behind_the_junction_is_not_full() -> None:
    """Nets have roads of a few centimetres between two nodes: who drives over one stands on the next, so it takes vehicles like any other
    until its loop stands occupied."""
    site = crossing()
    estimate = Estimate(replace(site, exits=(replace(site.exits[0], length=0.2), site.exits[1])))
    state = estimate.update(quiet(site, 1), status(1, 0))
    assert state.room[0] >= 1.0
    assert (state.closed == 0.0).all()


def test_who_stops_on_the_loop_after_all_has_not_left() -> None:
    """Where one movement of a lane is green and another red, one who came over the stop loop may yet stop on it: he stands there again,
    and leaves once. Among those on the junction he counts from when he first came over the loop, for he may stand half on it."""
    site = crossing()
    estimate = Estimate(site)
    estimate.update(quiet(site, 1), status(1, 0))
    left, crossed = [], []
    for t, (passing, standing) in enumerate(
        [({"w_0/stop": 1}, ()), ({}, ("w_0/stop",)), ({}, ("w_0/stop",)), ({}, ("w_0/stop",)), ({}, ())], start=2
    ):
        state = estimate.update(seen(site, t, passing, standing), status(t, 0))
        left.append(float(state.departed[0]))
        crossed.append(float(state.crossed[0]))
        if t == 5:
            assert state.queue[0] >= 1.0
    assert left == [1.0, 0.0, -1.0, 0.0, 1.0]
    assert crossed == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_lane_shares_are_learnt() -> None:
    """Drivers of one entrance loop who always come to the other lane are expected there after some minutes."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 1500):
        passing = {"w_0/entrance": 1} if t % 7 == 0 else {}
        if t % 7 == 4 and t > 11:
            passing["w_1/advance"] = 1
        if t % 7 == 0 and t > 14:
            passing["w_1/stop"] = 1
        estimate.update(seen(site, t, passing), status(t, 0))
    row = [d.name for d in site.detectors].index("w_0/entrance")
    share = dict(
        zip(
            estimate.lane_of[estimate.link[row] : estimate.link[row + 1]],
            estimate.share[estimate.link[row] :],
            strict=False,
        )
    )
    assert share[1] > 0.8
    assert share[0] < 0.1


def test_a_loop_no_longer_believed_holds_no_lane_for_blocked() -> None:
    """A lane whose stop-line loop stands occupied through its green is held for blocked only until that loop is found stuck."""
    site = crossing()
    estimate = Estimate(site)
    blocked = []
    for t in range(1, 120):
        came = {"n_0/advance": 1} if t % 5 == 0 else {}
        state = estimate.update(seen(site, t, came, ("n_0/stop",)), status(t, t // 15 % 2))
        blocked.append(state.closed[2] > 0.0)
    assert any(blocked)
    assert state.notes == {"n_0/stop": "stuck on"}
    assert not blocked[-1]


def test_nothing_is_learnt_from_an_advance_loop_that_fails() -> None:
    """Once its advance loop is found dead, a lane gets from its middle loop what was assumed at first, and keeps it."""
    site = crossing(middle=("n_0",))
    estimate = Estimate(site)
    row = estimate.link[[d.name for d in site.detectors].index("n_0/middle")]
    first = float(estimate.share[row])
    for t in range(1, 900):
        passing = {"n_0/middle": 1} if t % 8 == 0 else {"n_0/stop": 1} if t % 8 == 6 else {}
        if t == 150:
            lately = float(estimate.share[row])
        estimate.update(seen(site, t, passing), status(t, 1))
    assert estimate.state.notes == {"n_0/advance": "stuck off"}
    assert lately < 0.9 * first
    assert estimate.share[row] == pytest.approx(first)


def test_nothing_is_learnt_from_a_stop_line_that_fails() -> None:
    """Once its stop line is found dull, a lane gets from its advance loop what was assumed at first: it is not half as many who come."""
    site = crossing()
    estimate = Estimate(site)
    row = estimate.link[[d.name for d in site.detectors].index("n_0/advance")]
    first, least = float(estimate.share[row]), 1.0
    for t in range(1, 900):
        passing = {"n_0/advance": 1} if t % 8 == 0 else {"n_0/stop": 1} if t % 24 == 6 else {}
        state = estimate.update(seen(site, t, passing), status(t, 1))
        least = min(least, float(estimate.share[row]))
    assert state.notes == {"n_0/stop": "dull"}
    assert least < 0.8 * first
    assert estimate.share[row] == pytest.approx(first)


def test_what_other_lanes_do_not_take_is_left_to_a_lane_without_loops() -> None:
    """Of an entrance's vehicles few come over the one advance loop that works: the others come by the lane whose does not."""
    site = crossing()
    estimate = Estimate(site)
    names = [d.name for d in site.detectors]
    row = names.index("w_0/entrance")
    links = slice(estimate.link[row], estimate.link[row + 1])
    first = estimate.share[links].sum()
    for t in range(1, 1200):
        passing = {"w_0/entrance": 1} if t % 5 == 0 else {"w_1/advance": 1} if t % 50 == 17 else {}
        counts = seen(site, t, passing)
        counts.fault[names.index("w_0/advance")] = True
        estimate.update(counts, status(t, 0))
    share = dict(zip(estimate.lane_of[links].tolist(), estimate.share[links].tolist(), strict=True))
    assert share[1] < 0.2 * first
    assert share[0] + share[1] == pytest.approx(first)


def test_a_turn_that_gives_way_leaves_slower_where_no_loop_tells() -> None:
    """Without its stop line a lane of one turn is thought to discharge at half its rate where it gives way."""
    left = []
    for gives_way in (False, True):
        plain = crossing()
        turn = replace(plain.groups[1].movements[0], turn="left")
        groups = (plain.groups[0], replace(plain.groups[1], movements=(turn,)))
        site = replace(plain, groups=groups, yields=np.array([[False, False], [gives_way, False]]))
        estimate, counts = Estimate(site), quiet(site, 1)
        counts.fault[[d.name for d in site.detectors].index("n_0/stop")] = True
        estimate.queue[2] = 5.0
        for t in range(1, 9):
            both = Aspects(np.full(2, 2, dtype=np.int8))
            estimate.update(
                Counts(t, 1.0, counts.vehicles, counts.occupancy, counts.fault), replace(status(t, 1), aspects=both)
            )
        left.append(5.0 - estimate.queue[2])
    assert left[1] == pytest.approx(0.5 * left[0])


def test_a_loop_beside_does_not_stand_in_for_a_lanes_own() -> None:
    """A lane whose advance loop fails is not checked by that of the lane beside, though some change lanes; nor does that see for it."""
    site = crossing()
    estimate = Estimate(site)
    estimate.update(quiet(site, 1), status(1, 0))
    assert estimate.lanes[book.CHECKED].tolist() == [1.0, 1.0, 1.0]
    names = [d.name for d in site.detectors]
    counts = quiet(site, 2)
    counts.fault[names.index("w_0/advance")] = True
    estimate.update(counts, status(2, 0))
    assert estimate.lanes[book.CHECKED].tolist() == [0.0, 1.0, 1.0]
    counts.fault[[names.index("w_0/entrance"), names.index("w_1/entrance")]] = True
    state = estimate.update(counts, status(3, 0))
    assert state.sight[0] == 0.0 < state.sight[1]


@pytest.mark.parametrize("missed", [0, 5, 20])
def test_where_loops_miss_many_nobody_can_tell_who_is_inside(missed: int) -> None:
    """Who does not come out is inside, also where the loops behind the junction have long missed one in twenty; where it is one in five,
    that cannot be told."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 481):
        out = {"e_0/exit": 1} if t % 4 == 1 and not (missed and t // 4 % missed == 0) else {}
        estimate.update(seen(site, t, ({"w_0/stop": 1} if t % 4 == 0 else {}) | out), status(t, 0))
    for t in range(481, 505):
        came = {"w_0/stop": 1} if t % 2 == 0 and t < 481 + 12 else {}
        state = estimate.update(seen(site, t, came), status(t, 0))
    assert state.inside == pytest.approx(np.nan if missed == 5 else 7.0, abs=0.5, nan_ok=True)


def test_who_was_not_counted_out_is_not_inside_for_long() -> None:
    """A loop behind the junction that misses one in twenty makes nobody seem to stand there for more than half of the time."""
    site = crossing()
    estimate, standing = Estimate(site), 0
    for t in range(1, 2401):
        out = {"e_0/exit": 1} if t % 4 == 1 and t // 4 % 20 else {}
        state = estimate.update(seen(site, t, ({"w_0/stop": 1} if t % 4 == 0 else {}) | out), status(t, 0))
        standing += t > 1200 and state.inside >= 0.5
    assert standing <= 600


def test_more_than_can_stand_on_a_junction_are_not_believed() -> None:
    """As long as far more would stand on it than ever do, a loop behind the junction has failed and nobody can tell."""
    site = crossing()
    estimate = Estimate(site)
    inside = [
        estimate.update(seen(site, t, {"w_0/stop": 1} if t % 2 == 0 and t <= 20 else {}), status(t, 0)).inside
        for t in range(1, 31)
    ]
    assert max(seen for seen in inside if not np.isnan(seen)) == pytest.approx(8.0)
    assert np.isnan(inside[-1])


def test_a_queue_that_no_loop_sees_goes_in_its_green() -> None:
    """A lane whose stop and advance loops both fail, and whose queue once reached further up, is empty after a long green."""
    site = crossing()
    estimate = Estimate(site)
    names = [d.name for d in site.detectors]
    for t in range(1, 100):
        counts = seen(
            site, t, {"n_0/entrance": 1} if t % 3 == 0 and t < 60 else {}, ("n_0/entrance",) if t > 60 else ()
        )
        counts.fault[[names.index("n_0/stop"), names.index("n_0/advance")]] = True
        state = estimate.update(counts, status(t, 0))
    assert state.queue[2] > estimate.lanes[book.STORAGE, 2] + 3.0
    for t in range(100, 200):
        counts = quiet(site, t)
        counts.fault[[names.index("n_0/stop"), names.index("n_0/advance")]] = True
        state = estimate.update(counts, status(t, 1))
    assert state.queue[2] < 1.0


def test_nobody_can_tell_who_is_inside_while_a_loop_around_it_fails() -> None:
    """A loop behind the junction that the cabinet reports as failing ends what is known of who stands on it."""
    site = crossing()
    estimate = Estimate(site)
    assert not np.isnan(estimate.update(quiet(site, 1), status(1, 0)).inside)
    counts = quiet(site, 2)
    counts.fault[[d.name for d in site.detectors].index("e_0/exit")] = True
    assert np.isnan(estimate.update(counts, status(2, 0)).inside)


def test_vehicles_that_do_not_come_out_are_inside() -> None:
    """Three that left the stop line and never passed a loop behind it are in the junction some seconds later."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 14):
        state = estimate.update(seen(site, t, {"w_0/stop": 1} if t in (2, 4, 6) else {}), status(t, 0))
    assert state.inside == pytest.approx(3.0)
    for t in range(14, 14 + REMEMBERED):
        state = estimate.update(quiet(site, t), status(t, 0))
    assert state.inside == pytest.approx(0.0)
