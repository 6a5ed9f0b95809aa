"""Ready batches, and reference results that anybody can check on his own machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError, ResultError
from ..core.messages import _
from ..networks.shipped import SHIPPED
from .batch import RUNS, BatchDirectory
from .result import read_manifest, write_file
from .run import FORMAT, Rerun, rerun_manifest
from .spec import BatchSpec, batch, unknown

ARMS = ("plan", "webster", "sumo-actuated", "sumo-delay-based", "max-pressure", "adaptive")
"""Every comparison runs these, the one we recommend last."""

SUITES: dict[str, tuple[str, ...]] = {
    "shipped": tuple(SHIPPED),
    "resco": ("cologne1", "cologne3", "ingolstadt1", "ingolstadt7", "grid4x4"),
    "bologna": ("bologna_acosta/run.sumocfg",),
}
"""Name -> scenarios; all but `shipped` lie in a folder of the user's, each in one of its own."""


def suite(name: str, folder: Path | None = None, **changes: Any) -> BatchSpec:
    """The batch of a suite: both timings, five seeds, departures put off by up to half a minute. `changes` replace its
    keys.

    Raises InputError for an unknown suite, or where the folder does not hold its scenarios.
    """
    if name not in SUITES:
        raise InputError(unknown(_("suite {name!r}").format(name=name), name, list(SUITES)))
    if name == "shipped":
        places = list(SUITES[name])
    else:
        if folder is None:
            raise InputError(_("suite {name} needs the folder its scenarios lie in").format(name=name))
        places = [str(_inside(folder, place)) for place in SUITES[name]]
    values = {
        "scenarios": places,
        "controllers": list(ARMS),
        "timing": ["safe", "resco"],
        "seeds": 5,
        "jitter": 30.0,
        "tables": False,
    }
    return batch(_("suite {name}").format(name=name), values | changes)


def _inside(folder: Path, place: str) -> Path:
    for candidate in (folder / place, folder / place.partition("/")[2]):
        if candidate.exists() and candidate != folder:
            return candidate
    raise InputError(_("{folder} holds no {place}; name the folder that does").format(folder=folder, place=place))


@dataclass(frozen=True, slots=True)
class Check:
    """A reference result made again."""

    what: str
    rerun: Rerun


def write_reference(directory: Path, out: Path) -> int:
    """Write the results of a batch, with what is needed to make them again, to one file; how many there are.

    Nothing in it tells where files lie on this machine. Raises ResultError.
    """
    store = BatchDirectory(directory)
    kept = []
    for key in store.description()["keys"]:
        if (store.path / RUNS / key).exists():
            manifest = read_manifest(store.path / RUNS / key)
            scenario = manifest["spec"]["scenario"]
            place = scenario if scenario in SHIPPED else Path(manifest["scenario_file"]).name
            row = {name: value for name, value in manifest["result"].items() if name != "wall_s"}
            spec = manifest["spec"] | {"scenario": place}
            kept.append(
                {
                    **{
                        name: manifest[name] for name in ("format", "inputs", "strategies", "code", "versions", "trips")
                    },
                    "spec": spec,
                    "result": row,
                }
            )
    if not kept:
        raise ResultError(_("{path}: no run of this batch is finished; nothing to keep").format(path=directory))
    write_file(out, (json.dumps({"format": FORMAT, "runs": kept}, indent=1, ensure_ascii=False) + "\n").encode())
    return len(kept)


def check_reference(
    path: Path,
    folder: Path | None = None,
    *,
    every: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Iterator[Check]:
    """Make the reference results again, or every n-th of them, and say for each whether it came out the same.

    `folder` holds the scenarios that do not ship with this package. Raises ResultError if the file is none, InputError
    where a scenario is not to be found.
    """
    for manifest in reference_runs(path)[::every]:
        place = manifest["spec"]["scenario"]
        source = place if place in SHIPPED else str(_somewhere(folder, place))
        row = manifest["result"]
        what = ", ".join(str(row[name]) for name in ("scenario", "controller", "timing", "seed"))
        yield Check(what, rerun_manifest(manifest, source, progress))


def reference_runs(path: Path) -> Sequence[Mapping[str, Any]]:
    """The results in a reference file. Raises ResultError."""
    held = read_manifest(path)
    if held.get("format") != FORMAT or not isinstance(held.get("runs"), list):
        raise ResultError(_("{path} holds no reference results this version can read").format(path=path))
    runs: list[Mapping[str, Any]] = held["runs"]
    return runs


def _somewhere(folder: Path | None, name: str) -> Path:
    found = sorted(folder.rglob(name)) if folder is not None else []
    if not found:
        raise InputError(_("{name} is not there; name the folder that holds the scenarios").format(name=name))
    return found[0]
