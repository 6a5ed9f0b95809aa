"""A simulated street: SUMO as the clock, and one cabinet for every light under control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..core.counts import Counts
from ..core.errors import InputError
from ..core.estimate import Estimates
from ..core.intersection import Intersection
from ..core.messages import _
from ..core.ports import Cabinet, Mode, Refusal, Status, Wish
from ..core.sequencer import Sequencer, Sequencers
from ..core.state import TrafficState
from .detectors import own_loops, write_loops
from .light import Light
from .loops import Loops
from .native import write_programs
from .netfile import read_lights
from .options import Outputs, options_of
from .redirect import redirected
from .scenario import Scenario
from .simulator import Approaching, InProcess, Simulator, find_sumo
from .wire import OverTraci

Transport = Literal["libsumo", "traci"]

LOCKED_AFTER = 900.0
"""A scenario without an end is over when nobody has moved for so long [s]: out of a gridlock nobody ever comes."""
LOOKED_EVERY = 60.0
"""How often [s] that is looked at."""


class SumoStreet:
    """Time and roadside of a simulation: a Clock of one second a tick, and its cabinets.

    At `tick` the simulator makes the second [t-1, t) happen under the letters granted at t-1, the sequencers let it pass, and the loops are
    read. What a cabinet grants at t is shown during [t, t+1); aspects that change within a second show at the next. Use it as a
    context, so that SUMO ends and writes its outputs.
    """

    def __init__(self, simulator: Simulator, lights: Iterable[Light], *, begin: float, end: float | None) -> None:
        self._simulator = simulator
        self._end = end
        self.time = begin
        lights = tuple(lights)
        names = list(dict.fromkeys(d.name for light in lights for d in light.intersection.detectors))
        place = {name: row for row, name in enumerate(names)}
        self.loops = Loops(simulator, names)
        """What the loops said in the last second."""
        self.cabinets: dict[str, SumoCabinet] = {}
        for k, light in enumerate(lights):
            rows = np.array([place[d.name] for d in light.intersection.detectors], dtype=np.int64)
            self.cabinets[light.name] = SumoCabinet(self, k, light, rows)
        self._all = tuple(self.cabinets.values())
        self._rows = np.concatenate([c.rows for c in self._all]) if self._all else np.zeros(0, dtype=np.int64)
        self._first = np.concatenate(([0], np.cumsum([len(c.rows) for c in self._all], dtype=np.int64)))
        self.machines = self._machines()
        self._shown: list[tuple[str, str]] = []
        self._show_new()
        self._running = True
        self._overview: tuple[float, dict[str, list[Approaching]]] = (-1.0, {})

    def tick(self) -> bool:
        """One second more; False when the window is over, or without one, when the last vehicle has left or none moves any more."""
        if not self._running or self._over():
            self._running = False
            return False
        self._simulator.step(self._shown)
        self._shown = []
        self.time += 1.0
        self._pass_second()
        self.loops.read(self.time)
        return True

    def _over(self) -> bool:
        if self._end is not None:
            return self.time >= self._end
        if self._simulator.expected() == 0:
            return True
        return self.time % LOOKED_EVERY == 0.0 and self._simulator.standing() >= LOCKED_AFTER

    def _pass_second(self) -> None:
        for cabinet in self._all:
            cabinet.keep()
        self.machines.elapse()
        self.machines.settle(self.time)

    def beside(self, cabinets: Sequence[Cabinet]) -> SumoStreet | None:
        """See Sociable: the street itself, if these are all its cabinets."""
        mine = len(cabinets) == len(self._all) and all(a is b for a, b in zip(cabinets, self._all, strict=True))
        return self if mine else None

    def hear(self, estimates: Estimates) -> list[TrafficState]:
        """See Abreast."""
        if any(cabinet.owes or cabinet.follows for cabinet in self._all):
            return estimates.update([(cabinet.read(), cabinet.status()) for cabinet in self._all])
        for cabinet in self._all:
            cabinet.heard()
        loops = self.loops
        return estimates.second(self.time, loops.vehicles, loops.occupancy, self._rows, self._first, self.machines)

    def request(self, wishes: Sequence[Wish], calls: Sequence[npt.NDArray[np.bool_]]) -> list[Refusal]:
        """See Abreast."""
        refusals = self.machines.grant(wishes, calls)
        self._show_new()
        return refusals

    def _show_new(self) -> None:
        """Show in the next second what is shown otherwise than before."""
        machines = self.machines
        machines.settle(self.time)
        for k in np.flatnonzero(machines.changed).tolist():
            self._all[k].spell()

    def _machines(self) -> Sequencers:
        return Sequencers([c.sequencer for c in self._all], [not c.follows for c in self._all])

    def restate(self) -> None:
        """A cabinet follows another sequencer from now on."""
        self.machines = self._machines()
        self.machines.settle(self.time)

    def approaching(self, light: str) -> list[Approaching]:
        """Every vehicle whose next light this is; for full view alone. Raises InputError over TraCI."""
        if not isinstance(self._simulator, InProcess):
            raise InputError(_("full view is had from libsumo only; leave out --transport traci and --gui"))
        if self._overview[0] != self.time:
            self._overview = self.time, self._simulator.approaching()
        return self._overview[1].get(light, [])

    def close(self) -> None:
        """End the simulation; SUMO writes its outputs."""
        self._running = False
        self._simulator.close()

    def __enter__(self) -> SumoStreet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(self, light: str, letters: str) -> None:
        """Show these letters from the next step on."""
        self._shown.append((light, letters))

    @property
    def simulator(self) -> Simulator:
        """The simulator itself."""
        return self._simulator

    def until(self, end: float) -> None:
        """Let the window end then [s] instead; it goes on where it had ended."""
        self._end, self._running = end, True


class SumoCabinet:
    """One light: a sequencer that owns its letters, and the rows of its loops. It is the street's `row`th."""

    def __init__(self, street: SumoStreet, row: int, light: Light, rows: npt.NDArray[np.int64]) -> None:
        self.light, self.rows = light, rows
        self._street, self._row = street, row
        self._site = light.intersection
        self.sequencer = Sequencer(light.intersection)
        self._own = _as_slice(rows)
        self._last_read = street.time
        self._read = True
        self._owed: tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]] | None = None
        self._no_fault = np.zeros(len(rows), dtype=np.bool_)
        self._no_fault.setflags(write=False)
        self._aspects = self.sequencer.aspects
        self._letters = ""
        self.follows = False

    def follow(self, sequencer: Sequencer) -> None:
        """From now on the lamps are those of another cabinet's `sequencer`, whose time is not ours; see `show`."""
        self.sequencer, self._aspects, self.follows = sequencer, sequencer.aspects, True
        self._street.restate()

    def lead(self, sequencer: Sequencer) -> None:
        """From now on the lamps are those of `sequencer` as it is now, and its time is ours."""
        self.sequencer, self._aspects, self.follows = sequencer, sequencer.aspects, False
        self._street.restate()

    def beside(self, cabinets: Sequence[Cabinet]) -> SumoStreet | None:
        """See Sociable."""
        return self._street.beside(cabinets)

    def show(self) -> None:
        """Show in the next second what the lamps are now."""
        self._street.machines.settle(self._street.time, self._row)
        if self._street.machines.changed[self._row]:
            self.spell()

    def spell(self) -> None:
        """`show`, where the street has settled already and something may be new."""
        machines, row = self._street.machines, self._row
        machines.changed[row] = False
        letters = self.light.letters(self._aspects, machines.stage.item(row), machines.clearing[row])
        if letters != self._letters:
            self._letters = letters
            self._street.show(self.light.name, letters)

    @property
    def intersection(self) -> Intersection:
        """The site."""
        return self._site

    def read(self) -> Counts:
        """What the loops said since the last read."""
        time, loops = self._street.time, self._street.loops
        vehicles, occupancy = loops.vehicles[self._own], loops.occupancy[self._own]
        seconds = time - self._last_read
        if self._read:
            vehicles, occupancy, seconds = np.zeros_like(vehicles), np.zeros_like(occupancy), 0.0
        elif self._owed is not None:
            vehicles, occupancy = self._owed[0] + vehicles, (self._owed[1] + occupancy) / seconds
            self._owed = None
        self.heard()
        return Counts(time, seconds, vehicles, occupancy, self._no_fault)

    def status(self) -> Status:
        """Stage and aspects now."""
        time, machines, row = self._street.time, self._street.machines, self._row
        machines.settle(time, row)
        elapsed = max(time - machines.full_since.item(row), 0.0)
        return Status(
            time, machines.stage.item(row), not machines.complete.item(row), elapsed, Mode.REMOTE, self._aspects
        )

    def request(self, wish: Wish, calls: Sequence[bool] | npt.NDArray[np.bool_] | None = None) -> Refusal:
        """Ask for a stage; what the sequencer grants is shown from now on."""
        refusal = self.sequencer.grant(wish, calls)
        self.show()
        return refusal

    def letters(self) -> str:
        """The state string of now."""
        machines, row = self._street.machines, self._row
        machines.settle(self._street.time, row)
        return self.light.letters(self._aspects, machines.stage.item(row), machines.clearing[row])

    def keep(self) -> None:
        """A second begins; what was not read is kept for the next read."""
        if not self._read:
            vehicles, occupancy = self._street.loops.vehicles[self._own], self._street.loops.occupancy[self._own]
            owed = self._owed
            self._owed = (vehicles, occupancy) if owed is None else (owed[0] + vehicles, owed[1] + occupancy)
        self._read = False

    @property
    def owes(self) -> bool:
        """Whether a read now would tell of more, or of less, than the last second."""
        return self._read or self._owed is not None

    def heard(self) -> None:
        """What the loops said until now has been read."""
        self._read, self._last_read = True, self._street.time


