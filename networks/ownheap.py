"""A heap of its own for SUMO inside this process.

Some of SUMO's decisions follow the order of its objects in memory (seen with 1.28 on a junction with opposing left turns: 47.7 or 50.2 s of
delay from the same seed). In a process of its own that order is always the same; in ours it depends on what Python left in the heap before.
The C library of Linux gives each thread an arena of memory, so SUMO is started, stepped and ended in a thread of its own, one for each
simulation, whose arena nobody else uses and nobody used before. A thread that ends leaves its arena, used, to the next one that starts:
threads are started until one got a new arena. The thread is kept, asleep, when the simulation has ended, as its arena would go to others.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3
ARENAS = 4096
"""How many simulations a process may have, one after the other, before arenas are shared."""
LARGE = 128 * 1024
"""Blocks of this size [bytes] lie outside of arenas: the C library's own value, which else grows with what a process freed before."""
TRIES = 256
"""Threads that have ended and left their arenas behind are rarely more."""


def _allow_arenas() -> None:
    """Done when this module is loaded: the C library asks for its limits once, when a process has more than a few threads."""
    try:
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, ARENAS)
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
    except (OSError, AttributeError):
        return


_allow_arenas()


def own_heap() -> OwnHeap:
    """A thread whose memory nobody used before; any thread where the C library has no arenas, or gives no more of them."""
    used: list[OwnHeap] = []
    try:
        library = ctypes.CDLL(None)
        library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        for _ in range(TRIES):
            before = _arenas(library)
            heap = OwnHeap()
            heap.run(lambda: library.free(library.malloc(64)))
            if _arenas(library) > before:
                return heap
            used.append(heap)
    except (OSError, AttributeError):
        pass
    finally:
        for other in used:
            other.end()
    return OwnHeap()


def _arenas(library: ctypes.CDLL) -> int:
    """How many arenas this process has."""
    library.open_memstream.restype = ctypes.c_void_p
    text, size = ctypes.c_void_p(), ctypes.c_size_t()
    stream = ctypes.c_void_p(library.open_memstream(ctypes.byref(text), ctypes.byref(size)))
    library.malloc_info(0, stream)
    library.fclose(stream)
    count = ctypes.string_at(text, size.value).count(b"<heap nr=")
    library.free(text)
    return count


class OwnHeap:
    """Runs functions in one thread of its own, one at a time, while the caller waits."""

    def __init__(self) -> None:
        self._asked, self._answered = threading.Lock(), threading.Lock()
        self._asked.acquire()
        self._answered.acquire()
        self._call: Callable[[], Any] = _nothing
        self._value: Any = None
        self._error: BaseException | None = None
        self._ended = False
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

    def end(self) -> None:
        """Let the thread end, and its memory go to others."""
        self._ended = True
        self._asked.release()

    def _serve(self) -> None:
        while True:
            self._asked.acquire()
            if self._ended:
                return
            try:
                self._value = self._call()
            except BaseException as error:
                self._error = error
            self._answered.release()


def _nothing() -> None:
    return None
