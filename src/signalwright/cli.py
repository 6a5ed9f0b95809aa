"""The command line: the only place where all rooms meet. Every room is imported when its command runs."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from . import __version__, compare_commands, network_commands, plan_commands, run_commands, traffic_commands
from .arguments import Light, Loops, Scenario, Stages, Timing
from .core.errors import SignalwrightError
from .core.messages import _
from .roadside import cabinet
from .screen import console, light_tables

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


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help=_("Say which version this is."))] = False) -> None:
    """Adaptive traffic signal control: loop counts in, safe signals out, proved in SUMO."""
    if version:
        typer.echo(f"signalwright {__version__}")
        raise typer.Exit


for command in (
    run_commands.run,
    run_commands.rerun,
    run_commands.hil,
    run_commands.demo,
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
    plan: Annotated[
        Path | None, typer.Argument(help=_("Only a plan for it: a plan file (.toml), or an additional file of SUMO."))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the findings as JSON."))] = False,
    light: Light = None,
) -> None:
    """Check every program of every light: what is unsafe, and what to change. Exit code 1 when something is unsafe."""
    from .experiments.spec import scenario_path
    from .networks.check import check_programs
    from .networks.scenario import read_scenario

    if plan is None:
        findings = check_programs(read_scenario(scenario_path(scenario)), light)
    else:
        from .experiments.validate import check_plan

        findings = [finding for finding in check_plan(scenario, plan) if not light or finding.light in light]
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
