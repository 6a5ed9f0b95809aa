"""Numba kernels: arrays in, arrays out. The options of every kernel are held here, in one decorator.

Compiled code is kept in a directory of ours, one for each version: `NUMBA_CACHE_DIR` if set, else under `XDG_CACHE_HOME`. Where
nothing can be written, kernels are compiled anew in each process instead of failing.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast, overload

F = TypeVar("F", bound=Callable[..., Any])


def _edition() -> str:
    """Short digest of the kernels' sources: Numba's own check misses an edit to a kernel that another file compiles in."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _cache_directory() -> Path | None:
    given = os.environ.get("NUMBA_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    tag = f"numba-{version('numba')}-cp{sys.version_info[0]}{sys.version_info[1]}"
    directory = Path(given) if given else Path(base, "signalwright", tag)
    edition = _edition()
    if directory.name != edition:  # a process we started inherits the directory with the edition in it
        directory /= edition
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


@overload
def kernel(function: F) -> Any: ...
@overload
def kernel(
    *, parallel: bool = ..., fastmath: bool = ..., lean: bool = ..., inline: bool = ...
) -> Callable[[F], Any]: ...
def kernel(
    function: F | None = None,
    *,
    parallel: bool = False,
    fastmath: bool = False,
    lean: bool = False,
    inline: bool = False,
) -> Any:
    """Compile `function` with the house's options: nopython, cached, nogil, division as in C.

    `lean` leaves out the counting of references to arrays, for kernels that are handed many arrays and make none;
    `inline` besides puts the function into its caller's machine code, for the inner parts of such kernels.
    A kernel never raises, prints or reads a clock.
    """
    options: dict[str, Any] = {"parallel": parallel, "fastmath": fastmath}
    if lean or inline:
        options["_nrt"] = False
    if inline:
        options["forceinline"] = True

    def compile_it(target: F) -> F:
        return cast(F, numba.njit(cache=CACHE is not None, nogil=True, error_model="numpy", **options)(target))

    return compile_it if function is None else compile_it(function)
