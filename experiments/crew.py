"""A crew of worker processes: each does one job after another, and one that fails, hangs, grows too big or crashes
harms its own job only.

Workers are spawned, not forked: each has its own libsumo and knows nothing of its siblings, so what a job gives depends
on the job alone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from ..core.messages import _
from .memory import memory_in_use

LAST_LINES = 40
"""How much of what a worker printed is kept when its job fails."""
PRINTED = "printed"
"""The file in a worker's folder that holds what it printed."""
GRACE = 5.0
"""Seconds a worker has to clean up after it was told to stop."""
FULL = 0.75
"""A worker that still holds this share of its memory limit after a job is replaced before the next one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: its `value`, or None and the `error`: what the worker last printed, then the traceback or the reason, which
    ends it. `seconds` of wall time."""

    job: Any
    value: Any
    error: str
    seconds: float


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    folder: Path
    job: Any = None
    since: float = 0.0
    ready: bool = False

    @property
    def busy(self) -> bool:
        return self.since > 0


def work_through(
    jobs: Iterable[Any],
    work: Callable[[Any], Any],
    workers: int,
    *,
    timeout: float | None = None,
    memory_mib: float | None = None,
) -> Generator[Outcome, None, None]:
    """Do every job in one of `workers` processes; outcomes come as they are ready, so in no fixed order.

    `work` must be importable and jobs and values picklable. A job that takes longer than `timeout` [s] or whose worker
    grows above `memory_mib` fails, its worker is replaced; so is, between two jobs, one that has grown near that.
    Leaving the loop early (Ctrl-C, an error) stops all workers.
    """
    waiting = iter(jobs)
    crew: list[_Worker] = []
    with tempfile.TemporaryDirectory(prefix="signalwright-", ignore_cleanup_errors=True) as folder:
        try:
            exhausted = False
            outcomes: list[Outcome] = []
            while True:
                while not exhausted and (idle := _idle(crew, work, workers, Path(folder))) is not None:
                    try:
                        _give(idle, next(waiting))
                    except StopIteration:
                        exhausted = True
                yield from outcomes  # they work on while the chief deals with these
                busy = [worker for worker in crew if worker.busy]
                if not busy:
                    return
                outcomes = _harvest(crew, busy, timeout, memory_mib)
        finally:
            _dismiss(crew)


def _idle(crew: list[_Worker], work: Callable[[Any], Any], workers: int, folder: Path) -> _Worker | None:
    """A worker with nothing to do, hired if there is room for one more."""
    for worker in crew:
        if not worker.busy:
            return worker
    if len(crew) >= workers:
        return None
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    own = Path(tempfile.mkdtemp(dir=folder))
    process = context.Process(target=_serve, args=(theirs, work, str(own)), daemon=True)
    process.start()
    theirs.close()
    crew.append(_Worker(process, ours, own))
    return crew[-1]


def _give(worker: _Worker, job: Any) -> None:
    worker.job, worker.since = job, time.monotonic()
    with contextlib.suppress(BrokenPipeError):  # it died while idle: the sentinel tells
        worker.pipe.send(job)


def _harvest(
    crew: list[_Worker], busy: list[_Worker], timeout: float | None, memory_mib: float | None
) -> list[Outcome]:
    """Wait for news of the busy workers, a second at most, and tell what came."""
    outcomes = []
    wait([item for worker in busy for item in (worker.pipe, worker.process.sentinel)], timeout=1.0)
    for worker in busy:
        answer = _answer(worker)  # asked once: what comes a moment later may be the other kind of news
        if answer is not None and not worker.ready:
            worker.ready = True
            worker.since = time.monotonic()  # the time it took to start is not the job's
            continue
        seconds, error = time.monotonic() - worker.since, ""
        if answer is not None:
            value, error = answer
            outcome = Outcome(worker.job, value, error and _last_words(worker) + error, seconds)
            worker.job, worker.since = None, 0.0
            if memory_mib is not None and memory_in_use(worker.process.pid or 0) > FULL * memory_mib:
                _dismiss([worker])
                crew.remove(worker)
            outcomes.append(outcome)
            continue
        if not worker.process.is_alive():
            error = _("the worker process ended by itself ({how})").format(how=_ending(worker.process.exitcode))
        elif timeout is not None and worker.ready and seconds > timeout:
            error = _("stopped after {timeout:g} s without a result; allow more time or mend the strategy").format(
                timeout=timeout
            )
        elif memory_mib is not None and (used := memory_in_use(worker.process.pid or 0)) > memory_mib:
            error = _("stopped: it used {used:.0f} MiB of memory, {limit:g} are allowed").format(
                used=used, limit=memory_mib
            )
        if error:
            error = _last_words(worker) + error
            _dismiss([worker])
            crew.remove(worker)
            outcomes.append(Outcome(worker.job, None, error, seconds))
    return outcomes


def _answer(worker: _Worker) -> tuple[Any, str] | None:
    try:
        return worker.pipe.recv() if worker.pipe.poll() else None
    except (EOFError, OSError):
        return None


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return _("signal {name}").format(name=signal.Signals(-code).name)
    return _("exit code {code}").format(code=code)


def _last_words(worker: _Worker) -> str:
    """What a worker printed last, and what a program it ran left in logs that nobody came to read."""
    said = []
    for log in (worker.folder / PRINTED, *sorted(worker.folder.glob("*/*.log"))):
        if log.is_file() and (lines := log.read_text(encoding="utf-8", errors="replace").splitlines()):
            title = _("last messages:") if log.name == PRINTED else _("last messages in {log}:").format(log=log.name)
            said += [title, *lines[-LAST_LINES:], ""]
    return "".join(line + "\n" for line in said)


def _dismiss(crew: list[_Worker]) -> None:
    for worker in crew:
        worker.pipe.close()
        worker.process.terminate()
    for worker in crew:
        worker.process.join(GRACE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        shutil.rmtree(worker.folder, ignore_errors=True)


def _serve(pipe: Connection, work: Callable[[Any], Any], folder: str) -> None:
    """A worker's life: job in, value or traceback out, until there is nobody to answer to. What it leaves behind, even killed, lies in its
    `folder`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the chief hears Ctrl-C and tells
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(0)
    )  # by way of an exception, so that half-written things are removed
    _end_with_the_chief()
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    with open(os.path.join(folder, PRINTED), "wb", buffering=0) as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        faulthandler.enable(file)  # a crash in C tells what Python was at
        pipe.send(("ready", ""))
        while True:
            try:
                job = pipe.recv()
            except (EOFError, OSError):
                return
            os.ftruncate(file.fileno(), 0)
            file.seek(0)
            try:
                answer = work(job), ""
            except Exception:
                answer = None, traceback.format_exc()
            with contextlib.suppress(BrokenPipeError):
                pipe.send(answer)


def _end_with_the_chief() -> None:
    """End this process when the chief's has ended, even killed: nobody would hear what it works on."""
    chief = multiprocessing.parent_process()
    if chief is None:
        return

    def watch() -> None:
        wait([chief.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="chief", daemon=True).start()
