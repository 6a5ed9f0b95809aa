"""What a line cabinet asks next: commands, then who is there, then its status, its counts, and who is there once more.

Who is there is asked until it is answered as the site file has it, before anything is written; and again, a question at a
time, so that all of it is confirmed every `verify`: a controller can be reprogrammed, or changed for another, while we run.

Counts are read once a period. Who decides on them says when (`count_by`): they are asked for so much earlier that they are there
by then, and no status comes between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, inf, isinf
from typing import Generic

from .driver import A, Driver, Q
from .habits import Habits

_MOST_AHEAD = 0.5
"""Counts are not asked for earlier than that [s]: they would be those of before."""


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
    _counts_due: float = -inf
    _asked_counts: float = -inf
    _polled: float = -inf
    _commanded: bool = False
    _lead: float = 0.0
    _held_up: bool = False
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
        self._held_up = True
        polls = [] if alone else [(request, command) for request, command in self._ahead if not command]
        self._ahead = deque([(request, True) for request in commands])
        self._ahead.extend(polls[1:] if is_out else polls)

    def clear(self) -> None:
        """Ask nothing of what was meant to be asked; who is there is asked anew."""
        self._ahead.clear()
        self._next_check, self.is_whole = -inf, False

    @property
    def due(self) -> float:
        """When the next question is to be asked."""
        return min(self.next_poll, self._counts_due - self._lead)

    @property
    def is_counting(self) -> bool:
        """Counts are being asked for."""
        return bool(self._ahead) and any(self._ahead[-1][0] is one for one in self._counts)

    def count_by(self, when: float) -> None:
        """Counts are wanted then [s], and every period from then on."""
        period = self.driver.detector_period
        self._counts_due = when + (
            0.0 if isinf(self._counts_due) else period * ceil((self._counts_due - when) / period)
        )

    def next(self, now: float, blind: bool, doubted: bool) -> Q | None:
        """The question whose turn it is, None when it is nobody's. `blind`: not identified; `doubted`: and for a reason."""
        if not self._ahead:
            if self._counts and not blind and now >= self._counts_due - self._lead and not self._owes_status(now):
                self._plan_counts(now)
            elif now >= self.next_poll:
                self.next_poll = max(self.next_poll + self.habits.poll, now)
                self._plan(now, blind, doubted)
            else:
                return None
        return self._ahead[0][0]

    def _owes_status(self, now: float) -> bool:
        """A command was answered, and the status must confirm it; or counts were the last, and on a line that is too slow for both
        they take turns with the status."""
        return (self._commanded or self._asked_counts > self._polled) and now >= self.next_poll

    def _plan_counts(self, now: float) -> None:
        period = self.driver.detector_period
        self._asked_counts, self._held_up = now, False
        if isinf(self._counts_due):
            self._counts_due = now
        self._counts_due += period * max(1, ceil((now - self._counts_due) / period))
        self._ahead.extend((request, False) for request in self._counts)

    def _learn(self, took: float) -> None:
        """Counts came at last; how long that takes is followed slowly, so that their samples are asked for at an even pace."""
        wanted = min(2 * took, _MOST_AHEAD)
        if not self._held_up:
            self._lead = wanted if self._lead == 0 else self._lead + (wanted - self._lead) / 16
        self._held_up = False

    def _plan(self, now: float, blind: bool, doubted: bool) -> None:
        asked, habits = list(self._polls), self.habits
        self._polled, self._commanded = now, False
        if blind and (not doubted or now >= self._next_check):
            asked[:0] = self._identity
            self.is_whole = True
            self._next_check = now + (habits.verify if doubted else habits.verify / len(self._identity))
        elif not blind and now >= self._next_check:
            asked.append(self._identity[self._checked % len(self._identity)])
            self._checked += 1
            self._next_check = now + habits.verify / len(self._identity)
        self._ahead.extend((request, False) for request in asked)

    def identifies(self, request: Q) -> bool:
        """This is a question for who is there."""
        return any(request is one for one in self._identity)

    def done(self, request: Q, now: float) -> bool:
        """This question was answered, or failed; True when it was a command."""
        if self._counts and request is self._counts[-1]:
            self._learn(now - self._asked_counts)
        if not self._ahead or self._ahead[0][0] is not request:
            return False
        command = self._ahead.popleft()[1]
        self._commanded |= command
        return command
