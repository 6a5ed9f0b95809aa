"""Running a scenario: under a strategy, with hardware in the loop, again, and the demo."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .arguments import Begin, End, Loops, Scenario, Seed, Stages, Start, Timing
from .core.errors import InputError
from .core.messages import _
from .screen import console, progress, result_table

if TYPE_CHECKING:
    from .core.loop import Junction, Observer
    from .core.ports import Refusal, Wish
    from .core.state import TrafficState
    from .experiments.trace import Trace


def run(
    scenario: Scenario,
    controller: Annotated[
        str, typer.Option("--controller", "-c", help=_("The strategy, a name or module:Class."))
    ] = "adaptive",
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="LIGHT=NAME", help=_("Another strategy at one light."))
    ] = None,
    seed: Seed = 1,
    begin: Begin = None,
    end: End = None,
    timing: Timing = "safe",
    scale: Annotated[float, typer.Option(help=_("Factor on the demand."))] = 1.0,
    transport: Annotated[
        Literal["libsumo", "traci"], typer.Option(help=_("libsumo (in this process) or traci."))
    ] = "libsumo",
    stages: Stages = "program",
    loops: Loops = "placed",
    view: Annotated[
        Literal["loops", "full"],
        typer.Option(help=_("What strategies see: loops, or (for comparison only) every vehicle of the simulator.")),
    ] = "loops",
    failing: Annotated[
        float, typer.Option(metavar="SHARE", help=_("Share of the loops that fail: dead, stuck, chattering or dull."))
    ] = 0.0,
    blind: Annotated[str, typer.Option(metavar="LIGHT", help=_("A light whose loops are all dead."))] = "",
    start: Start = "red",
    gui: Annotated[bool, typer.Option("--gui", help=_("Watch it in SUMO's window."))] = False,
    out: Annotated[
        Path | None, typer.Option(help=_("Directory for result.json, trips.parquet and the manifest."))
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace a result that lies there."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the result as JSON."))] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="LIGHT", help=_("Print every decision at this light, with its reasons."))
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(help=_("With --explain: draw its stages, queues and arrivals to .png, .svg or .pdf instead.")),
    ] = None,
) -> None:
    """Run a scenario under a strategy and measure it."""
    from .experiments.run import run_once
    from .experiments.spec import RunSpec

    spec = RunSpec(
        scenario=scenario, controller=controller, lights=_per_light(at), seed=seed, timing=timing, begin=begin, end=end, scale=scale,
        transport="traci" if gui else transport, gui=gui, stages=stages, loops=loops, view=view, failing=failing, blind=blind,
        start=start,
    )  # fmt: skip
    trace = _trace(explain, picture)
    with progress() as told:
        advance = told(f"{scenario}, {spec.arm}")
        result = run_once(
            spec, out=out, progress=advance, overwrite=overwrite, command=sys.argv, observe=trace or _teller(explain)
        )
    if trace is not None and picture is not None:
        trace.draw(picture)
    if as_json:
        typer.echo(json.dumps(result.row, indent=2))
    else:
        console().print(result_table([result.row]))
    if out is not None:
        typer.echo(
            _("The result lies in {directory}; `signalwright rerun {directory}` makes it again.").format(directory=out)
        )


def hil(
    scenario: Scenario,
    protocol: Annotated[
        Literal["gbt20999", "ab3418", "ntcip1202"], typer.Option(help=_("What service and cabinets speak."))
    ] = "gbt20999",
    controller: Annotated[
        str, typer.Option("--controller", "-c", help=_("The strategy; over ab3418 a fixed plan, such as webster."))
    ] = "adaptive",
    seed: Seed = 1,
    begin: Begin = None,
    end: End = None,
    timing: Timing = "safe",
    bits_per_second: Annotated[
        int, typer.Option(help=_("Speed of the lines; 0: bytes take no time, as on a network."))
    ] = 0,
    real_time: Annotated[
        bool, typer.Option("--real-time/--as-fast-as-possible", help=_("No faster than the clock on the wall."))
    ] = False,
    gui: Annotated[bool, typer.Option("--gui", help=_("Watch it in SUMO's window."))] = False,
    beside: Annotated[
        bool,
        typer.Option("--beside", help=_("Also run it in process, from the same lamps on, and tell the difference.")),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help=_("Directory for result.json, trips.parquet and the manifest."))
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace a result that lies there."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the results as JSON."))] = False,
) -> None:
    """Run a scenario with hardware in the loop: emulated cabinets on ptys, each under the roadside service."""
    from dataclasses import replace

    from .experiments.run import run_once
    from .experiments.spec import RunSpec

    spec = RunSpec(
        scenario=scenario, controller=controller, seed=seed, timing=timing, begin=begin, end=end, gui=gui,
        transport="traci" if gui else "libsumo", protocol=protocol, bits_per_second=bits_per_second, real_time=real_time,
        start="plan",
    )  # fmt: skip
    rows = []
    with progress() as told:
        if beside:
            plain = replace(
                spec, protocol="", bits_per_second=0, real_time=False, arm="", gui=False, transport="libsumo"
            )
            rows.append(run_once(plain, progress=told(f"{scenario}, {plain.arm}")).row)
        result = run_once(
            spec, out=out, progress=told(f"{scenario}, {spec.arm}"), overwrite=overwrite, command=sys.argv
        )
    rows.append(result.row)
    if as_json:
        typer.echo(json.dumps(rows if beside else result.row, indent=2))
        return
    console().print(result_table(rows))
    for light, line in result.manifest["line"].items():
        typer.echo(
            _("{light}: {asked} questions, {failed} unanswered, {repeated} asked again; conflict monitor: {fault}").format(
                light=light, asked=line["asked"], failed=line["failed"], repeated=line["repeated"],
                fault=line["conflict_monitor"] or _("nothing"),
            )
        )  # fmt: skip
    if beside:
        share = rows[1]["delay"] / rows[0]["delay"] - 1 if rows[0]["delay"] else 0.0
        typer.echo(_("Delay in the loop against in process: {share:+.1%}").format(share=share))


def rerun(
    manifest: Annotated[Path, typer.Argument(help=_("A manifest, or the result directory it lies in."))],
    scenario: Annotated[Path | None, typer.Option(help=_("Where the scenario lies now, if it has moved."))] = None,
) -> None:
    """Make the run of a manifest again: the same numbers, or what differs."""
    from .experiments.run import rerun as again

    with progress() as told:
        outcome = again(manifest, scenario, told(str(manifest)))
    if outcome.identical:
        typer.echo(_("The same numbers, to the last digit."))
        return
    for name, (then, now) in outcome.numbers.items():
        typer.echo(_("{name}: was {then}, is {now}").format(name=name, then=then, now=now))
    for cause in outcome.causes:
        typer.echo(_("may be why: {cause}").format(cause=cause))
    raise typer.Exit(1)


def demo(
    scenario: Scenario = "corridor",
    seeds: Annotated[int, typer.Option(help=_("How many seeds."))] = 3,
    controller: Annotated[str, typer.Option(help=_("The strategy to show."))] = "adaptive",
) -> None:
    """The main job on a shipped scenario: the best strategy beside the scenario's own plan."""
    from .experiments.run import run_once
    from .experiments.spec import RunSpec

    rows = []
    with progress() as told:
        for arm in ("plan", controller):
            for seed in range(1, seeds + 1):
                advance = told(_("{scenario}, {arm}, seed {seed}").format(scenario=scenario, arm=arm, seed=seed))
                rows.append(run_once(RunSpec(scenario=scenario, controller=arm, seed=seed), progress=advance).row)
    console().print(result_table(rows))


