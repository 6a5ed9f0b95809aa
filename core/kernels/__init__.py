"""Numba kernels: arrays in, arrays out. The options of every kernel are held here, in one decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F | None = None, *, parallel: bool = False, fastmath: bool = False) -> Any:
    """Compile `function` with the house's options: nopython, cached, nogil, no exceptions raised, division as in C.

    A kernel never raises, prints or reads a clock. The cache lies where `NUMBA_CACHE_DIR` says; see
    `signalwright.core.kernels.cache` for the directory of ours.
    """

    def compile_it(target: F) -> F:
        decorate = numba.njit(cache=True, nogil=True, error_model="numpy", parallel=parallel, fastmath=fastmath)
        return cast(F, decorate(target))

    return compile_it if function is None else compile_it(function)
