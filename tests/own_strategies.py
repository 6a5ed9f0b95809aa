"""Strategies that tests name by import path: one that works, and some that do not."""

from __future__ import annotations

import os
import time

from signalwright.core.intersection import Intersection
from signalwright.core.ports import Wish
from signalwright.core.state import TrafficState


class Rotation:
    """Every stage in turn, a change asked for every 20 s."""

    def __init__(self, site: Intersection) -> None:
        self._stages = len(site.stages)

    def decide(self, state: TrafficState) -> Wish:
        """The stage whose turn it is."""
        return int(state.time // 20) % self._stages


class Broken(Rotation):
    """Raises after a minute."""

    def decide(self, state: TrafficState) -> Wish:
        """Fails in the second minute of an hour."""
        if state.time % 3600 > 60:
            raise ZeroDivisionError("no cars, no average")
        return super().decide(state)


class Hanging(Rotation):
    """Never comes to a decision."""

    def decide(self, state: TrafficState) -> Wish:
        """Sleeps."""
        time.sleep(600)
        return 0


class Crashing(Rotation):
    """Takes its process down, as a crash in C would."""

    def decide(self, state: TrafficState) -> Wish:
        """Ends the process with the status of an abort."""
        os.abort()
