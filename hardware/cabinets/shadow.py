"""The shadow: the safety machine run beside the cabinet on what its lamps are seen to show, to veto before sending.

The cabinet keeps its own safety; a request that it would have to refuse, or that would keep somebody waiting beyond the
longest red, is not even sent. Where lamps are not told (AB 3418) the shadow knows stages only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...core.aspects import Aspect, Aspects
from ...core.intersection import Intersection
from ...core.ports import Refusal
from ...core.sequencer import TICKS, Sequencer
from .picture import Picture

Calls = Sequence[bool] | npt.NDArray[np.bool_] | None


class Shadow(Sequencer):
    """A sequencer that is shown what happens instead of making it happen.

    Looks at a cabinet that goes on as it was cost nothing: only the time of the last one is kept, and passes when
    something changes or somebody asks.
    """

    def __init__(self, site: Intersection) -> None:
        super().__init__(site)
        self._since: float | None = None
        self._until = 0.0
        self._sight: tuple[Aspects, int, bool] | None = None
        self._calls: Calls = None
        self._minimum = np.array([group.min_green for group in site.groups]) * TICKS

    def observe(self, picture: Picture, calls: Calls, now: float) -> None:
        """The cabinet was seen: time since the last look passes for groups that show the same, else starts anew."""
        aspects, sight = picture.aspects, self._sight
        if (
            sight is not None
            and aspects is sight[0]
            and calls is self._calls
            and (picture.stage, picture.changing) == sight[1:]
        ):
            self._until = now
            return
        self._settle()
        if aspects is None or aspects[0] >= Aspect.FLASHING_AMBER:
            self._since = self._sight = None
            return
        if self._since is None:
            self.restart()
            self._since = now
        self._sight, self._calls, self._until = (aspects, picture.stage, picture.changing), calls, now
        self._pass()

    def _settle(self) -> None:
        """Let the time up to the last look pass."""
        if self._since is not None and self._until > self._since:
            self._pass()

    def _pass(self) -> None:
        """From `_since` to `_until` the sight was what it is now, where it was not already something else before."""
        if self._sight is None or self._since is None:
            return
        aspects, stage, changing = self._sight
        passed = round((self._until - self._since) * TICKS)
        self._since += passed / TICKS
        shown = np.asarray(aspects)
        green, same = shown == Aspect.GREEN, shown == self._aspect
        self._age[:] = np.where(same, self._age + passed, 0)
        self._ended[:] = np.where(green, 0, self._ended + passed)
        standing = self._all if self._calls is None else np.asarray(self._calls, dtype=np.bool_)
        self._called[:] = (self._called | standing) & ~green
        self._red_call[:] = np.where(self._called, self._red_call + passed, 0)
        self._aspect[:] = shown
        full = not changing and bool((self._age[green] + 0.5 >= self._minimum[green]).all())
        self._control[:] = (stage, int(full), 0)

    @property
    def complete(self) -> bool:
        """The stage is green and past its minimum greens as far as was seen, so a wish can be heard."""
        self._settle()
        return super().complete

    def veto(self, wish: int | None, calls: Calls) -> Refusal:
        """Why a wish must not be sent now, or NONE. What the machine would do by force is left to the cabinet."""
        self._settle()
        refusal = self.would_grant(wish, calls)
        return Refusal.NONE if refusal is Refusal.FORCED and wish == self.stage else refusal
