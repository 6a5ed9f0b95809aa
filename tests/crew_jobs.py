"""Jobs for the tests of the crew; in a module of their own because workers import them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from signalwright.experiments.crew import work_through

HOARD: list[bytes] = []
"""What a worker keeps from job to job."""


def leave_a_mark(mark: Path) -> int:
    """Write a file while at work, remove it when told to stop."""
    try:
        mark.write_text("half")
        time.sleep(600)
    finally:
        mark.unlink()
    return 0


def do(job: tuple[str, int]) -> int:
    """One job of each kind a worker can meet."""
    what, value = job
    if what.startswith("/"):
        return leave_a_mark(Path(what))
    if what == "square":
        return value * value
    if what == "raise":
        raise ArithmeticError(f"job {value} cannot be done")
    if what == "hang":
        time.sleep(600)
    if what == "crash":
        os.write(2, b"Error: the network is on fire\n")
        ctypes.string_at(0)
    if what == "killed":
        outputs = Path(tempfile.mkdtemp(prefix="signalwright-"))
        (outputs / "sumo.log").write_text("Error: vehicle 'a' fell off the map\n")
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "where":
        print("so much to say", flush=True)
        raise ArithmeticError(tempfile.gettempdir())
    if what == "exit":
        sys.exit(3)
    if what == "grow":
        hoard = bytearray(os.urandom(1024)) * 1024 * value
        time.sleep(600)
        return len(hoard)
    if what == "hoard":
        HOARD.append(os.urandom(1024) * 1024 * value)
    return os.getpid()


if __name__ == "__main__":
    for _ in work_through([(sys.argv[1], 1)], do, 1):
        pass
