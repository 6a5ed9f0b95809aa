"""The loops of a libsumo in this process by their addresses, which spares each a call through Python and a search by name.

Only where the library has the functions needed, under the names C++ gives them with the GNU library (they are what its public
`getTimeSinceDetection` and `getLastStepVehicleNumber` call); elsewhere, and where they ever answer otherwise than these, the public ones
are asked.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np
import numpy.typing as npt

from ..core.kernels.calls import ask_all, glance

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]
Public = tuple[Callable[[str], float], Callable[[str], int]]
"""The public functions: time since a loop was occupied, vehicles on it in the last step."""

DETECTOR = "_ZN7libsumo13InductionLoop11getDetectorERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
SINCE = "_ZNK12MSInductLoop25getTimeSinceLastDetectionEv"
NUMBER = "_ZNK12MSInductLoop16getEnteredNumberEi"
STEP = 1000
"""A step of a second in SUMO's own time [ms]."""


class _Text(ctypes.Structure):
    """A string as the GNU C++ library lays it out, for functions that only read it."""

    _fields_ = (
        ("text", ctypes.c_char_p),
        ("length", ctypes.c_size_t),
        ("capacity", ctypes.c_size_t),
        ("unused", ctypes.c_size_t),
    )


class LoopsByAddress:
    """Asks all loops at once; each of their names must be known to exist."""

    def __init__(self, library: ctypes.CDLL, loops: Sequence[str], public: Public) -> None:
        find = getattr(library, DETECTOR)
        find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        names = [name.encode("utf-8") for name in loops]
        texts = [_Text(name, len(name), len(name), 0) for name in names]
        self._places = np.array([find(ctypes.addressof(text)) for text in texts], dtype=np.int64)
        self._since, self._number = (
            int(ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0) for name in (SINCE, NUMBER)
        )
        self._loops, (self._public, self._public_number) = loops, public
        self._answers = np.zeros(len(loops))
        self._turn = 0

    def since(self) -> Floats | None:
        """(n_loops,) the same array each time; None if one of them, another at each call, answers the public function otherwise."""
        ask_all(self._since, self._places, self._answers)
        self._turn = (self._turn + 1) % len(self._loops)
        if self._answers[self._turn] != self._public(self._loops[self._turn]):
            return None
        return self._answers

    def glance(
        self, lately: float, was: Bools, occupied: Bools, vehicles: I32, occupancy: Floats, moving: I32
    ) -> int | None:
        """See `simulator.InProcess.glance`; None as above, `was` kept."""
        move, first, told = glance(
            self._since,
            self._number,
            self._places,
            STEP,
            lately,
            was,
            occupied,
            self._answers,
            vehicles,
            occupancy,
            moving,
        )
        self._turn = (self._turn + 1) % len(self._loops)
        if self._answers[self._turn] != self._public(self._loops[self._turn]):
            return None
        if first >= 0 and told != self._public_number(self._loops[first]):
            return None
        return int(move)


def by_address(module: ModuleType, loops: Sequence[str], public: Public) -> LoopsByAddress | None:
    """The loops of this libsumo, or None where they can only be asked by name. `public` raise for one that does not exist."""
    told = [public[0](loop) for loop in loops]
    compiled = getattr(getattr(module, "_libsumo", None) or getattr(module.libsumo, "_libsumo", None), "__file__", None)
    if not loops or compiled is None:
        return None
    try:
        found = LoopsByAddress(ctypes.CDLL(compiled), loops, public)
    except (OSError, AttributeError):
        return None
    answers = found.since()
    return found if answers is not None and np.array_equal(answers, told) else None
