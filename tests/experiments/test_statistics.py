"""Statistics of comparison, against scipy, textbook tables and cases that can be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from signalwright.experiments.statistics import (
    compare_arms,
    describe,
    effect_size,
    fewest_for_significance,
    gridlocks,
    holm,
    interval,
    probability_of_improvement,
    rank_over_maps,
    seeds_needed,
    sign_flip_p,
)


def test_interval_covers() -> None:
    """The 95 % interval of the mean of 20 skewed values covers the true mean in about 95 of 100 draws (at least 86)."""
    rng = np.random.default_rng(7)
    covered = sum(not interval(rng.gamma(4.0, 5.0, 20)).excludes(20.0) for _ in range(100))
    assert 86 <= covered <= 100


def test_interval_is_bca() -> None:
    """The interval is Efron's BCa, worked out here from the resampled means, the share of them below the mean, and the jackknife."""
    values = np.random.default_rng(5).gamma(2.0, 10.0, 15)
    draws = np.random.default_rng(2).choice(values, (40_000, 15)).mean(axis=1)
    z0 = stats.norm.ppf((draws < values.mean()).mean())
    left = np.array([np.delete(values, k).mean() for k in range(15)])
    skew = left.mean() - left
    a = (skew**3).sum() / (6 * (skew**2).sum() ** 1.5)
    at = [stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in stats.norm.ppf([0.025, 0.975])]
    bounds = interval(values)
    assert (bounds.low, bounds.high) == pytest.approx(tuple(np.quantile(draws, at)), abs=0.03 * values.std())


def test_holm_is_its_definition() -> None:
    """Holm 1979: the k-th smallest of n times n - k + 1, never falling, never above 1."""
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.5, 0.5]) == pytest.approx([1.0, 1.0])


def test_sign_flip_against_wilcoxon() -> None:
    """On ranks with signs the sign-flip test is Wilcoxon's exact signed-rank test."""
    signed = np.array([1.0, -2.0, 3.0, 4.0, -5.0, 6.0, 7.0, 8.0])
    assert sign_flip_p(signed) == pytest.approx(stats.wilcoxon(signed, method="exact").pvalue)


def test_interval_of_equal_values() -> None:
    """Equal differences give an interval of no width and no warning from scipy."""
    bounds = interval(np.full(5, -2.0))
    assert (bounds.low, bounds.high) == (-2.0, -2.0)


