"""Ends of a line that are sockets: connected ones, a server for one client, a server for datagrams."""

from __future__ import annotations

import contextlib
import errno
import select
import socket

_CHUNK = 65536


class ConnectedSocket:
    """A connected TCP or UDP socket."""

    def __init__(self, name: str, connected: socket.socket) -> None:
        self.name = name
        self._socket = connected
        self._datagrams = connected.type is socket.SOCK_DGRAM
        connected.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    write_fileno = fileno

    def read(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except ConnectionRefusedError:
            if self._datagrams:
                return b""  # nobody listens there yet; the link's time-out tells
            raise
        if not data and not self._datagrams:
            raise OSError(errno.EPIPE, "the other end closed the connection")
        return data

    def write(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return len(data) if self._datagrams else 0
        except ConnectionRefusedError:
            if self._datagrams:
                return len(data)
            raise

    def close(self) -> None:
        self._socket.close()


class Listener:
    """A TCP server with one client at a time: the newest, since a host that reconnects has lost its old connection."""

    def __init__(self, name: str, server: socket.socket) -> None:
        self.name = name
        self._server = server
        self._client: socket.socket | None = None
        self._ready = select.epoll()
        server.setblocking(False)
        self._ready.register(server.fileno(), select.EPOLLIN)

    def fileno(self) -> int:
        return self._ready.fileno()

    def write_fileno(self) -> int:
        return self._client.fileno() if self._client else self._server.fileno()

    def read(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            newest, _ = self._server.accept()
            self._hang_up()
            newest.setblocking(False)
            newest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client = newest
            self._ready.register(newest.fileno(), select.EPOLLIN)
        if self._client is None:
            return b""
        try:
            data = self._client.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def write(self, data: bytes) -> int:
        if self._client is None:
            return len(data)
        try:
            return self._client.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._hang_up()
            return len(data)

    def _hang_up(self) -> None:
        if self._client is not None:
            self._ready.unregister(self._client.fileno())
            self._client.close()
            self._client = None

    def close(self) -> None:
        self._hang_up()
        self._ready.close()
        self._server.close()


class DatagramServer:
    """A UDP socket that answers whoever asked last."""

    def __init__(self, name: str, bound: socket.socket) -> None:
        self.name = name
        self._socket = bound
        self._peer: tuple[str, int] | None = None
        bound.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    write_fileno = fileno

    def read(self) -> bytes:
        try:
            data, self._peer = self._socket.recvfrom(_CHUNK)
        except BlockingIOError:
            return b""
        return data

    def write(self, data: bytes) -> int:
        if self._peer is not None:
            with contextlib.suppress(BlockingIOError):
                self._socket.sendto(data, self._peer)
        return len(data)

    def close(self) -> None:
        self._socket.close()
