"""The emulated cabinet speaks AB 3418 and 3418E: signal group j is phase j + 1, a pattern is a local plan."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.aspects import Aspect
from ...core.errors import ProtocolError
from ...core.ports import Mode
from .. import ab3418
from ..ab3418 import Interval, Occupancy, Reason, StatusFlags
from ..frames.hdlc import Address, Control, HdlcFrame, HdlcFramer, Protocol
from ..pattern import FLASH, FREE, STANDBY, Pattern, PatternKind
from .cabinet import EmulatedCabinet

_FAULTS = ab3418.DetectorFault


@dataclass(slots=True)
class Ab3418Answers:
    """One station on one line: bytes of a master in, bytes back. Gets are answered after a poll and after information.

    A pattern stays until another one is asked for: the protocol has no dead-man.
    """

    cabinet: EmulatedCabinet
    station: int = 1
    pattern: Pattern = STANDBY
    _framer: HdlcFramer = field(default_factory=HdlcFramer)
    _zero: int = -1

    def receive(self, data: bytes) -> bytes:
        """What the master sent, to what it gets back; nothing answers a group or another station."""
        out = b""
        for frame in self._framer.feed(data):
            if frame.protocol is not Protocol.AB3418 or not self._mine(frame.address):
                continue
            reply = self._answer(frame.body)
            if reply is not None and not frame.address.group and frame.control is not Control.BROADCAST:
                body = reply.to_bytes()
                out += HdlcFrame(Address(self.station), Control.INFORMATION, Protocol.AB3418, body).to_bytes()
        return out

    def tick(self) -> None:
        """To be called every tick: an asked pattern holds on for ever."""
        if self.pattern.kind in (PatternKind.PLAN, PatternKind.FLASH):
            self.cabinet.grip()
            self.cabinet.remote_plan = self.pattern.number or None
            self.cabinet.commanded_flash = self.pattern == FLASH

    def _mine(self, address: Address) -> bool:
        return address == Address(self.station) or address.group

    def _answer(self, body: bytes) -> ab3418.Message | ab3418.Refusal | None:
        try:
            message = ab3418.from_bytes(body)
        except ProtocolError:
            code = body[0] if body else 0
            if not 0x80 <= code <= 0x9F:
                return None
            known = code in (0x81, 0x84, 0x85, 0x86, 0x89, 0x8C, 0x92, 0x93)
            return ab3418.Refusal(code, Reason.BAD_VALUE if known else Reason.NO_SUCH_NAME, 1)
        match message:
            case ab3418.GetControllerId():
                return ab3418.ControllerId("signalwright", self.cabinet.site.name[:40])
            case ab3418.GetShortStatus():
                return ab3418.ShortStatus(self._greens(), self._flags(), self._in_force())
            case ab3418.GetStatus8():
                return self._status8()
            case ab3418.GetLongStatus8():
                return ab3418.LongStatus8(self._status8(), self.cabinet.inputs.sequence, self._detectors(8))
            case ab3418.GetDetectorData():
                count = min(len(self.cabinet.site.detectors), 200)
                inputs = self.cabinet.inputs
                return ab3418.DetectorData(inputs.sequence, max(1, inputs.period // 10), self._detectors(count)[:count])
            case ab3418.SetTime():
                time = message.time
                now = time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6
                self.cabinet.clock_offset += now - self.cabinet.time_of_day
                return None if isinstance(message, ab3418.BroadcastTime) else ab3418.TimeSet()
            case ab3418.SetPattern():
                return self._set_pattern(message)
        return ab3418.Refusal(message.code, Reason.NO_SUCH_NAME, 1) if message.code < 0xA0 else None

    def _set_pattern(self, message: ab3418.SetPattern) -> ab3418.PatternSet | ab3418.Refusal | None:
        pattern = message.pattern
        silent = isinstance(message, ab3418.BroadcastPattern)
        if pattern.kind is PatternKind.PLAN and pattern.number not in self.cabinet.plans:
            return None if silent else ab3418.Refusal(message.code, Reason.BAD_VALUE, 1)
        self.pattern = pattern
        self.cabinet.let_go()
        self.tick()
        return None if silent else ab3418.PatternSet()

    def _in_force(self) -> Pattern:
        if self.cabinet.mode is Mode.FLASH:
            return FLASH
        if self.pattern == FREE:
            return FREE
        plan = self.cabinet.current_plan
        return Pattern.plan(plan.number) if plan is not None else FREE

    def _showing(self, *aspects: Aspect) -> frozenset[int]:
        shown = enumerate(self.cabinet.sequencer.aspects[:8], 1)
        return frozenset(phase for phase, aspect in shown if aspect in aspects)

    def _greens(self) -> frozenset[int]:
        return self._showing(Aspect.GREEN)

    def _flags(self) -> StatusFlags:
        flags = StatusFlags(0)
        match self.cabinet.mode:
            case Mode.FLASH | Mode.STARTING:
                flags |= StatusFlags.CABINET_FLASH
            case Mode.PREEMPTION:
                flags |= StatusFlags.PREEMPT
            case Mode.MANUAL:
                flags |= StatusFlags.LOCAL_OVERRIDE
        if self.cabinet.monitor.fault:
            flags |= StatusFlags.CRITICAL
        if self.cabinet.inputs.faults:
            flags |= StatusFlags.DETECTOR
        plan = self.cabinet.current_plan
        if plan is not None:
            rounds = int((self.cabinet.time_of_day - plan.plan.plan.offset) // plan.plan.cycle)
            if rounds != self._zero:
                flags |= StatusFlags.LOCAL_ZERO
            self._zero = rounds
        return flags

    def _status8(self) -> ab3418.Status8:
        cabinet = self.cabinet
        interval = Interval.PASSAGE if cabinet.sequencer.complete else Interval.MIN_GREEN
        if cabinet.changing:
            interval = Interval.RED_CLEARANCE
        plan = cabinet.current_plan
        clock = 0
        if plan is not None:
            clock = min(255, int((cabinet.time_of_day - plan.plan.plan.offset) % plan.plan.cycle))
        return ab3418.Status8(
            status=self._flags(),
            pattern=self._in_force(),
            intervals=(interval, interval),
            active=self._showing(Aspect.GREEN, Aspect.AMBER, Aspect.RED_AMBER),
            presence=frozenset(
                row + 1 for row in range(min(28, len(cabinet.inputs.present))) if cabinet.inputs.present[row]
            ),
            preempts=int(cabinet.mode is Mode.PREEMPTION),
            master_clock=clock,
            local_clock=clock,
        )

    def _detectors(self, count: int) -> tuple[Occupancy, ...]:
        inputs = self.cabinet.inputs
        pairs = []
        for row in range(count):
            if row >= len(inputs.volume):
                pairs.append(Occupancy(0, 0.0))
            elif (fault := inputs.faults.get(row)) is not None:
                code = {"stuck on": _FAULTS.STUCK_ON, "stuck off": _FAULTS.STUCK_OFF}.get(
                    fault.value, _FAULTS.OVERCOUNT
                )
                pairs.append(Occupancy(0, None, code))
            else:
                pairs.append(
                    Occupancy(min(255, int(inputs.volume[row])), round(float(inputs.occupancy[row]) * 200) / 200)
                )
        return tuple(pairs)
