"""The command line as a person meets it: in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import signalwright

pytest.importorskip("libsumo")

SIGNALWRIGHT = [sys.executable, "-m", "signalwright"]


def test_ctrl_c_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """An interrupted run says so in one line, ends with 130 and leaves nothing behind."""
    out = tmp_path / "result"
    with subprocess.Popen(
        [*SIGNALWRIGHT, "run", "cross", "-c", "plan", "--out", str(out)], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "cross, plan" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130, said
    assert said.strip().splitlines()[-1] == "signalwright: interrupted; nothing was left half-written"
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_inspect_as_json() -> None:
    """What `inspect --json` prints is the light as plain data."""
    said = subprocess.run(
        [*SIGNALWRIGHT, "inspect", "cross", "--json"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    (light,) = json.loads(said.stdout)
    assert light["name"] == "cross"
    assert {"north.cross.bay", "east.cross.bay"} <= {group["approach"] for group in light["groups"]}
    assert len(light["stages"]) == 3


def test_an_unknown_scenario() -> None:
    """A misspelt scenario gets one line with the nearest name and exit code 2."""
    said = subprocess.run([*SIGNALWRIGHT, "check", "croos"], capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr.splitlines() == [
        "signalwright: scenario croos (there is no such file) is not known; did you mean 'cross'?"
    ]


def test_the_public_names_are_there() -> None:
    """Every public name loads from where it lives; importing the package itself loads none of the heavy libraries."""
    for name in signalwright.__all__:
        assert getattr(signalwright, name) is not None
    loaded = subprocess.run(
        [sys.executable, "-c", "import signalwright, sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"numpy", "numba", "libsumo", "pandas", "polars"} & set(loaded.stdout.split())
