"""Events that survive: codes, kill -9, full disks, bounded size, and files foreign tools read."""

from __future__ import annotations

import csv
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars
import pytest

from line_bench import bench
from signalwright.core.counts import Counts
from signalwright.core.errors import InputError
from signalwright.core.ports import Mode, Refusal
from signalwright.hardware.cabinets.habits import Grip, Habits
from signalwright.hardware.indiana import Code, Recorder, Row
from signalwright.hardware.store import Store

NONE = np.zeros(2, dtype=np.bool_)


def look(
    recorder: Recorder, time: float, *aspects: int, mode: Mode = Mode.LOCAL, **more: object
) -> list[tuple[int, int]]:
    options: dict[str, object] = {"plan": 1, "held": None, "reachable": True, "fault": NONE} | more
    rows = recorder.look(time, np.array(aspects, dtype=np.int8), mode, **options)  # type: ignore[arg-type]
    return [(row.code, row.parameter) for row in rows]


def test_a_phase_is_told_in_codes() -> None:
    """Green, its end, yellow and its end, red clearance: 1, 7, 8, 9, 10, each with the phase."""
    recorder = Recorder()
    assert look(recorder, 0.0, 2, 0) == [(1, 1), (155, 6), (131, 1)]
    assert look(recorder, 1.0, 3, 0) == [(7, 1), (8, 1)]
    assert look(recorder, 4.0, 0, 0) == [(9, 1), (10, 1)]
    assert look(recorder, 6.0, 0, 2) == [(1, 2)]
    assert look(recorder, 7.0, 0, 2) == []


def test_what_an_adaptive_system_does_is_told_in_codes() -> None:
    """Holds (41, 42), mode (155), flash (173), preemption (102, 104), manual (178), faults (84, 83), line (200, 201)."""
    recorder = Recorder()
    look(recorder, 0.0, 2, 0)
    assert look(recorder, 1.0, 2, 0, mode=Mode.REMOTE, held=1) == [(155, 2), (41, 2)]
    assert look(recorder, 2.0, 2, 0, mode=Mode.REMOTE, held=0) == [(42, 2), (41, 1)]
    assert look(recorder, 3.0, 2, 0, mode=Mode.PREEMPTION) == [(155, 1), (102, 1), (42, 1)]
    assert look(recorder, 4.0, 2, 0, mode=Mode.MANUAL) == [(155, 5), (104, 1), (178, 1)]
    assert look(recorder, 5.0, 4, 4, mode=Mode.FLASH) == [(7, 1), (155, 1), (173, 4), (178, 0)]
    assert look(recorder, 6.0, 0, 0) == [(155, 6), (173, 2)]
    assert look(recorder, 7.0, 0, 0, fault=np.array([False, True])) == [(84, 2)]
    assert look(recorder, 8.0, 0, 0, plan=3, reachable=False) == [(131, 3), (200, 1), (83, 2)]
    assert look(recorder, 9.0, 0, 0, plan=3) == [(201, 1)]


def test_calls_are_not_displays() -> None:
    """Trap: 43 to 45 are calls; no display is ever written with them."""
    assert not {43, 44, 45} & {int(code) for code in Code}


def test_an_emulated_cabinet_leaves_a_lawful_log(tmp_path: Path) -> None:
    """Two minutes over a line: every green that began ends, amber follows it, and nothing is out of order."""
    one = bench("gbt")
    store, recorder = Store(tmp_path / "events.db"), Recorder()
    one.until(lambda: one.host.grip is Grip.WATCHING)
    for second in range(120):
        if one.host.request(second // 20 % 4) is Refusal.NONE:
            pass
        for _ in range(5):
            one.run(0.2)
            picture = one.host.picture
            store.events(
                "elm",
                recorder.look(
                    1e9 + one.now, picture.aspects, picture.mode, picture.plan, one.host.stage, True, picture.fault
                ),
            )
        store.counts("elm", 1e9 + one.now, one.host.read())
        assert store.flush()
    rows = list(store.read_events("elm"))
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    for phase in range(1, 5):
        mine = [code for _, _, code, parameter in rows if parameter == phase and code in (1, 7, 8, 9)]
        assert "".join(str(code) for code in mine).replace("1789", "") in ("", "1", "17", "178")
    assert {41, 155} <= {code for _, _, code, _ in rows}
    store.close()


@pytest.mark.parametrize("protocol", ["gbt", "ntcip"])
def test_who_comes_onto_a_loop_and_leaves_it_is_told_in_codes(protocol: str, tmp_path: Path) -> None:
    """Presence over the line, polled at 10 Hz: 82 and 81 for each vehicle, within 0.3 s of the truth, and in the export."""
    one = bench(protocol)
    one.host.agenda.habits = Habits(poll=0.1)
    store, recorder = Store(tmp_path / "events.db"), Recorder()
    one.until(lambda: one.host.grip is Grip.WATCHING)
    one.run(1.0)
    begin, truth = round(one.now, 1), []
    for tick in range(100):
        for loop, (on, off) in enumerate(((20, 33), (21, 22), (50, 95), (70, 72))):
            if tick in (on, off):
                one.cabinet.inputs.set(loop, tick == on)
                truth.append((begin + tick / 10, 82 if tick == on else 81, loop + 1))
        one.run(0.1)
        picture = one.host.picture
        rows = recorder.look(
            one.now, picture.aspects, picture.mode, picture.plan, None, True, picture.fault, picture.present
        )
        store.events("elm", [row for row in rows if row.code in (81, 82)])
    assert store.flush()
    told = sorted((code, loop, time) for time, _, code, loop in store.read_events("elm"))
    for (code, loop, time), (at, event, number) in zip(told, sorted(truth, key=lambda one: one[1:]), strict=True):
        assert (code, loop) == (event, number)
        assert at <= time <= at + 0.3001
    assert store.export(tmp_path / "events.csv") == len(truth) == 8
    store.close()


def filled(path: Path, count: int = 3) -> Store:
    store = Store(path)
    store.events("elm", [Row(1_700_000_000.0 + n / 10, 82, n % 256) for n in range(count)])
    assert store.flush()
    return store


def test_csv_and_parquet_bear_the_columns_of_atspm(tmp_path: Path) -> None:
    """TimeStamp, DeviceId, EventId, Parameter, in order of time, to a tenth of a second, the same in both."""
    store = filled(tmp_path / "events.db")
    assert store.export(tmp_path / "out.csv") == store.export(tmp_path / "out.parquet") == 3
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"TimeStamp": "2023-11-14 22:13:20.100", "DeviceId": "elm", "EventId": "82", "Parameter": "1"}
    frame = polars.read_parquet(tmp_path / "out.parquet")
    assert frame.columns == ["TimeStamp", "DeviceId", "EventId", "Parameter"]
    assert frame["TimeStamp"].dt.to_string("%H:%M:%S%.3f").to_list() == ["22:13:20.000", "22:13:20.100", "22:13:20.200"]
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("events")) == [
        "out.csv",
        "out.parquet",
    ]
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        store.export(tmp_path / "out.xlsx")
    store.close()


