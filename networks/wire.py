"""SUMO over TraCI, spoken lean: the same few calls as in process, everything of a step batched into two messages sent at once.

A message is its length (int32) and commands of the form [length, id, content]; SUMO answers each command with a status, gets also with
their value (https://sumo.dlr.de/docs/TraCI/Protocol.html). What is asked of the loops each second never changes, so the question is
packed once, and its answer has a fixed form, so the values are picked from known places.
"""

from __future__ import annotations

import contextlib
import math
import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from ..core.errors import SimulationError
from .evenpath import even_path
from .simulator import Floats, Installation, Passage
from .spoken import last_words

GET_LOOP, GET_VEHICLE, GET_SIMULATION, SET_LIGHT, STEP, CLOSE, ORDER = 0xA0, 0xA4, 0xAB, 0xC2, 0x02, 0x7F, 0x03
SINCE, NUMBER, PASSAGES = 0x16, 0x10, 0x17
NAMES, WAITING = 0x00, 0x7A
LETTERS, EXPECTED = 0x20, 0x7D
STRING = 0x0C
STATUS = 7
"""Bytes of a status without words."""

RETRY = 0.005
PATIENCE = 120.0
"""Seconds SUMO may take to load a scenario before we give up on it, and between two tries to reach it."""


class OverTraci:
    """SUMO as a process of its own, with or without a window, or one that runs elsewhere."""

    def __init__(
        self,
        installation: Installation | None,
        options: Sequence[str],
        log: Path | None = None,
        *,
        gui: bool = False,
        remote: tuple[str, int] | None = None,
    ) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._console: IO[bytes] | None = None
        self._socket: socket.socket | None = None
        self._unread: list[str] = []
        self._loops: list[bytes] = []
        self._question = b""
        self._running = False
        self._places = np.zeros((0, 8), dtype=np.intp)
        self._answer: bytes | None = None
        host, port = remote or ("localhost", _free_port())
        if remote is None:
            if installation is None:
                raise SimulationError("there is neither an installation to start nor a remote to connect to")
            self._start(installation, [*options, "--remote-port", str(port)], gui)
        try:
            self._connect(host, port)
            self._talk(_command(ORDER, struct.pack("!i", 1)))
            self._running = True
        except BaseException:
            self._abandon()
            raise

    def _start(self, installation: Installation, options: Sequence[str], gui: bool) -> None:
        program = installation.program("sumo-gui" if gui else "sumo")
        window = ["--start", "--quit-on-end"] if gui else []
        where = self._log.with_suffix(".console") if self._log is not None else None
        self._console = where.open("wb") if where is not None else None
        self._process = subprocess.Popen(
            [even_path(program), *options, *window],
            env=installation.environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # so that Ctrl-C reaches us alone, and we can end it in order
            stdout=self._console or subprocess.DEVNULL,
            stderr=subprocess.STDOUT if self._console else subprocess.DEVNULL,
        )

    def _connect(self, host: str, port: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            if self._process is not None and self._process.poll() is not None:
                raise SimulationError(f"SUMO could not start:\n{self._words()}")
            try:
                self._socket = socket.create_connection((host, port))
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise SimulationError(
                        f"no SUMO answers at {host}:{port} ({error}); start it with --remote-port {port}"
                    ) from error
                time.sleep(RETRY)

    def step(self, letters: Sequence[tuple[str, str]]) -> None:
        """See Simulator. The question about the loops goes out with the step, so that SUMO need not wait for us."""
        shown = [
            _command(SET_LIGHT, bytes((LETTERS,)) + _text(light) + bytes((STRING,)) + _text(state))
            for light, state in letters
        ]
        self._send(b"".join((*shown, _command(STEP, struct.pack("!d", 0.0)))))
        if self._question:
            self._send(self._question)
        answer = self._receive()
        place = 0
        for command in [SET_LIGHT] * len(shown) + [STEP]:
            place = self._status(answer, place, command)
        self._answer = self._receive() if self._question else None

    def expected(self) -> int:
        """See Simulator."""
        answer = self._talk(_command(GET_SIMULATION, bytes((EXPECTED,)) + _text("")))
        return int(struct.unpack("!i", answer[-4:])[0])

    def standing(self) -> float:
        """See Simulator."""
        vehicles = _names(self._talk(_command(GET_VEHICLE, bytes((NAMES,)) + _text(""))))
        if not vehicles:
            return 0.0
        answer = self._talk(b"".join(_command(GET_VEHICLE, bytes((WAITING,)) + name) for name in vehicles))
        place, least = 0, math.inf
        for name in vehicles:
            place = self._status(answer, place, GET_VEHICLE) + _answer_length(name)
            least = min(least, struct.unpack("!d", answer[place - 8 : place])[0])
        return float(least)

    def watch(self, loops: Sequence[str]) -> None:
        """See Simulator."""
        self._loops = [_text(loop) for loop in loops]
        self._question = b"".join(_command(GET_LOOP, bytes((SINCE,)) + loop) for loop in self._loops)
        ends = np.cumsum([STATUS + _answer_length(loop) for loop in self._loops], dtype=np.intp)
        self._places = ends[:, None] + np.arange(-8, 0) if self._loops else np.zeros((0, 8), dtype=np.intp)
        self._answer = None
        if self._question:
            self._checked(self._talk(self._question))

    def since(self) -> Floats:
        """See Simulator."""
        if not self._question:
            return np.zeros(0)
        answer = self._answer if self._answer is not None else self._talk(self._question)
        return self._checked(answer)

    def _checked(self, answer: bytes) -> Floats:
        octets = np.frombuffer(answer, dtype=np.uint8)
        if len(octets) != int(self._places[-1, -1]) + 1:
            place = 0
            for loop in self._loops:
                place = self._status(answer, place, GET_LOOP) + _answer_length(loop)
        return octets[self._places].view(">f8")[:, 0].astype(np.float64)

    def look(self, counted: Sequence[int], seen: Sequence[int]) -> tuple[Floats, list[list[Passage]]]:
        """See Simulator."""
        numbers = np.zeros(len(counted))
        passages: list[list[Passage]] = []
        if not len(counted) and not len(seen):
            return numbers, passages
        loops = self._loops
        asked = [_command(GET_LOOP, bytes((NUMBER,)) + loops[row]) for row in counted]
        asked += [_command(GET_LOOP, bytes((PASSAGES,)) + loops[row]) for row in seen]
        answer = self._talk(b"".join(asked))
        place = 0
        for k, row in enumerate(counted):
            place = self._status(answer, place, GET_LOOP) + 8 + len(loops[row])
            numbers[k] = int.from_bytes(answer[place - 4 : place], "big", signed=True)
        for row in seen:
            place = self._status(answer, place, GET_LOOP)
            found, place = _passages(answer, place, len(loops[row]))
            passages.append(found)
        return numbers, passages

    def close(self) -> None:
        """See Simulator."""
        if self._socket is None:
            return
        with contextlib.suppress(SimulationError, OSError):
            self._talk(_command(CLOSE, b""))
        self._hang_up()
        if self._process is not None:
            self._process.wait()
        self._end_console()

    def _talk(self, commands: bytes) -> bytes:
        self._send(commands)
        answer = self._receive()
        self._status(answer, 0, None)
        return answer

    def _send(self, commands: bytes) -> None:
        if self._socket is None:
            raise SimulationError("the simulation is closed")
        try:
            self._socket.sendall(struct.pack("!i", len(commands) + 4) + commands)
        except OSError as error:
            raise self._failed() from error

    def _receive(self) -> bytes:
        (length,) = struct.unpack("!i", self._exactly(4))
        return self._exactly(length - 4)

    def _exactly(self, length: int) -> bytes:
        if self._socket is None:
            raise SimulationError("the simulation is closed")
        received = bytearray(length)
        view, place = memoryview(received), 0
        while place < length:
            try:
                got = self._socket.recv_into(view[place:])
            except OSError as error:
                raise self._failed() from error
            if got == 0:
                raise self._failed()
            place += got
        return bytes(received)

    def _status(self, answer: bytes, place: int, command: int | None) -> int:
        """Check the status at `place` and return where it ends."""
        length, said, result = answer[place : place + 3] if len(answer) >= place + 3 else (0, -1, 0)
        if result != 0:
            words = answer[place + STATUS : place + length].decode("utf-8", errors="replace")
            raise self._failed(words)
        if length < STATUS or (command is not None and said != command):
            raise self._failed(f"TraCI answered to command 0x{said & 0xFF:02x} where 0x{command or 0:02x} was asked")
        return place + length

    def _failed(self, words: str = "") -> SimulationError:
        self._abandon()
        return SimulationError(f"SUMO {'stopped' if self._running else 'could not start'}:\n{self._words(words)}")

    def _words(self, *spoken: str) -> str:
        console = self._log.with_suffix(".console") if self._log is not None else None
        heard = (
            console.read_text(encoding="utf-8", errors="replace") if console is not None and console.is_file() else ""
        )
        return last_words(self._log, *spoken, heard)

    def _abandon(self) -> None:
        self._hang_up()
        if self._process is not None:
            try:
                self._process.wait(timeout=2.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._end_console()

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _end_console(self) -> None:
        if self._console is not None:
            self._console.close()
            self._console = None
        where = self._log.with_suffix(".console") if self._log is not None else None
        if where is not None and where.is_file() and where.stat().st_size == 0:
            where.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _text(text: str) -> bytes:
    """A string as TraCI writes it: its length and its bytes."""
    encoded = text.encode("utf-8")
    return struct.pack("!i", len(encoded)) + encoded


def _command(command: int, content: bytes) -> bytes:
    length = len(content) + 2
    if length <= 255:
        return bytes((length, command)) + content
    return struct.pack("!BiB", 0, length + 4, command) + content


def _answer_length(name: bytes) -> int:
    """Bytes of the answer to a get of one double: length, id, variable, the loop's or vehicle's name, type, value."""
    length = 1 + 1 + 1 + len(name) + 1 + 8
    return length if length <= 255 else length + 4


def _names(answer: bytes) -> list[bytes]:
    """The names in the answer to the only get of a message, each as TraCI writes it: a count, and so many strings to the end."""
    place = STATUS + (1 if answer[STATUS] else 5) + 2 + len(_text("")) + 1
    names: list[bytes] = []
    for _ in range(int.from_bytes(answer[place : place + 4], "big")):
        begin = place + 4
        place = begin + int.from_bytes(answer[begin : begin + 4], "big")
        names.append(answer[begin : place + 4])
    return names


def _passages(answer: bytes, place: int, name: int) -> tuple[list[Passage], int]:
    """The passages in the answer at `place` about a loop whose name takes `name` bytes, and where the answer ends.

    A compound: [items] then for each vehicle its name, length [m], entry and leave [s], and type, every one with its own type byte.
    """
    place += 1 if answer[place] else 5
    place += 2 + name + 5
    place += 1
    count = int.from_bytes(answer[place : place + 4], "big")
    place += 4
    found: list[Passage] = []
    for _ in range(count):
        place += 5 + int.from_bytes(answer[place + 1 : place + 5], "big")
        place += 9
        entry, leave = struct.unpack("!dxd", answer[place + 1 : place + 18])
        found.append((entry, leave))
        place += 18
        place += 5 + int.from_bytes(answer[place + 1 : place + 5], "big")
    return found, place
