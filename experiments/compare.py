"""Run a batch: every run once, in as many processes as wanted, over any interruption, with the same numbers however it
is divided."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Any

import polars as pl

from ..core.errors import InputError, ResultError
from ..core.messages import _
from .batch import BatchDirectory, Failure
from .crew import Outcome, work_through
from .memory import fair_share
from .result import result_files
from .run import run_key, run_once, verify
from .spec import BatchSpec, RunSpec

Job = tuple[str, dict[str, Any]]
"""A run's key and its spec as plain values: what goes to a worker."""

Engine = Callable[[Sequence[Job], Callable[[Job], dict[str, bytes]]], Iterable[Outcome]]
"""Who does the jobs: gives one outcome for every job, in any order."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is. `kept` runs were there before; `seconds_left` is an estimate, None while there is nothing to
    go by."""

    total: int
    kept: int
    done: int
    failed: int
    seconds_left: float | None
    last: str

    @property
    def left(self) -> int:
        """Runs still to come."""
        return self.total - self.kept - self.done - self.failed


@dataclass(frozen=True)
class Comparison:
    """What a batch came to: its directory, one row for every finished run, the failures, how many runs were `kept` from before, how
    many that lie there are `stale` (of other files, code or versions than now), and the wall time of this call [s]."""

    directory: Path
    runs: pl.DataFrame
    failures: tuple[Failure, ...]
    kept: int
    stale: int
    wall_s: float


