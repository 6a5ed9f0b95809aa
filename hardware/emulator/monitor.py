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
    """What the monitor remembers of one group: its times in ticks of 100 ms, and the ticks at which it changed."""

    name: str
    minimum: int
    amber: int
    was: Lamps | None = None
    green_at: int = 0
    amber_at: int = 0
    dark_at: int = 0
    ended_at: int | None = None


@dataclass(slots=True)
class ConflictMonitor:
    """Fed with the lamps of every tick; `fault` says what it saw first, None while all was well."""

    site: Intersection
    fault: str | None = None
    now: int = 0
    _last: Sequence[Lamps] = ()
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
        self._last = ()
        for group in self._groups:
            group.was = group.ended_at = None

    def watch(self, lamps: Sequence[Lamps]) -> bool:
        """The lamps of one tick of normal operation; False as soon as a fault is latched."""
        self.now += 1
        if self.fault is None and (lamps != self._last or any(not any(lit) for lit in lamps)):
            self.fault = self._conflict(lamps) or self._changes(lamps)
            self._last = lamps
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
            self._remember(group, now)
        return problem

    def _remember(self, group: _Group, now: Lamps) -> None:
        was, group.was = group.was, now
        if now.green and (was is None or not was.green):
            group.green_at = self.now
        if was is not None and was.green and not now.green:
            group.ended_at = self.now
        if _clearing(now) and (was is None or not _clearing(was)):
            group.amber_at = self.now
        if not any(now) and (was is None or any(was)):
            group.dark_at = self.now

    def _change(self, j: int, group: _Group, now: Lamps) -> str | None:
        was = group.was
        if was is not None and not any(now) and not any(was) and self.now - group.dark_at + 1 >= _DARK_TICKS:
            return f"dark: no lamp of {group.name} is lit"
        if now.green and (now.red or now.amber):
            return f"doubled: {group.name} shows green and another colour"
        if was is None:
            return None
        if was.green and not now.green:
            shown = self.now - group.green_at
            if shown < group.minimum:
                return f"minimum green: {group.name} was green for {shown / 10:g} s only"
            if group.amber and now.red:
                return f"amber: {group.name} went from green to red"
        if group.amber and _clearing(was) and now.red and self.now - group.amber_at < group.amber:
            return f"amber: {group.name} showed it for {(self.now - group.amber_at) / 10:g} s only"
        if now.green and not was.green:
            for i, gap in self._gaps[j].items():
                other = self._groups[i]
                since = 0 if _is_green(other) else None if other.ended_at is None else self.now - other.ended_at
                if since is not None and since < gap:
                    return f"intergreen: {group.name} turned green {since / 10:g} s after {other.name}"
        return None


def _is_green(group: _Group) -> bool:
    return group.was is not None and group.was.green


def _clearing(lamps: Lamps) -> bool:
    return lamps.amber and not lamps.red and not lamps.green


def _moving(lamps: Lamps) -> bool:
    return lamps.green or (lamps.amber and not lamps.red)


def _ticks(seconds: float) -> int:
    return int(seconds * 10 + 1e-6)
