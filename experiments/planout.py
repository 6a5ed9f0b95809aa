"""What the planner leaves: a plan file, a SUMO file, the calculation, the report for the person who signs, and its figures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core.errors import InputError
from ..core.messages import _
from ..networks.detectors import write_whole
from ..networks.planfile import clock, plan_file, write_plan_file
from ..networks.planprogram import write_plans
from .dayplans import Day
from .planfigures import figures_of, png
from .planner import Planned
from .planreport import report_html
from .spec import Timing
from .validate import Verdict, validate

FILES = ("plan.toml", "plan.add.xml", "calculation.json", "report.html")
DAY_FILES = ("plan.toml", "plan.add.xml", "day.json", "changes.csv")
FIGURES = "figures"
JOURNAL = "trials.jsonl"
"""The trials of a search under way; it is taken away when the search is over."""


def check_free(out: Path, overwrite: bool = False, files: Sequence[str] = (*FILES, *DAY_FILES[2:])) -> None:
    """Refuse, before any work is done, a directory in which something of ours lies. Raises InputError."""
    if out.exists() and not out.is_dir():
        raise InputError(_("{out} is a file; name a directory").format(out=out))
    there = [name for name in files if (out / name).exists()]
    if there and not overwrite:
        raise InputError(
            _("{out} holds {names} already; name another directory, or give --overwrite").format(
                out=out, names=", ".join(there)
            )
        )


def proved(
    planned: Planned,
    name: str,
    *,
    seeds: int,
    begin: float | None = None,
    end: float | None = None,
    workers: int | None = None,
) -> Verdict:
    """The verdict on the plan found, against the programs in force, with the seeds of the validation."""
    with TemporaryDirectory(prefix="signalwright-") as folder:
        path = Path(folder, FILES[0])
        write_plan_file(plan_file(planned.lights, {name: planned.plans}, planned.timing), path)
        return validate(
            str(planned.scenario), path, seeds=max(2, seeds), begin=begin, end=end, workers=workers, transport="sumo"
        )


def write_planned(
    planned: Planned, out: Path, name: str, verdict: Verdict | None = None, *, overwrite: bool = False
) -> list[Path]:
    """Write all files into a directory, made if need be, and say which; no plan where none beat the one in force."""
    check_free(out, overwrite, FILES)
    figures = figures_of(planned)  # before anything is written
    page, drawn = report_html(planned, verdict, figures), {title: png(figure) for title, figure in figures.items()}
    out.mkdir(parents=True, exist_ok=True)
    written = []
    if planned.plans:
        said = planned.remarks if verdict is None else (verdict.words, *planned.remarks)
        file = plan_file(planned.lights, {name: planned.plans}, planned.timing, remarks=said)
        write_plan_file(file, out / FILES[0], overwrite=overwrite)
        write_plans(out / FILES[1], planned.lights, {name: planned.plans}, overwrite=overwrite)
        written += [out / FILES[0], out / FILES[1]]
    found = planned.to_dict() | ({} if verdict is None else {"validation": verdict.to_dict()})
    write_whole(out / FILES[2], json.dumps(found, indent=2) + "\n")
    write_whole(out / FILES[3], page)
    (out / FIGURES).mkdir(exist_ok=True)
    for title, picture in drawn.items():
        (out / FIGURES / f"{_file_name(title)}.png").write_bytes(picture)
    return [*written, out / FILES[2], out / FILES[3], out / FIGURES]


def _file_name(title: str) -> str:
    """A title without what a file's name may not have."""
    return "".join("_" if letter in '/\\:*?"<>|' else letter for letter in title)


def write_day(day: Day, timing: Timing, out: Path, *, overwrite: bool = False) -> list[Path]:
    """Write the plans of a day with their times, as a plan file and for SUMO, and every change second by second."""
    check_free(out, overwrite, DAY_FILES)
    out.mkdir(parents=True, exist_ok=True)
    file = plan_file(day.lights, day.plans, timing, times=day.times, remarks=day.remarks)
    write_plan_file(file, out / DAY_FILES[0], overwrite=overwrite)
    write_plans(out / DAY_FILES[1], day.lights, day.plans, times=day.times, overwrite=overwrite)
    write_whole(out / DAY_FILES[2], json.dumps(day.to_dict(), indent=2) + "\n")
    write_whole(out / DAY_FILES[3], changes_csv(day))
    return [out / name for name in DAY_FILES]


def changes_csv(day: Day) -> str:
    """Every change of plan of a day at every light, second by second: what is green, or what it changes to."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("time", "second", "light", "from", "to", "way", "stage", "shows"))
    for at in range(len(day.times)):  # the first one from the last of the day before
        old, new = day.times[at - 1].name, day.times[at].name
        if old == new:
            continue
        for light in day.plans[new]:
            change = day.change(light, at)
            for second, stage, green in change.seconds():
                shows = "green" if green else "change"
                table.writerow((clock(second % 86_400), second, light, old, new, change.method, stage, shows))
    return text.getvalue()
