"""Timing of one intersection: worked examples, linear-programming oracle, oversaturation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from signalwright.core.errors import InputError
from signalwright.core.planning import webster
from signalwright.core.planning.cover import cover


def demand(
    flow: list[float],
    saturation: list[float],
    serves: list[list[int]],
    *,
    minima: list[float] | None = None,
    interstage: list[float] | None = None,
    extra: list[float] | None = None,
    least: list[float] | None = None,
) -> webster.StageDemand:
    """A demand with zero minima and four lost seconds per stage unless said otherwise."""
    stages, movements = len(serves), len(flow)
    return webster.StageDemand(
        flow=np.array(flow, dtype=float),
        saturation=np.array(saturation, dtype=float),
        serves=np.array(serves, dtype=bool),
        minima=np.array(minima or [0.0] * stages, dtype=float),
        interstage=np.array(interstage or [4.0] * stages, dtype=float),
        extra=np.array(extra or [0.0] * movements, dtype=float),
        least=np.array(least or [0.0] * movements, dtype=float),
    )


@pytest.mark.parametrize(
    ("flows", "saturations", "lost", "cycle"),
    [((500, 300), (1600, 1600), 16, 58.0), ((1000, 900), (2500, 3000), 12, 76.67)],
)
def test_published_cycles(flows: tuple[int, int], saturations: tuple[int, int], lost: int, cycle: float) -> None:
    """Webster's cycle of two published examination problems (58 s; 77 s) comes out."""
    site = demand(list(flows), list(saturations), [[1, 0], [0, 1]], interstage=[lost / 2, lost / 2])
    _, y, found_lost = webster.critical(site)
    assert found_lost == pytest.approx(lost)
    assert webster.optimum_cycle(found_lost, y) == pytest.approx(cycle, abs=0.01)


def test_greens_are_in_proportion_to_critical_flow_ratios() -> None:
    """Equal saturation gives g = (C - L) y / Y when nothing else binds."""
    site = demand([600, 400, 450, 200], [1800] * 4, [[1, 1, 0, 0], [0, 0, 1, 1]])
    greens = webster.equisaturation(site, 60.0)
    assert greens == pytest.approx([52 * 600 / 1050, 52 * 450 / 1050])
    assert webster.critical(site)[0] == (0, 2)


