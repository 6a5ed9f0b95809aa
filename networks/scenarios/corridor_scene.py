"""`corridor`: an arterial with six lights 180 to 520 m apart, side streets, left-turn bays, a morning peak into town.

Town lies in the east. At `harbour`, `market` and `park` the arterial's left turns have a stage of their own, at `mill`
too, which is a T-junction as `station` is; elsewhere, and from all side streets with one opposite, left turns give way.
"""

from __future__ import annotations

from itertools import pairwise

from .drawing import Drawing, Place, Street
from .scene import Scene, Stream
from .timing import Stage

POSITIONS = {"harbour": 0.0, "mill": 320.0, "church": 500.0, "market": 950.0, "station": 1190.0, "park": 1710.0}
SIDES = {
    "harbour": ("north", "south"),
    "mill": ("south",),
    "church": ("north", "south"),
    "market": ("north", "south"),
    "station": ("north",),
    "park": ("north", "south"),
}
REACH = 400.0
SIDE_REACH = 300.0
BAY = 90.0
SIDE_BAY = 60.0
INBOUND = (0.65, 1.0, 1.35, 1.3, 0.95, 0.75)
OUTBOUND = (0.9, 1.0, 1.1, 1.1, 1.0, 0.9)

# mean flows [veh/h]: what enters at each end of the map, and how attractive each end is to those who reach it
ENTERING = {
    "west": 1060.0,
    "east": 620.0,
    "harbour-north": 280.0,
    "harbour-south": 240.0,
    "mill-south": 200.0,
    "church-north": 200.0,
    "church-south": 180.0,
    "market-north": 210.0,
    "market-south": 210.0,
    "station-north": 220.0,
    "park-north": 250.0,
    "park-south": 210.0,
}
PULL = {
    "west": 4.5,
    "east": 9.0,
    "harbour-north": 0.9,
    "harbour-south": 0.9,
    "mill-south": 0.8,
    "church-north": 0.9,
    "church-south": 0.8,
    "market-north": 1.0,
    "market-south": 1.1,
    "station-north": 1.4,
    "park-north": 1.1,
    "park-south": 1.2,
}
ACROSS = 5.0


def scene() -> Scene:
    """The scenario as it is drawn."""
    names = list(POSITIONS)
    places = [Place(name, x, 0.0, light=True) for name, x in POSITIONS.items()]
    places += [Place("west", -REACH, 0.0), Place("east", POSITIONS["park"] + REACH, 0.0)]
    streets = []
    for a, b in zip(["west", *names], [*names, "east"], strict=True):
        streets.append(Street(a, b, 2, BAY if _turns_left(a, "E") else 0.0, BAY if _turns_left(b, "W") else 0.0))
    for name, sides in SIDES.items():
        for side in sides:
            y = SIDE_REACH if side == "north" else -SIDE_REACH
            places.append(Place(f"{name}-{side}", POSITIONS[name], y))
            streets.append(Street(f"{name}-{side}", name, 1, bay_b=SIDE_BAY))
    drawing = Drawing(places, streets)
    progressions = [(a, b, "Ws", 0) for a, b in pairwise(names)]
    progressions += [(b, a, "Es", 0) for a, b in pairwise(names)]
    return Scene("corridor", drawing, {name: _stages(name) for name in names}, _streams(drawing), (), progressions)


def _turns_left(place: str, arm: str) -> bool:
    """Whether a street leaves to the left of those who come from `arm`, along the arterial."""
    return ("north" if arm == "W" else "south") in SIDES.get(place, ())


def _stages(light: str) -> tuple[Stage, ...]:
    if light == "mill":
        return (
            Stage("arterial", go=("Ws", "Wr", "Es")),
            Stage("from east", go=("Es", "El", "Sr")),
            Stage("from south", go=("Sl", "Sr")),
        )
    if light == "station":
        return (
            Stage("arterial", go=("Ws", "Es", "Er"), give_way=("Wl",)),
            Stage("from north", go=("Nl", "Nr")),
        )
    side = Stage("side streets", go=("Ns", "Nr", "Ss", "Sr"), give_way=("Nl", "Sl"))
    if light == "church":
        return Stage("arterial", go=("Ws", "Wr", "Es", "Er"), give_way=("Wl", "El")), side
    return Stage("arterial", go=("Ws", "Wr", "Es", "Er")), Stage("arterial left", go=("Wl", "El")), side


def _streams(drawing: Drawing) -> list[Stream]:
    streams = []
    for origin, entering in ENTERING.items():
        weights = {}
        for end, pull in PULL.items():
            if end == origin:
                continue
            same_light = "-" in origin and "-" in end and origin.split("-")[0] == end.split("-")[0]
            weights[end] = pull * (ACROSS if same_light else 1.0)
        total = sum(weights.values())
        for end, weight in weights.items():
            stops = [place for place in (origin.split("-")[0], end.split("-")[0]) if place in POSITIONS]
            way = drawing.way(origin, *dict.fromkeys(stops), end)
            inbound = drawing.place(end).x > drawing.place(origin).x
            flow = round(entering * weight / total, 1)
            streams.append(Stream(f"{origin}_{end}", tuple(way), flow, INBOUND if inbound else OUTBOUND))
    return streams
