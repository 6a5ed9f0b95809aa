"""How a program runs, signal by signal: when greens and ambers begin and end, round after round, branches included."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from .light import Program
from .programs import GREEN, YELLOW

TIMED = frozenset({"static", "actuated", "delay_based"})
"""Kinds of program whose steps say all that is shown and when; others add ambers and reds of their own."""


@dataclass(frozen=True)
class Course:
    """A program as a graph of steps. Durations [s] are the shortest a step can have."""

    program: Program

    @cached_property
    def least(self) -> tuple[float, ...]:
        """(n_steps,) the shortest each step can be [s]."""
        actuated = self.program.kind != "static"
        return tuple(
            step.min_duration if actuated and step.min_duration is not None else step.duration
            for step in self.program.steps
        )

    @cached_property
    def onward(self) -> tuple[tuple[int, ...], ...]:
        """(n_steps,) the steps that may follow each."""
        n = len(self.program.steps)
        return tuple(
            tuple(k for k in step.following if 0 <= k < n) or ((number + 1) % n,)
            for number, step in enumerate(self.program.steps)
        )

    def shows(self, index: int, step: int) -> str:
        """The letter of a signal in a step; red where the program has none for it."""
        state = self.program.steps[step].state
        return state[index] if index < len(state) else "r"

    def green(self, index: int, step: int) -> bool:
        """Whether a signal is green in a step."""
        return self.shows(index, step) in GREEN

    def changes(self) -> Iterator[tuple[int, int]]:
        """Every change from step to step that can happen."""
        for step, followers in enumerate(self.onward):
            for follower in followers:
                if follower != step:
                    yield step, follower

    def ends_of_green(self, index: int) -> list[tuple[int, int]]:
        """The changes at which a signal's green ends."""
        return [(a, b) for a, b in self.changes() if self.green(index, a) and not self.green(index, b)]

    def amber_from(self, index: int, step: int) -> float:
        """How long [s] a signal shows yellow from the beginning of `step` on, at least; 0 if it does not begin with
        yellow.
        """
        return self._least_while(step, lambda k: self.shows(index, k) in YELLOW)

    def shortest_green(self, index: int) -> tuple[float, int] | None:
        """The shortest green of a signal [s] and the step it begins with; None if it is never or always green."""
        begins = [b for a, b in self.changes() if not self.green(index, a) and self.green(index, b)]
        runs = [(self._least_while(step, lambda k: self.green(index, k)), step) for step in dict.fromkeys(begins)]
        return min(runs, default=None)

    def gap(self, ending: int, starting: int) -> tuple[float, float, int] | None:
        """The shortest time [s] from an end of green of one signal to the next start of green of another.

        With it the yellow [s] shown after that green, and the step in which it ended. Greens that overlap have no gap,
        and those for which the first turns green again before the second are measured from there. None if there is
        none.
        """
        found = []
        for a, b in self.ends_of_green(ending):
            if self.green(starting, a):
                continue
            time = self._until_green(b, ending, starting)
            if time is not None:
                found.append((time, self.amber_from(ending, b), a))
        return min(found, default=None)

    def _least_while(self, first: int, holds: Callable[[int], bool]) -> float:
        """The shortest time [s] from the beginning of a step to the first step where `holds` does not; infinite if
        that never comes.
        """
        queue, done = [(0.0, first)], set()
        while queue:
            time, step = heapq.heappop(queue)
            if not holds(step):
                return time
            if step not in done:
                done.add(step)
                for follower in self.onward[step]:
                    heapq.heappush(queue, (time + self.least[step], follower))
        return float("inf")

    def _until_green(self, first: int, ending: int, starting: int) -> float | None:
        queue, done = [(0.0, first)], set()
        while queue:
            time, step = heapq.heappop(queue)
            if self.green(starting, step):
                return time
            if step in done or self.green(ending, step):
                continue
            done.add(step)
            for follower in self.onward[step]:
                heapq.heappush(queue, (time + self.least[step], follower))
        return None
