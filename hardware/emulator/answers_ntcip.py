"""The emulated cabinet speaks NTCIP 1202 over SNMPv1: signal group j is phase j + 1, a pattern is a local plan.

A host moves it as it moves a ring-and-barrier controller: by holds, force-offs, omits and calls. The stage asked for is the
one whose phases are all called or held while no other phase is; nothing asked for is the local plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...core.aspects import Aspect
from ...core.errors import ProtocolError
from ...core.ports import Mode
from ..ab3418.status import DetectorFault, StatusFlags
from ..frames.hdlc import Address, Control, HdlcFrame, HdlcFramer, Protocol
from ..ntcip import ASC, Oid, PduType, SnmpError, SnmpMessage, VarBind, groups_of, phases_of
from ..ntcip.control import CONTROL_NAMES
from ..ntcip.status import ControlStatus, FlashStatus
from ..pattern import FLASH, FREE, STANDBY, Pattern, PatternKind
from .cabinet import EmulatedCabinet


@dataclass(slots=True)
class NtcipAnswers:
    """One controller: bytes of a host in, bytes back. `station` None means datagrams."""

    cabinet: EmulatedCabinet
    read_community: bytes = b"public"
    write_community: bytes = b"private"
    station: int | None = 1
    written: dict[str, list[int]] = field(init=False)
    pattern: Pattern = STANDBY
    _framer: HdlcFramer = field(default_factory=HdlcFramer)
    _reads: dict[Oid, Callable[[], int]] = field(init=False)

    def __post_init__(self) -> None:
        self.written = {name: [0] * self.groups for name in CONTROL_NAMES}
        self._reads = self._dictionary()

    @property
    def groups(self) -> int:
        """Groups of eight phases."""
        return (len(self.cabinet.site.groups) + 7) // 8

    def receive(self, data: bytes) -> bytes:
        """What the host sent, to what it gets back."""
        if self.station is None:
            return self._message(data) if data else b""
        out = b""
        for frame in self._framer.feed(data):
            if frame.protocol is Protocol.SNMP and frame.address == Address(self.station):
                body = self._message(frame.body)
                if body:
                    out += HdlcFrame(frame.address, Control.INFORMATION, Protocol.SNMP, body).to_bytes()
        return out

    def _message(self, body: bytes) -> bytes:
        try:
            question = SnmpMessage.from_bytes(body)
        except ProtocolError:
            return b""
        if question.community not in (self.read_community, self.write_community):
            return b""
        return self._answer(question).to_bytes()

    def _answer(self, question: SnmpMessage) -> SnmpMessage:
        variables = question.pdu.variables
        self.tick()
        for index, variable in enumerate(variables, 1):
            if variable.oid not in self._reads:
                return question.answer(variables, SnmpError.NO_SUCH_NAME, index)
        if question.pdu.type is PduType.GET:
            return question.answer(VarBind(one.oid, self._reads[one.oid]()) for one in variables)
        if question.pdu.type is not PduType.SET:
            return question.answer(variables, SnmpError.GENERAL, 1)
        if question.community != self.write_community:
            return question.answer(variables, SnmpError.NO_SUCH_NAME, 1)
        changes: list[Callable[[], None]] = []
        for index, variable in enumerate(variables, 1):
            change = self._change(variable)
            if isinstance(change, SnmpError):
                return question.answer(variables, change, index)
            changes.append(change)
        for change in changes:
            change()
        return question.answer(variables)

    def _change(self, variable: VarBind) -> Callable[[], None] | SnmpError:
        value = variable.value
        name, _, row = (ASC.name_of(variable.oid) or "").partition(".")
        if not isinstance(value, int):
            return SnmpError.BAD_VALUE
        if name in CONTROL_NAMES and 0 <= value <= 255:
            return lambda: self._control(name, int(row), value)
        if name == "pattern_control" and 0 <= value <= 255:
            return lambda: self._set_pattern(Pattern.from_ntcip(value))
        if name == "backup_time" and 0 <= value <= 0xFFFF:
            return lambda: self._set_backup(value)
        return (
            SnmpError.BAD_VALUE if name in (*CONTROL_NAMES, "pattern_control", "backup_time") else SnmpError.READ_ONLY
        )

    def _control(self, name: str, group: int, byte: int) -> None:
        self.written[name][group - 1] = byte
        self._apply()

    def _set_pattern(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self._apply()

    def _set_backup(self, seconds: int) -> None:
        self.cabinet.dead_man = float(seconds)
        self._apply()

    def _apply(self) -> None:
        """What stands written is made a request of the cabinet, and the backup timer starts anew."""
        cabinet = self.cabinet
        cabinet.grip()
        called, held, omitted, forced = (
            phases_of(self.written[name]) for name in ("vehicle_call", "hold", "phase_omit", "force_off")
        )
        wanted = (called | held) - omitted
        stages = range(len(cabinet.site.stages)) if wanted else range(0)
        cabinet.remote_stage = next((stage for stage in stages if self._phases(stage) == wanted), None)
        if cabinet.stage >= 0 and cabinet.remote_stage is not None and cabinet.remote_stage != cabinet.stage:
            leaving = self._phases(cabinet.stage) - self._phases(cabinet.remote_stage)
            if held & leaving or not leaving <= forced:
                cabinet.remote_stage = cabinet.stage  # what is held, or not forced off, stays
        plan = self.pattern.kind is PatternKind.PLAN and self.pattern.number in cabinet.plans
        cabinet.remote_plan = self.pattern.number if plan else None
        cabinet.commanded_flash = self.pattern == FLASH

    def tick(self) -> None:
        """The backup timer has run out: what a host had written is cleared."""
        if not self.cabinet.has_grip:
            self.pattern = STANDBY
            for name in CONTROL_NAMES:
                self.written[name] = [0] * self.groups

    def _phases(self, stage: int) -> frozenset[int]:
        green = self.cabinet.site.stage_greens[stage]
        return frozenset(j + 1 for j in range(len(green)) if green[j])

    def _showing(self, group: int, *aspects: Aspect) -> int:
        shown = enumerate(self.cabinet.sequencer.aspects, 1)
        return groups_of((phase for phase, aspect in shown if aspect in aspects), self.groups)[group]

    def _control_status(self) -> int:
        match self.cabinet.mode:
            case Mode.REMOTE:
                return ControlStatus.SYSTEM
            case Mode.MANUAL:
                return ControlStatus.MANUAL
            case Mode.LOCAL:
                return ControlStatus.TIMEBASE
        return ControlStatus.OTHER

    def _flash_status(self) -> int:
        match self.cabinet.mode:
            case Mode.STARTING:
                return FlashStatus.STARTUP
            case Mode.FLASH:
                return FlashStatus.MMU if self.cabinet.monitor.fault else FlashStatus.LOCAL_MANUAL
        return FlashStatus.NOT_FLASH

    def _short_alarm(self) -> int:
        alarm = StatusFlags(0)
        if self.cabinet.mode is Mode.PREEMPTION:
            alarm |= StatusFlags.PREEMPT
        if self.cabinet.mode is Mode.MANUAL:
            alarm |= StatusFlags.LOCAL_OVERRIDE
        if self.cabinet.monitor.fault:
            alarm |= StatusFlags.CRITICAL
        if self.cabinet.mode in (Mode.FLASH, Mode.STARTING):
            alarm |= StatusFlags.CABINET_FLASH
        return alarm

    def _pattern_status(self) -> int:
        if self.cabinet.mode in (Mode.FLASH, Mode.STARTING):
            return FLASH.to_ntcip()
        plan = self.cabinet.current_plan
        running = Pattern.plan(plan.number) if plan is not None and self.pattern != FREE else FREE
        return running.to_ntcip()

    def _present(self, first: int) -> int:
        there = self.cabinet.inputs.present[first : first + 8]
        return int(sum(1 << bit for bit, on in enumerate(there) if on))

    def _occupancy(self, row: int) -> int:
        fault = self.cabinet.inputs.faults.get(row)
        if fault is None:
            return round(float(self.cabinet.inputs.occupancy[row]) * 200)
        codes = {"stuck on": DetectorFault.STUCK_ON, "stuck off": DetectorFault.STUCK_OFF}
        return codes.get(fault.value, DetectorFault.OVERCOUNT)

    def _dictionary(self) -> dict[Oid, Callable[[], int]]:
        """Every variable that can be read."""
        cabinet, site = self.cabinet, self.cabinet.site
        scalars: dict[str, Callable[[], int]] = {
            "max_phases": lambda: 8 * self.groups,
            "max_phase_groups": lambda: self.groups,
            "max_detectors": lambda: len(site.detectors),
            "count_sequence": lambda: cabinet.inputs.sequence,
            "count_period": lambda: max(1, cabinet.inputs.period // 10),
            "count_detectors": lambda: len(site.detectors),
            "backup_time": lambda: round(cabinet.dead_man),
            "control_status": self._control_status,
            "flash_status": self._flash_status,
            "short_alarm": self._short_alarm,
            "pattern_status": self._pattern_status,
            "pattern_control": lambda: self.pattern.to_ntcip(),
        }
        reads = {ASC.scalar[name].oid: read for name, read in scalars.items()}
        for group in range(self.groups):
            shows = {
                "reds": (Aspect.RED,),
                "yellows": (Aspect.AMBER, Aspect.RED_AMBER),
                "greens": (Aspect.GREEN,),
                "phase_ons": (Aspect.GREEN, Aspect.AMBER),
            }
            for name in (
                "walks",
                "pedestrian_clears",
                "vehicle_calls",
                "pedestrian_calls",
                "dont_walks",
                "phase_nexts",
            ):
                shows[name] = ()
            for name, aspects in shows.items():
                reads[ASC.table[name].at(group + 1)] = lambda g=group, a=aspects: self._showing(g, *a)  # type: ignore[misc]
            for name in CONTROL_NAMES:
                reads[ASC.table[name].at(group + 1)] = lambda n=name, g=group: self.written[n][g]  # type: ignore[misc]
        for j, one in enumerate(site.groups):
            gaps = [float(site.intergreen[j, k]) for k in range(len(site.groups)) if site.exclusive[j, k]]
            red_clear = max(0.0, max(gaps, default=one.amber) - one.amber)
            timing = {
                "minimum_green": -(-one.min_green // 1), "yellow_change": one.amber * 10, "red_clear": red_clear * 10,
                "maximum_1": one.max_red or 0, "walk": 0, "pedestrian_clear": 0,
            }  # fmt: skip
            for name, value in timing.items():
                reads[ASC.table[name].at(j + 1)] = lambda v=value: round(v)  # type: ignore[misc]
        for group in range(0, len(site.detectors), 8):
            reads[ASC.table["detector_group_active"].at(group // 8 + 1)] = lambda g=group: self._present(g)  # type: ignore[misc]
        for row in range(len(site.detectors)):
            reads[ASC.table["detector_volume"].at(row + 1)] = lambda r=row: int(cabinet.inputs.volume[r])  # type: ignore[misc]
            reads[ASC.table["detector_occupancy"].at(row + 1)] = lambda r=row: self._occupancy(r)  # type: ignore[misc]
        return reads
