"""The site: movements, signal groups, stages, conflicts and intergreens of one intersection, checked on construction."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .errors import SiteError

BoolMatrix = npt.NDArray[np.bool_]
FloatMatrix = npt.NDArray[np.float64]


class GroupKind(enum.Enum):
    """Who a signal group speaks to."""

    VEHICLE = "vehicle"
    PEDESTRIAN = "pedestrian"
    BUS = "bus"
    BICYCLE = "bicycle"


class LoopKind(enum.Enum):
    """Where a loop lies, seen from the stop line."""

    STOP = "stop"  # at the stop line
    ADVANCE = "advance"  # about 40 m upstream
    MIDDLE = "middle"  # about 80 m upstream, where a lane's traffic is its own already
    ENTRANCE = "entrance"  # where the lane chain begins
    EXIT = "exit"  # behind the intersection


@dataclass(frozen=True, slots=True)
class Lane:
    """An approach lane at the stop line.

    `length` [m] is the lane's own, `chain` [m] how far upstream its traffic can be followed without meeting a signal,
    `speed` [m/s] the limit, `saturation_flow` [veh/h] what it discharges on a protected green, `inside` [veh] how many of its
    vehicles find room on the junction to wait there for others they give way to; inf where that is not known.
    """

    name: str
    length: float
    chain: float
    speed: float
    saturation_flow: float = 1800.0
    inside: float = math.inf


@dataclass(frozen=True, slots=True)
class Exit:
    """A lane group (SUMO: an edge) that takes the traffic away: its `length` [m], `lanes`, `speed` [m/s] and the light it runs to."""

    name: str
    length: float
    lanes: int
    speed: float
    towards: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """Traffic from one arm to another: `lanes` it may use at the stop line, all of them of this intersection."""

    name: str
    origin: str
    destination: str
    lanes: tuple[str, ...]
    turn: str = "straight"  # straight, left, right, uturn, crossing

    def faces(self, other: Movement) -> bool:
        """Whether it gives way to `other` where its signal group does to the other's."""
        return (
            other.origin != self.origin
            and not (self.turn in ("left", "uturn") and other.turn in ("left", "uturn"))
            and self.turn != "straight"
            and (self.turn != "right" or other.destination == self.destination or other.turn == "crossing")
        )


