"""What the look-ahead search weighs against each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """What the search minimises, the same everywhere: seconds of waiting, and these."""

    horizon: int = 60
    fine: int = 10
    beam: int = 8
    most: int = 16
    stop: float = 2.0
    change: float = 2.0
    hopeless: float = 0.45
    blocked: float = 8.0
    start_up: float = 1.0
    overrun: float = 1.0
    squeeze: float = 0.1
    reach: float = 6.0
    clearing: float = 3.0
    patience: float = 60.0
    impatience: float = 0.5
    overflow: float = 0.7
    dammed: float = 4.0
