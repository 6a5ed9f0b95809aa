"""Ports and lines: every kind carries bytes unchanged, comes back after unplugging, fails with one message."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from signalwright.core.errors import InputError, LinkLost
from signalwright.hardware.line import Line
from signalwright.hardware.port import PortSettings, Rs485, configured

ALL_BYTES = bytes(range(256))


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    """Lines to be closed after the test."""
    opened: list[Line] = []
    yield opened
    for line in opened:
        line.close()


def opened(lines: list[Line], address: str, **settings: object) -> Line:
    line = Line(PortSettings(address, **settings))  # type: ignore[arg-type]
    line.open()
    lines.append(line)
    return line


def read_all(line: Line, size: int) -> bytes:
    data = b""
    end = time.monotonic() + 5
    while len(data) < size and time.monotonic() < end:
        data += line.read()
    return data


def pair(lines: list[Line], kind: str) -> tuple[Line, Line]:
    """A server and a client of this kind, connected."""
    server = opened(lines, {"serial": "pty:", "tcp": "listen://127.0.0.1:0", "udp": "udp-listen://127.0.0.1:0"}[kind])
    return server, opened(lines, server.name)


@pytest.mark.parametrize("kind", ["serial", "tcp", "udp"])
def test_all_bytes_go_through_both_ways(lines: list[Line], kind: str) -> None:
    """No byte is changed, swallowed or added by a terminal's settings, in either direction."""
    server, client = pair(lines, kind)
    client.write(ALL_BYTES)
    assert read_all(server, 256) == ALL_BYTES
    server.write(ALL_BYTES)
    assert read_all(client, 256) == ALL_BYTES
    assert client.read() == server.read() == b""


@pytest.mark.parametrize("kind", ["serial", "tcp"])
def test_more_than_the_device_takes_is_kept_and_written_on(lines: list[Line], kind: str) -> None:
    """A megabyte into a slow reader arrives whole and in order."""
    server, client = pair(lines, kind)
    data = os.urandom(1 << 20)
    client.write(data)
    got = bytearray()
    while len(got) < len(data):
        got += server.read()
        client.flush()
    assert bytes(got) == data
    assert client.flush()


def test_a_serial_line_is_ours_alone(lines: list[Line]) -> None:
    """A second program is refused with a message that says why."""
    server, _ = pair(lines, "serial")
    with pytest.raises(LinkLost, match="in use by another program; only one may hold a cabinet's line"):
        Line(PortSettings(server.name)).open()


def test_unplugging_is_reported_once_and_survived(lines: list[Line], tmp_path: Path) -> None:
    """The device goes: one message. It comes back: the line is open again, not earlier than `retry` allows."""
    link = str(tmp_path / "cabinet")
    server = opened(lines, f"pty:{link}")
    client = opened(lines, link, retry=2.0)
    server.close()
    assert not os.path.islink(link)
    with pytest.raises(LinkLost, match=r"is gone .*unplugged"):
        read_all(client, 1)
    assert not client.is_open
    with pytest.raises(LinkLost, match="unplugged"):
        client.write(b"x")
    assert not client.reopen(10.0)
    assert "no device" in str(client.trouble)
    again = opened(lines, f"pty:{link}")
    assert not client.reopen(11.9)
    assert client.reopen(12.0)
    assert client.trouble is None
    client.write(b"hello")
    assert read_all(again, 5) == b"hello"


def test_a_gateway_that_hangs_up_is_reported(lines: list[Line]) -> None:
    """TCP closed by the other end is a lost line, and the server takes the next client."""
    server, client = pair(lines, "tcp")
    client.write(b"1")
    assert read_all(server, 1) == b"1"
    client.close()
    assert server.read() == b""
    second = opened(lines, server.name)
    second.write(b"2")
    assert read_all(server, 1) == b"2"
    server.close()
    with pytest.raises(LinkLost, match="closed the connection"):
        read_all(second, 1)


def test_a_newer_client_takes_over(lines: list[Line]) -> None:
    """A host that reconnects before its old connection died is served."""
    server, old = pair(lines, "tcp")
    old.write(b"1")
    assert read_all(server, 1) == b"1"
    new = opened(lines, server.name)
    new.write(b"2")
    assert read_all(server, 1) == b"2"
    server.write(b"3")
    assert read_all(new, 1) == b"3"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/dev/no-such-line", "there is no device /dev/no-such-line: is the adapter plugged in"),
        ("/dev/null", "no serial line"),
        ("socket://127.0.0.1:1", "nobody listens at socket://127.0.0.1:1"),
        ("socket://no-such-host.invalid:9", "is not known here"),
        ("pty:/no/such/folder/cabinet", "cannot be made"),
    ],
)
def test_each_failure_has_one_message_with_its_remedy(address: str, message: str) -> None:
    """What cannot be opened says what is wrong and what to do, and says it again when used all the same."""
    line = Line(PortSettings(address))
    with pytest.raises(LinkLost, match=message):
        line.open()
    with pytest.raises(LinkLost, match=message):
        line.fileno()


@pytest.mark.parametrize("address", ["http://x:1", "socket://x", "socket://:1", "udp://x:99999", "listen://x:y"])
def test_bad_addresses_are_the_users_error(address: str) -> None:
    """An address that can never be opened is an input error, not a lost line."""
    with pytest.raises(InputError):
        Line(PortSettings(address)).open()


