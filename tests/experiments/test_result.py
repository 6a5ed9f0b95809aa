"""Result directories: whole or not there, never over somebody's files."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from signalwright.core.errors import ResultError
from signalwright.experiments.result import Result, read_result, table_hash, write_file, write_result


def a_result(delay: float = 12.5, vehicles: int = 3) -> Result:
    trips = pl.DataFrame({"id": [f"v{i}" for i in range(vehicles)], "delay": [float(i % 97) for i in range(vehicles)]})
    row = {"scenario": "cross", "controller": "plan", "delay": delay, "wall_s": 1.0}
    return Result(row, trips, {"format": 1}, {"lanes.parquet": trips})


def test_written_and_read_back(tmp_path: Path) -> None:
    """What is written is read back equal, and the directory holds these files and no other."""
    write_result(a_result(), tmp_path / "run")
    back = read_result(tmp_path / "run")
    assert back.row == a_result().row
    assert back.trips.equals(a_result().trips)
    assert back.tables["lanes.parquet"].equals(a_result().trips)
    assert sorted(os.listdir(tmp_path / "run")) == ["lanes.parquet", "manifest.json", "result.json", "trips.parquet"]
    assert os.listdir(tmp_path) == ["run"]


def test_other_content_is_refused(tmp_path: Path) -> None:
    """A directory that holds something else is refused, even when asked to overwrite, and left as it was."""
    (tmp_path / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(ResultError, match=r"thesis\.txt"):
            write_result(a_result(), tmp_path, overwrite=overwrite)
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_older_result_only_when_asked(tmp_path: Path) -> None:
    """An older result is replaced when asked to, and only then."""
    out = tmp_path / "run"
    write_result(a_result(1.0), out)
    with pytest.raises(ResultError, match="overwrite"):
        write_result(a_result(2.0), out)
    assert read_result(out).row["delay"] == 1.0
    write_result(a_result(2.0), out, overwrite=True)
    assert read_result(out).row["delay"] == 2.0
    assert os.listdir(tmp_path) == ["run"]


def test_interrupted_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of writing leaves the older result and nothing beside it."""
    out = tmp_path / "run"
    write_result(a_result(1.0), out)
    calls = iter(range(10))

    def interrupted(_handle: int) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_result(a_result(2.0), out, overwrite=True)
    assert os.listdir(tmp_path) == ["run"]
    assert read_result(out).row["delay"] == 1.0


FULL_DISK = """
import os, resource, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_result import a_result
from signalwright.core.errors import ResultError
from signalwright.experiments.result import write_result
resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
try:
    write_result(a_result(vehicles=5000), Path(sys.argv[1]) / "run")
except ResultError as error:
    print(error)
"""


def test_full_disk(tmp_path: Path) -> None:
    """Where files find no room there is one clear message and no directory, half or whole."""
    paths = [str(Path(__file__).parent), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), *paths], capture_output=True, text=True, check=True
    )
    assert "disk is full" in done.stdout
    assert os.listdir(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 300


def test_broken_result(tmp_path: Path) -> None:
    """A result with a file missing or cut is refused with the directory's name."""
    write_result(a_result(), tmp_path / "run")
    (tmp_path / "run" / "trips.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultError, match="run is not a whole result"):
        read_result(tmp_path / "run")


def test_differences_ignore_the_machine() -> None:
    """A row that differs in the time it took is the same result; one that differs in delay is named with both
    values."""
    result = a_result()
    assert result.differences(result.row | {"wall_s": 99.0}) == {}
    assert result.differences(result.row | {"delay": 13.0}) == {"delay": (13.0, 12.5)}
    assert result.differences({"delay": 12.5}) == {}  # what an older version did not measure
    assert result.differences({"gone": 1.0}) == {"gone": (1.0, None)}


def test_table_hash() -> None:
    """Equal tables have equal hashes, and one changed value changes it."""
    assert table_hash(a_result().trips) == table_hash(a_result().trips.clone())
    assert table_hash(a_result().trips) != table_hash(a_result().trips.with_columns(delay=pl.lit(0.0)))


def test_single_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is replaced whole; when that fails the old one stands."""
    path = tmp_path / "table.json"
    write_file(path, json.dumps([1]).encode())

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResultError, match="disk is full"):
        write_file(path, json.dumps([2]).encode())
    assert json.loads(path.read_text()) == [1]
    assert os.listdir(tmp_path) == ["table.json"]
