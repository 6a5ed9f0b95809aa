"""Enumerations of GB/T 20999-2017 (Annex A). Values are hexadecimal pairs of decimal digits, as the standard writes
them.

Controllers send values that are in no table (alarm type 80 and fault action 07 were captured from one in production),
so reading never fails on an unknown number: `read` gives the member or the bare number.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

E = TypeVar("E", bound=IntEnum)


def read(kind: type[E], number: int) -> E | int:
    """The member of `kind` with this number, or the number itself when the maker added one.

    >>> read(FaultAction, 7)
    7
    """
    try:
        return kind(number)
    except ValueError:
        return number


class FrameType(IntEnum):
    """Kind of frame. A reply is the request + 0x10, an error reply the request + 0x11."""

    QUERY = 0x10
    QUERY_REPLY = 0x20
    QUERY_ERROR = 0x21
    SET = 0x30
    SET_REPLY = 0x40
    SET_ERROR = 0x41
    BROADCAST = 0x50
    REPORT = 0x60
    HEARTBEAT = 0x70
    HEARTBEAT_REPLY = 0x80


class Status(IntEnum):
    """Why a value was refused; the one byte of value in an error reply."""

    BAD_VALUE = 0x10
    WRONG_LENGTH = 0x11
    OVERFLOW = 0x12
    READ_ONLY = 0x20
    DOES_NOT_EXIST = 0x30
    GENERAL_ERROR = 0x40
    CONTROL_FAILED = 0x50


class RunMode(IntEnum):
    """How a junction is run: 1x by the centre, 2x by the controller itself, 3x special."""

    CENTRE = 0x10
    CENTRE_DAY_PLAN = 0x11
    CENTRE_OPTIMISED = 0x12
    CENTRE_COORDINATED = 0x13
    CENTRE_ADAPTIVE = 0x14
    CENTRE_MANUAL = 0x15
    LOCAL = 0x20
    LOCAL_FIXED = 0x21
    LOCAL_ACTUATED = 0x22
    LOCAL_COORDINATED = 0x23
    LOCAL_ADAPTIVE = 0x24
    LOCAL_MANUAL = 0x25
    SPECIAL = 0x30
    FLASH = 0x31
    ALL_RED = 0x32
    DARK = 0x33


class LampState(IntEnum):
    """What a lamp group shows."""

    OFF = 0x01
    RED = 0x10
    RED_FLASH = 0x11
    RED_FAST_FLASH = 0x12
    GREEN = 0x20
    GREEN_FLASH = 0x21
    GREEN_FAST_FLASH = 0x22
    YELLOW = 0x30
    YELLOW_FLASH = 0x31
    YELLOW_FAST_FLASH = 0x32
    RED_YELLOW = 0x40


class LampGroupType(IntEnum):
    """Whom a lamp group serves."""

    VEHICLE = 1
    NON_MOTOR = 2
    PEDESTRIAN = 3
    LANE = 4
    VARIABLE_SIGN = 5
    BUS = 6
    TRAM = 7
    SPECIAL = 8


class DetectorType(IntEnum):
    """How a detector detects."""

    LOOP = 1
    VIDEO = 2
    GEOMAGNETIC = 3
    MICROWAVE = 4
    ULTRASONIC = 5
    INFRARED = 6


class VehicleClass(IntEnum):
    """What a detector has seen."""

    NONE = 0
    SMALL = 1
    MEDIUM = 2
    LARGE = 3
    BUS = 4
    TRAM = 5
    SPECIAL = 6


class StageState(IntEnum):
    """Whether a stage runs."""

    NOT_RUNNING = 0x10
    RUNNING = 0x20
    IN_TRANSITION = 0x30


class StageOccurrence(IntEnum):
    """Whether a stage of a plan always comes or on demand."""

    FIXED = 0x10
    ON_DEMAND = 0x20


class AlarmType(IntEnum):
    """Part of the device an alarm is about."""

    LAMP = 0x10
    DETECTOR = 0x30
    DEVICE = 0x40
    ENVIRONMENT = 0x60


class FaultType(IntEnum):
    """What has failed."""

    GREEN_CONFLICT = 0x10
    GREEN_RED_CONFLICT = 0x11
    RED_LAMP = 0x20
    YELLOW_LAMP = 0x21
    GREEN_LAMP = 0x22
    COMMUNICATION = 0x30
    SELF_TEST = 0x40
    DETECTOR = 0x41
    RELAY = 0x42
    MEMORY = 0x43
    CLOCK = 0x44
    MAIN_BOARD = 0x45
    PHASE_BOARD = 0x46
    DETECTOR_BOARD = 0x47
    CONFIGURATION = 0x50
    CONTROL_RESPONSE = 0x70


class FaultAction(IntEnum):
    """What the controller did about a fault."""

    NONE = 0x00
    FLASH = 0x10
    DARK = 0x20
    ALL_RED = 0x30
    LOCAL_FIXED = 0x40
    LOCAL_COORDINATED = 0x50
    LOCAL_ACTUATED = 0x60


class Command(IntEnum):
    """Values of the command pipe."""

    CANCEL = 0
    FLASH = 1
    ALL_RED = 2
    LAMPS_ON = 3
    LAMPS_OFF = 4
    RESTART = 5


class LinkType(IntEnum):
    """How the controller reaches its host."""

    TCP = 1
    UDP = 2
    RS232 = 3
