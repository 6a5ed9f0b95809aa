"""What a line cabinet asks next: commands, then who is there, then its status, its counts, and who is there once more.

Who is there is asked until it is answered as the site file has it, before anything is written; and again, a question at a
time, so that all of it is confirmed every `verify`: a controller can be reprogrammed, or changed for another, while we run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Generic

from .driver import A, Driver, Q
from .habits import Habits


@dataclass(slots=True)
class Agenda(Generic[Q, A]):
    """Questions in the order of their turn. `status` is the one whose answer tells mode, stage and lamps; `is_whole` says
    that who is there is being asked or was, and that nothing has come between.
    """

    driver: Driver[Q, A]
    habits: Habits
    next_poll: float = -inf
    is_whole: bool = False
    _polls: tuple[Q, ...] = field(init=False)
    _counts: tuple[Q, ...] = field(init=False)
    _identity: tuple[Q, ...] = field(init=False)
    _ahead: deque[tuple[Q, bool]] = field(default_factory=deque)
    _next_counts: float = -inf
    _next_check: float = -inf
    _checked: int = 0

    def __post_init__(self) -> None:
        driver = self.driver
        self._polls, self._counts, self._identity = (
            tuple(driver.poll()),
            tuple(driver.counts()),
            tuple(driver.identify()),
        )

    def __bool__(self) -> bool:
        return bool(self._ahead)

    @property
    def status(self) -> Q:
        """The question for the status."""
        return self._polls[-1]

    @property
    def has_command(self) -> bool:
        """A command waits, or is out."""
        return any(command for _, command in self._ahead)

    @property
    def is_urgent(self) -> bool:
        """A command is the next."""
        return bool(self._ahead) and self._ahead[0][1]

    def command(self, commands: Sequence[Q], alone: bool = False, is_out: bool = False) -> None:
        """Commands go before everything that waits; `is_out` tells that the first of these has been sent already. `alone`:
        nothing else of before is asked any more."""
        polls = [] if alone else [(request, command) for request, command in self._ahead if not command]
        self._ahead = deque([(request, True) for request in commands])
        self._ahead.extend(polls[1:] if is_out else polls)

    def clear(self) -> None:
        """Ask nothing of what was meant to be asked; who is there is asked anew."""
        self._ahead.clear()
        self._next_check, self.is_whole = -inf, False

    def next(self, now: float, blind: bool, doubted: bool) -> Q | None:
        """The question whose turn it is, None when it is nobody's. `blind`: not identified; `doubted`: and for a reason."""
        if not self._ahead:
            if now < self.next_poll:
                return None
            self.next_poll = max(self.next_poll + self.habits.poll, now)
            self._plan(now, blind, doubted)
        return self._ahead[0][0]

    def _plan(self, now: float, blind: bool, doubted: bool) -> None:
        asked, habits = list(self._polls), self.habits
        if blind and (not doubted or now >= self._next_check):
            asked[:0] = self._identity
            self.is_whole = True
            self._next_check = now + (habits.verify if doubted else habits.verify / len(self._identity))
        elif not blind:
            if now >= self._next_counts:
                late = now - self._next_counts > self.driver.detector_period
                self._next_counts = (now if late else self._next_counts) + self.driver.detector_period
                asked += self._counts
            if now >= self._next_check:
                asked.append(self._identity[self._checked % len(self._identity)])
                self._checked += 1
                self._next_check = now + habits.verify / len(self._identity)
        self._ahead.extend((request, False) for request in asked)

    def identifies(self, request: Q) -> bool:
        """This is a question for who is there."""
        return any(request is one for one in self._identity)

    def done(self, request: Q) -> bool:
        """This question was answered, or failed; True when it was a command."""
        if self._ahead and self._ahead[0][0] is request:
            return self._ahead.popleft()[1]
        return False
