"""The conflict monitor of the emulated cabinet: it sees only lamps, believes nobody, and falls to flashing for good.

It shares no code with the sequencer it watches and reads the site's own numbers for itself. A fault is latched: the
cabinet flashes until somebody resets the monitor at the panel.

| fault | seen when |
|---|---|
| conflict | green or amber of two groups that exclude each other |
| dark | no lamp of a group lit for a second |
| doubled | green lit together with red or amber |
| amber | a group with amber goes from green to red without it, or shows it too short |
| intergreen | green starts too soon after the end of a conflicting green |
| minimum green | green ends before its minimum |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...core.intersection import Intersection

_DARK_TICKS = 10


class Lamps(NamedTuple):
    """The lamps of one signal group, as lit."""

    red: bool
    amber: bool
    green: bool


@dataclass(slots=True)
class _Group:
    """What the monitor remembers of one group, in ticks of 100 ms."""

    name: str
    minimum: int
    amber: int
    was: Lamps | None = None
    green_for: int = 0
    amber_for: int = 0
    dark_for: int = 0
    since_green: int | None = None


@dataclass(slots=True)
class ConflictMonitor:
    """Fed with the lamps of every tick; `fault` says what it saw first, None while all was well."""

    site: Intersection
    fault: str | None = None
    _groups: list[_Group] = field(default_factory=list)
    _excludes: list[list[int]] = field(default_factory=list)
    _gaps: list[dict[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        site = self.site
        count = len(site.groups)
        for j, group in enumerate(site.groups):
            self._groups.append(_Group(group.name, _ticks(group.min_green), _ticks(group.amber)))
            crossing = [i for i in range(count) if bool(site.conflict[i, j])]
            alone = [i for i in crossing if not bool(site.yields[i, j]) and not bool(site.yields[j, i])]
            self._excludes.append([i for i in alone if i < j])
            self._gaps.append({i: _ticks(float(site.intergreen[i, j])) for i in alone})

    def reset(self) -> None:
        """Clear the latched fault: somebody was there and looked."""
        self.fault = None
        self.forget()

    def forget(self) -> None:
        """The cabinet starts again from all red (after flashing): nothing of before counts."""
        for group in self._groups:
            group.was, group.since_green = None, None
            group.green_for = group.amber_for = group.dark_for = 0

    def watch(self, lamps: Sequence[Lamps]) -> bool:
        """The lamps of one tick of normal operation; False as soon as a fault is latched."""
        if self.fault is None:
            self.fault = self._conflict(lamps) or self._changes(lamps)
        return self.fault is None

    def _conflict(self, lamps: Sequence[Lamps]) -> str | None:
        for j, mine in enumerate(lamps):
            if not _moving(mine):
                continue
            for i in self._excludes[j]:
                if _moving(lamps[i]):
                    return f"conflict: {self._groups[i].name} and {self._groups[j].name} are open together"
        return None

    def _changes(self, lamps: Sequence[Lamps]) -> str | None:
        problem = None
        for j, now in enumerate(lamps):
            problem = problem or self._change(j, self._groups[j], now)
        for group, now in zip(self._groups, lamps, strict=True):
            group.was = now
            if now.green:
                group.green_for += 1
                group.since_green, group.amber_for = 0, 0
            else:
                group.green_for = 0
                group.amber_for = group.amber_for + 1 if now.amber and not now.red else 0
                if group.since_green is not None:
                    group.since_green += 1
        return problem

    def _change(self, j: int, group: _Group, now: Lamps) -> str | None:
        group.dark_for = 0 if any(now) else group.dark_for + 1
        if group.dark_for >= _DARK_TICKS:
            return f"dark: no lamp of {group.name} is lit"
        if now.green and (now.red or now.amber):
            return f"doubled: {group.name} shows green and another colour"
        was = group.was
        if was is None:
            return None
        if was.green and not now.green:
            if group.green_for < group.minimum:
                return f"minimum green: {group.name} was green for {group.green_for / 10:g} s only"
            if group.amber and now.red:
                return f"amber: {group.name} went from green to red"
        if group.amber and was.amber and not was.red and now.red and group.amber_for < group.amber:
            return f"amber: {group.name} showed it for {group.amber_for / 10:g} s only"
        if now.green and not was.green:
            for i, gap in self._gaps[j].items():
                since = self._groups[i].since_green
                if since is not None and since < gap:
                    name = self._groups[i].name
                    return f"intergreen: {group.name} turned green {since / 10:g} s after {name}"
        return None


def _moving(lamps: Lamps) -> bool:
    return lamps.green or (lamps.amber and not lamps.red)


def _ticks(seconds: float) -> int:
    return int(seconds * 10 + 1e-6)
