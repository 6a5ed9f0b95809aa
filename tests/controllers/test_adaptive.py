"""The adaptive controller: serves who is there, holds for who comes, talks to neighbours, and falls back where it cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from signalwright.controllers.adaptive import Adaptive
from signalwright.controllers.laemmer import Laemmer
from signalwright.core.counts import Counts
from signalwright.core.estimate import Estimate
from signalwright.core.forecast import Forecast, Neighbourly
from signalwright.core.intersection import Detector, Intersection, LoopKind, Movement, Stage
from signalwright.core.state import TrafficState
from signalwright.networks.netfile import read_lights
from simple_sites import SPEED, crossing, quiet, seen, status
from sumo_material import load


def _state(
    site: Intersection,
    queue: Sequence[tuple[int, float]] = (),
    arrivals: Sequence[tuple[int, int, float]] = (),
    stage: int = 0,
    elapsed: float = 20.0,
) -> TrafficState:
    estimate = Estimate(site)
    state = estimate.update(quiet(site, 1), status(1, stage, elapsed))
    state.arrivals[:] = 0.0
    for lane, vehicles in queue:
        state.queue[lane] = vehicles
    for lane, second, vehicles in arrivals:
        state.arrivals[lane, second] = vehicles
    return state


def test_it_goes_where_somebody_waits() -> None:
    """With a queue at red and nobody at green it changes at once; with nobody anywhere it stays."""
    site = crossing()
    assert Adaptive(site).decide(_state(site, queue=[(2, 4.0)])) == 1
    assert Adaptive(site).decide(_state(site)) is None


def test_it_lets_a_platoon_pass_first() -> None:
    """One vehicle at red waits for six that arrive at green within seconds."""
    site = crossing()
    coming = [(lane, second, 1.0) for second in (1, 3, 5) for lane in (0, 1)]
    assert Adaptive(site).decide(_state(site, queue=[(2, 1.0)], arrivals=coming)) is None


def test_a_blocked_lane_is_worth_nothing() -> None:
    """A queue that cannot leave does not hold its green against one that can."""
    site = crossing()
    state = _state(site, queue=[(0, 9.0), (2, 3.0)])
    assert Adaptive(site).decide(state) is None
    state.closed[:2] = 60.0
    assert Adaptive(site).decide(state) == 1


def test_a_queue_that_shuts_off_the_lane_beside_it_comes_first() -> None:
    """Seven that fill a short lane wait for the traffic behind them too; in a long lane they are seven; nobody's lane counts as before."""
    site = crossing()
    short = replace(
        site, lanes=tuple(replace(lane, length=49.0 if lane.name == "w_0" else 200.0) for lane in site.lanes)
    )
    weights = []
    for place in (site, short):
        state = _state(place, queue=[(0, 7.0), (2, 7.0)], arrivals=[(0, -1, 0.05), (1, -1, 0.1), (2, -1, 0.1)], stage=1)
        controller = Adaptive(place)
        controller.decide(state)
        weights.append(controller.horizon.weight[:3].tolist())
    assert weights == [[1.0, 1.0, 1.0], [3.0, 1.0, 1.0]]


def test_it_waits_until_its_wish_can_be_heard() -> None:
    """In an interstage it asks for nothing."""
    site = crossing()
    state = _state(site, queue=[(2, 9.0)])
    state.in_interstage = True
    assert Adaptive(site).decide(state) is None


def test_it_falls_back_and_says_so() -> None:
    """With half the loops gone the index rule decides, with all of them stages are served in turn."""
    site = crossing()
    controller = Adaptive(site)
    state = _state(site, queue=[(2, 4.0)])
    state.confidence[:] = 0.4
    assert controller.decide(state) == 1
    assert controller.mode == "index"
    state.confidence[:] = 0.0
    assert controller.decide(state) == 1
    assert controller.mode == "in turn"
    assert "few loops" in controller.explain(state)


