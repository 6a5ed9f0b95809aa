"""The crew of workers: every job gets exactly one outcome, whatever happens to the process that does it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import crew_jobs
from signalwright.experiments import crew
from signalwright.experiments.crew import work_through
from signalwright.experiments.memory import memory_in_use


def test_every_job_once() -> None:
    """Forty jobs over two workers give forty outcomes, each the right one, from two processes only."""
    outcomes = list(work_through([("square", i) for i in range(40)], crew_jobs.do, 2))
    assert sorted(o.value for o in outcomes) == [i * i for i in range(40)]
    assert {o.job[1] ** 2 == o.value for o in outcomes} == {True}
    assert len({o.value for o in work_through([("pid", 0)] * 6, crew_jobs.do, 2)}) <= 2


def test_ready_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that reports for duty just after it was asked for news does its job: that report is not taken for the job's value."""
    asked = crew._answer

    def slow(worker: crew._Worker) -> object:
        news = asked(worker)
        if news is None and not worker.ready:
            worker.pipe.poll(20.0)  # it comes now, a moment after it was asked for
        return news

    monkeypatch.setattr(crew, "_answer", slow)
    monkeypatch.setattr(crew, "wait", lambda *_, **__: [])  # as when another worker has news
    assert [o.value for o in work_through([("square", 3)], crew_jobs.do, 1)] == [9]


def test_failures_stay_alone() -> None:
    """An exception, a crash in C, an exit and a hang fail their own job with what is known, and the others are done."""
    jobs = [("square", 2), ("raise", 7), ("crash", 0), ("square", 3), ("exit", 0), ("hang", 0), ("square", 4)]
    outcomes = {o.job: o for o in work_through(jobs, crew_jobs.do, 2, timeout=20.0)}
    assert len(outcomes) == len(jobs)
    assert [outcomes["square", i].value for i in (2, 3, 4)] == [4, 9, 16]
    assert "ArithmeticError: job 7 cannot be done" in outcomes["raise", 7].error
    assert "SIGSEGV" in outcomes["crash", 0].error
    assert "the network is on fire" in outcomes["crash", 0].error
    assert "crew_jobs.py" in outcomes["crash", 0].error
    assert "exit code 3" in outcomes["exit", 0].error
    assert "20 s without a result" in outcomes["hang", 0].error
    assert outcomes["hang", 0].seconds >= 6.0


def test_a_killed_worker_leaves_its_logs_only() -> None:
    """Of a worker that is killed the logs it left are told, then the reason; its folder is gone, and so is that of one that ends well."""
    killed, failed = work_through([("killed", 0), ("where", 0)], crew_jobs.do, 1)
    *said, reason = killed.error.splitlines()
    assert "Error: vehicle 'a' fell off the map" in said
    assert reason == "the worker process ended by itself (signal SIGKILL)"
    *said, reason = failed.error.splitlines()
    assert "so much to say" in said
    folder = Path(reason.removeprefix("ArithmeticError: "))
    assert folder.parent.name.startswith("signalwright-")
    assert not folder.exists()


def test_memory_is_bounded() -> None:
    """A worker that grows above the limit is stopped and its job says by how much."""
    (outcome,) = work_through([("grow", 300)], crew_jobs.do, 1, timeout=60.0, memory_mib=250.0)
    assert "250 are allowed" in outcome.error
    assert memory_in_use(os.getpid()) > 10


def test_a_grown_worker_is_replaced() -> None:
    """A worker that keeps most of its memory limit after a job gives way to a fresh one; a small one works on."""
    jobs = [("hoard", 350), ("pid", 0), ("pid", 1)]
    first, second, third = (o.value for o in work_through(jobs, crew_jobs.do, 1, timeout=60.0, memory_mib=450.0))
    assert first != second == third


def test_stopping_early_leaves_nothing(tmp_path: Path) -> None:
    """Leaving the loop stops the workers, and what they were writing is cleaned up by them."""
    mark = tmp_path / "mark"
    loop = work_through([("square", 1), (str(mark), 1)], crew_jobs.do, 2)
    assert next(loop).value == 1
    assert within(20, mark.exists)
    loop.close()
    assert not mark.exists()


def test_a_worker_that_cannot_start() -> None:
    """Work that a worker cannot import fails its job with the reason, and the loop ends."""
    (outcome,) = work_through([1], _gone, 1)
    assert "ended by itself" in outcome.error


class _Gone:
    """Pickles as something that is nowhere."""

    def __call__(self, job: object) -> object:
        return job

    def __reduce__(self) -> tuple[object, ...]:
        return (__import__, ("no_such_module_anywhere",))


_gone = _Gone()


def test_workers_do_not_outlive_their_chief(tmp_path: Path) -> None:
    """A chief killed with -9 takes its workers along, and what they were writing is cleaned up by them."""
    mark = tmp_path / "mark"
    chief = subprocess.Popen([sys.executable, crew_jobs.__file__, str(mark)])
    try:
        assert within(30, mark.exists)
    finally:
        chief.kill()
        chief.wait()
    assert within(30, lambda: not mark.exists())


def within(seconds: float, fact: Callable[[], bool]) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.05)
    return fact()
