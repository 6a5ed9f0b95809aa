"""The objects of GB/T 20999-2017 this project reads and writes, as a table.

`writable` marks what may be sent in a set frame; minimum greens, lamp sequences, conflicts and intergreens are marked
as not writable on purpose, whatever the standard allows: an optimiser never writes them on line.
Sizes are those of the captured controller. Open in the standard as far as it is known here, and keys of the site file:
the unit of intergreens (`intergreen_unit_s`) and which attribute of 3.3 holds the lamp state (`lamp_state_attribute`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.errors import ProtocolError
from . import codes
from .codec import IPV4, IPV6, RAW, TIME, Codec, array, bits, chain, code, number, text
from .message import DataValue, ObjectId

_1, _2, _4 = number(1), number(2), number(4)
_MASK, _PER_PHASE = bits(8), array(64)


@dataclass(frozen=True, slots=True)
class GbtObject:
    """One attribute of one object: name, place, how its value is written, whether we may write it."""

    name: str
    id: ObjectId
    codec: Codec
    writable: bool = False

    def ask(self, element: int = 0) -> DataValue:
        """The question for row `element` (0: the object has no rows, or all rows)."""
        return DataValue(self.id._replace(element=element))

    def put(self, value: Any, element: int = 0) -> DataValue:
        """The value for a set frame; raises `ProtocolError` if it may not be written or does not fit."""
        if not self.writable:
            raise ProtocolError(f"{self.name} ({self.id}) is never written by this program")
        return self.value(value, element)

    def value(self, value: Any, element: int = 0) -> DataValue:
        """The value as a controller reports it."""
        try:
            return DataValue(self.id._replace(element=element), self.codec.encode(value))
        except (OverflowError, ValueError, TypeError) as problem:
            raise ProtocolError(f"{value!r} does not fit {self.name} ({self.id}): {problem}") from None

    def read(self, data: bytes) -> Any:
        """The value in Python; raises `ProtocolError` if its size is not that of the object."""
        if self.codec.size is not None and len(data) != self.codec.size:
            raise ProtocolError(f"{self.name} ({self.id}) has {len(data)} bytes, not {self.codec.size}")
        return self.codec.decode(data)


_COLOURS = tuple(f"{way}_{part}" for way in ("losing", "gaining", "startup_gaining", "startup_losing")
                 for n in (1, 2, 3) for part in (f"colour_{n}", f"time_{n}"))  # fmt: skip

# class, object, attribute, name, codec, writable
_ROWS: tuple[tuple[int, int, int, str, Codec, bool], ...] = (
    (1, 1, 0, "maker", text(128), False),
    (1, 2, 0, "version", RAW, False),
    (1, 3, 0, "device_number", text(16), False),
    (1, 4, 0, "made", TIME, False),
    (1, 5, 0, "configured", TIME, False),
    (2, 1, 0, "site_name", text(128), False),
    (2, 2, 1, "controller_ipv4", IPV4, False),
    (2, 2, 2, "controller_mask", IPV4, False),
    (2, 2, 3, "controller_gateway", IPV4, False),
    (2, 3, 1, "host_ipv4", IPV4, False),
    (2, 3, 2, "host_port", _2, False),
    (2, 3, 3, "host_link", code(codes.LinkType), False),
    (2, 4, 0, "timezone", _4, False),
    (2, 5, 0, "controller_id", _4, False),
    (2, 6, 0, "junction_count", _1, False),
    (2, 7, 0, "gps_clock", _1, False),
    (2, 8, 1, "controller_ipv6", IPV6, False),
    (2, 8, 2, "controller_ipv6_prefix", IPV6, False),
    (2, 8, 3, "controller_ipv6_gateway", IPV6, False),
    (2, 9, 1, "host_ipv6", IPV6, False),
    (2, 9, 2, "host_ipv6_port", _2, False),
    (2, 9, 3, "host_ipv6_link", code(codes.LinkType), False),
    (3, 1, 0, "lamp_group_count", _1, False),
    (3, 2, 1, "lamp_group_no", _1, False),
    (3, 2, 2, "lamp_group_type", code(codes.LampGroupType), False),
    (3, 3, 1, "lamp_state", code(codes.LampState), False),
    (3, 3, 2, "lamp_state_2", code(codes.LampState), False),
    (3, 4, 1, "lamp_control_no", _1, False),
    (3, 4, 2, "lamp_mask", _1, False),
    (3, 4, 3, "lamp_prohibit", _1, False),
    (4, 1, 0, "phase_count", _1, False),
    (4, 2, 1, "phase_no", _1, False),
    (4, 2, 2, "phase_lamp_groups", _MASK, False),
    *((4, 2, 3 + n, name, _1, False) for n, name in enumerate(_COLOURS)),
    (4, 2, 27, "min_green", _2, False),
    (4, 2, 28, "max_green_1", _2, False),
    (4, 2, 29, "max_green_2", _2, False),
    (4, 2, 30, "extension_green", _2, False),
    (4, 2, 31, "phase_demand", _MASK, False),
    (4, 3, 1, "phase_control_no", _1, False),
    (4, 3, 2, "phase_mask", _1, True),
    (4, 3, 3, "phase_prohibit", _1, True),
    (5, 1, 0, "detector_count", _1, False),
    (5, 2, 1, "detector_no", _1, False),
    (5, 2, 2, "detector_type", code(codes.DetectorType), False),
    (5, 2, 3, "detector_flow_period", _2, False),
    (5, 2, 4, "detector_occupancy_period", _2, False),
    (5, 2, 5, "detector_place", text(128), False),
    (5, 3, 1, "detector_status_no", _1, False),
    (5, 3, 2, "detector_presence", _1, False),
    (5, 3, 3, "detector_speed", _1, False),
    (5, 3, 4, "detector_class", code(codes.VehicleClass), False),
    (5, 3, 5, "detector_plate", text(16), False),
    (5, 3, 6, "detector_queue", _2, False),
    (6, 1, 0, "stage_count", _1, False),
    (6, 2, 1, "stage_no", _1, False),
    (6, 2, 2, "stage_phases", _MASK, True),
    (6, 2, 3, "stage_late_start", _PER_PHASE, True),
    (6, 2, 4, "stage_early_end", _PER_PHASE, True),
    (6, 3, 1, "stage_status_no", _1, False),
    (6, 3, 2, "stage_state", code(codes.StageState), False),
    (6, 3, 3, "stage_elapsed", _2, False),
    (6, 3, 4, "stage_remaining", _2, False),
    (6, 4, 1, "stage_control_no", _1, False),
    (6, 4, 2, "stage_demand", _1, True),
    (6, 4, 3, "stage_mask", _1, True),
    (6, 4, 4, "stage_prohibit", _1, True),
    (7, 1, 1, "conflict_phase", _1, False),
    (7, 1, 2, "conflicts", _MASK, False),
    (7, 2, 1, "intergreen_phase", _1, False),
    (7, 2, 2, "intergreens", _PER_PHASE, False),
    (8, 1, 0, "priority_count", _1, False),
    (8, 2, 1, "priority_no", _1, False),
    (8, 2, 2, "priority_stage", _1, False),
    (8, 2, 3, "priority_level", _1, False),
    (8, 2, 4, "priority_mask", _1, False),
    (8, 3, 1, "priority_status_no", _1, False),
    (8, 3, 2, "priority_requested", _1, False),
    (8, 3, 3, "priority_executing", _1, False),
    (8, 4, 0, "emergency_count", _1, False),
    (8, 5, 1, "emergency_no", _1, False),
    (8, 5, 2, "emergency_stage", _1, False),
    (8, 5, 3, "emergency_level", _1, False),
    (8, 5, 4, "emergency_mask", _1, False),
    (8, 6, 1, "emergency_status_no", _1, False),
    (8, 6, 2, "emergency_requested", _1, False),
    (8, 6, 3, "emergency_executing", _1, False),
    (9, 1, 0, "plan_count", _1, False),
    (9, 2, 1, "plan_no", _1, False),
    (9, 2, 2, "plan_junction", _1, True),
    (9, 2, 3, "plan_cycle", _4, True),
    (9, 2, 4, "plan_coordination", _1, True),
    (9, 2, 5, "plan_offset", _2, True),
    (9, 2, 6, "plan_stages", chain(16), True),
    (9, 2, 7, "plan_times", chain(16, 2), True),
    (9, 2, 8, "plan_occurrence", chain(16), True),
    (10, 1, 1, "transition_target", _1, False),
    (10, 1, 2, "transitions", _PER_PHASE, False),
    (11, 1, 0, "day_plan_count", _1, False),
    (11, 2, 1, "day_plan_no", _1, False),
    (11, 2, 2, "day_plan_junction", _1, True),
    (11, 2, 3, "day_plan_starts", RAW, False),
    (11, 2, 4, "day_plan_plans", array(48), True),
    (11, 2, 5, "day_plan_modes", array(48), True),
    *((11, 2, 6 + n, f"day_plan_actions_{n + 1}", RAW, False) for n in range(8)),
    (12, 1, 0, "schedule_count", _1, False),
    (12, 2, 1, "schedule_no", _1, False),
    (12, 2, 2, "schedule_junction", _1, True),
    (12, 2, 3, "schedule_priority", _1, True),
    (12, 2, 4, "schedule_weekdays", _1, True),
    (12, 2, 5, "schedule_months", _2, True),
    (12, 2, 6, "schedule_days", _4, True),
    (12, 2, 7, "schedule_day_plan", _1, True),
    (13, 1, 1, "detectors_failed", _MASK, False),
    (13, 1, 2, "modules_failed", _MASK, False),
    (13, 1, 3, "door", _1, False),
    (13, 1, 4, "volts", _2, False),
    (13, 1, 5, "tenth_amps", _2, False),
    (13, 1, 6, "temperature", _1, False),
    (13, 1, 7, "humidity", _1, False),
    (13, 1, 8, "water", _1, False),
    (13, 1, 9, "smoke", _1, False),
    (13, 1, 10, "time_utc", TIME, False),
    (13, 1, 11, "time_local", TIME, False),
    (13, 2, 1, "junction_no", _1, False),
    (13, 2, 2, "run_mode", code(codes.RunMode), False),
    (13, 2, 3, "current_plan", _1, False),
    (13, 2, 4, "current_stage", _1, False),
    (14, 1, 0, "presence", _MASK, False),
    (14, 2, 1, "count_detector", _1, False),
    (14, 2, 2, "count_flow", _2, False),
    (14, 2, 3, "count_occupancy", _1, False),
    (14, 2, 4, "count_speed", _2, False),
    (15, 1, 0, "alarm_count", _4, False),
    (15, 2, 1, "alarm_no", _4, False),
    (15, 2, 2, "alarm_type", code(codes.AlarmType), False),
    (15, 2, 3, "alarm_value", _1, False),
    (15, 2, 4, "alarm_time", TIME, False),
    (16, 1, 0, "fault_count", _4, False),
    (16, 2, 1, "fault_no", _4, False),
    (16, 2, 2, "fault_type", code(codes.FaultType), False),
    (16, 2, 3, "fault_time", TIME, False),
    (16, 2, 4, "fault_action", code(codes.FaultAction), False),
    (17, 1, 1, "centre_junction", _1, False),
    (17, 1, 2, "commanded_stage", _1, True),
    (17, 1, 3, "commanded_plan", _1, True),
    (17, 1, 4, "commanded_mode", code(codes.RunMode), True),
    (18, 1, 0, "command", RAW, False),
)

OBJECTS: dict[str, GbtObject] = {
    name: GbtObject(name, ObjectId(klass, thing, attribute), codec, writable)
    for klass, thing, attribute, name, codec, writable in _ROWS
}
_BY_ID = {item.id[:3]: item for item in OBJECTS.values()}


def named(name: str) -> GbtObject:
    """The object with this name; raises `ProtocolError` naming it if there is none."""
    try:
        return OBJECTS[name]
    except KeyError:
        raise ProtocolError(f"GB/T 20999 has no object {name!r} here") from None


def at(place: ObjectId) -> GbtObject | None:
    """The object at this place of the dictionary, None for one we do not know (private classes are from 128 on)."""
    return _BY_ID.get(place[:3])
