"""The only way to a lamp: wishes in, aspects out, in ticks of 100 ms. Also the shadow that vetoes a request before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .aspects import Aspect, Aspects
from .errors import SiteError
from .intersection import Intersection
from .kernels import sequence as machine
from .kernels.fleet import ASPECT, elapse_all, grant_all, settle
from .kernels.redtime import NEVER
from .ports import Refusal, Wish

TICKS = 10
"""Ticks in a second."""

_FAILED = int(Aspect.FLASHING_AMBER)
_REFUSALS = tuple(Refusal)
"""Plain numbers and a tuple: comparing a numpy scalar with an enumeration, and making one, take longer than a second of the machine."""

I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


def in_ticks(seconds: float) -> int:
    """Whole ticks, never less than `seconds`.

    >>> in_ticks(3.0), in_ticks(2.95), in_ticks(2.91)
    (30, 30, 30)
    """
    return int(np.ceil(seconds * TICKS - 1e-6))


@dataclass(frozen=True, slots=True)
class SiteTables:
    """A site in the arrays the machine works on, in ticks; `rotation` and its bounds as `core.kernels.redtime` describes."""

    stage_green: Bools
    exclusive: Bools
    intergreen: I32
    min_green: I32
    amber: I32
    red_amber: I32
    max_red: I32
    rotation: I32
    first_green: I32
    first_full: I32
    later: I32


def tables_of(site: Intersection) -> SiteTables:
    """Compile a site; raises SiteError when its longest red cannot be kept by any rotation of its stages."""
    green = site.stage_greens
    exclusive = site.exclusive
    red_amber = np.array([in_ticks(g.red_amber) for g in site.groups], dtype=np.int32)
    intergreen = np.maximum(np.ceil(site.intergreen * TICKS - 1e-6).astype(np.int32), red_amber[None, :] * exclusive)
    min_green = np.array([in_ticks(g.min_green) for g in site.groups], dtype=np.int32)
    amber = np.array([in_ticks(g.amber) for g in site.groups], dtype=np.int32)
    max_red = np.array([-1 if g.max_red is None else in_ticks(g.max_red) for g in site.groups], dtype=np.int32)
    first_green, first_full = _bounds(site, green, exclusive, intergreen, min_green, amber, red_amber)
    rotation = _rotation(site, green, max_red, first_green)
    later = _later(green, rotation, first_green, first_full)
    _check_longest_red(site, green, max_red, rotation, first_green, first_full, later)
    return SiteTables(
        np.ascontiguousarray(green), np.ascontiguousarray(exclusive), intergreen, min_green, amber, red_amber, max_red,
        rotation, first_green, first_full, later,
    )  # fmt: skip


class Sequencer:
    """The signal groups of one site, from all red on. Deterministic; time passes only in `elapse`."""

    def __init__(self, site: Intersection) -> None:
        n = len(site.groups)
        self.site = site
        self._tables = tables_of(site)
        t = self._tables
        self._aspect = np.zeros(n, dtype=np.int8)
        self._age = np.full(n, machine.MIN_RED, dtype=np.int32)
        self._ended = np.zeros(n, dtype=np.int32)
        self._red_call = np.zeros(n, dtype=np.int32)
        self._called = np.zeros(n, dtype=np.bool_)
        self._keeps = np.zeros(n, dtype=np.int32)
        self._control = np.array([-1, 1, 0], dtype=np.int32)
        self._moving: tuple[npt.NDArray[Any], ...] = (
            self._aspect, self._age, self._ended, self._red_call, self._called, self._keeps, self._control,
        )  # fmt: skip
        self._arrays = (
            t.stage_green, t.exclusive, t.intergreen, t.min_green, t.amber, t.red_amber, t.max_red,
            t.rotation, t.first_green, t.first_full, t.later, *self._moving,
        )  # fmt: skip
        self._all = np.ones(n, dtype=np.bool_)
        self._view = self._aspect.view()
        self._view.setflags(write=False)

    @property
    def aspects(self) -> Aspects:
        """(n_groups,) what is shown now; a read-only view that changes with time."""
        return Aspects(self._view)

    @property
    def stage(self) -> int:
        """Row of the stage served or being changed to, -1 before the first."""
        return self._control.item(0)

    @property
    def complete(self) -> bool:
        """The stage is green and past its minimum greens, so a wish can be heard."""
        return self._control.item(1) == 1

    @property
    def forced(self) -> bool:
        """The present stage was entered because of the longest red."""
        return self._control.item(2) == 1

    @property
    def ages(self) -> npt.NDArray[np.float64]:
        """(n_groups,) [s] since each aspect began."""
        return self._age / TICKS

    @property
    def red(self) -> npt.NDArray[np.float64]:
        """(n_groups,) [s] without green while a call stands."""
        return self._red_call / TICKS

    @property
    def since_green(self) -> npt.NDArray[np.float64]:
        """(n_groups,) [s] since each group's green ended."""
        return self._ended / TICKS

    def elapse(self, ticks: int = TICKS) -> None:
        """Let `ticks` of 100 ms pass."""
        if self._aspect.item(0) < _FAILED:
            machine.elapse(ticks, *self._arrays)
        else:
            self._age += ticks

    def grant(self, wish: Wish, calls: Bools | Sequence[bool] | None = None) -> Refusal:
        """Hear a wish and the calls of now (None: everyone calls); says why it was not taken up, or NONE."""
        if self._aspect.item(0) >= _FAILED:
            return Refusal.NOT_IN_CONTROL
        standing = self._all if calls is None else np.asarray(calls, dtype=np.bool_)
        answer: int = machine.grant(-1 if wish is None else wish, standing, *self._arrays)
        return _REFUSALS[answer]

    def would_grant(self, wish: Wish, calls: Bools | Sequence[bool] | None = None) -> Refusal:
        """What `grant` would answer, without doing it: the shadow's veto."""
        before = [array.copy() for array in self._moving]
        try:
            return self.grant(wish, calls)
        finally:
            for array, old in zip(self._moving, before, strict=True):
                array[:] = old

    def flash(self, aspect: Aspect = Aspect.FLASHING_AMBER) -> None:
        """Fall to flashing amber (or dark) at once: the cabinet's state of failure, start-up or night."""
        if aspect not in (Aspect.FLASHING_AMBER, Aspect.DARK):
            raise ValueError(f"{aspect.name} is no state of failure")
        self._aspect[:] = aspect
        self._age[:] = 0

    def restart(self) -> None:
        """All red, as if every green had ended just now: the only way back from flashing or dark."""
        self._aspect[:] = Aspect.RED
        for array in (self._ended, self._red_call, self._keeps):
            array[:] = 0
        self._age[:] = machine.MIN_RED
        self._called[:] = False
        self._control[:] = (-1, 1, 0)


