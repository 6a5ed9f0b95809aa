"""A SUMO traffic light as this package sees it: its intersection, and which link shows which group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.aspects import Aspect, Aspects
from ..core.intersection import Intersection


@dataclass(frozen=True, slots=True)
class Link:
    """One signal index of a light. `group` is the row of its signal group, None where the index has no connection or no signal.

    `via` is the internal lane inside the junction, `direction` SUMO's letter (s, l, r, t, L, R), `crossing` true for pedestrians.
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
    """One step of a SUMO program (SUMO says phase): `duration` [s] and one signal letter for each link."""

    duration: float
    state: str
    min_duration: float | None = None
    max_duration: float | None = None


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
    resting    (n_stages,) state strings: what each letter shows where its group is red, for links a program leaves out of the
               signals (o, O, s); "r" elsewhere
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

        A green link shows `G`, or `g` while a link it gives way to is not red or still `clearing` ((n_groups,) bool: the
        intergreen after its green has not passed).
        """
        rest = self.resting[stage] if 0 <= stage < len(self.resting) else "r" * self.n_letters
        out = list(rest)
        moving = [
            link.group is not None
            and (aspects[link.group] in (Aspect.GREEN, Aspect.AMBER) or bool(clearing[link.group]))
            for link in self.links
        ]
        for row, link in enumerate(self.links):
            if link.group is None:
                continue
            aspect = aspects[link.group]
            if aspect == Aspect.GREEN:
                gives_way = any(moving[other] for other in np.flatnonzero(self.yields[row]))
                letter = "g" if gives_way else "G"
                out[link.index] = "g" if out[link.index] == "g" else letter
            elif aspect == Aspect.AMBER:
                out[link.index] = "y"
            elif aspect == Aspect.RED_AMBER:
                out[link.index] = "u"
            elif aspect == Aspect.FLASHING_AMBER:
                out[link.index] = "o"
            elif aspect == Aspect.DARK:
                out[link.index] = "O"
        return "".join(out)