def test_overlap_is_critical_as_a_whole() -> None:
    """A movement green in two stages decides them together when it needs more than their own movements do."""
    serves = [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
    heavy = demand([300, 1100, 300, 400], [1800] * 4, serves)
    deciding, y, lost = webster.critical(heavy)
    assert deciding == (1, 3)
    assert y == pytest.approx(1500 / 1800)
    assert lost == pytest.approx(8.0)  # the interstage inside the overlap is not lost
    light = demand([300, 400, 300, 400], [1800] * 4, serves)
    assert webster.critical(light)[0] == (0, 2, 3)
    assert webster.critical(light)[2] == pytest.approx(12.0)


@st.composite
def sites(draw: st.DrawFn) -> webster.StageDemand:
    """Any intersection with two to five stages, movements served in any of them."""
    stages, movements = draw(st.integers(2, 5)), draw(st.integers(1, 8))
    serves = [[draw(st.integers(0, 1)) for _ in range(movements)] for _ in range(stages)]
    for m in range(movements):
        serves[draw(st.integers(0, stages - 1))][m] = 1
    numbers = st.integers
    return demand(
        [draw(numbers(0, 1500)) for _ in range(movements)],
        [draw(numbers(1400, 4000)) for _ in range(movements)],
        serves,
        minima=[draw(numbers(4, 15)) for _ in range(stages)],
        interstage=[draw(numbers(0, 9)) for _ in range(stages)],
        extra=[draw(numbers(-2, 2)) for _ in range(movements)],
        least=[draw(numbers(0, 12)) for _ in range(movements)],
    )


@given(sites())
@settings(deadline=None)
def test_the_path_search_equals_a_linear_program(site: webster.StageDemand) -> None:
    """Our simplex finds the same least green as scipy's, and its prices prove it."""
    rows = site.serves.T
    needs = site.flow_ratio * 90.0
    ours = cover(rows, needs)
    theirs = linprog(np.ones(rows.shape[1]), A_ub=-rows.astype(float), b_ub=-needs, method="highs")
    assert ours.total == pytest.approx(theirs.fun, abs=1e-6)
    assert np.all(rows @ ours.greens >= needs - 1e-6)
    assert float(ours.price @ needs) == pytest.approx(ours.total, abs=1e-6)


@given(sites(), st.integers(0, 80))
@settings(deadline=None)
def test_greens_add_up_and_no_better_worst_saturation_exists(site: webster.StageDemand, spare: int) -> None:
    """Greens and interstages sum to the cycle, minima hold, and scipy cannot lower the worst degree of saturation."""
    shortest = webster.shortest_cycle(site)
    cycle = math.ceil(shortest) + spare
    greens = webster.equisaturation(site, cycle)
    assert float(greens.sum() + site.interstage.sum()) == pytest.approx(cycle)
    assert np.all(greens >= site.minima - 1e-6)
    effective = site.effective_green(greens)
    assert np.all(effective >= site.least - 1e-6)
    if not np.any(site.flow > 0):
        return
    mu = float((effective[site.flow > 0] / (site.flow_ratio[site.flow > 0] * cycle)).min())
    stages, used = site.minima.size, site.flow > 0
    columns = np.hstack((-site.serves.T[used].astype(float), (site.flow_ratio[used] * cycle)[:, None]))
    held = np.hstack((-site.serves.T.astype(float), np.zeros((used.size, 1))))
    best = linprog(
        np.append(np.zeros(stages), -1.0),
        A_ub=np.vstack((columns, held)),
        b_ub=np.concatenate((site.between()[used], site.between() - site.least)),
        A_eq=[np.append(np.ones(stages), 0.0)],
        b_eq=[cycle - site.interstage.sum()],
        bounds=[(low, None) for low in site.minima] + [(0.0, None)],
        method="highs",
    )
    assert mu == pytest.approx(-best.fun, rel=1e-5, abs=1e-6)


@given(sites(), st.integers(0, 60))
@settings(deadline=None)
def test_calculated_plans_add_up(site: webster.StageDemand, spare: int) -> None:
    """The whole calculation always yields whole seconds that sum to its cycle."""
    cycle = math.ceil(webster.shortest_cycle(site)) + spare
    done = webster.calculate(site, cycle=cycle)
    assert int(done.greens.sum() + site.interstage.sum()) == done.cycle == cycle
    assert np.all(done.greens >= site.minima)


def test_shortest_cycle_meets_the_degree_asked_for() -> None:
    """At the practical cycle for x = 0.9 the worst movement has exactly x = 0.9."""
    site = demand([600, 450], [1800, 1800], [[1, 0], [0, 1]])
    cycle = webster.shortest_cycle(site, 0.9)
    x = site.flow_ratio * cycle / site.effective_green(webster.equisaturation(site, cycle))
    assert x == pytest.approx([0.9, 0.9])
    assert cycle == pytest.approx(8.0 / (1.0 - (600 + 450) / 1800 / 0.9))
    assert webster.shortest_cycle(demand([1000, 900], [1800, 1800], [[1, 0], [0, 1]]), 1.0) == math.inf


def test_oversaturation_is_shared_and_said() -> None:
    """Y above 1 gives the longest cycle, equal saturation above 1, and words."""
    done = webster.calculate(demand([1200, 900], [1800, 1800], [[1, 0], [0, 1]]), longest_cycle=110)
    assert done.cycle == 110
    assert done.oversaturated
    assert "Y = 1.17" in done.remarks[0]
    assert done.saturation_degree.min() > 1.2
    assert abs(done.saturation_degree[0] - done.saturation_degree[1]) < 0.03


def test_messages_name_the_need() -> None:
    """A cycle below the minima, and traffic without green, are refused with the figures."""
    site = demand([100, 100], [1800, 1800], [[1, 0], [0, 1]], minima=[20, 25])
    with pytest.raises(InputError, match="53"):
        webster.calculate(site, cycle=40)
    with pytest.raises(InputError, match=r"53\.0 s, more than the 50 s"):
        webster.calculate(site, longest_cycle=50)
    with pytest.raises(InputError, match="no stage"):
        demand([100, 100], [1800, 1800], [[1, 0], [1, 0]])


def test_webster_cycle_is_near_the_least_delay() -> None:
    """The delay of Webster's own formula at his cycle is within 3 % of the least over all cycles."""
    site = demand([700, 500], [1800, 1800], [[1, 0], [0, 1]], interstage=[5.0, 5.0])
    _, y, lost = webster.critical(site)

    def mean(cycle: float) -> float:
        green = site.effective_green(webster.equisaturation(site, cycle))
        total = [webster.delay(v, s, g, cycle) * v for v, s, g in zip(site.flow, site.saturation, green, strict=True)]
        return float(sum(total) / site.flow.sum())

    best = min(mean(c) for c in range(32, 150))
    assert mean(webster.optimum_cycle(lost, y)) < 1.03 * best


def test_minima_that_crowd_out_the_rest_lengthen_the_cycle() -> None:
    """A quiet street's crossing takes most of Webster's cycle: it grows until the busy street is below 0.9, and says why."""
    site = demand([500.0, 40.0], [1800.0, 1800.0], [[1, 0], [0, 1]], minima=[5.0, 22.0])
    found = webster.calculate(site)
    assert webster.optimum_cycle(found.lost_time, found.critical_flow_ratio) < found.cycle
    assert found.saturation_degree.max() <= webster.PRACTICAL + 1e-9
    shorter = webster.calculate(site, cycle=found.cycle - 2)
    assert shorter.saturation_degree.max() > webster.PRACTICAL
    assert "leave too little to others" in found.remarks[0]
