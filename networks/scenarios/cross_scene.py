"""`cross`: one light, four arms of two lanes and a left-turn bay, permissive left turns, pedestrians on all four arms.

The road from west to east is the main one; its left turns may also go unhindered at the end of its green. Its peak
comes ten minutes before that of the road from north to south.
"""

from __future__ import annotations

from .drawing import Drawing, Place, Street
from .scene import Scene, Stream, Walkers
from .timing import Stage

REACH = 400.0
BAY = 70.0
MAIN_SHAPE = (0.85, 1.25, 1.3, 1.1, 0.8, 0.7)
SIDE_SHAPE = (0.6, 0.75, 1.1, 1.35, 1.25, 0.95)
FLOWS = {
    "west": {"east": 860.0, "south": 110.0, "north": 130.0},
    "east": {"west": 740.0, "north": 120.0, "south": 110.0},
    "north": {"south": 640.0, "west": 100.0, "east": 40.0},
    "south": {"north": 560.0, "east": 90.0, "west": 35.0},
}
WALKS = 45.0


def scene() -> Scene:
    """The scenario as it is drawn."""
    drawing = Drawing(
        places=(
            Place("cross", 0.0, 0.0, light=True),
            Place("north", 0.0, REACH),
            Place("east", REACH, 0.0),
            Place("south", 0.0, -REACH),
            Place("west", -REACH, 0.0),
        ),
        streets=tuple(Street(arm, "cross", lanes=2, bay_b=BAY) for arm in ("north", "east", "south", "west")),
        sidewalks=True,
    )
    stages = (
        Stage("west-east", go=("Ws", "Es"), give_way=("Wr", "Wl", "Er", "El"), walk=("N", "S")),
        Stage("west-east left", go=("Wl", "El")),
        Stage("north-south", go=("Ns", "Ss"), give_way=("Nr", "Nl", "Sr", "Sl"), walk=("E", "W")),
    )
    streams = [
        Stream(
            f"{origin}-{end}",
            tuple(drawing.way(origin, "cross", end)),
            flow,
            MAIN_SHAPE if origin in ("west", "east") else SIDE_SHAPE,
        )
        for origin, ends in FLOWS.items()
        for end, flow in ends.items()
    ]
    corners = ("north", "east", "south", "west")
    walkers = [
        Walkers(f"walk-{origin}-{end}", f"{origin}.cross.bay", f"cross.{end}", WALKS)
        for origin in corners
        for end in corners
        if origin != end
    ]
    return Scene("cross", drawing, {"cross": stages}, streams, walkers)
