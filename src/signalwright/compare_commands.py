"""Batches on the command line: compare, merge, report, and the reference results that ship."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .core.errors import InputError
from .core.messages import _
from .screen import console, counter

if TYPE_CHECKING:
    from .experiments.batch import Failure
    from .experiments.compare import Comparison
    from .experiments.spec import BatchSpec

Out = Annotated[Path, typer.Option("--out", "-o", help=_("The batch's directory; finished runs in it are kept."))]
Workers = Annotated[int | None, typer.Option(help=_("Processes, by default one for each core."))]
Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help=_("The reference of a suite, or a file."))]

CONTROLLERS = "plan,sumo-actuated,adaptive"


def compare(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SPEC.toml|SCENARIO...|FOLDER", help=_("A batch file, or scenarios, or the folder of a suite.")
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(metavar="shipped|resco|bologna", help=_("A ready batch; the last two need their folder.")),
    ] = None,
    controllers: Annotated[
        str | None, typer.Option(help=_("Strategies, parted by commas; by default {names}.").format(names=CONTROLLERS))
    ] = None,
    seeds: Annotated[int | None, typer.Option(help=_("Seeds 1 to this, by default 5."))] = None,
    scale: Annotated[str | None, typer.Option(help=_("Factors on the demand, parted by commas."))] = None,
    timing: Annotated[
        str | None, typer.Option(help=_("safe, resco, or both parted by a comma; by default safe, of a suite both."))
    ] = None,
    jitter: Annotated[
        float | None, typer.Option(help=_("Put every departure off by up to this long [s], drawn by the seed."))
    ] = None,
    window: Annotated[
        float | None, typer.Option(help=_("Only so many seconds from the beginning of each scenario."))
    ] = None,
    baseline: Annotated[str | None, typer.Option(help=_("The arm the others are compared with."))] = None,
    workers: Workers = None,
    memory: Annotated[
        float | None,
        typer.Option(help=_("MiB a worker may take; by default its share of the machine's memory.")),
    ] = None,
    timeout: Annotated[float | None, typer.Option(help=_("Seconds a run may take."))] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help=_("Only the I-th of N parts; merge brings them together."))
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help=_("A Dask scheduler to work on instead."))
    ] = None,
    out: Out = Path("out/compare"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help=_("Take the place of another batch that lies in the directory."))
    ] = False,
) -> None:
    """Compare strategies over scenarios, seeds and demand: a table one can cite, and a report."""
    from .experiments.compare import compare as run_batch

    said: dict[str, Any] = {
        "controllers": controllers and controllers.split(","),
        "seeds": seeds,
        "scales": scale and scale.split(","),
        "timing": timing and timing.split(","),
        "jitter": jitter,
        "baseline": baseline,
        "memory_mib": memory,
        "timeout": timeout,
    }
    spec = _batch(what or [], suite, window, {key: value for key, value in said.items() if value is not None})
    engine = None
    if scheduler is not None:
        from .experiments.cluster import scheduler_engine

        engine = scheduler_engine(scheduler, spec.timeout)
    with counter(_("runs"), estimates=False) as move:
        found = run_batch(
            spec,
            out,
            workers=workers,
            shard=shard,
            engine=engine,
            overwrite=overwrite,
            progress=lambda p: move(
                p.kept + p.done + p.failed,
                p.total,
                p.last or _("{n} were there already").format(n=p.kept),
                p.seconds_left,
            ),
        )
    if found.stale:
        typer.echo(
            _("{n} runs in {directory} were made with other files, code or versions than now and do not count").format(
                n=found.stale, directory=out
            ),
            err=True,
        )
    _tell_failures(found)
    if shard is not None:
        typer.echo(
            _("{n} runs of this part in {directory}; `merge` brings parts together").format(
                n=len(found.runs), directory=out
            )
        )
    elif len(found.runs):
        _conclude(out, spec)
    if found.failures:
        raise typer.Exit(4)


def _tell_failures(found: Comparison) -> None:
    """Each reason once, with how many runs it failed, one of them, and where to read on."""
    from .experiments.batch import FAILURES

    reasons: dict[str, list[Failure]] = {}
    for failure in found.failures:
        reasons.setdefault(failure.error.strip().splitlines()[-1].strip(), []).append(failure)
    for why, failures in reasons.items():
        first = failures[0]
        more = _(" and {n} more").format(n=len(failures) - 1) if len(failures) > 1 else ""
        saved = found.directory / FAILURES / first.file
        typer.echo(
            _("failed: {what}{more}: {why}; see {path}").format(what=first.what, more=more, why=why, path=saved),
            err=True,
        )


def _batch(what: list[str], suite: str | None, window: float | None, said: dict[str, Any]) -> BatchSpec:
    """The batch asked for: a suite, a file with what the options change in it, or scenarios. Raises InputError."""
    from .experiments import suite as suites
    from .experiments.spec import batch, read_batch

    if suite is not None:
        if len(what) > 1:
            raise InputError(_("suite {name}: give one folder, not {n} arguments").format(name=suite, n=len(what)))
        return suites.suite(suite, Path(what[0]) if what else None, window, **said)
    if not what:
        raise InputError(_("name a batch file, scenarios, or a suite: --suite shipped"))
    if len(what) == 1 and what[0].endswith(".toml"):
        read = read_batch(Path(what[0]))
        if window is not None:
            paths = [place if isinstance(place, str) else place.path for place in read.scenarios]
            said["scenarios"] = suites.windowed(paths, window)
        return batch(what[0], read.model_dump() | said)
    places = what if window is None else suites.windowed(what, window)
    return batch("compare", {"controllers": CONTROLLERS.split(","), "scenarios": places} | said)


def merge(
    parts: Annotated[list[Path], typer.Argument(help=_("Directories of the shards."))],
    out: Out = Path("out/compare"),
) -> None:
    """Bring the shards of a batch together."""
    from .experiments.batch import merge as bring_together

    table, missing = bring_together(parts, out)
    typer.echo(
        _("{done} runs in {directory}, {missing} missing").format(done=len(table), directory=out, missing=len(missing))
    )
    if missing:
        raise typer.Exit(4)


def report(
    directory: Annotated[Path, typer.Argument(help=_("The directory of a batch."))],
    baseline: Annotated[str | None, typer.Option(help=_("The arm the others are compared with."))] = None,
) -> None:
    """Write the report of a batch again: one HTML file that opens offline, tables in Markdown and LaTeX, figures."""
    from .experiments.batch import REPORT
    from .experiments.report import write_report
    from .experiments.summary import summarise

    typer.echo(write_report(summarise(directory, baseline), directory / REPORT))


def learn(
    scenario: Annotated[str, typer.Argument(help=_("Where to train."))] = "cross",
    light: Annotated[str | None, typer.Option(help=_("At which light, by default the first."))] = None,
    generations: Annotated[int, typer.Option(help=_("Rounds of the search, about ten episodes each."))] = 10,
    window: Annotated[float, typer.Option(help=_("Seconds of an episode."))] = 900.0,
    view: Annotated[str, typer.Option(metavar="loops|full", help=_("What the agent sees."))] = "loops",
    seed: Annotated[int, typer.Option(help=_("Seed of search and traffic."))] = 1,
    out: Annotated[
        Path, typer.Option("--out", "-o", help=_("The agent's file; it is then a strategy by this name."))
    ] = Path("agent.json"),
) -> None:
    """Train an agent that weighs what loops tell, by CMA-ES in the Gymnasium environment; then compare it like any strategy."""
    from .experiments.learn import train
    from .experiments.spec import scenario_path
    from .networks.scenario import read_scenario

    end = read_scenario(scenario_path(scenario)).begin + window
    with counter(_("episodes")) as move:
        agent = train(scenario, light, generations=generations, seed=seed, progress=move, end=end, view=view)
    agent.write(out)
    typer.echo(
        _("{path}; run `signalwright compare {scenario} --controllers plan,{path}`").format(path=out, scenario=scenario)
    )


def _conclude(out: Path, spec: BatchSpec) -> None:
    """The table on the terminal and the report beside the runs."""
    from .experiments.batch import REPORT
    from .experiments.report import write_report
    from .experiments.summary import summarise
    from .experiments.tables import markdown

    summary = summarise(out, spec.baseline)
    console().print(markdown(summary), markup=False, soft_wrap=True)
    typer.echo(_("Most memory of a worker: {mib:.0f} MiB").format(mib=summary.most_memory))
    typer.echo(_("The report is {path}").format(path=write_report(summary, out / REPORT)))


reference = typer.Typer(
    no_args_is_help=True, help=_("Results that ship with the package, and can be made again anywhere.")
)


@reference.command()
def check(
    name: Name = "shipped",
    folder: Annotated[Path | None, typer.Argument(help=_("Where the scenarios lie that do not ship."))] = None,
    every: Annotated[int, typer.Option(min=1, help=_("Only every n-th result."))] = 1,
    workers: Workers = None,
) -> None:
    """Make reference results again and say which come out otherwise, and what may be why. Exit code 1 where one does."""
    from .experiments.compare import cores
    from .experiments.reference import check_reference, reference_path, reference_runs

    path = reference_path(name)
    total = -(-len(reference_runs(path)) // every)
    other, done = [], 0
    with counter(_("results")) as move:
        for found in check_reference(path, folder, every=every, workers=workers or cores()):
            done += 1
            other += [] if found.identical else [found]
            move(done, total, found.what)
    for found in other:
        typer.echo(
            f"{found.what}: " + (found.error.strip().splitlines()[-1] if found.error else _numbers(found.numbers))
        )
        for cause in found.causes:
            typer.echo("  " + _("may be why: {cause}").format(cause=cause))
    typer.echo(
        _("{same} of {total} results came out the same to the last digit.").format(same=done - len(other), total=done)
    )
    if other:
        raise typer.Exit(1)


@reference.command()
def write(
    directories: Annotated[
        list[Path], typer.Argument(help=_("Directories of batches that differ in their strategies alone."))
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help=_("The file."))] = Path("reference.json"),
) -> None:
    """Keep the results of a batch as a reference, with what is needed to make them again."""
    from .experiments.reference import write_reference

    typer.echo(_("{n} results in {path}").format(n=write_reference(directories, out), path=out))


@reference.command()
def table(
    name: Name = "shipped",
    into: Annotated[Path | None, typer.Option(help=_("A page with marks between which the table stands."))] = None,
) -> None:
    """Print the table of a reference, or put it into a page, such as README.md."""
    from .experiments.reference import put_table, reference_path, reference_table

    text = reference_table(reference_path(name))
    if into is None:
        typer.echo(text, nl=False)
    else:
        changed = put_table(into, text)
        typer.echo(
            _("{path}: the table is new").format(path=into)
            if changed
            else _("{path}: the table stood there").format(path=into)
        )


def _numbers(numbers: Any) -> str:
    return "; ".join(
        _("{name} was {then}, is {now}").format(name=name, then=then, now=now) for name, (then, now) in numbers.items()
    )
