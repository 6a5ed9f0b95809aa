"""The road net behind the lights: sumolib's net, and the connections a light signals (wires), with their paths over
the junction.
"""

from __future__ import annotations

import xml.sax
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import InputError
from .scenario import open_xml, root_of

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Wire:
    """One signalled connection of a light.

    `origin` and `destination` are edges, `junction` its junction with `request` its row in the right-of-way matrices
    (-1: none), `path` (n, 2) [m] the way over the junction, `length` [m] of it, `width` [m], `speed` [m/s] on the
    approach, `turning_speed` [m/s] on the junction, `classes` who may use the approach lane. A movement that meets a
    second signal inside the junction is two wires: the first is `halved`, the second `inner`; they share a request.
    `before_others` [m] of the way lie before the place on the junction where the others it gives way to cross it.
    """

    index: int
    origin: str
    lane: str
    destination: str
    to_lane: str
    via: str
    direction: str
    crossing: bool
    junction: str
    request: int
    path: Points
    length: float
    width: float
    speed: float
    turning_speed: float
    classes: frozenset[str]
    inner: bool = False
    halved: bool = False
    before_others: float = 0.0

    @cached_property
    def by_metre(self) -> tuple[Points, npt.NDArray[np.float64]]:
        """Points (m, 2) of the path a metre apart, its end included, and how far along they lie (m,) [m]."""
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.path, axis=0).T))])
        along = np.append(np.arange(0.0, at[-1], 1.0), at[-1])
        return np.column_stack([np.interp(along, at, self.path[:, column]) for column in (0, 1)]), along


def load_net(path: Path) -> Any:
    """The sumolib net of a file (kept, until the file changes); raises InputError naming it."""
    if root_of(path).tag != "net":
        raise InputError(f"{path}: is no SUMO net; give the .net.xml that netconvert wrote")
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: Path, _changed: int) -> Any:
    try:
        import sumolib.net
    except ImportError as error:
        raise InputError(
            "reading SUMO nets needs sumolib; install the extra: pip install 'signalwright[sumo]'"
        ) from error
    try:
        reader = sumolib.net.NetReader(withInternal=True, withPedestrianConnections=True)
        with open_xml(path) as stream:
            xml.sax.parse(stream, reader)
        return reader.getNet()
    except Exception as error:  # a broken net surfaces as whatever sumolib happens to trip over
        raise InputError(f"{path}: the net is broken ({type(error).__name__}: {error}); build it anew") from error


def wires_by_light(net: Any) -> dict[str, list[Wire]]:
    """Light -> its wires, ordered by signal index and by place in the net."""
    wires: dict[str, list[Wire]] = {}
    inner_first: dict[str, Any] = {}
    for edge in net.getEdges():
        for lane in edge.getLanes():
            for connection in lane.getOutgoing():
                via = connection.getViaLaneID()
                if via:
                    inner_first.setdefault(via, connection)
    for edge in net.getEdges():
        for lane in edge.getLanes():
            for connection in lane.getOutgoing():
                light = connection.getTLSID()
                if light and connection.getTLLinkIndex() >= 0:
                    wires.setdefault(light, []).extend(_wires_of(net, edge, lane, connection, inner_first))
    for of_light in wires.values():
        of_light.sort(key=lambda wire: wire.index)
    return wires


def _wires_of(net: Any, edge: Any, lane: Any, connection: Any, inner_first: dict[str, Any]) -> list[Wire]:
    to_lane = connection.getToLane()
    crossing = connection.getTo().getFunction() == "crossing"
    inner = edge.getFunction() == "internal"
    parent = inner_first.get(lane.getID()) if inner else None
    node = connection.getJunction() if not (inner or crossing) else _node_of(net, edge.getID())
    pieces, halved = ([to_lane], False) if crossing else _pieces(net, connection)
    points = [piece.getShape() for piece in pieces]
    if not crossing:
        points = [lane.getShape()[-1:], *points, to_lane.getShape()[:1]]
    path = np.array([point[:2] for piece in points for point in piece], dtype=np.float64)
    wire = Wire(
        index=connection.getTLLinkIndex(),
        origin=edge.getID(),
        lane=lane.getID(),
        destination=connection.getTo().getID(),
        to_lane=to_lane.getID(),
        via=connection.getViaLaneID() if not crossing else to_lane.getID(),
        direction=connection.getDirection(),
        crossing=crossing,
        junction=node.getID(),
        request=node.getLinkIndex(parent if parent is not None else connection),
        path=path,
        length=sum(piece.getLength() for piece in pieces),
        width=to_lane.getWidth() if crossing else lane.getWidth(),
        speed=lane.getSpeed(),
        turning_speed=min([piece.getSpeed() for piece in pieces], default=lane.getSpeed()),
        classes=frozenset({"pedestrian"}) if crossing else frozenset(lane.getPermissions()),
        inner=inner,
        halved=halved,
        before_others=sum(piece.getLength() for piece in pieces[:-1]),
    )
    if crossing and connection.getTLLinkIndex2() >= 0:
        return [wire, replace(wire, index=connection.getTLLinkIndex2())]  # the two directions have a signal each
    return [wire]


def _node_of(net: Any, inside: str) -> Any:
    """The junction an internal edge, walking area or crossing lies in; its name is part of theirs."""
    return net.getNode(inside[1:].rsplit("_", 1)[0])


def _pieces(net: Any, connection: Any) -> tuple[list[Any], bool]:
    """The internal lanes from the stop line to the exit, or to the next signal inside the junction (then True)."""
    pieces: list[Any] = []
    via = connection.getViaLaneID()
    while via:
        lane = net.getLane(via)
        if lane in pieces:
            break
        pieces.append(lane)
        onward = lane.getOutgoing()
        if onward and onward[0].getTLSID():
            return pieces, True
        via = onward[0].getViaLaneID() if onward else ""
    return pieces, False


def chain_of(lane: Any, reach: float) -> float:
    """How far [m] upstream of the stop line a lane's traffic can be followed without meeting a signal, looking no
    further than `reach`.
    """
    length = float(lane.getLength())
    limit = max(reach, length)
    seen = {lane.getID()}
    while length < limit:
        before = [c for c in lane.getIncomingConnections() if c.getFrom().getFunction() == ""]
        if not before or any(c.getTLSID() for c in before):
            break
        straight = [c for c in before if c.getDirection() == "s"] or before
        lane = max(straight, key=lambda c: (c.getFromLane().getLength(), c.getFromLane().getID())).getFromLane()
        if lane.getID() in seen:
            break
        seen.add(lane.getID())
        length += float(lane.getLength())
    return min(length, limit)
