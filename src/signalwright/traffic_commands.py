"""Traffic on the command line: demand from counts, and what other plans would do with the traffic that is there now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from .arguments import Begin, Scenario, Seed
from .core.errors import InputError
from .core.messages import _


def demand(
    scenario: Scenario,
    counts: Annotated[
        list[Path], typer.Option("--counts", help=_("Counts of edges or turns: CSV, edge data, turn data."))
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help=_("The route file to write."))],
    seed: Annotated[int, typer.Option(help=_("Seed of the sampling."))] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace a file that lies there."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print how each count is met as JSON."))] = False,
) -> None:
    """Make routes for simulation that meet counts (SUMO's routeSampler), and say how well each is met, by GEH."""
    from .experiments.counted import sample_routes

    sampled = sample_routes(scenario, counts, out, seed=seed, overwrite=overwrite)
    if as_json:
        typer.echo(json.dumps(sampled.to_dict(), indent=2))
        return
    for met in sorted(sampled.met, key=lambda one: -one.geh):
        typer.echo(
            _("{name}: counted {counted:.0f} veh/h, sampled {sampled:.0f} veh/h, GEH {geh:.1f}").format(
                name=met.name, counted=met.counted, sampled=met.sampled, geh=met.geh
            )
        )
    typer.echo(sampled.words)
    typer.echo(_("written: {path}").format(path=out))


def whatif(
    scenario: Scenario,
    plans: Annotated[list[Path], typer.Option("--plan", help=_("A plan file (.toml); may be given several times."))],
    at: Annotated[float, typer.Option(help=_("When the plans would begin [s]."))],
    horizon: Annotated[float, typer.Option(help=_("How far to look ahead [s]."))] = 900.0,
    seed: Seed = 1,
    begin: Begin = None,
    scale: Annotated[float, typer.Option(help=_("Factor on the demand."))] = 1.0,
    way: Annotated[
        Literal["fork", "state"] | None,
        typer.Option(help=_("fork: a copy of the process; state: a saved state. Else what the system can.")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the comparison as JSON."))] = False,
) -> None:
    """From the state of a running simulation, compare plans from now on with what is in force."""
    from .experiments.whatif import what_if

    found = what_if(scenario, plans, at, horizon, seed=seed, begin=begin, scale=scale, way=way)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    for one in found.plans:
        locked = _(", ends in a gridlock") if one.locked else ""
        typer.echo(
            _("{plan}: {delay:.1f} s a vehicle ({difference:+.1f}), {arrived} of {n} arrive{locked}").format(
                plan=one.plan,
                delay=one.delay,
                difference=one.difference,
                arrived=one.arrived,
                n=one.vehicles,
                locked=locked,
            )
        )
    typer.echo(found.words)


utdf = typer.Typer(help=_("UTDF, the combined CSV file of Synchro: plans out, and in."), no_args_is_help=True)


@utdf.command("write")
def utdf_write(
    scenario: Scenario,
    plan: Annotated[Path, typer.Argument(help=_("A plan file (.toml)."))],
    out: Annotated[Path, typer.Option("--out", "-o", help=_("The UTDF file to write (.csv)."))],
    volumes: Annotated[bool, typer.Option(help=_("With the volumes of the scenario's demand."))] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace a file that lies there."))] = False,
) -> None:
    """Write a plan file as UTDF."""
    from .experiments.utdffile import plan_to_utdf

    for line in plan_to_utdf(scenario, plan, out, volumes=volumes, overwrite=overwrite):
        typer.echo(line)


@utdf.command("read")
def utdf_read(
    scenario: Scenario,
    file: Annotated[Path, typer.Argument(help=_("A combined UTDF file (.csv)."))],
    out: Annotated[Path, typer.Option("--out", "-o", help=_("The plan file to write (.toml)."))],
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="LIGHT=INTID", help=_("Which node of the file a light is."))
    ] = None,
    timing: Annotated[
        Literal["safe", "resco"], typer.Option(help=_("safe: amber by speed, all-red by clearance; resco: 3 s amber."))
    ] = "safe",
    stages: Annotated[
        Literal["program", "all"], typer.Option(help=_("Stages: those of the programs, or all that are possible."))
    ] = "all",
    name: Annotated[str, typer.Option(help=_("What the plan is called."))] = "utdf",
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace a file that lies there."))] = False,
) -> None:
    """Read the timing of a UTDF file as a plan, certified for the net."""
    from .experiments.utdffile import utdf_to_plan

    pairs = {}
    for pair in at or []:
        light, equals, intid = pair.partition("=")
        if not (light and equals and intid):
            raise InputError(_("--at {pair}: write it as LIGHT=INTID, such as --at J3=39").format(pair=pair))
        pairs[light] = intid
    for line in utdf_to_plan(
        scenario, file, out, at=pairs, timing=timing, stages=stages, name=name, overwrite=overwrite
    ):
        typer.echo(line)
