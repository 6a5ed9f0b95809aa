"""The emulated cabinet speaks GB/T 20999-2017: stage row r is stage r + 1, signal group j is phase and lamp group j + 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...core.errors import ProtocolError
from ...core.ports import Mode
from ..frames.gbt import GbtFramer, unwrap_datagram
from ..gbt20999 import OBJECTS, DataValue, FrameType, Message, ObjectId, RunMode, Status
from ..gbt20999.objects import GbtObject, at
from .cabinet import EmulatedCabinet
from .planbook import ROWS, PlanBook
from .readings_gbt import readings

_CENTRE = {RunMode.CENTRE_ADAPTIVE, RunMode.CENTRE_MANUAL, RunMode.CENTRE_COORDINATED, RunMode.CENTRE_OPTIMISED}
_LOCAL = {RunMode.LOCAL_FIXED, RunMode.LOCAL_ACTUATED, RunMode.LOCAL_COORDINATED, RunMode.LOCAL_ADAPTIVE}
_TABLES: dict[tuple[int, int], str] = {
    (3, 2): "groups", (3, 3): "groups", (4, 2): "groups", (5, 2): "detectors", (5, 3): "detectors", (6, 2): "stages",
    (6, 3): "stages", (7, 1): "groups", (7, 2): "groups", (9, 2): "plans", (11, 2): "days",
    (12, 2): "days", (13, 2): "junction", (14, 2): "detectors",
    (16, 2): "faults", (17, 1): "junction",
}  # fmt: skip
_CHANGING = ("plans", "faults")
_STARTS = (11, 2, 3)
_STORED = {(6, 2): "stage", (9, 2): "plan", (11, 2): "day_plan", (12, 2): "schedule"}

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
    book: PlanBook = field(init=False)
    _framer: GbtFramer = field(default_factory=GbtFramer)
    _reads: dict[str, Callable[[int], Any]] = field(init=False)
    _found: dict[ObjectId, list[tuple[GbtObject, int]]] = field(default_factory=dict)
    _said: dict[tuple[ObjectId, int, int], DataValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book = PlanBook(self.cabinet, self.junction)
        self._reads = readings(self)

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
        ids = [place._replace(element=row) for place in wanted for row in chosen]
        return [one for one in ids if one[:3] != _STARTS or self.book.knows_starts(one.element)]

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
            case "days":
                return list(range(1, ROWS + 1))
            case "junction":
                return [self.junction]
        return None

    def _set(self, question: Message) -> tuple[list[DataValue], list[DataValue]]:
        good: list[DataValue] = []
        bad: list[DataValue] = []
        rows: dict[tuple[str, int], list[DataValue]] = {}
        for value in question.values:
            thing = at(value.id)
            kind = _STORED.get(thing.id[:2]) if thing is not None and thing.writable else None
            if kind is not None:
                rows.setdefault((kind, value.id.element), []).append(value)
                continue
            status = self._write(thing.name, value) if thing is not None else Status.DOES_NOT_EXIST
            self._sort(value, status, good, bad)
        for (kind, row), values in rows.items():
            status = self._store(kind, row, values)
            for value in values:
                self._sort(value, status, good, bad)
        return good, bad

    def _sort(self, value: DataValue, status: Status | None, good: list[DataValue], bad: list[DataValue]) -> None:
        if status is None:
            good.append(value)
        else:
            bad.append(DataValue(value.id, bytes([status])))

    def _store(self, kind: str, row: int, values: list[DataValue]) -> Status | None:
        """A row is taken as a whole, or not at all."""
        said: dict[str, Any] = {}
        for value in values:
            thing = at(value.id)
            assert thing is not None
            try:
                said[thing.name] = thing.read(value.value)
            except ProtocolError:
                return Status.WRONG_LENGTH
        return self.book.write(kind, row, said)

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
                if not 1 <= number <= len(cabinet.site.stages) or number in self.book.empty_stages:
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
