"""The plain twin of the judgement of loops: the same rules on whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from signalwright.core.counts import Counts
from signalwright.core.health import (
    BRISK,
    BURST,
    FLOOD,
    HOUR_QUARTER,
    KEPT,
    MINUTE,
    MISSED,
    OF_ALL,
    ON_FOR,
    ON_IN_GREEN,
    OVER,
    PASSED,
    QUIET,
    SANE_FOR,
    SILENT,
    SURELY,
    UNPROVED,
    WINDOW,
    Fault,
    Health,
)  # fmt: skip
from signalwright.core.intersection import Intersection
from signalwright.core.kernels.health import JUST_NOW


class NaiveHealth:
    """As Health, with each symptom an array of its own."""

    def __init__(self, site: Intersection) -> None:
        n = len(site.detectors)
        made = Health(site)
        self._stops, self._exits, self._lane = made._stops, made._exits, made._lane
        self._partner, self._approach, self._witness, self._fits, self._arm, self._row, self._held = made._partner
        self._lost = np.zeros(n)
        self.fault: Any = np.zeros(n, dtype=np.int8)
        self.trust = np.ones(n)
        self._seconds = 0
        self._standing, self._standing_green, self._missed = np.zeros(n), np.zeros(n), np.zeros(n)
        self._passed, self._silent = np.zeros(n), np.zeros(n)
        self._counted, self._beside, self._dull = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.bool_)
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
        paired = self._witness >= 0
        beside = np.where(paired, seen[self._witness], 0)
        calm = ~paired | (self._quick[self._witness] < BRISK)
        self._missed = np.where(alive, 0.0, self._missed + self._mean)
        unbroken = (seen == 0) & ((occupancy <= 0.0) | busy)
        self._passed = np.where(unbroken & calm, self._passed + beside, 0.0)
        self._silent = np.where(alive, 0.0, self._silent + counts.interval)
        unseen = (self._passed >= PASSED) & (self._silent >= QUIET)
        self._mean += np.where(self._silent < SILENT, (seen - self._mean) * weight, 0.0)
        alike = np.where(self._partner >= 0, self._mean[self._partner] == 0.0, self._stops)
        never = (self._mean == 0.0) & (self._silent >= UNPROVED) & (self._arm < 0) & alike
        unseen |= never | ((self._mean == 0.0) & (self.fault == Fault.STUCK_OFF))
        alone = (self._missed >= MISSED) & (self._silent >= SILENT)
        found = np.where(alone | unseen, int(Fault.STUCK_OFF), 0)
        held = (self._passed >= self._fits + OVER) & (self._standing > 0.0)
        held |= (self._standing >= ON_FOR) | (self._standing_green >= ON_IN_GREEN)
        found = np.where(held, int(Fault.STUCK_ON), found)
        found = np.where(self._dull & (found == 0), int(Fault.DULL), found)
        flood = np.where(self.fault == Fault.CHATTER, BRISK, FLOOD)
        found = np.where((seen >= BURST) | (self._quick > flood), int(Fault.CHATTER), found)
        found = np.where(counts.fault, int(Fault.REPORTED), found)
        self._sane = np.where(found > 0, 0.0, self._sane + counts.interval)
        healed = (found == 0) & (
            self._sane >= np.where(np.isin(self.fault, (Fault.STUCK_OFF, Fault.DULL)), 1.0, SANE_FOR)
        )
        self.fault = np.where(found > 0, found, np.where(healed, 0, self.fault)).astype(np.int8)
        np.copyto(self.trust, self.fault == 0)
        self._conserve(seen)
        self._compare(seen)
        self._lose(seen)
        return self.trust

    def _lose(self, seen: Any) -> None:
        """As the kernel's `lose`, loop by loop."""
        believed = np.isin(self.fault, (Fault.NONE, Fault.DULL, Fault.STUCK_OFF)) & (self._quick < BRISK)
        for k in np.flatnonzero((self._row < 0) & (self._mean == 0.0)):
            of_it = (self._arm == self._arm[k]) & np.isin(self._row, (1, self._row[k]))
            others = of_it & (np.arange(len(seen)) != k)
            lost = self._lost[k] + (seen * np.where(self._row > 0, KEPT, -1.0))[of_it].sum()
            between = self._held[k] * (others & (self._row < 0) & (self._silent < JUST_NOW)).sum()
            self._lost[k] = max(lost, 0.0) if believed[others].all() else 0.0
            if (
                believed[others].all()
                and self.fault[k] == Fault.NONE
                and self._silent[k] >= QUIET
                and lost >= between + OVER
            ):
                self.fault[k] = Fault.STUCK_OFF

    def _compare(self, seen: Any) -> None:
        """As the kernel's `compare`, approach by approach."""
        middle = (self._witness >= 0) & (self._partner < 0)
        full = None
        for k in np.flatnonzero(middle):
            other = self._witness[k]
            sound = self.fault[other] == Fault.NONE and self.fault[k] in (Fault.NONE, Fault.DULL)
            if not sound or max(self._quick[k], self._quick[other]) >= BRISK:
                self._counted[middle & (self._witness == other)] = self._beside[middle & (self._witness == other)] = 0.0
                continue
            self._counted[k] += seen[k]
            self._beside[k] += seen[other]
            full = self._approach[k] if self._beside[k] >= WINDOW else full
        if full is None:
            return
        rows = np.flatnonzero(middle & (self._approach == full))
        theirs = {self._witness[k]: self._beside[k] for k in rows[::-1]}
        self._judge(rows, self._beside[rows], self._counted[rows].sum(), sum(theirs.values()))
        self._counted[rows] = self._beside[rows] = 0.0

    def _judge(self, rows: Any, others: Any, ours: float, theirs: float) -> None:
        few = (self._counted[rows] < KEPT * others) & (ours < OF_ALL * theirs)
        enough = (self._counted[rows] >= 0.5 * (1.0 + KEPT) * others) | (ours >= 0.5 * (1.0 + OF_ALL) * theirs)
        self._dull[rows] = few | (self._dull[rows] & ~enough)

    def _conserve(self, seen: Any) -> None:
        """As the kernel's `conserve`, approach by approach."""
        sound = np.isin(self.fault, (Fault.NONE, Fault.DULL))
        paired, calm = self._partner >= 0, self._quick < BRISK
        lied_to = paired & ~sound[self._partner]
        self._passed[(self._witness >= 0) & ~sound[self._witness]] = 0.0
        self._dull[lied_to] = False
        both = paired & sound & sound[self._partner] & calm & calm[self._partner]
        self._counted = np.where(both, self._counted + seen, np.where(paired, 0.0, self._counted))
        for k in np.flatnonzero(paired):
            other = self._counted[self._partner[k]]
            slow = self._quick[self._partner[k]] < 0.5 * BRISK
            if slow and other >= 0.5 * WINDOW and self._counted[k] + self._fits[k] < SURELY * other:
                left, came = self._crossed(paired, self._approach[k])
                ours, theirs = (left, came) if self._stops[k] else (came, left)
                between = self._fits[paired & self._stops & (self._approach == self._approach[k])].sum()
                self._dull[k] |= ours + between < OF_ALL * theirs
        full = self._approach[both & (self._counted >= WINDOW)]
        if not len(full):
            return
        rows = np.flatnonzero(paired & (self._approach == full[-1]))
        left, came = self._crossed(paired, full[-1])
        others = self._counted[self._partner[rows]]
        for stop, ours, theirs in ((True, left, came), (False, came, left)):
            side = self._stops[rows] == stop
            self._judge(rows[side], others[side], ours, theirs)
        self._counted[rows] = 0.0

    def _crossed(self, paired: Any, approach: int) -> tuple[float, float]:
        of_it = paired & (self._approach == approach)
        return float(self._counted[of_it & self._stops].sum()), float(self._counted[of_it & ~self._stops].sum())
