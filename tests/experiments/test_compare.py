"""Batches: every run once, whatever fails, stops, or is divided."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from signalwright.core.errors import InputError, ResultError
from signalwright.experiments import result
from signalwright.experiments.batch import merge
from signalwright.experiments.compare import Progress, _Tracker, compare, failures_of
from signalwright.experiments.crew import Outcome
from signalwright.experiments.run import rerun
from signalwright.experiments.spec import BatchSpec, batch, scenario_path

pytest.importorskip("libsumo")

OWN = "own_strategies:Rotation"
NOT_COMPARED = ("wall_s", "peak_mib")


def a_batch(**values: object) -> BatchSpec:
    spec = {"scenarios": "cross", "controllers": ["plan", OWN], "seeds": 3, "end": 120.0, "tables": False}
    return batch("spec", spec | values)


def numbers(table: pl.DataFrame) -> pl.DataFrame:
    return table.drop(*NOT_COMPARED, strict=False).sort("key")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six runs in two workers."""
    out = tmp_path_factory.mktemp("batch") / "whole"
    assert compare(a_batch(), out, workers=2).failures == ()
    return out


def test_tables(whole: Path) -> None:
    """There is a row for every run and one for every run and metric, in Parquet and CSV alike, and a manifest beside
    each run."""
    wide, tidy = pl.read_parquet(whole / "runs.parquet"), pl.read_parquet(whole / "metrics.parquet")
    assert sorted(wide["seed"].to_list()) == [1, 1, 2, 2, 3, 3]
    assert wide["key"].n_unique() == 6
    delays = tidy.filter(metric="delay").join(wide, on="key")
    assert (delays["value"] == delays["delay"]).all()
    assert len(delays) == 6
    assert len(pl.read_csv(whole / "metrics.csv")) == len(tidy)
    for key in wide["key"]:
        assert json.loads((whole / "runs" / key / "manifest.json").read_text())["key"] == key


def test_same_numbers_at_any_number_of_workers(whole: Path, tmp_path: Path) -> None:
    """One worker, and two shards merged, give what two workers gave; and a run made again in this process does too."""
    alone = compare(a_batch(), tmp_path / "alone", workers=1).runs
    assert numbers(alone).equals(numbers(pl.read_parquet(whole / "runs.parquet")))
    for shard in ("1/2", "2/2"):
        compare(a_batch(), tmp_path / shard[0], workers=1, shard=shard)
    table, missing = merge([tmp_path / "1"], tmp_path / "half")
    assert (len(table), len(missing)) == (3, 3)
    table, missing = merge([tmp_path / "1", tmp_path / "2"], tmp_path / "both")
    assert missing == []
    assert numbers(table).equals(numbers(alone))
    assert rerun(whole / "runs" / alone["key"][0]).identical


def test_nothing_twice(whole: Path) -> None:
    """A finished batch asked for again runs nothing; with one more seed it runs that seed only."""
    told: list[Progress] = []
    again = compare(a_batch(), whole, workers=1, progress=told.append)
    assert (again.kept, [p.done for p in told]) == (6, [0])
    more = compare(a_batch(seeds=[1, 2, 3, 9]), whole, workers=1, progress=told.append)
    assert (more.kept, told[-1].done, len(more.runs)) == (6, 2, 8)
    assert told[-1].left == 0
    assert told[-2].seconds_left is not None


def test_what_is_left() -> None:
    """Each run left is taken to last as long as those of its scenario and strategy, else of its scenario, else of all; shared among
    the workers. Where their number is not known the rest goes as fast as what is done."""
    spec = a_batch(scenarios=["cross", "grid"], seeds=2)
    runs = {str(k): run for k, run in enumerate(spec.runs())}  # cross plan, cross own, grid plan, grid own, twice
    told: list[Progress] = []
    tracker = _Tracker(8, 0, 2, runs, told.append)
    assert told[-1].seconds_left is None
    tracker.tell(Outcome(("0", {}), {}, "", 10.0))
    assert told[-1].seconds_left == 7 * 10.0 / 2
    tracker.tell(Outcome(("1", {}), {}, "", 30.0))
    assert told[-1].seconds_left == (10.0 + 30.0 + 4 * 20.0) / 2
    far = _Tracker(8, 0, None, runs, told.append)
    far._began -= 6.0
    far.tell(Outcome(("0", {}), {}, "", 99.0))
    assert told[-1].seconds_left == pytest.approx(7 * 6.0, rel=0.01)


