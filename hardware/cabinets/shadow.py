"""The shadow: the safety machine run beside the cabinet on what its lamps are seen to show, to veto before sending.

The cabinet keeps its own safety; a request that it would have to refuse, or that would keep somebody waiting beyond the
longest red, is not even sent. Cabinets know no longest red themselves: when there is no time left, the shadow says which stage must
be asked for. Where lamps are not told (AB 3418) it knows stages only.

A change is seen later than it happened, by `late` [s] at most, and a request of now acts `travel` [s] from now. What the shadow
answers holds for the time when the request acts, of what is already green at its best: a request that is half a tick early waits at
the cabinet, one that is late has lost a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf

import numpy as np
import numpy.typing as npt

from ...core.aspects import Aspect, Aspects
from ...core.intersection import Intersection
from ...core.kernels import redtime
from ...core.kernels import sequence as machine
from ...core.ports import Refusal, Status
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
        self.late = self.travel = 0.0
        self._told_ahead = 0
        t = self._tables
        self._rotation = (t.stage_green, t.max_red, t.rotation, t.first_green, t.first_full, t.later)
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
        if self._calls is None and calls is not None:  # nobody had said who calls: only now it is known who does not
            self._called &= np.asarray(calls, dtype=np.bool_)
            self._red_call[~self._called] = 0
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
        called = (self._called | standing) & ~green
        begin = np.where(self._called, self._red_call, np.where(self._ended > passed, -self._told_ahead, 0))
        self._red_call[:] = np.where(
            called, begin + passed, 0
        )  # who calls now does so when the request acts that tells
        self._called[:] = called
        self._aspect[:] = shown
        self._control[:] = (stage, 0, 0)

    def _ahead(self, now: float) -> int:
        """Ticks from the last look until a request of `now` acts."""
        return round((now - self._until + self.travel) * TICKS)

    def is_complete(self, now: float) -> bool:
        """The stage will be green by then, its minimum greens over and all others red: a wish can be heard."""
        self._settle()
        if self._sight is not None:
            _aspects, stage, changing = self._sight
            self._told_ahead = self._ahead(now)
            age, green = self._age + self._told_ahead + round(self.late * TICKS), self.site.stage_greens[stage]
            full = np.where(green, age >= self._minimum, (self._aspect == Aspect.RED) & (age >= machine.MIN_RED))
            self._control[1] = int(not changing and bool(full.all()))
        return super().complete

    def status(self, picture: Picture, now: float) -> Status:
        """The stage and for how long all of it will have been green by then."""
        busy = not self.is_complete(now) or picture.changing
        elapsed = 0.0 if picture.changing else now - picture.since
        if self._sight is not None:
            stage = self._sight[1]
            ages = self._age[self.site.stage_greens[stage] & (self._aspect == Aspect.GREEN)]
            whole = stage >= 0 and 0 < len(ages) == int(self.site.stage_greens[stage].sum())
            elapsed = (int(ages.min()) + self._told_ahead) / TICKS + self.late if whole else 0.0
        return Status(now, picture.stage, busy, elapsed, picture.mode, picture.aspects)

    def veto(self, wish: int, calls: Calls, now: float) -> Refusal:
        """Why a wish must not be sent now, or NONE."""
        self.is_complete(now)
        return self.would_grant(wish, calls)

    def spare(self, now: float) -> float:
        """How much later [s] the stage must be left at last, for the longest red; `inf` where the next decision, a second from now, is
        early enough. Looks only at a stage that is complete. A red may be older by `late` than it was seen to be."""
        if self._sight is None or not self.is_complete(now):
            return inf if self._sight is None else 1 / TICKS
        margin = ceil(self.late * TICKS)
        ahead = self._ahead(now) + margin + 1
        if self._stays(ahead + TICKS):
            return inf
        return next((k / TICKS for k in range(TICKS - margin) if not self._stays(ahead + k)), inf)

    def _stays(self, ticks: int) -> bool:
        return bool(redtime.stays(ticks, *self._rotation, self._red_call, self._control))

    def stage_forced(self, now: float) -> int | None:
        """The stage that must be asked for now for the longest red, None while there is time."""
        if self.spare(now) > 0:
            return None
        before = [array.copy() for array in self._moving]
        self._red_call += (self._ahead(now) + ceil(self.late * TICKS)) * self._called
        self.grant(None, self._called)
        stage, was = self.stage, int(before[-1][0])
        for array, old in zip(self._moving, before, strict=True):
            array[:] = old
        return None if stage == was else stage

    def rehearse(self) -> None:
        """Everything once on a cabinet nobody has seen, so that kernels are compiled before a line is open; not for use afterwards."""
        picture = Picture(self.site)
        picture.show([Aspect.GREEN if green else Aspect.RED for green in self.site.stage_greens[0]], 0.0)
        for now in (0.0, 1.0):
            self.observe(picture, None, now)
        self._age[:] = 1000
        self.veto(0, None, 1.0)
        self.stage_forced(1.0)
