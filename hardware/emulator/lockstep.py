"""Both ends of a real pty in one process, on a clock that is handed in: as fast as the line allows, and always the same.

Each end knows how many bytes the other has written and waits until the kernel has brought them, so nothing depends on how
busy the machine is. With a speed, bytes may be read only when a line of that speed would have carried them.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from ...core.errors import LinkLost
from ..line import Line
from ..port import PortSettings

_PATIENCE = 10.0  # [s] of real time for bytes to come through a pty


class LockstepEnd:
    """One end, as a line for the service or for an emulated cabinet."""

    def __init__(self, line: Line, clock: Callable[[], float], per_character: float) -> None:
        self.line = line
        self.trouble: str | None = None
        self.next_try = 0.0
        self._clock, self._per_character = clock, per_character
        self._coming: deque[tuple[float, int]] = deque()
        self._buffer = bytearray()
        self._busy_until = float("-inf")
        self._other: LockstepEnd = self

    def join(self, other: LockstepEnd) -> None:
        """These two are the ends of one line."""
        self._other, other._other = other, self

    @property
    def name(self) -> str:
        """The address."""
        return self.line.name

    @property
    def is_open(self) -> bool:
        """True while there is a device."""
        return self.line.is_open

    def reopen(self, now: float, aside: Executor | None = None) -> bool:
        """Open it again if it is closed; `aside` is for lines that take long."""
        return self.line.reopen(now, aside)

    def write(self, data: bytes) -> None:
        """Bytes for the other end, which gets them when the line has carried them."""
        self._busy_until = max(self._busy_until, self._clock()) + len(data) * self._per_character
        self._other._coming.append((self._busy_until, len(data)))
        self.line.write(data)

    @property
    def has_arrived(self) -> bool:
        """There is something to read."""
        return bool(self._coming) and self._coming[0][0] <= self._clock() + 1e-9

    def read(self) -> bytes:
        """What has arrived by now, b"" for nothing."""
        if not self._coming:
            return b""
        wanted, now = 0, self._clock()
        while self._coming and self._coming[0][0] <= now + 1e-9:
            wanted += self._coming.popleft()[1]
        while len(self._buffer) < wanted:
            self._wait()
            self._buffer += self.line.read()
        taken = bytes(self._buffer[:wanted])
        del self._buffer[:wanted]
        return taken

    def _wait(self) -> None:
        self._other.line.flush()
        if not select.select([self.line.fileno()], [], [], _PATIENCE)[0]:
            raise LinkLost(f"{self.name}: bytes written to the other end did not come within {_PATIENCE:g} s")

    def close(self) -> None:
        """Give the device back."""
        self.line.close()
        self._coming.clear()
        self._buffer.clear()


def lockstep_pty(clock: Callable[[], float], settings: PortSettings, paced: bool) -> tuple[LockstepEnd, LockstepEnd]:
    """The host's end and the cabinet's end of a new pty, `paced` by the speed in `settings` or not. Raises LinkLost."""
    per_character = settings.bits_per_character / settings.bits_per_second if paced else 0.0
    far = Line(PortSettings("pty:", settings.bits_per_second))
    far.open()
    near = Line(PortSettings(far.name, settings.bits_per_second))
    try:
        near.open()
    except LinkLost:
        far.close()
        raise
    host, cabinet = LockstepEnd(near, clock, per_character), LockstepEnd(far, clock, per_character)
    host.join(cabinet)
    return host, cabinet
