"""The plain twin of the judgement of loops: the same rules on whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from signalwright.core.counts import Counts
from signalwright.core.health import (
    BURST,
    FLOOD,
    HOUR_QUARTER,
    MINUTE,
    MISSED,
    ON_FOR,
    ON_IN_GREEN,
    PASSED,
    SANE_FOR,
    SILENT,
    Fault,
    Health,
)  # fmt: skip
from signalwright.core.intersection import Intersection


class NaiveHealth:
    """As Health, with each symptom an array of its own."""

    def __init__(self, site: Intersection) -> None:
        n = len(site.detectors)
        made = Health(site)
        self._stops, self._exits, self._lane, self._partner = made._stops, made._exits, made._lane, made._partner
        self.fault: Any = np.zeros(n, dtype=np.int8)
        self.trust = np.ones(n)
        self._seconds = 0
        self._standing, self._standing_green, self._missed = np.zeros(n), np.zeros(n), np.zeros(n)
        self._passed, self._silent = np.zeros(n), np.zeros(n)
        self._quick, self._mean, self._sane = np.zeros(n), np.zeros(n), np.zeros(n)

    def update(self, counts: Counts, green: Any) -> Any:
        seen, occupancy = counts.vehicles, counts.occupancy
        self._seconds += 1
        busy = occupancy >= 0.999
        self._standing = np.where(busy, self._standing + counts.interval, 0.0)
        at_green = np.zeros(len(seen), dtype=np.bool_)
        if len(green):
            at_green = self._stops & (self._lane >= 0) & green[self._lane]
        moving = bool((seen[self._exits] > 0).any())
        self._standing_green = np.where(busy, self._standing_green + (at_green & moving) * counts.interval, 0.0)
        self._quick += (seen - self._quick) * MINUTE
        weight = max(HOUR_QUARTER, 1.0 / (self._seconds + 60.0))
        alive = (seen > 0) | (occupancy > 0.0)
        paired = self._partner >= 0
        beside = np.where(paired, seen[self._partner], 0)
        self._missed = np.where(alive, 0.0, self._missed + self._mean)
        self._passed = np.where(alive, 0.0, self._passed + beside)
        self._silent = np.where(alive, 0.0, self._silent + counts.interval)
        self._mean += np.where(self._silent < SILENT, (seen - self._mean) * weight, 0.0)
        alone = (self._missed >= MISSED) & (self._silent >= SILENT)
        found = np.where(alone | (self._passed >= PASSED), int(Fault.STUCK_OFF), 0)
        found = np.where((self._standing >= ON_FOR) | (self._standing_green >= ON_IN_GREEN), int(Fault.STUCK_ON), found)
        found = np.where((seen >= BURST) | (self._quick > FLOOD), int(Fault.CHATTER), found)
        found = np.where(counts.fault, int(Fault.REPORTED), found)
        self._sane = np.where(found > 0, 0.0, self._sane + counts.interval)
        healed = (found == 0) & (self._sane >= np.where(self.fault == Fault.STUCK_OFF, 1.0, SANE_FOR))
        self.fault = np.where(found > 0, found, np.where(healed, 0, self.fault)).astype(np.int8)
        np.copyto(self.trust, self.fault == 0)
        return self.trust
