"""Arguments that many commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from .core.messages import _

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
Start = Annotated[
    Literal["red", "plan"],
    typer.Option(
        help=_(
            "When the window begins lamps show: red, as after switching on; plan: what cabinets' own plans have come to."
        )
    ),
]
Light = Annotated[list[str] | None, typer.Option("--light", help=_("Only this light (may be given several times)."))]
Begin = Annotated[float | None, typer.Option("--begin", "-b", help=_("Begin [s], else the scenario's."))]
End = Annotated[float | None, typer.Option("--end", "-e", help=_("End [s], else the scenario's."))]
Seed = Annotated[int, typer.Option(help=_("Seed of the simulation."))]
