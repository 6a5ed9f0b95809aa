"""Links with storage: against whole cumulative curves, conservation, spillback, and agreement with free profiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_planning as naive
from planning_networks import random_plans, streets
from signalwright.core.kernels.layout import scratch_for
from signalwright.core.kernels.storage import flows_for, ring_for, simulate
from signalwright.core.planning import hcm
from signalwright.core.planning.streets import Light, Link, Streets


def run(town: Streets, cycle: int, seconds: int, plans: tuple, swell: float = 1.0):  # type: ignore[type-arg, no-untyped-def]
    """(value, waited, waiting) of plans."""
    net, roads = town.laid_out(cycle), town.roads()
    offset, order, green = plans
    ring, count = ring_for(roads), offset.shape[0]
    value = np.zeros(count)
    waited, waiting = np.zeros((count, net.lag.size), np.float32), np.zeros((count, net.lag.size), np.float32)
    factor = np.full(seconds, swell, np.float32)
    simulate(
        net, roads, cycle, factor, offset, order, green, ring, scratch_for(net, cycle), flows_for(net.lag.size, cycle, ring),
        value, waited, waiting,
    )  # fmt: skip
    return value, waited, waiting


@given(st.integers(0, 1000), st.sampled_from([200.0, 700.0, 1500.0]))
@settings(deadline=None, max_examples=10)
def test_kernel_equals_cumulative_curves(seed: int, demand: float) -> None:
    """Eight plans with differences in float32 give what whole curves in float64 give, empty or gridlocked."""
    town, cycle = streets(2, 2, demand=demand, seed=seed, travel=(4, 30)), 60
    net = town.laid_out(cycle)
    plans = random_plans(net, cycle, 9, seed)
    value, waited, waiting = run(town, cycle, 400, plans)
    for plan in (0, 8):
        order = plans[1][plan // 8].tolist()
        slow = naive.simulate(
            net, town.roads(), cycle, [1.0] * 400, plans[0][plan].tolist(), order, plans[2][plan].tolist()
        )
        assert waited[plan] == pytest.approx(slow[0], rel=2e-3, abs=0.5)
        assert waiting[plan] == pytest.approx(slow[1], rel=2e-3, abs=0.05)
        assert value[plan] == pytest.approx(sum(slow[0]) / 400, rel=1e-3)


def test_no_vehicle_is_lost() -> None:
    """In the twin, what came in is out, on the road, or waiting outside; no link holds more than its storage."""
    town, cycle = streets(2, 2, demand=1500.0, travel=(5, 20)), 60
    net = town.laid_out(cycle)
    offset, order, green = random_plans(net, cycle, 1)
    _, waiting, gone = naive.simulate(
        net, town.roads(), cycle, [1.0] * 600, offset[0].tolist(), order[0].tolist(), green[0].tolist()
    )
    came = float(net.entry.sum()) * 600
    assert gone + sum(waiting) <= came
    assert gone + sum(waiting) >= came - sum(min(25.0, 20.0 * 0.5) for _ in town.links)


def row(storage: float, entry: float) -> Streets:
    """Two lights in a row, the second one the bottleneck, and a street across the first."""
    table = np.array([[0.0, 5.0], [5.0, 0.0]])
    lights = tuple(Light(n, ("main", "side"), (7, 7), table) for n in ("first", "second"))
    main = frozenset({"main"})
    return Streets(
        lights,
        (
            Link("in", 10, 1800, entry=entry, light="first", green=main),
            Link("between", 10, 1800, feeds=(("in", 1.0),), storage=storage, light="second", green=main),
            Link("across", 10, 1800, entry=200, light="first", green=frozenset({"side"})),
        ),
    )


def plan(first_main: int, second_main: int) -> tuple:  # type: ignore[type-arg]
    """A plan of 60 s for `row` with these main greens."""
    green = np.array([[first_main, 50 - first_main, second_main, 50 - second_main]], np.int32)
    return np.zeros((1, 2), np.int32), np.array([[0, 1, 0, 1]], np.int32), green


def test_a_full_link_holds_back_the_one_before() -> None:
    """Behind a bottleneck the queue stays within the storage and the rest waits upstream, as many as in a long link."""
    short, long = (run(row(s, 700.0), 60, 1800, plan(30, 15))[2][0] for s in (15.0, 1e6))
    assert short[1] <= 15.01
    assert short[0] > 50.0
    assert long[0] < 15.0
    assert short[:2].sum() == pytest.approx(long[:2].sum(), rel=0.15)


def test_capacity_is_the_bottleneck_green() -> None:
    """An oversaturated entry's queue grows by demand less saturation flow times green share."""
    waiting = [run(row(1e6, 1500.0), 60, s, plan(20, 40))[2][0, 0] for s in (1200, 2400)]
    growth = (waiting[1] - waiting[0]) * 3600 / 1200
    assert growth == pytest.approx(1500 - 1800 * 20 / 60, rel=0.01)


def test_below_saturation_the_wait_is_the_uniform_delay() -> None:
    """A lone light with even arrivals makes vehicles wait HCM's d1."""
    waited = [run(row(1e6, 400.0), 60, s, plan(30, 40))[1][0, 0] for s in (600, 1800)]
    per_vehicle = (waited[1] - waited[0]) / 1200 / (400 / 3600)
    assert per_vehicle == pytest.approx(float(hcm.uniform_delay(60, 30, 400 / 900)), rel=0.03)
