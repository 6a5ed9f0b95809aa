"""SUMO itself: where it is installed, how it is started, and the few calls a street makes to it, in this process or over TraCI."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..core.errors import MissingSumo, SimulationError
from .evenpath import even_path
from .ownheap import OwnHeap, own_heap
from .spoken import last_words, silence

if TYPE_CHECKING:
    from .address import LoopsByAddress

Floats = npt.NDArray[np.float64]
Passage = tuple[float, float]
"""When a vehicle came onto a loop and when it left it [s], the latter negative while it is still there."""

DATA_WHEEL = "sumo_data"
"""A folder without programs that the packages libsumo and sumolib write into `SUMO_HOME` on import; no installation."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installed SUMO: its home, and whether it came from `SUMO_HOME` or from the wheel."""

    home: Path
    origin: str

    def program(self, name: str = "sumo") -> Path:
        """Path of one of its programs; raises MissingSumo when it is not there."""
        for candidate in (self.home / "bin" / name, self.home / "bin" / f"{name}.exe"):
            if candidate.is_file():
                return candidate
        raise MissingSumo(f"{self.origin} points to {self.home}, which has no bin/{name}; correct it, or {_REMEDY}")

    def environment(self) -> dict[str, str]:
        """The environment its programs need: where it lies, and where its map projections lie."""
        found = dict(os.environ, SUMO_HOME=even_path(self.home))
        projections = self.home / "data" / "proj"
        if projections.is_dir():
            found.setdefault("PROJ_LIB", even_path(projections))
            found.setdefault("PROJ_DATA", even_path(projections))
        return found


_REMEDY = "install the extra: pip install 'signalwright[sumo]'"


def find_sumo() -> Installation:
    """`SUMO_HOME` if it is set, else the wheel of eclipse-sumo; raises MissingSumo."""
    said = os.environ.get("SUMO_HOME")
    if said and Path(said).name != DATA_WHEEL:
        home = Path(said).expanduser()
        if not (home / "bin").is_dir():
            raise MissingSumo(f"SUMO_HOME is {home}, which has no bin folder; correct it, or unset it and {_REMEDY}")
        return Installation(home, "SUMO_HOME")
    spec = importlib.util.find_spec("sumo")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (Path(place) / "bin").is_dir():
            return Installation(Path(place), "the eclipse-sumo wheel")
    raise MissingSumo(
        f"Eclipse SUMO was not found: SUMO_HOME is not set and the wheel is not there; set SUMO_HOME, or {_REMEDY}"
    )


class Approaching(NamedTuple):
    """A vehicle on its way to a light: the signal index it will meet, how far it is [m], its speed and what is allowed there [m/s], its
    lane."""

    link: int
    distance: float
    speed: float
    free: float
    lane: str


class Simulator(Protocol):
    """All that a street ever asks of SUMO. Rows are places in the list of loops given to `watch`."""

    def step(self, letters: Sequence[tuple[str, str]]) -> None:
        """Show `letters` (light, state string) from now on and simulate one step."""

    def expected(self) -> int:
        """Vehicles still driving or to come."""

    def standing(self) -> float:
        """How long everyone on the road has stood [s], stops of a timetable aside; 0 where nobody is."""

    def watch(self, loops: Sequence[str]) -> None:
        """The loops that will be read."""

    def since(self) -> Floats:
        """(n_loops,) [s] since each watched loop was last occupied, 0 while it is; the array may be the same at the next call."""

    def look(self, counted: Sequence[int], seen: Sequence[int]) -> tuple[Floats, list[list[Passage]]]:
        """The number of vehicles on the rows `counted` in the last step, and the passages over the rows `seen`."""

    def close(self) -> None:
        """End the simulation; SUMO writes its outputs. Does nothing the second time."""