def _trace(light: str | None, picture: Path | None) -> Trace | None:
    """What collects a picture of one light; None where none is asked for. Raises InputError, ResultError."""
    if picture is None:
        return None
    from .experiments.trace import Trace, check_picture

    if light is None:
        raise InputError(_("--picture {path}: say of which light, with --explain LIGHT").format(path=picture))
    check_picture(picture)
    return Trace(light)


def _teller(light: str | None) -> Observer | None:
    """What prints the reasons of one light's decisions; None for nobody's."""
    if light is None:
        return None

    def tell(junction: Junction, state: TrafficState, wish: Wish, refusal: Refusal) -> None:
        if junction.cabinet.intersection.name != light:
            return
        reasons = getattr(junction.controller, "explain", None)
        wished = "-" if wish is None else junction.cabinet.intersection.stages[wish].name
        words = reasons(state) if reasons else _("{time:g} s: this strategy gives no reasons").format(time=state.time)
        typer.echo(words + "\n" + _("wish: {stage}, answer: {answer}").format(stage=wished, answer=refusal.name))

    return tell


def _per_light(pairs: list[str] | None) -> dict[str, str]:
    """LIGHT=NAME options as a mapping; raises InputError."""
    chosen = {}
    for pair in pairs or []:
        light, equals, name = pair.partition("=")
        if not (light and equals and name):
            raise InputError(_("--at {pair}: write it as LIGHT=NAME, such as --at J3=plan").format(pair=pair))
        chosen[light] = name
    return chosen
