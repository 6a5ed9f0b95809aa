"""GB/T 20999-2017 cabinets: stages are commanded by number, the mode says whether it is obeyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...core.aspects import Aspect
from ...core.errors import ProtocolError
from ...core.intersection import Intersection
from ...core.ports import Mode
from ..gbt20999 import DataValue, LampState, Message, ObjectId, RunMode, named
from ..gbt20999.dialect import GbtDialect, Request, put, query
from ..gbt20999.objects import at
from .picture import Picture

_ASPECT_OF: Mapping[int, Aspect] = {
    LampState.RED: Aspect.RED,
    LampState.RED_YELLOW: Aspect.RED_AMBER,
    LampState.GREEN: Aspect.GREEN,
    LampState.GREEN_FLASH: Aspect.GREEN,
    LampState.GREEN_FAST_FLASH: Aspect.GREEN,
    LampState.YELLOW: Aspect.AMBER,
    LampState.YELLOW_FLASH: Aspect.FLASHING_AMBER,
    LampState.OFF: Aspect.DARK,
}
_FAILED = named("detectors_failed").id
_MODE_OF: Mapping[int, Mode] = {
    RunMode.FLASH: Mode.FLASH,
    RunMode.DARK: Mode.FLASH,
    RunMode.ALL_RED: Mode.STARTING,
    RunMode.LOCAL_MANUAL: Mode.MANUAL,
    RunMode.SPECIAL: Mode.PREEMPTION,
}


@dataclass(slots=True)
class GbtDriver:
    """One junction of one controller. `stages`, `lamps`, `detectors` give the numbers on the line of our rows.

    `state_attribute` is where 3.3 holds the lamp state (1 or 2) and `intergreen_unit` [s] the unit of 7.2, both open in
    the standard as far as it is known here; `release_mode` is the local mode to go back to; `dead_man` [s] the time to
    reversion that was measured when this site was commissioned, None when nobody measured it. `presence`: ask who stands on the
    loops (64 of them can be told).
    """

    site: Intersection
    controller: int
    junction: int = 1
    host: int = 1
    datagrams: bool = False
    stages: Sequence[int] = ()
    lamps: Sequence[int] = ()
    detectors: Sequence[int] = ()
    state_attribute: int = 1
    intergreen_unit: float = 0.1
    detector_period: float = 1.0
    release_mode: RunMode = RunMode.LOCAL_FIXED
    dead_man: float | None = None
    presence: bool = True
    protocol: str = "gbt20999"
    moves_stages: bool = True
    keeps_dead_man: bool = True
    dialect: GbtDialect = field(init=False)
    _mode: ObjectId = field(init=False)
    _plan: ObjectId = field(init=False)
    _presence: ObjectId = field(init=False)
    _stage: ObjectId = field(init=False)
    _lamps: tuple[ObjectId, ...] = field(init=False)
    _identity: tuple[Request, ...] = ()
    _samples: tuple[tuple[int, ObjectId, ObjectId], ...] = field(init=False)

    def __post_init__(self) -> None:
        site = self.site
        self.stages = self.stages or range(1, len(site.stages) + 1)
        self.lamps = self.lamps or range(1, len(site.groups) + 1)
        self.detectors = self.detectors or range(1, len(site.detectors) + 1)
        self.dialect = GbtDialect(self.controller, self.junction, self.host, datagrams=self.datagrams)
        here, self._presence = self.junction, named("presence").ask().id
        self._mode, self._plan, self._stage = (
            named(name).ask(here).id for name in ("run_mode", "current_plan", "current_stage")
        )
        state = named("lamp_state" if self.state_attribute == 1 else "lamp_state_2")
        self._lamps = tuple(state.ask(number).id for number in self.lamps)
        flow, share = named("count_flow"), named("count_occupancy")
        self._samples = tuple((number, flow.ask(number).id, share.ask(number).id) for number in self.detectors)

    def identify(self) -> Sequence[Request]:
        """Controller id, phases' minimum greens, intergreens and stages, in frames of a few values each."""
        if self._identity:
            return self._identity
        asked = [named("controller_id").ask(), named("site_name").ask(), named("stage_count").ask()]
        per_group = [named(name).ask(no) for no in self.lamps for name in ("min_green", "conflicts")]
        per_stage = [named("stage_phases").ask(no) for no in self.stages]
        gaps = [query(named("intergreens").ask(no)) for no in self.lamps]
        self._identity = (query(*asked), *_in_frames(per_group), *_in_frames(per_stage), *gaps)
        return self._identity

    def poll(self) -> Sequence[Request]:
        """Mode, plan, stage and lamps in one frame, and who stands on the loops."""
        present = (self._presence,) if self.presence and self.detectors else ()
        return [query(*(DataValue(place) for place in (self._mode, self._plan, self._stage, *self._lamps, *present)))]

    def counts(self) -> Sequence[Request]:
        """Flow and occupancy of the last period; samples bear no number, so each period is asked for just once."""
        return [
            query(
                DataValue(_FAILED),
                *(DataValue(place) for _, *both in self._samples[first : first + 29] for place in both),
            )
            for first in range(0, len(self._samples), 29)
        ]

    def read(self, request: Request, answers: tuple[Message, ...], picture: Picture, now: float) -> None:
        """Take an answer into the picture; refused values are trouble in who is there and nothing otherwise."""
        identity = not picture.identified or any(request is one for one in self._identity)
        said: dict[ObjectId, bytes] = {}
        for answer in answers:
            for value in answer.values:
                if answer.is_error:
                    if identity:
                        remedy = "; set presence = false" if value.id == self._presence else ""
                        raise ProtocolError(f"the controller has no {_name(value.id)}: {value.status!r}{remedy}")
                else:
                    said[value.id] = value.value
        values = {place: thing.read(raw) for place, raw in said.items() if (thing := at(place)) is not None}
        if identity:
            self._check(values, picture)
        run_mode = values.get(self._mode)
        if run_mode is not None:
            self._status(int(run_mode), values, picture, now)
        else:
            self._count(values, picture)

    def _status(self, run_mode: int, values: Mapping[ObjectId, object], picture: Picture, now: float) -> None:
        picture.dead_man = self.dead_man
        picture.mode = _MODE_OF.get(run_mode, Mode.REMOTE if run_mode >> 4 == 1 else Mode.LOCAL)
        plan = values.get(self._plan)
        picture.plan = plan if isinstance(plan, int) and plan else None
        if isinstance(there := values.get(self._presence), frozenset):
            picture.present = np.array([number in there for number in self.detectors])
        shown = [_ASPECT_OF.get(_int(values, lamp), Aspect.RED) for lamp in self._lamps]
        current = _int(values, self._stage)
        picture.show(shown, now, list(self.stages).index(current) if current in self.stages else None)

    def _count(self, values: Mapping[ObjectId, object], picture: Picture) -> None:
        failed = values.get(_FAILED)
        for row, (number, flow_place, share_place) in enumerate(self._samples):
            if isinstance(failed, frozenset):
                picture.fault[row] = number in failed
            flow, share = values.get(flow_place), values.get(share_place)
            if isinstance(flow, int) and isinstance(share, int):
                picture.count(row, flow, min(share, 100) / 100 * self.detector_period)

    def _check(self, values: Mapping[ObjectId, object], picture: Picture) -> None:
        """Identity and the times that keep traffic safe must be those of the site file."""
        said = values.get(named("controller_id").id)
        if said is not None and said != self.controller:
            raise ProtocolError(f"controller {said} answers, the site file has {self.controller}: wrong device")
        picture.identity = str(values.get(named("site_name").id, picture.identity))
        site = self.site
        for row, (group, number) in enumerate(zip(site.groups, self.lamps, strict=True)):
            minimum = values.get(named("min_green").ask(number).id)
            if isinstance(minimum, int) and not 1 <= minimum <= 120:
                raise ProtocolError(f"phase {number} ({group.name}) has an implausible minimum green of {minimum} s")
            gaps = values.get(named("intergreens").ask(number).id)
            if isinstance(gaps, tuple):
                self._check_gaps(row, number, gaps)
        for stage, number in zip(range(len(site.stages)), self.stages, strict=True):
            phases = values.get(named("stage_phases").ask(number).id)
            ours = {self.lamps[j] for j in range(len(site.groups)) if site.stage_greens[stage, j]}
            if isinstance(phases, frozenset) and phases != ours:
                raise ProtocolError(
                    f"stage {number} has the phases {sorted(phases)}, the site file gives {site.stages[stage].name} "
                    f"{sorted(ours)}: the numbers do not belong together"
                )

    def _check_gaps(self, row: int, number: int, gaps: tuple[int, ...]) -> None:
        for other, theirs in enumerate(self.lamps):
            if not self.site.exclusive[row, other]:
                continue
            gap = gaps[theirs - 1] * self.intergreen_unit
            if gap < float(self.site.intergreen[row, other]) - 0.05:
                raise ProtocolError(
                    f"the intergreen from phase {number} to {theirs} is {gap:g} s at the controller and "
                    f"{self.site.intergreen[row, other]:g} s in the site file: check the unit (intergreen_unit_s) and both"
                )

    def command(self, picture: Picture, stage: int) -> Sequence[Request]:
        """Centre adaptive mode and the stage, in one frame."""
        return [
            put(
                named("commanded_mode").put(RunMode.CENTRE_ADAPTIVE, self.junction),
                named("commanded_stage").put(self.stages[stage], self.junction),
            )
        ]

    def select(self, plan: int) -> Sequence[Request]:
        """Centre coordination and the plan, in one frame."""
        return [
            put(
                named("commanded_mode").put(RunMode.CENTRE_COORDINATED, self.junction),
                named("commanded_plan").put(plan, self.junction),
            )
        ]

    def release(self) -> Sequence[Request]:
        """Back to the local mode of the site file."""
        return [put(named("commanded_mode").put(self.release_mode, self.junction))]

    def refused(self, request: Request, answers: tuple[Message, ...]) -> str | None:
        """The values in error replies."""
        wrong = [f"{_name(one.id)}: {one.status!r}" for answer in answers if answer.is_error for one in answer.values]
        return ", ".join(wrong) or None


def _in_frames(values: Sequence[DataValue], most: int = 20) -> list[Request]:
    return [query(*values[start : start + most]) for start in range(0, len(values), most)]


def _int(values: Mapping[ObjectId, object], place: ObjectId) -> int:
    value = values.get(place)
    if not isinstance(value, int):
        raise ProtocolError(f"the controller's answer lacks {_name(place)}")
    return int(value)


def _name(place: ObjectId) -> str:
    thing = at(place)
    return f"{thing.name if thing else 'object'} ({place})"
