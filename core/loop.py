"""The control loop: the same function for simulation, emulator and road."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .counts import Counts
from .forecast import Forecast, Neighbourly
from .ports import Cabinet, Clock, Controller, Refusal, Status, Wish
from .state import TrafficState


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
    states = _states(junctions)
    while clock.tick():
        for junction, state in zip(junctions, states(), strict=True):
            wish = junction.controller.decide(state)
            refusal = junction.cabinet.request(wish, state.calls)
            if observe is not None:
                observe(junction, state, wish, refusal)
        if len(talkers) > 1:
            exchange(talkers)


def _states(junctions: Sequence[Junction]) -> Callable[[], Iterable[TrafficState]]:
    """What gives the states of one second: our own estimators together, others each in its turn."""
    from .estimate import Estimate, Estimates

    ours = [j.estimator for j in junctions if type(j.estimator) is Estimate]
    if 1 < len(ours) == len(junctions):
        together = Estimates(ours)
        return lambda: together.update([(j.cabinet.read(), j.cabinet.status()) for j in junctions])
    return lambda: (j.estimator.update(j.cabinet.read(), j.cabinet.status()) for j in junctions)


def exchange(talkers: Sequence[tuple[str, Neighbourly]]) -> None:
    """Hand on what neighbourly controllers, by the names of their intersections, tell each other."""
    letters: dict[str, list[Forecast]] = {}
    for _, controller in talkers:
        for forecast in controller.tell():
            letters.setdefault(forecast.receiver, []).append(forecast)
    for name, controller in talkers:
        if (post := letters.get(name)) is not None:
            controller.hear(tuple(post))
