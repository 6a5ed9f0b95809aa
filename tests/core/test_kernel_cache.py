"""Kernels are kept in a directory of ours and work without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import numpy as np
from signalwright.core import kernels
from signalwright.core.kernels.sequence import choose
none, empty = np.zeros((0, 0), np.bool_), np.zeros((0, 0), np.int32)
row = np.zeros(0, np.int32)
print(kernels.CACHE)
print(choose(-1, none, row, row, empty, empty, empty, row, np.array([0, 0, 0], np.int32)))
"""


def run(**environment: str) -> list[str]:
    cleared = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    result = subprocess.run([sys.executable, "-c", CODE], env=cleared | environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_cache_lies_in_a_directory_of_ours(tmp_path: Path) -> None:
    """Without NUMBA_CACHE_DIR the cache lies under XDG_CACHE_HOME/signalwright, with the numba version in its name."""
    directory, value = run(XDG_CACHE_HOME=str(tmp_path))
    assert directory.startswith(str(tmp_path / "signalwright" / "numba-"))
    assert list(Path(directory).rglob("sequence.choose*.nbi"))
    assert value == "0"


def test_no_place_to_write_is_no_failure(tmp_path: Path) -> None:
    """Where the cache directory cannot be made, kernels still compile and run."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert run(NUMBA_CACHE_DIR=str(blocked / "below")) == ["None", "0"]
