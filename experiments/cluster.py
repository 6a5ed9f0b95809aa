"""A batch on more than one machine: the jobs go to a Dask scheduler, whose workers may come and go."""

from __future__ import annotations

import importlib
import os
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from ..core.errors import InputError
from ..core.messages import _
from .compare import Engine, Job
from .crew import Outcome
from .provenance import code_hash

WAIT = 30.0
"""Seconds to wait for the scheduler and for its first worker."""

_one_at_a_time = threading.Lock()


def scheduler_engine(address: str, timeout: float | None = None) -> Engine:
    """An engine for `compare` on the scheduler at `address` (tcp://host:port, or the path of a scheduler file).

    Workers need this package in the same version and the scenarios under the same paths; give each one thread, as a
    process holds one simulation. A job whose worker dies is done by another one; a job that takes its worker with it
    three times fails. With `timeout` [s] a worker that overruns ends itself. Raises InputError where there is no
    scheduler, no worker, or a worker with other code.
    """

    def engine(jobs: Sequence[Job], work: Callable[[Job], dict[str, bytes]]) -> Iterator[Outcome]:
        with _client(address) as client:
            _same_code(client, address)
            yield from _outcomes(client, jobs, partial(_do, work, timeout))

    return engine


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        message = _("running on a scheduler needs Dask; install the extra: pip install 'signalwright[cluster]'")
        raise InputError(message) from error


def _client(address: str) -> Any:
    path, connect = Path(address), _distributed().Client
    try:
        client = connect(scheduler_file=str(path), timeout=WAIT) if path.is_file() else connect(address, timeout=WAIT)
    except (OSError, ValueError) as error:
        raise InputError(_("{address}: no scheduler answers: {error}").format(address=address, error=error)) from error
    return client


def _same_code(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WAIT)
    except TimeoutError as error:
        message = _("{address}: the scheduler has no worker; start some: dask worker {address} --nthreads 1")
        raise InputError(message.format(address=address)) from error
    ours = code_hash()
    for worker, theirs in client.run(code_hash).items():
        if theirs != ours:
            message = _("{worker} runs other code than this; install the same version of signalwright there")
            raise InputError(message.format(worker=worker))


def _outcomes(
    client: Any, jobs: Sequence[Job], work: Callable[[Job], tuple[dict[str, bytes], float]]
) -> Iterator[Outcome]:
    as_completed = _distributed().as_completed
    started = monotonic()
    futures = {client.submit(work, job, key=f"run-{job[0]}", pure=True): job for job in jobs}
    try:
        for future in as_completed(list(futures)):
            job = futures.pop(future)
            if future.status == "finished":
                files, seconds = future.result()
                yield Outcome(job, files, "", seconds)
            else:
                error = future.exception()
                text = "".join(traceback.format_exception(error)) or str(error)
                yield Outcome(job, None, text, monotonic() - started)
            future.release()
    finally:
        client.cancel(list(futures))


def _do(work: Callable[[Job], dict[str, bytes]], timeout: float | None, job: Job) -> tuple[dict[str, bytes], float]:
    """A job in a worker, one at a time however many threads it has; its files and how long it took [s]."""
    with _one_at_a_time:
        started = monotonic()
        watch = threading.Timer(timeout, os._exit, (75,)) if timeout is not None else None
        if watch is not None:
            watch.daemon = True
            watch.start()
        try:
            return work(job), monotonic() - started
        finally:
            if watch is not None:
                watch.cancel()
