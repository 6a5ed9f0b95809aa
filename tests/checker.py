"""An independent judge of signals: it sees only what the lamps show, tick by tick, and the site's own numbers.

It shares no code with the package: it reads the public fields of an Intersection and compares what it saw with them. Each rule is a
method of its own, so that a broken rule is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TICK = 0.1
RED, RED_AMBER, GREEN, AMBER = 0, 1, 2, 3


@dataclass
class Judge:
    """Feed it every tick's aspects (and the calls standing); it collects breaches in `breaches`."""

    site: Any
    breaches: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        groups = self.site.groups
        n = len(groups)
        self.now = 0
        self.shown: list[int] | None = None
        self.since = [0] * n
        self.green_end: list[int | None] = [None] * n
        self.waiting = [0] * n
        self.called = [False] * n
        self.forbidden = [
            [
                bool(self.site.conflict[i][j]) and not self.site.yields[i][j] and not self.site.yields[j][i]
                for j in range(n)
            ]
            for i in range(n)
        ]

    def see(self, aspects: list[int], calls: list[bool] | None = None) -> None:
        """One tick of 100 ms in which `aspects` are shown; `calls` standing at its beginning."""
        for j in range(len(aspects)):
            self._longest_red(j, aspects[j], calls is None or calls[j])
        if aspects == self.shown:
            self.now += 1
            return
        for j in range(len(aspects)):
            self._successor(j, aspects[j])
            for i in range(j):
                self._conflict(i, j, aspects)
        if self.shown is not None:
            for j, aspect in enumerate(aspects):
                if aspect != self.shown[j]:
                    self._left(j, aspect)
                    self.since[j] = self.now
        self.shown = list(aspects)
        self.now += 1

    def _accuse(self, what: str) -> None:
        self.breaches.append(f"at {self.now * TICK:.1f} s: {what}")

    def _name(self, j: int) -> str:
        return str(self.site.groups[j].name)

    def _conflict(self, i: int, j: int, aspects: list[int]) -> None:
        """Conflicting groups are never green together (amber against a start of green is the intergreen's matter)."""
        if self.forbidden[i][j] and aspects[i] == GREEN and aspects[j] == GREEN:
            self._accuse(f"conflict: {self._name(i)} and {self._name(j)} green together")

    def _successor(self, j: int, aspect: int) -> None:
        """red -> red-amber or green, red-amber -> green, green -> amber (or red without amber), amber -> red."""
        if self.shown is None or aspect == self.shown[j]:
            return
        group = self.site.groups[j]
        lawful = {
            RED: RED_AMBER if group.red_amber > 0 else GREEN,
            RED_AMBER: GREEN,
            GREEN: AMBER if group.amber > 0 else RED,
            AMBER: RED,
        }
        if lawful[self.shown[j]] != aspect:
            self._accuse(f"succession: {self._name(j)} went {self.shown[j]} -> {aspect}")

    def _left(self, j: int, aspect: int) -> None:
        """What ended had lasted long enough; what begins may begin."""
        assert self.shown is not None
        group, before = self.site.groups[j], self.shown[j]
        lasted = (self.now - self.since[j]) * TICK
        if before == GREEN:
            if lasted < group.min_green - 1e-6:
                self._accuse(f"minimum green: {self._name(j)} green for {lasted:.1f} s")
            self.green_end[j] = self.now
        if before == AMBER and not group.amber - 1e-6 <= lasted < group.amber + TICK - 1e-6:
            self._accuse(f"amber: {self._name(j)} amber for {lasted:.1f} s")
        if before == RED_AMBER and not group.red_amber - 1e-6 <= lasted < group.red_amber + TICK - 1e-6:
            self._accuse(f"red-amber: {self._name(j)} red-amber for {lasted:.1f} s")
        if aspect == GREEN:
            for i, end in enumerate(self.green_end):
                needs = float(self.site.intergreen[i][j])
                if self.forbidden[i][j] and (end if end is not None else 0) * TICK + needs > self.now * TICK + 1e-6:
                    self._accuse(f"intergreen: {self._name(i)} -> {self._name(j)} needs {needs} s")

    def _longest_red(self, j: int, aspect: int, call: bool) -> None:
        """With a call standing (latched until green) a group is not without green for longer than its longest red."""
        limit = self.site.groups[j].max_red
        if aspect == GREEN:
            self.called[j], self.waiting[j] = False, 0
            return
        self.called[j] = self.called[j] or call
        if self.called[j]:
            self.waiting[j] += 1
            if (
                limit is not None
                and self.waiting[j] * TICK > limit + 1e-6
                and self.waiting[j] * TICK < limit + 1.5 * TICK
            ):
                self._accuse(f"longest red: {self._name(j)} red for {self.waiting[j] * TICK:.1f} s")