def test_a_line_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right to it: the message names the group to join."""

    def denied(self: object) -> None:
        raise serial.SerialException(13, "could not open port: [Errno 13] Permission denied")

    monkeypatch.setattr(serial.Serial, "open", denied)
    with pytest.raises(LinkLost, match="add the user to the group dialout"):
        Line(PortSettings(str(tmp_path / "tty"))).open()


def test_rs485_that_the_driver_cannot_do(lines: list[Line]) -> None:
    """RS-485 is asked of the driver; one that has none (a pty) is named, and the line is given back."""
    server = opened(lines, "pty:")
    with pytest.raises(LinkLost, match="no RS-485 mode"):
        Line(PortSettings(server.name, rs485=Rs485())).open()
    opened(lines, server.name)


def test_rs485_settings_reach_the_driver(lines: list[Line], monkeypatch: pytest.MonkeyPatch) -> None:
    """RTS level and delays are handed to the driver as configured."""
    seen: list[object] = []
    monkeypatch.setattr(serial.Serial, "_set_rs485_mode", lambda self, mode: seen.append(mode))
    server = opened(lines, "pty:")
    opened(lines, server.name, rs485=Rs485(rts_level_for_send=False, delay_before_send=0.002))
    mode = seen[-1]
    assert isinstance(mode, serial.rs485.RS485Settings)
    assert (mode.rts_level_for_tx, mode.rts_level_for_rx, mode.delay_before_tx) == (False, True, 0.002)


def test_speed_and_format_reach_the_line(lines: list[Line]) -> None:
    """Speed and stop bits are read back from the terminal; parity, which a pty has not, from the driver's settings."""
    server = opened(lines, "pty:")
    client = opened(lines, server.name, bits_per_second=19200, parity="even", stop_bits=2)
    attributes = termios.tcgetattr(client.fileno())
    assert attributes[4] == attributes[5] == termios.B19200
    assert attributes[2] & termios.CSTOPB
    assert client.settings.bits_per_character == 12
    for parity, letter in (("even", "E"), ("odd", "O"), ("none", "N")):
        line = configured(PortSettings("/dev/ttyS9", 1200, parity=parity, hardware_handshake=True))  # type: ignore[arg-type]
        assert (line.baudrate, line.parity, line.rtscts, line.exclusive) == (1200, letter, True, True)


def test_a_pty_is_opened_again_whatever_parity_is_asked(lines: list[Line]) -> None:
    """A pseudo terminal refuses a parity the second time it is asked; we never ask."""
    server = opened(lines, "pty:")
    for parity in ("even", "none", "even", "odd"):
        client = opened(lines, server.name, parity=parity)
        client.write(parity.encode())
        assert read_all(server, len(parity)) == parity.encode()
        client.close()


def test_settings_the_terminal_refuses_are_one_message(lines: list[Line], monkeypatch: pytest.MonkeyPatch) -> None:
    """termios has an error of its own that is no OSError; it becomes the same kind of message."""

    def refuse(*arguments: object) -> None:
        raise termios.error(22, "Invalid argument")

    server = opened(lines, "pty:")
    monkeypatch.setattr(termios, "tcsetattr", refuse)
    with pytest.raises(LinkLost, match="cannot be set to this speed and parity"):
        Line(PortSettings(server.name)).open()


def test_a_network_takes_no_time_on_the_wire() -> None:
    """Only serial lines have a bit rate to reckon with."""
    assert PortSettings("/dev/ttyS0").is_serial
    assert not PortSettings("socket://x:1").is_serial


def test_a_pty_link_is_replaced_but_no_file_is(tmp_path: Path, lines: list[Line]) -> None:
    """A link left behind by a killed emulator is taken over; a file in its place is not touched."""
    link = tmp_path / "cabinet"
    link.symlink_to("/nowhere")
    server = opened(lines, f"pty:{link}")
    assert os.readlink(link) == server.name
    assert stat.S_ISCHR(os.stat(link).st_mode)
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(LinkLost, match="cannot be made"):
        Line(PortSettings(f"pty:{file}")).open()
    assert file.read_text() == "mine"


def test_datagrams_keep_their_borders_and_survive_a_dead_peer(lines: list[Line]) -> None:
    """Two datagrams are two reads; a port nobody listens on is silence, not an error."""
    server, client = pair(lines, "udp")
    client.write(b"one")
    client.write(b"two")
    assert read_all(server, 3) == b"one"
    assert read_all(server, 3) == b"two"
    server.close()
    for _ in range(3):
        client.write(b"x")
        assert client.read() == b""


@pytest.mark.parametrize("kind", ["serial", "tcp", "udp"])
def test_lines_in_an_event_loop(lines: list[Line], kind: str) -> None:
    """Attached to a loop, a line calls back with bytes, writes on by itself, and says once that it is gone."""
    server, client = pair(lines, kind)
    got = bytearray()
    gone: list[LinkLost] = []

    async def talk() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        size = 1000 if kind == "udp" else 200_000
        data = os.urandom(size)

        def take(piece: bytes) -> None:
            got.extend(piece)
            if len(got) >= size:
                done.set()

        server.attach(loop, take, gone.append)
        client.attach(loop, lambda piece: None, gone.append)
        client.write(data)
        await asyncio.wait_for(done.wait(), 10)
        assert bytes(got) == data
        if kind != "udp":
            server.close()
            while not gone:
                await asyncio.sleep(0.01)
        client.detach()

    asyncio.run(talk())
    assert len(gone) == (kind != "udp")


def test_writing_never_waits(lines: list[Line]) -> None:
    """With nobody reading, a write comes back at once."""
    _, client = pair(lines, "serial")
    writer = threading.Thread(target=client.write, args=(bytes(1 << 20),))
    writer.start()
    writer.join(timeout=2)
    assert not writer.is_alive()
    assert not client.flush()


def test_an_ipv6_listener(lines: list[Line]) -> None:
    """Addresses in brackets are IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return
    server = opened(lines, "listen://[::1]:0")
    client = opened(lines, server.name.replace("::1", "[::1]"))
    client.write(b"six")
    assert read_all(server, 3) == b"six"
