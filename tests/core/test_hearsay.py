"""What a junction without loops of its own learns from its neighbours' letters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from signalwright.core.estimate import Estimate
from signalwright.core.forecast import Forecast
from signalwright.core.hearsay import MORE, Hearsay
from signalwright.core.neighbours import Neighbours
from signalwright.core.state import TrafficState
from simple_sites import crossing, quiet, seen, status


class _Blind:
    """A crossing B between A, west of it, and C, east of it, whose loops are dead; second by second, always in its first stage."""

    def __init__(self) -> None:
        self.site = crossing("B", towards="C")
        self.neighbours = Neighbours(self.site, 60)
        self.hearsay = Hearsay(self.neighbours)
        self.estimate = Estimate(self.site)
        self.time = 0

    def run(
        self, seconds: int, come: float | None = None, came: float | None = None, leave: float = 0.0
    ) -> TrafficState:
        """`come` [veh/s] leave A for here, `came` [veh/s] are counted at C; `leave` [veh/s] by each lane is what is planned."""
        for _ in range(seconds):
            self.time += 1
            state = self.estimate.update(quiet(self.site, self.time), status(self.time, 0, self.time))
            self.hearsay.second(state)
            self.hearsay.plan(self.time, np.full((60, len(self.site.lanes)), leave, np.float32))
            letters = []
            if come is not None:
                letters.append(Forecast("A", "B", "w", self.time, outflow=(come,) * 60))
            if came is not None:
                letters.append(Forecast("C", "B", "e", self.time, came=came, along=40.0))
            self.neighbours.hear(tuple(letters))
            self.hearsay.hear(tuple(letters))
        return self.hearsay.state(state)


def test_who_leaves_the_neighbour_upstream_arrives_here() -> None:
    """What a neighbour lets go waits at the lanes its road leads to, after the time it takes to come."""
    blind = _Blind()
    lag = blind.neighbours.arms["w"][0]
    state = blind.run(30, come=0.5)
    waits = 0.5 * (30 - lag)
    np.testing.assert_allclose(state.queue[:2].sum(), waits, atol=2.5)
    np.testing.assert_allclose(state.arrivals[:2, :30].sum(axis=0), 0.5, atol=1e-6)


def test_who_comes_from_elsewhere_still_comes() -> None:
    """A neighbour that feeds a tenth of an arm's traffic tells of that tenth; the rest of its mean is expected besides."""
    blind = _Blind()
    state = blind.run(1500, come=0.03, came=0.3)
    np.testing.assert_allclose(state.arrivals[:2].sum(axis=0), 0.3, atol=0.05)
    assert blind.neighbours.rings["A", "w"].max() < 0.04


def test_a_queue_of_which_nobody_comes_out_is_over() -> None:
    """Where a green should let vehicles go and the neighbour downstream counts none, nobody is believed to wait."""
    blind = _Blind()
    state = blind.run(30, come=0.5, came=0.0)
    assert state.queue[:2].sum() > 3.0
    assert blind.run(12, come=0.0, came=0.0, leave=0.3).queue[:2].max() < 1.0


def test_a_queue_that_comes_out_at_saturation_is_not_over() -> None:
    """As long as the neighbour downstream counts as many as a green lets through, vehicles wait, whoever was expected."""
    assert (_Blind().run(40, came=1.0).queue[:2] >= MORE).all()


def test_flows_are_learnt_from_who_comes_out() -> None:
    """What is counted downstream becomes the mean of the lanes that send it; a lane nobody watches keeps what is assumed."""
    blind = _Blind()
    blind.run(1500, came=0.3)
    np.testing.assert_allclose(blind.hearsay.flow[:2].sum(), 0.3, atol=0.05)
    assert blind.hearsay.flow[2] == 0.05


def test_it_knows_only_where_every_lane_is_told_of() -> None:
    """Letters about all lanes, from either side, are enough; not those about some, nor old ones."""
    north, west = (Forecast("A", "B", arm, 100.0, outflow=(0.2,) * 20) for arm in "nw")
    east = Forecast("C", "B", "e", 100.0, came=1.0)
    for letters, until in (((), 0), ((north,), 0), ((east,), 0), ((north, west), 120), ((north, east), 120)):
        blind = _Blind()
        blind.neighbours.hear(letters)
        blind.hearsay.hear(letters)
        state = blind.estimate.state
        known = {}
        for state.time in (100.0, 120.0, 121.0, 140.0):
            known[state.time] = blind.hearsay.known(state)
        assert known == {time: time <= until for time in known}


def test_what_came_onto_a_stretch_is_told_upstream() -> None:
    """The first loops of a stretch are counted together and told who feeds it, every second; not where one of them is faulty."""
    site = crossing("B")
    neighbours, estimate = Neighbours(site, 60), Estimate(site)
    state = estimate.update(seen(site, 1, {"w_0/entrance": 1, "w_1/entrance": 1, "w_1/stop": 1}), status(1, 0))
    assert neighbours.count(state) == ()
    neighbours.hear((Forecast("A", "B", "w", 1.0),))
    assert neighbours.count(state) == (Forecast("B", "A", "w", 1.0, came=2.0, along=20.0),)
    dead = np.array([d.name == "w_0/entrance" for d in site.detectors])
    state = estimate.update(replace(quiet(site, 2), fault=dead), status(2, 0))
    assert neighbours.count(state) == ()


def test_the_stretch_begins_behind_the_junction() -> None:
    """What leaves a stop line is told for when it comes onto the stretch: a junction of 60 m on the way takes five seconds at 13.9 m/s."""
    site = crossing("A", towards="B")
    wide = tuple(replace(d, distance=-80.0, position=20.0) if d.exit == "e" else d for d in site.detectors)
    for detectors, later in ((site.detectors, 0.0), (wide, 60.0 / (0.93 * site.exits[0].speed))):
        here = replace(site, detectors=detectors)
        state = Estimate(here).update(quiet(here, 7), status(7, 0))
        letters = Neighbours(here, 60).tell(state, np.full((60, 3), 0.5, np.float32))
        assert [(f.receiver, round(f.time - 7.0, 3)) for f in letters] == [("B", round(later, 3))]
