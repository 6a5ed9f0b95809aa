"""What is known of a cabinet from its answers: written by the protocol's driver, read by everyone else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ...core.aspects import Aspect, Aspects
from ...core.counts import Counts
from ...core.intersection import Intersection
from ...core.ports import Mode


@dataclass(slots=True)
class Picture:
    """The cabinet as last seen. Times on the caller's clock [s].

    `stage` is -1 when what is green is no stage of the site; `commanded` is the stage we asked for and hold. `vehicles`
    and `occupied` [s] gather since `take` last emptied them, at `taken`. `dead_man` [s] is what the cabinet itself says, or
    what was measured, None where there is none. `present` (n,) is who stands on which loop, None where that is not told.
    `content` is what the last status said, None when something else has been read since that tells the same things: the same
    content again changes nothing but `seen`.
    """

    site: Intersection
    seen: float = float("-inf")
    stage: int = -1
    changing: bool = True
    since: float = 0.0
    mode: Mode = Mode.STARTING
    plan: int | None = None
    commanded: int | None = None
    aspects: Aspects | None = None
    present: npt.NDArray[np.bool_] | None = None
    identity: str = ""
    identified: bool = False
    trouble: str | None = None
    dead_man: float | None = None
    alarms: frozenset[str] = frozenset()
    vehicles: npt.NDArray[np.int32] = field(init=False)
    occupied: npt.NDArray[np.float64] = field(init=False)
    fault: npt.NDArray[np.bool_] = field(init=False)
    sample: int = -1
    taken: float = 0.0
    content: object = None
    _heard_under: int | None = None
    _shown: tuple[Aspect, ...] = ()
    _stages: list[list[bool]] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.site.detectors)
        self._stages = [[bool(green) for green in row] for row in self.site.stage_greens]
        self.vehicles = np.zeros(count, dtype=np.int32)
        self.occupied = np.zeros(count, dtype=np.float64)
        self.fault = np.zeros(count, dtype=np.bool_)

    def hears_again(self, content: object, now: float) -> bool:
        """The status says what the last one said, under the same command: the cabinet is only seen again."""
        if content is not None and content is self.content and self.commanded == self._heard_under:
            self.seen = now
            return True
        self.content = None
        return False

    def heard(self, content: object) -> None:
        """A status with this content has been taken in."""
        self.content, self._heard_under = content, self.commanded

    def take(self, now: float, blind: bool) -> Counts:
        """What has gathered since the last time; of a cabinet that cannot be seen all loops are faulty."""
        interval, self.taken = now - self.taken, now
        share = self.occupied / interval if interval > 0 else np.zeros_like(self.occupied)
        vehicles, fault = self.vehicles.copy(), self.fault | blind
        self.vehicles[:] = 0
        self.occupied[:] = 0
        return Counts(now, interval, vehicles, np.clip(share, 0.0, 1.0), fault)

    def show(self, aspects: Sequence[Aspect], now: float, told: int | None = None) -> None:
        """The aspects of all groups were read: stage and interstage follow from them.

        With the stage `told`, by the cabinet or by our own command, it is reached when its groups and no others are
        green; without, only when all others are red, lest the middle of a change be taken for a stage.
        """
        shown = tuple(aspects)
        if shown != self._shown or self.aspects is None:
            self._shown, self.aspects = shown, Aspects(np.array(shown, dtype=np.int8))
        green = [aspect is Aspect.GREEN for aspect in shown]
        for stage, greens in enumerate(self._stages):
            if told not in (None, stage) or green != greens:
                continue
            if told == stage or all(lit or aspect is Aspect.RED for lit, aspect in zip(greens, shown, strict=True)):
                self.see(stage, False, now)
                return
        self.see(self.stage if told is None else told, True, now)

    def see(self, stage: int, changing: bool, now: float) -> None:
        """This stage is served or being changed to."""
        if not changing and (self.changing or stage != self.stage):
            self.since = now
        self.stage, self.changing = stage, changing
        self.seen = now

    def count(self, detector: int, vehicles: int, occupied: float) -> None:
        """A sample of one detector: vehicles, and seconds it was occupied."""
        self.vehicles[detector] += vehicles
        self.occupied[detector] += occupied
