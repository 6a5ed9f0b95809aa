"""Reference results: the numbers of a suite, with all that is needed to make them again on any machine, and their table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import InputError, ResultError
from ..core.messages import _
from ..networks.shipped import SHIPPED
from .batch import ABOUT, RUNS, BatchDirectory
from .crew import work_through
from .memory import fair_share
from .result import NOT_COMPARED, read_manifest, write_file
from .run import FORMAT, rerun_manifest
from .spec import BatchSpec
from .statistics import FEW_SEEDS
from .suite import ARMS
from .summary import HEADLINE, Summary, summary_of
from .tables import markdown_table

REFERENCES = Path(__file__).with_name("references")
"""Where the results that ship with the package lie, one file for each suite."""
KEPT = ("inputs", "strategies", "code", "versions", "trips")
"""What of a run's manifest goes into a reference."""
BEGIN, END = "<!-- reference: begin, written by `make table` -->", "<!-- reference: end -->"
"""Between these lines a page holds the table."""


@dataclass(frozen=True, slots=True)
class Check:
    """A reference result made again: `numbers` that came out otherwise, {field: (then, now)}, `causes` that may be why, and the
    `error` where the run failed."""

    what: str
    numbers: Mapping[str, tuple[Any, Any]]
    causes: tuple[str, ...]
    error: str = ""

    @property
    def identical(self) -> bool:
        """Whether every number and every trip came out as before."""
        return not self.numbers and not self.error


def reference_path(name: str) -> Path:
    """The reference of a suite by its name, or a file. Raises ResultError where there is none."""
    shipped = {path.stem: path for path in sorted(REFERENCES.glob("*.json"))}
    path = shipped.get(name, Path(name))
    if not path.is_file():
        message = _("there is no reference {name}; name a file, or one of {names}")
        raise ResultError(message.format(name=name, names=", ".join(shipped) or _("none")))
    return path


def write_reference(directories: Sequence[Path], out: Path) -> int:
    """Write the results of batches (or of older references), with what is needed to make them again, to one file; how many there are.

    They may differ in nothing but their strategies; where two hold the same run, the later counts. Nothing in the file tells where
    files lie on this machine. Raises ResultError.
    """
    batches = [_of_batch(directory) for directory in directories]
    whole, names = dict(batches[0][0]), {}
    for directory, (said, _runs) in zip(directories, batches, strict=True):
        if said | {"controllers": []} != whole | {"controllers": []}:
            message = _("{0} and {1} differ in more than their strategies")
            raise ResultError(message.format(directories[0], directory))
        names.update(dict.fromkeys(said["controllers"]))
    whole["controllers"] = [name for name in ARMS if name in names] + [name for name in names if name not in ARMS]
    kept = {tuple(run["result"].get(name) for name in ABOUT[1:]): run for _said, runs in batches for run in runs}
    place = {name: row for row, name in enumerate(whole["controllers"])}
    lines = sorted(kept.values(), key=lambda run: (run["spec"]["seed"], place.get(run["spec"]["arm"], len(place))))
    head = json.dumps({"format": FORMAT, "batch": whole}, ensure_ascii=False)
    runs = ",\n".join(json.dumps(line, ensure_ascii=False, sort_keys=True) for line in lines)
    write_file(out, f'{head[:-1]},\n"runs": [\n{runs}\n]}}\n'.encode())
    return len(lines)


