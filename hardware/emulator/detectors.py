"""Detector inputs of the emulated cabinet: presence in, counts and occupancy by period out, faults on command; and who calls."""

from __future__ import annotations

from enum import Enum

import numpy as np
import numpy.typing as npt

from ...core.coverage import UPSTREAM
from ...core.intersection import Intersection, LoopKind


class InputFault(Enum):
    """How a detector input can be broken."""

    STUCK_ON = "stuck on"
    STUCK_OFF = "stuck off"
    CHATTER = "chatter"


class DetectorInputs:
    """Inputs 1.. of a cabinet, sampled every 100 ms; the sample of the last whole period can be read.

    `period` in ticks. `active` (n,): somebody was there in the last tick, or the input is broken, and who cannot be seen
    calls. `volume` (n,) rising edges and `occupied` (n,) ticks are those of sample number `sequence`. A test bench that
    knows the traffic (a simulator) may hand in vehicles and occupied time instead of presence.
    """

    def __init__(self, count: int, period: int = 10) -> None:
        self.period = period
        self.sequence = 0
        self.present = np.zeros(count, dtype=np.bool_)
        self.active = self.present
        self.volume = np.zeros(count, dtype=np.int32)
        self.occupied = np.zeros(count, dtype=np.float64)
        self.faults: dict[int, InputFault] = {}
        self._raw = np.zeros(count, dtype=np.bool_)
        self._edges = np.zeros(count, dtype=np.int32)
        self._ticks = np.zeros(count, dtype=np.float64)
        self._passed: npt.NDArray[np.bool_] | None = None
        self._elapsed = 0

    def set(self, detector: int, present: bool) -> None:
        """A vehicle is on the loop, or is not."""
        self._raw[detector] = present

    def pass_by(self, vehicles: npt.NDArray[np.int32], ticks: npt.NDArray[np.float64]) -> None:
        """So many vehicles came onto each loop and kept it occupied for so many ticks, besides what `set` says."""
        sound = np.array([row not in self.faults for row in range(len(self._raw))])
        self._edges += np.where(sound, vehicles, 0)
        self._ticks += np.where(sound, ticks, 0.0)
        self._passed = (vehicles > 0) | (ticks > 0)

    def tick(self) -> None:
        """100 ms pass."""
        present = self._raw.copy()
        for row, fault in self.faults.items():
            match fault:
                case InputFault.STUCK_ON:
                    present[row] = True
                case InputFault.STUCK_OFF:
                    present[row] = False
                case InputFault.CHATTER:
                    present[row] = not self.present[row]
        self._edges += present & ~self.present
        self._ticks += present
        self.present = self.active = present
        if self._passed is not None or self.faults:
            self.active = present.copy() if self._passed is None else present | self._passed
            self.active[list(self.faults)] = True
            self._passed = None
        self._elapsed += 1
        if self._elapsed >= self.period:
            self.volume, self.occupied = self._edges, np.minimum(self._ticks, self._elapsed)
            self._edges, self._ticks = np.zeros_like(self._edges), np.zeros_like(self._ticks)
            self._elapsed = 0
            self.sequence = (self.sequence + 1) & 0xFF

    @property
    def occupancy(self) -> npt.NDArray[np.float64]:
        """(n,) share of the last whole period."""
        return self.occupied / self.period


class Calls:
    """Which groups somebody waits for: those whose loop at the stop line, or where they have none whose loop further up, is
    occupied; groups without loops, as pedestrians without buttons, always call."""

    def __init__(self, site: Intersection) -> None:
        groups: dict[str, set[int]] = {}
        for row, group in enumerate(site.groups):
            for lane in (name for movement in group.movements for name in movement.lanes):
                groups.setdefault(lane, set()).add(row)
        self._by_loop = np.zeros((len(site.groups), len(site.detectors)), dtype=np.bool_)
        for kinds in ((LoopKind.STOP,), UPSTREAM):
            seen = np.asarray(self._by_loop.any(axis=1))
            for column, loop in enumerate(site.detectors):
                for row in {row for lane in loop.lanes if loop.kind in kinds for row in groups.get(lane, ())}:
                    self._by_loop[row, column] = not seen[row]
        self._always: npt.NDArray[np.bool_] = ~np.asarray(self._by_loop.any(axis=1))

    def standing(self, inputs: DetectorInputs) -> npt.NDArray[np.bool_]:
        """(n_groups,) who calls now."""
        if not inputs.active.any():
            return self._always
        return self._always | np.asarray(self._by_loop[:, inputs.active].any(axis=1))
