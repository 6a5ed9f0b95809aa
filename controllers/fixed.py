"""Fixed time: a certified plan run by the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..core.certify import SafePlan
from ..core.ports import Wish
from ..core.state import TrafficState


class FixedTime:
    """Asks at each second for the stage its plan has then."""

    def __init__(self, plan: SafePlan) -> None:
        self.plan = plan

    def decide(self, state: TrafficState) -> Wish:
        """The stage of the plan at this time of day."""
        return self.plan.stage_at(state.time)


class DayPlans:
    """Follows the plan of the hour: `plans` with the time of day each begins at [s], by a `clock` that tells the time of day [s]."""

    def __init__(self, plans: Sequence[tuple[float, SafePlan]], clock: Callable[[], float]) -> None:
        self._plans = sorted(plans, key=lambda one: one[0])
        self._clock = clock

    @property
    def plan(self) -> SafePlan:
        """The plan of now; before the first of a day it is still the last of the day before."""
        now = self._clock()
        return next((plan for begins, plan in reversed(self._plans) if begins <= now), self._plans[-1][1])

    def decide(self, state: TrafficState) -> Wish:
        """The stage of that plan at this time of day."""
        return self.plan.stage_at(self._clock())
