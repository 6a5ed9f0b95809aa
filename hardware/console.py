"""The service's console: a Unix socket in its state directory, one line in, one answer out; and the lock of the one writer.

status [NAME]             a line a cabinet, for a person
status --json [NAME]      everything, for a machine
authority LEVEL [NAME]    raise or lower: monitor, advise, plan, stage; a service of several cabinets wants the name
release [NAME]            give everything back and fall to monitor
stop                      give everything back and end
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shlex
import socket
from pathlib import Path

from ..core.errors import InputError, LinkLost
from .cabinets import Authority
from .roadside import Roadside
from .service import Service

_SOCKET = "console"
_LOCK = "lock"


class Console:
    """Answers lines for one process. The socket can be used by the owner of the state directory only."""

    def __init__(self, roadside: Roadside, state: Path) -> None:
        self.roadside = roadside
        self.path = state / _SOCKET
        self._server: asyncio.Server | None = None
        self._lock = _only_one(state)

    async def open(self) -> None:
        """Start to listen."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        self.path.chmod(0o600)

    async def close(self) -> None:
        """Stop to listen; give the lock back."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.path.unlink(missing_ok=True)
        os.close(self._lock)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode(errors="replace").strip()
        try:
            answer = self.do(line)
        except InputError as problem:
            answer = f"error: {problem}"
        with contextlib.suppress(ConnectionError):  # who asked may have gone meanwhile
            writer.write(answer.encode() + b"\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    def do(self, line: str) -> str:
        """Obey one line; raises InputError for what it does not understand."""
        try:
            words = shlex.split(line)
        except ValueError as problem:
            raise InputError(f"{line!r}: {problem}") from None
        match words:
            case ["status"]:
                return self.roadside.summary()
            case ["status", "--json"]:
                return json.dumps(self.roadside.report())
            case ["status", name]:
                return self._named(name)[0].summary()
            case ["status", "--json", name]:
                return json.dumps(self._named(name)[0].report())
            case ["authority", level, *name] if level.upper() in Authority.__members__ and len(name) < 2:
                return self._one(name).raise_authority(Authority[level.upper()])
            case ["release", *name] if len(name) < 2:
                chosen = self._named(name[0]) if name else self.roadside.services
                return "\n".join(self._release(service) for service in chosen)
            case ["stop"]:
                self.roadside.stop()
                return "giving everything back"
        levels = ", ".join(name.lower() for name in Authority.__members__)
        raise InputError(f"{line!r}: known are status, status --json, authority LEVEL ({levels}), release, stop")

    def _release(self, service: Service) -> str:
        service.cabinet.release("an operator said so")
        return service.raise_authority(Authority.MONITOR)

    def _named(self, name: str) -> list[Service]:
        found = [service for service in self.roadside.services if service.cabinet.name == name]
        if not found:
            raise InputError(f"no cabinet {name!r} is served here; there are {', '.join(self._names())}")
        return found

    def _one(self, name: list[str]) -> Service:
        """Authority is raised at one cabinet at a time."""
        if not name and len(self.roadside.services) > 1:
            raise InputError(f"several cabinets are served here, name one: {', '.join(self._names())}")
        return self._named(name[0])[0] if name else self.roadside.services[0]

    def _names(self) -> list[str]:
        return [service.cabinet.name for service in self.roadside.services]


def _only_one(state: Path) -> int:
    """A lock that dies with the process; raises InputError when another service holds it."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise InputError(f"{state}: cannot hold the service's state: {problem.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InputError(f"{state}: another service runs here; only one may write to a cabinet") from None
    return descriptor


def ask(state: Path, line: str, timeout: float = 5.0) -> str:
    """Send a line to a running service and return its answer; raises `LinkLost` when none runs."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(timeout)
        try:
            wire.connect(str(state / _SOCKET))
            wire.sendall(line.encode() + b"\n")
            answer = b""
            while piece := wire.recv(65536):
                answer += piece
        except OSError:
            raise LinkLost(f"no service answers in {state}: is it running, and are you its user?") from None
    return answer.decode().strip()
