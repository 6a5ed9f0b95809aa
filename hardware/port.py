"""The one file that opens a device: serial line, pty, TCP, UDP. Bytes in and out, never waiting, one message a failure.

| address | what it is |
|---|---|
| `/dev/ttyS0`, `/dev/serial/by-id/...` | serial line, locked for us alone |
| `socket://host:2001` | a serial line behind a gateway (ser2net), or a controller on TCP |
| `udp://host:161` | a controller that takes datagrams |
| `pty:` or `pty:/run/cabinet0` | a new pseudo terminal (with a link to it): the other end, for an emulator |
| `listen://0.0.0.0:2001`, `udp-listen://0.0.0.0:161` | the other end on a network, for an emulator |

A device that disappears raises `LinkLost` once; `Port.reopen` opens it again as often as `retry` allows. Every port
has a file descriptor for `loop.add_reader`, which `Port.attach` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import select
import socket
import tty
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import serial
from serial import rs485

from ..core.errors import InputError, LinkLost

_CHUNK = 65536
_PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


@dataclass(frozen=True, slots=True)
class Rs485:
    """RS-485 by the driver: which level of RTS sends, and pauses before and after it changes [s]."""

    rts_level_for_send: bool = True
    delay_before_send: float = 0.0
    delay_after_send: float = 0.0


@dataclass(frozen=True, slots=True)
class PortSettings:
    """Where the line is and how it is set. `retry` and `connect` in [s]; the rest as on the controller's panel."""

    address: str
    bits_per_second: int = 9600
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1
    hardware_handshake: bool = False
    rs485: Rs485 | None = None
    retry: float = 2.0
    connect: float = 3.0

    @property
    def bits_per_character(self) -> int:
        """Start, data, parity and stop bits."""
        return 1 + self.data_bits + (self.parity != "none") + self.stop_bits

    @property
    def is_serial(self) -> bool:
        """True for a line where bytes take time, as far as we can see."""
        return "://" not in self.address and not self.address.startswith("pty:")


class Endpoint(Protocol):
    """What `Port` needs of a kind of device. Reading and writing never wait."""

    name: str

    def fileno(self) -> int:
        """Descriptor that becomes readable when bytes are there."""

    def write_fileno(self) -> int:
        """Descriptor that becomes writable when there is room."""

    def read(self) -> bytes:
        """Bytes that are there (one datagram), b"" for none; OSError when the device is gone."""

    def write(self, data: bytes) -> int:
        """How many of the bytes were taken; OSError when the device is gone."""

    def close(self) -> None:
        """Give the device back."""


class _Descriptor:
    """A serial line or the near end of a pty: plain reads and writes of one descriptor."""

    def __init__(self, name: str, descriptor: int, close: Callable[[], None]) -> None:
        self.name = name
        self._descriptor = descriptor
        self._close = close

    def fileno(self) -> int:
        return self._descriptor

    write_fileno = fileno

    def read(self) -> bytes:
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(errno.EIO, "hung up")
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self._close()


class _Socket:
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
            return 0
        except ConnectionRefusedError:
            if self._datagrams:
                return len(data)
            raise

    def close(self) -> None:
        self._socket.close()


class _Listener:
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


class _DatagramServer:
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


def _open_serial(settings: PortSettings) -> Endpoint:
    address = settings.address
    line = serial.Serial()
    line.port, line.baudrate, line.timeout, line.write_timeout = address, settings.bits_per_second, 0, 0
    line.bytesize, line.stopbits, line.parity = settings.data_bits, settings.stop_bits, _PARITY[settings.parity]
    line.rtscts, line.exclusive = settings.hardware_handshake, True
    try:
        line.open()
    except (serial.SerialException, ValueError, OSError) as problem:
        raise LinkLost(_why_not(address, problem)) from None
    if settings.rs485 is not None:
        try:
            line.rs485_mode = rs485.RS485Settings(
                rts_level_for_tx=settings.rs485.rts_level_for_send,
                rts_level_for_rx=not settings.rs485.rts_level_for_send,
                delay_before_tx=settings.rs485.delay_before_send,
                delay_before_rx=settings.rs485.delay_after_send,
            )
        except (ValueError, OSError):
            line.close()
            raise LinkLost(
                f"{address}: its driver has no RS-485 mode. Use an adapter that turns the line round by itself and "
                "leave rs485 out of the site file"
            ) from None
    return _Descriptor(address, line.fileno(), line.close)


def _why_not(address: str, problem: Exception) -> str:
    number = getattr(problem, "errno", None)
    text = str(problem)
    if number == errno.ENOENT:
        return (
            f"there is no device {address}: is the adapter plugged in, and is it the right name? See /dev/serial/by-id"
        )
    if number in (errno.EACCES, errno.EPERM):
        return f"{address} may not be opened by this user: add the user to the group dialout and log in again"
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return f"{address} is in use by another program; only one may hold a cabinet's line"
    if number in (errno.ENOTTY, errno.EINVAL) or "configure port" in text:
        return f"{address} is no serial line, or cannot be set to this speed and parity"
    return f"{address} cannot be opened: {text}"