def test_another_batch_in_its_place(whole: Path, tmp_path: Path) -> None:
    """A batch that is no part of the one that lies there is refused with what it lacks, and nothing changes; asked to, it takes
    its place and keeps the runs both have."""
    there = shutil.copytree(whole, tmp_path / "b")
    before = {path: path.stat().st_mtime_ns for path in there.rglob("*.*") if path.is_file() and path.name[0] != "."}
    for other, lacks in (
        (a_batch(scenarios="grid"), "scenarios cross"),
        (a_batch(seeds=[1]), "seeds 2, 3"),
        (a_batch(controllers="plan", seeds=[1, 2, 3, 9]), f"controllers {OWN}"),
        (a_batch(jitter=5.0), "jitter 0.0"),
    ):
        with pytest.raises(ResultError, match="holds another batch") as caught:
            compare(other, there, workers=1)
        assert lacks in str(caught.value)
        assert "--out" in str(caught.value)
        assert "--overwrite" in str(caught.value)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    done = compare(a_batch(controllers="plan", seeds=[1]), there, workers=1, overwrite=True)
    assert (done.kept, len(done.runs), len(os.listdir(there / "runs"))) == (1, 1, 1)
    with pytest.raises(ResultError, match="holds another batch"):
        merge([there], shutil.copytree(whole, tmp_path / "c"))
    assert len(merge([whole], there)[0]) == len(os.listdir(whole / "runs"))


