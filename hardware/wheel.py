"""Who is to be woken when: one timer for everybody, in slots of 10 ms."""

from __future__ import annotations

import asyncio
import heapq
from math import ceil, inf
from typing import Protocol

_WIDTH = 0.01


class Sleeper(Protocol):
    """Somebody who is woken when it is time, and says then when to be woken next."""

    slot: float
    wanted: float

    def wake(self, now: float) -> float:
        """It is time; returns when it is time again, `inf` for never."""


class Wheel:
    """Sleepers in the order of their slots. Times are the loop's, in [s].

    A sleeper whose time moves further away stays where it is and is put on when its slot comes, which costs less than
    finding and taking out its entry after each answer on each line. `slot` and `wanted` of a sleeper are the wheel's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Sleeper]] = {}
        self._order: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._rings = inf

    def put(self, sleeper: Sleeper, due: float) -> None:
        """Wake it at `due`, or earlier."""
        sleeper.wanted = due
        if due == inf:
            return
        slot = ceil(due / _WIDTH)
        if slot >= sleeper.slot:
            return
        sleeper.slot = slot
        others = self._slots.get(slot)
        if others is not None:
            others.append(sleeper)
            return
        self._slots[slot] = [sleeper]
        heapq.heappush(self._order, slot)
        if slot < self._rings:
            self._ring_at(slot)

    def _ring_at(self, slot: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = slot
        self._timer = self._loop.call_at(slot * _WIDTH, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings = None, inf
        now = self._loop.time()
        while self._order and self._order[0] * _WIDTH <= now:
            slot = heapq.heappop(self._order)
            for sleeper in self._slots.pop(slot):
                if sleeper.slot == slot:
                    sleeper.slot = inf
                    due = sleeper.wanted if sleeper.wanted > now else sleeper.wake(now)
                    self.put(sleeper, max(due, now + _WIDTH / 2))
        if self._order and self._order[0] < self._rings:
            self._ring_at(self._order[0])

    def stop(self) -> None:
        """Wake nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._slots.clear()
        self._order.clear()
