"""How much memory this process and its workers take, as the system counts it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SHARE = 0.9
"""Of the machine's memory that all workers together may take where no limit is given."""


def memory_in_use(pid: int) -> float:
    """Resident memory of a process [MiB]; 0 if it is gone or the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def forget_peak() -> None:
    """Let `peak` tell what is used from now on, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """The most resident memory this process has had since `forget_peak` [MiB]; 0 if the system does not tell."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    return 0.0


def fair_share(workers: int) -> float:
    """What one of `workers` on this machine may take [MiB]."""
    return SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20 / max(1, workers)