KILLED = """
import sys
from signalwright.hardware.indiana import Row
from signalwright.hardware.store import Store
store = Store(sys.argv[1])
n = 0
while True:
    store.events("elm", [Row(float(n), 82, n % 256)])
    store.flush()
    n += 1
    print(n, flush=True)
"""


def test_kill_9_loses_nothing_that_was_flushed(tmp_path: Path) -> None:
    """Killed in the middle of writing: every flushed row is there, and the file opens without repair."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "events.db")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        said = 0
        while said < 30:
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        said = max([said, *(int(line) for line in process.stdout if line.strip())])
    store = Store(tmp_path / "events.db")
    assert len(list(store.read_events())) >= said
    store.close()


def test_the_file_does_not_grow_beyond_its_bound(tmp_path: Path) -> None:
    """Ten days at a bound of 400 kB: the oldest go, the newest stay, the file on disk stays bounded."""
    store = Store(tmp_path / "events.db", most_bytes=400_000)
    for day in range(10):
        store.events("elm", [Row(86_400.0 * day + n, 82, n % 256) for n in range(3000)])
        store.flush()
        assert store.size <= 450_000
    days = {int(time // 86_400) for time, *_ in store.read_events()}
    assert 9 in days
    assert 0 not in days
    store.close()
    assert (tmp_path / "events.db").stat().st_size <= 700_000


def test_a_disk_that_is_full_is_told_and_survived(tmp_path: Path) -> None:
    """No room: `flush` says so, nothing is raised, and when there is room again the last rows are written."""
    filled(tmp_path / "events.db").close()
    store = Store(tmp_path / "events.db", most_waiting=10_000)
    store._base.execute(f"PRAGMA max_page_count = {store._base.execute('PRAGMA page_count').fetchone()[0]}")
    store.events("elm", [Row(2e9 + n, 82, 1) for n in range(20_000)])
    assert not store.flush()
    assert "full" in str(store.trouble)
    store._base.execute("PRAGMA max_page_count = 1000000")
    assert store.flush()
    assert store.trouble is None
    assert sum(1 for _ in store.read_events(begin=1.9e9)) == 10_000
    store.close()


def test_foreign_and_broken_files_are_refused(tmp_path: Path) -> None:
    """Somebody else's data base and a file that is none are named and not touched."""
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as base:
        base.execute("CREATE TABLE mine (x)")
    base.close()
    with pytest.raises(InputError, match="another program"):
        Store(other)
    (tmp_path / "text.db").write_text("not a data base at all, but long enough to look like one" * 20)
    with pytest.raises(InputError, match="cannot be used"):
        Store(tmp_path / "text.db")
    with pytest.raises(InputError, match="cannot be used"):
        Store(tmp_path / "no" / "such" / "folder.db")


def test_notes_and_counts_are_kept(tmp_path: Path) -> None:
    """What was said, and what the loops counted; empty samples take no room."""
    store = Store(tmp_path / "events.db")
    store.note("elm", 1.0, "identified")
    store.note("elm", 2.0, "released: test")
    vehicles = np.array([0, 3], dtype=np.int32)
    store.counts("elm", 3.0, Counts(3.0, 1.0, vehicles, np.array([0.0, 0.5]), NONE))
    store.close()
    store = Store(tmp_path / "events.db")
    assert [text for _, _, text in store.read_notes()] == ["identified", "released: test"]
    assert store._base.execute("SELECT detector, vehicles, occupancy FROM counts").fetchall() == [(2, 3, 0.5)]
    store.close()
