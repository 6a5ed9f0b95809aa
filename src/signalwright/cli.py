"""The command line: the only place where all rooms meet. Every room is imported when its command runs."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from . import __version__, compare_commands, network_commands, plan_commands, traffic_commands
from .core.errors import InputError, SignalwrightError
from .core.messages import _
from .roadside import cabinet
from .screen import console, light_tables, progress, result_table

if TYPE_CHECKING:
    from .core.loop import Junction, Observer
    from .core.ports import Refusal, Wish
    from .core.state import TrafficState

app = typer.Typer(
    name="signalwright",
    help=_("Adaptive traffic signal control: loop counts in, safe signals out, proved in SUMO."),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(cabinet, name="cabinet")
app.add_typer(compare_commands.reference, name="reference")
app.add_typer(traffic_commands.utdf, name="utdf")

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

Scenario = Annotated[
    str, typer.Argument(help=_("A .sumocfg or .net.xml, or the name of a shipped scenario: cross, corridor, grid."))
]
Timing = Annotated[
    Literal["safe", "resco"],
    typer.Option(
        help=_(
            "safe: amber by speed, all-red by clearance distance; resco: 3 s amber, no all-red, as in published benchmarks."
        )
    ),
]
Stages = Annotated[
    Literal["program", "all"],
    typer.Option(help=_("Stages: the green sets of the programs, or all maximal sets of compatible groups.")),
]
Loops = Annotated[
    Literal["placed", "own"], typer.Option(help=_("Loops: placed by rule, or the scenario's own detectors."))
]
Light = Annotated[list[str] | None, typer.Option("--light", help=_("Only this light (may be given several times)."))]


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


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help=_("Say which version this is."))] = False) -> None:
    """Adaptive traffic signal control: loop counts in, safe signals out, proved in SUMO."""
    if version:
        typer.echo(f"signalwright {__version__}")
        raise typer.Exit


@app.command()
def run(
    scenario: Scenario,
    controller: Annotated[
        str, typer.Option("--controller", "-c", help=_("The strategy, a name or module:Class."))
    ] = "adaptive",
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="LIGHT=NAME", help=_("Another strategy at one light."))
    ] = None,
    seed: Annotated[int, typer.Option(help=_("Seed of the simulation."))] = 1,
    begin: Annotated[float | None, typer.Option("--begin", "-b", help=_("Begin [s], else the scenario's."))] = None,
    end: Annotated[float | None, typer.Option("--end", "-e", help=_("End [s], else the scenario's."))] = None,
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
    gui: Annotated[bool, typer.Option("--gui", help=_("Watch it in SUMO's window."))] = False,
    out: Annotated[
        Path | None, typer.Option(help=_("Directory for result.json, trips.parquet and the manifest."))
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace a result that lies there."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the result as JSON."))] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="LIGHT", help=_("Print every decision at this light, with its reasons."))
    ] = None,
) -> None:
    """Run a scenario under a strategy and measure it."""
    from .experiments.run import run_once
    from .experiments.spec import RunSpec

    spec = RunSpec(
        scenario=scenario, controller=controller, lights=_per_light(at), seed=seed, timing=timing, begin=begin, end=end, scale=scale,
        transport="traci" if gui else transport, gui=gui, stages=stages, loops=loops, view=view,
    )  # fmt: skip
    with progress() as told:
        advance = told(f"{scenario}, {spec.arm}")
        result = run_once(
            spec, out=out, progress=advance, overwrite=overwrite, command=sys.argv, observe=_teller(explain)
        )
    if as_json:
        typer.echo(json.dumps(result.row, indent=2))
    else:
        console().print(result_table([result.row]))
    if out is not None:
        typer.echo(
            _("The result lies in {directory}; `signalwright rerun {directory}` makes it again.").format(directory=out)
        )


@app.command()
def hil(
    scenario: Scenario,
    protocol: Annotated[
        Literal["gbt20999", "ab3418", "ntcip1202"], typer.Option(help=_("What service and cabinets speak."))
    ] = "gbt20999",
    controller: Annotated[
        str, typer.Option("--controller", "-c", help=_("The strategy; over ab3418 a fixed plan, such as webster."))
    ] = "adaptive",
    seed: Annotated[int, typer.Option(help=_("Seed of the simulation."))] = 1,
    begin: Annotated[float | None, typer.Option("--begin", "-b", help=_("Begin [s], else the scenario's."))] = None,
    end: Annotated[float | None, typer.Option("--end", "-e", help=_("End [s], else the scenario's."))] = None,
    timing: Timing = "safe",
    bits_per_second: Annotated[
        int, typer.Option(help=_("Speed of the lines; 0: bytes take no time, as on a network."))
    ] = 0,
    real_time: Annotated[
        bool, typer.Option("--real-time/--as-fast-as-possible", help=_("No faster than the clock on the wall."))
    ] = False,
    gui: Annotated[bool, typer.Option("--gui", help=_("Watch it in SUMO's window."))] = False,
    beside: Annotated[
        bool, typer.Option("--beside", help=_("Also run it in process, and tell the difference."))
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


@app.command()
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


@app.command()
def inspect(
    scenario: Scenario,
    timing: Timing = "safe",
    light: Light = None,
    stages: Stages = "program",
    loops: Loops = "placed",
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the lights as JSON."))] = False,
) -> None:
    """Show the lights: signal groups, stages, loops and conflicts, with names a person can follow."""
    from .experiments.spec import scenario_path
    from .networks.describe import describe
    from .networks.detectors import place_loops
    from .networks.netfile import read_lights
    from .networks.scenario import read_scenario

    said = read_scenario(scenario_path(scenario))
    lights = read_lights(said, timing, light, all_sets=stages == "all")
    summaries = [describe(found, said) for found in place_loops(said, lights, loops).values()]
    if as_json:
        typer.echo(json.dumps([summary.to_dict() for summary in summaries], indent=2, ensure_ascii=False))
        return
    for summary in summaries:
        for table in light_tables(summary):
            console().print(table)


@app.command()
def check(
    scenario: Scenario,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the findings as JSON."))] = False,
    light: Light = None,
) -> None:
    """Check every program of every light: what is unsafe, and what to change. Exit code 1 when something is unsafe."""
    from .experiments.spec import scenario_path
    from .networks.check import check_programs
    from .networks.scenario import read_scenario

    findings = check_programs(read_scenario(scenario_path(scenario)), light)
    if as_json:
        typer.echo(json.dumps([finding.to_dict() for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(str(finding))
        typer.echo(
            _("{errors} unsafe, {others} to look at.").format(
                errors=sum(f.unsafe for f in findings), others=sum(not f.unsafe for f in findings)
            )
        )
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


@app.command()
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


for command in (
    plan_commands.plan,
    plan_commands.validate,
    traffic_commands.whatif,
    traffic_commands.demand,
    compare_commands.compare,
    compare_commands.merge,
    compare_commands.report,
    compare_commands.learn,
    network_commands.synthetic,
):
    app.command()(command)
app.command("import")(network_commands.import_map)


@app.command()
def warmup() -> None:
    """Compile all kernels now, so that the first run need not (for images and cabinets)."""
    from .controllers.warmup import warm_up
    from .core.kernels import CACHE

    warm_up()
    typer.echo(
        _("Kernels are compiled and kept in {directory}.").format(directory=CACHE)
        if CACHE
        else _("Kernels compile, but nothing can be kept: no cache directory can be written.")
    )


def run_cli() -> None:
    """Run the command line; every error becomes one message and an exit code, nothing a traceback."""
    try:
        code = app(standalone_mode=False)
    except SignalwrightError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _fail(_("interrupted; nothing was left half-written"), INTERRUPTED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", 6)
    except Exception as error:
        _outsider(error)
    else:
        if code == INTERRUPTED:
            _fail(_("interrupted; nothing was left half-written"), INTERRUPTED)
        sys.exit(code if isinstance(code, int) else 0)


def _outsider(error: Exception) -> None:
    """Usage errors of the command line keep their own text and code; anything else is ours to mend."""
    show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
    if callable(show) and isinstance(code, int):
        show()
        sys.exit(code)
    if os.environ.get("SIGNALWRIGHT_DEBUG"):
        traceback.print_exc()
    _fail(
        _(
            "this is a fault of signalwright, not yours: {kind}: {text}. Set SIGNALWRIGHT_DEBUG=1 to see where, and please report it"
        ).format(kind=type(error).__name__, text=error),
        70,
    )


def _fail(message: str, code: int) -> None:
    print(f"signalwright: {message}", file=sys.stderr)
    sys.exit(code)
