"""The shadow: the safety machine run beside the cabinet on what its lamps are seen to show, to veto before sending.

The cabinet keeps its own safety; a request that it would have to refuse, or that would keep somebody waiting beyond the
longest red, is not even sent. Where lamps are not told (AB 3418) the shadow knows stages only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...core.aspects import Aspect
from ...core.intersection import Intersection
from ...core.ports import Refusal
from ...core.sequencer import TICKS, Sequencer
from .picture import Picture


class Shadow(Sequencer):
    """A sequencer that is shown what happens instead of making it happen."""

    def __init__(self, site: Intersection) -> None:
        super().__init__(site)
        self._since: float | None = None
        self._minimum = np.array([group.min_green for group in site.groups]) * TICKS

    def observe(self, picture: Picture, calls: Sequence[bool] | npt.NDArray[np.bool_] | None, now: float) -> None:
        """The cabinet was seen: time since the last look passes for groups that show the same, else starts anew."""
        if picture.aspects is None or picture.aspects[0] >= Aspect.FLASHING_AMBER:
            self._since = None
            return
        if self._since is None:
            self.restart()
        passed = round((now - (self._since if self._since is not None else now)) * TICKS)
        self._since = now
        shown = np.asarray(picture.aspects)
        green, same = shown == Aspect.GREEN, shown == self._aspect
        self._age[:] = np.where(same, self._age + passed, 0)
        self._ended[:] = np.where(green, 0, self._ended + passed)
        standing = self._all if calls is None else np.asarray(calls, dtype=np.bool_)
        self._called[:] = (self._called | standing) & ~green
        self._red_call[:] = np.where(self._called, self._red_call + passed, 0)
        self._aspect[:] = shown
        full = not picture.changing and bool((self._age[green] + 0.5 >= self._minimum[green]).all())
        self._control[:] = (picture.stage, int(full), 0)

    def veto(self, wish: int | None, calls: Sequence[bool] | npt.NDArray[np.bool_] | None) -> Refusal:
        """Why a wish must not be sent now, or NONE. What the machine would do by force is left to the cabinet."""
        refusal = self.would_grant(wish, calls)
        return Refusal.NONE if refusal is Refusal.FORCED and wish == self.stage else refusal
