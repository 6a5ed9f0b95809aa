"""Induction loops (E1) for the lights of a scenario: placed by rule, or the scenario's own, and the file that gives them to SUMO."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

from ..core.errors import InputError
from ..core.intersection import Detector, Intersection, LoopKind
from .light import Light
from .roadnet import load_net
from .scenario import Scenario, elements

Detection = Literal["placed", "own"]

LENGTH = 4.0  # [m] of a placed loop: more than the gap between standing vehicles, so that no queue hides over it
STOP_LENGTH = 2.0
UNSAID_LENGTH = 2.0  # [m] of a loop whose file does not say
STOP_DISTANCE = (
    2.5  # [m] from its upstream edge to the stop line; SUMO's drivers stop with their nose 1 m before the line
)
ADVANCE_DISTANCE = 40.0
MIDDLE_DISTANCES = (80.0, 60.0)  # the first at which a lane's traffic is its own
ENTRANCE_DISTANCE = 180.0
APART = 20.0  # [m] nearer than this to the next loop downstream, a loop would tell nothing new
AFTER_START = 1.0  # [m] behind the beginning of a lane
EXIT_DISTANCE = (
    20.0  # [m] behind the junction, on exits long enough; it stands occupied while two or three vehicles still fit
)
PERIOD = 60.0  # [s] SUMO forgets what passed after this; the shorter, the faster it answers
TAGS = ("inductionLoop", "e1Detector")


def place_loops(scenario: Scenario, lights: Mapping[str, Light], detection: Detection = "placed") -> dict[str, Light]:
    """The lights with loops: by rule, or with `detection` "own" those of the scenario's additional files.

    By rule every approach lane has one at the stop line, one 40 m upstream, one 80 m upstream if its traffic has a lane of its own there,
    and one where its lane chain begins, no further up than 180 m; short lanes are followed upstream over junctions without signals.
    Every exit lane that takes traffic has one behind the junction.
    Raises InputError for a loop on an unknown lane, and when "own" finds none at a light.
    """
    net = load_net(scenario.net)
    own = own_loops(scenario) if detection == "own" else ()
    names: dict[str, tuple[str, float]] = {}
    found = {}
    for name, light in lights.items():
        detectors = _own(net, light, own) if detection == "own" else _placed(net, light, names)
        if detection == "own" and not any(detector.lanes for detector in detectors):
            raise InputError(
                f"light {name}: none of the scenario's own loops lies on its approaches; use placed ones, or leave it alone"
            )
        site = light.intersection
        found[name] = replace(light, intersection=_with(site, detectors))
    return found


def write_loops(path: Path, lights: Iterable[Light], there_already: Collection[str] = ()) -> None:
    """Write an additional file with the loops of these lights, but for those the scenario defines itself.

    Their own output goes nowhere. Raises OSError, and leaves nothing half-written then.
    """
    written: dict[str, Detector] = {}
    for light in lights:
        for detector in light.intersection.detectors:
            if detector.name not in there_already:
                written.setdefault(detector.name, detector)
    lines = ["<additional>"]
    lines += [
        f"    <inductionLoop id={quoteattr(d.name)} lane={quoteattr(d.lane)} "
        f'pos="{d.position:.2f}" length="{d.length:.2f}" period="{PERIOD:g}" file="NUL"/>'
        for d in written.values()
    ]
    lines.append("</additional>\n")
    write_whole(path, "\n".join(lines))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class OwnLoop:
    """A loop the scenario brings: `position` [m] as its file says, negative from the lane's end; `source` that file."""

    name: str
    lane: str
    position: float
    length: float
    source: Path


def own_loops(scenario: Scenario) -> tuple[OwnLoop, ...]:
    """The loops of the scenario's additional files; raises InputError for one without lane or position."""
    found = []
    for path in scenario.additionals:
        for element in elements(path, *TAGS):
            name, lane = element.get("id"), element.get("lane")
            try:
                position, length = float(element.get("pos", "")), float(element.get("length", UNSAID_LENGTH))
            except ValueError as error:
                raise InputError(f"{path}: loop {name}: its position is no number; give pos in metres") from error
            if not name or not lane:
                raise InputError(f"{path}: a loop has no id or no lane; give it both")
            found.append(OwnLoop(name, lane, position, length, path))
    return tuple(found)


@dataclass(slots=True)
class _Point:
    """Where a loop goes: on `lane`, with its upstream edge `position` [m] from the lane's start; `lanes` come after it."""

    lane: Any
    position: float
    distance: float
    lanes: dict[str, None] = field(default_factory=dict)


