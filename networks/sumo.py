"""A simulated street: SUMO as the clock, and one cabinet for every light under control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..core.aspects import Aspect
from ..core.counts import Counts
from ..core.errors import InputError
from ..core.intersection import Intersection
from ..core.messages import _
from ..core.ports import Mode, Refusal, Status, Wish
from ..core.sequencer import Sequencer, Sequencers
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

_GREEN, _NEVER, _GRAIN = int(Aspect.GREEN), float("inf"), 1e-6
Transport = Literal["libsumo", "traci"]


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
        for light in lights:
            rows = np.array([place[d.name] for d in light.intersection.detectors], dtype=np.intp)
            self.cabinets[light.name] = SumoCabinet(self, light, rows)
        self._all = tuple(self.cabinets.values())
        self._shown: list[tuple[str, str]] = [(c.light.name, c.letters()) for c in self._all]
        self._running = True
        self._sequencers: Sequencers | None = None
        self._overview: tuple[float, dict[str, list[Approaching]]] = (-1.0, {})

    def tick(self) -> bool:
        """One second more; False when the window is over, or without one, when the last vehicle has left."""
        if not self._running:
            return False
        if self.time >= self._end if self._end is not None else self._simulator.expected() == 0:
            self._running = False
            return False
        self._simulator.step(self._shown)
        self._shown = []
        self.time += 1.0
        self._pass_second()
        self.loops.read(self.time)
        return True

    def _pass_second(self) -> None:
        if self._sequencers is None:
            self._sequencers = Sequencers([c.sequencer for c in self._all if not c.follows])
        for cabinet in self._all:
            cabinet.keep()
        self._sequencers.elapse()

    def restate(self) -> None:
        """A cabinet follows another sequencer from now on."""
        self._sequencers = None

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
    """One light: a sequencer that owns its letters, and the rows of its loops."""

    def __init__(self, street: SumoStreet, light: Light, rows: npt.NDArray[np.intp]) -> None:
        self.light = light
        self._street = street
        self._site = light.intersection
        self.sequencer = Sequencer(light.intersection)
        self._rows = _as_slice(rows)
        self._last_read = street.time
        self._read = True
        self._owed: tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]] | None = None
        self._no_fault = np.zeros(len(rows), dtype=np.bool_)
        self._no_fault.setflags(write=False)
        self._clearance = np.where(self._site.conflict, self._site.intergreen, 0.0).max(axis=1)
        self._aspects = self.sequencer.aspects
        self._key: tuple[int, bytes] = (-2, b"")
        self._full_since: float | None = None
        self._clear_at, self._stale = _NEVER, True
        self._known: dict[tuple[int, bytes, bytes], str] = {}
        self._letters = self._spelt = ""
        self.follows = False

    def follow(self, sequencer: Sequencer) -> None:
        """From now on the lamps are those of another cabinet's `sequencer`, whose time is not ours; see `show`."""
        self.sequencer, self._aspects, self.follows, self._stale = sequencer, sequencer.aspects, True, True
        self._street.restate()

    def begin_as(self, sequencer: Sequencer) -> None:
        """Before the first tick: the lamps are as `sequencer` has them, and go on from there in our time."""
        self.sequencer, self._aspects, self._stale = sequencer, sequencer.aspects, True
        self._street.restate()
        self.show()

    def show(self) -> None:
        """Show in the next second what the lamps are now."""
        letters = self.letters()
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
        vehicles, occupancy = loops.vehicles[self._rows], loops.occupancy[self._rows]
        seconds = time - self._last_read
        if self._read:
            vehicles, occupancy, seconds = np.zeros_like(vehicles), np.zeros_like(occupancy), 0.0
        elif self._owed is not None:
            vehicles, occupancy = self._owed[0] + vehicles, (self._owed[1] + occupancy) / seconds
            self._owed = None
        self._read = True
        self._last_read = time
        return Counts(time, seconds, vehicles, occupancy, self._no_fault)

    def status(self) -> Status:
        """Stage and aspects now."""
        self._settle()
        time = self._street.time
        elapsed = 0.0 if self._full_since is None else time - self._full_since
        return Status(time, self._key[0], not self.sequencer.complete, elapsed, Mode.REMOTE, self._aspects)

    def request(self, wish: Wish, calls: Sequence[bool] | npt.NDArray[np.bool_] | None = None) -> Refusal:
        """Ask for a stage; what the sequencer grants is shown from now on."""
        refusal = self.sequencer.grant(wish, calls)
        self.show()
        return refusal

    def letters(self) -> str:
        """The state string of now."""
        self._settle()
        return self._spell() if self._stale or self._street.time >= self._clear_at else self._spelt

    def keep(self) -> None:
        """A second begins; what was not read is kept for the next read."""
        if not self._read:
            vehicles, occupancy = self._street.loops.vehicles[self._rows], self._street.loops.occupancy[self._rows]
            owed = self._owed
            self._owed = (vehicles, occupancy) if owed is None else (owed[0] + vehicles, owed[1] + occupancy)
        self._read = False

    def _settle(self) -> None:
        """Notice a change of stage or aspects, and since when the stage is fully green."""
        key = (self.sequencer.stage, self._aspects.tobytes())
        if key == self._key:
            return
        self._key, self._stale = key, True
        ages = self.sequencer.ages
        green = self._site.stage_greens[key[0]] if key[0] >= 0 else np.zeros(len(ages), dtype=np.bool_)
        full = bool(green.any()) and bool((self._aspects[green] == _GREEN).all())
        self._full_since = self._street.time - float(ages[green].min()) if full else None

    def _spell(self) -> str:
        since = self.sequencer.since_green
        clearing = (since < self._clearance) & (self._aspects != _GREEN)
        told = clearing.tobytes()
        self._stale, self._clear_at = self.follows, _NEVER
        if 1 in told:
            self._clear_at = self._street.time + float((self._clearance - since)[clearing].min()) - _GRAIN
        key = (*self._key, told)
        letters = self._known.get(key)
        if letters is None:
            letters = self._known[key] = self.light.letters(self._aspects, self.sequencer.stage, clearing)
        self._spelt = letters
        return letters


def _as_slice(rows: npt.NDArray[np.intp]) -> slice | npt.NDArray[np.intp]:
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
