"""The `[cabinet]` part of a site file: which port, which protocol, whose numbers; checked before anything is opened.

    [cabinet]
    protocol = "gbt20999"            # or "ab3418", "ntcip1202"
    port = "/dev/ttyUSB0"            # or socket://host:port, udp://host:port
    authority = "stage"              # the ceiling: monitor, advise, plan, stage
    controller_id = 7                # gbt20999; station = 1 for the others
    secrets = "/etc/signalwright/elm.toml"   # ntcip1202: read_community, write_community

    [cabinet.line]
    bits_per_second = 9600
    parity = "even"

    [cabinet.numbers]                # numbers on the line, where they do not simply count from 1 in the file's order
    stages = { A = 1, B = 3 }
    groups = { north = 2 }
    detectors = { "loop 1" = 17 }

`presence = false` leaves out who stands on which loop, for controllers that cannot tell and lines that are slow: without it
the store has no detector events (codes 81, 82).

Open points of GB/T 20999-2017 are keys with a safe default: `intergreen_unit_s` 0.1 (refused as implausible where it is
seconds), `lamp_state_attribute` 1, `parity`, `dead_man_s` (to be measured when the site is commissioned; without it the
authority ends at `plan`).
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..core.errors import InputError
from ..core.intersection import Intersection
from ..core.messages import _
from ..core.tomlkeys import line_of, reason
from .cabinets import Ab3418Driver, Authority, GbtDriver, LineCabinet, NtcipDriver
from .cabinets.habits import Habits
from .exchange import LinkSettings
from .gbt20999 import RunMode
from .port import PortSettings, Rs485, check_address

Seconds = Annotated[float, Field(gt=0, le=3600)]
_RELEASE = {"fixed": RunMode.LOCAL_FIXED, "actuated": RunMode.LOCAL_ACTUATED, "coordinated": RunMode.LOCAL_COORDINATED,
            "adaptive": RunMode.LOCAL_ADAPTIVE}  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineConfig(_Part):
    """How the serial line is set, and how long to wait on it."""

    bits_per_second: int = Field(default=9600, ge=300, le=4_000_000)
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] | None = None
    stop_bits: Literal[1, 2] = 1
    hardware_handshake: bool = False
    rs485: bool = False
    turnaround_s: float = Field(default=0.0, ge=0, le=1)
    first_timeout_s: Seconds = 0.5
    longest_timeout_s: Seconds = 5.0
    tries: int = Field(default=3, ge=1, le=10)


class NumbersConfig(_Part):
    """Numbers on the line of our names."""

    stages: dict[str, Annotated[int, Field(ge=1, le=255)]] = {}
    groups: dict[str, Annotated[int, Field(ge=1, le=255)]] = {}
    detectors: dict[str, Annotated[int, Field(ge=1, le=255)]] = {}


class PlanConfig(_Part):
    """A plan in the cabinet: `starts` is the time of day it runs from. The emulator has them; `run --controller plans` selects them."""

    number: int = Field(ge=1, le=250)
    starts: str = Field(default="00:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    stages: tuple[str, ...]
    greens_s: tuple[Annotated[int, Field(ge=1, le=600)], ...]
    offset_s: int = Field(default=0, ge=0, le=600)


class CabinetConfig(_Part):
    """The whole part; defaults are the safe choice."""

    protocol: Literal["gbt20999", "ab3418", "ntcip1202"]
    port: str
    authority: Literal["monitor", "advise", "plan", "stage"] = "monitor"
    line: LineConfig = LineConfig()
    numbers: NumbersConfig = NumbersConfig()
    controller_id: int | None = Field(default=None, ge=0, lt=1 << 32)
    junction: int = Field(default=1, ge=0, le=255)
    host_id: int = Field(default=1, ge=0, le=255)
    station: int = Field(default=1, ge=1, le=8191)
    model: str = ""
    extended: bool = True
    secrets: Path | None = None
    release_mode: Literal["fixed", "actuated", "coordinated", "adaptive"] = "fixed"
    intergreen_unit_s: float = 0.1
    lamp_state_attribute: Literal[1, 2] = 1
    dead_man_s: Seconds | None = None
    detector_period_s: Seconds = 1.0
    presence: bool = True
    poll_s: Seconds = 0.25
    hold_off_s: Seconds = 5.0
    plans: tuple[PlanConfig, ...] = ()

    @field_validator("intergreen_unit_s")
    @classmethod
    def _a_unit(cls, value: float) -> float:
        if value not in (0.1, 1.0):
            raise ValueError("must be 0.1 or 1.0")
        return value

    @field_validator("port")
    @classmethod
    def _an_address(cls, value: str) -> str:
        try:
            check_address(value)
        except InputError as problem:
            raise ValueError(str(problem)) from None
        return value

    @property
    def ceiling(self) -> Authority:
        """The most this site allows; without a measured dead-man GB/T 20999 ends at plans."""
        wanted = Authority[self.authority.upper()]
        if self.protocol == "gbt20999" and self.dead_man_s is None:
            return min(wanted, Authority.PLAN)
        return min(wanted, Authority.PLAN) if self.protocol == "ab3418" else wanted

    @property
    def may_store_plans(self) -> bool:
        """Whether plans may be uploaded."""
        return self.ceiling >= Authority.PLAN

    @property
    def datagrams(self) -> bool:
        """True for protocols over UDP."""
        return self.port.startswith("udp://")

    def port_settings(self) -> PortSettings:
        """For `Line`; the parity of GB/T 20999-2017 is even unless the file says otherwise."""
        line = self.line
        parity = line.parity or ("even" if self.protocol == "gbt20999" else "none")
        rs485 = Rs485() if line.rs485 else None
        return PortSettings(
            self.port, line.bits_per_second, line.data_bits, parity, line.stop_bits, line.hardware_handshake, rs485
        )

    @property
    def address(self) -> int:
        """What tells it from others on the same line."""
        return (self.controller_id or 0) if self.protocol == "gbt20999" else self.station

    def link_settings(self, shared: bool = False) -> LinkSettings:
        """For `Link`. On a shared line nobody is waited for longer than the first time-out: others want their turn."""
        port = self.port_settings()
        bits = port.bits_per_second if port.is_serial else 0
        return LinkSettings(
            bits,
            port.bits_per_character,
            first=self.line.first_timeout_s,
            longest=self.line.first_timeout_s if shared else self.line.longest_timeout_s,
            tries=self.line.tries,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A site file as it was when it was read: a service goes on with what was checked then."""

    path: Path
    digest: str

    @classmethod
    def of(cls, path: Path) -> Source:
        """Remember the file as it is now; raises InputError."""
        try:
            return cls(path, _digest(path))
        except OSError as problem:
            raise InputError(f"{path}: cannot be read: {problem.strerror}") from None

    @property
    def has_changed(self) -> bool:
        """The file is another one now, or gone."""
        try:
            return _digest(self.path) != self.digest
        except OSError:
            return True


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines_of(configs: Sequence[CabinetConfig], names: Sequence[str]) -> list[list[int]]:
    """Which of them stand on the same line, as rows; raises InputError for those that cannot."""
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two sites have the name {twice}: name each once")
    lines: dict[str, list[int]] = {}
    for row, config in enumerate(configs):
        lines.setdefault(config.port, []).append(row)
    for port, rows in lines.items():
        first = configs[rows[0]]
        if any(configs[row].port_settings() != first.port_settings() for row in rows):
            raise InputError(
                f"{port}: the sites on this line set it differently: {', '.join(names[row] for row in rows)}"
            )
        if any(configs[row].protocol != first.protocol for row in rows):
            raise InputError(f"{port}: the sites on this line speak different protocols")
        if len({configs[row].address for row in rows}) < len(rows):
            raise InputError(
                f"{port}: two sites on this line have the same address: {', '.join(names[row] for row in rows)}"
            )
    return list(lines.values())


