"""What a person sees on a terminal: tables and progress."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .core.messages import _

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from .networks.describe import LightSummary


def console() -> Console:
    """Where tables and progress go; a terminal's width, or as wide as the text where there is none."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


@contextmanager
def progress() -> Iterator[Callable[[str], Callable[[float], None]]]:
    """Yields `told(text)`, which begins a bar and gives back the function that moves it (share done, 0 to 1)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    shown = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=shown, disable=not shown.is_terminal and not sys.stderr.isatty()) as bars:

        def told(text: str) -> Callable[[float], None]:
            if bars.disable:
                print(text, file=sys.stderr, flush=True)
            bar = bars.add_task(text, total=1.0)
            return lambda share: bars.update(bar, completed=share)

        yield told


class Mover(Protocol):
    """Moves a counting bar: how many are `done` of `total`, which was done `last`, and how many seconds are `left`, where known."""

    def __call__(self, done: int, total: int, last: str, left: float | None = None) -> None: ...


@contextmanager
def counter(what: str, estimates: bool = True) -> Iterator[Mover]:
    """Yields what moves a bar that counts, and that `estimates` how long it will take where nobody else tells it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    shown = Console(stderr=True)
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn() if estimates else TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as bars:
        bar = bars.add_task("")

        def move(done: int, total: int, last: str, left: float | None = None) -> None:
            if left is not None and done < total:
                last += "; " + _("about {time} left").format(time=duration(left))
            if bars.disable:
                print(f"{done}/{total} {last}", file=sys.stderr, flush=True)
            bars.update(bar, completed=done, total=total, description=last)

        yield move


def duration(seconds: float) -> str:
    """Seconds in the two units a person would tell them in.

    >>> duration(7.2), duration(200), duration(4 * 3600 + 300)
    ('8 s', '3 min 20 s', '4 h 5 min')
    """
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def result_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Runs beside each other: the mean over seeds for each strategy, and the change against the first."""
    from rich.table import Table

    table = Table(title=_("{scenario}, {timing} timing").format(scenario=rows[0]["scenario"], timing=rows[0]["timing"]))
    heads = [
        ("delay", _("delay s/veh")), ("p95_delay", _("p95 s")), ("stops", _("stops/veh")), ("trip_time", _("trip s")),
        ("arrived", _("arrived")), ("scheduled", _("of")), ("teleports", _("teleports")), ("collisions", _("collisions")),
    ]  # fmt: skip
    arms = list(dict.fromkeys(row["controller"] for row in rows))
    table.add_column(_("strategy"))
    table.add_column(_("seeds"), justify="right")
    for _key, head in heads:
        table.add_column(head, justify="right")
    if len(arms) > 1:
        table.add_column(_("delay against {arm}").format(arm=arms[0]), justify="right")
    means = {
        arm: {key: _mean(row[key] for row in rows if row["controller"] == arm) for key, _head in heads} for arm in arms
    }
    for arm in arms:
        seeds = sum(row["controller"] == arm for row in rows)
        cells = [_number(key, means[arm][key]) for key, _head in heads]
        if len(arms) > 1:
            base = means[arms[0]]["delay"]
            cells.append(f"{(means[arm]['delay'] / base - 1) * 100:+.0f} %" if arm != arms[0] and base > 0 else "")
        table.add_row(arm, str(seeds), *cells)
    return table


def light_tables(light: LightSummary) -> Iterator[Table]:
    """One light: groups, stages with their interstages, loops; then what was changed to make it lawful."""
    title = _("Light {name}: {groups} groups, {stages} stages, programs {programs} (running: {active})").format(
        name=light.name, groups=len(light.groups), stages=len(light.stages), programs=", ".join(light.programs), active=light.active
    )  # fmt: skip
    notes = "\n".join(_("note: {note}").format(note=note) for note in light.notes) or None
    heads = (
        _("group"),
        _("kind"),
        _("from"),
        _("movements"),
        _("min green"),
        _("amber"),
        _("longest red"),
        _("conflicts with"),
    )
    groups = _table(title, *heads, caption=notes)
    between = {(before, after): seconds for before, after, seconds in light.conflicts}
    for group in light.groups:
        longest = "-" if group.max_red is None else f"{group.max_red:g} s"
        foes = [f"{other} {between[group.name, other]:g} s" for other in group.excludes]
        foes += [_("{group} (gives way)").format(group=other) for other in group.gives_way_to]
        foes += [
            _("{group} (has way)").format(group=other.name)
            for other in light.groups
            if group.name in other.gives_way_to
        ]
        groups.add_row(
            group.name, group.kind, group.approach, ", ".join(group.movements), f"{group.min_green:g} s", f"{group.amber:g} s",
            longest, ", ".join(foes),
        )  # fmt: skip
    yield groups
    stages = _table(_("Stages"), _("stage"), _("green"), _("interstage to"))
    for stage in light.stages:
        ways = ", ".join(f"{other} {seconds} s" for other, seconds in stage.interstages)
        stages.add_row(stage.name, ", ".join(stage.green), ways)
    yield stages
    if light.loops:
        loops = _table(_("Loops"), _("loop"), _("kind"), _("lane"), _("from stop line"), _("leads to"))
        for loop in light.loops:
            loops.add_row(loop.name, loop.kind, loop.lane, f"{loop.distance:.0f} m", ", ".join(loop.leads_to))
        yield loops


def _table(title: str, *heads: str, caption: str | None = None) -> Table:
    from rich.table import Table

    table = Table(*heads, title=title, title_justify="left", caption=caption, caption_justify="left")
    return table


def _number(key: str, value: float) -> str:
    """Seconds with one decimal, stops with two, vehicles whole."""
    return f"{value:.{1 if key in ('delay', 'p95_delay', 'trip_time') else 2 if key == 'stops' else 0}f}"


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
