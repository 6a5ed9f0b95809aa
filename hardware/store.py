"""Memory that survives: events, counts and what operators and cabinets said, in one SQLite file with a bounded size.

Rows are gathered and written once a second in one transaction that is on the disk when `flush` returns, so that a kill
or a power cut takes the last second and no more. When the file has reached its size the oldest day goes.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.counts import Counts
from ..core.errors import InputError, ResultError
from .indiana import Row

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (time REAL NOT NULL, device TEXT NOT NULL, code INTEGER NOT NULL, parameter INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_time ON events (time);
CREATE TABLE IF NOT EXISTS counts (time REAL NOT NULL, device TEXT NOT NULL, detector INTEGER NOT NULL,
                                   interval REAL NOT NULL, vehicles INTEGER NOT NULL, occupancy REAL NOT NULL, fault INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS counts_by_time ON counts (time);
CREATE TABLE IF NOT EXISTS notes (time REAL NOT NULL, device TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS notes_by_time ON notes (time);
"""
_TABLES = ("events", "counts", "notes")
_INSERTS = _EVENT, _COUNT, _NOTE = (
    "INSERT INTO events VALUES (?, ?, ?, ?)",
    "INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO notes VALUES (?, ?, ?)",
)
Rows = dict[str, deque[tuple[object, ...]]]
_COLUMNS = ("TimeStamp", "DeviceId", "EventId", "Parameter")
_DAY = 86_400.0
_OURS = 0x5369_6774


