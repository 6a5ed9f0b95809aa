"""A heap of its own for SUMO inside this process.

Some of SUMO's decisions follow the order of its objects in memory (seen with 1.28 on a junction with opposing left turns: 47.7 or 50.2 s of
delay from the same seed). In a process of its own that order is always the same; in ours it depends on what Python left in the heap before.
The C library of Linux gives each thread an arena of memory, so SUMO is started, stepped and ended in a thread of its own, one for each
simulation, whose arena nobody else uses and nobody used before. A thread that ends leaves its arena, used, to the next one that starts:
threads are started until one got a new arena. The thread is kept, asleep, when the simulation has ended, as its arena would go to others.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
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
    """Runs functions in one thread of its own, one at a time, while the caller waits.

    Both stay on one core meanwhile: the thread goes where its caller is, and the caller wakes where it fell asleep. Left to the system,
    each wakes on another core than the one that just wrote what it will read (a grid of 16 lights took half as long again).
    """

    def __init__(self) -> None:
        self._asked, self._answered = threading.Lock(), threading.Lock()
        self._asked.acquire()
        self._answered.acquire()
        self._call: Callable[[], Any] = _nothing
        self._value: Any = None
        self._error: BaseException | None = None
        self._ended = False
        self._core, self._allowed = -1, set[int]()
        thread = threading.Thread(target=self._serve, name="sumo", daemon=True)
        thread.start()
        self._thread = thread.native_id or 0

    def run(self, call: Callable[[], Any]) -> Any:
        """What `call` gives; what it raises is raised here."""
        self._call = call
        allowed = self._stay()
        try:
            self._asked.release()
            self._answered.acquire()
        finally:
            _may_use(0, allowed)
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._value

    def roam(self) -> None:
        """For a copy of this process that goes on in the thread: it may use all cores again."""
        _may_use(0, self._allowed)

    def _stay(self) -> set[int]:
        """Bind the caller to the core it is on, and the thread to the same one; the cores the caller may use."""
        self._allowed, core = _allowed(), _core()
        _may_use(0, {core})
        if core != self._core:
            _may_use(self._thread, {core})
            self._core = core
        return self._allowed

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


def _cores() -> tuple[Callable[[], set[int]], Callable[[], int]]:
    """What tells which cores the calling thread may use, and which it is on; no cores where the system does not tell."""
    try:
        core: Callable[[], int] = ctypes.CDLL(None).sched_getcpu
        return lambda: os.sched_getaffinity(0), core
    except (OSError, AttributeError):
        return set, lambda: -1


_allowed, _core = _cores()


def _may_use(thread: int, cores: set[int]) -> None:
    """Let a thread (0: the calling one) run on these cores only; nothing changes where the system does not let us."""
    if cores and -1 not in cores:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(thread, cores)


def _nothing() -> None:
    return None
