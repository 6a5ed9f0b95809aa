"""Draw the shipped scenarios anew: `python -m signalwright.networks.scenarios.build [NAME ...|all] [--into DIR]`.

Writes the plain sources and the demand, then lets netconvert make the net of them. The same input gives
the same bytes; the comment in which netconvert signs its work (date, paths) is taken out of the net.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from ...core.errors import InputError, MissingSumo, SignalwrightError, SimulationError
from . import corridor_scene, cross_scene, grid_scene
from .drawing import SIDEWALK_WIDTH, URBAN_SPEED, Drawing, Link
from .scene import SLICE, Scene
from .timing import Timing, program

SCENES: dict[str, Callable[[], Scene]] = {
    "cross": cross_scene.scene,
    "corridor": corridor_scene.scene,
    "grid": grid_scene.scene,
}
HERE = Path(__file__).parent
NO_CARS = 'allow="pedestrian"'
NO_FEET = 'disallow="pedestrian"'


def nodes(drawing: Drawing) -> list[str]:
    """Lines of the node file."""
    kinds = {True: 'type="traffic_light"', False: 'type="priority"'}
    return [f'<node id="{n.name}" x="{n.x:.2f}" y="{n.y:.2f}" {kinds[n.light]}/>' for n in drawing.nodes]


def edges(drawing: Drawing) -> list[str]:
    """Lines of the edge file; where there are sidewalks, lane 0 is one."""
    lines = []
    for edge in drawing.edges.values():
        lanes = edge.lanes + drawing.sidewalks
        head = f'<edge id="{edge.name}" from="{edge.start}" to="{edge.end}" numLanes="{lanes}"'
        head += f' speed="{URBAN_SPEED}" priority="{edge.priority}"'
        if not drawing.sidewalks:
            lines.append(f"{head}/>")
            continue
        lines.append(f"{head}>")
        lines.append(f'    <lane index="0" {NO_CARS} width="{SIDEWALK_WIDTH}"/>')
        lines += [f'    <lane index="{lane}" {NO_FEET}/>' for lane in range(1, lanes)]
        lines.append("</edge>")
    return lines


def connections(drawing: Drawing) -> list[str]:
    """Lines of the connection file: which lane leads where, and the crossings."""
    lines = [f"<connection {_lanes(drawing, link)}/>" for link in drawing.links]
    for light in {crossing.light: None for crossing in drawing.crossings}:
        first = len(drawing.light_links(light))
        for index, crossing in enumerate(drawing.light_crossings(light), first):
            lines.append(
                f'<crossing node="{light}" edges="{" ".join(crossing.edges)}" priority="true" width="4"'
                f' linkIndex="{index}"/>'
            )
    return lines


def lights(drawing: Drawing, timings: dict[str, Timing]) -> list[str]:
    """Lines of the traffic light file: programs, then which signal index serves which connection."""
    lines = []
    for light, timing in timings.items():
        lines.append(f'<tlLogic id="{light}" type="static" programID="0" offset="{timing.offset}">')
        lines += [
            f'    <phase duration="{phase.duration}" state="{phase.state}" name="{phase.name}"/>'
            for phase in program(drawing, light, timing)
        ]
        lines.append("</tlLogic>")
    for light in timings:
        for index, link in enumerate(drawing.light_links(light)):
            lines.append(f'<connection {_lanes(drawing, link)} tl="{light}" linkIndex="{index}"/>')
    return lines


def _lanes(drawing: Drawing, link: Link) -> str:
    shift = int(drawing.sidewalks)
    a, b = link.from_lane + shift, link.to_lane + shift
    return f'from="{link.from_edge}" to="{link.to_edge}" fromLane="{a}" toLane="{b}"'


def demand(scene: Scene) -> list[str]:
    """Lines of the demand file: Poisson flows on fixed routes, one for each ten minutes, in order of time."""
    lines = [
        '<vTypeDistribution id="traffic">',
        '    <vType id="car" vClass="passenger" probability="0.95"/>',
        '    <vType id="lorry" vClass="truck" length="9" accel="1.5" decel="4" maxSpeed="25" probability="0.05"/>',
        "</vTypeDistribution>",
    ]
    lines += [f'<route id="{stream.name}" edges="{" ".join(stream.edges)}"/>' for stream in scene.streams]
    for part in range(6):
        begin, end = part * SLICE, (part + 1) * SLICE
        for stream in scene.streams:
            rate = stream.flow * stream.shape[part] / 3600.0
            lines.append(
                f'<flow id="{stream.name}.{part}" type="traffic" route="{stream.name}" begin="{begin}" end="{end}"'
                f' period="exp({rate:.5f})" departLane="best" departSpeed="max"/>'
            )
        for walk in scene.walkers:
            period = f"exp({walk.flow / 3600.0:.5f})"
            lines.append(f'<personFlow id="{walk.name}.{part}" begin="{begin}" end="{end}" period="{period}">')
            lines.append(f'    <walk from="{walk.origin}" to="{walk.destination}" arrivalPos="60"/>')
            lines.append("</personFlow>")
    return lines


def netccfg(scene: Scene) -> list[str]:
    """Lines of the netconvert configuration; `netconvert -c NAME.netccfg` does what `build` does."""
    name = scene.name
    options = {
        "node-files": f"{name}.nod.xml",
        "edge-files": f"{name}.edg.xml",
        "connection-files": f"{name}.con.xml",
        "tllogic-files": f"{name}.tll.xml",
        "output-file": f"{name}.net.xml",
        "precision": "2",
        "no-turnarounds": "true",
        "offset.disable-normalization": "true",
    }
    if scene.drawing.sidewalks:
        options["walkingareas"] = "true"
    return [f'<{option} value="{value}"/>' for option, value in options.items()]


def sumocfg(scene: Scene) -> list[str]:
    """Lines of the SUMO configuration: one hour in steps of a second, nobody is teleported away."""
    name = scene.name
    return [
        f'<net-file value="{name}.net.xml"/>',
        f'<route-files value="{name}.rou.xml"/>',
        '<begin value="0"/>',
        '<end value="3600"/>',
        '<step-length value="1"/>',
        '<time-to-teleport value="-1"/>',
    ]


def sources(scene: Scene) -> dict[str, str]:
    """File name -> text of everything that is written by us, the net excepted."""
    timings = scene.timings()
    parts: list[tuple[str, str, Iterable[str]]] = [
        ("nod.xml", "nodes", nodes(scene.drawing)),
        ("edg.xml", "edges", edges(scene.drawing)),
        ("con.xml", "connections", connections(scene.drawing)),
        ("tll.xml", "tlLogics", lights(scene.drawing, timings)),
        ("rou.xml", "routes", demand(scene)),
        ("netccfg", "configuration", netccfg(scene)),
        ("sumocfg", "configuration", sumocfg(scene)),
    ]
    return {
        f"{scene.name}.{suffix}": "\n".join([f"<{root}>", *(f"    {line}" for line in lines), f"</{root}>", ""])
        for suffix, root, lines in parts
    }


def netconvert() -> Path:
    """The netconvert of SUMO_HOME, of the installed wheel, or of the path; MissingSumo where there is none."""
    homes = [Path(os.environ["SUMO_HOME"])] if os.environ.get("SUMO_HOME") else []
    if (spec := find_spec("sumo")) is not None and spec.origin is not None:
        homes.append(Path(spec.origin).parent)
    for home in homes:
        for program_file in (home / "bin" / "netconvert", home / "bin" / "netconvert.exe"):
            if program_file.is_file():
                return program_file
    if found := which("netconvert"):
        return Path(found)
    raise MissingSumo("no netconvert found: install eclipse-sumo (pip install eclipse-sumo) or set SUMO_HOME")


def build(name: str, into: Path = HERE) -> Path:
    """Write scenario `name` to `into/name`, all files or none; gives the path of its .sumocfg."""
    if name not in SCENES:
        raise InputError(f"no scenario is called {name!r}: choose one of {', '.join(SCENES)}, or all")
    scene = SCENES[name]()
    target = into / name
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".build-") as folder:
        work = Path(folder)
        for file, text in sources(scene).items():
            (work / file).write_text(text, encoding="utf-8", newline="\n")
        tool = netconvert()
        around = {**os.environ, "SUMO_HOME": os.environ.get("SUMO_HOME") or str(tool.parent.parent)}
        command = [str(tool), "-c", f"{name}.netccfg"]
        done = subprocess.run(command, cwd=work, env=around, capture_output=True, text=True, check=False)
        complaints = done.stderr.strip()
        if done.returncode or complaints:
            raise SimulationError(f"netconvert is not content with scenario {name}:\n{complaints}")
        net = work / f"{name}.net.xml"
        text = re.sub(r"<!--.*?-->\s*", "", net.read_text(encoding="utf-8"), flags=re.DOTALL)
        net.write_text(text, encoding="utf-8", newline="\n")
        for made in sorted(work.iterdir()):
            os.replace(made, target / made.name)
    return target / f"{name}.sumocfg"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; gives its exit code."""
    parser = argparse.ArgumentParser(description="Draw the shipped scenarios anew.")
    parser.add_argument("names", nargs="*", default=["all"], help=f"of {', '.join(SCENES)}, or all")
    parser.add_argument(
        "--into", type=Path, default=HERE, help="folder to write to (default: where they are shipped from)"
    )
    chosen = parser.parse_args(arguments)
    try:
        for name in SCENES if "all" in chosen.names else chosen.names:
            print(build(name, chosen.into))
    except SignalwrightError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
