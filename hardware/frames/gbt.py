"""GB/T 20999-2017 framing.

    7E | length, 2 | content ... | CRC, 2 | 7D

Length counts content and CRC and itself not: all unescaped bytes less 4. The CRC covers length and content. On a serial
line and on TCP a 7E, 7D or 5C between start and end is sent as 5C and the byte itself; on UDP nothing is escaped.
Sources: 339 published frames of a production controller and of a host, whose lengths and check sums all agree.
"""

from __future__ import annotations

import re

from ...core.errors import ProtocolError
from .checksum import crc_gbt20999
from .statistics import LineStatistics

START, END, ESCAPE = 0x7E, 0x7D, 0x5C
MAX_CONTENT = 0xFFFF - 2
_SPECIAL = re.compile(rb"[\x7e\x7d\x5c]")
_ESCAPED = re.compile(rb"\x5c(.)", re.DOTALL)


def wrap(content: bytes, escaped: bool = True) -> bytes:
    """The bytes on the wire for `content` (protocol version .. last data byte); `escaped` is False for UDP only."""
    if len(content) > MAX_CONTENT:
        raise ProtocolError(f"a GB/T 20999 frame holds at most {MAX_CONTENT} bytes, this one has {len(content)}")
    body = (len(content) + 2).to_bytes(2, "big") + content
    body += crc_gbt20999(body).to_bytes(2, "big")
    if escaped:
        body = _SPECIAL.sub(lambda found: b"\x5c" + found.group(), body)
    return b"\x7e" + body + b"\x7d"


def unwrap_datagram(datagram: bytes) -> bytes:
    """The content of a frame that came alone in a UDP datagram, where nothing is escaped.

    Raises `ProtocolError` for anything but exactly one good frame.
    """
    if len(datagram) < 6 or datagram[0] != START or datagram[-1] != END:
        raise ProtocolError("the datagram is not framed by 7E and 7D: is the sender set to GB/T 20999-2017?")
    body = datagram[1:-1]
    _check_length(body, len(body))
    return _content(body)


def _check_length(body: bytes, escaped_size: int) -> bool:
    """True when the length field counts the escape bytes too; raises `ProtocolError` when it fits neither way."""
    said = int.from_bytes(body[:2], "big")
    if said == len(body) - 2:
        return False
    if said == escaped_size - 2:
        return True
    raise ProtocolError(f"the length field says {said}, the frame has {len(body) - 2} bytes after it")


def _content(body: bytes) -> bytes:
    if crc_gbt20999(body[:-2]) != int.from_bytes(body[-2:], "big"):
        raise BadCheck("the check sum of the frame is wrong: noise on the line, or a wrong speed or parity")
    return body[2:-2]


class BadCheck(ProtocolError):
    """The check sum of a frame is wrong."""


class GbtFramer:
    """Cuts frames out of a stream of bytes (serial, TCP), however the bytes are chunked.

    A raw 7E can only be a start and a raw 7D only an end, so after any damage the next start is in step again.
    """

    def __init__(self, max_frame: int = 2 * (MAX_CONTENT + 4) + 2) -> None:
        self.statistics = LineStatistics()
        self._max_frame = max_frame
        self._pending = bytearray()
        self._scanned = 0

    def reset(self) -> None:
        """Forget a half-received frame (after reopening the port)."""
        self._drop(len(self._pending))

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream; return the contents of all frames they complete."""
        self.statistics.octets += len(data)
        found: list[bytes] = []
        if (
            not self._pending
            and data[:1] == b"\x7e"
            and _SPECIAL.search(data, 1, len(data) - 1) is None
            and data[-1] == END
        ):
            self._close(data[1:-1], found)  # the common case: one whole frame that needs no escapes
            return found
        self._pending += data
        while self._step(found):
            pass
        return found

    def _step(self, found: list[bytes]) -> bool:
        """Go on to the next special byte; False when the bytes at hand are used up."""
        pending = self._pending
        if self._scanned == 0:
            start = pending.find(START)
            self._drop(start if start >= 0 else len(pending))
            if start < 0:
                return False
            self._scanned = 1
        special = _SPECIAL.search(pending, self._scanned)
        if special is None:
            self._scanned = len(pending)
            if self._scanned > self._max_frame:
                self.statistics.malformed += 1
                self._drop(self._scanned)
            return False
        at = special.start()
        if pending[at] == ESCAPE:
            if at + 1 == len(pending):
                self._scanned = at
                return False
            self._scanned = at + 2
        elif pending[at] == START:
            self.statistics.malformed += at > 1
            self._drop(at)
        else:
            self._close(bytes(pending[1:at]), found)
            del pending[: at + 1]
            self._scanned = 0
        return True

    def _close(self, escaped: bytes, found: list[bytes]) -> None:
        body = _ESCAPED.sub(rb"\1", escaped) if b"\x5c" in escaped else escaped
        try:
            if len(body) < 4:
                raise ProtocolError("the frame is too short to have a length and a check sum")
            odd = _check_length(body, len(escaped))
            found.append(_content(body))
            self.statistics.good += 1
            self.statistics.odd_length += odd
        except BadCheck:
            self.statistics.bad_check += 1
        except ProtocolError:
            self.statistics.malformed += 1

    def _drop(self, count: int) -> None:
        self.statistics.garbage += count
        del self._pending[:count]
        self._scanned = 0
