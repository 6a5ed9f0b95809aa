"""The control loop: the same function for simulation, emulator and road."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from .counts import Counts
from .forecast import Forecast, Neighbourly
from .ports import Abreast, Cabinet, Clock, Controller, Refusal, Sociable, Status, Wish
from .state import TrafficState

if TYPE_CHECKING:
    from .estimate import Estimates

Bools = npt.NDArray[np.bool_]


class Estimator(Protocol):
    """Counts in, state out; one for each intersection."""

    def update(self, counts: Counts, status: Status) -> TrafficState:
        """The state at the end of the interval the counts speak of."""


@dataclass(slots=True)
class Junction:
    """One intersection under control: the roadside, what we believe of it, and who decides."""

    cabinet: Cabinet
    estimator: Estimator
    controller: Controller


Observer = Callable[[Junction, TrafficState, Wish, Refusal], None]


def run(clock: Clock, junctions: Sequence[Junction], observe: Observer | None = None) -> None:
    """Read, estimate, decide, request, once a tick for every junction, until the clock ends.

    Neighbourly controllers hear at the next tick what was told at this one. `observe` sees every decision and can change nothing.
    """
    talkers = [(j.cabinet.intersection.name, j.controller) for j in junctions if isinstance(j.controller, Neighbourly)]
    cabinets = _abreast(junctions) or _OneByOne(junctions)
    while clock.tick():
        states = cabinets.hear()
        wishes = [junction.controller.decide(state) for junction, state in zip(junctions, states, strict=True)]
        refusals = cabinets.request(wishes, [state.calls for state in states])
        if observe is not None:
            for seen in zip(junctions, states, wishes, refusals, strict=True):
                observe(*seen)
        if len(talkers) > 1:
            exchange(talkers)


class _OneByOne:
    """The roadside of any junctions, each in its turn."""

    def __init__(self, junctions: Sequence[Junction]) -> None:
        self._junctions = junctions

    def hear(self) -> Sequence[TrafficState]:
        return [j.estimator.update(j.cabinet.read(), j.cabinet.status()) for j in self._junctions]

    def request(self, wishes: Sequence[Wish], calls: Sequence[Bools]) -> Sequence[Refusal]:
        asked = zip(self._junctions, wishes, calls, strict=True)
        return [junction.cabinet.request(wish, standing) for junction, wish, standing in asked]


@dataclass(slots=True)
class _Together:
    """The roadside of junctions whose cabinets go abreast, with our own estimators."""

    estimates: Estimates
    cabinets: Abreast

    def hear(self) -> Sequence[TrafficState]:
        return self.cabinets.hear(self.estimates)

    def request(self, wishes: Sequence[Wish], calls: Sequence[Bools]) -> Sequence[Refusal]:
        return self.cabinets.request(wishes, calls)


def _abreast(junctions: Sequence[Junction]) -> _Together | None:
    from .estimate import Estimate, Estimates

    ours = [j.estimator for j in junctions if type(j.estimator) is Estimate]
    if not ours or len(ours) < len(junctions) or not isinstance(junctions[0].cabinet, Sociable):
        return None
    cabinets = junctions[0].cabinet.beside([j.cabinet for j in junctions])
    return None if cabinets is None else _Together(Estimates(ours), cabinets)


def exchange(talkers: Sequence[tuple[str, Neighbourly]]) -> None:
    """Hand on what neighbourly controllers, by the names of their intersections, tell each other."""
    letters: dict[str, list[Forecast]] = {}
    for _, controller in talkers:
        for forecast in controller.tell():
            letters.setdefault(forecast.receiver, []).append(forecast)
    for name, controller in talkers:
        if (post := letters.get(name)) is not None:
            controller.hear(tuple(post))
