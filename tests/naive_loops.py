"""The plain twins of what is done with all loops of a street at once."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np


def naive_sort(since: Any, lately: float, occupied: Any) -> tuple[Any, Any, Any, Any]:
    """(occupied now, occupancy of those that stand, their rows, rows that moved)."""
    now = since == 0.0
    standing = now & occupied
    return now, standing.astype(float), np.flatnonzero(standing), np.flatnonzero((since < lately) & ~standing)


def naive_ask(function: int, things: Any) -> Any:
    """What a C function of one address says of each."""
    ask = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p)(function)
    return np.array([ask(int(thing)) for thing in things])
