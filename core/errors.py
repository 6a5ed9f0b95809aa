"""The error tree. Every message says what was wrong, where, and what to do about it.

SignalwrightError                 exit code of the command
|-- InputError            2       a file, name or option the user gave cannot be used
|   |-- SiteError         2       a site (intersection) that cannot be lawful
|   `-- CountsError       2       counts that cannot be believed as a whole
|-- UnsafePlan            1       a plan that breaks a safety rule (carries every reason)
|-- MissingSumo           3       neither SUMO_HOME nor the wheel offers a simulator
|-- SimulationError       4       SUMO stopped or refused, with its last messages
|-- ProtocolError         5       bytes on a line that mean nothing lawful
|   `-- LinkLost          5       the other end of a line does not answer
`-- ResultError           6       a result that could not be written or does not agree with its manifest
"""

from __future__ import annotations

from collections.abc import Sequence


class SignalwrightError(Exception):
    """Root of all errors this package raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class InputError(SignalwrightError):
    """A file, name or option given by the user cannot be used."""

    exit_code = 2


class SiteError(InputError):
    """A site that cannot be lawful: the message names the intersection and the group."""


class CountsError(InputError):
    """Counts that cannot be used: the message names the detector."""


class UnsafePlan(SignalwrightError):
    """A plan that breaks safety rules; `reasons` holds every one of them, in plain words."""

    exit_code = 1

    def __init__(self, name: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"plan {name} is not safe:\n" + "\n".join(f"  - {reason}" for reason in self.reasons))


class MissingSumo(SignalwrightError):
    """Eclipse SUMO is not installed where we look for it."""

    exit_code = 3


class SimulationError(SignalwrightError):
    """SUMO stopped or refused; the message carries its last words."""

    exit_code = 4


class ProtocolError(SignalwrightError):
    """Bytes on a line that mean nothing lawful."""

    exit_code = 5


class LinkLost(ProtocolError):
    """The other end of a line does not answer."""


class ResultError(SignalwrightError):
    """A result that could not be written, or does not agree with its manifest."""

    exit_code = 6