class InProcess:
    """SUMO as a library in this process: fast, without a window, one simulation at a time, in a heap of its own."""

    def __init__(self, installation: Installation, options: Sequence[str], log: Path | None = None) -> None:
        self._log = log
        self._open = False
        self._sumo = library(installation)
        if self._sumo.isLoaded():
            raise SimulationError(
                "a simulation is already open in this process; close it first, or use --transport traci"
            )
        self._heap: OwnHeap | _Here = own_heap()
        with silence() as spoken:
            try:
                self._heap.run(lambda: self._sumo.start([even_path(installation.home / "bin" / "sumo"), *options]))
            except Exception as error:
                _close_quietly(self._sumo)
                raise SimulationError(f"SUMO could not start:\n{last_words(log, spoken())}") from error
        self._open = True
        loop = self._sumo.inductionloop
        self._since, self._number, self._data = (
            _bare(self._sumo, loop, name)
            for name in ("getTimeSinceDetection", "getLastStepVehicleNumber", "getVehicleData")
        )
        self._show = self._sumo.trafficlight.setRedYellowGreenState
        self._step = self._sumo.simulationStep
        self._loops: list[str] = []
        self._by_address: LoopsByAddress | None = None

    def step(self, letters: Sequence[tuple[str, str]]) -> None:
        """See Simulator."""
        try:
            for light, state in letters:
                self._show(light, state)
            self._heap.run(self._step)
        except Exception as error:
            raise self._failed(error) from error

    def expected(self) -> int:
        """See Simulator."""
        return int(self._sumo.simulation.getMinExpectedNumber())

    def standing(self) -> float:
        """See Simulator."""
        vehicle = self._sumo.vehicle
        return min((float(vehicle.getWaitingTime(name)) for name in vehicle.getIDList()), default=0.0)

    def watch(self, loops: Sequence[str]) -> None:
        """See Simulator."""
        from .address import by_address

        self._loops = list(loops)
        try:
            self._by_address = by_address(self._sumo, self._loops, (self._since, self._number))
        except Exception as error:
            raise self._failed(error) from error

    def since(self) -> Floats:
        """See Simulator."""
        try:
            return np.fromiter(map(self._since, self._loops), np.float64, len(self._loops))
        except Exception as error:
            raise self._failed(error) from error

    def glance(
        self,
        lately: float,
        was: npt.NDArray[np.bool_],
        occupied: npt.NDArray[np.bool_],
        vehicles: npt.NDArray[np.int32],
        occupancy: Floats,
        moving: npt.NDArray[np.int32],
    ) -> int | None:
        """`since` and, of the loops that stand, `look` at numbers, in one: how many rows need a look (see `core.kernels.calls.glance`).

        None where the loops can only be asked by name; then `was` (n_loops,) is as it was.
        """
        if self._by_address is None:
            return None
        try:
            move = self._by_address.glance(lately, was, occupied, vehicles, occupancy, moving)
        except Exception as error:
            raise self._failed(error) from error
        if move is None:
            self._by_address = None
        return move

    def look(self, counted: Sequence[int], seen: Sequence[int]) -> tuple[Floats, list[list[Passage]]]:
        """See Simulator."""
        loops = self._loops
        numbers = np.fromiter((self._number(loops[row]) for row in counted), np.float64, len(counted))
        return numbers, [[(entry[2], entry[3]) for entry in self._data(loops[row])] for row in seen]

    def approaching(self) -> dict[str, list[Approaching]]:
        """Light -> every vehicle whose next light it is; for full view, which no strategy on the road has."""
        found: dict[str, list[Approaching]] = {}
        vehicle = self._sumo.vehicle
        for name in vehicle.getIDList():
            if ahead := vehicle.getNextTLS(name):
                light, link, distance, _state = ahead[0]
                speed, free = vehicle.getSpeed(name), vehicle.getAllowedSpeed(name)
                found.setdefault(light, []).append(Approaching(link, distance, speed, free, vehicle.getLaneID(name)))
        return found

    def shown(self, light: str) -> str:
        """The letters a light shows now, whoever set them."""
        return str(self._sumo.trafficlight.getRedYellowGreenState(light))

    def save(self, path: Path) -> None:
        """Write the state of now to a file that another simulation can go on from. Raises SimulationError."""
        try:
            self._heap.run(lambda: self._sumo.simulation.saveState(str(path)))
        except Exception as error:
            raise self._failed(error) from error

    def branch(self, outputs: Path, into: Path, work: Callable[[], None]) -> int:
        """Let a copy of this process go on from here with `work` and end, while this one stays; gives its process id.

        The files SUMO has open under `outputs` become the copy's own under `into`. The copy lives in the thread that
        SUMO lives in, so that what it allocates lies where it would here. It ends with 0, or 1 where `work` raised, whose
        trace is then in `into`/trace.txt. Only where the system can fork (see `can_branch`).
        """

        def fork() -> int:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # other threads are not copied; none is needed
                number = os.fork()
            if number:
                return number
            code = 1
            try:
                _own_files(outputs, into)
                self._heap.roam()
                self._heap = _Here()
                work()
                code = 0
            except BaseException:
                (into / "trace.txt").write_text(traceback.format_exc(), encoding="utf-8")
            finally:
                os._exit(code)

        return int(self._heap.run(fork))

    def close(self) -> None:
        """See Simulator."""
        if self._open:
            self._open, self._by_address = False, None
            with silence():
                self._heap.run(self._sumo.close)

    def _failed(self, error: Exception) -> SimulationError:
        with contextlib.suppress(Exception):
            self.close()
        return SimulationError(f"SUMO stopped:\n{last_words(self._log, str(error))}")


