"""Numba kernels: arrays in, arrays out. The options of every kernel are held here, in one decorator.

Compiled code is kept in a directory of ours, one for each version: `NUMBA_CACHE_DIR` if set, else under `XDG_CACHE_HOME`. Where
nothing can be written, kernels are compiled anew in each process instead of failing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def _cache_directory() -> Path | None:
    given = os.environ.get("NUMBA_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    tag = f"numba-{version('numba')}-cp{sys.version_info[0]}{sys.version_info[1]}"
    directory = Path(given) if given else Path(base, "signalwright", tag)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return directory if os.access(directory, os.W_OK) else None


CACHE = _cache_directory()
if CACHE is None:
    os.environ.pop("NUMBA_CACHE_DIR", None)
else:
    os.environ["NUMBA_CACHE_DIR"] = str(CACHE)

import numba  # noqa: E402  (numba reads the cache directory when it is imported)


def kernel(function: F | None = None, *, parallel: bool = False, fastmath: bool = False) -> Any:
    """Compile `function` with the house's options: nopython, cached, nogil, division as in C.

    A kernel never raises, prints or reads a clock.
    """

    def compile_it(target: F) -> F:
        decorate = numba.njit(
            cache=CACHE is not None, nogil=True, error_model="numpy", parallel=parallel, fastmath=fastmath
        )
        return cast(F, decorate(target))

    return compile_it if function is None else compile_it(function)
