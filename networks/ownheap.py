"""A heap of its own for SUMO inside this process.

Some of SUMO's decisions follow the order of its objects in memory (seen with 1.28 on a junction with opposing left turns: 47.7 or 50.2 s of
delay from the same seed). In a process of its own that order is always the same; in ours it depends on what Python left in the heap before.
The C library of Linux gives each thread an arena of memory, so SUMO is started, stepped and ended in a thread of its own, one for each
simulation, whose arena nobody else uses and nobody used before. The thread is kept, asleep, when the simulation has ended, as its arena
would go to the next.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

M_ARENA_MAX = -8
ARENAS = 4096
"""How many simulations a process may have, one after the other, before arenas are shared."""


def allow_arenas() -> None:
    """Raise the C library's limit on arenas, which is 8 for each core; does nothing where there is no such limit."""
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
    except (OSError, AttributeError):
        return


class OwnHeap:
    """Runs functions in one thread of its own, one at a time, while the caller waits."""

    def __init__(self) -> None:
        self._asked, self._answered = threading.Lock(), threading.Lock()
        self._asked.acquire()
        self._answered.acquire()
        self._call: Callable[[], Any] = _nothing
        self._value: Any = None
        self._error: BaseException | None = None
        threading.Thread(target=self._serve, name="sumo", daemon=True).start()

    def run(self, call: Callable[[], Any]) -> Any:
        """What `call` gives; what it raises is raised here."""
        self._call = call
        self._asked.release()
        self._answered.acquire()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._value

    def _serve(self) -> None:
        while True:
            self._asked.acquire()
            try:
                self._value = self._call()
            except BaseException as error:
                self._error = error
            self._answered.release()


def _nothing() -> None:
    return None
