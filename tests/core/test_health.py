"""Faulty loops are found, healthy ones are left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from naive_health import NaiveHealth
from signalwright.core.counts import Counts
from signalwright.core.estimate import Estimate
from signalwright.core.health import OVER, UNPROVED, Fault, Health
from signalwright.core.intersection import Intersection, LoopKind
from simple_sites import crossing, quiet, seen, status

GREEN_WEST = np.array([True, True, False])


def _row(site: Intersection, name: str) -> int:
    return [d.name for d in site.detectors].index(name)


def test_ordinary_traffic_raises_no_alarm() -> None:
    """An hour of Poisson traffic, the vehicles of each lane seen by each of its loops, leaves every loop believed."""
    site = crossing()
    health, rng = Health(site), np.random.default_rng(4)
    for t in range(3600):
        passing: dict[str, int] = {}
        for lane, out in (("w_0", "e"), ("w_1", "e"), ("n_0", "s")):
            if rng.random() < 0.1:
                passing |= {f"{lane}/{kind}": 1 for kind in ("stop", "advance", "entrance")} | {f"{out}_0/exit": 1}
        trust = health.update(seen(site, t, passing), GREEN_WEST)
        assert trust.all(), health.notes()


def test_a_reported_fault_counts_at_once() -> None:
    """What the cabinet says of its own loop is believed."""
    site = crossing()
    health = Health(site)
    counts = quiet(site, 1)
    fault = counts.fault.copy()
    fault[3] = True
    trust = health.update(Counts(1, 1.0, counts.vehicles, counts.occupancy, fault), GREEN_WEST)
    assert trust[3] == 0.0
    assert health.notes() == {site.detectors[3].name: "reported"}


def test_a_loop_stuck_on_is_found_sooner_at_green() -> None:
    """Five minutes of unbroken occupancy are a fault; a minute is, at a green where others move."""
    site = crossing()
    health = Health(site)
    for t in range(61):
        health.update(seen(site, t, {"e_0/exit": 1}, ("w_0/stop", "n_0/stop")), GREEN_WEST)
    assert health.fault[_row(site, "w_0/stop")] == Fault.STUCK_ON
    assert health.fault[_row(site, "n_0/stop")] == Fault.NONE
    for t in range(61, 310):
        health.update(seen(site, t, {}, ("n_0/stop",)), GREEN_WEST)
    assert health.fault[_row(site, "n_0/stop")] == Fault.STUCK_ON


def test_a_loop_stuck_on_is_found_by_who_passes_it() -> None:
    """A stop-line loop that stands occupied while more vehicles come over the advance loop than fit between the two is stuck; in
    as long a queue as does fit nobody is."""
    site = crossing()
    health = Health(site)
    fit = -(-37.5 // 7.0)
    for t in range(200):
        came = {"n_0/advance": 1} if t % 10 == 5 and t < 10 * (fit + OVER) else {}
        health.update(seen(site, t, came, ("n_0/stop",)), GREEN_WEST)
        if t == 10 * (fit + OVER - 1):
            assert health.fault[_row(site, "n_0/stop")] == Fault.NONE
    assert health.fault[_row(site, "n_0/stop")] == Fault.STUCK_ON


def test_a_dead_loop_is_found_by_its_partner() -> None:
    """A stop-line loop that sees none of the vehicles its advance loop sees is dead, and believed again once it lives."""
    site = crossing()
    health = Health(site)
    row = _row(site, "n_0/stop")
    for t in range(300):
        health.update(seen(site, t, {"n_0/advance": 1} if t % 10 == 0 else {}), GREEN_WEST)
    assert health.fault[row] == Fault.STUCK_OFF
    for t in range(300, 310):
        health.update(seen(site, t, {"n_0/stop": 1}), GREEN_WEST)
    assert health.fault[row] == Fault.NONE


def test_a_dead_loop_is_found_by_the_only_loop_that_leads_to_its_lane() -> None:
    """Where the advance loop lies on the road before, and no other leads to the lane, it tells of a dead stop line all the same."""
    whole = crossing()
    moved = [replace(d, lane="before_0") if d.name == "n_0/advance" else d for d in whole.detectors]
    more = [replace(d, name="side", lane="side_0") for d in moved if d.name == "n_0/advance"]
    for loops, fault in ((moved, Fault.STUCK_OFF), (moved + more, Fault.NONE)):
        site = replace(whole, detectors=tuple(loops))
        health = Health(site)
        for t in range(300):
            health.update(seen(site, t, {"n_0/advance": 1} if t % 10 == 0 else {}), GREEN_WEST)
        assert health.fault[_row(site, "n_0/stop")] == fault


def test_two_dead_loops_of_a_lane_are_found_by_the_entrances() -> None:
    """Where both loops of a lane are dead, each takes the other's silence for an empty lane: the entrances tell that it is not. A lane
    nobody uses is left alone."""
    site = crossing()
    for dead, notes in ((True, {"w_0/stop": "stuck off", "w_0/advance": "stuck off"}), (False, {})):
        health = Health(site)
        for t in range(900):
            lanes = (() if dead else ("w_1",)) if t % 10 == 0 else ("w_1",) if t % 40 == 5 else ()
            passing = {f"{lane}/{loop}": 1 for lane in lanes for loop in ("advance", "stop")}
            passing |= {"w_0/entrance": 1} if t % 10 == 0 else {"w_1/entrance": 1} if t % 40 == 5 else {}
            health.update(seen(site, t, passing), GREEN_WEST)
        assert health.notes() == notes


def test_what_comes_must_leave() -> None:
    """A stop-line loop that misses half its vehicles is dull, and believed again once it counts; traffic that changes lanes in between
    raises no alarm."""
    site = crossing()
    health, rng, row = Health(site), np.random.default_rng(1), _row(site, "w_0/stop")
    for t in range(6000):
        passing: dict[str, int] = {}
        if t % 8 == 0:
            passing = {"w_0/advance": 1, "w_1/advance": 1, "w_1/stop": 1}
            passing |= {"w_0/stop": 1} if t > 3000 or rng.random() < 0.5 else {}
        health.update(seen(site, t, passing), GREEN_WEST)
        if t == 2000:
            assert health.notes() == {"w_0/stop": "dull"}
    assert health.fault[row] == Fault.NONE
    other = Health(site)
    for t in range(6000):
        if t % 8 == 0:  # every second vehicle of one lane leaves by the other
            onto = "w_1/stop" if t % 16 == 0 else "w_0/stop"
            other.update(seen(site, t, {"w_0/advance": 1, onto: 1}), GREEN_WEST)
        else:
            other.update(seen(site, t, {"w_1/advance": 1, "w_1/stop": 1} if t % 8 == 4 else {}), GREEN_WEST)
        assert not other.notes(), t


def test_an_approach_that_loses_nobody_has_no_dull_loop() -> None:
    """Half of a lane's vehicles leave by the lane beside it: its stop-line loop, found dull while the approach did lose some, is believed
    again as soon as it does not, though it still counts half of what its advance loop does."""
    site = crossing()
    health, row = Health(site), _row(site, "w_0/stop")
    for t in range(2400):
        passing: dict[str, int] = {}
        if t % 8 == 0:
            passing = {"w_0/advance": 1, "w_0/stop" if t % 16 == 0 else "w_1/stop": 1}
        elif t % 8 == 4:
            passing = {"w_1/advance": 1} | ({"w_1/stop": 1} if t >= 900 else {})
        health.update(seen(site, t, passing), GREEN_WEST)
        if t == 800:
            assert health.fault[row] == Fault.DULL
    assert not health.notes()


def test_a_loop_that_misses_many_is_found_before_the_window_is_full() -> None:
    """A stop-line loop that sees four vehicles in ten is dull after half a window, those who may stand in between taken into account."""
    site = crossing()
    for shown, fault in ((4, Fault.DULL), (7, Fault.NONE)):
        health = Health(site)
        for t in range(8 * 45):
            passing = (
                {"n_0/advance": 1} if t % 8 == 0 else {"n_0/stop": 1} if t % 8 == 4 and t // 8 % 10 < shown else {}
            )
            health.update(seen(site, t, passing), GREEN_WEST)
        assert health.fault[_row(site, "n_0/stop")] == fault


def test_a_queue_between_two_rows_of_loops_is_not_missing() -> None:
    """Those who change lanes, and who stand in any of an approach's lanes between its advance loops and its stop lines, were not missed: a
    lane whose stop-line loop saw a third of what its advance loop did is believed as long as they may be there."""
    site = crossing()
    health = Health(site)
    for t in range(8 * 45):
        passing = {"w_0/advance": 1} if t % 8 == 0 else {}
        passing |= {"w_0/stop": 1} if t % 24 == 0 else {"w_1/stop": 1} if t % 8 == 0 and t < 8 * 24 else {}
        health.update(seen(site, t, passing), GREEN_WEST)
        assert not health.notes(), t


def test_a_liar_is_no_witness() -> None:
    """A sound stop-line loop beside a chattering advance loop is believed again as soon as the chatter is found."""
    site = crossing()
    health = Health(site)
    for t in range(200):
        counts = seen(site, t, {"w_0/advance": 1})
        if t % 50 == 49:
            counts.vehicles[_row(site, "w_0/stop")] = 1
        health.update(counts, GREEN_WEST)
    assert health.notes() == {"w_0/advance": "chatter"}


def test_a_silent_middle_loop_is_found_by_the_advance_loop() -> None:
    """A middle loop that sees none of the vehicles that its lane's advance loop sees is dead, one that sees half of them dull."""
    site = crossing(middle=("w_0", "w_1", "n_0"))
    health = Health(site)
    for t in range(1500):
        lanes = ("w_0", "w_1", "n_0") if t % 10 == 0 else ()
        passing = {f"{lane}/{loop}": 1 for lane in lanes for loop in ("advance", "stop")}
        passing |= {"w_0/middle": 1} if t % 20 == 0 else {}
        passing |= {"w_1/middle": 1} if t % 10 == 0 else {}
        health.update(seen(site, t, passing), GREEN_WEST)
        if t == 300:
            assert health.notes() == {"n_0/middle": "stuck off"}
    assert health.notes() == {"n_0/middle": "stuck off", "w_0/middle": "dull"}


