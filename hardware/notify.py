"""systemd's notification: ready, alive, stopping, one datagram each; nothing at all when not started by systemd."""

from __future__ import annotations

import contextlib
import os
import socket


class Notifier:
    """Sends to the socket systemd names in NOTIFY_SOCKET."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        said = dict(os.environ) if environment is None else environment
        address = said.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.interval = int(said.get("WATCHDOG_USEC", "0")) / 2e6
        """How often to say that we live [s], half of what systemd waits; 0 when it does not watch."""

    def ready(self) -> None:
        """Start-up is over."""
        self._send("READY=1")

    def alive(self, status: str) -> None:
        """Feeds systemd's watchdog, and says what we do."""
        self._send(f"WATCHDOG=1\nSTATUS={status}")

    def stopping(self) -> None:
        """We go down in order."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(text.encode(), self._address)
