"""What the inside asks of the outside: a cabinet, a clock; and what a strategy is: a controller."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from .aspects import Aspects
from .counts import Counts
from .intersection import Intersection
from .state import TrafficState

if TYPE_CHECKING:
    from .estimate import Estimates

Wish = int | None
"""The stage row a controller asks for; None leaves the cabinet as it is."""


class Refusal(enum.IntEnum):
    """Why a wish was not taken up."""

    NONE = 0
    UNKNOWN_STAGE = 1  # the site has no such stage
    IN_INTERSTAGE = 2  # a change or a minimum green is still running
    BARRED = 3  # the site bars this change
    LONGEST_RED = 4  # another group would be red for too long
    FORCED = 5  # the longest red made the sequencer change by itself
    NOT_IN_CONTROL = 6  # the cabinet is in flash, manual, preemption or local control
    LINK = 7  # the cabinet did not answer


class Mode(enum.Enum):
    """Who decides at a cabinet."""

    REMOTE = "remote"  # our wishes are taken up
    LOCAL = "local"  # the cabinet's own plan
    MANUAL = "manual"
    PREEMPTION = "preemption"
    FLASH = "flash"
    STARTING = "starting"


@dataclass(slots=True)
class Status:
    """What a cabinet reports: the stage served or being changed to, whether the interstage or its minimum green is running, how long
    the stage has been fully green [s], the aspects where the cabinet tells them."""

    time: float
    stage: int
    in_interstage: bool
    elapsed: float
    mode: Mode = Mode.REMOTE
    aspects: Aspects | None = None


class Cabinet(Protocol):
    """A roadside device, real, emulated or simulated: takes requests and owns the lamps."""

    @property
    def intersection(self) -> Intersection:
        """The site this cabinet runs."""

    def read(self) -> Counts:
        """What its loops said since the last read."""

    def status(self) -> Status:
        """Its stage and mode now."""

    def request(self, wish: Wish, calls: Sequence[bool] | npt.NDArray[np.bool_] | None = None) -> Refusal:
        """Ask for a stage; `calls` (n_groups,) says who has demand, None that all do."""


class Abreast(Protocol):
    """Several cabinets read and asked together, second by second: less time than one by one, and the same counts and aspects."""

    def hear(self, estimates: Estimates) -> Sequence[TrafficState]:
        """The states of now, from what their loops said in the last second, brought on by their estimators."""

    def request(self, wishes: Sequence[Wish], calls: Sequence[npt.NDArray[np.bool_]]) -> Sequence[Refusal]:
        """Ask each for a stage, as Cabinet does."""


@runtime_checkable
class Sociable(Protocol):
    """A cabinet that may go together with others."""

    def beside(self, cabinets: Sequence[Cabinet]) -> Abreast | None:
        """These cabinets together, if they can be."""


class Clock(Protocol):
    """Who makes time pass: the simulator, or the wall."""

    def tick(self) -> bool:
        """Wait for the next control step; False when there is none."""


class Controller(Protocol):
    """A strategy for one intersection: state in, wish out."""

    def decide(self, state: TrafficState) -> Wish:
        """What to ask the cabinet for now."""
