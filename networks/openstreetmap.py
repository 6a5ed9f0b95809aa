"""An OpenStreetMap extract becomes a scenario: netconvert builds the net, randomTrips draws a demand, and what neither the map
nor the counts said, but was guessed, is listed.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import InputError, SimulationError
from ..core.messages import _
from .freshfolder import check_free, fresh_folder, write_configuration
from .roadnet import load_net
from .scenario import elements, open_xml, root_of
from .simulator import find_sumo

TYPES = ("osmNetconvert.typ.xml", "osmNetconvertUrbanDe.typ.xml")
"""SUMO's own tables of what a kind of street usually has (lanes, speed, who may use it), the latter for towns."""

NETCONVERT = (
    "--geometry.remove", "true", "--ramps.guess", "true", "--junctions.join", "true", "--tls.guess-signals", "true",
    "--tls.discard-simple", "true", "--tls.join", "true", "--tls.default-type", "static", "--osm.turn-lanes", "true",
    "--keep-edges.by-vclass", "passenger", "--remove-edges.isolated", "true", "--keep-edges.components", "1",
    "--no-turnarounds.except-deadend", "true", "--output.street-names", "true", "--output.original-names", "true",
    "--no-warnings", "true",
)  # fmt: skip
PER_LIGHT = 500.0
"""Vehicles an hour drawn for each light where nobody says how many."""
GUESSED = "guessed.csv"


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing the map does not say: its `kind`, `what` it concerns (a street or a light), and what was `taken` for it."""

    kind: str
    what: str
    taken: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The scenario made of a map, and all that was guessed for it."""

    scenario: Path
    lights: int
    streets: int
    guesses: tuple[Guess, ...]

    def counts(self) -> dict[str, int]:
        """How many guesses of each kind."""
        return dict(Counter(guess.kind for guess in self.guesses))


@dataclass(slots=True)
class _Map:
    """What the extract says: `ways` tags of each street, `signals` nodes with a traffic signal, `pedestrian` those of them that only
    stop traffic for a crossing."""

    ways: dict[str, dict[str, str]] = field(default_factory=dict)
    signals: set[str] = field(default_factory=set)
    pedestrian: set[str] = field(default_factory=set)


def import_map(
    source: Path,
    folder: Path,
    *,
    window: float = 3600.0,
    flow: float | None = None,
    guess_lights: bool = False,
    seed: int = 1,
) -> Imported:
    """Build a scenario in a new folder from an OpenStreetMap extract (XML, .gz accepted).

    `flow` [veh/h] are drawn over the whole map for `window` [s], by default 500 for each light; `guess_lights` also puts lights at large
    junctions where the map has none. Raises InputError for a file that is no extract, holds no streets or no lights, or a folder that is
    not empty; SimulationError with the last words of netconvert.
    """  # fmt: skip
    check_free(folder)
    if window <= 0 or (flow is not None and flow <= 0):
        raise InputError(_("window and flow must be above 0"))
    said = _read(source)
    if not said.ways:
        raise InputError(_("{source}: there is no street in this extract; take a larger one").format(source=source))
    name = re.sub(r"[^\w-]", "_", source.name.removesuffix(".gz").removesuffix(".xml").removesuffix(".osm")) or "map"
    with fresh_folder(folder) as fresh:
        net = fresh / f"{name}.net.xml"
        _build_net(source, net, guess_lights)
        found = load_net(net)
        lights = [light.getID() for light in found.getTrafficLights()]
        if not lights:
            message = _("{source}: no junction of this extract has a traffic light; guess them with --guess-lights")
            raise InputError(message.format(source=source))
        per_hour = PER_LIGHT * len(lights) if flow is None else flow
        _draw_trips(net, fresh / f"{name}.rou.xml", window, per_hour, seed)
        write_configuration(fresh, name, window)
        guesses = (
            Guess("demand", _("all streets"), _("{flow:g} veh/h from and to places drawn at random").format(flow=per_hour)),
            *_of_lights(found, _steps(net), said),
            *_of_streets(found, said),
        )  # fmt: skip
        (fresh / GUESSED).write_text("kind,what,taken\n" + "".join(map(_line, guesses)), encoding="utf-8")
        streets = {way for edge in found.getEdges(False) for way in _origins(edge)}
    return Imported(folder / f"{name}.sumocfg", len(lights), len(streets), guesses)


def _read(source: Path) -> _Map:
    """What the extract says of streets and signals; raises InputError."""
    if source.suffix in {".pbf", ".o5m", ".bz2"}:
        message = _("{source}: is packed as {kind}; unpack it to .osm first, for instance with osmium cat")
        raise InputError(message.format(source=source, kind=source.suffix))
    if (root := root_of(source)).tag != "osm":
        raise InputError(
            _("{source}: <{tag}> is no OpenStreetMap extract; give an .osm or .osm.xml").format(
                source=source, tag=root.tag
            )
        )
    found = _Map()
    for element in elements(source, "node", "way"):
        tags = {tag.get("k"): tag.get("v") for tag in element.iter("tag")}
        name = element.get("id")
        if element.tag == "way" and "highway" in tags:
            found.ways[name] = tags
        elif element.tag == "node" and (
            tags.get("highway") == "traffic_signals" or tags.get("crossing") == "traffic_signals"
        ):
            found.signals.add(name)
            if tags.get("highway") != "traffic_signals":
                found.pedestrian.add(name)
    return found