def read_cabinet(path: str | Path, site: Intersection) -> CabinetConfig:
    """Read the part of a site file; raises InputError with file, line and key."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as problem:
        raise InputError(f"{path}: cannot be read: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InputError(f"{path}: is not TOML: {problem}") from None
    if "cabinet" not in data:
        raise InputError(f"{path}: has no part [cabinet]; add one with protocol and port")
    try:
        config = CabinetConfig.model_validate(data["cabinet"])
    except ValidationError as problem:
        first = problem.errors()[0]
        raise InputError(_message(path, text, first["loc"], reason(first, _("a cabinet")))) from None
    _check(config, site, path, text)
    return config if config.secrets is None else config.model_copy(update={"secrets": path.parent / config.secrets})


def _check(config: CabinetConfig, site: Intersection, path: Path, text: str) -> None:
    known = {
        "stages": [stage.name for stage in site.stages],
        "groups": [group.name for group in site.groups],
        "detectors": [detector.name for detector in site.detectors],
    }
    for kind, names in known.items():
        given: Mapping[str, int] = getattr(config.numbers, kind)
        for name in given:
            if name not in names:
                said = f"the site has no such name; it has {', '.join(names) or 'none'}"
                raise InputError(_message(path, text, ("numbers", kind, name), said))
        numbers = _numbers(given, names)
        twice = next((number for number in numbers if list(numbers).count(number) > 1), None)
        if twice is not None:
            raise InputError(_message(path, text, ("numbers", kind), f"two of them have the number {twice}"))
    for row, plan in enumerate(config.plans):
        strange = next((name for name in plan.stages if name not in known["stages"]), None)
        if strange is not None:
            said = f"the site has no stage {strange}; it has {', '.join(known['stages'])}"
            raise InputError(_message(path, text, ("plans", row, "stages"), said))
        if len(plan.greens_s) != len(plan.stages):
            said = f"{len(plan.stages)} stages but {len(plan.greens_s)} greens; give one for each"
            raise InputError(_message(path, text, ("plans", row, "greens_s"), said))
    if config.protocol == "gbt20999" and config.controller_id is None:
        said = "is missing; the id is checked before anything is written"
        raise InputError(_message(path, text, ("controller_id",), said))
    if config.protocol == "ntcip1202" and config.secrets is None:
        said = "is missing; name a file with read_community and write_community"
        raise InputError(_message(path, text, ("secrets",), said))


def _numbers(given: Mapping[str, int], names: Sequence[str]) -> tuple[int, ...]:
    """Numbers on the line in our order: those given, the others counting from 1."""
    return tuple(given.get(name, row) for row, name in enumerate(names, 1))


def _message(path: Path, text: str, location: tuple[int | str, ...], said: str) -> str:
    line = line_of(text, ("cabinet", *location))
    key = ".".join(map(str, ("cabinet", *location)))
    return f"{path}{f', line {line}' if line else ''}: {key}: {said}"


def _secrets(path: Path) -> tuple[bytes, bytes]:
    """Communities out of a file nobody else may read; raises InputError.

    A service that systemd has handed a credential of the same name reads that: its user may not read the file itself.
    """
    handed = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")) / path.name
    try:
        if handed.exists():
            path = handed
        elif path.stat().st_mode & 0o077:
            raise InputError(f"{path}: others may read this file; chmod 600 it")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InputError(
            f"{path}: cannot be read: {problem.strerror}; it holds read_community and write_community (cabinet.secrets)"
        ) from None
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{path}: is not TOML: {problem}") from None
    communities = [data.get(key) for key in ("read_community", "write_community")]
    for key, value in zip(("read_community", "write_community"), communities, strict=True):
        if not isinstance(value, str) or not value:
            raise InputError(f"{path}: {key} is missing; add it")
        if value in ("public", "private"):
            raise InputError(
                f"{path}: {key} is {value!r}, which everybody knows; set another at the controller and here"
            )
    return str(communities[0]).encode(), str(communities[1]).encode()


def cabinet_from(config: CabinetConfig, site: Intersection, shared: bool = False) -> LineCabinet[Any, Any]:
    """The cabinet this configuration describes, in MONITOR, `shared` when others stand on its line; raises InputError for
    missing secrets."""
    stages = _numbers(config.numbers.stages, [stage.name for stage in site.stages])
    groups = _numbers(config.numbers.groups, [group.name for group in site.groups])
    detectors = _numbers(config.numbers.detectors, [detector.name for detector in site.detectors])
    driver: Any
    match config.protocol:
        case "gbt20999":
            driver = GbtDriver(
                site, config.controller_id or 0, config.junction, config.host_id, config.datagrams, stages, groups, detectors,
                config.lamp_state_attribute, config.intergreen_unit_s, config.detector_period_s,
                _RELEASE[config.release_mode], config.dead_man_s, config.presence,
            )  # fmt: skip
        case "ntcip1202":
            read, write = _secrets(config.secrets or Path())
            station = None if config.datagrams else config.station
            driver = NtcipDriver(
                site, read, write, station, groups, detectors, config.detector_period_s, presence=config.presence
            )
        case _:
            system = detectors[:8] if config.extended else ()
            told = config.numbers.groups.values()
            phases = [number if number <= 8 or number in told else 0 for number in groups]
            driver = Ab3418Driver(
                site, config.station, config.model, config.extended, True, phases, system, config.detector_period_s
            )
    habits = Habits(poll=config.poll_s, hold_off=config.hold_off_s, stale=max(2.0, 4 * config.poll_s))
    return LineCabinet(site.name, driver, site, Authority.MONITOR, habits, config.link_settings(shared))