def _placed(net: Any, light: Light, names: dict[str, tuple[str, float]]) -> list[Detector]:
    site = light.intersection
    stops: list[_Point] = []
    advances: dict[tuple[str, int], _Point] = {}
    middles: dict[tuple[str, int], _Point] = {}
    entrances: dict[tuple[str, int], _Point] = {}
    alone = _alone(net, site)
    for approach in site.lanes:
        lane = net.getLane(approach.name)
        stops.append(_stop(net, lane, approach.name))
        nearest = _collect(advances, _upstream(net, lane, ADVANCE_DISTANCE), approach.name, STOP_DISTANCE)
        if nearest > STOP_DISTANCE and approach.name in alone:
            nearest = _collect(middles, _upstream(net, lane, alone[approach.name]), approach.name, nearest)
        _collect(entrances, _upstream(net, lane, ENTRANCE_DISTANCE), approach.name, nearest)
    _mix_lanes(entrances.values())
    out: list[Detector] = []
    for kind, points in (
        (LoopKind.STOP, stops),
        (LoopKind.ADVANCE, advances.values()),
        (LoopKind.MIDDLE, middles.values()),
        (LoopKind.ENTRANCE, entrances.values()),
    ):
        for point in points:
            name = _name(names, f"{point.lane.getID()}/{kind.value}", point.lane.getID(), point.position)
            wanted = STOP_LENGTH if kind is LoopKind.STOP else LENGTH
            length = min(wanted, point.lane.getLength() - point.position)
            out.append(
                Detector(
                    name, kind, point.lane.getID(), point.position, point.distance, tuple(point.lanes), None, length
                )
            )
    return out + _exits(net, light, names)


def _alone(net: Any, site: Intersection) -> dict[str, float]:
    """How far up [m] each approach lane has a middle loop: where its traffic has lanes of its own; none that has not."""
    found: dict[str, float] = {}
    for distance in MIDDLE_DISTANCES:
        ups = {lane.name: _way_up(net, net.getLane(lane.name), distance) for lane in site.lanes}
        leads: dict[str, set[str]] = {}
        for name, (_, passed) in ups.items():
            for lane in passed:
                leads.setdefault(lane, set()).add(name)
        for name, (points, _) in ups.items():
            if all(len(leads[point.lane.getID()]) == 1 for point in points):
                found.setdefault(name, distance)
    return found


def _stop(net: Any, lane: Any, approach: str) -> _Point:
    """Before the stop line; on the lane before where the last is too short for it and nobody else comes from there or goes there."""
    at = max(0.0, lane.getLength() - STOP_DISTANCE)
    if lane.getLength() < STOP_DISTANCE:
        points = _upstream(net, lane, STOP_DISTANCE)
        if len(points) == 1 and len(points[0].lane.getOutgoing()) == 1:
            point = points[0]
            return _Point(point.lane, point.position, point.distance, {approach: None})
    return _Point(lane, at, lane.getLength() - at, {approach: None})


def _exits(net: Any, light: Light, names: dict[str, tuple[str, float]]) -> list[Detector]:
    out = []
    known = {way.name for way in light.intersection.exits}
    for to_lane in dict.fromkeys(link.to_lane for link in light.links if not link.crossing):
        if to_lane.startswith(":") or to_lane.rsplit("_", 1)[0] not in known:
            continue
        lane = net.getLane(to_lane)
        at = min(EXIT_DISTANCE, max(0.0, round(lane.getLength() / 2 - LENGTH / 2, 2)))
        name = _name(names, f"{to_lane}/{LoopKind.EXIT.value}", to_lane, at)
        length = min(LENGTH, lane.getLength() - at)
        behind = at + _across(net, light, to_lane)
        out.append(_exit(light, name, to_lane, at, behind, length))
    return out


def _exit(light: Light, name: str, lane: str, at: float, behind: float, length: float) -> Detector:
    feeders = tuple(dict.fromkeys(link.lane for link in light.links if link.to_lane == lane and not link.crossing))
    return Detector(name, LoopKind.EXIT, lane, at, -behind, (), lane.rsplit("_", 1)[0], length, feeders)


def _across(net: Any, light: Light, to_lane: str) -> float:
    """Length [m] of the longest path over the junction to a lane behind it."""
    longest = 0.0
    for via in (link.via for link in light.links if link.to_lane == to_lane):
        length = 0.0
        while via:
            lane = net.getLane(via)
            length += lane.getLength()
            via = next((way.getViaLaneID() for way in lane.getOutgoing()), "")
        longest = max(longest, length)
    return round(longest, 2)


def _upstream(net: Any, lane: Any, distance: float) -> list[_Point]:
    """The points `distance` [m] upstream of the end of `lane`, or where its chain begins, on every branch."""
    return _way_up(net, lane, distance)[0]


