"""Places, streets and lights on an axis-aligned map, and what netconvert needs to know of them.

A street between two places gives one edge each way, named `from.to`; where it has a left-turn bay in front of a light,
the last metres are an edge of their own, `from.to.bay`, one lane wider. Lanes count from the kerb. A movement at a
light is named by the arm it comes from and its turn: `Nl` comes from the north and turns left, `Es` goes straight on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

URBAN_SPEED = 13.89
SIDEWALK_WIDTH = 2.0
LANE_WIDTH = 3.2
ARMS = {(0, 1): "N", (1, 0): "E", (0, -1): "S", (-1, 0): "W"}


@dataclass(frozen=True, slots=True)
class Place:
    """A point of the map [m]; `light` where a signal stands."""

    name: str
    x: float
    y: float
    light: bool = False


@dataclass(frozen=True, slots=True)
class Street:
    """A two-way street with `lanes` in each direction; `bay_a`, `bay_b` [m]: left-turn bay at that end or 0."""

    a: str
    b: str
    lanes: int = 1
    bay_a: float = 0.0
    bay_b: float = 0.0


@dataclass(frozen=True, slots=True)
class Edge:
    """One directed edge as netconvert sees it; `lanes` are those of vehicles."""

    name: str
    start: str
    end: str
    lanes: int
    priority: int


@dataclass(frozen=True, slots=True)
class Link:
    """One lane-to-lane connection; `movement` is empty where no light stands."""

    node: str
    movement: str
    from_edge: str
    from_lane: int
    to_edge: str
    to_lane: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """A pedestrian crossing over one arm of a light; `length` [m] from kerb to kerb."""

    light: str
    arm: str
    edges: tuple[str, str]
    length: float


@dataclass(frozen=True)
class Drawing:
    """A map of places and streets with every edge, connection and crossing that follows from it."""

    places: Sequence[Place]
    streets: Sequence[Street]
    sidewalks: bool = False
    nodes: list[Place] = field(default_factory=list, init=False)
    edges: dict[str, Edge] = field(default_factory=dict, init=False)
    links: list[Link] = field(default_factory=list, init=False)
    crossings: list[Crossing] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.nodes.extend(self.places)
        for street in self.streets:
            self._draw_edge(street.a, street.b, street.lanes, street.bay_b)
            self._draw_edge(street.b, street.a, street.lanes, street.bay_a)
        for place in self.places:
            if place.light:
                self._draw_light(place.name)

    def place(self, name: str) -> Place:
        """The place of that name."""
        return next(place for place in self.places if place.name == name)

    def arm(self, light: str, neighbour: str) -> str:
        """The side of `light` (N, E, S, W) on which `neighbour` lies."""
        here, there = self.place(light), self.place(neighbour)
        dx, dy = there.x - here.x, there.y - here.y
        return ARMS[(dx > 0) - (dx < 0), (dy > 0) - (dy < 0)]

    def neighbours(self, name: str) -> dict[str, str]:
        """Arm -> name of the place at its other end, clockwise from north."""
        ends = [street.b if street.a == name else street.a for street in self.streets if name in (street.a, street.b)]
        by_arm = {self.arm(name, end): end for end in ends}
        return {arm: by_arm[arm] for arm in ARMS.values() if arm in by_arm}

    def way(self, *stops: str) -> list[str]:
        """The edges from place to place, bays included; a stop may leave out places that lie straight between."""
        edges: list[str] = []
        for start, end in pairwise(stops):
            here = start
            while here != end:
                onward = self.neighbours(here)[self.arm(here, end)]
                edges += [name for name in (f"{here}.{onward}", f"{here}.{onward}.bay") if name in self.edges]
                here = onward
        return edges

    def light_links(self, light: str) -> list[Link]:
        """The connections a light controls, in the order of their signal index."""
        return [link for link in self.links if link.node == light and link.movement]

    def light_crossings(self, light: str) -> list[Crossing]:
        """The crossings of a light; their signal indices follow those of the connections."""
        return [crossing for crossing in self.crossings if crossing.light == light]

    def _draw_edge(self, start: str, end: str, lanes: int, bay: float) -> None:
        name = f"{start}.{end}"
        if not bay:
            self.edges[name] = Edge(name, start, end, lanes, lanes)
            return
        here, there = self.place(start), self.place(end)
        length = abs(there.x - here.x) + abs(there.y - here.y)
        share = 1 - bay / length
        self.nodes.append(
            Place(f"{name}.taper", here.x + share * (there.x - here.x), here.y + share * (there.y - here.y))
        )
        self.edges[name] = Edge(name, start, f"{name}.taper", lanes, lanes)
        self.edges[f"{name}.bay"] = Edge(f"{name}.bay", f"{name}.taper", end, lanes + 1, lanes)
        lane_pairs = [(lane, lane) for lane in range(lanes)] + [(lanes - 1, lanes)]
        self.links.extend(Link(f"{name}.taper", "", name, a, f"{name}.bay", b) for a, b in lane_pairs)

    def _draw_light(self, light: str) -> None:
        neighbours = self.neighbours(light)
        for arm, origin in neighbours.items():
            self.links.extend(self._approach(light, arm, origin, neighbours))
        if not self.sidewalks:
            return
        for arm, origin in neighbours.items():
            entry, leave = self._entry(light, origin), self.edges[f"{light}.{origin}"]
            length = LANE_WIDTH * (entry.lanes + leave.lanes)
            self.crossings.append(Crossing(light, arm, (entry.name, leave.name), length))

    def _entry(self, light: str, origin: str) -> Edge:
        return self.edges.get(f"{origin}.{light}.bay") or self.edges[f"{origin}.{light}"]

    def _approach(self, light: str, arm: str, origin: str, neighbours: Mapping[str, str]) -> Iterator[Link]:
        """Right turns leave from the kerb lane, left turns from the bay or inner lane, the rest goes on."""
        entry = self._entry(light, origin)
        compass = "NESW"
        turned = {turn: compass[(compass.index(arm) + step) % 4] for turn, step in (("r", 3), ("s", 2), ("l", 1))}
        through = self.edges[f"{origin}.{light}"].lanes
        for lane in range(entry.lanes):
            for turn, towards in turned.items():
                if towards not in neighbours:
                    continue
                leave = self.edges[f"{light}.{neighbours[towards]}"]
                kerb, inner = lane == 0, lane == entry.lanes - 1
                if turn == "r" and kerb:
                    yield Link(light, arm + turn, entry.name, lane, leave.name, 0)
                elif turn == "s" and lane < through:
                    yield Link(light, arm + turn, entry.name, lane, leave.name, min(lane, leave.lanes - 1))
                elif turn == "l" and inner:
                    yield Link(light, arm + turn, entry.name, lane, leave.name, leave.lanes - 1)