def _open_pty(settings: PortSettings) -> Endpoint:
    link = settings.address.removeprefix("pty:")
    near, far = os.openpty()
    tty.setraw(far)  # kept open, so that the near end does not hang up while no client is there
    fcntl.fcntl(near, fcntl.F_SETFL, fcntl.fcntl(near, fcntl.F_GETFL) | os.O_NONBLOCK)
    name = os.ttyname(far)
    if link:
        try:
            if os.path.islink(link):
                os.unlink(link)
            os.symlink(name, link)
        except OSError as problem:
            os.close(near)
            os.close(far)
            raise LinkLost(f"the link {link} to the pseudo terminal cannot be made: {problem.strerror}") from None

    def close() -> None:
        os.close(near)
        os.close(far)
        if link and os.path.islink(link) and os.readlink(link) == name:
            os.unlink(link)

    return _Descriptor(name, near, close)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.partition("://")[2].rpartition(":")
    if not host or not port.isdecimal() or not int(port) < 1 << 16:
        raise InputError(f"{address} is no address of a port: write it like socket://192.0.2.7:2001")
    return host.strip("[]"), int(port)


def _open_network(settings: PortSettings) -> Endpoint:
    address = settings.address
    kind = address.partition("://")[0]
    place = _host_and_port(address)
    try:
        if kind == "socket":
            connected = socket.create_connection(place, settings.connect)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return _Socket(address, connected)
        family, _, _, _, where = socket.getaddrinfo(*place, type=socket.SOCK_DGRAM)[0]
        if kind == "listen":
            server = socket.create_server(place, family=family)
            return _Listener(f"socket://{place[0]}:{server.getsockname()[1]}", server)
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if kind == "udp":
                datagrams.connect(where)
                return _Socket(address, datagrams)
            datagrams.bind(where)
            return _DatagramServer(f"udp://{place[0]}:{datagrams.getsockname()[1]}", datagrams)
        except OSError:
            datagrams.close()
            raise
    except ConnectionRefusedError:
        raise LinkLost(f"nobody listens at {address}: is the gateway (ser2net) or the controller running?") from None
    except TimeoutError:
        raise LinkLost(f"{address} does not answer within {settings.connect:g} s: check network and power") from None
    except socket.gaierror:
        raise LinkLost(f"the host in {address} is not known here: check its name, or write its number") from None
    except OSError as problem:
        raise LinkLost(f"{address} cannot be opened: {problem.strerror or problem}") from None


def _open(settings: PortSettings) -> Endpoint:
    kind, mark, _ = settings.address.partition("://")
    if not mark:
        return _open_pty(settings) if kind.startswith("pty:") else _open_serial(settings)
    if kind in ("socket", "udp", "listen", "udp-listen"):
        return _open_network(settings)
    raise InputError(f"{settings.address}: known are a device, pty:, socket://, udp://, listen:// and udp-listen://")


class Port:
    """A line that is open or closed, with what is still to be written to it."""

    def __init__(self, settings: PortSettings) -> None:
        self.settings = settings
        self.trouble: str | None = None
        self._endpoint: Endpoint | None = None
        self._unsent = bytearray()
        self._next_try = float("-inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched: tuple[int, int] | None = None

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
                self._endpoint = _open(self.settings)
            except LinkLost as problem:
                self.trouble = str(problem)
                raise
            self.trouble = None

    def reopen(self, now: float) -> bool:
        """Try to open it if it is closed and the last try is long enough ago; True when it is open afterwards."""
        if self._endpoint is None and now >= self._next_try:
            self._next_try = now + self.settings.retry
            with contextlib.suppress(LinkLost):
                self.open()
        return self.is_open

    def read(self) -> bytes:
        """Bytes that are there (one datagram), b"" for none; raises `LinkLost` when the device has gone."""
        try:
            return self._device().read()
        except OSError as problem:
            raise self._gone(problem) from None

    def write(self, data: bytes) -> None:
        """Write, keeping what does not fit yet; raises `LinkLost` when the device has gone."""
        if isinstance(self._device(), _Socket | _DatagramServer) and self._unsent:
            self.flush()
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
        self.trouble = f"{self.name} is gone ({problem.strerror or problem}): was the adapter unplugged?"
        self.close()
        return LinkLost(self.trouble)

    def close(self) -> None:
        """Give the device back; what was not written is forgotten."""
        self.detach()
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
        self._loop = loop
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
        with contextlib.suppress(LinkLost):
            self.flush()

    def detach(self) -> None:
        """Take it out of the loop."""
        if self._loop is not None and self._watched is not None:
            reader, writer = self._watched
            self._loop.remove_reader(reader)
            if writer >= 0:
                self._loop.remove_writer(writer)
        self._loop, self._watched = None, None
