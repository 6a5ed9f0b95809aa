"""Objects of an actuated signal controller (NTCIP 1202), base 1.3.6.1.4.1.1206.4.2.1, as a table.

`writable` marks what this program may set. Minimum greens, yellows and red clearances are not among it, whatever the
device allows. Phase 1 is bit 0 of group 1: phase = 8 * group - 7 + bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...core.errors import ProtocolError
from ..frames.bitmap import from_bits
from .ber import Oid
from .snmp import Value, VarBind

NEMA: Oid = (1, 3, 6, 1, 4, 1, 1206)
BASE: Oid = (*NEMA, 4, 2, 1)
GLOBAL_TIME: Oid = (*NEMA, 4, 2, 6, 3, 1, 0)  # NTCIP 1201, seconds since 1970 UTC


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value of the device."""

    name: str
    oid: Oid
    writable: bool = False

    def put(self, value: int) -> VarBind:
        """The variable for a set message; raises `ProtocolError` if this program never writes it."""
        return _put(self.name, self.writable, self.oid, value)


@dataclass(frozen=True, slots=True)
class Table:
    """One column of a table; rows are phases, groups of eight phases, detectors, patterns."""

    name: str
    column: Oid
    writable: bool = False

    def at(self, *row: int) -> Oid:
        """The variable of one row."""
        return (*self.column, *row)

    def put(self, value: int, *row: int) -> VarBind:
        """The variable for a set message; raises `ProtocolError` if this program never writes it."""
        return _put(self.name, self.writable, self.at(*row), value)


def _put(name: str, writable: bool, oid: Oid, value: int) -> VarBind:
    if not writable:
        raise ProtocolError(f"{name} is never written by this program")
    if not 0 <= value <= 0xFFFF:
        raise ProtocolError(f"{value} does not fit {name}")
    return VarBind(oid, value)


# place of the table's entry under the base, then its columns from the first number on ("-" leaves one out)
_TABLES: tuple[tuple[Oid, int, str, bool], ...] = (
    ((1, 2, 1), 2, "walk pedestrian_clear minimum_green passage maximum_1 maximum_2 yellow_change red_clear red_revert "
     "added_initial maximum_initial time_before_reduction cars_before_reduction time_to_reduce reduce_by minimum_gap "
     "dynamic_max_limit dynamic_max_step phase_startup phase_options phase_ring phase_concurrency", False),
    ((1, 4, 1), 2, "reds yellows greens dont_walks pedestrian_clears walks vehicle_calls pedestrian_calls "
     "phase_ons phase_nexts", False),
    ((1, 5, 1), 2, "phase_omit pedestrian_omit hold force_off vehicle_call pedestrian_call", True),
    ((2, 2, 1), 2, "detector_options - detector_call_phase detector_switch_phase detector_delay detector_extend "
     "detector_queue_limit detector_no_activity detector_max_presence detector_erratic_counts detector_fail_time "
     "detector_alarms detector_reported_alarms detector_reset", False),
    ((2, 4, 1), 2, "detector_group_active detector_group_alarms", False),
    ((2, 5, 4, 1), 1, "detector_volume detector_occupancy", False),
    ((4, 7, 1), 2, "pattern_cycle pattern_offset pattern_split pattern_sequence", True),
    ((4, 9, 1), 3, "split_time split_mode split_coord_phase", True),
    ((6, 2, 1), 16, "preempt_state", False),
    ((6, 3, 1), 2, "preempt_control", False),
    ((7, 5, 1), 2, "ring_stop_time ring_force_off ring_max_2 ring_max_inhibit ring_pedestrian_recycle ring_red_rest "
     "ring_omit_red_clear", False),
    ((8, 4, 1), 2, "channel_reds channel_yellows channel_greens", False),
    ((9, 4, 1), 2, "overlap_reds overlap_yellows overlap_greens", False),
    ((10, 2, 1), 2, "port1_present port1_frame40 port1_status port1_fault_frame", False),
)  # fmt: skip

