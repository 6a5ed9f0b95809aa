"""Serves the stage that clears the most vehicles per second of green it needs, its change included.

After Laemmer and Helbing (2008): the index of a stage is n / (tau + g), the vehicles served over the interstage and the green they take;
the stage served keeps its green while its own index, without an interstage, is the highest.
"""

from __future__ import annotations

import numpy as np

from ..core.intersection import Intersection
from ..core.ports import Wish
from ..core.state import TrafficState

LONGEST_WAIT = 60.0
"""Seconds of red with a call standing after which a group goes first."""

STAY = 2.0
"""Seconds of green that the stage served is held for at least when it is compared with the others."""


class Laemmer:
    """The index rule on estimated queues and arrivals."""

    def __init__(self, site: Intersection) -> None:
        self.site = site
        n = len(site.stages)
        self._change = np.array([[0 if a == b else site.interstage(a, b) for b in range(n)] for a in range(n)])
        self._green = site.stage_greens
        self._least = np.array([max(g.min_green for g in site.groups if g.name in s.green) for s in site.stages])
        row = {lane.name: k for k, lane in enumerate(site.lanes)}
        uses = np.zeros((len(site.lanes), len(site.groups)), dtype=np.bool_)
        for k, group in enumerate(site.groups):
            for move in group.movements:
                uses[[row[name] for name in move.lanes], k] = True
        self._serves = np.array([uses[:, green].any(axis=1) for green in self._green]).reshape(n, len(site.lanes))

    def decide(self, state: TrafficState) -> Wish:
        """The stage with the highest index; None to stay."""
        if state.in_interstage:
            return None
        here = max(state.stage, 0)
        late = np.flatnonzero(state.red > LONGEST_WAIT)
        waits = [float(state.red[late][self._green[s][late]].max(initial=0.0)) for s in range(len(self.site.stages))]
        if max(waits) > 0.0 and waits[here] == 0.0:
            return int(np.argmax(waits))
        indices = [self._index(state, here, s) for s in range(len(self.site.stages))]
        best = int(np.argmax(indices))
        return None if best == here or indices[best] <= 0.0 else best

    def _index(self, state: TrafficState, here: int, stage: int) -> float:
        change = int(self._change[here, stage])
        least = self._least[stage] if stage != here else STAY
        lanes = self._serves[stage]
        come = state.queue[lanes] + state.arrivals[lanes, : int(change + least)].sum(axis=1)
        if come.sum() <= 0.0:
            return 0.0
        needs = float((come / state.saturation[lanes]).max())
        return float(come.sum()) / (change + max(needs, least))
