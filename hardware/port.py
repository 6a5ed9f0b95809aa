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

import errno
import fcntl
import os
import socket
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import serial
from serial import rs485

from ..core.errors import InputError, LinkLost
from .sockets import ConnectedSocket, DatagramServer, Listener

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
    """What `Line` needs of a kind of device. Reading and writing never wait."""

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


def configured(settings: PortSettings) -> serial.Serial:
    """The line with all its settings, not opened yet. A pseudo terminal has no parity, and refuses one."""
    line = serial.Serial()
    line.port, line.baudrate, line.timeout, line.write_timeout = settings.address, settings.bits_per_second, 0, 0
    pseudo = os.path.realpath(settings.address).startswith("/dev/pts/")
    line.parity = serial.PARITY_NONE if pseudo else _PARITY[settings.parity]
    line.bytesize, line.stopbits = settings.data_bits, settings.stop_bits
    line.rtscts, line.exclusive = settings.hardware_handshake, True
    return line


def _open_serial(settings: PortSettings) -> Endpoint:
    address, line = settings.address, configured(settings)
    try:
        line.open()
        attributes = termios.tcgetattr(line.fileno())
        attributes[6][termios.VMIN] = 1  # so that reading nothing and reading the end of a line are two things
        termios.tcsetattr(line.fileno(), termios.TCSANOW, attributes)
    except (serial.SerialException, ValueError, OSError, termios.error) as problem:
        line.close()
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
    number = problem.args[0] if isinstance(problem, termios.error) else getattr(problem, "errno", None)
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
            return ConnectedSocket(address, connected)
        family, _, _, _, where = socket.getaddrinfo(*place, type=socket.SOCK_DGRAM)[0]
        if kind == "listen":
            server = socket.create_server(place, family=family)
            return Listener(f"socket://{place[0]}:{server.getsockname()[1]}", server)
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if kind == "udp":
                datagrams.connect(where)
                return ConnectedSocket(address, datagrams)
            datagrams.bind(where)
            return DatagramServer(f"udp://{place[0]}:{datagrams.getsockname()[1]}", datagrams)
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


def check_address(address: str) -> None:
    """Raises `InputError` for what can be no port, whatever is plugged in."""
    kind, mark, _ = address.partition("://")
    if mark and kind not in ("socket", "udp", "listen", "udp-listen"):
        raise InputError(f"{address}: known are a device, pty:, socket://, udp://, listen:// and udp-listen://")
    if mark:
        _host_and_port(address)


def open_port(settings: PortSettings) -> Endpoint:
    """Open it; raises `LinkLost` with one message for what is wrong, `InputError` for a bad address."""
    check_address(settings.address)
    if "://" in settings.address:
        return _open_network(settings)
    return _open_pty(settings) if settings.address.startswith("pty:") else _open_serial(settings)