def test_middle_loops_of_lanes_that_change_places_are_not_dull() -> None:
    """Middle loops of an approach that together see all its vehicles are believed, in whichever lane they come."""
    site = crossing(middle=("w_0", "w_1"))
    health = Health(site)
    for t in range(2400):
        passing: dict[str, int] = {}
        if t % 8 == 0:
            passing = {"w_0/advance": 1, "w_0/stop": 1, "w_0/middle" if t % 24 == 0 else "w_1/middle": 1}
        elif t % 16 == 4:
            passing = {"w_1/advance": 1, "w_1/stop": 1, "w_1/middle": 1}
        health.update(seen(site, t, passing), GREEN_WEST)
        assert not health.notes(), t


def test_a_loop_that_never_saw_anybody_proves_nothing() -> None:
    """A lane both of whose loops are silent from the start may be empty or blind: where no entrance tells of it, it is blind after five
    minutes, until somebody is seen."""
    whole = crossing()
    site = replace(whole, detectors=tuple(d for d in whole.detectors if d.kind is not LoopKind.ENTRANCE))
    health, never = Health(site), {"n_0/stop": "stuck off", "n_0/advance": "stuck off"}
    for t in range(700):
        lanes = ("w_0", "w_1", *(("n_0",) if t >= 600 else ())) if t % 10 == 0 else ()
        health.update(
            seen(site, t, {f"{lane}/{loop}": 1 for lane in lanes for loop in ("advance", "stop")}), GREEN_WEST
        )
        assert health.notes() == (never if UNPROVED - 1 <= t < 600 else {}), t