class Sequencers:
    """Several sequencers together: less time than one by one, and the same aspects. For each of the n, as of the last `settle`:

    stage, complete  (n,) as in Sequencer
    full_since       (n,) [s] since when all groups of the stage are green, inf while they are not
    changed          (n,) bool: its aspects, its stage or who clears may be others than before; stays until it is taken back
    clearing         n times (n_groups,) bool: not green, and the longest intergreen after its green has not passed
    aspects_at       (n,) the addresses of their aspects
    """

    def __init__(self, sequencers: Sequence[Sequencer], driven: Sequence[bool] | None = None) -> None:
        """Time passes here only in those `driven`, None: in all."""
        n, sites = len(sequencers), [s.site for s in sequencers]
        self._kept = tuple(s._arrays for s in sequencers)
        places = [[a.ctypes.data for a in arrays] for arrays in self._kept]
        self._at = np.array(places, dtype=np.int64).reshape(-1, 18)
        self.aspects_at = self._at[:, ASPECT].copy()
        sizes = [(len(s.site.groups), len(s.site.stages), len(s._tables.rotation)) for s in sequencers]
        self._sizes = np.array(sizes, dtype=np.int64).reshape(-1, 3)
        self._first = np.concatenate(([0], np.cumsum(self._sizes[:, 0])))
        self._driven = np.ones(n, dtype=np.bool_) if driven is None else np.array(driven, dtype=np.bool_)
        longest = [np.where(site.conflict, site.intergreen, 0.0).max(axis=1) for site in sites]
        self._clearance = np.concatenate([np.zeros(0), *longest])
        self._shown = np.full(len(self._clearance), -1, dtype=np.int8)
        self._clearing = np.zeros(len(self._clearance), dtype=np.bool_)
        self.clearing = [self._clearing[a:b] for a, b in pairwise(self._first)]
        self._answers = np.zeros(n, dtype=np.int32)
        self.stage, self.full_since, self._clear_at = np.full(n, -1, dtype=np.int32), *np.full((2, n), np.inf)
        self.complete, self.changed = np.zeros((2, n), dtype=np.bool_)

    def elapse(self, ticks: int = TICKS) -> None:
        """Let `ticks` of 100 ms pass in each."""
        elapse_all(ticks, self._driven, self._at, self._sizes)

    def grant(self, wishes: Sequence[Wish], calls: Sequence[Bools]) -> list[Refusal]:
        """Each hears its wish and the calls of now; says why it was not taken up, or NONE."""
        asked = np.array([-1 if wish is None else wish for wish in wishes], dtype=np.int32)
        grant_all(asked, np.concatenate(calls), self._first, self._at, self._sizes, self._answers)
        return [_REFUSALS[answer] if answer >= 0 else Refusal.NOT_IN_CONTROL for answer in self._answers.tolist()]

    def settle(self, time: float, row: int | None = None) -> None:
        """Notice what is shown at `time` [s], by all of them or by that of one row."""
        begin, end = (0, len(self.stage)) if row is None else (row, row + 1)
        settle(
            time, begin, end, self._driven, self._first, self._at, self._sizes, self._clearance, self._shown, self._clearing,
            self.stage, self.complete, self.full_since, self._clear_at, self.changed,
        )  # fmt: skip