def compare(
    batch: BatchSpec,
    out: Path,
    *,
    workers: int | None = None,
    shard: str | None = None,
    engine: Engine | None = None,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Comparison:
    """Run what is not there yet of a batch and tabulate it in `out`.

    A batch that lies there already is gone on with or extended; one that is no part of this batch is refused, or replaced
    with `overwrite`.

    `workers` are processes on this machine, by default one for each core; an `engine` takes their place. `shard` "2/5"
    does the second of five parts; `batch.merge` brings them together. A run that fails is saved as a failure and tried
    again by the next call. On Ctrl-C finished runs are kept. Raises InputError before any work if a scenario, strategy
    or light does not exist, ResultError if the directory is in use, holds another batch or cannot be written.
    """
    started = monotonic()
    if workers is not None and workers < 1:
        raise InputError(_("{n} workers can do nothing; give one or more").format(n=workers))
    runs = batch.runs()
    verify(runs)
    keys = [run_key(run) for run in runs]
    mine = set(part(keys, shard))
    directory = BatchDirectory(out)
    directory.claim()
    with directory.locked(shard.replace("/", "-of-") if shard else ""):
        directory.begin(batch, keys, overwrite=overwrite)
        there = directory.finished()
        todo = [(key, run) for key, run in zip(keys, runs, strict=True) if key in mine and key not in there]
        known = None if engine is not None else workers or cores()
        tracker = _Tracker(len(mine), len(mine & there), known, {key: run for key, run in todo}, progress)
        failures = []
        jobs = [(key, run.as_dict()) for key, run in todo]
        for outcome in (engine or local_engine(workers or cores(), batch.timeout, batch.memory_mib))(jobs, do_run):
            key = outcome.job[0]
            if outcome.error:
                failures.append(Failure(key, _title(tracker.runs[key]), outcome.error))
                directory.fail(failures[-1])
            else:
                directory.keep(key, outcome.value)
            tracker.tell(outcome)
        table = directory.tabulate(keys) if shard is None else directory.rows(sorted(mine))
    return Comparison(out, table, tuple(failures), tracker.kept, len(there - set(keys)), monotonic() - started)


def do_run(job: Job) -> dict[str, bytes]:
    """One run, in a worker: the files of its result directory."""
    key, values = job
    spec = RunSpec(**values)
    if run_key(spec) != key:
        raise InputError(
            _(
                "the files of {scenario}, a strategy or the code of signalwright changed after this batch began; begin it again"
            ).format(scenario=spec.scenario)
        )
    result = run_once(spec)
    return result_files(replace(result, manifest={**result.manifest, "key": key}))


def local_engine(workers: int, timeout: float | None = None, memory_mib: float | None = None) -> Engine:
    """Worker processes on this machine, each within `memory_mib`, by default its share of the machine's memory. Of every
    seed the longest jobs come first, so that the workers end at about the same time."""

    def engine(jobs: Sequence[Job], work: Callable[[Job], dict[str, bytes]]) -> Iterator[Outcome]:
        limit = fair_share(workers) if memory_mib is None else memory_mib
        order = _LongestFirst(jobs)
        for outcome in work_through(order, work, min(workers, len(jobs)), timeout=timeout, memory_mib=limit):
            order.learn(outcome)
            yield outcome

    return engine


class _LongestFirst:
    """Gives out jobs seed by seed, as they come, but of one seed's always one of the kind that takes longest, as far as is known."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = [(RunSpec(**job[1]), job) for job in jobs]
        self._seconds: dict[tuple[str, ...], float] = {}

    def __iter__(self) -> Iterator[Job]:
        for _seed, group in groupby(self._jobs, key=lambda pair: pair[0].seed):
            left = list(group)
            while left:
                longest = max(left, key=lambda pair: self._seconds.get(_alike(pair[0])[0], float("inf")))
                left.remove(longest)
                yield longest[1]

    def learn(self, outcome: Outcome) -> None:
        """Remember how long a job took; the quickest of its kind says it best, as a worker's first one has things to load."""
        kind = _alike(RunSpec(**outcome.job[1]))[0]
        self._seconds[kind] = min(outcome.seconds, self._seconds.get(kind, float("inf")))


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def part(keys: Sequence[str], shard: str | None) -> list[str]:
    """The keys of one shard, "i/n" with i from 1; None is all of them. Raises InputError.

    >>> part(["a", "b", "c", "d", "e"], "2/3")
    ['b', 'e']
    """
    if shard is None:
        return list(keys)
    index, slash, count = shard.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise InputError(_("shard {shard!r}: write i/n, for instance 2/5 for the second of five").format(shard=shard))
    return list(keys[int(index) - 1 :: int(count)])


def _title(run: RunSpec) -> str:
    return _("{scenario}, {arm}, {timing} timing, scale {scale:g}, seed {seed}").format(
        scenario=Path(run.scenario).stem, arm=run.arm, timing=run.timing, scale=run.scale, seed=run.seed
    )


class _Tracker:
    """Counts outcomes and estimates what is left: a run takes as long as those of its scenario under its strategy did. Where
    nobody knows how many work on it (`workers` None), the rest goes as fast as what is done."""

    def __init__(
        self,
        total: int,
        kept: int,
        workers: int | None,
        runs: dict[str, RunSpec],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.total, self.kept, self.workers, self.runs = total, kept, workers, runs
        self._progress = progress
        self._began = monotonic()
        self._left = dict(runs)
        self._seconds: dict[tuple[str, ...], list[float]] = {}
        self._done = self._failed = 0
        self._report("")

    def tell(self, outcome: Outcome) -> None:
        run = self._left.pop(outcome.job[0])
        for alike in _alike(run):
            self._seconds.setdefault(alike, []).append(outcome.seconds)
        self._failed += bool(outcome.error)
        self._done += not outcome.error
        self._report(_title(run))

    def _report(self, last: str) -> None:
        if self._progress is not None:
            self._progress(Progress(self.total, self.kept, self._done, self._failed, self._estimate(), last))

    def _estimate(self) -> float | None:
        if not (done := self._done + self._failed):
            return None
        if self.workers is None:
            return (monotonic() - self._began) / done * len(self._left)
        means = {alike: sum(seconds) / len(seconds) for alike, seconds in self._seconds.items()}
        work = sum(next(means[alike] for alike in _alike(run) if alike in means) for run in self._left.values())
        return work / max(1, min(self.workers, len(self._left)))


def _alike(run: RunSpec) -> tuple[tuple[str, ...], ...]:
    """What runs that take about as long have in common, the most telling first."""
    return (run.scenario, run.arm), (run.scenario,), ()


def failures_of(out: Path) -> list[Failure]:
    """The failures saved in a batch directory. Raises ResultError."""
    folder = BatchDirectory(out).path / "failures"
    try:
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}
    except OSError as error:
        raise ResultError(_("{path}: cannot be read: {why}").format(path=folder, why=error.strerror)) from error
    return [Failure(key, *text.split("\n\n", 1)) for key, text in texts.items()]
