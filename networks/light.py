"""A SUMO traffic light as this package sees it: its intersection, and which link shows which group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..core.aspects import Aspect, Aspects
from ..core.intersection import Intersection
from ..core.kernels.spell import spell

_CODES = np.frombuffer(b"ruGyoOg", dtype=np.uint8).copy()
"""SUMO's letter for each aspect, in the order of Aspect, and that of a green that gives way."""


@dataclass(frozen=True, slots=True)
class Link:
    """One signal index of a light. `group` is the row of its signal group, None where the index has no connection or no
    signal.

    `via` is the internal lane inside the junction, `direction` SUMO's letter (s, l, r, t, L, R), `crossing` true for
    pedestrians.
    """

    index: int
    lane: str
    to_lane: str
    via: str
    direction: str
    group: int | None
    crossing: bool = False


@dataclass(frozen=True, slots=True)
class ProgramStep:
    """One step of a SUMO program (SUMO says phase): `duration` [s] and one signal letter for each link.

    `following` are the steps that may come next, where it is not simply the next one.
    """

    duration: float
    state: str
    min_duration: float | None = None
    max_duration: float | None = None
    following: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A SUMO program: `kind` is static, actuated, delay_based, NEMA; `source` the file it came from."""

    name: str
    kind: str
    offset: float
    steps: tuple[ProgramStep, ...]
    source: str = ""

    @property
    def cycle(self) -> float:
        """Sum of the durations [s]."""
        return sum(step.duration for step in self.steps)


@dataclass(frozen=True)
class Light:
    """A SUMO light and its intersection.

    links      in the order of the signal letters; several links may share an index (then `index` repeats)
    n_letters  length of the state string
    yields     (n_links, n_links) bool: row gives way to column by the net's own right of way
    conflict   (n_links, n_links) bool, symmetric: their paths cross or merge
    resting    (n_stages,) state strings: what each letter shows where its group is red, for links a program leaves out
               of the signals (o, O, s); "r" elsewhere
    programs   all programs of the light by name; `active` is the one SUMO would run
    notes      what was changed to make the site lawful, in plain words
    """

    name: str
    intersection: Intersection
    links: tuple[Link, ...]
    n_letters: int
    yields: npt.NDArray[np.bool_]
    conflict: npt.NDArray[np.bool_]
    resting: tuple[str, ...]
    programs: dict[str, Program]
    active: str
    notes: tuple[str, ...] = ()

    def letters(self, aspects: Aspects, stage: int, clearing: npt.NDArray[np.bool_]) -> str:
        """The state string for SUMO.

        A green link shows `G`, or `g` while a link it gives way to is not red or still `clearing` ((n_groups,) bool:
        the intergreen after its green has not passed).
        """
        return self._spell(aspects, stage, clearing)

    def stage_letters(self, stage: int) -> str:
        """The state string of a stage that is fully green, for plans written to SUMO and for tables."""
        green = self.intersection.stage_greens[stage]
        return self._spell(np.where(green, Aspect.GREEN, Aspect.RED).astype(np.int8), stage, np.zeros_like(green))

    def _spell(self, aspects: npt.NDArray[np.int8], stage: int, clearing: npt.NDArray[np.bool_]) -> str:
        resting = self._resting_codes[stage if 0 <= stage < len(self.resting) else -1]
        out = np.empty(self.n_letters, dtype=np.uint8)
        spell(aspects, clearing, *self._signals, _CODES, resting, out)
        return out.tobytes().decode("ascii")

    @cached_property
    def _signals(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Signalled indices (n,), the group of each (n,), and the groups with a link that one of its links gives way
        to (n, n_groups).
        """
        group_of = {link.index: link.group for link in self.links if link.group is not None}
        gives_way_to = np.zeros((len(group_of), len(self.intersection.groups)), dtype=np.bool_)
        place = {index: row for row, index in enumerate(group_of)}
        for row, column in np.argwhere(self.yields):
            own, other = self.links[row], self.links[column]
            if own.group is not None and other.group is not None:
                gives_way_to[place[own.index], other.group] = True
        return np.array(list(group_of), dtype=np.intp), np.array(list(group_of.values()), dtype=np.intp), gives_way_to

    @cached_property
    def _resting_codes(self) -> npt.NDArray[np.uint8]:
        """(n_stages + 1, n_letters) letters of `resting` as bytes; the last row is all red."""
        rows = [*self.resting, "r" * self.n_letters]
        return np.array([list(row.encode("ascii")) for row in rows], dtype=np.uint8)
