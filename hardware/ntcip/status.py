"""What a NEMA controller says about itself: phases, mode, alarms, detectors, timing. Questions and their reading.

Whether a request is obeyed is told by these, never by reading the written variable back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum

from ...core.errors import ProtocolError
from ..ab3418.status import Occupancy, StatusFlags
from ..pattern import Pattern
from .asc import ASC, integers, phases_of
from .ber import Oid
from .snmp import VarBind


class ControlStatus(IntEnum):
    """unitControlStatus: who is in charge."""

    OTHER = 1
    SYSTEM = 2
    SYSTEM_STANDBY = 3
    BACKUP = 4
    MANUAL = 5
    TIMEBASE = 6
    INTERCONNECT = 7
    INTERCONNECT_BACKUP = 8
    REMOTE_MANUAL = 9
    LOCAL_MANUAL = 10


class FlashStatus(IntEnum):
    """unitFlashStatus: whether and why the cabinet flashes."""

    OTHER = 1
    NOT_FLASH = 2
    AUTOMATIC = 3
    LOCAL_MANUAL = 4
    FAULT_MONITOR = 5
    MMU = 6
    STARTUP = 7
    PREEMPT = 8


class PreemptState(IntEnum):
    """State of one preemption."""

    OTHER = 1
    NOT_ACTIVE = 2
    NOT_ACTIVE_WITH_CALL = 3
    ENTRY = 4
    TRACK = 5
    DWELL = 6
    LINK = 7
    EXIT = 8
    MAX_PRESENCE = 9


@dataclass(frozen=True, slots=True)
class PhaseStatus:
    """Sets of phase numbers, as the status groups give them."""

    reds: frozenset[int]
    yellows: frozenset[int]
    greens: frozenset[int]
    walks: frozenset[int]
    pedestrian_clears: frozenset[int]
    vehicle_calls: frozenset[int]
    pedestrian_calls: frozenset[int]
    phase_ons: frozenset[int]
    phase_nexts: frozenset[int]

    @classmethod
    def ask(cls, groups: int) -> tuple[Oid, ...]:
        """The variables to get, for `groups` groups of eight phases."""
        return tuple(ASC.table[field.name].at(group) for field in fields(cls) for group in range(1, groups + 1))

    @classmethod
    def read(cls, variables: Iterable[VarBind], groups: int) -> PhaseStatus:
        """Read a response to `ask`; raises `ProtocolError` if something is missing or a phase shows two colours."""
        found = integers(variables)
        sets = (
            phases_of(_need(found, ASC.table[field.name].at(group)) for group in range(1, groups + 1))
            for field in fields(cls)
        )
        status = cls(*sets)
        double = status.greens & (status.reds | status.yellows) | status.reds & status.yellows
        if double:
            raise ProtocolError(f"phase {min(double)} is reported in two colours at once")
        return status


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """Who is in charge, whether it flashes, which alarms stand, which pattern runs. `backup_time` in [s]."""

    control: ControlStatus
    flash: FlashStatus
    alarms: StatusFlags
    pattern: Pattern
    backup_time: int

    NAMES = ("control_status", "flash_status", "short_alarm", "pattern_status", "backup_time")

    @classmethod
    def ask(cls) -> tuple[Oid, ...]:
        """The variables to get."""
        return tuple(ASC.scalar[name].oid for name in cls.NAMES)

    @classmethod
    def read(cls, variables: Iterable[VarBind]) -> UnitStatus:
        """Read a response to `ask`; unknown modes count as OTHER. Raises `ProtocolError`."""
        found = integers(variables)
        control, flash, alarms, pattern, backup = (_need(found, oid) for oid in cls.ask())
        return cls(
            control=ControlStatus(control) if control in set(ControlStatus) else ControlStatus.OTHER,
            flash=FlashStatus(flash) if flash in set(FlashStatus) else FlashStatus.OTHER,
            alarms=StatusFlags(alarms & 0xFF),
            pattern=Pattern.from_ntcip(pattern),
            backup_time=backup,
        )


@dataclass(frozen=True, slots=True)
class PhaseTiming:
    """Timing of one phase that an optimiser must respect [s]. Units of 1 s and 0.1 s as NTCIP 1202 has them."""

    minimum_green: float
    yellow: float
    red_clear: float
    maximum: float
    walk: float
    pedestrian_clear: float

    COLUMNS = {  # noqa: RUF012
        "minimum_green": 1.0, "yellow_change": 0.1, "red_clear": 0.1, "maximum_1": 1.0, "walk": 1.0,
        "pedestrian_clear": 1.0,
    }  # fmt: skip

    @classmethod
    def ask(cls, phase: int) -> tuple[Oid, ...]:
        """The variables to get."""
        return tuple(ASC.table[name].at(phase) for name in cls.COLUMNS)

    @classmethod
    def read(cls, variables: Iterable[VarBind], phase: int) -> PhaseTiming:
        """Read a response to `ask`; raises `ProtocolError`."""
        found = integers(variables)
        values = (round(_need(found, ASC.table[name].at(phase)) * unit, 1) for name, unit in cls.COLUMNS.items())
        return cls(*values)


def ask_detectors(detectors: Iterable[int]) -> tuple[Oid, ...]:
    """The variables to get for volume and occupancy of these detectors."""
    return tuple(ASC.table[name].at(one) for one in detectors for name in ("detector_volume", "detector_occupancy"))


def read_detectors(variables: Iterable[VarBind], detectors: Iterable[int]) -> dict[int, Occupancy]:
    """Volume and occupancy by detector; occupancies from 210 on are faults. Raises `ProtocolError`."""
    found = integers(variables)
    return {
        one: Occupancy.from_bytes(bytes(_need(found, oid, most=255) for oid in ask_detectors([one])))
        for one in detectors
    }


def _need(found: Mapping[Oid, int], oid: Oid, most: int = 0xFFFF) -> int:
    value = found.get(oid)
    if value is None or not 0 <= value <= most:
        name = ASC.name_of(oid) or ".".join(map(str, oid))
        raise ProtocolError(f"the controller's answer has {name} = {value}, expected 0 to {most}")
    return value
