"""Vehicles that gave way until their green ended and still stand on the junction: no stage may shut them in."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from .state import TrafficState

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

CROWDED, HOLD = 3.0, 25.0
"""Vehicles on the junction from which a stage that shuts them in has to wait as long as another stage can let them out first; where none
can, seconds after which it need not."""
SETTLES = 3
"""Seconds of whose counts the greatest is believed: one who comes out sooner than expected makes one who stands there seem gone."""
GOES_ON = 6
"""Seconds for which who stood half over the stop line counts: as long as he takes to cross once he can."""
GAVE_WAY_FOR = 12
"""Seconds for which who had to give way counts among them besides: where stages change fast, loops behind the junction tell too late.
Where they cannot tell at all, who had to give way counts alone, and longer than that until so many have found a gap."""
AMBER, ESCAPE = 3.0, 0.5
"""Seconds after their green until those they waited for have passed, and vehicles that get away in each further second of a change."""
EMPTY_AFTER = 5.0
"""Seconds of a stage in which nobody gives way, whether its greens are new or go on, after which the junction is empty: who is still
counted there was miscounted."""


class ShutIn:
    """Which changes of stage would shut in those who wait on the junction.

    lets_out  (n_stages, n_stages) bool: whoever gives way in the one stage may go in the other
    """

    def __init__(self, green: Bools, gives_way: Bools, lawful: Bools, freed_for: Floats) -> None:
        """`green`, `gives_way` (n_stages, n_groups): who is green, and who is and gives way; `lawful` (n_stages, n_stages) changes;
        `freed_for` the same [s]: how long in the change between nobody is green whom they wait for, or who would meet them."""
        shut_in: Bools = np.any(gives_way[:, None] & ~green[None], axis=2)
        self.lets_out: Bools = ~shut_in
        self._first = self.lets_out & lawful & ~np.eye(len(green), dtype=np.bool_)
        self._some_give_way: Bools = np.any(gives_way, axis=1)
        least = np.where(shut_in & lawful, freed_for, np.inf).min(axis=1, initial=np.inf)
        self._escape = np.where(np.isfinite(least), ESCAPE * np.maximum(least - AMBER, 0.0), 0.0)
        self._miscounted = 0.0
        self._stage = -1
        self._gave_way: deque[float] = deque(maxlen=GAVE_WAY_FOR)
        self._blocked: deque[int] = deque(maxlen=GOES_ON)
        self._lately: deque[float] = deque(maxlen=SETTLES)
        self._wait, self._held, self._since, self._most = 0.0, 0.0, 0.0, math.inf

    def second(self, stage: int, gave_way: float, through: float, blocked: int = 0, most: float = math.inf) -> None:
        """One more second of `stage`, in which so many vehicles went onto the junction that probably wait there for others, and so many
        of those who waited found a gap. Behind them stand `blocked`, half over the stop line, who go on when it is the others' turn.
        More than `most` of all these cannot be there."""
        if stage != self._stage:
            for counts in (self._gave_way, self._blocked, self._lately):
                counts.clear()
            self._held, self._since = 0.0, 0.0
            if self.lets_out[self._stage, stage]:
                self._wait = 0.0
        self._stage = stage
        self._since += 1.0
        self._most = most
        self._blocked.append(blocked)
        self._gave_way.append(gave_way)
        self._wait = max(self._wait - through, 0.0) + gave_way

    def forbid(self, state: TrafficState, skip: npt.NDArray[np.int32]) -> None:
        """In `skip` (n_stages,), 0 what is asked for and 1 what nobody wants, set to 2 the stages that may not come next."""
        stage = max(state.stage, 0)
        if math.isnan(state.inside):
            self._miscounted, inside = 0.0, max(self._wait, sum(self._gave_way))
        else:
            self._miscounted = min(self._miscounted, state.inside)
            served = min(state.elapsed, self._since - AMBER)
            if served >= EMPTY_AFTER and not self._some_give_way[stage]:
                self._miscounted = state.inside
            inside = state.inside - self._miscounted + sum(self._gave_way)
        inside = min(inside + max(self._blocked, default=0), self._most) - self._escape[stage]
        self._lately.append(inside)
        inside = max(self._lately)
        self._held = self._held + 1.0 if inside >= CROWDED else 0.0
        if inside >= CROWDED and (self._first[stage].any() or self._held < HOLD):
            skip[self._first[stage]] = 0
            skip[~self.lets_out[stage] & (skip == 0)] = 2
