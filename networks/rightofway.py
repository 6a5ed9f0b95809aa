"""Who conflicts with whom, and who gives way: from the net's own right-of-way matrices, and from geometry where it
must decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .light import Program
from .programs import GREEN
from .roadnet import Points, Wire

Bools = npt.NDArray[np.bool_]


def right_of_way(net: Any, wires: Sequence[Wire], programs: Sequence[Program]) -> tuple[Bools, Bools]:
    """(n, n) conflict, symmetric, and (n, n) yields, row gives way to column, of a light's wires.

    Two wires of one junction conflict where the net calls them foes. Geometry has the word where that is too coarse:
    for the halves of a movement that is signalled twice, and for foes that a program shows `G` together though they
    neither cross nor share an exit lane. Wires of different junctions conflict only where their paths cross, and not if
    a program shows them green together.
    """
    n = len(wires)
    conflict = np.zeros((n, n), dtype=np.bool_)
    yields = np.zeros((n, n), dtype=np.bool_)
    together = _green_together(wires, programs, GREEN)
    both_major = _green_together(wires, programs, frozenset("G"))
    for i in range(n):
        for j in range(i + 1, n):
            a, b = wires[i], wires[j]
            if a.junction != b.junction:
                conflict[i, j] = not together[i, j] and paths_cross(a.path, b.path)
            elif a.request < 0 or b.request < 0 or a.request == b.request:
                continue
            else:
                foes, a_yields, b_yields = _said(net.getNode(a.junction), a.request, b.request)
                if foes and (both_major[i, j] or a.inner or b.inner or a.halved or b.halved):
                    foes = (a.to_lane == b.to_lane and not (a.halved or b.halved)) or paths_cross(a.path, b.path)
                conflict[i, j] = foes
                yields[i, j], yields[j, i] = foes and a_yields, foes and b_yields
    return conflict | conflict.T, yields


def paths_cross(a: Points, b: Points) -> bool:
    """Whether two polylines (n, 2) intersect.

    >>> paths_cross(np.array([[0.0, 0.0], [2.0, 2.0]]), np.array([[0.0, 2.0], [2.0, 0.0]]))
    True
    """
    p, r = a[:-1, None, :], (a[1:] - a[:-1])[:, None, :]
    q, s = b[None, :-1, :], (b[1:] - b[:-1])[None, :, :]
    across = r[..., 0] * s[..., 1] - r[..., 1] * s[..., 0]
    gap = q - p
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (gap[..., 0] * s[..., 1] - gap[..., 1] * s[..., 0]) / across
        u = (gap[..., 0] * r[..., 1] - gap[..., 1] * r[..., 0]) / across
    return bool(((across != 0) & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)).any())


def permissive(wires: Sequence[Wire], conflict: Bools, yields: Bools, programs: Sequence[Program]) -> Bools:
    """(n, n) bool, symmetric: conflicts that may be green together because one gives way.

    The net must make it give way, and a program show it `g` while the other is green. The net's word alone will not do: it
    has one of two crossing roads give way to the other as well.
    """
    allowed = np.zeros_like(conflict)
    index = np.array([wire.index for wire in wires], dtype=np.int64)
    for program in programs:
        for state in {step.state for step in program.steps if len(step.state) > index.max(initial=-1)}:
            letters = np.array(list(state))[index]
            minor = letters == "g"
            green = minor | (letters == "G")
            allowed |= conflict & yields & minor[:, None] & green[None, :]
    return allowed | allowed.T


def _green_together(wires: Sequence[Wire], programs: Sequence[Program], green: frozenset[str]) -> Bools:
    index = np.array([wire.index for wire in wires], dtype=np.int64)
    together = np.zeros((len(wires), len(wires)), dtype=np.bool_)
    for program in programs:
        for state in {step.state for step in program.steps if len(step.state) > index.max(initial=-1)}:
            shows = np.array([letter in green for letter in state])[index]
            together |= shows[:, None] & shows[None, :]
    return together


def _said(node: Any, a: int, b: int) -> tuple[bool, bool, bool]:
    """What the junction's matrices say of requests a and b: foes, a gives way to b, b gives way to a."""
    foes: dict[int, str] = node._foes
    response: dict[int, str] = node._prohibits
    return (
        _bit(foes, a, b) or _bit(foes, b, a),
        _bit(response, a, b),
        _bit(response, b, a),
    )


def _bit(rows: dict[int, str], row: int, column: int) -> bool:
    text = rows.get(row, "")
    return column < len(text) and text[-1 - column] == "1"
