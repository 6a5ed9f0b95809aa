"""Fair comparison: paired by seed, intervals of the difference, corrected for how many arms were tried.

Lower is better in every metric here. The unit is a *cell*: one scenario at one scale and one timing, in which every arm
ran the same seeds. "No improvement shown" is a result.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from ..core.messages import _

Floats = npt.NDArray[np.float64]

GRIDLOCK: Final = 3.0
"""A seed whose delay is above this many medians of its cell and arm is a gridlock."""
LEVEL: Final = 0.95
POWER: Final = 0.8
RESAMPLES: Final = 9999
FEW_SEEDS: Final = 10
"""Fewer runs than this bear no claim in traffic practice (a common floor for simulation studies)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether `value` lies outside."""
        return not self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm in one cell: mean over all its seeds with its interval, the median, the worst seed, and how many seeds
    gridlocked."""

    name: str
    n: int
    mean: float
    interval: Interval
    median: float
    worst: float
    worst_seed: int
    gridlocks: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against the baseline of its cell, over the seeds that both ran.

    difference   mean of (arm - baseline); negative is better
    interval     BCa interval of that mean, 95 %
    relative     difference / mean of the baseline
    p            two-sided sign-flip permutation p-value; `p_holm` corrected over the arms of the cell
    effect       mean of the differences over their standard deviation, corrected for small n (Hedges' g of a paired
    design);
                 infinite where all differences are equal and not 0
    improvement  probability that the arm does better than the baseline on two seeds drawn at random (Mann-Whitney U /
    n^2) seeds_needed how many seeds would show an effect of this size in 4 of 5 studies; None if no number would
    """

    arm: str
    baseline: str
    n: int
    difference: float
    interval: Interval
    relative: float
    p: float
    p_holm: float
    effect: float
    improvement: float
    gridlocks: int
    gridlocks_baseline: int
    seeds_needed: int | None
    verdict: str
    warning: str


def interval(values: Floats, level: float = LEVEL, seed: int = 1) -> Interval:
    """BCa bootstrap interval of the mean of `values` (n,). One value, or equal ones, give an interval of no width.

    Efron (1987), Better bootstrap confidence intervals, JASA 82:171-185, through scipy.
    """
    if len(values) < 2 or np.ptp(values) == 0:
        mean = float(np.mean(values))
        return Interval(mean, mean)
    drawn = stats.bootstrap(
        (values,), np.mean, confidence_level=level, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(seed)
    )
    return Interval(float(drawn.confidence_interval.low), float(drawn.confidence_interval.high))


def sign_flip_p(differences: Floats, seed: int = 1) -> float:
    """Two-sided p-value that the differences (n,) are as likely to be of either sign: exact up to 13 pairs, else by
    9999 draws."""
    if len(differences) < 2 or not np.any(differences):
        return 1.0
    test = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down corrected p-values, in the order given. Holm (1979), Scand. J. Statist. 6:65-70.

    >>> [round(value, 3) for value in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p)
    highest = 0.0
    for done, row in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - done) * p[row]))
        corrected[row] = highest
    return corrected


def effect_size(differences: Floats) -> float:
    """Mean over standard deviation of paired differences, times Hedges' correction 1 - 3 / (4 (n - 1) - 1)."""
    n = len(differences)
    mean = float(np.mean(differences))
    spread = float(np.std(differences, ddof=1)) if n > 1 else 0.0
    if spread == 0:
        return 0.0 if mean == 0 else math.copysign(math.inf, mean)
    correction = 1 - 3 / (4 * (n - 1) - 1) if n > 2 else 1.0
    return mean / spread * correction


def probability_of_improvement(arm: Floats, baseline: Floats) -> float:
    """P(arm < baseline) for a draw of each, ties counting half: Mann-Whitney U / (n m)."""
    below = (arm[:, None] < baseline[None, :]).mean()
    equal = (arm[:, None] == baseline[None, :]).mean()
    return float(below + equal / 2)


def gridlocks(delays: Mapping[int, float], stuck: Collection[int] = ()) -> frozenset[int]:
    """Which seeds of an arm in a cell gridlocked, {seed: delay}: those that were `stuck` in the end, and those above three medians."""
    limit = GRIDLOCK * float(np.median(list(delays.values())))
    return frozenset(seed for seed, delay in delays.items() if delay > limit or seed in stuck)


def seeds_needed(effect: float, arms: int = 1, level: float = LEVEL, power: float = POWER) -> int | None:
    """Pairs a two-sided paired t-test needs to show `effect` (standardised) with this power, Bonferroni over `arms`.

    None where the effect is 0 (no number shows it) or would need more than 10,000 pairs.

    >>> seeds_needed(0.5)
    34
    """
    if effect == 0:
        return None
    if math.isinf(effect):
        return 2
    alpha = (1 - level) / arms

    def enough(n: int) -> bool:
        bound = stats.t.ppf(1 - alpha / 2, n - 1)
        return float(stats.nct.sf(bound, n - 1, abs(effect) * math.sqrt(n))) >= power

    low, high = 2, 10_000
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def describe(name: str, values: dict[int, float], locks: Collection[int] | None = None) -> Arm:
    """One arm of a cell from {seed: value}; `locks` are the seeds that gridlocked, by default as the values themselves tell."""
    seeds, numbers = list(values), np.array(list(values.values()), np.float64)
    worst = int(np.argmax(numbers))
    return Arm(
        name=name,
        n=len(numbers),
        mean=float(numbers.mean()),
        interval=interval(numbers),
        median=float(np.median(numbers)),
        worst=float(numbers[worst]),
        worst_seed=seeds[worst],
        gridlocks=len(gridlocks(values) if locks is None else set(locks) & values.keys()),
    )