def _in_turn(site: Intersection) -> set[int]:
    """The stages served where nothing can be seen."""
    controller, stage, served = Adaptive(site), 0, set()
    for _ in range(2 * len(site.stages)):
        state = Estimate(site).update(quiet(site, 1), status(1, stage, 20.0))
        state.confidence[:] = 0.0
        after = int(controller.decide(state) or 0)
        assert (site.stages[stage].name, site.stages[after].name) not in site.barred
        served.add(stage := after)
    assert controller.mode == "in turn"
    return served


def test_in_turn_means_no_more_stages_than_give_everyone_green() -> None:
    """A stage that only keeps turns from having to give way is not served where nobody is seen; every group is green in another."""
    left_out = 0
    for light in read_lights(load("shipped-grid")).values():
        site = light.intersection
        served = _in_turn(site)
        assert site.stage_greens[sorted(served)].any(axis=0).all()
        left_out += len(site.stages) - len(served)
    assert left_out > 0


def test_in_turn_nobody_is_left_out() -> None:
    """Groups without a longest red get their turn too, and where a change between the few stages is barred all are served."""
    two = crossing()
    assert all(group.max_red is None for group in two.groups)
    west = two.stages[0].green
    site = replace(two, stages=(*two.stages, Stage("3", west), Stage("4", west)))
    assert site.stage_greens[sorted(_in_turn(site))].any(axis=0).all()
    site = replace(two, stages=(*two.stages, Stage("3", west)), barred=frozenset({("3", "2")}))
    assert _in_turn(site) == {0, 1, 2}


def test_silence_is_not_believed_for_ever() -> None:
    """Where no loop has seen anybody for a minute stages are served in turn, and it says so; whoever is seen ends that."""
    site = crossing()
    estimate, controller = Estimate(site), Adaptive(site)
    modes = {}
    for second in range(1, 91):
        controller.decide(state := estimate.update(quiet(site, second), status(second, 0, second)))
        modes[second] = controller.mode
    assert {second for second, mode in modes.items() if mode == "silent"} == set(range(60, 91))
    assert controller.decide(state) == 1
    assert "in turn, in case the loops are dead" in controller.explain(state)
    state.queue[2] = 1.0
    controller.decide(state)
    assert controller.mode == "search"


def test_without_loops_it_goes_by_what_neighbours_tell() -> None:
    """With its loops dead it serves the arm a neighbour sends vehicles to, says so, and tells what it will let go; once nobody tells
    anything stages are served in turn, and it only says that it is there."""
    site = crossing("B", towards="C")
    estimate, controller = Estimate(site), Adaptive(site)
    stage, since, shown = 0, 0, []
    for second in range(1, 101):
        state = estimate.update(quiet(site, second), status(second, stage, second - since))
        state.confidence[:] = 0.0
        if (wish := controller.decide(state)) not in (None, stage):
            stage, since = int(wish), second
        shown.append((stage, controller.mode))
        if second <= 30:
            assert controller.mode == ("in turn" if second == 1 else "hearsay")
            west = Forecast("D", "B", "w", second, outflow=(0.0,) * 20)
            controller.hear((west, Forecast("A", "B", "n", second, outflow=(0.4,) * 20)))
    north = [at for at, _ in shown[20:40]]
    assert sum(north) > 10
    assert "what the neighbours tell" not in controller.explain(state)
    assert {mode for _, mode in shown[60:]} == {"in turn"}
    assert controller.tell() == (Forecast("B", "C", "e", state.time),)


def test_who_came_out_must_have_gone_in() -> None:
    """Loops that saw nobody for twenty seconds in which a neighbour counted vehicles from here are not believed any longer; those that
    see somebody again are."""
    site = crossing("B", towards="C")
    estimate, controller = Estimate(site), Adaptive(site)
    modes = []
    for second in range(1, 41):
        controller.decide(state := estimate.update(quiet(site, second), status(second, 0, second)))
        modes.append(controller.mode)
        north = Forecast("A", "B", "n", second, outflow=(0.0,) * 20)
        east = Forecast("C", "B", "e", second, came=(float(second % 2),), lanes=("e_0",), along=40.0)
        controller.hear((north, east))
    assert modes[:15] == ["search"] * 15
    assert modes[25:] == ["hearsay"] * 15
    assert "what the neighbours tell" in controller.explain(state)
    controller.decide(estimate.update(seen(site, 41, {"n_0/stop": 1}), status(41, 0)))
    assert controller.mode == "search"


