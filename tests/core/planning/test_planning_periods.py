"""Periods of the day: found where the traffic changes, and only there."""

import itertools

import numpy as np
import pytest

from signalwright.core.errors import CountsError
from signalwright.core.planning.periods import periods


def day(rng: np.random.Generator, levels: list[tuple[int, tuple[float, ...]]]) -> np.ndarray:
    """Random counts in quarter-hours at levels [veh/h] that hold for so many intervals."""
    mean = np.concatenate([np.tile(level, (count, 1)) for count, level in levels])
    return rng.poisson(mean / 4.0) * 4.0


def test_known_changes_are_found() -> None:
    """Night, morning, midday and evening of a random day are told apart to the quarter-hour."""
    rng = np.random.default_rng(1)
    flow = day(
        rng, [(26, (60.0, 50.0)), (12, (900.0, 400.0)), (28, (500.0, 500.0)), (12, (450.0, 950.0)), (18, (80.0, 90.0))]
    )
    found = periods(flow)
    assert [p.first for p in found] == [0, 26, 38, 66, 78]
    assert found[-1].last == 96
    assert found[1].flow == pytest.approx([900.0, 400.0], rel=0.1)


def test_an_even_day_is_one_period() -> None:
    """Random counts about one mean are not cut up, whatever the seed."""
    for seed in range(20):
        assert len(periods(day(np.random.default_rng(seed), [(96, (400.0, 250.0, 90.0))]))) == 1


def test_alike_periods_share_a_plan() -> None:
    """With two plans allowed the two nights get the same one."""
    rng = np.random.default_rng(2)
    flow = day(rng, [(30, (60.0,)), (30, (800.0,)), (36, (70.0,))])
    found = periods(flow, plans=2)
    assert [p.plan for p in found] == [0, 1, 0]
    assert found[0].flow[0] == found[2].flow[0]


def test_the_split_is_the_best_there_is() -> None:
    """The squared error of the split equals the least over every way to cut a short day into as many periods."""
    rng = np.random.default_rng(3)
    flow = day(rng, [(5, (100.0,)), (4, (600.0,)), (5, (250.0,))])
    root = np.sqrt(flow / 4.0)

    def error(cuts: tuple[int, ...]) -> float:
        edges = (0, *cuts, len(root))
        return sum(float(((root[a:b] - root[a:b].mean()) ** 2).sum()) for a, b in itertools.pairwise(edges))

    found = periods(flow)
    cuts = tuple(p.first for p in found[1:])
    ways = [c for c in itertools.combinations(range(2, 13), len(cuts)) if min(np.diff((0, *c, 14))) >= 2]
    assert error(cuts) == pytest.approx(min(map(error, ways)))


def test_gaps_are_refused() -> None:
    """A day with a gap or too short a day is not guessed at."""
    with pytest.raises(CountsError, match="fill the gaps"):
        periods(np.array([[1.0], [np.nan], [1.0], [1.0]]))
    with pytest.raises(CountsError, match="at least 4"):
        periods(np.ones((3, 1)))
