"""What a junction without loops of its own learns from its neighbours' letters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from signalwright.core.estimate import Estimate
from signalwright.core.forecast import Forecast
from signalwright.core.hearsay import Hearsay
from signalwright.core.intersection import Intersection
from signalwright.core.neighbours import Neighbours
from signalwright.core.state import TrafficState
from simple_sites import crossing, quiet, seen, status

SATURATED = 0.5


class _Blind:
    """A crossing B between A, west of it, and C, east of it, whose loops are dead; second by second, always in its first stage."""

    def __init__(self, site: Intersection | None = None) -> None:
        self.site = site or crossing("B", towards="C")
        self.neighbours = Neighbours(self.site, 60)
        self.hearsay = Hearsay(self.neighbours)
        self.estimate = Estimate(self.site)
        self.time = 0

    def run(
        self,
        seconds: int,
        come: float | None = None,
        every: int | None = None,
        rate: float = SATURATED,
        lane: str = "e_0",
    ) -> TrafficState:
        """`come` [veh/s] leave A for here, `every` so many seconds one is counted at C on `lane`, nobody where it is 0; each lane that is
        green lets `rate` [veh/s] through."""
        for _ in range(seconds):
            self.time += 1
            state = self.estimate.update(quiet(self.site, self.time), status(self.time, 0, self.time))
            self.hearsay.second(state, np.full(len(self.site.lanes), rate))
            letters = []
            if come is not None:
                letters.append(Forecast("A", "B", "w", self.time, outflow=(come,) * 60))
            if every is not None:
                came = (float(every > 0 and self.time % every == 0),)
                letters.append(Forecast("C", "B", "e", self.time, came=came, lanes=(lane,), along=20.0))
            self.neighbours.hear(tuple(letters))
            self.hearsay.hear(tuple(letters))
        return self.hearsay.state(state)


def test_who_leaves_the_neighbour_upstream_arrives_here() -> None:
    """What a neighbour lets go waits at the lanes its road leads to, after the time it takes to come, as long as nothing leaves."""
    blind = _Blind()
    lag = blind.neighbours.arms["w"][0]
    first = blind.run(1, rate=0.0).queue[:2].sum()
    state = blind.run(30, come=0.5, rate=0.0)
    waits = first + 0.5 * (30 - lag)
    np.testing.assert_allclose(state.queue[:2].sum(), waits, atol=2.5)
    np.testing.assert_allclose(state.arrivals[:2, :30].sum(axis=0), 0.5, atol=1e-6)


def test_who_comes_from_elsewhere_still_comes() -> None:
    """A neighbour that feeds a tenth of an arm's traffic tells of that tenth; where others feed it too, the rest is expected besides."""
    site = crossing("B", towards="C")
    side = replace(next(d for d in site.detectors if d.name == "w_0/advance"), name="side", lane="side_0")
    blind = _Blind(replace(site, detectors=(*site.detectors, side)))
    state = blind.run(1500, come=0.025, every=4)
    np.testing.assert_allclose(state.arrivals[:2].sum(axis=0), 0.25, atol=0.05)
    assert blind.neighbours.rings["A", "w"].max() < 0.03


def test_where_all_are_told_of_nobody_else_comes() -> None:
    """The flows of an arm are what is told of it, whatever is counted behind the junction: drivers who change lanes count there twice."""
    blind = _Blind()
    state = blind.run(900, come=0.2, every=4)
    np.testing.assert_allclose(state.arrivals[:2].sum(axis=0), 0.2, atol=0.01)


def test_a_queue_of_which_nobody_comes_out_is_over() -> None:
    """Where a green should let vehicles go and the neighbour downstream counts none, nobody is believed to wait."""
    blind = _Blind()
    blind.run(30, come=0.5, every=0, rate=0.0)
    assert blind.run(20, come=0.0, every=0, rate=0.0).queue[:2].sum() > 8.0
    assert blind.run(25, come=0.0, every=0).queue[:2].max() < 0.5


def test_a_queue_that_comes_out_at_saturation_is_not_over() -> None:
    """As long as the neighbour downstream counts as many as a green lets through, vehicles wait, whoever was expected."""
    assert _Blind().run(40, come=0.0, every=2).queue[:2].sum() > 1.0
    assert _Blind().run(40, come=0.0, every=10).queue[:2].sum() < 1.0


