"""Numbers asked of a compiled function of another library, many in one call."""

from __future__ import annotations

import ctypes
from typing import Any

import numba.core.config
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from . import kernel


@intrinsic
def _asked(typingctx: Any, function: Any, thing: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.DoubleType(), [ir.IntType(64)])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [args[1]])

    return types.float64(types.int64, types.int64), build


@intrinsic
def _spanned(typingctx: Any, function: Any, thing: Any, span: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.DoubleType(), [ir.IntType(64), ir.IntType(32)])
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), [args[1], args[2]])

    return types.float64(types.int64, types.int64, types.int32), build


def _spanned_plainly(function: int, thing: int, span: int) -> float:
    return float(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_int)(int(function))(int(thing), int(span)))


def _asked_plainly(function: int, thing: int) -> float:
    return float(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p)(int(function))(int(thing)))


asked: Any = _asked_plainly if numba.core.config.DISABLE_JIT else _asked  # type: ignore[attr-defined]
spanned: Any = _spanned_plainly if numba.core.config.DISABLE_JIT else _spanned  # type: ignore[attr-defined]


@kernel(lean=True)
def ask_all(function: int, things: npt.NDArray[np.int64], answers: npt.NDArray[np.float64]) -> None:
    """`answers` (n,) from a C function at address `function`, which takes the address of a thing and gives a double."""
    for k in range(things.shape[0]):
        answers[k] = asked(function, things[k])


@kernel(lean=True)
def glance(
    since: int,
    number: int,
    things: npt.NDArray[np.int64],
    span: int,
    lately: float,
    was: npt.NDArray[np.bool_],
    occupied: npt.NDArray[np.bool_],
    answers: npt.NDArray[np.float64],
    vehicles: npt.NDArray[np.int32],
    occupancy: npt.NDArray[np.float64],
    moving: npt.NDArray[np.int32],
) -> tuple[int, int, float]:
    """`presence.sort_loops` for things (n,) asked here and now by `since`; of those that stand, `number` with `span` says which are alone.

    Returns how many rows are in `moving` (n,), those that do not stand alone among them, the first row that stood, -1 for none, and its
    number. `was` (n,) is kept, `occupied` (n,) written, and `answers` (n,) of `since`.
    """
    move, first, told = 0, -1, 0.0
    for k in range(things.shape[0]):
        answers[k] = asked(since, things[k])
        occupied[k] = answers[k] == 0.0
        vehicles[k] = 0
        occupancy[k] = 0.0
        if occupied[k] and was[k]:
            there = spanned(number, things[k], np.int32(span))
            if first < 0:
                first, told = k, there
            if there == 1.0:
                occupancy[k] = 1.0
                continue
        elif answers[k] >= lately:
            continue
        moving[move] = k
        move += 1
    return move, first, told
