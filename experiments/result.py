"""A run's result, and the directory it is kept in: result.json, trips.parquet and manifest.json, whole or not there at
all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import ResultError
from ..core.messages import _

RESULT, TRIPS, MANIFEST = "result.json", "trips.parquet", "manifest.json"
TABLES = ("lanes.parquet", "movements.parquet", "decisions.parquet")
"""Further tables a run may leave beside its trips."""

NOT_COMPARED = frozenset({"wall_s", "peak_mib"})
"""Fields of a row that tell of the machine, not of the traffic: a rerun may differ in them."""


@dataclass(frozen=True)
class Result:
    """One run.

    row       flat: what was run, every metric, what it cost; becomes result.json
    trips     one row per scheduled vehicle (`metrics.TRIP_SCHEMA`)
    manifest  all that is needed to run it again and to tell whether it came out the same
    tables    further tables by file name, see `TABLES`
    """

    row: dict[str, Any]
    trips: pl.DataFrame
    manifest: dict[str, Any]
    tables: Mapping[str, pl.DataFrame]

    def differences(self, row: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Fields in which an earlier `row` differs from this result's, as {field: (there, here)}; neither machine figures nor
        what was not measured then are compared."""
        names = [name for name in row if name not in NOT_COMPARED]
        return {name: (row[name], self.row.get(name)) for name in names if row[name] != self.row.get(name)}


def table_hash(table: pl.DataFrame) -> str:
    """SHA-256 of a table's content, whatever the file format or its version."""
    return hashlib.sha256(table.write_csv().encode()).hexdigest()


def write_result(result: Result, out: Path, *, overwrite: bool = False) -> None:
    """Write a result directory whole: everything goes to a directory beside `out`, which then takes its place.

    An `out` that holds anything is refused; with `overwrite` an older result is replaced, but nothing else ever is.
    Raises ResultError, and leaves no trace, where it cannot be written.
    """
    check_target(out, overwrite=overwrite)
    write_directory(out, result_files(result))


def result_files(result: Result) -> dict[str, bytes]:
    """The files of a result directory by name; the manifest comes last."""
    return {
        RESULT: _json(result.row),
        TRIPS: _parquet(result.trips),
        **{name: _parquet(table) for name, table in result.tables.items()},
        MANIFEST: _json(result.manifest),
    }


def check_target(out: Path, *, overwrite: bool = False) -> None:
    """Refuse, before any work is done, an `out` that `write_result` would refuse. Raises ResultError."""
    if out.exists() and not out.is_dir():
        raise ResultError(_("{out} is a file; name a directory for the result").format(out=out))
    content = sorted(entry.name for entry in out.iterdir()) if out.exists() else []
    if not content:
        return
    if foreign := [name for name in content if name not in (RESULT, TRIPS, MANIFEST, *TABLES)]:
        message = _("{out} already holds other things ({names}); name a new or empty directory for the result")
        raise ResultError(message.format(out=out, names=", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")))
    if not overwrite:
        raise ResultError(
            _("{out} already holds a result; name another directory, or ask to overwrite it").format(out=out)
        )


def write_directory(out: Path, files: Mapping[str, bytes]) -> None:
    """Put `files` into a new directory beside `out`, then let it take the place of `out`; on any failure nothing has
    changed."""
    token = uuid.uuid4().hex[:8]
    fresh, old = (out.parent / f".{out.name}.{token}.{what}" for what in ("partial", "old"))
    try:
        fresh.mkdir(parents=True)
        for name, content in files.items():
            with (fresh / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    except BaseException as error:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(fresh, ignore_errors=True)
        if isinstance(error, OSError):
            raise cannot_write(out, error) from error
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises ResultError."""
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException as error:
        fresh.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot_write(path, error) from error
        raise


def cannot_write(path: Path, error: OSError) -> ResultError:
    """The one message for a result that found no room or no right to be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ResultError(
            _("{path}: the disk is full; nothing was written. Free some space and run again").format(path=path)
        )
    return ResultError(
        _("{path}: cannot be written: {why}; nothing was left behind").format(path=path, why=error.strerror)
    )


def read_result(directory: Path) -> Result:
    """Read a result directory back. Raises ResultError if something in it is missing or broken."""
    try:
        row, manifest = (json.loads((directory / name).read_text(encoding="utf-8")) for name in (RESULT, MANIFEST))
        trips = pl.read_parquet(directory / TRIPS)
        tables = {name: pl.read_parquet(directory / name) for name in TABLES if (directory / name).exists()}
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise ResultError(
            _("{directory} is not a whole result: {error}").format(directory=directory, error=error)
        ) from error
    return Result(row, trips, manifest, tables)


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest in a file, or in a result directory. Raises ResultError."""
    path = path / MANIFEST if path.is_dir() else path
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(_("{path} is no manifest: {error}").format(path=path, error=error)) from error
    if not isinstance(found, dict):
        raise ResultError(_("{path} is no manifest: it holds a list or a value").format(path=path))
    return found


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
