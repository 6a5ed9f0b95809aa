"""`grid`: sixteen lights, four streets each way, one lane and a left-turn bay on every approach.

Lights are named by their streets, A1 in the north-west to D4 in the south-east. The inner streets B, C, 2 and 3 carry
most, B and 2 above all; at B2 and C3 left turns off the west-east street also have a stage of their own, elsewhere left
turns only give way. The west-east streets have their peak ten minutes before the others.
"""

from __future__ import annotations

from itertools import pairwise

from .drawing import Drawing, Place, Street
from .scene import Scene, Stream
from .timing import Stage

ROWS = "ABCD"
COLUMNS = "1234"
SPACING_X = 240.0
SPACING_Y = 200.0
REACH = 250.0
BAY = 70.0
INNER = "BC23"
LEFT_STAGE = ("B2", "C3")
ROW_SHAPE = (0.8, 1.1, 1.3, 1.2, 0.9, 0.7)
COLUMN_SHAPE = (0.65, 0.85, 1.2, 1.35, 1.1, 0.85)

# mean flow entering at each end of a street [veh/h], by street: (from west or north, from east or south)
ENTERING = {
    "A": (270.0, 250.0),
    "B": (450.0, 390.0),
    "C": (360.0, 370.0),
    "D": (250.0, 260.0),
    "1": (260.0, 240.0),
    "2": (440.0, 370.0),
    "3": (340.0, 370.0),
    "4": (240.0, 250.0),
}
STRAIGHT, ONE_TURN = 0.62, 0.38


def scene() -> Scene:
    """The scenario as it is drawn."""
    places, streets = [], []
    right, bottom = 3 * SPACING_X + REACH, -3 * SPACING_Y - REACH
    for r, row in enumerate(ROWS):
        for c, column in enumerate(COLUMNS):
            places.append(Place(row + column, c * SPACING_X, -r * SPACING_Y, light=True))
        places += [Place(f"{row}-west", -REACH, -r * SPACING_Y), Place(f"{row}-east", right, -r * SPACING_Y)]
    for c, column in enumerate(COLUMNS):
        places += [Place(f"{column}-north", c * SPACING_X, REACH), Place(f"{column}-south", c * SPACING_X, bottom)]
    for row in ROWS:
        streets += _street([f"{row}-west", *(row + column for column in COLUMNS), f"{row}-east"])
    for column in COLUMNS:
        streets += _street([f"{column}-north", *(row + column for row in ROWS), f"{column}-south"])
    drawing = Drawing(places, streets)
    lights = [row + column for row in ROWS for column in COLUMNS]
    progressions = []
    for row in ROWS:
        for a, b in pairwise(COLUMNS):
            progressions += [(row + a, row + b, "Ws", 0), (row + b, row + a, "Es", 0)]
    for column in COLUMNS:
        for a, b in pairwise(ROWS):
            progressions += [(a + column, b + column, "Ns", -1), (b + column, a + column, "Ss", -1)]
    return Scene("grid", drawing, {light: _stages(light) for light in lights}, _streams(drawing), (), progressions)


def _street(stops: list[str]) -> list[Street]:
    return [Street(a, b, 1, 0.0 if "-" in a else BAY, 0.0 if "-" in b else BAY) for a, b in pairwise(stops)]


def _stages(light: str) -> tuple[Stage, ...]:
    west_east = Stage("west-east", go=("Ws", "Wr", "Es", "Er"), give_way=("Wl", "El"))
    north_south = Stage("north-south", go=("Ns", "Nr", "Ss", "Sr"), give_way=("Nl", "Sl"))
    if light in LEFT_STAGE:
        return west_east, Stage("west-east left", go=("Wl", "El")), north_south
    return west_east, north_south


def _streams(drawing: Drawing) -> list[Stream]:
    """Straight along a street, or one turn into any street across it, twice as often an inner one."""
    streams = []
    for name, (first, second) in ENTERING.items():
        sides = ("west", "east") if name in ROWS else ("north", "south")
        across = COLUMNS if name in ROWS else ROWS
        onward = ("north", "south") if name in ROWS else ("west", "east")
        for origin, end, entering in ((sides[0], sides[1], first), (sides[1], sides[0], second)):
            start = f"{name}-{origin}"
            turns = {(street, side): 2.0 if street in INNER else 1.0 for street in across for side in onward}
            streams.append(_stream(drawing, start, (), f"{name}-{end}", entering * STRAIGHT))
            for (street, side), weight in turns.items():
                corner = name + street if name in ROWS else street + name
                flow = entering * ONE_TURN * weight / sum(turns.values())
                streams.append(_stream(drawing, start, (corner,), f"{street}-{side}", flow))
    return streams


def _stream(drawing: Drawing, start: str, corners: tuple[str, ...], end: str, flow: float) -> Stream:
    return Stream(
        f"{start}_{end}",
        tuple(drawing.way(start, *corners, end)),
        round(flow, 1),
        ROW_SHAPE if start[0] in ROWS else COLUMN_SHAPE,
    )