class _Here:
    """Runs functions in the thread that asks: what is left of a heap's own thread in a branch."""

    def run(self, call: Callable[[], Any]) -> Any:
        """What `call` gives."""
        return call()

    def roam(self) -> None:
        """It is bound to no core."""

    def end(self) -> None:
        """Nothing ends."""


OPEN_FILES = Path("/proc/self/fd")


def can_branch() -> bool:
    """Whether a simulation in this process can branch: the system forks, and tells which files are open."""
    return hasattr(os, "fork") and OPEN_FILES.is_dir()


def _own_files(outputs: Path, into: Path) -> None:
    """Turn every open file under `outputs` into a copy of it under `into`, as far as it is written."""
    for number in sorted(int(name) for name in os.listdir(OPEN_FILES)):
        try:
            path = Path(os.readlink(OPEN_FILES / str(number)))
        except OSError:
            continue  # the listing's own
        if not path.is_relative_to(outputs) or not path.is_file():
            continue
        copy = into / path.relative_to(outputs)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        with copy.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            os.dup2(file.fileno(), number)


def library(installation: Installation) -> ModuleType:
    """The libsumo module that belongs to an installation; raises MissingSumo."""
    os.environ.update(installation.environment())
    tools = str(installation.home / "tools")
    if (installation.home / "tools" / "libsumo").is_dir() and tools not in sys.path:
        sys.path.append(tools)
    try:
        return importlib.import_module("libsumo")
    except ImportError as error:
        raise MissingSumo(f"libsumo cannot be imported ({error}); {_REMEDY}, or run with --transport traci") from error


def _bare(module: ModuleType, domain: Any, name: str) -> Any:
    """The compiled function itself where the wrapping one only hands its arguments on: a third of the time of a call."""
    compiled = getattr(
        getattr(module, "_libsumo", None) or getattr(module.libsumo, "_libsumo", None), f"inductionloop_{name}", None
    )
    return compiled or getattr(domain, name)


def _close_quietly(module: ModuleType) -> None:
    with contextlib.suppress(Exception):
        module.close()


def has_window(installation: Installation) -> bool:
    """Whether SUMO's window could open: its program and a display are there."""
    return shutil.which("sumo-gui", path=str(installation.home / "bin")) is not None and bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in {"win32", "darwin"}
    )
