"""What a signal group may show, and what may follow what: one table.

            then ->   red  red-amber  green  amber  flashing  dark
    red                .       x        x      .       x       x
    red-amber          .       .        x      .       x       x
    green              p       .        .      x       x       x
    amber              x       .        .      .       x       x
    flashing amber     x       .        .      .       .       x
    dark               x       .        .      .       x       .

x lawful, p lawful for a group without amber (pedestrians), . never. Flashing and dark are the cabinet's states of start-up and
failure; the way back from both is all red.
"""

from __future__ import annotations

import enum
from typing import NewType

import numpy as np
import numpy.typing as npt


class Aspect(enum.IntEnum):
    """What a signal group shows."""

    RED = 0
    RED_AMBER = 1
    GREEN = 2
    AMBER = 3
    FLASHING_AMBER = 4
    DARK = 5


Aspects = NewType("Aspects", npt.NDArray[np.int8])
"""(n_groups,) int8 of Aspect: made by the sequencer and by nothing else."""

MAY_FOLLOW: dict[Aspect, frozenset[Aspect]] = {
    Aspect.RED: frozenset({Aspect.RED_AMBER, Aspect.GREEN, Aspect.FLASHING_AMBER, Aspect.DARK}),
    Aspect.RED_AMBER: frozenset({Aspect.GREEN, Aspect.FLASHING_AMBER, Aspect.DARK}),
    Aspect.GREEN: frozenset({Aspect.AMBER, Aspect.RED, Aspect.FLASHING_AMBER, Aspect.DARK}),
    Aspect.AMBER: frozenset({Aspect.RED, Aspect.FLASHING_AMBER, Aspect.DARK}),
    Aspect.FLASHING_AMBER: frozenset({Aspect.RED, Aspect.DARK}),
    Aspect.DARK: frozenset({Aspect.RED, Aspect.FLASHING_AMBER}),
}
