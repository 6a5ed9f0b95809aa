"""Networks on the command line: made to measure, or from a map."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .core.messages import _
from .screen import console

if TYPE_CHECKING:
    from .networks.openstreetmap import Imported

EXAMPLES = 4
"""How many guesses of a kind are shown; the file lists them all."""

Folder = Annotated[Path, typer.Option("--out", "-o", help=_("A new folder for the scenario."))]
Seed = Annotated[int, typer.Option(help=_("Seed of what is drawn."))]
Window = Annotated[float, typer.Option(help=_("How long the demand lasts [s]."))]


def synthetic(
    kind: Annotated[str, typer.Argument(metavar="grid|arterial|random", help=_("How the streets lie."))],
    lights: Annotated[int, typer.Option(help=_("How many traffic lights, up to 2000."))] = 16,
    demand: Annotated[
        str,
        typer.Option(metavar="even|peak|tidal", help=_("Even, with a peak in the middle, or mostly from the west.")),
    ] = "even",
    flow: Annotated[float, typer.Option(help=_("Vehicles an hour at every entry and lane."))] = 300.0,
    spacing: Annotated[float, typer.Option(help=_("Length of a street between two lights [m]."))] = 200.0,
    lanes: Annotated[int, typer.Option(help=_("Lanes each way."))] = 2,
    window: Window = 3600.0,
    seed: Seed = 1,
    out: Folder = Path("out/synthetic"),
) -> None:
    """Make a network and its demand: a grid, an arterial or random streets, for studies of scale."""
    from .networks.synthetic import Layout, build

    layout = Layout(kind, lights, spacing, lanes, flow, demand, window, seed)  # type: ignore[arg-type]
    typer.echo(build(layout, out))


def import_map(
    extract: Annotated[
        Path, typer.Argument(metavar="MAP.osm", help=_("An OpenStreetMap extract, XML, may be gzipped."))
    ],
    flow: Annotated[
        float | None, typer.Option(help=_("Vehicles an hour over the whole map, by default 500 for each light."))
    ] = None,
    window: Window = 3600.0,
    guess_lights: Annotated[
        bool, typer.Option("--guess-lights", help=_("Also put lights at large junctions where the map has none."))
    ] = False,
    seed: Seed = 1,
    out: Folder = Path("out/map"),
) -> None:
    """Make a scenario out of an OpenStreetMap extract, and say what was guessed."""
    from .networks.openstreetmap import import_map as build

    made = build(extract, out, window=window, flow=flow, guess_lights=guess_lights, seed=seed)
    typer.echo(
        _("{path}: {lights} lights, {streets} streets").format(
            path=made.scenario, lights=made.lights, streets=made.streets
        )
    )
    _tell_guesses(made, out)


def _tell_guesses(made: Imported, out: Path) -> None:
    """What was guessed, a row for each kind, and what is unsafe in the guessed programs."""
    from rich.table import Table

    from .networks.check import check_programs
    from .networks.openstreetmap import GUESSED
    from .networks.scenario import read_scenario

    table = Table(
        _("guessed"), _("how many"), _("for instance"), title=_("What the map does not say"), title_justify="left"
    )
    for kind, number in made.counts().items():
        shown = [f"{guess.what}: {guess.taken}" for guess in made.guesses if guess.kind == kind]
        more = ["..."] if number > EXAMPLES else []
        table.add_row(kind, str(number), "\n".join([*shown[:EXAMPLES], *more]))
    console().print(table, markup=False)
    rules = Counter(finding.rule for finding in check_programs(read_scenario(made.scenario)) if finding.unsafe)
    if rules:
        found = ", ".join(f"{rule} {number}" for rule, number in sorted(rules.items()))
        typer.echo(
            _("Unsafe in the guessed programs: {found}; see `signalwright check {path}`").format(
                found=found, path=made.scenario
            )
        )
    typer.echo(
        _("All guesses: {path}. Correct the map, or the net in SUMO's netedit, where it matters.").format(
            path=out / GUESSED
        )
    )