def _build_net(source: Path, net: Path, guess_lights: bool) -> None:
    sumo = find_sumo()
    plain = net.with_suffix(".osm")
    with open_xml(source) as packed, plain.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    types = ",".join(str(sumo.home / "data" / "typemap" / name) for name in TYPES)
    options = ["--osm-files", str(plain), "--type-files", types, *NETCONVERT]
    options += ["--tls.guess", "true"] if guess_lights else []
    _run([str(sumo.program("netconvert")), *options, "--output-file", str(net)], "netconvert")
    plain.unlink()
    _without_comments(net)


def _draw_trips(net: Path, routes: Path, window: float, per_hour: float, seed: int) -> None:
    """Routes by SUMO's randomTrips, most of them from edge to edge of the map."""
    tool = find_sumo().home / "tools" / "randomTrips.py"
    trips = routes.with_suffix(".trips.xml")
    options = ["-n", str(net), "-o", str(trips), "-r", str(routes), "-b", "0", "-e", f"{window:g}", "--insertion-rate", f"{per_hour:g}",
               "--fringe-factor", "10", "--min-distance", "200", "--seed", str(seed), "--validate", "--remove-loops"]  # fmt: skip
    _run([sys.executable, str(tool), *options], "randomTrips.py")
    for rest in routes.parent.glob("*.trips.xml"):
        rest.unlink()
    for rest in routes.parent.glob("*.rou.alt.xml"):
        rest.unlink()
    _without_comments(routes)


def _without_comments(path: Path) -> None:
    """Take out what SUMO's tools say of when and where they ran."""
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL), encoding="utf-8")


def _run(command: Sequence[str], program: str) -> None:
    done = subprocess.run(command, env=find_sumo().environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " / ".join(line.strip() for line in done.stderr.splitlines()[-5:] if line.strip())
        raise SimulationError(f"{program}: {words or done.returncode}")


def _steps(net: Path) -> dict[str, list[float]]:
    """Light -> how long each step of its program lasts [s]."""
    return {
        logic.get("id"): [float(phase.get("duration")) for phase in logic.iter("phase")]
        for logic in elements(net, "tlLogic")
    }


def _of_lights(net: Any, steps: Mapping[str, Sequence[float]], said: _Map) -> Iterable[Guess]:
    """Every light's timing, which no map says; signals made one light; signals that became none, lights the map has not."""
    used: set[str] = set()
    for light in net.getTrafficLights():
        name = light.getID()
        nodes = [node for node in said.signals if re.search(rf"(?<!\d){node}(?!\d)", name)]
        used.update(nodes)
        streets = sorted({_name(connection[0].getEdge()) for connection in light.getConnections()})
        where = f"{name} ({', '.join(streets[:3])})"
        yield Guess(
            "timing", where, _("{n} steps, cycle {cycle:g} s").format(n=len(steps[name]), cycle=sum(steps[name]))
        )
        if "cluster" in name or "joined" in name:
            yield Guess("joined", where, _("several nodes of the map made one light"))
    lanes = {lane.getID(): lane for light in net.getTrafficLights() for lane, *_rest in light.getConnections()}
    for edge in dict.fromkeys(lane.getEdge() for lane in lanes.values()):
        ways = [said.ways[way] for way in _origins(edge) if way in said.ways]
        if edge.getLaneNumber() > 1 and not any(key.startswith("turn:lanes") for way in ways for key in way):
            yield Guess(
                "turn lanes",
                f"{_name(edge)} (road {edge.getID()})",
                _("which of {n} lanes may turn where").format(n=edge.getLaneNumber()),
            )
    for node in sorted(said.signals - used - said.pedestrian):
        yield Guess("signal", _("node {node}").format(node=node), _("part of a light nearby, or none"))
    for node in sorted(said.pedestrian - used):
        yield Guess("crossing", _("node {node}").format(node=node), _("a signalled crossing is left out"))


def _of_streets(net: Any, said: _Map) -> Iterable[Guess]:
    """Speeds and lanes of streets whose tags do not say."""
    by_way: dict[str, Any] = {}
    for edge in net.getEdges(False):
        for way in _origins(edge):
            by_way.setdefault(way, edge)
    for way, edge in sorted(by_way.items()):
        tags: Mapping[str, str] = said.ways.get(way, {})
        what = f"{tags.get('name') or tags.get('ref') or tags.get('highway', '')} (way {way})"
        if not any(key.startswith("maxspeed") for key in tags):
            yield Guess("speed", what, f"{edge.getSpeed() * 3.6:.0f} km/h")
        if not any(key.startswith("lanes") for key in tags):
            yield Guess("lanes", what, f"{edge.getLaneNumber()}")


def _origins(edge: Any) -> set[str]:
    """The ways of the map an edge was made of."""
    return {way for lane in edge.getLanes() for way in lane.getParam("origId", "").split()}


def _name(edge: Any) -> str:
    """What people call a street, else its name in the net; netconvert writes quotes escaped twice."""
    return html.unescape(edge.getName() or edge.getID())


def _line(guess: Guess) -> str:
    cells = (guess.kind, guess.what, guess.taken)
    return (
        ",".join('"' + cell.replace('"', '""') + '"' if re.search(r'[",\n]', cell) else cell for cell in cells) + "\n"
    )
