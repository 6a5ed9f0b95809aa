"""How a line cabinet behaves: how much it has in hand, and its times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Grip(Enum):
    """How much of the cabinet is in our hands."""

    BLIND = auto()
    WATCHING = auto()
    HOLDING = auto()
    RELEASING = auto()


@dataclass(frozen=True, slots=True)
class Habits:
    """Times of a line cabinet [s]. `release_within`: no confirmation of a release by then is an alarm.

    `confirm_within`: a request that the status does not confirm by then is given back. `verify`: so often it is asked
    again whether the cabinet is still the one of the site file. `plan_for`: a plan is not left for another one before.
    """

    poll: float = 0.25
    stale: float = 2.0
    refresh: float = 2.0
    patience: float = 3.0
    hold_off: float = 5.0
    release_within: float = 10.0
    confirm_within: float = 10.0
    verify: float = 60.0
    plan_for: float = 300.0