@dataclass(frozen=True, slots=True)
class Detector:
    """A loop: on SUMO `lane` at `position` [m] from that lane's start, `distance` [m] upstream of the stop line (negative: behind it).

    `lanes` are the approach lanes a vehicle seen here may come to; an exit loop names its exit instead, and may name its `feeders`, the
    approach lanes whose traffic comes onto its lane.
    """

    name: str
    kind: LoopKind
    lane: str
    position: float
    distance: float
    lanes: tuple[str, ...] = ()
    exit: str | None = None
    length: float = 2.0
    feeders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignalGroup:
    """Movements that always see the same aspect. Times in [s]; `max_red` is the longest red with a call standing, None for no limit."""

    name: str
    movements: tuple[Movement, ...]
    kind: GroupKind = GroupKind.VEHICLE
    min_green: float = 5.0
    amber: float = 3.0
    red_amber: float = 0.0
    max_red: float | None = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Signal groups green together."""

    name: str
    green: frozenset[str]


@dataclass(frozen=True)
class Intersection:
    """One lawful site; construction raises SiteError, naming intersection and groups, when it is not.

    conflict    (n_groups, n_groups) bool, symmetric: their movements cross or merge
    yields      (n_groups, n_groups) bool: row gives way to column, so both may be green at once (permissive)
    intergreen  (n_groups, n_groups) [s]: end of green of row to start of green of column
    barred      pairs of stage names that must not follow each other directly
    """

    name: str
    groups: tuple[SignalGroup, ...]
    stages: tuple[Stage, ...]
    conflict: BoolMatrix
    yields: BoolMatrix
    intergreen: FloatMatrix
    lanes: tuple[Lane, ...] = ()
    exits: tuple[Exit, ...] = ()
    detectors: tuple[Detector, ...] = ()
    barred: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        n = len(self.groups)
        for attribute, dtype in (("conflict", np.bool_), ("yields", np.bool_), ("intergreen", np.float64)):
            matrix = np.array(getattr(self, attribute), dtype=dtype)
            if matrix.shape != (n, n):
                raise SiteError(
                    f"{self.name}: the {attribute} matrix is {matrix.shape}, {n} signal groups need ({n}, {n})"
                )
            matrix.setflags(write=False)
            object.__setattr__(self, attribute, matrix)
        self._check_names()
        self._check_groups()
        self._check_conflicts()
        self._check_stages()

    @cached_property
    def exclusive(self) -> BoolMatrix:
        """(n_groups, n_groups) bool: conflicts where neither gives way, never green together."""
        matrix = self.conflict & ~self.yields & ~self.yields.T
        matrix.setflags(write=False)
        return matrix

    @cached_property
    def group_of(self) -> npt.NDArray[np.int64]:
        """(n_movements,) the row of each movement's signal group."""
        rows = np.repeat(np.arange(len(self.groups)), [len(g.movements) for g in self.groups])
        rows.setflags(write=False)
        return rows

    @cached_property
    def hindered(self) -> BoolMatrix:
        """(n_movements, n_movements) bool: row gives way to column where both are green. Where two signal groups give way to each other
        somewhere, who turns right goes before who turns left into the same street."""
        yields = self.yields[np.ix_(self.group_of, self.group_of)]
        faces = np.array([[a.faces(b) for b in self.movements] for a in self.movements], dtype=np.bool_).reshape(
            yields.shape
        )
        right = np.array([move.turn == "right" for move in self.movements], dtype=np.bool_)
        waits = yields & faces
        matrix = waits & ~(waits.T & right[:, None])
        matrix.setflags(write=False)
        return matrix

    @cached_property
    def stage_greens(self) -> BoolMatrix:
        """(n_stages, n_groups) bool: which groups each stage has green."""
        matrix = np.array([[g.name in stage.green for g in self.groups] for stage in self.stages], dtype=np.bool_)
        matrix.setflags(write=False)
        return matrix

    @cached_property
    def group_index(self) -> Mapping[str, int]:
        """Group name -> row."""
        return {g.name: i for i, g in enumerate(self.groups)}

    @cached_property
    def stage_index(self) -> Mapping[str, int]:
        """Stage name -> row."""
        return {s.name: i for i, s in enumerate(self.stages)}

    @cached_property
    def movements(self) -> tuple[Movement, ...]:
        """All movements, group by group."""
        return tuple(m for g in self.groups for m in g.movements)

    def interstage(self, before: int, after: int) -> int:
        """Whole seconds from the end of green of stage `before` to the last start of green of stage `after`."""
        ending = self.stage_greens[before] & ~self.stage_greens[after]
        starting = self.stage_greens[after] & ~self.stage_greens[before]
        between = self.intergreen[np.ix_(ending, starting)] * self.exclusive[np.ix_(ending, starting)]
        red_amber = [g.red_amber for g, starts in zip(self.groups, starting, strict=True) if starts]
        return int(np.ceil(max([0.0, *red_amber, *between.ravel()]) - 1e-9))

    def ends_after(self, before: int, after: int) -> npt.NDArray[np.float64]:
        """(n_groups,) [s] for which each group that goes keeps its green in this change: as long as no group that comes waits for it."""
        green = self.stage_greens
        going, coming = green[before] & ~green[after], green[after] & ~green[before]
        latest = np.where(coming, self._earliest(going), 0.0)
        latest[coming & np.array([g.amber == 0 for g in self.groups])] = latest.max(initial=0.0)
        needs = self._apart()
        spare = np.where(self.exclusive & coming[None, :], latest[None, :] - needs, np.inf).min(axis=1, initial=np.inf)
        return np.where(going & np.isfinite(spare), spare, 0.0)

    def starts_after(self, before: int, after: int) -> npt.NDArray[np.float64]:
        """(n_groups,) [s] after which each group that comes is green in this change."""
        green = self.stage_greens
        going, coming = green[before] & ~green[after], green[after] & ~green[before]
        needs = np.where(self.exclusive, self._apart() + self.ends_after(before, after)[:, None], 0.0)
        return np.where(coming, np.maximum(self._earliest(going), needs[going].max(axis=0, initial=0.0)), 0.0)

    def _earliest(self, going: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """(n_groups,) [s] to the earliest green of each group if all that go end at once."""
        red_amber = np.array([g.red_amber for g in self.groups])
        earliest: npt.NDArray[np.float64] = np.maximum(self._apart()[going].max(axis=0, initial=0.0), red_amber)
        return earliest

    def _apart(self) -> npt.NDArray[np.float64]:
        """(n_groups, n_groups) [s] from the end of green to the start of green: red-amber, too, begins only when the other has gone."""
        red_amber = np.array([g.red_amber for g in self.groups])
        return np.where(self.exclusive, np.maximum(self.intergreen, red_amber[None, :]), 0.0)

    def _refuse(self, what: str) -> SiteError:
        return SiteError(f"{self.name}: {what}")

    def _check_names(self) -> None:
        for kind, names in (
            ("signal group", [g.name for g in self.groups]),
            ("stage", [s.name for s in self.stages]),
            ("lane", [lane.name for lane in self.lanes]),
            ("detector", [d.name for d in self.detectors]),
        ):
            twice = _first_repeated(names)
            if twice is not None:
                raise self._refuse(f"{kind} {twice} is there twice; give each its own name")
        if not self.groups or not self.stages:
            raise self._refuse("a site needs at least one signal group and one stage")

    def _check_groups(self) -> None:
        for group in self.groups:
            if not 0 < group.min_green < 300:
                raise self._refuse(
                    f"group {group.name}: minimum green {group.min_green} s must lie between 0 and 300 s"
                )
            if group.amber < 0 or group.red_amber < 0:
                raise self._refuse(f"group {group.name}: amber and red-amber cannot be negative")
            if group.kind is not GroupKind.PEDESTRIAN and group.amber < 3.0:
                raise self._refuse(f"group {group.name}: {group.amber} s of amber is under 3 s; set at least 3 s")

    def _check_conflicts(self) -> None:
        if not np.array_equal(self.conflict, self.conflict.T):
            raise self._refuse("the conflict matrix is not symmetric")
        if self.conflict.diagonal().any():
            raise self._refuse("a signal group conflicts with itself; split it")
        if not np.isfinite(self.intergreen).all() or (self.intergreen < 0).any():
            raise self._refuse("intergreens must be finite and not negative")
        amber = np.array([g.amber for g in self.groups])
        for i, j in np.argwhere(self.exclusive & (self.intergreen < amber[:, None] - 1e-9)):
            raise self._refuse(
                f"intergreen {self.groups[i].name} -> {self.groups[j].name} of {self.intergreen[i, j]} s is shorter than "
                f"the amber of {amber[i]} s it must hold; set at least {amber[i]} s"
            )

    def _check_stages(self) -> None:
        known = set(self.group_index)
        for stage in self.stages:
            if stage.green - known:
                raise self._refuse(
                    f"stage {stage.name} names groups the site lacks: {', '.join(sorted(stage.green - known))}"
                )
            rows = [self.group_index[name] for name in sorted(stage.green)]
            for i, j in np.argwhere(np.triu(self.exclusive[np.ix_(rows, rows)])):
                a, b = self.groups[rows[i]].name, self.groups[rows[j]].name
                raise self._refuse(
                    f"stage {stage.name} has the conflicting groups {a} and {b} green together; take one out"
                )
        for group in self.groups:
            if group.max_red is not None and not any(group.name in stage.green for stage in self.stages):
                raise self._refuse(f"group {group.name} is green in no stage; add it to one, or lift its longest red")
        for before, after in self.barred:
            if before not in self.stage_index or after not in self.stage_index:
                raise self._refuse(f"the barred change {before} -> {after} names a stage the site lacks")


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
