"""Full view: the state of a light from the simulator's own vehicles instead of its loops, for comparison and learning alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..core.aspects import Aspect
from ..core.counts import Counts
from ..core.estimate import HORIZON, Estimate
from ..core.ports import Status
from ..core.state import TrafficState
from .light import Light
from .sumo import SumoStreet

SIGHT = 200.0
"""How far up the road vehicles are seen [m]."""
SLOW = 2.0
"""Slower than this is waiting [m/s]."""
SOON = 6
"""Seconds within which a vehicle that comes is a call."""


class FullView:
    """An estimator that knows queues, arrivals and calls; what it cannot know (turning shares, saturation flow) it has from the loops."""

    def __init__(self, light: Light, street: SumoStreet) -> None:
        site = light.intersection
        self._light, self._street, self._site = light, street, site
        self._estimate = Estimate(site)
        self._row = {lane.name: row for row, lane in enumerate(site.lanes)}
        self._leads = {link.index: self._row[link.lane] for link in light.links if link.lane in self._row}
        self._group = {link.index: link.group for link in light.links if link.group is not None}
        served = {group for link, group in self._group.items() if link in self._leads}
        self._recalled = np.array([row not in served for row in range(len(site.groups))], dtype=np.bool_)
        self._queue, self._arrivals = np.zeros(len(site.lanes)), np.zeros((len(site.lanes), HORIZON))
        self._sure, self._far = np.ones(len(site.lanes)), np.zeros(len(site.lanes))
        self._calls, self._red = self._recalled.copy(), np.zeros(len(site.groups))

    def update(self, counts: Counts, status: Status) -> TrafficState:
        """The state at the end of the interval, as the simulator knows it."""
        state = self._estimate.update(counts, status)
        self._queue[:], self._arrivals[:], self._calls[:], self._far[:] = 0.0, 0.0, self._recalled, 0.0
        for link, distance, speed, free, lane in self._street.approaching(self._light.name):
            row = self._row.get(lane, self._leads.get(link, -1))
            if row < 0 or distance > SIGHT:
                continue
            due = int(distance / max(free, 1.0))
            if speed < SLOW:
                self._queue[row] += 1.0
            elif due < HORIZON:
                self._arrivals[row, due] += 1.0
            if (speed < SLOW or due < SOON) and link in self._group:
                self._calls[self._group[link]] = True
            self._far[row] = SIGHT / max(free, 1.0)
        green = self._shown(status)
        self._red[:] = np.where(green, 0.0, np.where(self._calls, self._red + counts.interval, self._red))
        return replace(
            state,
            queue=self._queue,
            arrivals=self._arrivals,
            confidence=self._sure,
            sight=np.maximum(state.sight, self._far),
            calls=self._calls,
            red=self._red,
            notes={},
        )

    def _shown(self, status: Status) -> npt.NDArray[np.bool_]:
        """(n_groups,) who has green."""
        if status.aspects is not None:
            return np.asarray(np.asarray(status.aspects) == Aspect.GREEN)
        return (
            self._site.stage_greens[status.stage]
            if status.stage >= 0
            else np.zeros(len(self._site.groups), dtype=np.bool_)
        )
