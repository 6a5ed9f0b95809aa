"""Queues nobody sees, by who comes and who is counted behind them."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from signalwright.core.unseen import MOST, UnseenQueues

ONE = np.ones(1)
Seconds = st.lists(st.sampled_from(["come", "leave", "doubt", "nobody", "one"]), max_size=60)


def _queues(mean: float = 0.0) -> UnseenQueues:
    queues = UnseenQueues(np.array([0.0]))
    queues.chance[:] = 0.0
    queues.chance[0, round(mean)] = 1.0
    return queues


@given(Seconds, st.floats(0.0, 0.9))
def test_chances_stay_chances(seconds: list[str], rate: float) -> None:
    """Whatever happens, the chances of all lengths lie between 0 and 1 and sum to one."""
    queues, much = UnseenQueues(np.array([0.0, 5.0])), np.array([rate, 0.5])
    for second in seconds:
        if second == "one":
            queues.one_left(np.array([0.7, 0.3]), much, much)
        else:
            {"come": queues.come, "leave": queues.leave, "doubt": queues.doubt, "nobody": queues.nobody_left}[second](
                much
            )
        assert_allclose(queues.chance.sum(axis=1), 1.0, rtol=1e-9)
        assert (queues.chance >= 0.0).all()


def test_arrivals_add_up_as_the_binomial_distribution() -> None:
    """Ten seconds with a chance of 0.3 each: the tenth row of Pascal's triangle."""
    queues = _queues()
    for _ in range(10):
        queues.come(0.3 * ONE)
    assert_allclose(queues.chance[0, :11], [comb(10, k) * 0.3**k * 0.7 ** (10 - k) for k in range(11)], rtol=1e-9)


def test_who_is_counted_was_in_the_queue_by_the_rule_of_bayes() -> None:
    """One comes out: of a queue as likely as not there, with the chances 0.5 and 0.1 that a queue and that an empty lane sends one."""
    queues = _queues()
    queues.chance[0, :3] = 0.5, 0.25, 0.25
    queues.one_left(ONE, 0.5 * ONE, 0.1 * ONE)
    assert_allclose(queues.chance[0, :3], np.array([0.5 * 0.1 + 0.25 * 0.5, 0.25 * 0.5, 0.0]) / 0.3, rtol=1e-9)


def test_who_is_missed_was_not_there() -> None:
    """Every second in which a queue would have sent one with the chance 0.5 halves the odds that there is one."""
    queues = _queues()
    queues.chance[0, :2] = 0.5, 0.5
    for _ in range(3):
        queues.nobody_left(0.5 * ONE)
    assert queues.waits[0] == pytest.approx(1.0 / 9.0)


def test_a_queue_too_sure_of_itself_is_doubted() -> None:
    """Twenty that never come out of a green are not believed for more than half a minute."""
    queues = _queues(20)
    for _ in range(30):
        queues.doubt(ONE)
        queues.nobody_left(0.5 * ONE)
    assert queues.mean[0] < 1.0


def test_a_copy_goes_its_own_way_and_no_queue_is_too_long() -> None:
    """Looking ahead leaves the present alone, and more than can be told apart are as many as can."""
    queues = _queues(MOST - 2)
    ahead = queues.copy()
    for _ in range(5):
        ahead.come(ONE)
    assert (queues.mean[0], ahead.mean[0]) == (MOST - 2, MOST - 1)
