"""What a change of stage costs grows with how long a queue has not been cleared."""

from __future__ import annotations

import itertools

import pytest

from signalwright.core.backlog import BELIEVED, EACH, LONGEST, LOST, USUAL, Backlog
from signalwright.core.estimate import Estimate
from signalwright.core.horizon import Horizon
from signalwright.core.state import TrafficState
from simple_sites import crossing, quiet, status

NORTH = 2
"""Lane of the crossing that has a stage of its own; the other two share one."""


def _standing(queues: list[float]) -> TrafficState:
    """Queues of the crossing's lanes, all of whose loops are believed."""
    state = Estimate(crossing()).update(quiet(crossing(), 1), status(1, 0))
    state.queue[:] = queues
    state.confidence[:] = 1.0
    return state


def _after(seconds: float, state: TrafficState) -> Backlog:
    backlog = Backlog(3)
    for _ in range(int(seconds)):
        backlog.second(state)
    return backlog


def test_a_queue_of_a_few_cycles_costs_nothing_more() -> None:
    """Ordinary queues, which go within three minutes, do not make changes dearer."""
    assert _after(USUAL, _standing([8.0, 8.0, 8.0])).toll == 0.0


def test_what_stands_long_makes_changes_dear_up_to_a_bound() -> None:
    """Once a queue has stood longer, each further second adds to what a change costs, but not for ever."""
    state = _standing([8.0, 8.0, 8.0])
    assert _after(USUAL + 100.0, state).toll == pytest.approx(100.0 * LOST)
    assert _after(3.0 * LONGEST, state).toll == pytest.approx((LONGEST - USUAL) * LOST)


def test_a_short_queue_is_nearly_over() -> None:
    """However long it has stood, a queue of two vehicles counts as a backlog of two minutes."""
    assert _after(2.0 * LONGEST, _standing([0.0, 0.0, 2.0])).toll == pytest.approx(2.0 * EACH * LOST)


def test_one_street_is_enough() -> None:
    """Where one queue never goes, all that changes of stage lose is lost to it, though the others are cleared in every green."""
    assert _after(USUAL + 100.0, _standing([8.0, 0.0, 0.0])).toll == pytest.approx(100.0 * LOST)


def test_a_backlog_is_over_when_it_is_cleared() -> None:
    """One second with the queue gone and all is as before; in green less than a vehicle is enough."""
    backlog = _after(LONGEST, _standing([0.0, 0.0, 8.0]))
    backlog.second(_standing([8.0, 8.0, 0.0]))
    assert backlog.toll == 0.0
    nearly = _standing([0.8, 0.8, 0.0])
    nearly.greened[:] = [5.0, 5.0, 0.0]
    assert _after(LONGEST, nearly).toll == 0.0
    nearly.greened[:] = 0.0
    assert _after(LONGEST, nearly).toll > 0.0


def test_loops_that_are_doubted_make_no_backlog() -> None:
    """A loop that is stuck, and no longer believed, does not make its junction change less often."""
    state = _standing([0.0, 0.0, 8.0])
    state.confidence[NORTH] = BELIEVED - 0.1
    assert _after(LONGEST, state).toll == 0.0


def test_an_overloaded_junction_changes_less_often() -> None:
    """With the same queues and arrivals the search plans fewer changes once both streets have stood for long."""
    site = crossing()
    state = _standing([5.0, 5.0, 5.0])
    state.arrivals[:] = 0.2
    changes = []
    for seconds in (1.0, LONGEST):
        horizon = Horizon(site)
        horizon.learn(state)
        for _ in range(int(seconds)):
            horizon.backlog.second(state)
        stages = [stage for _, stage in horizon.decide(state).course]
        changes.append(sum(a != b for a, b in itertools.pairwise(stages)))
    assert changes[0] > changes[1]
