"""Batches on the command line: compare, merge, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .core.messages import _
from .screen import console, counter

if TYPE_CHECKING:
    from .experiments.spec import BatchSpec

Out = Annotated[Path, typer.Option("--out", "-o", help=_("The batch's directory; finished runs in it are kept."))]


def compare(
    what: Annotated[list[str], typer.Argument(metavar="SPEC.toml|SCENARIO...", help=_("A batch file, or scenarios."))],
    controllers: Annotated[str, typer.Option(help=_("Strategies, parted by commas."))] = "plan,sumo-actuated,adaptive",
    seeds: Annotated[int, typer.Option(help=_("Seeds 1 to this."))] = 5,
    scale: Annotated[str, typer.Option(help=_("Factors on the demand, parted by commas."))] = "1.0",
    timing: Annotated[str, typer.Option(help=_("safe, resco, or both parted by a comma."))] = "safe",
    jitter: Annotated[
        float, typer.Option(help=_("Put every departure off by up to this long [s], drawn by the seed."))
    ] = 0.0,
    baseline: Annotated[str | None, typer.Option(help=_("The arm the others are compared with."))] = None,
    workers: Annotated[int | None, typer.Option(help=_("Processes, by default one for each core."))] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help=_("Only the I-th of N parts; merge brings them together."))
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help=_("A Dask scheduler to work on instead."))
    ] = None,
    out: Out = Path("out/compare"),
) -> None:
    """Compare strategies over scenarios, seeds and demand: a table one can cite, and a report."""
    from .experiments.compare import compare as run_batch
    from .experiments.spec import batch, read_batch

    if len(what) == 1 and what[0].endswith(".toml"):
        spec = read_batch(Path(what[0]))
    else:
        values: dict[str, Any] = {
            "scenarios": what,
            "controllers": controllers.split(","),
            "seeds": seeds,
            "scales": scale.split(","),
            "timing": timing.split(","),
            "jitter": jitter,
        }
        spec = batch("compare", values | ({"baseline": baseline} if baseline else {}))
    engine = None
    if scheduler is not None:
        from .experiments.cluster import scheduler_engine

        engine = scheduler_engine(scheduler, spec.timeout)
    with counter(_("runs")) as move:
        found = run_batch(
            spec,
            out,
            workers=workers,
            shard=shard,
            engine=engine,
            progress=lambda p: move(p.kept + p.done + p.failed, p.total, p.last),
        )
    for failure in found.failures:
        typer.echo(_("failed: {what}; see {directory}").format(what=failure.what, directory=out), err=True)
    if shard is None:
        _conclude(out, spec)
    if found.failures:
        raise typer.Exit(4)


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
    from .experiments.report import write_report
    from .experiments.summary import summarise

    typer.echo(write_report(summarise(directory, baseline), directory / "report"))


def _conclude(out: Path, spec: BatchSpec) -> None:
    """The table on the terminal and the report beside the runs."""
    from .experiments.report import write_report
    from .experiments.summary import summarise
    from .experiments.tables import markdown

    summary = summarise(out, spec.baseline)
    console().print(markdown(summary), markup=False, soft_wrap=True)
    typer.echo(_("The report is {path}").format(path=write_report(summary, out / "report")))
