"""What neighbouring junctions tell each other: plain data that could cross a network unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Forecast:
    """From `sender` to `receiver` about one stretch of road, named by the exit (and approach arm) both know it by.

    `outflow` [veh] expected to come from the sender onto the stretch in each second from `time` [s] on; empty when it only speaks of
    room. `room` [veh] is what still fits into the stretch, `price` [s] the wait of one more vehicle, both told upstream; None if unknown.
    `waits` are the junctions that traffic on a full stretch waits for, directly or through others: who finds himself among them stands
    in a ring. `came` [veh] came in the last second over the loops on its `lanes` that lie `along` [m] behind the stretch's beginning, told
    upstream by whose road it is, and downstream by who counts behind his junction; None where they cannot be believed.
    """

    sender: str
    receiver: str
    exit: str
    time: float
    outflow: tuple[float, ...] = ()
    room: float | None = None
    price: float | None = None
    waits: tuple[str, ...] = ()
    came: tuple[float, ...] | None = None
    lanes: tuple[str, ...] = ()
    along: float = 0.0


@runtime_checkable
class Neighbourly(Protocol):
    """A controller that talks to its neighbours."""

    def tell(self) -> tuple[Forecast, ...]:
        """What the neighbours should know after the last decision."""

    def hear(self, forecasts: tuple[Forecast, ...]) -> None:
        """What they said, before the next decision."""
