"""The commands of the daily work: from traffic to a plan, and the proof that it is better than the one in force."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .arguments import Begin, End, Scenario, Timing
from .core.errors import InputError
from .core.messages import _

if TYPE_CHECKING:
    from .experiments.planner import Planned
    from .experiments.validate import Verdict


def plan(
    scenario: Scenario,
    out: Annotated[
        Path, typer.Option("--out", "-o", help=_("Directory for the plan file, the SUMO file and the report."))
    ],
    counts: Annotated[
        list[Path] | None,
        typer.Option(
            "--counts", help=_("Counts: CSV, SUMO E1 or edge data, turn counts; else the scenario's own demand.")
        ),
    ] = None,
    timing: Timing = "safe",
    name: Annotated[str, typer.Option(help=_("What the new programs are called."))] = "signalwright",
    cycle: Annotated[
        list[int] | None, typer.Option(help=_("Only this common cycle [s] (may be given several times)."))
    ] = None,
    begin: Begin = None,
    end: End = None,
    seeds: Annotated[int, typer.Option(min=1, help=_("Seeds for the last candidates."))] = 4,
    polish: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=_("Further trials in SUMO to alter the best plan; else as many as take some five to ten minutes."),
        ),
    ] = None,
    walkers: Annotated[
        float,
        typer.Option(
            min=0.0, help=_("Walkers on every crossing [persons/h] whose waiting counts; minima hold anyway.")
        ),
    ] = 0.0,
    prove: Annotated[
        int, typer.Option(min=0, help=_("Validate it afterwards with up to so many seeds, for the report; 0: not."))
    ] = 10,
    day: Annotated[
        list[Path] | None,
        typer.Option("--day", help=_("Counts of a whole day: a set of plans by the time of day, and the changes.")),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help=_("Simulations side by side."))] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace files that lie there."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the calculation as JSON."))] = False,
) -> None:
    """Make a plan for every light from counts or demand: cycle, greens, offsets, worked out and tried in SUMO."""
    from .experiments.planner import plan_scenario
    from .experiments.planout import JOURNAL, check_free, proved, write_planned

    check_free(out, overwrite)
    if day:
        if counts:
            raise InputError(_("--day takes the place of --counts; give one of the two"))
        return _plan_day(scenario, day, out, timing, name, cycle, overwrite, as_json)
    flows, remarks = None, list[str]()
    if counts:
        from .experiments.counted import counted_flows
        from .experiments.countedscenario import counted_scenario

        counted = counted_flows(scenario, counts, timing, begin=begin, end=end)
        made, met = counted_scenario(
            scenario, counted, out, timing, begin=begin, end=end, overwrite=overwrite or (out / JOURNAL).exists()
        )
        flows, remarks, scenario = counted.flows, [*counted.remarks, met], str(made)
        typer.echo(_("simulated with the traffic that was counted: {path}; {met}").format(path=made, met=met), err=True)
    try:
        planned = plan_scenario(
            scenario, flows, timing, name=name, cycles=cycle, seeds=seeds, polish=polish, walkers=walkers, begin=begin,
            end=end, workers=workers, journal=out / JOURNAL, told=lambda text: typer.echo(text, err=True),
        )  # fmt: skip
    except KeyboardInterrupt:
        typer.echo(
            _("the same command goes on where it was: the trials so far are in {path}").format(path=out / JOURNAL),
            err=True,
        )
        raise
    except InputError:
        with suppress(OSError):  # it stays if something is in it
            out.rmdir()
        raise
    planned = replace(planned, remarks=(*remarks, *planned.remarks))
    verdict = None
    if prove and planned.plans:
        typer.echo(_("proving the plan with seeds that nothing was chosen on"), err=True)
        verdict = proved(planned, name, seeds=prove, begin=begin, end=end, workers=workers)
    if as_json:
        typer.echo(
            json.dumps(planned.to_dict() | ({"validation": verdict.to_dict()} if verdict is not None else {}), indent=2)
        )
    else:
        _show(planned)
        if verdict is not None:
            show_verdict(verdict)
    for path in write_planned(planned, out, name, verdict, overwrite=overwrite):
        typer.echo(_("written: {path}").format(path=path), err=as_json)
    return None


def _plan_day(
    scenario: str,
    counts: list[Path],
    out: Path,
    timing: Literal["safe", "resco"],
    name: str,
    cycle: list[int] | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    from .experiments.dayplans import plan_day
    from .experiments.planout import write_day

    day = plan_day(scenario, counts, timing, name=name, cycles=cycle)
    if as_json:
        typer.echo(json.dumps(day.to_dict(), indent=2))
    else:
        for line in day.lines:
            typer.echo(line)
    for path in write_day(day, timing, out, overwrite=overwrite):
        typer.echo(_("written: {path}").format(path=path), err=as_json)


def validate(
    scenario: Scenario,
    candidate: Annotated[Path, typer.Argument(help=_("The plan: an additional file of SUMO, or a plan file (.toml)."))],
    baseline: Annotated[
        Path | None, typer.Option(help=_("Compare with these programs instead of those in force."))
    ] = None,
    seeds: Annotated[int, typer.Option(min=2, help=_("Seeds at the most; it ends when the answer is clear."))] = 20,
    variation: Annotated[
        float, typer.Option(min=0.0, max=0.9, help=_("Demand varies by up to this share from seed to seed."))
    ] = 0.1,
    jitter: Annotated[float, typer.Option(min=0.0, help=_("Departures are put off by up to this long [s]."))] = 30.0,
    begin: Begin = None,
    end: End = None,
    workers: Annotated[int | None, typer.Option(min=1, help=_("Simulations side by side."))] = None,
    transport: Annotated[
        Literal["sumo", "libsumo", "traci"], typer.Option(help=_("How SUMO is run; sumo, by itself, is the quickest."))
    ] = "libsumo",
    report: Annotated[Path | None, typer.Option(help=_("Write the verdict as JSON here."))] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace a file that lies there."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the verdict as JSON."))] = False,
) -> None:
    """Prove a plan in SUMO against the programs in force. Exit code 0: better; 10: no improvement shown; 11: worse."""
    from .experiments.validate import validate as validated
    from .networks.detectors import write_whole

    if report is not None and report.exists() and not overwrite:
        raise InputError(_("{path}: is there already; name another file, or give --overwrite").format(path=report))
    verdict = validated(
        scenario, candidate, baseline=baseline, seeds=seeds, variation=variation, jitter=jitter, begin=begin, end=end,
        workers=workers, transport=transport,
    )  # fmt: skip
    text = json.dumps(verdict.to_dict(), indent=2)
    if report is not None:
        write_whole(report, text + "\n")
    if as_json:
        typer.echo(text)
    else:
        show_verdict(verdict)
    raise typer.Exit(verdict.outcome.value)


SHOWN_QUEUES = 5
"""Lanes with the fullest queues that are shown."""


def show_verdict(verdict: Verdict) -> None:
    """The words, the measures, the worst seed, and the lanes whose queues are fullest."""
    typer.echo(verdict.words)
    for d in verdict.differences:
        typer.echo(
            f"  {d.measure:<14} {d.before:8.1f} -> {d.after:8.1f}   {d.difference:+.1f} [{d.interval.low:.1f}, {d.interval.high:.1f}]"
            + _("   worst seed {before:.1f} -> {after:.1f}").format(before=d.worst_before, after=d.worst_after)
        )
    typer.echo(_("  {n} seeds, the worst is {seed}").format(n=len(verdict.seeds), seed=verdict.worst_seed))
    for queue in verdict.queues[:SHOWN_QUEUES]:
        typer.echo(
            _(
                "  queue on {lane}: {before:.0f} -> {after:.0f} m of {room:.0f} m, spills back in {spilled_before} -> {spilled} seeds"
            ).format(
                lane=queue.lane,
                before=queue.before,
                after=queue.after,
                room=queue.room,
                spilled_before=queue.spilled_before,
                spilled=queue.spilled_after,
            )
        )


def _show(planned: Planned) -> None:
    typer.echo(_("chosen: {name}").format(name=planned.chosen.name))
    for candidate in planned.candidates:
        said = [", ".join(f"{delay:.1f}" for delay in candidate.delays) + " s"] if candidate.delays else []
        said += [_("locked {n} times").format(n=candidate.locks)] if candidate.locks else []
        said += [_("given up, far behind")] if candidate.lost else []
        typer.echo(f"  {candidate.name}: {', '.join(said)}")
    for worked in planned.worked:
        typer.echo(
            _(
                "light {light}: cycle {cycle} s, offset {offset} s, Y {y:.2f}, lost {lost:.0f} s, delay {delay:.1f} s"
            ).format(
                light=worked.light,
                cycle=worked.cycle,
                offset=worked.offset,
                y=worked.critical_flow_ratio,
                lost=worked.lost_time,
                delay=worked.delay,
            )
        )
        for stage, green, change in zip(worked.stages, worked.greens, worked.interstages, strict=True):
            typer.echo(
                _("  stage {stage}: {change} s change, {green} s green").format(stage=stage, change=change, green=green)
            )
        for row in worked.crossings:
            typer.echo(
                _(
                    "  crossing {crossing}: walk {walk} s (least {least:g} s), clearance {clearance:g} s, delay {delay:.1f} s"
                ).format(
                    crossing=row.crossing, walk=row.walk, least=row.least, clearance=row.clearance, delay=row.delay
                )
            )
    for remark in planned.remarks:
        typer.echo(remark)
