"""One line and who stands on it: one cabinet, or several at their addresses (RS-485), which take turns.

| on a shared line | |
|---|---|
| turn | one question and its answer, then the next cabinet in the round; one that has a command to send goes first |
| no answer | the others go on after one time-out; the question is asked again at its cabinet's next turn |
| lost cabinet | is asked once in `_REST` seconds only, so that it does not starve the others |
| late answer | its address is not that of the cabinet asked now: thrown away |

A line that disappears is opened again, and nothing of before is believed then. No event loop here and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

from ..core.errors import LinkLost
from .line import Line
from .link import Link, State

_REST = 5.0


class Station(Protocol):
    """A cabinet as its line sees it."""

    @property
    def link(self) -> Link[Any, Any]:
        """Its questions and answers."""

    @property
    def due(self) -> float:
        """When `advance` next has something to do."""

    @property
    def is_urgent(self) -> bool:
        """It has a command to send."""

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came for it."""

    def advance(self, now: float) -> None:
        """Time has passed; it may ask."""

    def outgoing(self) -> bytes:
        """What it asks."""

    def reopened(self) -> None:
        """The port was closed and opened again."""

    def line_is(self, trouble: str | None) -> None:
        """The line has gone, and why; None when it is open."""


@dataclass(slots=True, eq=False)
class Trunk:
    """`turnaround` [s] is left between what was heard and what is said next, for lines that must be turned round.

    `attach` is called each time the line has been opened; `aside` opens what may take long, without it that is waited for.
    """

    line: Line
    stations: Sequence[Station]
    turnaround: float = 0.0
    attach: Callable[[], None] = lambda: None
    aside: Executor | None = None
    slot: float = inf
    wanted: float = inf
    _turn: int = 0
    _heard: float = -inf
    _resting: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self._resting = [-inf] * len(self.stations)

    def take(self, data: bytes, now: float) -> float:
        """Bytes came from the line; returns when to wake it, as `wake` does."""
        self._heard = now
        try:
            self.stations[self._turn].receive(data, now)
        except Exception as problem:
            return self._broken(problem, now)
        return self.wake(now)

    def pump(self, now: float) -> float:
        """`wake`, having read what the line has: for a line that is in no event loop."""
        try:
            while self.line.is_open and (data := self.line.read()):
                self.take(data, now)
        except LinkLost as problem:
            self.gone(problem)
        return self.wake(now)

    def wake(self, now: float) -> float:
        """Whatever is due; returns when there is something to do again."""
        try:
            return self._serve(now)
        except Exception as problem:
            return self._broken(problem, now)

    def _broken(self, problem: Exception, now: float) -> float:
        """A mistake of this program ends nothing but what stands on this line: it is closed, and begun again later."""
        if self.line.is_open:
            self.line.close()
            self.line.next_try = now + _REST
        self._tell(f"this program failed at {self.line.name} ({type(problem).__name__}: {problem}); it begins again")
        return now + _REST

    def _serve(self, now: float) -> float:
        if not self.line.is_open and not self._open(now):
            for station in self.stations:
                station.advance(now)
                station.outgoing()
            return min(self.line.next_try, *(station.due for station in self.stations))
        if now < self._heard + self.turnaround:
            return self._heard + self.turnaround
        if len(self.stations) == 1:
            station = self.stations[0]
            station.advance(now)
            self._write(station.outgoing())
            return station.due
        return self._go_round(now)

    def _go_round(self, now: float) -> float:
        speaker = self.stations[self._turn].link
        if speaker.state is State.WAITING and now < speaker.due:
            return speaker.due
        for row in self._round():
            station = self.stations[row]
            if station.link.lost:
                if now < self._resting[row]:
                    continue
                self._resting[row] = now + _REST
            station.advance(now)
            if data := station.outgoing():
                self._turn = row
                self._write(data)
                return station.link.due
        return min(self._due_of(row) for row in range(len(self.stations)))

    def _round(self) -> list[int]:
        """Who is asked first: those with a command, then the one after the last."""
        count = len(self.stations)
        rows = [(self._turn + step) % count for step in range(1, count + 1)]
        return sorted(rows, key=lambda row: not self.stations[row].is_urgent)

    def _due_of(self, row: int) -> float:
        station = self.stations[row]
        return max(station.due, self._resting[row]) if station.link.lost else station.due

    def _write(self, data: bytes) -> None:
        if data:
            try:
                self.line.write(data)
            except LinkLost as problem:
                self.gone(problem)

    def _open(self, now: float) -> bool:
        """Opened again; what was in the air before is not believed."""
        if not self.line.reopen(now, self.aside):
            if self.line.trouble is not None:
                self._tell(self.line.trouble)
            return False
        for station in self.stations:
            station.reopened()
        self._tell(None)
        self.attach()
        return True

    def gone(self, problem: LinkLost) -> None:
        """The line has disappeared."""
        self._tell(str(problem))

    def _tell(self, trouble: str | None) -> None:
        for station in self.stations:
            station.line_is(trouble)

    def close(self) -> None:
        """Give the line back."""
        self.line.close()
