"""What a link and a protocol must know of each other, the events a link reports, and how it learns to wait."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

from ..core.errors import LinkLost
from .frames.statistics import LineStatistics

Q = TypeVar("Q")
A = TypeVar("A")


class Verdict(Enum):
    """What a frame is to the question that is out."""

    ANSWER = auto()
    PART = auto()
    STRAY = auto()


class Dialect(Protocol[Q, A]):
    """What the link must know of a protocol. `numbered`: an answer bears the number of its question for certain."""

    numbered: bool
    statistics: LineStatistics

    def encode(self, request: Q, number: int) -> bytes:
        """The bytes on the wire."""

    def feed(self, data: bytes) -> list[A]:
        """Frames completed by `data`; broken ones are counted, not raised."""

    def judge(self, request: Q, number: int, parts: tuple[A, ...], frame: A) -> Verdict:
        """What `frame` is to the question, `parts` of the answer being there already."""

    def content(self, frame: A) -> object:
        """What a frame says, its number left out; the same object as before where the same bytes came again."""

    def respond(self, frame: A) -> bytes:
        """What the protocol itself answers to an unasked frame (a heartbeat), mostly nothing."""

    def heartbeat(self) -> Q | None:
        """A harmless question to keep the line known to be alive."""

    def answer_size(self, request: Q) -> int:
        """How many bytes the answer has, about, for the time it takes on the wire."""

    def reset(self) -> None:
        """Forget half a frame and what was learned of the other end (a question failed, the port was reopened)."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Times in [s]. `bits_per_second` 0 means a network, where bytes take no time; a character is start to stop bit."""

    bits_per_second: int = 9600
    bits_per_character: int = 10
    shortest: float = 0.05
    first: float = 0.5
    longest: float = 5.0
    tries: int = 3
    lost_after: int = 3
    heartbeat: float = 5.0

    def wire_time(self, octets: int) -> float:
        """How long so many bytes take on the wire [s]."""
        return octets * self.bits_per_character / self.bits_per_second if self.bits_per_second else 0.0


@dataclass(frozen=True, slots=True)
class Answered(Generic[Q, A]):
    """A question was answered, by one frame or by several, `elapsed` [s] after it was first sent."""

    request: Q
    frames: tuple[A, ...]
    elapsed: float
    tries: int


@dataclass(frozen=True, slots=True)
class Failed(Generic[Q, A]):
    """A question was not answered (whole) at any try; `frames` is what came of it."""

    request: Q
    frames: tuple[A, ...]
    error: LinkLost


@dataclass(frozen=True, slots=True)
class Lost:
    """So many questions in a row were not answered that the line counts as lost."""

    error: LinkLost


@dataclass(frozen=True, slots=True)
class Restored:
    """A lost line answers again."""


@dataclass(frozen=True, slots=True)
class Unasked(Generic[A]):
    """A frame that answers no question: a report, a heartbeat, or an answer that came late."""

    frame: A
    late: bool


Event = Answered[Q, A] | Failed[Q, A] | Lost | Restored | Unasked[A]


@dataclass(slots=True)
class Exchanges:
    """Counters of questions since the start."""

    asked: int = 0
    answered: int = 0
    repeated: int = 0
    failed: int = 0
    late: int = 0


@dataclass(slots=True)
class Patience:
    """How long the cabinet takes beyond the wire, learned (RFC 6298, alpha 1/8, beta 1/4, K 4). Times in [s]."""

    first: float
    mean: float | None = None
    spread: float = 0.0

    @property
    def wait(self) -> float:
        """How long to wait for a cabinet."""
        return self.first if self.mean is None else self.mean + 4 * self.spread

    def learn(self, sample: float) -> None:
        """One clean exchange took this long beyond the wire."""
        if self.mean is None:
            self.mean, self.spread = sample, sample / 2
        else:
            self.spread += (abs(sample - self.mean) - self.spread) / 4
            self.mean += (sample - self.mean) / 8
