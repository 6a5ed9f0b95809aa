"""Networks made to measure, for studies of scale: a grid, an arterial or random streets, with demand of a chosen pattern.

The network comes from netgenerate and netconvert, with their programs; the demand is ours. The same arguments give the same scenario.
"""

from __future__ import annotations

import random
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import networkx as nx

from ..core.errors import InputError, SimulationError
from ..core.messages import _
from .freshfolder import check_free, fresh_folder, write_configuration
from .roadnet import load_net
from .simulator import find_sumo

Kind = Literal["grid", "arterial", "random"]
Pattern = Literal["even", "peak", "tidal"]

MOST_LIGHTS = 2000
PEAK = (0.6, 1.0, 1.3, 0.7)
"""Demand in the quarters of the window, as factors, where there is a peak."""
TIDE = 1.6
"""How much more comes from the west than from the east (2 - TIDE) where demand is tidal."""
AHEAD = 0.6
"""Share of the traffic of an entry that goes to the exit furthest away; the rest spreads over `OTHERS` drawn ones."""
OTHERS = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """What to build: `lights` lights, streets of `spacing` [m] and `lanes` each way, `flow` [veh/h] at every entry and lane."""

    kind: Kind = "grid"
    lights: int = 16
    spacing: float = 200.0
    lanes: int = 2
    flow: float = 300.0
    pattern: Pattern = "even"
    window: float = 3600.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, choices in (("kind", get_args(Kind)), ("pattern", get_args(Pattern))):
            if getattr(self, name) not in choices:
                message = _("{name} {value!r} is not known; there are {choices}")
                raise InputError(message.format(name=name, value=getattr(self, name), choices=", ".join(choices)))
        if not 1 <= self.lights <= MOST_LIGHTS:
            raise InputError(
                _("{n} lights cannot be built; ask for 1 to {most}").format(n=self.lights, most=MOST_LIGHTS)
            )
        if self.spacing < 60 or self.lanes < 1 or self.flow <= 0 or self.window <= 0:
            message = _("a layout needs streets of 60 m or more, one lane or more, and flow and window above 0")
            raise InputError(message)


def build(layout: Layout, folder: Path) -> Path:
    """Build the scenario in a new folder and return its .sumocfg.

    Raises InputError if the folder holds anything, SimulationError with the last words of netgenerate or netconvert.
    """
    check_free(folder)
    name = f"{layout.kind}{layout.lights}"
    with fresh_folder(folder) as fresh:
        net = fresh / f"{name}.net.xml"
        _build_net(layout, net)
        (fresh / f"{name}.rou.xml").write_text(_demand(layout, net), encoding="utf-8")
        write_configuration(fresh, name, layout.window)
    return folder / f"{name}.sumocfg"


def _build_net(layout: Layout, net: Path) -> None:
    """Streets first, then lights at the crossings that shall have one."""
    with tempfile.TemporaryDirectory(prefix="signalwright-") as folder:
        bare = Path(folder, "bare.net.xml")
        common = [
            "--seed", str(layout.seed), "--default.lanenumber", str(layout.lanes), "--turn-lanes", "1", "--no-warnings", "true",
            "--no-turnarounds.except-deadend", "true", "--output-file", str(bare),
        ]  # fmt: skip
        _run("netgenerate", [*_shape(layout), *common])
        nodes = _crossings(load_net(bare))
        if len(nodes) < layout.lights:
            message = _("only {n} of {wanted} crossings came out; ask for fewer lights or another seed")
            raise InputError(message.format(n=len(nodes), wanted=layout.lights))
        chosen = ",".join(nodes[: layout.lights])
        _run(
            "netconvert",
            ["--sumo-net-file", str(bare), "--tls.set", chosen, "--no-warnings", "true", "--output-file", str(net)],
        )
    text = net.read_text(encoding="utf-8")
    net.write_text(re.sub(r"<!--.*?-->\s*", "", text, count=1, flags=re.DOTALL), encoding="utf-8")


def _shape(layout: Layout) -> list[str]:
    length = f"{layout.spacing:g}"
    if layout.kind == "random":
        return [
            "--rand", "--rand.iterations", str(3 * layout.lights + 10), "--rand.min-distance", f"{0.7 * layout.spacing:g}",
            "--rand.max-distance", f"{1.3 * layout.spacing:g}", "--rand.min-angle", "45",
        ]  # fmt: skip
    across, down = (layout.lights, 1) if layout.kind == "arterial" else _sides(layout.lights)
    return [
        "--grid", "--grid.x-number", str(across), "--grid.y-number", str(down), "--grid.length", length,
        "--grid.attach-length", length,
    ]  # fmt: skip


def _sides(lights: int) -> tuple[int, int]:
    """The two factors nearest to each other.

    >>> _sides(1000), _sides(16), _sides(7)
    ((40, 25), (4, 4), (7, 1))
    """
    down = next(n for n in range(int(lights**0.5), 0, -1) if lights % n == 0)
    return lights // down, down