def test_chatter_calls_no_other_loop_dead() -> None:
    """A loop that counts two vehicles in three seconds where there are none is found, and no loop beside it meanwhile."""
    site = crossing(middle=("n_0",))
    health, rng = Health(site), np.random.default_rng(2)
    for t in range(900):
        passing = {"n_0/advance": 1} if rng.random() < 0.7 else {}
        health.update(seen(site, t, passing), GREEN_WEST)
        assert set(health.notes().values()) <= {"chatter"}, t
        found = health.fault[_row(site, "n_0/advance")] == Fault.CHATTER
        assert found or t < 300


def test_chatter_is_found() -> None:
    """Three vehicles in a second cannot be."""
    site = crossing()
    health = Health(site)
    health.update(seen(site, 1, {"w_1/stop": 4}), GREEN_WEST)
    assert health.fault[_row(site, "w_1/stop")] == Fault.CHATTER


def test_a_blind_lane_still_expects_its_mean() -> None:
    """With every loop of a lane faulty its traffic is taken at its mean, and its confidence is nothing."""
    site = crossing()
    estimate = Estimate(site)
    for t in range(1, 400):
        passing = {"n_0/entrance": 1, "n_0/advance": 1, "n_0/stop": 1} if t % 10 == 0 else {}
        estimate.update(seen(site, t, passing), status(t, 1))
    rate = float(estimate.rate[2])
    fault = np.array(["n_0" in d.name for d in site.detectors])
    for t in range(400, 421):
        counts = quiet(site, t)
        state = estimate.update(Counts(t, 1.0, counts.vehicles, counts.occupancy, fault), status(t, 0))
    assert state.confidence[2] == 0.0
    assert state.confidence[0] == 1.0
    assert state.queue[2] > 0.5
    assert abs(rate - 0.1) < 0.03


