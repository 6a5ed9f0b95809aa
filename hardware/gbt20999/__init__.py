"""GB/T 20999-2017: messages between a controller and its centre, as typed data. No input, no output, no clock."""

from .codes import (
    Command,
    FrameType,
    LampState,
    RunMode,
    StageState,
    Status,
)
from .message import DataValue, Message, ObjectId
from .objects import OBJECTS, GbtObject, named

__all__ = [
    "OBJECTS",
    "Command",
    "DataValue",
    "FrameType",
    "GbtObject",
    "LampState",
    "Message",
    "ObjectId",
    "RunMode",
    "StageState",
    "Status",
    "named",
]