def test_runs_of_other_code(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same batch with a strategy whose code has changed makes that strategy's runs anew and says how many no longer count."""
    there = shutil.copytree(whole, tmp_path / "b")
    (there / "failures" / "old.txt").write_text("of a run as it was\n\nwhy")
    monkeypatch.setattr("signalwright.experiments.run.source", lambda name: "changed" if name == OWN else "")
    monkeypatch.setattr("signalwright.experiments.compare.local_engine", lambda *_: lambda jobs, _work: iter(()))
    done = compare(a_batch(seeds=[1, 2, 3, 9]), there, workers=1)
    of_plan = len(os.listdir(whole / "runs")) // 2
    assert (done.kept, done.stale, failures_of(there)) == (of_plan, of_plan, [])


def test_refused_before_any_work(tmp_path: Path) -> None:
    """A window that ends before it begins, a light that is not there, and no workers at all are told before anything is made."""
    for values, said in (
        ({"end": -5.0}, "ends at -5 s"),
        ({"arms": {"x": {"controller": "plan", "lights": {"J9": "webster"}}}}, "J9"),
    ):
        with pytest.raises(InputError, match=said):
            compare(a_batch(**values), tmp_path / "b")
    with pytest.raises(InputError, match="one or more"):
        compare(a_batch(), tmp_path / "b", workers=0)
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("whole")  # so that kernels are compiled before the clock of the time limit runs
def test_failures_stay_alone(tmp_path: Path) -> None:
    """A strategy that raises, hangs or crashes fails its own runs, saved with the reason; the others are done."""
    arms = ["plan", *(f"own_strategies:{name}" for name in ("Broken", "Hanging", "Crashing"))]
    spec = a_batch(controllers=arms, seeds=1, timeout=45.0)
    done = compare(spec, tmp_path / "b", workers=2)
    assert done.runs["controller"].to_list() == ["plan"]
    saved = {failure.what.split(", ")[1]: failure.error for failure in failures_of(tmp_path / "b")}
    assert set(saved) == set(arms[1:])
    assert "ZeroDivisionError: no cars, no average" in saved[arms[1]]
    assert "own_strategies.py" in saved[arms[1]]
    assert "45 s without a result" in saved[arms[2]]
    assert "SIGABRT" in saved[arms[3]]


def test_sumo_gives_up(tmp_path: Path) -> None:
    """Where SUMO stops in the middle of a run, that run fails with SUMO's own words; the other scenario is done."""
    shutil.copytree(scenario_path("cross").parent, tmp_path / "broken")
    routes = tmp_path / "broken" / "cross.rou.xml"
    lost = '<vehicle id="lost" depart="0"><route edges="west.cross west.cross.bay cross.nowhere"/></vehicle>'
    routes.write_text(re.sub(r"(<routes[^>]*>)", rf"\1{lost}", routes.read_text(), count=1))
    spec = a_batch(
        scenarios=["cross", str(tmp_path / "broken" / "cross.sumocfg")], controllers="plan", seeds=1, end=60.0
    )
    done = compare(spec, tmp_path / "b", workers=1)
    assert len(done.runs) == 1
    (failure,) = done.failures
    assert "cross.nowhere" in failure.error
    assert "SimulationError: SUMO" in failure.error


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fills up the batch stops with one message and whole runs; with room again it goes on from there."""
    written = result.write_directory

    def full_after_one(out: Path, files: dict[str, bytes]) -> None:
        if len(os.listdir(tmp_path / "b" / "runs")) >= 1:
            monkeypatch.setattr(os, "fsync", _no_space)
        written(out, files)

    monkeypatch.setattr("signalwright.experiments.batch.write_directory", full_after_one)
    with pytest.raises(ResultError, match="the disk is full"):
        compare(a_batch(controllers="plan", end=60.0), tmp_path / "b", workers=1)
    assert len([name for name in os.listdir(tmp_path / "b" / "runs") if not name.startswith(".")]) == 1
    monkeypatch.undo()
    done = compare(a_batch(controllers="plan", end=60.0), tmp_path / "b", workers=1)
    assert (done.kept, len(done.runs)) == (1, 3)


def _no_space(_file: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_two_batches_in_one_directory(whole: Path) -> None:
    """A directory in use is refused, with the process that uses it; one with other content too."""
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl,sys,time; f=open(sys.argv[1],'a+'); fcntl.flock(f, fcntl.LOCK_EX);"
         "f.truncate(0); f.write('4711'); f.flush(); print('held', flush=True); time.sleep(60)", str(whole / ".lock")],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ResultError, match="process 4711"):
            compare(a_batch(), whole, workers=1)
    finally:
        holder.kill()
        holder.communicate()
    with pytest.raises(ResultError, match="other things"):
        compare(a_batch(), whole.parent, workers=1)


INTERRUPTED = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from signalwright.experiments.compare import compare
from test_compare import a_batch
if __name__ == "__main__":
    compare(a_batch(end=400.0, seeds=6), Path(sys.argv[1]), workers=2, progress=lambda p: print(p.done, flush=True))
"""


def test_interrupt_and_resume(tmp_path: Path) -> None:
    """Ctrl-C in the middle keeps whole runs only; resumed, nothing is run again and nothing is missing."""
    (tmp_path / "main.py").write_text(INTERRUPTED)
    paths = [str(Path(__file__).parent), *sys.path]
    command = [sys.executable, str(tmp_path / "main.py"), str(tmp_path / "b"), *paths]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    while int(process.stdout.readline() or 99) < 2:
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    runs = os.listdir(tmp_path / "b" / "runs")
    assert 2 <= len(runs) < 12
    assert not [name for name in runs if name.startswith(".")]
    stamps = {name: (tmp_path / "b" / "runs" / name / "result.json").stat().st_mtime_ns for name in runs}
    time.sleep(0.01)
    done = compare(a_batch(end=400.0, seeds=6), tmp_path / "b", workers=2)
    assert (done.kept, len(done.runs), done.failures) == (len(runs), 12, ())
    assert {n: (tmp_path / "b" / "runs" / n / "result.json").stat().st_mtime_ns for n in runs} == stamps


def test_interrupted_command(tmp_path: Path) -> None:
    """Ctrl-C at the command ends it with one line and its own exit code; the same command again goes on where it was."""
    words = [
        "compare",
        "cross",
        "--controllers",
        "plan",
        "--seeds",
        "4",
        "--window",
        "900",
        "--workers",
        "1",
        "-o",
        str(tmp_path / "b"),
    ]
    command = [sys.executable, "-m", "signalwright", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("1/4"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _out, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "signalwright: interrupted; nothing was left half-written"
    assert "Traceback" not in said
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kept = int(done.stderr.splitlines()[0].split("/")[0])
    assert 1 <= kept < 4
    assert "4/4" in done.stderr
    assert (tmp_path / "b" / "report" / "report.html").exists()


def test_merge_refuses_other_parts(whole: Path, tmp_path: Path) -> None:
    """Parts of different batches, and one run with two different numbers, are refused."""
    compare(a_batch(controllers="plan", seeds=1), tmp_path / "a", workers=1)
    with pytest.raises(ResultError, match="different batches"):
        merge([whole, tmp_path / "a"], tmp_path / "x")
    compare(a_batch(controllers="plan", seeds=1), tmp_path / "b", workers=1)
    key = os.listdir(tmp_path / "b" / "runs")[0]
    path = tmp_path / "b" / "runs" / key / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"delay": -1.0}))
    with pytest.raises(ResultError, match="different numbers"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "y")
    with pytest.raises(ResultError, match="holds no batch"):
        merge([tmp_path / "none"], tmp_path / "z")


def test_bad_shard(tmp_path: Path) -> None:
    """A shard that is none is refused before anything is made."""
    with pytest.raises(InputError, match="i/n"):
        compare(a_batch(), tmp_path / "b", shard="3/2")
    assert os.listdir(tmp_path) == []
