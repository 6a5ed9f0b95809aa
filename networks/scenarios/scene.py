"""A scene: a drawing, the stages of its lights, who drives and walks through it in an hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .drawing import Drawing
from .timing import PLATOON_SPEED, Progression, Stage, Timing, coordinate, set_timings

SLICE = 600


@dataclass(frozen=True, slots=True)
class Stream:
    """Vehicles on one route: mean flow over the hour [veh/h], its shape as one factor for each ten minutes (mean 1)."""

    name: str
    edges: tuple[str, ...]
    flow: float
    shape: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Walkers:
    """Pedestrians from the side of one edge to the side of another [persons/h]."""

    name: str
    origin: str
    destination: str
    flow: float


@dataclass(frozen=True)
class Scene:
    """All that is needed to write a scenario."""

    name: str
    drawing: Drawing
    stages: Mapping[str, tuple[Stage, ...]]
    streams: Sequence[Stream]
    walkers: Sequence[Walkers] = ()
    progressions: Sequence[tuple[str, str, str, int]] = ()
    all_red: int = 3

    def edge_pairs(self) -> dict[tuple[str, str], float]:
        """Mean flow [veh/h] between consecutive edges."""
        pairs: dict[tuple[str, str], float] = defaultdict(float)
        for stream in self.streams:
            for pair in zip(stream.edges, stream.edges[1:], strict=False):
                pairs[pair] += stream.flow
        return pairs

    def timings(self) -> dict[str, Timing]:
        """The engineer's plans: Webster at the mean flow, then offsets for the progressions, if there are any."""
        pairs = self.edge_pairs()
        timings = set_timings(self.drawing, self.stages, pairs, self.all_red)
        if not self.progressions:
            return timings
        return coordinate(timings, self._platoons(pairs))

    def _platoons(self, pairs: Mapping[tuple[str, str], float]) -> list[Progression]:
        """Flows and travel times of the progressions.

        Each is (origin light, target light, movement at the origin, stage index at both, from the end if negative).
        """
        platoons = []
        for origin, target, movement, stage in self.progressions:
            here, there = self.drawing.place(origin), self.drawing.place(target)
            travel = (abs(there.x - here.x) + abs(there.y - here.y)) / PLATOON_SPEED
            link = next(link for link in self.drawing.light_links(origin) if link.movement == movement)
            leaving, meeting = stage % len(self.stages[origin]), stage % len(self.stages[target])
            platoons.append(
                Progression(origin, leaving, target, meeting, travel, pairs.get((link.from_edge, link.to_edge), 0.0))
            )
        return platoons
