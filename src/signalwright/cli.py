"""The command line: the only place where all rooms meet. Every room is imported when its command runs."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__
from .core.errors import SignalwrightError
from .core.messages import _

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    name="signalwright",
    help=_("Adaptive traffic signal control: loop counts in, safe signals out, proved in SUMO."),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Scenario = Annotated[
    str, typer.Argument(help=_("A .sumocfg or .net.xml, or the name of a shipped scenario: cross, corridor, grid."))
]
Timing = Annotated[
    str,
    typer.Option(
        help=_(
            "safe: amber by speed, all-red by clearance distance; resco: 3 s amber, no all-red, as in published benchmarks."
        )
    ),
]
Light = Annotated[list[str] | None, typer.Option("--light", help=_("Only this light (may be given several times)."))]


def console() -> Console:
    """Where tables and progress go."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help=_("Say which version this is."))] = False) -> None:
    """Adaptive traffic signal control: loop counts in, safe signals out, proved in SUMO."""
    if version:
        typer.echo(f"signalwright {__version__}")
        raise typer.Exit


@app.command()
def warmup() -> None:
    """Compile all kernels now, so that the first run need not (for images and cabinets)."""
    from .controllers import warm_up
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
        app(standalone_mode=False)
    except SignalwrightError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _fail(_("interrupted; nothing was left half-written"), 130)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", 6)
    except Exception as error:
        _outsider(error)


def _outsider(error: Exception) -> None:
    """Usage errors of the command line keep their own text; anything else is ours to mend."""
    import click

    if isinstance(error, click.ClickException):
        error.show()
        sys.exit(error.exit_code)
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