class Store:
    """One file for one cabinet PC; `device` tells cabinets apart. Raises InputError when the file cannot be used.

    One thread may gather and `take` while another one does `write`: a slow disk then delays nobody. `most_waiting` rows of
    each kind are kept while the disk takes none.
    """

    def __init__(self, path: str | Path, most_bytes: int = 1 << 30, most_waiting: int = 100_000) -> None:
        self.path = Path(path)
        self.most_bytes, self.most_waiting = most_bytes, most_waiting
        self.trouble: str | None = None
        self._pending, self._kept = self._nothing(), self._nothing()
        try:
            self._base = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            (ours,) = self._base.execute("PRAGMA application_id").fetchone()
            (tables,) = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if ours != _OURS and tables:
                self._base.close()
                raise InputError(f"{self.path} is a data base of another program; name another file")
            if not tables:
                self._base.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._base.execute(f"PRAGMA application_id = {_OURS}")
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.executescript(_SCHEMA)
        except sqlite3.Error as problem:
            raise InputError(f"{self.path} cannot be used as event store: {problem}") from None

    def _nothing(self) -> Rows:
        return {statement: deque(maxlen=self.most_waiting) for statement in _INSERTS}

    def events(self, device: str, rows: list[Row]) -> None:
        """Keep Indiana rows."""
        self._pending[_EVENT] += [(row.time, device, row.code, row.parameter) for row in rows]

    def counts(self, device: str, time: float, counts: Counts) -> None:
        """Keep a sample of the detectors, numbered from 1 in the order of the site; empty ones are left out."""
        columns = (counts.vehicles.tolist(), counts.occupancy.tolist(), counts.fault.tolist())
        self._pending[_COUNT] += [
            (time, device, row, counts.interval, vehicles, occupancy, fault)
            for row, (vehicles, occupancy, fault) in enumerate(zip(*columns, strict=True), 1)
            if vehicles or occupancy or fault
        ]

    def note(self, device: str, time: float, text: str) -> None:
        """Keep what an operator should be able to read later: commands, refusals, losses."""
        self._pending[_NOTE].append((time, device, text))

    def flush(self) -> bool:
        """Write what was gathered; False when the disk would not take it, which `trouble` then explains."""
        return self.write(self.take())

    def take(self) -> Rows:
        """What was gathered since the last call, for `write`."""
        pending, self._pending = self._pending, self._nothing()
        return pending

    def write(self, taken: Rows) -> bool:
        """Bring rows to the disk, with those it would not take before; as `flush`.

        Control goes on without memory: a full disk is no reason to let go of a cabinet.
        """
        for statement, rows in taken.items():
            self._kept[statement] += rows
        try:
            with self._base:
                self._base.execute("BEGIN")
                for statement, rows in self._kept.items():
                    if rows:
                        self._base.executemany(statement, rows)
            self._kept = self._nothing()
            self._bound()
        except sqlite3.Error as problem:
            self.trouble = f"{self.path}: {problem}: events wait in memory until there is room"
            return False
        self.trouble = None
        return True

    @property
    def size(self) -> int:
        """Bytes in use."""
        (pages,) = self._base.execute("PRAGMA page_count").fetchone()
        (free,) = self._base.execute("PRAGMA freelist_count").fetchone()
        (page,) = self._base.execute("PRAGMA page_size").fetchone()
        return int((pages - free) * page)

    def report(self) -> dict[str, object]:
        """For a machine: where it lies, how big it is, what troubles it."""
        size = self.path.stat().st_size if self.path.exists() else 0
        return {"path": str(self.path), "bytes": size, "most_bytes": self.most_bytes, "trouble": self.trouble}

    def _bound(self) -> None:
        """Let the oldest day go, or half of what there is when that is less."""
        if self.size <= self.most_bytes:
            return
        spans = [self._base.execute(f"SELECT min(time), max(time) FROM {table}").fetchone() for table in _TABLES]
        times = [time for span in spans for time in span if time is not None]
        until = min(times) + min(_DAY, (max(times) - min(times)) / 2)
        with self._base:
            self._base.execute("BEGIN")
            for table in _TABLES:
                self._base.execute(f"DELETE FROM {table} WHERE time <= ?", (until,))
        self._base.execute("PRAGMA incremental_vacuum")
        self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read_events(
        self, device: str | None = None, begin: float = 0.0, end: float = 1e12
    ) -> Iterator[tuple[float, str, int, int]]:
        """Time, device, code, parameter in order of time."""
        query = "SELECT time, device, code, parameter FROM events WHERE time >= ? AND time < ?"
        values: tuple[object, ...] = (begin, end)
        if device is not None:
            query, values = query + " AND device = ?", (*values, device)
        yield from self._base.execute(query + " ORDER BY time, rowid", values)

    def read_notes(self, last: int = 100) -> list[tuple[float, str, str]]:
        """The last notes, oldest first."""
        rows = self._base.execute(
            "SELECT time, device, text FROM notes ORDER BY time DESC, rowid DESC LIMIT ?", (last,)
        )
        return list(rows)[::-1]

    def export(self, path: str | Path, device: str | None = None, begin: float = 0.0, end: float = 1e12) -> int:
        """Write events as ATSPM tools read them, CSV or Parquet by the name's ending; returns how many there were."""
        path = Path(path)
        if path.suffix not in (".csv", ".parquet"):
            raise InputError(f"{path}: events are exported as .csv or .parquet")
        rows = [
            (datetime.fromtimestamp(time, UTC).replace(tzinfo=None), *rest)
            for time, *rest in self.read_events(device, begin, end)
        ]
        write: Callable[[Path, list[tuple[datetime, str, int, int]]], None]
        write = _write_csv if path.suffix == ".csv" else _write_parquet
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        try:
            write(Path(temporary), rows)  # type: ignore[arg-type]
            os.replace(temporary, path)
        except OSError as problem:
            raise ResultError(f"{path} cannot be written: {problem.strerror}") from None
        finally:
            Path(temporary).unlink(missing_ok=True)
        return len(rows)

    def close(self) -> None:
        """Write what is left and give the file back."""
        self.flush()
        self._base.close()


def _write_csv(path: Path, rows: list[tuple[datetime, str, int, int]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for time, *rest in rows:
            writer.writerow([time.isoformat(sep=" ", timespec="milliseconds"), *rest])


def _write_parquet(path: Path, rows: list[tuple[datetime, str, int, int]]) -> None:
    try:
        import polars
    except ModuleNotFoundError:
        raise InputError(
            "Parquet needs the analysis tools: pip install 'signalwright[analysis]', or export to .csv"
        ) from None
    kinds: dict[str, Any] = {
        "TimeStamp": polars.Datetime("ms"),
        "DeviceId": polars.String,
        "EventId": polars.UInt8,
        "Parameter": polars.UInt8,
    }
    polars.DataFrame(rows, schema=kinds, orient="row").write_parquet(path)