def test_a_blind_junction_counts_for_nobody() -> None:
    """Who goes by hearsay himself tells nobody upstream what his own loops count."""
    site = crossing("B", towards="C")
    controller, state = Adaptive(site), _state(site)
    controller.hear(tuple(Forecast("A", "B", arm, state.time, outflow=(0.2,) * 60) for arm in "wn"))
    controller.decide(state)
    assert any(f.came is not None for f in controller.tell())
    state.confidence[:] = 0.0
    for _ in range(2):
        controller.decide(state)
    assert controller.mode == "hearsay"
    assert not any(f.came is not None for f in controller.tell())


def test_neighbours_hear_of_what_will_come() -> None:
    """What one junction plans to send is expected by the next beyond its loops' sight, in place of the mean."""
    first, second = crossing("A", towards="B"), crossing("B")
    renamed = Adaptive(first)
    sender = _state(first, queue=[(0, 8.0), (1, 8.0)], elapsed=3.0)
    renamed.decide(sender)
    letters = [f for f in renamed.tell() if f.came is None]
    assert isinstance(renamed, Neighbourly)
    assert [f.receiver for f in letters] == ["B"]
    assert 14.0 < sum(letters[0].outflow) <= 16.5
    receiver = Adaptive(second)
    receiver.hear(tuple(replace(f, exit="w") for f in letters))
    estimate = Estimate(second)
    for t in range(1, 200):
        passing = {"w_0/entrance": 1, "w_0/advance": 1, "w_0/stop": 1} if t % 8 == 0 else {}
        state = estimate.update(seen(second, t, passing), status(t, 0))
    receiver.hear(tuple(replace(f, exit="w", time=state.time) for f in letters))
    correction = receiver.neighbours.correction(state)
    assert correction is not None
    sight = int(np.ceil(state.sight[0]))
    assert (correction[0, :sight] == 0).all()
    assert correction[0, sight : sight + 15].max() > 0.05
    told_back = receiver.neighbours.tell(state, np.zeros((60, 3), np.float32))
    assert [(f.receiver, f.exit, f.room is not None) for f in told_back] == [("A", "w", True)]


def test_what_neighbours_send_is_expected_from_where_the_loops_on_their_arm_see() -> None:
    """A lane whose own entrance sees 13 s ahead expects whom a neighbour sends by a side arm from where the side arm's loop sees, and on
    the mean no more than comes besides."""
    plain = crossing("B")
    side = Detector("side/middle", LoopKind.MIDDLE, "side_0", 0.0, 80.0, ("w_0",))
    site = replace(plain, detectors=(*plain.detectors, side))
    controller, estimate = Adaptive(site), Estimate(site)
    for t in range(1, 200):
        passing = {"w_0/entrance": 1, "w_0/advance": 1, "w_0/stop": 1} if t % 8 == 0 else {}
        state = estimate.update(seen(site, t, passing), status(t, 0))
        controller.hear((Forecast("A", "B", "side", state.time, outflow=(0.05,) * 60),))
    correction = controller.neighbours.correction(state)
    assert correction is not None
    of_side, sight = 80.0 / (0.93 * SPEED), int(np.ceil(state.sight[0]))
    assert sight > of_side + 5
    assert (correction[0, : int(of_side)] == 0).all()
    assert (correction[0, int(np.ceil(of_side)) : sight] > 0.02).all()
    assert abs(correction[0, sight:40].mean()) < 0.01  # what the neighbour always sends is in the mean


def test_a_neighbour_without_room_gets_nobody() -> None:
    """A told exit without room closes the lanes that lead there."""
    site = crossing("A", towards="B")
    controller = Adaptive(site)
    state = _state(site, queue=[(0, 6.0), (2, 3.0)])
    controller.hear((Forecast("B", "A", "e", state.time, room=0.5, price=30.0),))
    assert (controller.neighbours.shut(state)[:2] > 0).all()


