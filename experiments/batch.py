"""A batch directory: one sub-directory for every finished run, named by what was run, and the tables drawn from them.

A run's name is a digest of all that can change its numbers: the spec, the content of every input file, our code, the
strategy's code, the version of SUMO. So a run that is there never needs to be run again, and one whose inputs changed
is never mistaken for done.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import ResultError
from ..core.messages import _
from .result import RESULT, cannot_write, write_directory, write_file
from .spec import BatchSpec, batch, lacking

BATCH, RUNS, FAILURES, LOCK = "batch.json", "runs", "failures", ".lock"
WIDE, TIDY_PARQUET, TIDY_CSV = TABLES = "runs.parquet", "metrics.parquet", "metrics.csv"
REPORT = "report"
"""Where the report of a batch lies, within its directory."""

ABOUT = ("key", "scenario", "controller", "timing", "seed", "begin", "end", "scale", "jitter", "view")
"""Columns of the tidy table that say which run a row is of; every other number of a run becomes a row."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that gave no result, and why: the last line of `error` is the reason, above it the traceback or SUMO's last
    messages."""

    key: str
    what: str
    error: str

    @property
    def file(self) -> str:
        """What it is saved as, under `FAILURES`."""
        return f"{self.key}.txt"


class BatchDirectory:
    """Where a batch keeps its runs. Nothing in it is ever half-written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def claim(self) -> None:
        """Make the directory ours if it is new or empty. Raises ResultError if it holds anything but a batch."""
        try:
            here = {entry.name for entry in self.path.iterdir()} if self.path.exists() else set()
            if BATCH not in here and any(name not in (RUNS, FAILURES) and not name.startswith(LOCK) for name in here):
                message = _("{path} holds other things than a batch; name a new or empty directory")
                raise ResultError(message.format(path=self.path))
            for name in (RUNS, FAILURES):
                (self.path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    @contextlib.contextmanager
    def locked(self, shard: str = "") -> Iterator[None]:
        """Hold the directory: alone, or beside other shards of one batch. Raises ResultError if it is taken or cannot be written."""
        with contextlib.ExitStack() as stack:
            try:
                whole = stack.enter_context((self.path / LOCK).open("a+"))
                locks = [(whole, fcntl.LOCK_SH if shard else fcntl.LOCK_EX)]
                if shard:
                    locks.append((stack.enter_context((self.path / f"{LOCK}-{shard}").open("a+")), fcntl.LOCK_EX))
            except OSError as error:
                raise cannot_write(self.path, error) from error
            for file, how in locks:
                try:
                    fcntl.flock(file, how | fcntl.LOCK_NB)
                except OSError as error:
                    message = _(
                        "{path} is in use by another batch{who}; wait for it, or name another directory with --out"
                    )
                    file.seek(0)
                    pid = file.read().strip()
                    raise ResultError(message.format(path=self.path, who=f" (process {pid})" if pid else "")) from error
            file.truncate(0)
            with contextlib.suppress(OSError):  # on a full disk nobody is told who holds it
                os.write(file.fileno(), str(os.getpid()).encode())
            for rest in [*(self.path / RUNS).glob(".*.partial"), *(self.path / RUNS).glob(".*.old")]:
                if not shard:
                    shutil.rmtree(rest, ignore_errors=True)
            yield

    def finished(self) -> set[str]:
        """Keys of the runs that are there."""
        return {entry.name for entry in (self.path / RUNS).iterdir() if not entry.name.startswith(".")}

    def keep(self, key: str, files: dict[str, bytes]) -> None:
        """Keep a run's files; a run that is there already stays as it is. Forgets an older failure of it."""
        if not (self.path / RUNS / key).exists():
            write_directory(self.path / RUNS / key, files)
        (self.path / FAILURES / f"{key}.txt").unlink(missing_ok=True)

    def fail(self, failure: Failure) -> None:
        """Save why a run failed."""
        write_file(self.path / FAILURES / failure.file, f"{failure.what}\n\n{failure.error}\n".encode())

    def begin(self, spec: BatchSpec, keys: Sequence[str], *, overwrite: bool = False) -> None:
        """Save what the batch is. A batch that lies here may be gone on with or extended; another one is only replaced with `overwrite`.

        What it finished of this batch stays in any case. Raises ResultError.
        """
        try:
            gate = (self.path / f"{LOCK}-begin").open("a")
        except OSError as error:
            raise cannot_write(self.path, error) from error
        with gate:
            fcntl.flock(gate, fcntl.LOCK_EX)  # shards of two batches may come at once
            if (self.path / BATCH).exists() and (lacks := self._lacking(spec, keys)):
                if not overwrite:
                    message = _(
                        "{path} holds another batch, which also has {lacks}; name another directory with --out, or put this "
                        "batch in its place with --overwrite"
                    )
                    raise ResultError(message.format(path=self.path, lacks=lacks))
                self._clear(keys)
            self.describe(spec.model_dump(mode="json"), keys)
        for path in (self.path / FAILURES).glob("*.txt"):
            if path.stem not in keys:  # of files, code or a strategy as they were
                path.unlink(missing_ok=True)

    def _lacking(self, spec: BatchSpec, keys: Sequence[str]) -> str:
        """What the batch that lies here has and the new one has not, in words."""
        there = self.description()
        return "" if set(there["keys"]) <= set(keys) else lacking(batch(str(self.path), there["spec"]), spec)

    def _clear(self, keys: Sequence[str]) -> None:
        """Remove all of an older batch that is no run of the new one."""
        for run in self.finished() - set(keys):
            shutil.rmtree(self.path / RUNS / run, ignore_errors=True)
        shutil.rmtree(self.path / REPORT, ignore_errors=True)
        for table in TABLES:
            (self.path / table).unlink(missing_ok=True)

    def describe(self, spec: dict[str, Any], keys: Sequence[str]) -> None:
        """Save what the batch is, for reports and merges."""
        text = json.dumps({"format": 1, "spec": spec, "keys": list(keys)}, indent=1, ensure_ascii=False)
        write_file(self.path / BATCH, text.encode())

    def description(self) -> dict[str, Any]:
        """What `describe` saved. Raises ResultError."""
        try:
            found: dict[str, Any] = json.loads((self.path / BATCH).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ResultError(_("{path} holds no batch: {why}").format(path=self.path, why=error)) from error
        return found

    def rows(self, keys: Iterable[str]) -> pl.DataFrame:
        """One row for every finished run among `keys`, in that order."""
        rows = []
        for key in keys:
            path = self.path / RUNS / key / RESULT
            if path.exists():
                rows.append({"key": key} | json.loads(path.read_text(encoding="utf-8")))
        return pl.DataFrame(rows, infer_schema_length=None)

    def tabulate(self, keys: Sequence[str]) -> pl.DataFrame:
        """Write the tables of the finished runs among `keys`: one row a run, and tidy, one row a run and metric.
        Returns the first."""
        wide = self.rows(keys)
        tidy = tidied(wide)
        for name, table in ((WIDE, wide), (TIDY_PARQUET, tidy)):
            fresh = self.path / f".{name}.partial"
            try:
                table.write_parquet(fresh)
                fresh.replace(self.path / name)
            except OSError as error:
                fresh.unlink(missing_ok=True)
                raise cannot_write(self.path / name, error) from error
        write_file(self.path / TIDY_CSV, tidy.write_csv().encode())
        return wide


def tidied(wide: pl.DataFrame) -> pl.DataFrame:
    """One row per run and metric out of one row per run."""
    if wide.is_empty():
        return pl.DataFrame(schema=dict.fromkeys((*ABOUT, "metric"), pl.String) | {"value": pl.Float64})
    about = [name for name in ABOUT if name in wide.columns]
    numbers = [name for name, kind in wide.schema.items() if name not in about and kind.is_numeric()]
    narrow = wide.select(*about, *(pl.col(name).cast(pl.Float64) for name in numbers))
    return narrow.unpivot(on=numbers, index=about, variable_name="metric", value_name="value")


def merge(parts: Sequence[Path], out: Path) -> tuple[pl.DataFrame, list[str]]:
    """Bring the shards of one batch together in `out`, which may be one of them; the table of all runs, and the keys
    still missing.

    Raises ResultError where parts are of different batches, or the same run has different numbers in two of them.
    """
    shards = [BatchDirectory(part) for part in parts]
    descriptions = [shard.description() for shard in shards]
    for part, description in zip(parts, descriptions, strict=True):
        if description["keys"] != descriptions[0]["keys"]:
            raise ResultError(_("{0} and {1} are parts of different batches").format(parts[0], part))
    target = BatchDirectory(out)
    target.claim()
    keys: list[str] = descriptions[0]["keys"]
    spec = batch(str(parts[0]), descriptions[0]["spec"])
    with target.locked():
        target.begin(spec, keys)
        for shard in shards:
            for key in sorted(shard.finished() & set(keys)):
                _bring(shard.path / RUNS / key, target, key)
        return target.tabulate(keys), [key for key in keys if key not in target.finished()]


def _bring(run: Path, target: BatchDirectory, key: str) -> None:
    there = target.path / RUNS / key
    if there.exists():
        from .result import NOT_COMPARED

        ours, theirs = (json.loads((place / RESULT).read_text(encoding="utf-8")) for place in (there, run))
        if any(ours.get(name) != theirs.get(name) for name in ours | theirs if name not in NOT_COMPARED):
            raise ResultError(
                _("{run} and {there} are the same run with different numbers").format(run=run, there=there)
            )
        return
    target.keep(key, {file.name: file.read_bytes() for file in sorted(run.iterdir())})
