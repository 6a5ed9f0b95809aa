"""The letters of a light, from the aspects of its groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel
from .sequence import AMBER, GREEN, RED

U8 = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
YIELDING = 6
"""Place of the letter of a green that gives way."""


@kernel(lean=True)
def spell(
    aspects: npt.NDArray[np.int8], clearing: Bools, index: Places, group: Places, gives_way_to: Bools, codes: U8, resting: U8, out: U8
) -> None:  # fmt: skip
    """Write into `out` (n_letters,) the letter of each signal: `index` (n,) is its place, `group` (n,) whose aspect it shows.

    `codes` (7,) are the letters of the aspects and, last, that of a green that gives way: one with a group in `gives_way_to` (n, n_groups)
    that is green, amber or `clearing` (n_groups,). `resting` (n_letters,) is shown where the aspect is red.
    """
    for k in range(out.shape[0]):
        out[k] = resting[k]
    for k in range(index.shape[0]):
        shown = aspects[group[k]]
        if shown == RED:
            continue
        letter = codes[shown]
        if shown == GREEN:
            for g in range(aspects.shape[0]):
                if gives_way_to[k, g] and (aspects[g] == GREEN or aspects[g] == AMBER or clearing[g]):
                    letter = codes[YIELDING]
                    break
        out[index[k]] = letter