def compare_arms(
    arms: dict[str, dict[int, float]], baseline: str, locks: Mapping[str, Collection[int]] | None = None
) -> list[Comparison]:
    """Every other arm of a cell against `baseline`; `arms` is {arm: {seed: value}}, paired over the seeds both have.

    `locks` are the seeds of each arm that gridlocked, by default as the values themselves tell. An arm that shares no seed
    with the baseline is left out.
    """
    if locks is None:
        locks = {name: gridlocks(values) for name, values in arms.items()}
    base = arms[baseline]
    pairs: dict[str, _Pairs] = {}
    for name, values in arms.items():
        seeds = sorted(values.keys() & base.keys())
        if name != baseline and seeds:
            ours, theirs = np.array([values[s] for s in seeds]), np.array([base[s] for s in seeds])
            pairs[name] = _Pairs(ours, theirs, len({*seeds} & {*locks[name]}), len({*seeds} & {*locks[baseline]}))
    corrected = holm([sign_flip_p(found.arm - found.base) for found in pairs.values()])
    return [
        _compare(name, baseline, found, p, len(pairs))
        for (name, found), p in zip(pairs.items(), corrected, strict=True)
    ]


class _Pairs(NamedTuple):
    """The values of an arm and of its baseline, seed by seed (n,), and how many of those seeds gridlocked in each."""

    arm: Floats
    base: Floats
    locks: int
    locks_base: int


def _compare(name: str, baseline: str, pairs: _Pairs, p_holm: float, n_arms: int) -> Comparison:
    arm, base, locks, locks_base = pairs
    differences = arm - base
    bounds, effect = interval(differences), effect_size(differences)
    wanted = seeds_needed(effect, n_arms)
    shown = bounds.excludes(0.0) and p_holm <= 1 - LEVEL
    if locks > locks_base:
        verdict = _("gridlocks more often")
    elif not shown:
        verdict = _("no difference shown")
    else:
        verdict = _("better") if differences.mean() < 0 else _("worse")
    return Comparison(
        arm=name,
        baseline=baseline,
        n=len(arm),
        difference=float(differences.mean()),
        interval=bounds,
        relative=float(differences.mean() / base.mean()) if base.mean() else 0.0,
        p=sign_flip_p(differences),
        p_holm=p_holm,
        effect=effect,
        improvement=probability_of_improvement(arm, base),
        gridlocks=locks,
        gridlocks_baseline=locks_base,
        seeds_needed=wanted,
        verdict=verdict,
        warning=_too_few(len(arm), n_arms, shown, wanted),
    )


def _too_few(n: int, n_arms: int, shown: bool, wanted: int | None) -> str:
    """What to say where the seeds are too few for the claim, empty where they are not."""
    least = fewest_for_significance(n_arms)
    if n < least:
        text = _("{n} seeds can show no difference, whatever it is, among {arms} strategies; run at least {least}")
        return text.format(n=n, arms=n_arms + 1, least=least)
    if not shown:
        if wanted is None:
            return _("no number of seeds up to 10,000 would show a difference this small")
        return _("{wanted} seeds would show a difference of this size").format(wanted=wanted) if wanted > n else ""
    return _("a claim wants at least {few} seeds, these are {n}").format(few=FEW_SEEDS, n=n) if n < FEW_SEEDS else ""


def fewest_for_significance(n_arms: int, level: float = LEVEL) -> int:
    """Fewest pairs with which a sign-flip test can pass after correction: 2 / 2^n <= (1 - level) / arms.

    >>> fewest_for_significance(1), fewest_for_significance(5)
    (6, 8)
    """
    return math.ceil(1 + math.log2(n_arms / (1 - level)) - 1e-12)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Arms over maps: mean rank (1 is best), Friedman's p, and Nemenyi's critical difference; the last two need 5 maps,
    else None."""

    mean_ranks: dict[str, float]
    p: float | None
    critical_difference: float | None


def rank_over_maps(means: dict[str, dict[str, float]]) -> Ranking:
    """Rank the arms over the maps that all of them ran; `means` is {map: {arm: mean}}.

    Demsar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7:1-30, section 3.2.
    """
    arms = sorted({arm for row in means.values() for arm in row})
    table = np.array([[row[arm] for arm in arms] for row in means.values() if len(row) == len(arms)], np.float64)
    if len(table) == 0:
        return Ranking({}, None, None)
    ranks = stats.rankdata(table, axis=1).mean(axis=0)
    n_maps, n_arms = table.shape
    p = critical = None
    if n_maps >= 5 and n_arms >= 3:
        p = float(stats.friedmanchisquare(*table.T).pvalue)
        quantile = stats.studentized_range.ppf(LEVEL, n_arms, np.inf) / math.sqrt(2)
        critical = float(quantile * math.sqrt(n_arms * (n_arms + 1) / (6 * n_maps)))
    return Ranking(dict(sorted(zip(arms, map(float, ranks), strict=True), key=lambda item: item[1])), p, critical)
