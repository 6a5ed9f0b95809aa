"""The emulated cabinet speaks GB/T 20999-2017: stage row r is stage r + 1, signal group j is phase and lamp group j + 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ...core.aspects import Aspect
from ...core.errors import ProtocolError
from ...core.intersection import GroupKind
from ...core.ports import Mode
from ..frames.gbt import GbtFramer, unwrap_datagram
from ..gbt20999 import OBJECTS, DataValue, FrameType, LampState, Message, ObjectId, RunMode, StageState, Status
from ..gbt20999.codes import DetectorType, FaultAction, FaultType, LampGroupType
from ..gbt20999.objects import GbtObject, at
from .cabinet import EmulatedCabinet

LAMP_OF = {
    Aspect.RED: LampState.RED,
    Aspect.RED_AMBER: LampState.RED_YELLOW,
    Aspect.GREEN: LampState.GREEN,
    Aspect.AMBER: LampState.YELLOW,
    Aspect.FLASHING_AMBER: LampState.YELLOW_FLASH,
    Aspect.DARK: LampState.OFF,
}
_CENTRE = {RunMode.CENTRE_ADAPTIVE, RunMode.CENTRE_MANUAL, RunMode.CENTRE_COORDINATED, RunMode.CENTRE_OPTIMISED}
_LOCAL = {RunMode.LOCAL_FIXED, RunMode.LOCAL_ACTUATED, RunMode.LOCAL_COORDINATED, RunMode.LOCAL_ADAPTIVE}
_KINDS = {GroupKind.PEDESTRIAN: LampGroupType.PEDESTRIAN, GroupKind.BUS: LampGroupType.BUS,
          GroupKind.BICYCLE: LampGroupType.NON_MOTOR}  # fmt: skip
_TABLES: dict[tuple[int, int], str] = {
    (3, 2): "groups", (3, 3): "groups", (4, 2): "groups", (5, 2): "detectors", (5, 3): "detectors", (6, 2): "stages",
    (6, 3): "stages", (7, 1): "groups", (7, 2): "groups", (9, 2): "plans", (13, 2): "junction", (14, 2): "detectors",
    (16, 2): "faults", (17, 1): "junction",
}  # fmt: skip
_CHANGING = ("plans", "faults")

_PLACES: dict[tuple[int, ...], list[ObjectId]] = {}
for _thing in OBJECTS.values():
    _PLACES.setdefault(_thing.id[:2], []).append(_thing.id)


@dataclass(slots=True)
class GbtAnswers:
    """One cabinet on one line: bytes of a host in, bytes back. `day` dates the clock it reports.

    `intergreen_unit` [s] is the unit of object 7.2, open in the standard as far as it is known here.
    """

    cabinet: EmulatedCabinet
    controller: int = 1
    junction: int = 1
    host: int = 1
    datagrams: bool = False
    intergreen_unit: float = 0.1
    mode: RunMode = RunMode.LOCAL_FIXED
    day: datetime = datetime(2026, 1, 1)
    _framer: GbtFramer = field(default_factory=GbtFramer)
    _reads: dict[str, Callable[[int], Any]] = field(init=False)
    _found: dict[ObjectId, list[tuple[GbtObject, int]]] = field(default_factory=dict)
    _said: dict[tuple[ObjectId, int, int], DataValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reads = _reads(self)

    def receive(self, data: bytes) -> bytes:
        """What the host sent, to what it gets back."""
        if not self.datagrams:
            contents = self._framer.feed(data)
        else:
            try:
                contents = [unwrap_datagram(data)] if data else []
            except ProtocolError:
                contents = []
        replies: list[Message] = []
        for content in contents:
            try:
                question = Message.from_bytes(content)
            except ProtocolError:
                continue
            if question.controller == self.controller and question.junction in (0, self.junction):
                replies += self._answer(question)
        return b"".join(reply.to_datagram() if self.datagrams else reply.to_wire() for reply in replies)

    def tick(self) -> None:
        """Nothing of this protocol happens by itself."""

    def _answer(self, question: Message) -> list[Message]:
        match question.type:
            case FrameType.QUERY:
                good, bad = self._query(question)
            case FrameType.SET:
                good, bad = self._set(question)
            case FrameType.HEARTBEAT:
                if self.cabinet.has_grip:
                    self.cabinet.grip()
                return [
                    Message(FrameType.HEARTBEAT_REPLY, self.controller, self.junction, question.serial, (), self.host)
                ]
            case _:
                return []
        replies = []
        for offset, values in ((0x10, good), (0x11, bad)):
            if values:
                kind = FrameType(question.type + offset)
                replies.append(Message.of(kind, self.controller, self.junction, question.serial, values, question.host))
        return replies

    def _query(self, question: Message) -> tuple[list[DataValue], list[DataValue]]:
        good: list[DataValue] = []
        bad: list[DataValue] = []
        for asked in question.values:
            found = self._found.get(asked.id) or self._find(asked.id)
            if not found:
                bad.append(DataValue(asked.id, bytes([Status.DOES_NOT_EXIST])))
            for thing, element in found:
                good.append(self._say(thing, element))
        return good[:255], bad

    def _find(self, asked: ObjectId) -> list[tuple[GbtObject, int]]:
        """The objects and rows a question means; kept for those whose rows never change."""
        ids = self._expand(asked)
        found = [(thing, one.element) for one in ids if (thing := at(one)) and thing.name in self._reads]
        if asked.element and _TABLES.get((asked.klass, asked.object)) not in _CHANGING:
            self._found[asked] = found
        return found

    def _say(self, thing: GbtObject, element: int) -> DataValue:
        value = self._reads[thing.name](element)
        if not isinstance(value, int):
            return thing.value(value, element)
        said = self._said.get((thing.id, element, value))
        if said is None:
            said = self._said[thing.id, element, value] = thing.value(value, element)
        return said

    def _expand(self, asked: ObjectId) -> list[ObjectId]:
        """Attribute 0 is all attributes, element 0 of a table all rows."""
        rows = self._rows(asked)
        places = _PLACES.get(asked[:2], [])
        wanted = [place for place in places if asked.attribute in (0, place.attribute)]
        if rows is None:
            return wanted if asked.element == 0 else []
        chosen = rows if asked.element == 0 else [asked.element] if asked.element in rows else []
        return [place._replace(element=row) for place in wanted for row in chosen]

    def _rows(self, asked: ObjectId) -> list[int] | None:
        site = self.cabinet.site
        match _TABLES.get((asked.klass, asked.object)):
            case "groups":
                return list(range(1, len(site.groups) + 1))
            case "stages":
                return list(range(1, len(site.stages) + 1))
            case "detectors":
                return list(range(1, len(site.detectors) + 1))
            case "plans":
                return sorted(self.cabinet.plans)
            case "faults":
                return [1] if self.cabinet.monitor.fault else []
            case "junction":
                return [self.junction]
        return None

    def _set(self, question: Message) -> tuple[list[DataValue], list[DataValue]]:
        good: list[DataValue] = []
        bad: list[DataValue] = []
        for value in question.values:
            thing = at(value.id)
            status = self._write(thing.name, value) if thing is not None else Status.DOES_NOT_EXIST
            if status is None:
                good.append(value)
            else:
                bad.append(DataValue(value.id, bytes([status])))
        return good, bad

    def _write(self, name: str, value: DataValue) -> Status | None:
        cabinet = self.cabinet
        if name not in ("commanded_stage", "commanded_plan", "commanded_mode"):
            return Status.READ_ONLY if name in self._reads else Status.DOES_NOT_EXIST
        if value.id.element != self.junction:
            return Status.DOES_NOT_EXIST
        if len(value.value) != 1:
            return Status.WRONG_LENGTH
        number = value.value[0]
        giving_back = name == "commanded_mode" and number in _LOCAL
        if cabinet.mode in (Mode.FLASH, Mode.STARTING, Mode.PREEMPTION, Mode.MANUAL) and not giving_back:
            return Status.CONTROL_FAILED
        match name:
            case "commanded_stage":
                if not 1 <= number <= len(cabinet.site.stages):
                    return Status.BAD_VALUE
                cabinet.remote_stage = number - 1
            case "commanded_plan":
                if number not in cabinet.plans:
                    return Status.BAD_VALUE
                cabinet.remote_plan = number
            case _ if number in _CENTRE:
                self.mode = RunMode(number)
            case _ if number in _LOCAL:
                self.mode = RunMode(number)
                cabinet.let_go()
                return None
            case _ if number == RunMode.FLASH:
                cabinet.commanded_flash = True
            case _:
                return Status.BAD_VALUE
        if self.mode in _CENTRE or cabinet.commanded_flash:
            cabinet.grip()
        return None

    @property
    def run_mode(self) -> RunMode:
        """What 13.2.2 says."""
        match self.cabinet.mode:
            case Mode.FLASH | Mode.STARTING:
                return RunMode.FLASH
            case Mode.MANUAL:
                return RunMode.LOCAL_MANUAL
            case Mode.PREEMPTION:
                return RunMode.SPECIAL
            case Mode.REMOTE:
                return self.mode if self.mode in _CENTRE else RunMode.CENTRE
        return self.mode if self.mode in _LOCAL else RunMode.LOCAL_FIXED


def _reads(answers: GbtAnswers) -> dict[str, Callable[[int], Any]]:
    """What each object says of row `r` (from 1); objects that are not here do not exist at this cabinet."""
    cabinet = answers.cabinet
    site, groups = cabinet.site, cabinet.site.groups

    def conflicts(r: int) -> list[int]:
        return [j + 1 for j in range(len(groups)) if site.exclusive[r - 1, j]]

    def intergreens(r: int) -> list[int]:
        row = [round(float(gap) / answers.intergreen_unit) for gap in site.intergreen[r - 1]]
        return [gap if site.exclusive[r - 1, j] else 0 for j, gap in enumerate(row)]

    def stage_state(r: int) -> StageState:
        if cabinet.stage != r - 1:
            return StageState.NOT_RUNNING
        return StageState.IN_TRANSITION if cabinet.changing else StageState.RUNNING

    def plan_stages(r: int) -> list[int]:
        return [stage + 1 for stage in cabinet.plans[r].plan.sequence]

    def stage_row(r: int) -> list[int]:
        green = site.stage_greens[r - 1]
        return [j + 1 for j in range(len(groups)) if green[j]]

    def fault_type(r: int) -> int:
        fault = cabinet.monitor.fault or ""
        return FaultType.GREEN_CONFLICT if fault.startswith("conflict") else FaultType.CONTROL_RESPONSE

    def local_time(r: int) -> datetime:
        return answers.day + timedelta(seconds=int(cabinet.time_of_day))

    return {
        "maker": lambda r: "signalwright",
        "version": lambda r: bytes([1, 0, 1, 0]),
        "device_number": lambda r: site.name[:16],
        "site_name": lambda r: site.name[:128],
        "controller_id": lambda r: answers.controller,
        "junction_count": lambda r: 1,
        "lamp_group_count": lambda r: len(groups),
        "lamp_group_no": lambda r: r,
        "lamp_group_type": lambda r: _KINDS.get(groups[r - 1].kind, LampGroupType.VEHICLE),
        "lamp_state": lambda r: LAMP_OF[Aspect(int(cabinet.sequencer.aspects[r - 1]))],
        "phase_count": lambda r: len(groups),
        "phase_no": lambda r: r,
        "phase_lamp_groups": lambda r: [r],
        "losing_colour_1": lambda r: LampState.YELLOW,
        "losing_time_1": lambda r: round(groups[r - 1].amber),
        "min_green": lambda r: int(-(-groups[r - 1].min_green // 1)),
        "detector_count": lambda r: len(site.detectors),
        "detector_no": lambda r: r,
        "detector_type": lambda r: DetectorType.LOOP,
        "detector_flow_period": lambda r: max(1, cabinet.inputs.period // 10),
        "detector_occupancy_period": lambda r: max(1, cabinet.inputs.period // 10),
        "detector_place": lambda r: site.detectors[r - 1].name[:40],
        "detector_status_no": lambda r: r,
        "detector_presence": lambda r: int(cabinet.inputs.present[r - 1]),
        "stage_count": lambda r: len(site.stages),
        "stage_no": lambda r: r,
        "stage_phases": stage_row,
        "stage_status_no": lambda r: r,
        "stage_state": stage_state,
        "stage_elapsed": lambda r: int(cabinet.elapsed) if cabinet.stage == r - 1 else 0,
        "stage_remaining": lambda r: 0,
        "conflict_phase": lambda r: r,
        "conflicts": conflicts,
        "intergreen_phase": lambda r: r,
        "intergreens": intergreens,
        "plan_count": lambda r: len(cabinet.plans),
        "plan_no": lambda r: r,
        "plan_junction": lambda r: answers.junction,
        "plan_cycle": lambda r: cabinet.plans[r].plan.cycle,
        "plan_offset": lambda r: cabinet.plans[r].plan.plan.offset,
        "plan_stages": plan_stages,
        "plan_times": lambda r: list(cabinet.plans[r].plan.plan.greens),
        "plan_occurrence": lambda r: [0x10] * len(cabinet.plans[r].plan.sequence),
        "detectors_failed": lambda r: [row + 1 for row in sorted(cabinet.inputs.faults) if row < 64],
        "modules_failed": lambda r: [],
        "time_local": local_time,
        "junction_no": lambda r: answers.junction,
        "run_mode": lambda r: answers.run_mode,
        "current_plan": lambda r: plan.number if (plan := cabinet.current_plan) else 0,
        "current_stage": lambda r: cabinet.stage + 1,
        "presence": lambda r: [row + 1 for row in range(min(64, len(site.detectors))) if cabinet.inputs.present[row]],
        "count_detector": lambda r: r,
        "count_flow": lambda r: int(cabinet.inputs.volume[r - 1]),
        "count_occupancy": lambda r: round(float(cabinet.inputs.occupancy[r - 1]) * 100),
        "count_speed": lambda r: 0,
        "alarm_count": lambda r: 0,
        "fault_count": lambda r: int(cabinet.monitor.fault is not None),
        "fault_no": lambda r: r,
        "fault_type": fault_type,
        "fault_time": local_time,
        "fault_action": lambda r: FaultAction.FLASH,
        "centre_junction": lambda r: answers.junction,
        "commanded_stage": lambda r: 0 if cabinet.remote_stage is None else cabinet.remote_stage + 1,
        "commanded_plan": lambda r: cabinet.remote_plan or 0,
        "commanded_mode": lambda r: answers.mode,
    }
