"""NTCIP 1202 cabinets: a stage is asked for by holding and calling its phases and omitting and forcing off the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...core.aspects import Aspect
from ...core.errors import ProtocolError
from ...core.intersection import Intersection
from ...core.ports import Mode
from ..ab3418.status import Occupancy, StatusFlags
from ..ntcip import ASC, Oid, PduType, SnmpError, SnmpMessage
from ..ntcip.asc import integers
from ..ntcip.control import PhaseControl, ask_pattern, release
from ..ntcip.dialect import NtcipDialect, Request, put, query
from ..ntcip.status import ControlStatus, FlashStatus, PhaseTiming, UnitStatus, ask_detectors
from ..pattern import Pattern
from .picture import Picture

_SEQUENCE, _GREENS, _UNIT = ASC.scalar["count_sequence"].oid, ASC.table["greens"].at(1), UnitStatus.ask()
_MODE_OF: Mapping[ControlStatus, Mode] = {
    ControlStatus.SYSTEM: Mode.REMOTE,
    ControlStatus.MANUAL: Mode.MANUAL,
    ControlStatus.LOCAL_MANUAL: Mode.MANUAL,
    ControlStatus.REMOTE_MANUAL: Mode.MANUAL,
}


@dataclass(slots=True)
class NtcipDriver:
    """One controller. `phases` and `detectors` give the numbers on the line of our rows; `groups` of eight phases.

    `presence`: ask who stands on the loops. `least_dead_man` and `most_dead_man` [s] bound the backup time the controller
    may have; 0 is never accepted.
    """

    site: Intersection
    read_community: bytes
    write_community: bytes
    station: int | None = 1
    phases: Sequence[int] = ()
    detectors: Sequence[int] = ()
    detector_period: float = 1.0
    least_dead_man: float = 3.0
    most_dead_man: float = 120.0
    presence: bool = True
    protocol: str = "ntcip1202"
    moves_stages: bool = True
    keeps_dead_man: bool = True
    dialect: NtcipDialect = field(init=False)
    groups: int = field(init=False)
    _loops: tuple[tuple[int, int], ...] = field(init=False)
    _present: tuple[Oid, ...] = field(init=False)
    _unit_said: tuple[int | None, ...] = ()

    def __post_init__(self) -> None:
        self.phases = self.phases or range(1, len(self.site.groups) + 1)
        self.detectors = self.detectors or range(1, len(self.site.detectors) + 1)
        self.groups = (max(self.phases) + 7) // 8
        self._loops = tuple(((number - 1) // 8, 1 << (number - 1) % 8) for number in self.detectors)
        there = sorted({group for group, _ in self._loops}) if self.presence else []
        self._present = tuple(ASC.table["detector_group_active"].at(group + 1) for group in there)
        self.dialect = NtcipDialect(self.read_community, self.write_community, self.station)

    def identify(self) -> Sequence[Request]:
        """How many phases there are, and the timing of ours."""
        return [
            query(ASC.scalar["max_phases"].oid, ASC.scalar["max_detectors"].oid),
            *(query(*PhaseTiming.ask(phase)) for phase in self.phases),
        ]

    def poll(self) -> Sequence[Request]:
        """Colours, unit status and who stands on the loops in one message."""
        colours = [ASC.table[name].at(group) for group in range(1, self.groups + 1) for name in _COLOURS]
        return [query(*colours, *UnitStatus.ask(), *self._present)]

    def counts(self) -> Sequence[Request]:
        """Volume and occupancy with the number of their sample, 16 detectors a message."""
        starts = range(0, len(self.detectors), 16)
        return [query(_SEQUENCE, *ask_detectors(self.detectors[start : start + 16])) for start in starts]

    def read(self, request: Request, answers: tuple[SnmpMessage, ...], picture: Picture, now: float) -> None:
        """Take an answer into the picture."""
        pdu = answers[-1].pdu
        if pdu.error:
            if request.type is PduType.SET:
                return
            oid = request.variables[max(0, pdu.error_index - 1)].oid
            remedy = "; set presence = false" if oid in self._present else ""
            raise ProtocolError(f"the controller answers {pdu.error.name} to {ASC.name_of(oid) or oid}{remedy}")
        if request.type is PduType.SET:
            return
        found = integers(pdu.variables)
        if _GREENS in found:
            self._colours(found, picture, now)
            unit = tuple(found.get(oid) for oid in _UNIT)
            if unit != self._unit_said:
                self._unit(UnitStatus.read(pdu.variables), picture)
                self._unit_said = unit
            if self._present:
                self._see(found, picture)
        elif _SEQUENCE in found:
            self._count(found, picture)
        else:
            self._check(found, picture)

    def _colours(self, found: Mapping[Oid, int], picture: Picture, now: float) -> None:
        shown = []
        for phase in self.phases:
            group, bit = (phase - 1) // 8 + 1, 1 << (phase - 1) % 8
            lit = [bool(found.get(ASC.table[name].at(group), 0) & bit) for name in _COLOURS]
            if sum(lit) > 1:
                raise ProtocolError(f"phase {phase} is reported in two colours at once")
            shown.append(next((aspect for on, aspect in zip(lit, _ASPECTS, strict=True) if on), Aspect.DARK))
        picture.show(shown, now, picture.commanded)

    def _see(self, found: Mapping[Oid, int], picture: Picture) -> None:
        place = ASC.table["detector_group_active"]
        picture.present = np.array([bool(found.get(place.at(group + 1), 0) & bit) for group, bit in self._loops])

    def _unit(self, unit: UnitStatus, picture: Picture) -> None:
        picture.dead_man = float(unit.backup_time)
        picture.plan = unit.pattern.number or None
        if unit.flash is FlashStatus.STARTUP:
            picture.mode = Mode.STARTING
        elif unit.flash is not FlashStatus.NOT_FLASH:
            picture.mode = Mode.FLASH
        elif unit.alarms & StatusFlags.PREEMPT:
            picture.mode = Mode.PREEMPTION
        elif unit.alarms & StatusFlags.LOCAL_OVERRIDE:
            picture.mode = Mode.MANUAL
        else:
            picture.mode = _MODE_OF.get(unit.control, Mode.LOCAL)
        picture.alarms = frozenset(flag.name or "" for flag in StatusFlags if unit.alarms & flag)

    def _count(self, found: Mapping[Oid, int], picture: Picture) -> None:
        fresh = picture.sample != found[_SEQUENCE]
        for row, number in enumerate(self.detectors):
            volume, occupancy = (found.get(oid) for oid in ask_detectors([number]))
            if volume is None or occupancy is None:
                continue
            if volume < 0 or not 0 <= occupancy < 256:
                raise ProtocolError(
                    f"detector {number} reports volume {volume} and occupancy {occupancy}: no such numbers"
                )
            pair = Occupancy.from_bytes(bytes([min(volume, 255), occupancy]))
            picture.fault[row] = pair.fault is not None
            if fresh and pair.occupancy is not None:
                picture.count(row, volume, pair.occupancy * self.detector_period)
            if number == self.detectors[-1]:
                picture.sample = found[_SEQUENCE]

    def _check(self, found: Mapping[Oid, int], picture: Picture) -> None:
        count = found.get(ASC.scalar["max_phases"].oid)
        if count is not None and count < max(self.phases):
            raise ProtocolError(f"the controller has {count} phases, the site file speaks of phase {max(self.phases)}")
        for row, (group, phase) in enumerate(zip(self.site.groups, self.phases, strict=True)):
            minimum, yellow, red = (found.get(ASC.table[name].at(phase)) for name in _TIMES)
            if minimum is not None and not 1 <= minimum <= 120:
                raise ProtocolError(f"phase {phase} ({group.name}) has an implausible minimum green of {minimum} s")
            if yellow is not None and group.amber > 0 and yellow < 30:
                raise ProtocolError(f"phase {phase} ({group.name}) has {yellow / 10:g} s of yellow: less than 3 s")
            if yellow is not None and red is not None:
                self._check_clearance(row, phase, (yellow + red) / 10)

    def _check_clearance(self, row: int, phase: int, clearance: float) -> None:
        """A phase has one clearance, the site file an intergreen to each other group: it must do for all of them."""
        needed = max((float(gap) for gap in self.site.intergreen[row][self.site.exclusive[row]]), default=0.0)
        if clearance < needed - 0.05:
            raise ProtocolError(
                f"phase {phase} ({self.site.groups[row].name}) has {clearance:g} s of yellow and red clearance, the site "
                f"file an intergreen of {needed:g} s: make one of them agree"
            )

    def command(self, picture: Picture, stage: int) -> Sequence[Request]:
        """Hold and call the stage's phases, omit and force off the others of ours; whole state, one message.

        The dead-man of the controller must run: without one nothing is asked for.
        """
        if picture.dead_man is None or not self.least_dead_man <= picture.dead_man <= self.most_dead_man:
            raise ProtocolError(
                f"the controller's backup time is {picture.dead_man} s: set unitBackupTime to between "
                f"{self.least_dead_man:g} and {self.most_dead_man:g} s, or it would keep our last request for ever"
            )
        green = self.site.stage_greens[stage]
        mine = frozenset(phase for j, phase in enumerate(self.phases) if green[j])
        others = frozenset(self.phases) - mine
        control = PhaseControl(hold=mine, vehicle_call=mine, phase_omit=others, force_off=others)
        return [put(*control.variables(self.groups))]

    def select(self, plan: int) -> Sequence[Request]:
        """A pattern; whether it runs is told by the pattern status."""
        return [put(ask_pattern(Pattern.plan(plan)))]

    def release(self) -> Sequence[Request]:
        """Every request cleared and pattern standby, in one message."""
        return [put(*release(self.groups))]

    def refused(self, request: Request, answers: tuple[SnmpMessage, ...]) -> str | None:
        """The error of the response."""
        error = answers[-1].pdu.error
        return None if error is SnmpError.NO_ERROR else f"{error.name}, variable {answers[-1].pdu.error_index}"


_TIMES = ("minimum_green", "yellow_change", "red_clear")
_COLOURS = ("reds", "yellows", "greens")
_ASPECTS = (Aspect.RED, Aspect.AMBER, Aspect.GREEN)
