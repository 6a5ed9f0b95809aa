"""Looks ahead each second and asks for the stage the cheapest course of the next minute or so begins with."""

from __future__ import annotations

from ..core.horizon import Decision, Horizon, Weights
from ..core.intersection import Intersection
from ..core.ports import Wish
from ..core.state import TrafficState

RELEARN = 10
"""Seconds between two looks at turning shares and saturation flows."""


class Adaptive:
    """The rolling-horizon controller of one intersection."""

    def __init__(self, site: Intersection, weights: Weights | None = None) -> None:
        self.horizon = Horizon(site, weights)
        self.decision: Decision | None = None
        self._since = RELEARN

    def decide(self, state: TrafficState) -> Wish:
        """The stage to ask for now; None to stay."""
        self._since += 1
        if self._since >= RELEARN:
            self._since = 0
            self.horizon.learn(state)
        if state.in_interstage or state.stage < 0:
            return None if state.stage >= 0 else 0
        self.decision = self.horizon.decide(state)
        return None if self.decision.stage == state.stage else self.decision.stage