def _of_batch(directory: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a batch is, and its finished runs, as a reference keeps them. Raises ResultError."""
    if directory.is_file():
        held = _read(directory)
        return held["batch"], held["runs"]
    store = BatchDirectory(directory)
    description = store.description()
    runs = []
    for key in description["keys"]:
        if (store.path / RUNS / key).exists():
            manifest = read_manifest(store.path / RUNS / key)
            spec = manifest["spec"] | {"scenario": _place(manifest["spec"]["scenario"])}
            row = {name: value for name, value in manifest["result"].items() if name not in NOT_COMPARED}
            runs.append({"spec": spec, "result": row} | {name: manifest[name] for name in KEPT})
    if not runs:
        raise ResultError(_("{path}: no run of this batch is finished; nothing to keep").format(path=directory))
    scenarios = [
        place | {"path": _place(place["path"])} if isinstance(place, dict) else _place(place)
        for place in description["spec"]["scenarios"]
    ]
    return description["spec"] | {"scenarios": scenarios}, runs


def _place(scenario: str) -> str:
    """A scenario's name, without where it lies: that of a shipped one, else of its file or folder."""
    return scenario if scenario in SHIPPED else Path(scenario).name


def check_reference(path: Path, folder: Path | None = None, *, every: int = 1, workers: int = 1) -> Iterator[Check]:
    """Make the reference results again, or every n-th of them, and say for each whether it came out the same.

    `folder` holds the scenarios that do not ship with this package. They come in any order where there are several `workers`. Raises
    ResultError if the file is none, InputError where a scenario is not to be found.
    """
    jobs = [
        (dict(manifest), _source(manifest["spec"]["scenario"], folder)) for manifest in _read(path)["runs"][::every]
    ]
    for outcome in work_through(jobs, _again, min(workers, len(jobs)), memory_mib=fair_share(workers)):
        row = outcome.job[0]["result"]
        what = ", ".join(str(row[name]) for name in ("scenario", "controller", "timing", "seed"))
        numbers, causes = outcome.value or ({}, ())
        yield Check(what, numbers, causes, outcome.error)


def _again(job: tuple[dict[str, Any], str]) -> tuple[dict[str, tuple[Any, Any]], tuple[str, ...]]:
    """One reference result, in a worker."""
    done = rerun_manifest(*job)
    return done.numbers, done.causes


def _read(path: Path) -> dict[str, Any]:
    held = read_manifest(path)
    if held.get("format") != FORMAT or not isinstance(held.get("runs"), list) or "batch" not in held:
        raise ResultError(_("{path} holds no reference results this version can read").format(path=path))
    return held


def _source(place: str, folder: Path | None) -> str:
    """Where a scenario lies: a shipped one by its name, else the file or folder of that name within `folder`."""
    if place in SHIPPED:
        return place
    found = sorted(folder.rglob(place), key=lambda path: len(path.parts)) if folder is not None else []
    if not found:
        raise InputError(_("{name} is not there; name the folder that holds the scenarios").format(name=place))
    return str(found[0])


def reference_summary(path: Path) -> Summary:
    """What a reference shows, as of a batch. Raises ResultError."""
    held = _read(path)
    rows = [{"key": str(number)} | run["result"] for number, run in enumerate(held["runs"])]
    runs = pl.DataFrame(rows, infer_schema_length=None)
    spec = BatchSpec.model_validate(held["batch"])
    return summary_of(runs, spec, path.parent, missing=len(spec.runs()) - len(rows))


def reference_table(path: Path) -> str:
    """A reference as one small Markdown table: strategies by scenarios, mean delay with its interval. Raises ResultError."""
    summary, held = reference_summary(path), _read(path)
    cells = summary.cells
    several = len({cell.timing for cell in cells}) > 1
    titles = [_("delay [s/veh]"), *(f"{cell.scenario}, {cell.timing}" if several else cell.scenario for cell in cells)]
    rows = []
    for arm in summary.spec.arm_names:
        row = [f"`{arm}`"]
        for cell in cells:
            found = next((one for one in cell.arms[HEADLINE] if one.name == arm), None)
            text = f"{found.mean:.1f} ({found.interval.low:.1f} .. {found.interval.high:.1f})" if found else "-"
            best = found is not None and found.mean == min(one.mean for one in cell.arms[HEADLINE])
            row.append(
                (f"**{text}**" if best else text)
                + (_(", gridlocks {n}").format(n=found.gridlocks) if found and found.gridlocks else "")
            )
        rows.append(row)
    return markdown_table(titles, rows) + "\n" + _facts(summary, held["runs"][0]["versions"]) + "\n"


def _facts(summary: Summary, versions: Mapping[str, str]) -> str:
    """What the table rests on, in a sentence."""
    spec = summary.spec
    text = _(
        "Mean over {seeds} seeds with its 95 % interval (BCa); {timing} timing; departures put off by up to {jitter:g} s, drawn by the "
        "seed, alike in every arm; the first {windows} of each scenario; teleporting off; SUMO {sumo}; {runs} runs."
    )
    if len(spec.seeds) < FEW_SEEDS:
        text += " " + _("A claim wants at least {few} seeds.").format(few=FEW_SEEDS)
    lengths = sorted({cell.end - cell.begin for cell in summary.cells})
    return text.format(
        seeds=len(spec.seeds),
        timing=_(" and ").join(spec.timing),
        jitter=spec.jitter,
        windows=_(" or ").join(_("{n:g} minutes").format(n=length / 60) for length in lengths),
        sumo=versions.get("eclipse-sumo", "?"),
        runs=len(summary.runs),
    )


def put_table(page: Path, table: str) -> bool:
    """Put a table between the marks of a page; whether that changed it. Raises InputError where the marks are missing."""
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(_("{path}: cannot be read: {why}").format(path=page, why=error.strerror)) from error
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(
            _("{path} has no lines {begin} and {end}; put them where the table shall stand").format(
                path=page, begin=BEGIN, end=END
            )
        )
    fresh = f"{before}{BEGIN}\n{table}{END}{after}"
    if fresh != text:
        write_file(page, fresh.encode())
    return fresh != text


def reference_runs(path: Path) -> Sequence[Mapping[str, Any]]:
    """The results in a reference file. Raises ResultError."""
    runs: list[Mapping[str, Any]] = _read(path)["runs"]
    return runs
