"""A simulation watched while it runs, so that one that has lost already need not be run to its end."""

from __future__ import annotations

import math
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY = 60.0
"""How often SUMO says how many vehicles there are [s]."""
_STEP = re.compile(rb'<step time="([0-9.]+)"[^>]* running="(\d+)" waiting="(\d+)"[^>]*/>')


@dataclass(frozen=True, slots=True)
class Watched:
    """`presence` minute by minute: the time that all vehicles have been under way or waiting to enter so far [veh s]; `lost`: when
    the run was stopped [s], None where it came to its end; `code`, what SUMO returned, and `said`, what it wrote."""

    presence: tuple[float, ...]
    lost: float | None
    code: int
    said: str


def watched(command: Sequence[str], environment: Mapping[str, str], folder: Path, within: Sequence[float]) -> Watched:
    """Run SUMO, and stop it once the presence is above the limit `within` of that minute [veh s]; minutes without a limit have none.

    Two runs of the same demand differ in presence by what they differ in delay, so it tells a loser long before the end.
    The same run is always stopped at the same minute.
    """
    presence: list[float] = []
    lost, total = None, 0.0
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        (folder / "said.txt").open("w+b") as said,
    ):
        address = f"127.0.0.1:{server.getsockname()[1]}"
        process = subprocess.Popen(
            [*command, "--summary-output", address, "--summary-output.period", f"{EVERY:g}"],
            env=dict(environment), stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for time, vehicles in _steps(server, process):
                total += EVERY * vehicles
                presence.append(total)
                if total > (within[len(presence) - 1] if len(presence) <= len(within) else math.inf):
                    lost = time
                    break
            if lost is None:
                process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        said.seek(0)
        return Watched(tuple(presence), lost, process.returncode, said.read().decode("utf-8", "replace"))


def _steps(server: socket.socket, process: subprocess.Popen[bytes]) -> Iterator[tuple[float, int]]:
    """When, and how many vehicles are under way or wait to enter."""
    server.settimeout(0.2)
    while True:
        try:
            talk, _peer = server.accept()
            break
        except TimeoutError:
            if process.poll() is not None:
                return
    with talk:
        talk.settimeout(None)
        text = b""
        while heard := talk.recv(65536):
            text += heard
            end = 0
            for step in _STEP.finditer(text):
                yield float(step[1]), int(step[2]) + int(step[3])
                end = step.end()
            text = text[end:]