def _as_slice(rows: npt.NDArray[np.int64]) -> slice | npt.NDArray[np.int64]:
    """A slice where the rows are one behind the other: a view costs less than a copy."""
    if len(rows) and bool((np.diff(rows) == 1).all()):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def open_street(
    scenario: Scenario,
    lights: Mapping[str, Light],
    *,
    outputs: Path,
    native: Mapping[str, str] | None = None,
    seed: int | None = None,
    begin: float | None = None,
    end: float | None = None,
    scale: float = 1.0,
    gui: bool = False,
    transport: Transport = "libsumo",
    remote: tuple[str, int] | None = None,
    extra: Mapping[str, str] | None = None,
) -> SumoStreet:
    """Start a scenario with these lights, and the loops they have, under our control; the others are left as they are.

    `native` gives other lights to an arm of SUMO's own ({light: a name of networks.native.NATIVE}). `outputs` is a
    directory, made if need be, for SUMO's files (see Outputs). `gui` opens SUMO's window, `remote` (host, port)
    connects to a SUMO that was started with `--remote-port` and the options of `options_of`; both go over TraCI.
    Raises InputError, MissingSumo, SimulationError.
    """
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        files = Outputs(outputs.resolve())
        own = {loop.name for loop in own_loops(scenario)}
        write_loops(files.loops, lights.values(), own)
        additionals = [*redirected(scenario, files.directory), files.loops]
        if native and write_programs(files.programs, read_lights(scenario, lights=native), native):
            additionals.append(files.programs)
    except OSError as error:
        raise InputError(
            f"{outputs}: cannot be written to ({error.strerror or error}); choose another directory"
        ) from error
    first, last = scenario.begin if begin is None else begin, scenario.end if end is None else end
    options = options_of(
        scenario, files, seed=seed, begin=begin, end=end, scale=scale, additionals=additionals, extra=extra
    )
    simulator: Simulator
    if remote is not None:
        simulator = OverTraci(None, options, files.log, remote=remote)
    elif gui or transport == "traci":
        simulator = OverTraci(find_sumo(), options, files.log, gui=gui)
    else:
        simulator = InProcess(find_sumo(), options, files.log)
    try:
        return SumoStreet(simulator, lights.values(), begin=first, end=last)
    except BaseException:
        simulator.close()
        raise