def _crossings(net: Any) -> list[str]:
    """Nodes where three streets or more meet, those with most first."""
    degree = {node.getID(): len(_streets(node.getIncoming())) for node in net.getNodes()}
    return sorted((name for name, n in degree.items() if n >= 3), key=lambda name: (-degree[name], name))


def _run(program: str, options: Sequence[str]) -> None:
    sumo = find_sumo()
    command = [str(sumo.program(program)), *options]
    done = subprocess.run(command, env=sumo.environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " / ".join(line for line in done.stderr.splitlines() if line.strip())
        raise SimulationError(f"{program}: {words or done.returncode}")


def _demand(layout: Layout, net_file: Path) -> str:
    """Flows along the quickest routes from every entry, as SUMO's route file."""
    net = load_net(net_file)
    roads = nx.DiGraph()
    for edge in net.getEdges(False):
        roads.add_node(edge.getID())
        for onward in edge.getOutgoing():
            if onward.getFunction() == "":
                roads.add_edge(edge.getID(), onward.getID(), time=onward.getLength() / onward.getSpeed())
    ends = {node.getID() for node in net.getNodes() if _is_end(node)}
    entries = sorted(edge.getID() for edge in net.getEdges(False) if edge.getFromNode().getID() in ends)
    exits = sorted(edge.getID() for edge in net.getEdges(False) if edge.getToNode().getID() in ends)
    if not entries:
        entries = exits = sorted(roads.nodes)
    drawn = random.Random(layout.seed)
    lines = ["<routes>", '    <vType id="car" speedFactor="normc(1,0.1,0.7,1.3)"/>']
    flows: list[tuple[float, str]] = []
    for entry in entries:
        before, times = nx.dijkstra_predecessor_and_distance(roads, entry, weight="time")
        far = sorted(
            (exit for exit in exits if len(_way(before, exit, most=3)) > 2), key=lambda exit: (times[exit], exit)
        )
        if not far:
            continue
        others = drawn.sample(far, min(OTHERS, len(far)))
        per_hour = layout.flow * net.getEdge(entry).getLaneNumber() * _tide(layout, net, entry)
        shares = [(far[-1], AHEAD), *((other, (1 - AHEAD) / len(others)) for other in others)]
        for number, (exit, share) in enumerate(shares):
            name = f"{entry}.{number}"
            lines.append(f'    <route id="{name}" edges="{" ".join(_way(before, exit))}"/>')
            flows += [
                (begin, _flow(name, begin, end, per_hour * share * factor)) for begin, end, factor in _quarters(layout)
            ]
    return "\n".join([*lines, *(line for _begin, line in sorted(flows)), "</routes>\n"])


def _way(before: Mapping[str, Sequence[str]], exit: str, most: int | None = None) -> list[str]:
    """The quickest way to an exit, or the last `most` edges of it; empty where there is none. `before` has what comes before each edge."""
    way = [exit] if exit in before else []
    while way and before[way[-1]] and (most is None or len(way) < most):
        way.append(before[way[-1]][0])
    return way[::-1]


def _streets(edges: Sequence[Any]) -> list[Any]:
    """The edges that are no way within a junction."""
    return [edge for edge in edges if edge.getFunction() == ""]


def _is_end(node: Any) -> bool:
    """Whether a street ends here: one way in, one way out, and that is back."""
    comes, goes = _streets(node.getIncoming()), _streets(node.getOutgoing())
    if len(comes) != 1 or len(goes) != 1:
        return False
    (ax, ay), (bx, by) = comes[0].getShape()[-2:]
    (cx, cy), (dx, dy) = goes[0].getShape()[:2]
    return bool((bx - ax) * (dx - cx) + (by - ay) * (dy - cy) < 0)


def _flow(name: str, begin: float, end: float, per_hour: float) -> str:
    return (
        f'    <flow id="{name}.{begin:g}" type="car" route="{name}" begin="{begin:g}" end="{end:g}"'
        f' period="exp({per_hour / 3600:.6f})" departLane="best" departSpeed="max"/>'
    )


def _quarters(layout: Layout) -> list[tuple[float, float, float]]:
    if layout.pattern == "even":
        return [(0.0, layout.window, 1.0)]
    quarter = layout.window / len(PEAK)
    return [(k * quarter, (k + 1) * quarter, factor) for k, factor in enumerate(PEAK)]


def _tide(layout: Layout, net: Any, entry: str) -> float:
    """Factor of an entry where demand is tidal: `TIDE` at the west end of the net, 2 - TIDE at the east end."""
    if layout.pattern != "tidal":
        return 1.0
    (west, _south), (east, _north) = net.getBBoxXY()
    x = net.getEdge(entry).getFromNode().getCoord()[0]
    place = float((x - west) / max(1.0, east - west))
    return TIDE + place * (2 - 2 * TIDE)
