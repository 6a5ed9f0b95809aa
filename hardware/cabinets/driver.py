"""What `LineCabinet` must know of a protocol: what to ask, how to read the answers, how to ask for a stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from ..exchange import Dialect
from .picture import Picture

Q = TypeVar("Q")
A = TypeVar("A")


class Driver(Protocol[Q, A]):
    """One protocol. Questions are the dialect's; all state is in the picture."""

    protocol: str
    moves_stages: bool
    keeps_dead_man: bool
    detector_period: float

    @property
    def dialect(self) -> Dialect[Q, A]:
        """How it speaks."""

    def identify(self) -> Sequence[Q]:
        """What to ask before anything is written: who is there, and the times that keep traffic safe."""

    def poll(self) -> Sequence[Q]:
        """What to ask again and again: mode, stage, lamps."""

    def counts(self) -> Sequence[Q]:
        """What to ask once every `detector_period`: the detectors' last sample."""

    def read(self, request: Q, answers: tuple[A, ...], picture: Picture, now: float) -> None:
        """Take an answer into the picture; raises `ProtocolError` for one that cannot be believed."""

    def command(self, picture: Picture, stage: int) -> Sequence[Q]:
        """Ask for a stage, as a whole state that may be repeated."""

    def select(self, plan: int) -> Sequence[Q]:
        """Ask for a plan or pattern by its number on the line."""

    def release(self) -> Sequence[Q]:
        """Give everything back."""

    def refused(self, request: Q, answers: tuple[A, ...]) -> str | None:
        """Why the cabinet did not accept a command, None when it did."""
