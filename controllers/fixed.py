"""Fixed time: a certified plan run by the clock."""

from __future__ import annotations

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
