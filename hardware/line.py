"""A port that is open or closed: what is still to be written, opening it again after unplugging, its place in a
loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, Future

from ..core.errors import LinkLost
from .port import Endpoint, PortSettings, open_port

_MOST_UNSENT = 1 << 16


class Line:
    """A line that is open or closed, with what is still to be written to it."""

    def __init__(self, settings: PortSettings) -> None:
        self.settings = settings
        self.trouble: str | None = None
        self._endpoint: Endpoint | None = None
        self._unsent = bytearray()
        self.next_try = float("-inf")
        """When `reopen` tries again to open it."""
        self._opening: Future[Endpoint] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched: tuple[int, int] | None = None
        self._on_gone: Callable[[LinkLost], None] = lambda problem: None

    @property
    def is_open(self) -> bool:
        """True while there is a device."""
        return self._endpoint is not None

    @property
    def name(self) -> str:
        """The address a client would use: of a pty or a listener the one that was really made."""
        return self._endpoint.name if self._endpoint else self.settings.address

    def fileno(self) -> int:
        """For `loop.add_reader` and `select`; raises `LinkLost` while closed."""
        return self._device().fileno()

    def _device(self) -> Endpoint:
        if self._endpoint is None:
            raise LinkLost(self.trouble or f"{self.settings.address} is not open")
        return self._endpoint

    def open(self) -> None:
        """Open it; raises `LinkLost` with one message for what is wrong, `InputError` for a bad address."""
        if self._endpoint is None:
            try:
                self._endpoint = open_port(self.settings)
            except LinkLost as problem:
                self.trouble = str(problem)
                raise
            self.trouble = None

    def reopen(self, now: float, aside: Executor | None = None) -> bool:
        """Try to open it if it is closed and the last try is long enough ago; True when it is open afterwards.

        A gateway that does not answer is waited for `aside`, if that is given, and found open at a later call.
        """
        if self._opening is not None:
            if self._opening.done():
                self._take_opened(self._opening)
                self._opening = None
        elif self._endpoint is None and now >= self.next_try:
            self.next_try = now + self.settings.retry
            if aside is not None and self.settings.address.startswith("socket:"):
                self._opening = aside.submit(open_port, self.settings)
            else:
                with contextlib.suppress(LinkLost):
                    self.open()
        return self.is_open

    def _take_opened(self, opening: Future[Endpoint]) -> None:
        try:
            self._endpoint, self.trouble = opening.result(), None
        except LinkLost as problem:
            self.trouble = str(problem)

    def read(self) -> bytes:
        """Bytes that are there (one datagram), b"" for none; raises `LinkLost` when the device has gone."""
        try:
            return self._device().read()
        except OSError as problem:
            raise self._gone(problem) from None

    def write(self, data: bytes) -> None:
        """Write, keeping what does not fit yet; raises `LinkLost` when the device has gone.

        What nobody takes for so long that it fills the memory is thrown away: a question that old is no use.
        """
        device = self._device()
        if not self._unsent:
            try:
                data = data[device.write(data) :]
            except OSError as problem:
                raise self._gone(problem) from None
            if not data:
                return
        elif len(self._unsent) > _MOST_UNSENT:
            self._unsent.clear()
        self._unsent += data
        self.flush()

    def flush(self) -> bool:
        """Write on what did not fit; True when all is written."""
        try:
            while self._unsent:
                taken = self._device().write(bytes(self._unsent))
                if taken == 0:
                    break
                del self._unsent[:taken]
        except OSError as problem:
            raise self._gone(problem) from None
        if self._loop is not None:
            self._watch_room(bool(self._unsent))
        return not self._unsent

    def _gone(self, problem: OSError) -> LinkLost:
        why = "did the gateway or the network fail?" if "://" in self.name else "was the adapter unplugged?"
        self.trouble = f"{self.name} is gone ({problem.strerror or problem}): {why}"
        self.close()
        return LinkLost(self.trouble)

    def close(self) -> None:
        """Give the device back; what was not written is forgotten."""
        self.detach()
        if self._opening is not None:
            self._opening.add_done_callback(lambda opening: None if opening.exception() else opening.result().close())
            self._opening = None
        self._unsent.clear()
        if self._endpoint is not None:
            endpoint, self._endpoint = self._endpoint, None
            with contextlib.suppress(OSError):
                endpoint.close()

    def attach(
        self, loop: asyncio.AbstractEventLoop, on_bytes: Callable[[bytes], None], on_gone: Callable[[LinkLost], None]
    ) -> None:
        """Have the loop call `on_bytes` with what arrives and `on_gone` once when the device disappears."""
        device = self._device()

        def ready() -> None:
            try:
                data = self.read()
            except LinkLost as problem:
                on_gone(problem)
                return
            if data:
                on_bytes(data)

        self.detach()
        self._loop, self._on_gone = loop, on_gone
        self._watched = (device.fileno(), -1)
        loop.add_reader(device.fileno(), ready)

    def _watch_room(self, wanted: bool) -> None:
        loop, watched = self._loop, self._watched
        if loop is None or watched is None:
            return
        reader, writer = watched
        if wanted and writer < 0:
            writer = self._device().write_fileno()
            loop.add_writer(writer, self._room)
        elif not wanted and writer >= 0:
            loop.remove_writer(writer)
            writer = -1
        self._watched = (reader, writer)

    def _room(self) -> None:
        try:
            self.flush()
        except LinkLost as problem:
            self._on_gone(problem)

    def detach(self) -> None:
        """Take it out of the loop."""
        if self._loop is not None and self._watched is not None:
            reader, writer = self._watched
            self._loop.remove_reader(reader)
            if writer >= 0:
                self._loop.remove_writer(writer)
        self._loop, self._watched = None, None
