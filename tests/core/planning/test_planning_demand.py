"""Turning shares and balanced counts: known answers come back, scipy agrees, nonsense is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from signalwright.core.errors import CountsError
from signalwright.core.planning.demand import balanced, geh, turning_shares


def test_exact_counts_give_the_shares_back() -> None:
    """With four independent inflows and exact outflows the shares are recovered to six digits."""
    rng = np.random.default_rng(0)
    allowed = ~np.eye(4, dtype=bool)
    shares = rng.dirichlet(np.ones(3), 4)
    truth = np.zeros((4, 4))
    truth[allowed] = shares.ravel()
    inflow = rng.uniform(20, 200, (24, 4))
    found = turning_shares(inflow, inflow @ truth, allowed)
    assert found.shares == pytest.approx(truth, abs=1e-4)
    assert found.sure.all()
    assert found.residual.max() < 0.05


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_noisy_counts_give_the_least_squares(seed: int) -> None:
    """Shares are lawful and no solver of scipy's finds a smaller squared error."""
    rng = np.random.default_rng(seed)
    inflow = rng.uniform(10, 100, (12, 3))
    outflow = np.maximum(inflow @ rng.dirichlet(np.ones(3), 3) + rng.normal(0, 8, (12, 3)), 0.0)
    found = turning_shares(inflow, outflow).shares
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    assert found.min() >= 0.0

    def error(b: np.ndarray) -> float:
        return float(((inflow @ b.reshape(3, 3) - outflow) ** 2).sum())

    rows = [{"type": "eq", "fun": lambda b, i=i: b.reshape(3, 3)[i].sum() - 1.0} for i in range(3)]
    best = minimize(
        error, np.full(9, 1 / 3), bounds=[(0, 1)] * 9, constraints=rows, method="SLSQP", options={"ftol": 1e-10}
    )
    assert error(found.ravel()) <= best.fun * (1.0 + 1e-4) + 1e-6


def test_what_counts_cannot_tell_is_said() -> None:
    """Two inflows that always rise and fall together are not told apart: the prior speaks, and it is said."""
    base = np.linspace(10, 50, 10)
    inflow = np.stack((base, 2 * base, np.linspace(50, 10, 10) ** 1.5), axis=1)
    prior = np.array([[0.7, 0.3], [0.7, 0.3], [0.5, 0.5]])
    found = turning_shares(inflow, inflow @ np.array([[0.7, 0.3], [0.7, 0.3], [0.2, 0.8]]), prior=prior)
    assert found.sure.tolist() == [False, False, True]
    assert found.shares == pytest.approx(np.array([[0.7, 0.3], [0.7, 0.3], [0.2, 0.8]]), abs=1e-3)


def test_forgetting_follows_a_change() -> None:
    """With old intervals fading the shares are those of late."""
    rng = np.random.default_rng(1)
    inflow = rng.uniform(20, 100, (60, 2))
    early, late = np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.2, 0.8], [0.5, 0.5]])
    outflow = np.concatenate((inflow[:30] @ early, inflow[30:] @ late))
    found = turning_shares(inflow, outflow, forgetting=0.8).shares
    assert found == pytest.approx(late, abs=0.02)


def test_balanced_counts_add_up() -> None:
    """Rows and columns meet the counts, barred turns stay empty, proportions of the seed are kept."""
    seed = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 1.0], [3.0, 1.0, 0.0]])
    table = balanced(seed, [300, 200, 250], [260, 240, 250])
    assert table.sum(axis=1) == pytest.approx([300, 200, 250])
    assert table.sum(axis=0) == pytest.approx([260, 240, 250], rel=1e-6)
    assert np.all(table[seed == 0] == 0)

    def odds(t: np.ndarray) -> float:
        return float(t[0, 1] * t[1, 2] * t[2, 0] / (t[0, 2] * t[1, 0] * t[2, 1]))

    assert odds(table) == pytest.approx(odds(seed), rel=1e-6)


def test_geh_values() -> None:
    """GEH of 1000 against 900 is 3.24; of nothing against nothing 0."""
    assert geh([1000, 0, 500], [900, 0, 500]).tolist() == pytest.approx([3.244, 0.0, 0.0], abs=1e-3)


def test_nonsense_is_refused() -> None:
    """Mismatched intervals, negative counts and impossible tables get a message."""
    with pytest.raises(CountsError, match="same intervals"):
        turning_shares(np.ones((3, 2)), np.ones((4, 2)))
    with pytest.raises(CountsError, match="not negative"):
        turning_shares(-np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(CountsError, match="check the exit detectors"):
        balanced(np.ones((2, 2)), [1, 1], [0, 0])
    with pytest.raises(CountsError, match="cannot carry"):
        balanced([[1, 0], [0, 1]], [100, 0], [0, 100])