def test_who_comes_onto_which_lane_tells_whose_queue_it_was() -> None:
    """Where each lane of an exit has a feeder of its own, its loop speaks for that lane alone."""
    site = crossing("B", towards="C")
    apart = [
        replace(d, name=f"e_{k}/exit", lane=f"e_{k}", feeders=(f"w_{k}",))
        for d in site.detectors
        if d.name == "e_0/exit"
        for k in (0, 1)
    ]
    others = tuple(d for d in site.detectors if d.name != "e_0/exit")
    blind = _Blind(replace(site, detectors=(*others, *apart)))
    state = blind.run(60, every=2, lane="e_1")
    assert state.queue[1] > 1.0
    assert blind.hearsay.flow[1] > 1.5 * blind.hearsay.flow[0]
    np.testing.assert_array_equal(blind.hearsay.watched, [0.0, 1.0, 0.0])


def test_flows_are_learnt_from_who_comes_out() -> None:
    """What is counted downstream becomes the mean of the lanes that send it; a lane nobody watches keeps what is assumed."""
    blind = _Blind()
    blind.run(1500, every=4)
    np.testing.assert_allclose(blind.hearsay.flow[:2].sum(), 0.25, atol=0.05)
    assert blind.hearsay.flow[2] == 0.05


def test_it_knows_only_where_most_lanes_are_told_of() -> None:
    """Letters about two lanes of three, from either side, are enough; not those about one, nor old ones."""
    north, west = (Forecast("A", "B", arm, 100.0, outflow=(0.2,) * 20) for arm in "nw")
    east = Forecast("C", "B", "e", 100.0, came=(1.0,), lanes=("e_0",))
    for letters, until in (((), 0), ((north,), 0), ((east,), 130), ((west,), 120), ((north, east), 130)):
        blind = _Blind()
        blind.neighbours.hear(letters)
        blind.hearsay.hear(letters)
        state = blind.estimate.state
        known = {}
        for state.time in (100.0, 120.0, 121.0, 130.0, 131.0):
            known[state.time] = blind.hearsay.known(state)
        assert known == {time: time <= until for time in known}


def test_what_came_onto_a_stretch_is_told_at_its_other_end() -> None:
    """The first loops of a stretch count for who feeds it, those behind the junction for whom it leads to, lane by lane, every second; not
    where one of them is faulty."""
    site = crossing("B", towards="C")
    neighbours, estimate = Neighbours(site, 60), Estimate(site)
    passing = {"w_0/entrance": 1, "w_1/entrance": 1, "w_1/stop": 1, "e_0/exit": 1}
    state = estimate.update(seen(site, 1, passing), status(1, 0))
    behind = Forecast("B", "C", "e", 1.0, came=(1.0,), lanes=("e_0",), along=20.0)
    assert neighbours.count(state) == (behind,)
    neighbours.hear((Forecast("A", "B", "w", 1.0),))
    before = Forecast("B", "A", "w", 1.0, came=(1.0, 1.0), lanes=("w_0", "w_1"), along=20.0)
    assert neighbours.count(state) == (before, behind)
    dead = np.array([d.name in ("w_0/entrance", "e_0/exit") for d in site.detectors])
    state = estimate.update(replace(quiet(site, 2), fault=dead), status(2, 0))
    assert neighbours.count(state) == ()


def test_who_was_counted_comes_whoever_was_announced() -> None:
    """What the neighbour upstream counts behind his junction takes the place of what he had planned to send."""
    neighbours = Neighbours(crossing("B"), 60)
    neighbours.hear((Forecast("A", "B", "w", 100.0, outflow=(0.5,) * 20),))
    neighbours.hear((Forecast("A", "B", "w", 103.0, came=(2.0, 0.0), lanes=("w_0", "w_1"), along=14.0),))
    ring = neighbours.rings["A", "w"]
    assert [float(ring[second]) for second in range(100, 105)] == [0.5, 0.5, 2.0, 0.5, 0.5]


def test_the_stretch_begins_behind_the_junction() -> None:
    """What leaves a stop line is told for when it comes onto the stretch: a junction of 60 m on the way takes five seconds at 13.9 m/s."""
    site = crossing("A", towards="B")
    wide = tuple(replace(d, distance=-80.0, position=20.0) if d.exit == "e" else d for d in site.detectors)
    for detectors, later in ((site.detectors, 0.0), (wide, 60.0 / (0.93 * site.exits[0].speed))):
        here = replace(site, detectors=detectors)
        state = Estimate(here).update(quiet(here, 7), status(7, 0))
        letters = Neighbours(here, 60).tell(state, np.full((60, 3), 0.5, np.float32))
        assert [(f.receiver, round(f.time - 7.0, 3)) for f in letters] == [("B", round(later, 3))]
