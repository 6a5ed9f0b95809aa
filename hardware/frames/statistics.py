"""What a line has carried: the numbers by which a bad cable is known before it fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class LineStatistics:
    """Counters of one direction of one line, since the start.

    `good` frames passed every check; `bad_check` frames had the wrong check sum; `malformed` ones the wrong length,
    escape or address; `garbage` are bytes outside any frame; `odd_length` are good frames whose length field counted
    the escape bytes as well (GB/T 20999 leaves it open).
    """

    octets: int = 0
    good: int = 0
    bad_check: int = 0
    malformed: int = 0
    garbage: int = 0
    odd_length: int = 0

    @property
    def rejected(self) -> int:
        """Frames that were seen but not believed."""
        return self.bad_check + self.malformed

    @property
    def error_rate(self) -> float:
        """Rejected frames over all frames seen, 0 on a line that has carried none."""
        seen = self.good + self.rejected
        return self.rejected / seen if seen else 0.0
