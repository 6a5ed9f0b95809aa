"""HCM control delay: worked example of the manual, exact queueing identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalwright.core.planning import hcm

# HCM 7th edition, chapter 34, example problem 2, exhibits 34-24 to 34-28: effective green [s] of a 140 s cycle,
# capacity [veh/h], v/c (printed to two decimals), control delay [s/veh]; isolated, fixed time, 15 minutes.
EXAMPLE = [
    ("EB external through", 89.0, 2407.0, 0.44, 13.5),
    ("EB external left", 24.0, 308.0, 1.02, 115.7),
    ("WB external through", 94.0, 2222.0, 0.56, 13.2),
    ("WB external left", 24.0, 297.0, 0.58, 61.6),
    ("NB ramp left", 34.0, 407.0, 0.56, 52.1),
    ("NB ramp right", 34.0, 403.0, 0.65, 55.7),
    ("SB ramp left", 39.0, 474.0, 0.61, 49.7),
    ("SB ramp right", 39.0, 450.0, 0.28, 41.1),
]


@pytest.mark.parametrize(("group", "green", "capacity", "x", "delay"), EXAMPLE)
def test_published_delays(group: str, green: float, capacity: float, x: float, delay: float) -> None:
    """The manual's delays lie between ours for the two ends of its rounded v/c."""
    low, high = (
        float(
            hcm.control_delay(v * capacity, capacity * 140.0 / green, green, 140.0).total[0],
        )
        for v in (x - 0.0051, x + 0.0051)
    )
    assert low - 0.06 <= delay <= high + 0.06, group


def deterministic(cycle: float, green: float, flow: float, saturation: float) -> float:
    """Mean delay [s] of fluid arrivals at a signal, from the area between arrival and departure curves."""
    red = cycle - green
    q, s = flow / 3600.0, saturation / 3600.0
    clear = q * red / (s - q)
    return 0.5 * red * q * (red + clear) / (q * cycle)


@given(st.floats(40, 140), st.floats(0.1, 0.9), st.floats(0.05, 1.0))
def test_uniform_delay_is_the_area_under_the_queue(cycle: float, share: float, x: float) -> None:
    """d1 equals exact deterministic queueing for every undersaturated signal."""
    s = 1800.0
    flow = x * s * share
    assert float(hcm.uniform_delay(cycle, share * cycle, x)) == pytest.approx(
        deterministic(cycle, share * cycle, flow, s), rel=1e-9
    )


@given(st.floats(0.1, 0.9), st.floats(0.05, 0.99))
def test_even_arrivals_have_progression_factor_one(share: float, x: float) -> None:
    """PF is 1 when the proportion on green equals the green share, below 1 when more arrive on green."""
    assert float(hcm.progression_factor(share, share, x)) == pytest.approx(1.0)
    assert float(hcm.progression_factor(min(1.0, share * 1.1), share, x)) < 1.0


@given(st.floats(1, 100), st.floats(100, 1500), st.floats(100, 1500))
def test_initial_queue_delay_is_the_area_it_adds(queue: float, flow: float, capacity: float) -> None:
    """d3 is the difference of two fluid queues' delays, integrated to the end of the last vehicle's wait."""

    def area(start: float) -> float:
        period, end = 0.25, start + 0.25 * (flow - capacity)
        if flow < capacity:
            clear = start / (capacity - flow)
            if clear <= period:
                return 0.5 * start * clear
        return 0.5 * (start + end) * period + end * end / (2.0 * capacity)

    extra = (area(queue) - area(0.0) - queue * queue / (2.0 * capacity)) * 3600.0 / (flow * 0.25)
    ours = float(hcm.initial_queue_delay(queue, flow, capacity))
    inside = queue * queue / (2.0 * capacity) * 3600.0 / (flow * 0.25)
    assert ours == pytest.approx(extra, rel=1e-6, abs=1e-6 * (1.0 + inside))


def test_oversaturation_delay_tends_to_half_the_excess() -> None:
    """For large capacity d2 at x > 1 tends to the fluid value 1800 T (x - 1)."""
    assert float(hcm.incremental_delay(1.3, 1e9, 0.25)) == pytest.approx(1800 * 0.25 * 0.3, rel=1e-4)


def test_delay_factor_of_actuated_stages() -> None:
    """k runs from its floor at half use to the fixed-time value at capacity (exhibit 19-22's ends)."""
    k_min = hcm.least_delay_factor([2.0, 3.0])
    assert np.all((k_min >= 0.04) & (k_min < 0.3))
    assert hcm.delay_factor([0.2, 1.0], k_min).tolist() == pytest.approx([float(k_min[0]), 0.5])
    assert float(hcm.filtering(0.0)) == 1.0
    assert float(hcm.filtering(1.0)) == pytest.approx(0.09)


def test_periods_chain_and_grades_follow() -> None:
    """A queue left behind is the next period's; x above 1 is F; the mean is weighted by flow."""
    first = hcm.control_delay([800, 200], [1937.5, 1800], [36, 36], 90.0)
    assert first.x == pytest.approx([800 / 775, 200 / 720])
    assert first.queue == pytest.approx([6.25, 0.0])
    assert first.service[0] == "F"
    second = hcm.control_delay([800, 200], [1937.5, 1800], [36, 36], 90.0, queue=first.queue)
    assert second.initial_queue[0] > 0.0
    assert second.total[0] > first.total[0]
    assert second.total[1] == pytest.approx(first.total[1])
    assert first.mean([800, 200]) == pytest.approx(0.8 * first.total[0] + 0.2 * first.total[1])


def test_a_light_that_is_never_green_is_not_a_crash() -> None:
    """No green with traffic is level F; always green costs nothing by rule."""
    never = hcm.control_delay([100, 0], [1800, 1800], [0, 0], 90.0)
    assert never.service[0] == "F"
    always = hcm.control_delay([100], [1800], [90], 90.0)
    assert always.uniform[0] == 0.0
