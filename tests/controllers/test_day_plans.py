"""Plans by the time of day."""

from __future__ import annotations

import pytest

from line_bench import crossing, plans
from signalwright.controllers.fixed import DayPlans


@pytest.mark.parametrize(("hour", "name"), [(0.0, "day"), (17.99, "day"), (18.0, "evening"), (23.5, "evening")])
def test_the_plan_of_the_hour_is_followed(hour: float, name: str) -> None:
    """Each plan holds from its time of day on."""
    now = hour * 3600
    one = DayPlans([(row.starts or 0, row.plan) for row in plans(crossing())], lambda: now)
    assert one.plan.plan.name == name
    assert one.decide(None) == one.plan.stage_at(now)  # type: ignore[arg-type]


def test_before_the_first_of_a_day_it_is_the_last_of_the_day_before() -> None:
    """Plans from 6 and 18 o'clock: at night that of the evening."""
    day, evening = (row.plan for row in plans(crossing()))
    assert DayPlans([(18 * 3600.0, evening), (6 * 3600.0, day)], lambda: 3600.0).plan is evening
