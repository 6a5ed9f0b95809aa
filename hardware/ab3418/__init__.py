"""AB 3418 (1995) and AB 3418E (2003): the serial protocol of California's controllers, as typed messages.

It selects patterns, sets the clock and reports status; it cannot move a stage by itself, and it knows no dead-man.
"""

from .extended import GetLongStatus8, GetStatus8, GetTimingData, LongStatus8, Status8, TimingData
from .messages import (
    BroadcastPattern,
    BroadcastTime,
    ControllerId,
    DetectorData,
    GetControllerId,
    GetDetectorData,
    GetShortStatus,
    Message,
    PatternSet,
    Refusal,
    SetPattern,
    SetTime,
    ShortStatus,
    TimeSet,
)
from .reading import from_bytes, reply_code
from .status import DetectorFault, Interval, Occupancy, Reason, StatusFlags

__all__ = [
    "BroadcastPattern",
    "BroadcastTime",
    "ControllerId",
    "DetectorData",
    "DetectorFault",
    "GetControllerId",
    "GetDetectorData",
    "GetLongStatus8",
    "GetShortStatus",
    "GetStatus8",
    "GetTimingData",
    "Interval",
    "LongStatus8",
    "Message",
    "Occupancy",
    "PatternSet",
    "Reason",
    "Refusal",
    "SetPattern",
    "SetTime",
    "ShortStatus",
    "Status8",
    "StatusFlags",
    "TimeSet",
    "TimingData",
    "from_bytes",
    "reply_code",
]
