"""AB 3418 cabinets: patterns can be selected and status read; stages cannot be moved, and there is no dead-man."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...core.errors import ProtocolError
from ...core.intersection import Intersection
from ...core.ports import Mode
from .. import ab3418
from ..ab3418 import StatusFlags
from ..ab3418.dialect import Ab3418Dialect
from ..pattern import STANDBY, Pattern
from .picture import Picture

_ROWS = 8


@dataclass(slots=True)
class Ab3418Driver:
    """One station. `phases` and `system_detectors` give the numbers on the line of our rows (both 1 to 8).

    Only eight phases are told: those of further groups are 0, and a stage is known by the groups that have one.

    `model` is what the controller calls itself; empty accepts any. `extended` asks for the long status of AB 3418E.
    """

    site: Intersection
    station: int
    model: str = ""
    extended: bool = True
    poll_gets: bool = True
    phases: Sequence[int] = ()
    system_detectors: Sequence[int] = ()
    detector_period: float = 1.0
    protocol: str = "ab3418"
    moves_stages: bool = False
    keeps_dead_man: bool = False
    dialect: Ab3418Dialect = field(init=False)

    def __post_init__(self) -> None:
        self.phases = self.phases or [row if row <= _ROWS else 0 for row in range(1, len(self.site.groups) + 1)]
        self.system_detectors = self.system_detectors or range(1, min(_ROWS, len(self.site.detectors)) + 1)
        if max(self.phases) > _ROWS:
            raise ProtocolError(f"AB 3418 reports phases 1 to {_ROWS}, the site file speaks of {max(self.phases)}")
        self.dialect = Ab3418Dialect(self.station, self.poll_gets)

    def identify(self) -> Sequence[ab3418.Message]:
        """Who is there."""
        return [ab3418.GetControllerId()]

    def poll(self) -> Sequence[ab3418.Message]:
        """Greens, status and pattern."""
        return [ab3418.GetShortStatus()]

    def counts(self) -> Sequence[ab3418.Message]:
        """The long status of the E edition: eight system detectors with the number of their sample."""
        return [ab3418.GetLongStatus8()] if self.extended and self.system_detectors else []

    def read(
        self,
        request: ab3418.Message,
        answers: tuple[ab3418.Message | ab3418.Refusal, ...],
        picture: Picture,
        now: float,
    ) -> None:
        """Take an answer into the picture."""
        match answers[-1]:
            case ab3418.ControllerId(maker, model):
                if self.model and self.model != model:
                    raise ProtocolError(f"a {model} answers, the site file has {self.model}: wrong device")
                picture.identity = f"{maker} {model}"
            case ab3418.ShortStatus(greens, status, pattern):
                self._status(status, pattern, picture)
                self._greens(greens, picture, now)
            case ab3418.LongStatus8() as long:
                picture.content = None
                self._status(long.status8.status, long.status8.pattern, picture)
                self._count(long, picture)
            case ab3418.Refusal() as refusal if request.code & 0xF0 == 0x80:
                raise ProtocolError(f"the controller refuses message {refusal.request:02x}: {refusal.reason.name}")

    def _status(self, status: StatusFlags, pattern: Pattern, picture: Picture) -> None:
        picture.plan = pattern.number or None
        if status & StatusFlags.CABINET_FLASH:
            picture.mode = Mode.FLASH
        elif status & StatusFlags.PREEMPT:
            picture.mode = Mode.PREEMPTION
        elif status & StatusFlags.LOCAL_OVERRIDE:
            picture.mode = Mode.MANUAL
        else:
            picture.mode = Mode.LOCAL
        picture.alarms = frozenset(flag.name or "" for flag in StatusFlags if status & flag)

    def _greens(self, greens: frozenset[int], picture: Picture, now: float) -> None:
        """Only greens are told: which of the others is amber is not, so no aspects are claimed."""
        ours = {self.phases.index(phase) for phase in greens if phase in self.phases}
        for stage, row in enumerate(self.site.stage_greens):
            if {j for j in range(len(row)) if row[j] and self.phases[j]} == ours:
                picture.see(stage, False, now)
                return
        picture.see(picture.stage, True, now)

    def _count(self, long: ab3418.LongStatus8, picture: Picture) -> None:
        fresh = long.sequence != picture.sample
        picture.sample = long.sequence
        for row, number in enumerate(self.system_detectors):
            pair = long.detectors[number - 1]
            picture.fault[row] = pair.fault is not None
            if fresh and pair.occupancy is not None:
                picture.count(row, pair.volume, pair.occupancy * self.detector_period)

    def command(self, picture: Picture, stage: int) -> Sequence[ab3418.Message]:
        """There is no message that moves a stage."""
        raise ProtocolError("AB 3418 selects patterns and cannot move a stage: set the authority to plan")

    def select(self, plan: int) -> Sequence[ab3418.Message]:
        """A pattern. It stays for ever if we fall silent, so it must be one that is safe for ever."""
        return [ab3418.SetPattern(Pattern.plan(plan))]

    def release(self) -> Sequence[ab3418.Message]:
        """Pattern standby: the controller's own time of day."""
        return [ab3418.SetPattern(STANDBY)]

    def refused(self, request: ab3418.Message, answers: tuple[ab3418.Message | ab3418.Refusal, ...]) -> str | None:
        """The reason of a refusal."""
        last = answers[-1]
        return f"{last.reason.name}, field {last.field}" if isinstance(last, ab3418.Refusal) else None