def _with_a_turn(name: str, towards: str) -> Intersection:
    """The crossing, where traffic from the north may also turn east."""
    site = crossing(name, towards)
    north = replace(
        site.groups[1], movements=(Movement("n->s", "n", "s", ("n_0",)), Movement("n->e", "n", "e", ("n_0",)))
    )
    return replace(site, groups=(site.groups[0], north))


def test_who_waits_for_whom_is_told_upstream() -> None:
    """A full stretch behind a full exit tells upstream the junctions it waits for, through others too; one with room tells nobody."""
    site = crossing("B", towards="C")
    controller = Adaptive(site)
    outflow = Forecast("A", "B", "w", 1.0, outflow=(0.2,))
    for queue, waits in ((40.0, ("C", "D")), (2.0, ())):
        state = _state(site, queue=[(0, queue), (1, queue)])
        controller.hear((outflow, Forecast("C", "B", "e", state.time, room=0.0, waits=("D",))))
        told = controller.neighbours.tell(state, np.zeros((60, 3), np.float32))
        assert [f.waits for f in told if f.room is not None] == [waits]


def test_nobody_is_let_into_a_ring() -> None:
    """Who hears his own name in whom his exit waits for stands in a ring: lanes from outside are held, those of the ring are not."""
    site = _with_a_turn("A", towards="B")
    controller = Adaptive(site)
    state = _state(site, queue=[(0, 6.0), (2, 3.0)])
    state.turning[2] = [0.0, 0.4, 0.6] if state.turning.shape[1] == 3 else state.turning[2]
    controller.hear((Forecast("C", "A", "w", state.time, outflow=(0.2,)),))
    assert not controller.neighbours.shut(state).any()
    controller.hear((Forecast("B", "A", "e", state.time, room=0.0, waits=("C", "A")),))
    assert (controller.neighbours.shut(state) > 0).all()
    controller.hear((Forecast("B", "A", "e", state.time, room=6.0),))
    assert (controller.neighbours.shut(state) > 0).tolist() == [False, False, True]
    state.time += 60.0
    assert not controller.neighbours.shut(state).any()


def test_its_reasons_can_be_read() -> None:
    """The explanation names lanes, queues, the choice and the next best with their costs."""
    site = crossing()
    controller = Adaptive(site)
    state = _state(site, queue=[(2, 4.0), (0, 1.0)])
    controller.decide(state)
    text = controller.explain(state)
    assert "n_0 4 waiting" in text
    assert "chosen: " in text
    assert "vehicle seconds" in text


def test_the_index_rule_serves_the_longer_queue() -> None:
    """The index rule leaves an empty approach for a queue, and stays while it discharges."""
    site = crossing()
    assert Laemmer(site).decide(_state(site, queue=[(2, 5.0)])) == 1
    assert Laemmer(site).decide(_state(site, queue=[(0, 8.0), (1, 8.0), (2, 1.0)])) is None


def test_the_index_rule_does_not_hold_a_green_for_who_may_still_come() -> None:
    """Vehicles expected within the next seconds take these seconds: they do not outdo a queue that would leave faster."""
    site = crossing()
    coming = [(lane, second, 0.3) for lane in (0, 1) for second in range(30)]
    assert Laemmer(site).decide(_state(site, queue=[(2, 12.0)], arrivals=coming)) is None
    coming = [(lane, second, 0.15) for lane in (0, 1) for second in range(30)]
    assert Laemmer(site).decide(_state(site, queue=[(2, 12.0)], arrivals=coming)) == 1


def test_it_never_looks_at_a_fault_as_traffic() -> None:
    """A stop-line loop reported faulty and occupied does not make a queue."""
    site = crossing()
    estimate = Estimate(site)
    fault = np.array([d.name == "n_0/stop" for d in site.detectors])
    for t in range(1, 30):
        counts = seen(site, t, {}, ("n_0/stop",))
        state = estimate.update(Counts(t, 1.0, counts.vehicles, counts.occupancy, fault), status(t, 0))
    assert state.queue[2] < 0.5
