"""What operators read, in a file that cannot fill the disk; needs no journal."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path


class _Silent(RotatingFileHandler):
    """A log that cannot be written is no reason to disturb what it is about."""

    def handleError(self, record: logging.LogRecord) -> None:
        return


class LogFile:
    """Call it with a text. The newest are in `path`, older ones in `path.1` and so on; all of them have a bound together."""

    def __init__(self, path: Path, most_bytes: int = 1 << 20, copies: int = 4) -> None:
        self._handler = _Silent(path, maxBytes=most_bytes, backupCount=copies, encoding="utf-8", delay=True)

    def __call__(self, text: str) -> None:
        """Write a line with the time; never raises."""
        stamp = datetime.now(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        record = logging.LogRecord("signalwright", logging.INFO, "", 0, f"{stamp} {text}", None, None)
        self._handler.handle(record)

    def close(self) -> None:
        """Give the file back."""
        self._handler.close()
