"""Splits add up to the cycle, whatever is asked."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signalwright.core.errors import InputError
from signalwright.core.planning.split import fill, share_out, whole

stages = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0.0, 1.0), min_size=n, max_size=n),
        st.lists(st.integers(0, 30), min_size=n, max_size=n),
        st.lists(st.integers(0, 60), min_size=n, max_size=n),
        st.integers(0, 200),
    )
)


@given(stages)
@example(([0.0, 2.2250738585072014e-308, 0.0, 1.0], [0, 0, 0, 0], [0, 4, 0, 0], 4))
def test_greens_always_add_up(drawn: tuple[list[float], list[int], list[int], int]) -> None:
    """Whole-second greens sum to the time there is, keep every minimum and maximum, and are not negative."""
    weights, minima, width, spare = drawn
    maxima = [low + w for low, w in zip(minima, width, strict=True)]
    total = min(sum(minima) + spare, sum(maxima))
    greens = share_out(total, weights, minima, maxima)
    assert int(greens.sum()) == total
    assert np.all(greens >= minima)
    assert np.all(greens <= maxima)


@given(stages)
def test_rounding_moves_nobody_by_a_second(drawn: tuple[list[float], list[int], list[int], int]) -> None:
    """A whole-second green is less than one second away from the exact share."""
    weights, minima, _, spare = drawn
    total = sum(minima) + spare
    exact = fill(total, weights, minima)
    assert math.isclose(exact.sum(), total, abs_tol=1e-6)
    assert np.all(np.abs(share_out(total, weights, minima) - exact) < 1.0 + 1e-6)


def test_equal_weights_get_equal_shares() -> None:
    """Without minima the share is the proportion."""
    assert fill(60, [1, 2, 3], [0, 0, 0]).tolist() == [10.0, 20.0, 30.0]


def test_a_minimum_takes_from_the_others_in_proportion() -> None:
    """A stage held at its minimum leaves the rest to the others in their own proportion."""
    assert fill(70, [1, 2, 4], [10, 0, 0]).tolist() == pytest.approx([10.0, 20.0, 40.0])


def test_minima_that_do_not_fit_are_refused() -> None:
    """Too short a cycle gives one message that names the need."""
    with pytest.raises(InputError, match="need 30 s"):
        share_out(20, [1, 1], [15, 15])
    with pytest.raises(InputError, match="maxima allow 20 s"):
        share_out(40, [1, 1], [5, 5], [10, 10])
    with pytest.raises(InputError, match="cannot be rounded"):
        whole([10.0, 10.0], 30)
