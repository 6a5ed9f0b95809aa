"""What SUMO says: kept from the console, and repeated where it stopped."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .evenpath import plain_path

LAST_WORDS = 5
"""How many of SUMO's last messages an error repeats."""


def last_words(log: Path | None, *spoken: str) -> str:
    """What SUMO said last, for an error message: its errors if there are any, else its last lines."""
    lines = [line.strip() for text in spoken for line in text.splitlines()]
    if log is not None and log.is_file():
        lines += [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = [
        line
        for line in dict.fromkeys(map(plain_path, lines))
        if line and not line.startswith(("Quitting", "pj_obj_create"))
    ]
    errors = [line for line in lines if not line.startswith("Warning")]
    return "\n".join(f"  {line}" for line in (errors or lines)[-LAST_WORDS:]) or "  (SUMO said nothing)"


@contextlib.contextmanager
def silence() -> Iterator[Any]:
    """Catch what the library writes to the console meanwhile; the value given returns it. For starts and ends only."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    with tempfile.TemporaryFile() as spoken:
        kept = [(stream, os.dup(stream)) for stream in (1, 2)]
        for stream, _ in kept:
            os.dup2(spoken.fileno(), stream)

        def said() -> str:
            spoken.seek(0)
            return spoken.read().decode("utf-8", errors="replace")

        try:
            yield said
        finally:
            for stream, copy in kept:
                os.dup2(copy, stream)
                os.close(copy)
