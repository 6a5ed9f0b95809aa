"""SUMO in this process gives the same numbers whatever the heap went through before."""

from __future__ import annotations

import ctypes
import os
import random
import threading
import time
from pathlib import Path

import pytest

from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec
from signalwright.networks import ownheap
from signalwright.networks.ownheap import OwnHeap

pytest.importorskip("libsumo")

SENSITIVE = Path(__file__).resolve().parents[3] / "shared" / "scenarios" / "resco" / "cologne1"
"""Two left turns that wait for each other inside the junction: here SUMO's choice followed the order of objects in memory."""


def fragment(seed: int) -> None:
    """Leave thirty thousand holes of all sizes in the heap."""
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes, library.free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )
    drawn = random.Random(seed)
    blocks = [library.malloc(drawn.choice((16, 48, 96, 200, 400, 800, 2048))) for _ in range(40_000)]
    drawn.shuffle(blocks)
    for block in blocks[:30_000]:
        library.free(block)


def test_same_numbers_in_any_heap() -> None:
    """Runs in a process whose heap is torn up in between, also by threads that have ended, are the same, and the same as over TraCI."""
    window = {"begin": 25200.0, "end": 26400.0} if SENSITIVE.exists() else {"end": 600.0}
    scenario = str(SENSITIVE) if SENSITIVE.exists() else "cross"
    rows = []
    for seed in range(3):
        rows.append(run_once(RunSpec(scenario, "plan", **window)).trips)  # type: ignore[arg-type]
        fragment(seed)
        ended = [threading.Thread(target=fragment, args=(10 * seed + number,)) for number in range(3)]
        for thread in ended:
            thread.start()
        for thread in ended:
            thread.join()
    rows.append(run_once(RunSpec(scenario, "plan", transport="traci", **window)).trips)  # type: ignore[arg-type]
    unlike = [
        row.join(rows[0], on=row.columns, how="anti", nulls_equal=True).sort("depart", "id").head(3).to_dicts()
        for row in rows
    ]
    assert unlike == [[]] * 4
    assert all(row.equals(rows[0]) for row in rows)


def test_a_heap_where_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the C library gives no more arenas a thread serves all the same, and those tried have ended."""
    monkeypatch.setattr(ownheap, "_arenas", lambda library: 1)
    monkeypatch.setattr(ownheap, "TRIES", 3)
    before = threading.active_count()
    heap = ownheap.own_heap()
    assert heap.run(lambda: 7) == 7
    heap.end()
    deadline = time.monotonic() + 10.0
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_one_thread() -> None:
    """All calls are made in one thread that is not the caller's; values and exceptions come back."""
    heap = OwnHeap()
    threads = {heap.run(threading.get_ident) for _ in range(5)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    with pytest.raises(ZeroDivisionError):
        heap.run(lambda: 1 // 0)
    assert heap.run(lambda: 7) == 7


def test_its_caller_keeps_all_its_cores() -> None:
    """While the thread works it runs where its caller was; before and after, the caller may use the cores it could."""
    allowed = os.sched_getaffinity(0)
    heap = OwnHeap()
    there = heap.run(lambda: os.sched_getaffinity(0))
    assert len(there) == 1
    assert there <= allowed
    assert os.sched_getaffinity(0) == allowed

    def branch() -> set[int]:
        heap.roam()
        return os.sched_getaffinity(0)

    assert heap.run(branch) == allowed