_SCALARS: tuple[tuple[Oid, str, bool], ...] = (
    ((1, 1), "max_phases", False),
    ((1, 3), "max_phase_groups", False),
    ((2, 1), "max_detectors", False),
    ((2, 5, 1), "count_sequence", False),
    ((2, 5, 2), "count_period", False),
    ((2, 5, 3), "count_detectors", False),
    ((3, 1), "startup_flash", False),
    ((3, 2), "auto_pedestrian_clear", False),
    ((3, 3), "backup_time", True),
    ((3, 4), "unit_red_revert", False),
    ((3, 5), "control_status", False),
    ((3, 6), "flash_status", False),
    ((3, 7), "alarm_status_2", False),
    ((3, 8), "alarm_status_1", False),
    ((3, 9), "short_alarm", False),
    ((3, 10), "unit_control", False),
    ((4, 1), "coord_mode", False),
    ((4, 2), "coord_correction", False),
    ((4, 3), "coord_maximum", False),
    ((4, 4), "coord_force", False),
    ((4, 10), "pattern_status", False),
    ((4, 11), "local_free_status", False),
    ((4, 12), "cycle_status", False),
    ((4, 13), "sync_status", False),
    ((4, 14), "pattern_control", True),
    ((4, 15), "sync_control", True),
)


def _tables() -> dict[str, Table]:
    tables = {}
    for entry, first, names, writable in _TABLES:
        for number, name in enumerate(names.split(), first):
            if name != "-":
                tables[name] = Table(name, (*BASE, *entry, number), writable)
    return tables


@dataclass(frozen=True, slots=True)
class Objects:
    """The dictionary: `ASC.scalar["backup_time"]`, `ASC.table["greens"]`."""

    scalar: dict[str, Scalar]
    table: dict[str, Table]

    def name_of(self, oid: Oid) -> str | None:
        """Our name for a variable, for messages and logs: `greens.1`; None if it is not in the dictionary."""
        for scalar in self.scalar.values():
            if scalar.oid == oid:
                return scalar.name
        for table in self.table.values():
            size = len(table.column)
            if oid[:size] == table.column:
                return ".".join([table.name, *map(str, oid[size:])])
        return None


ASC = Objects({name: Scalar(name, (*BASE, *place, 0), writable) for place, name, writable in _SCALARS}, _tables())


def groups_of(phases: Iterable[int], groups: int) -> tuple[int, ...]:
    """The byte of each group of eight phases, from group 1.

    >>> [hex(byte) for byte in groups_of([2, 6, 9], 2)]
    ['0x22', '0x1']
    """
    bytes_ = [0] * groups
    for phase in phases:
        if not 1 <= phase <= 8 * groups:
            raise ProtocolError(f"phase {phase} is not between 1 and {8 * groups}")
        bytes_[(phase - 1) // 8] |= 1 << (phase - 1) % 8
    return tuple(bytes_)


def phases_of(groups: Iterable[int]) -> frozenset[int]:
    """The phases whose bits are set in the bytes of groups 1, 2, ...

    >>> sorted(phases_of([0x22, 0x01]))
    [2, 6, 9]
    """
    return frozenset(8 * group + number for group, byte in enumerate(groups) for number in from_bits(_octet(byte)))


def _octet(value: int) -> bytes:
    if not 0 <= value <= 255:
        raise ProtocolError(f"{value} is no byte of eight phases")
    return bytes([value])


def integers(variables: Iterable[VarBind]) -> dict[Oid, int]:
    """The variables of a response by name, all of which must be integers; raises `ProtocolError`."""
    found: dict[Oid, int] = {}
    for variable in variables:
        value: Value = variable.value
        if not isinstance(value, int):
            raise ProtocolError(f"{ASC.name_of(variable.oid) or variable.oid} is not a number but {value!r}")
        found[variable.oid] = value
    return found