def _way_up(net: Any, lane: Any, distance: float) -> tuple[list[_Point], set[str]]:
    """The points `distance` [m] upstream of the end of `lane`, or where its chain begins, on every branch, and the lanes up to them.

    Nobody is followed back to the junction itself: who has left it and turns round at once is not worth a loop there, and those who do not
    would be taken for him.
    """
    points, seen = [], {lane.getID()}
    junction = lane.getEdge().getToNode().getID()
    branches = [(lane, 0.0)]
    while branches:
        lane, end = branches.pop(0)
        length = lane.getLength()
        if end + length >= distance + AFTER_START:
            at = max(0.0, min(round(length - (distance - end), 2), length - LENGTH))
            points.append(_Point(lane, at, end + length - at))
            continue
        before = [c for c in lane.getIncomingConnections() if c.getFrom().getFunction() == ""]
        onward = [
            c for c in before if c.getFromLane().getID() not in seen and c.getDirection() != "t"
            and c.getFrom().getFromNode().getID() != junction
        ]  # fmt: skip
        if any(c.getTLSID() for c in before) or not onward:
            at = max(0.0, min(AFTER_START, length - LENGTH))
            points.append(_Point(lane, at, end + length - at))
            continue
        for connection in onward:
            feeder = connection.getFromLane()
            if feeder.getID() not in seen:
                seen.add(feeder.getID())
                via = connection.getViaLaneID()
                branches.append((feeder, end + length + (net.getLane(via).getLength() if via else 0.0)))
    return points, seen


def _collect(into: dict[tuple[str, int], _Point], points: Iterable[_Point], approach: str, below: float) -> float:
    """Add points that lie far enough above `below` [m]; returns the distance of the furthest."""
    furthest = below
    for point in points:
        if point.distance < below + APART:
            continue
        key = (point.lane.getID(), round(point.position / APART))
        into.setdefault(key, point).lanes[approach] = None
        furthest = max(furthest, point.distance)
    return furthest


def _mix_lanes(points: Iterable[_Point]) -> None:
    """Far from the stop line drivers still change lanes: whoever is seen on an edge may come to all lanes its loops lead to."""
    by_edge: dict[str, list[_Point]] = {}
    for point in points:
        by_edge.setdefault(point.lane.getEdge().getID(), []).append(point)
    for beside in by_edge.values():
        together = dict.fromkeys(lane for point in beside for lane in point.lanes)
        for point in beside:
            point.lanes = dict(together)


def _name(names: dict[str, tuple[str, float]], wanted: str, lane: str, position: float) -> str:
    """A name of its own for each place; the same place keeps its name, so that two lights may share a loop."""
    name, number = wanted, 2
    while names.setdefault(name, (lane, position)) != (lane, position):
        name = f"{wanted}{number}"
        number += 1
    return name


def _own(net: Any, light: Light, loops: Iterable[OwnLoop]) -> list[Detector]:
    site = light.intersection
    ends: dict[str, tuple[float, dict[str, None]]] = {}
    for approach in site.lanes:
        for lane, end in _chain(net, net.getLane(approach.name)):
            known = ends.setdefault(lane.getID(), (end, {}))
            known[1][approach.name] = None
    exits = {link.to_lane for link in light.links if not link.crossing and link.to_lane not in ends}
    out = []
    for loop in loops:
        try:
            length = float(net.getLane(loop.lane).getLength())
        except (KeyError, IndexError) as error:
            raise InputError(
                f"{loop.source}: loop {loop.name} lies on lane {loop.lane}, which the net lacks; correct the lane"
            ) from error
        at = loop.position if loop.position >= 0 else length + loop.position
        if loop.lane in ends:
            end, lanes = ends[loop.lane]
            distance = end + length - at
            if distance <= ENTRANCE_DISTANCE:
                out.append(
                    Detector(loop.name, _kind(distance), loop.lane, at, distance, tuple(lanes), None, loop.length)
                )
        elif loop.lane in exits:
            behind = at + _across(net, light, loop.lane)
            out.append(_exit(light, loop.name, loop.lane, at, behind, loop.length))
    return out


def _kind(distance: float) -> LoopKind:
    if distance <= STOP_DISTANCE + APART / 2:
        return LoopKind.STOP
    return LoopKind.ADVANCE if distance <= ADVANCE_DISTANCE + APART else LoopKind.ENTRANCE


def _chain(net: Any, lane: Any) -> list[tuple[Any, float]]:
    """The lanes of a chain upstream of and with `lane`, each with the distance [m] from its end to the stop line."""
    chain, seen = [(lane, 0.0)], {lane.getID()}
    for link, end in chain:
        begin = end + link.getLength()
        before = [c for c in link.getIncomingConnections() if c.getFrom().getFunction() == ""]
        if begin >= ENTRANCE_DISTANCE or any(c.getTLSID() for c in before):
            continue
        for connection in before:
            feeder = connection.getFromLane()
            if feeder.getID() not in seen:
                seen.add(feeder.getID())
                via = connection.getViaLaneID()
                chain.append((feeder, begin + (net.getLane(via).getLength() if via else 0.0)))
    return chain


def _with(site: Intersection, detectors: Iterable[Detector]) -> Intersection:
    return replace(site, detectors=tuple(detectors))
