"""Vehicle actuation on loops: hold a stage while traffic keeps coming, then the next one in order that somebody has called."""

from __future__ import annotations

import numpy as np

from ..core.intersection import Intersection
from ..core.ports import Wish
from ..core.state import TrafficState

PASSAGE = 3.0
"""[s] without a vehicle on the loops of a lane after which its green may end."""

MAX_GREEN = 50.0
"""[s] a stage may be held against a call of another."""


class Actuated:
    """Stages in the site's order; those whose new greens nobody calls are passed over. Rests where it is while nobody else calls."""

    def __init__(self, intersection: Intersection, *, passage: float = PASSAGE, max_green: float = MAX_GREEN) -> None:
        self._passage = passage
        self._max_green = max_green
        self._greens = intersection.stage_greens
        self._barred = {
            (intersection.stage_index[before], intersection.stage_index[after]) for before, after in intersection.barred
        }
        lanes = [lane.name for lane in intersection.lanes]
        self._group_lanes = np.array(
            [[any(lane in m.lanes for m in group.movements) for lane in lanes] for group in intersection.groups],
            dtype=np.bool_,
        ).reshape(len(intersection.groups), len(lanes))

    def decide(self, state: TrafficState) -> Wish:
        """The present stage, the next called one when its traffic has passed, or None while there is no choice."""
        if state.in_interstage:
            return None
        following = self._next(state)
        if following is None or (self._still_coming(state, following) and state.elapsed < self._max_green):
            return None
        return following

    def _next(self, state: TrafficState) -> int | None:
        """The next stage in order that gives a calling group green which has none now."""
        n = len(self._greens)
        now = self._greens[state.stage] if state.stage >= 0 else np.zeros(self._greens.shape[1], dtype=np.bool_)
        waiting = state.calls & ~now
        for ahead in range(1, n + 1):
            stage = (state.stage + ahead) % n
            if (state.stage, stage) not in self._barred and bool((waiting & self._greens[stage]).any()):
                return stage
        return None

    def _still_coming(self, state: TrafficState, following: int) -> bool:
        """Whether a lane that would lose its green still has traffic passing its loops."""
        if state.stage < 0:
            return False
        kept = self._group_lanes[self._greens[following]].any(axis=0)
        losing = self._group_lanes[self._greens[state.stage]].any(axis=0) & ~kept
        return bool((losing & ((state.gap < self._passage) | (state.occupied > 0.0))).any())