def _bounds(
    site: Intersection, green: Bools, exclusive: Bools, intergreen: I32, min_green: I32, amber: I32, red_amber: I32
) -> tuple[I32, I32]:
    """(n_stages+1, n_stages) twice: the longest an interstage can take until the last start of green, and until all minima are over."""
    waits = np.maximum((intergreen * exclusive).max(axis=0), red_amber)
    now, then = np.vstack((green, np.zeros_like(green[:1])))[:, None], green[None]
    starting = then & ~now
    first_green = np.where(starting, waits, 0).max(axis=2).astype(np.int32)
    full = np.where(amber == 0, first_green[:, :, None], waits) + min_green
    gone = np.where(now & ~then, amber + machine.MIN_RED, 0).max(axis=2)
    first_full = np.maximum(np.where(starting, full, 0).max(axis=2), np.maximum(first_green + machine.MIN_RED, gone))
    row = {stage.name: k for k, stage in enumerate(site.stages)}
    for before, after in site.barred:
        first_green[row[before], row[after]] = first_full[row[before], row[after]] = NEVER
    for table in (first_green, first_full):
        np.fill_diagonal(table, 0)
    return first_green, first_full.astype(np.int32)


def _rotation(site: Intersection, green: Bools, max_red: I32, first_green: I32) -> I32:
    """A cyclic order of few stages that serves every group with a longest red, none of its changes barred."""
    limited = max_red >= 0
    order = list(range(len(site.stages)))
    for candidate in sorted(order, key=lambda s: (int(green[s].sum()), -s)):
        rest = [s for s in order if s != candidate]
        covers = bool(rest) and bool((green[rest].any(axis=0) | ~limited).all())
        if covers and _is_round(rest, first_green):
            order = rest
    if not _is_round(order, first_green):
        raise SiteError(
            f"{site.name}: the barred changes leave no round of its stages; allow {_missing_change(site, order, first_green)}"
        )
    return np.array(order, dtype=np.int32)


def _is_round(order: list[int], first_green: I32) -> bool:
    return all(first_green[a, b] < NEVER for a, b in pairwise([*order, order[0]]))


def _missing_change(site: Intersection, order: list[int], first_green: I32) -> str:
    for a, b in pairwise([*order, order[0]]):
        if first_green[a, b] >= NEVER:
            return f"{site.stages[a].name} -> {site.stages[b].name}"
    return "one more"


def _later(green: Bools, rotation: I32, first_green: I32, first_full: I32) -> I32:
    """(n_rotation, n_groups) ticks from rotation stage k being complete until each group is green, going on round."""
    n = len(rotation)
    later = np.full((n, green.shape[1]), NEVER, dtype=np.int32)
    for k in range(n):
        gone = 0
        for step in range(1, n + 1):
            before, after = rotation[(k + step - 1) % n], rotation[(k + step) % n]
            for j in np.flatnonzero(green[after] & (later[k] == NEVER)):
                later[k, j] = gone + (0 if green[before, j] and step == 1 else int(first_green[before, after]))
            gone += int(first_full[before, after])
    return later


def _check_longest_red(
    site: Intersection, green: Bools, max_red: I32, rotation: I32, first_green: I32, first_full: I32, later: I32
) -> None:
    """The round itself, and the way from all red into it, must serve every group in time."""
    n = len(rotation)
    for j, group in enumerate(site.groups):
        if max_red[j] < 0:
            continue
        needs = [int(first_full[-1, rotation[0]]) + (0 if green[rotation[0], j] else int(later[0, j]))]
        for k in range(n):
            onward = (k + 1) % n
            if green[rotation[k], j] and not green[rotation[onward], j]:
                needs.append(int(first_full[rotation[k], rotation[onward]]) + int(later[onward, j]))
        if max(needs) > max_red[j]:
            raise SiteError(
                f"{site.name}: group {group.name} cannot be served within its longest red of {group.max_red} s; a round of the stages "
                f"takes up to {max(needs) / TICKS:g} s; raise the longest red, or shorten minimum greens and intergreens"
            )