def test_kernel_judges_as_its_plain_twin() -> None:
    """Over two hours of random pulses, stuck and dead loops included, kernel and twin find the same faults each second."""
    site = crossing(middle=("w_1", "n_0"))
    rng = np.random.default_rng(4)
    fast, slow, n = Health(site), NaiveHealth(site), len(site.detectors)
    stuck, dead = rng.random(n) < 0.2, rng.random(n) < 0.2
    kinds: set[int] = set()
    for second in range(7200):
        vehicles = (rng.random(n) < 0.2).astype(np.int32) * rng.integers(1, 5, n, dtype=np.int32)
        if second >= 1800:  # calmer, and some see half: for conservation
            vehicles = ((rng.random(n) < 0.1) & ((np.arange(n) % 3 > 0) | (rng.random(n) < 0.4))).astype(np.int32)
        occupancy = np.where(vehicles > 0, rng.random(n), 0.0)
        if 600 < second < 2400:
            occupancy = np.where(stuck, 1.0, np.where(dead, 0.0, occupancy))
            vehicles = np.where(stuck | dead, 0, vehicles).astype(np.int32)
        counts = Counts(float(second), 1.0, vehicles, occupancy, rng.random(n) < 0.0005)
        green = rng.random(len(site.lanes)) < 0.5
        assert np.array_equal(fast.update(counts, green), slow.update(counts, green)), second
        assert np.array_equal(fast.fault, slow.fault), second
        kinds |= set(fast.fault.tolist())
    assert kinds > {Fault.STUCK_ON, Fault.CHATTER, Fault.DULL}


def test_kernel_finds_loops_dead_from_the_start_as_its_plain_twin() -> None:
    """Over random arms of which some loops never see anybody, some stand occupied and some chatter, kernel and twin find the same faults
    each second."""
    site = crossing()
    row = {d.name: k for k, d in enumerate(site.detectors)}
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        fast, slow = Health(site), NaiveHealth(site)
        dead = rng.random(len(row)) < 0.4
        dead[[row["w_0/entrance"], row["w_0/advance"]]] = False, True
        for second in range(400):
            vehicles = ((rng.random(len(row)) < 0.15) & ~dead).astype(np.int32)
            if seed % 4 == 3 and 10 < second < 120:
                vehicles[row["w_0/entrance"]] = 1
            standing = (rng.random(len(row)) < 0.05) & ~dead
            occupancy = np.where(standing, 1.0, np.where(vehicles > 0, 0.4, 0.0))
            counts = Counts(float(second), 1.0, vehicles, occupancy, np.zeros(len(row), dtype=np.bool_))
            assert np.array_equal(fast.update(counts, GREEN_WEST), slow.update(counts, GREEN_WEST)), (seed, second)
            assert np.array_equal(fast.fault, slow.fault), (seed, second)
        found += int((fast.fault[dead] == Fault.STUCK_OFF).sum())
    assert found > 12
