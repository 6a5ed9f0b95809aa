"""Which class reads which first byte."""

from __future__ import annotations

from functools import lru_cache

from ...core.errors import ProtocolError
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

_KINDS: tuple[type[Message], ...] = (
    GetControllerId,
    GetShortStatus,
    GetDetectorData,
    SetTime,
    SetPattern,
    BroadcastTime,
    BroadcastPattern,
    ControllerId,
    ShortStatus,
    DetectorData,
    TimeSet,
    PatternSet,
    GetStatus8,
    GetLongStatus8,
    GetTimingData,
    Status8,
    LongStatus8,
    TimingData,
)
MESSAGES: dict[int, type[Message]] = {kind.code: kind for kind in _KINDS}


@lru_cache(4096)
def from_bytes(body: bytes) -> Message | Refusal:
    """The message in the body of an AB 3418 frame, one and the same for the same bytes; raises `ProtocolError` for one
    that is unknown or broken."""
    if body and body[0] >= 0xE0:
        return Refusal.from_bytes(body)
    kind = MESSAGES.get(body[0]) if body else None
    if kind is None:
        raise ProtocolError(f"AB 3418 message {body[:1].hex()} is not known here")
    return kind.from_bytes(body)


def reply_code(request: int) -> int | None:
    """First byte of the reply to a request, None where none is sent.

    >>> hex(reply_code(0x93)), reply_code(0xA3)
    ('0xd3', None)
    """
    return None if request & 0xF0 == 0xA0 else request + 0x40
