"""Indiana high-resolution event codes (document of August 2020, 0.1 s): what a cabinet does, as rows anybody can read.

A row is time, code 0..255, parameter 0..255. Signal group j is phase j + 1. Codes 43 to 45 are calls, not displays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..core.aspects import Aspect
from ..core.ports import Mode


class Code(IntEnum):
    """The codes this program writes."""

    BEGIN_GREEN = 1
    GREEN_END = 7
    BEGIN_YELLOW = 8
    END_YELLOW = 9
    BEGIN_RED_CLEARANCE = 10
    HOLD_ACTIVE = 41
    HOLD_RELEASED = 42
    DETECTOR_OFF = 81
    DETECTOR_ON = 82
    DETECTOR_RESTORED = 83
    DETECTOR_FAULT = 84
    PREEMPT_ON = 102
    PREEMPT_OFF = 104
    PATTERN = 131
    CONTROL_STATUS = 155
    FLASH_STATUS = 173
    MANUAL = 178
    ALARM_ON = 200
    ALARM_OFF = 201


class Row(NamedTuple):
    """One event. `time` in seconds since 1970 UTC."""

    time: float
    code: int
    parameter: int


_CONTROL_OF = {Mode.REMOTE: 2, Mode.LOCAL: 6, Mode.MANUAL: 5, Mode.PREEMPTION: 1, Mode.FLASH: 1, Mode.STARTING: 1}
_FLASH_OF = {Mode.FLASH: 4, Mode.STARTING: 7}
_LINE_LOST = 1  # parameter of our alarm rows: the line to the cabinet


@dataclass(slots=True)
class Recorder:
    """Turns what is seen of a cabinet into rows: each call gives the events between the last look and this one."""

    aspects: npt.NDArray[np.int8] | None = None
    mode: Mode | None = None
    plan: int | None = None
    held: int | None = None
    reachable: bool | None = None
    fault: npt.NDArray[np.bool_] | None = None
    present: npt.NDArray[np.bool_] | None = None

    def look(
        self,
        time: float,
        aspects: npt.NDArray[np.int8] | None,
        mode: Mode,
        plan: int | None,
        held: int | None,
        reachable: bool,
        fault: npt.NDArray[np.bool_],
        present: npt.NDArray[np.bool_] | None = None,
    ) -> list[Row]:
        """`held` is the stage row we hold, None when nothing of ours is in force; the rest as in the picture. `present` is kept:
        hand in another array when it changes."""
        events: list[tuple[Code, int]] = []
        if aspects is not None:
            events += self._aspects(aspects)
        if mode is not self.mode:
            events += self._mode(mode)
        if plan != self.plan and plan is not None:
            events.append((Code.PATTERN, plan & 0xFF))
        if held != self.held:
            events += [(Code.HOLD_RELEASED, self.held + 1)] if self.held is not None else []
            events += [(Code.HOLD_ACTIVE, held + 1)] if held is not None else []
        if reachable != self.reachable and self.reachable is not None:
            events.append((Code.ALARM_OFF if reachable else Code.ALARM_ON, _LINE_LOST))
        if self.fault is not None:
            for row in np.flatnonzero(fault != self.fault):
                events.append((Code.DETECTOR_FAULT if fault[row] else Code.DETECTOR_RESTORED, (int(row) + 1) & 0xFF))
        if present is not None and present is not self.present:
            before = np.zeros_like(present) if self.present is None else self.present
            for row in np.flatnonzero(present != before):
                events.append((Code.DETECTOR_ON if present[row] else Code.DETECTOR_OFF, (int(row) + 1) & 0xFF))
            self.present = present
        self.mode, self.plan, self.held, self.reachable, self.fault = mode, plan, held, reachable, fault.copy()
        stamp = round(time, 1)
        return [Row(stamp, int(code), parameter) for code, parameter in events]

    def _aspects(self, aspects: npt.NDArray[np.int8]) -> list[tuple[Code, int]]:
        before, self.aspects = self.aspects, np.array(aspects)
        if before is None:
            return [(Code.BEGIN_GREEN, int(row) + 1) for row in np.flatnonzero(aspects == Aspect.GREEN)]
        events: list[tuple[Code, int]] = []
        for row in np.flatnonzero(aspects != before):
            phase, was, now = int(row) + 1, before[row], aspects[row]
            if was == Aspect.GREEN:
                events.append((Code.GREEN_END, phase))
            if now == Aspect.AMBER:
                events.append((Code.BEGIN_YELLOW, phase))
            if was == Aspect.AMBER:
                events.append((Code.END_YELLOW, phase))
                events += [(Code.BEGIN_RED_CLEARANCE, phase)] if now == Aspect.RED else []
            if now == Aspect.GREEN:
                events.append((Code.BEGIN_GREEN, phase))
        return events

    def _mode(self, mode: Mode) -> list[tuple[Code, int]]:
        before = self.mode
        events = [(Code.CONTROL_STATUS, _CONTROL_OF[mode])]
        if mode in _FLASH_OF or before in _FLASH_OF:
            events.append((Code.FLASH_STATUS, _FLASH_OF.get(mode, 2)))
        if Mode.PREEMPTION in (mode, before):
            events.append((Code.PREEMPT_ON if mode is Mode.PREEMPTION else Code.PREEMPT_OFF, 1))
        if Mode.MANUAL in (mode, before):
            events.append((Code.MANUAL, int(mode is Mode.MANUAL)))
        return events