def test_sign_flip_is_exact() -> None:
    """Five differences of one sign have p = 2 / 2^5; of mixed signs, the share of the 32 flips at least as far from
    0."""
    assert sign_flip_p(np.array([-1.0, -2.0, -3.0, -4.0, -5.0])) == pytest.approx(2 / 32)
    values = np.array([3.0, -1.0, 2.0, 0.5])
    flips = [abs(np.mean(values * [1 - 2 * (k >> i & 1) for i in range(4)])) for k in range(16)]
    assert sign_flip_p(values) == pytest.approx(np.mean([f >= abs(values.mean()) - 1e-12 for f in flips]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_against_definition(p: list[float]) -> None:
    """Rejecting where the corrected p is below alpha is Holm's step-down at that alpha."""
    for alpha in (0.01, 0.05, 0.3):
        rejected = set()
        for done, row in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if min(1.0, p[row] * (len(p) - done)) > alpha:
                break
            rejected.add(row)
        assert {i for i, value in enumerate(holm(p)) if value <= alpha} == rejected


def test_effect_size() -> None:
    """For differences 1..5 it is 3 / sqrt(2.5) * (1 - 3/15); equal ones are infinitely clear."""
    assert effect_size(np.arange(1.0, 6.0)) == pytest.approx(3 / math.sqrt(2.5) * (1 - 3 / 15))
    assert effect_size(np.full(3, -1.0)) == -math.inf
    assert effect_size(np.zeros(3)) == 0.0


def test_improvement_is_mann_whitney() -> None:
    """The probability of improvement is scipy's U over n m, ties included."""
    rng = np.random.default_rng(3)
    arm, base = rng.integers(0, 9, 15).astype(float), rng.integers(2, 11, 12).astype(float)
    u = stats.mannwhitneyu(base, arm).statistic
    assert probability_of_improvement(arm, base) == pytest.approx(u / (15 * 12))


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_power_table(effect: float, pairs: int) -> None:
    """Pairs for 80 % power at 5 % two-sided are those of the published tables of the paired t-test (G*Power)."""
    assert seeds_needed(effect) == pairs


def test_power_limits() -> None:
    """No effect can be shown by no number; an infinitely clear one by two; more arms need more seeds."""
    assert seeds_needed(0.0) is None
    assert seeds_needed(0.001) is None
    assert seeds_needed(math.inf) == 2
    assert (seeds_needed(0.5, arms=5) or 0) > 34


def test_fewest_seeds() -> None:
    """The fewest seeds are the first at which even the clearest outcome passes Holm's first step."""
    for arms in range(1, 20):
        n = fewest_for_significance(arms)
        assert 2 / 2**n <= 0.05 / arms < 2 / 2 ** (n - 1)


def test_gridlocks_are_counted() -> None:
    """One seed at ten medians is a gridlock, counted apart, and an arm that gridlocks is not called better."""
    quiet = {seed: 40.0 + seed for seed in range(12)}
    wild = {seed: 10.0 + seed / 10 for seed in range(12)} | {11: 110.0}
    assert gridlocks(wild) == {11}
    comparison = compare_arms({"plan": quiet, "wild": wild}, "plan")[0]
    assert (comparison.gridlocks, comparison.gridlocks_baseline) == (1, 0)
    assert comparison.verdict == "gridlocks more often"
    arm = describe("wild", wild)
    assert (arm.worst, arm.worst_seed, arm.gridlocks, arm.n) == (110.0, 11, 1, 12)


def test_every_seed_gridlocks() -> None:
    """An arm that jams in every seed has no quiet median to tell by: seeds that were stuck in the end are counted all the same."""
    quiet = {seed: 40.0 + seed for seed in range(6)}
    jammed = {seed: 400.0 + seed for seed in range(6)}
    locks = {"plan": gridlocks(quiet), "jams": gridlocks(jammed, stuck=range(6))}
    (comparison,) = compare_arms({"plan": quiet, "jams": jammed}, "plan", locks)
    assert (comparison.gridlocks, comparison.verdict) == (6, "gridlocks more often")
    assert describe("jams", jammed, locks["jams"]).gridlocks == 6
    (beside,) = compare_arms({"plan": {0: 4.0, 9: 1.0}, "jams": {0: 3.0, 8: 1.0}}, "plan", {"plan": {9}, "jams": {8}})
    assert (beside.n, beside.gridlocks, beside.gridlocks_baseline) == (1, 0, 0)


def test_paired_by_seed() -> None:
    """A steady gain of 2 under seed noise of 20 is found with pairing, over the shared seeds only."""
    rng = np.random.default_rng(1)
    base = {seed: float(rng.normal(100, 20)) for seed in range(20)}
    arm = {seed: value - 2 + float(rng.normal(0, 0.5)) for seed, value in base.items() if seed >= 5}
    (comparison,) = compare_arms({"plan": base, "ours": arm}, "plan")
    assert comparison.n == 15
    assert comparison.verdict == "better"
    assert comparison.warning == ""
    assert comparison.interval.low < comparison.difference < comparison.interval.high < 0
    unpaired = stats.ttest_ind(list(arm.values()), list(base.values())).pvalue
    assert unpaired > 0.3


def test_too_few_seeds() -> None:
    """Five seeds can show nothing over two arms and say how many would; no difference says so."""
    base = {seed: 50.0 + seed for seed in range(5)}
    arms = {"plan": base, "a": {s: v - 10 - s / 7 for s, v in base.items()}, "b": {s: v + 1 for s, v in base.items()}}
    for comparison in compare_arms(arms, "plan"):
        assert comparison.verdict == "no difference shown"
        assert "at least 7" in comparison.warning
    same = compare_arms({"plan": base, "c": dict(base)}, "plan")[0]
    assert (same.difference, same.p, same.verdict) == (0.0, 1.0, "no difference shown")


def test_ranks() -> None:
    """Ranks over maps agree with Demsar's published example: 4 classifiers on 14 sets, critical difference 1.25."""
    # AUC of table 6; the last set but one prints .975 twice, and the mean ranks say that the first was the higher one
    auc = """.763 .768 .771 .798|.599 .591 .590 .569|.954 .971 .968 .967|.628 .661 .654 .657|.882 .888 .886 .898|.936
    .931 .916 .931 |.661 .668 .609 .685|.583 .583 .563 .625|.775 .838 .866 .875|1 1 1 1|.940 .962 .965 .962|.619 .666
    .614 .669|.972 .981 .9751 .975 |.957 .978 .946 .970"""
    names = ("plain", "m", "cf", "m+cf")
    means = {
        str(i): {n: -float(v) for n, v in zip(names, row.split(), strict=True)} for i, row in enumerate(auc.split("|"))
    }
    ranking = rank_over_maps(means)
    published = {"plain": 3.143, "m": 2.000, "cf": 2.893, "m+cf": 1.964}
    assert {name: round(rank, 3) for name, rank in ranking.mean_ranks.items()} == published
    assert ranking.critical_difference == pytest.approx(1.25, abs=0.006)
    assert ranking.p is not None
    assert ranking.p < 0.05


def test_too_few_maps() -> None:
    """Under five maps there are ranks but no test of them; an arm that missed a map takes that map out."""
    ranking = rank_over_maps({"x": {"a": 1.0, "b": 2.0}, "y": {"a": 3.0, "b": 2.0}, "z": {"a": 1.0}})
    assert ranking.mean_ranks == {"a": 1.5, "b": 1.5}
    assert ranking.p is None
    assert rank_over_maps({"x": {"a": 1.0}, "y": {"b": 1.0}}).mean_ranks == {}
