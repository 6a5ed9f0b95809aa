"""A light before anything is decided about it: its wires, its programs, who conflicts with whom, and its signal groups
by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import InputError
from .approach import group_names
from .grouping import group_indices
from .light import Program
from .programs import read_programs
from .rightofway import permissive, right_of_way
from .roadnet import Wire, load_net, wires_by_light
from .scenario import Scenario

Bools = npt.NDArray[np.bool_]

RAILWAY = frozenset({"rail_signal", "rail_crossing"})
"""Kinds of program that are no light for road traffic."""


@dataclass(frozen=True)
class Survey:
    """What net and programs say of one light.

    `programs`, the one SUMO would run first, `wires` in order of signal index; `conflict`, `yields`, `exclusive` are
    (n_wires, n_wires) bool; `groups` signal indices, `names` what to call them; `n_letters` the signal indices there
    are.
    """

    name: str
    net: Any
    wires: tuple[Wire, ...]
    programs: tuple[Program, ...]
    conflict: Bools
    yields: Bools
    exclusive: Bools
    groups: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]

    @property
    def n_letters(self) -> int:
        """Signal indices, those without a connection included."""
        return 1 + max(wire.index for wire in self.wires)

    @cached_property
    def rows(self) -> tuple[tuple[int, ...], ...]:
        """Group -> rows of its wires."""
        return tuple(
            tuple(row for row, wire in enumerate(self.wires) if wire.index in members) for members in self.groups
        )

    @cached_property
    def group_wires(self) -> tuple[tuple[Wire, ...], ...]:
        """Group -> its wires."""
        return tuple(tuple(self.wires[row] for row in rows) for rows in self.rows)

    @cached_property
    def group_of(self) -> Mapping[int, int]:
        """Signal index -> group; indices without a signal are missing."""
        return {index: row for row, members in enumerate(self.groups) for index in members}

    def between_groups(self, matrix: Bools) -> Bools:
        """A matrix of wires as one of groups: true where any of one meets any of the other; false on the diagonal."""
        member = np.array([[wire.index in group for wire in self.wires] for group in self.groups], dtype=np.float64)
        met = (member @ matrix @ member.T) > 0 if len(self.groups) else np.zeros((0, 0), dtype=np.bool_)
        return np.asarray(met & ~np.eye(len(self.groups), dtype=np.bool_))


def survey_lights(
    scenario: Scenario, lights: Sequence[str] | None = None
) -> tuple[dict[str, Survey], dict[str, list[Wire]]]:
    """The surveys of all lights with a program, or of those named, and the wires of every light of the net.

    Raises InputError where the net has no light at all, or not the one named.
    """
    net = load_net(scenario.net)
    wires = wires_by_light(net)
    programs = {
        name: found
        for name, found in read_programs(scenario).items()
        if name in wires and not any(program.kind in RAILWAY for program in found.values())
    }
    if not programs:
        raise InputError(f"{scenario.net}: the net has no signal light with a program; nothing to control")
    for name in lights or ():
        if name not in programs:
            raise InputError(f"{scenario.net}: there is no light {name}; it has {_some(programs)}")
    surveys = {}
    for name in programs if lights is None else lights:
        surveys[name] = _survey(net, name, wires[name], [*programs[name].values()][::-1])
    return surveys, wires


def _survey(net: Any, name: str, wires: Sequence[Wire], programs: Sequence[Program]) -> Survey:
    conflict, yields = right_of_way(net, wires, programs)
    may = permissive(wires, conflict, yields, programs)
    yields = _one_way(wires, yields, programs)
    exclusive = conflict & ~may
    groups = group_indices(wires, programs, exclusive)
    names = group_names(net, [[wire for wire in wires if wire.index in members] for members in groups])
    return Survey(name, net, tuple(wires), tuple(programs), conflict, yields, exclusive, tuple(groups), tuple(names))


def _one_way(wires: Sequence[Wire], yields: Bools, programs: Sequence[Program]) -> Bools:
    """Where the net makes two give way to each other and a program shows one `g` beside the other's `G`, only it
    does.
    """
    index = np.array([wire.index for wire in wires], dtype=np.int64)
    shown = np.zeros_like(yields)
    for program in programs:
        for state in {step.state for step in program.steps if len(step.state) > index.max(initial=-1)}:
            letters = np.array(list(state))[index]
            shown |= (letters == "g")[:, None] & (letters == "G")[None, :]
    mutual = yields & yields.T
    return np.asarray(yields & ~(mutual & shown.T & ~shown))


def _some(names: Mapping[str, object]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
