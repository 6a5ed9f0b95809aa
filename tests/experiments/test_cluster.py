"""A batch on a real Dask scheduler with several worker processes, one of which is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.experiments.batch import BatchDirectory
from signalwright.experiments.cluster import scheduler_engine
from signalwright.experiments.compare import Progress, compare
from signalwright.experiments.spec import BatchSpec, batch

pytest.importorskip("libsumo")
pytest.importorskip("distributed")

QUIET = [sys.executable, "-W", "ignore", "-m"]


def a_batch(**values: object) -> BatchSpec:
    return batch(
        "spec", {"scenarios": "cross", "controllers": ["plan", "own_strategies:Rotation"], "tables": False} | values
    )


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A scheduler on a free port of this machine; its file tells the address."""
    file = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    command = [
        *QUIET,
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--no-show",
    ]
    process = subprocess.Popen([*command, "--scheduler-file", str(file)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    yield file
    process.terminate()
    process.wait(30)


@pytest.fixture
def workers(scheduler: Path, tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Three workers, each a process of one thread."""
    paths = os.pathsep.join([path for path in sys.path if path])
    command = [
        *QUIET,
        "distributed.cli.dask_worker",
        "--scheduler-file",
        str(scheduler),
        "--nthreads",
        "1",
        "--no-dashboard",
    ]
    started = [
        subprocess.Popen(
            [*command, "--no-nanny", "--local-directory", str(tmp_path / f"w{k}")],
            env={**os.environ, "PYTHONPATH": paths},
            stderr=subprocess.DEVNULL,
        )
        for k in range(3)
    ]
    yield started
    for process in started:
        process.kill()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_worker_dies(scheduler: Path, workers: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    """One of three workers is killed in the middle: every run is there once, with the numbers of one process here."""
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.done == 2 and not killed:
            killed.append(workers[0].pid)
            workers[0].kill()

    spec = a_batch(seeds=4, end=200.0)
    done = compare(spec, tmp_path / "far", engine=scheduler_engine(str(scheduler)), progress=kill_one)
    assert killed
    assert done.failures == ()
    assert len(done.runs) == 8 == done.runs["key"].n_unique()
    near = compare(spec, tmp_path / "near", workers=2).runs
    ours, theirs = (table.drop("wall_s", "peak_mib").sort("key") for table in (near, done.runs))
    assert ours.equals(theirs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("workers")
def test_a_strategy_fails_there(scheduler: Path, tmp_path: Path) -> None:
    """A strategy that raises fails its own runs with its traceback; the others come back."""
    spec = a_batch(controllers=["plan", "own_strategies:Broken"], seeds=2, end=120.0)
    done = compare(spec, tmp_path / "b", engine=scheduler_engine(str(scheduler)))
    assert sorted(done.runs["controller"]) == ["plan", "plan"]
    assert len(done.failures) == 2
    assert all("no cars, no average" in failure.error for failure in done.failures)
    assert BatchDirectory(tmp_path / "b").finished() == set(done.runs["key"])


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nobody answers is one clear message."""
    monkeypatch.setattr("signalwright.experiments.cluster.WAIT", 1.0)
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9: no scheduler answers"):
        compare(a_batch(seeds=1), tmp_path / "b", engine=scheduler_engine("tcp://127.0.0.1:9"))
