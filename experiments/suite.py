"""Ready batches: the scenarios and strategies everybody can compare with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.messages import _
from ..networks.scenario import read_scenario
from ..networks.shipped import SHIPPED
from .spec import BatchSpec, batch, scenario_path, unknown

ARMS = ("plan", "webster", "sumo-actuated", "sumo-delay-based", "actuated", "max-pressure", "adaptive")
"""Every comparison runs these, the one we recommend last."""

SUITES: dict[str, tuple[str, ...]] = {
    "shipped": tuple(SHIPPED),
    "resco": ("cologne1", "cologne3", "ingolstadt1", "ingolstadt7", "grid4x4"),
    "bologna": ("bologna_acosta/run.sumocfg",),
}
"""Name -> scenarios; all but `shipped` lie in a folder of the user's, each in one of its own."""


def suite(name: str, folder: Path | None = None, window: float | None = None, **changes: Any) -> BatchSpec:
    """The batch of a suite: both timings, five seeds, departures put off by up to half a minute. `changes` replace its keys.

    With `window` [s] only so much from the beginning of each scenario is run. Raises InputError for an unknown suite, or where the folder
    does not hold its scenarios.
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
        "scenarios": places if window is None else windowed(places, window),
        "controllers": list(ARMS),
        "timing": ["safe", "resco"],
        "seeds": 5,
        "jitter": 30.0,
        "tables": False,
    }
    return batch(_("suite {name}").format(name=name), values | changes)


def windowed(places: Sequence[str], window: float) -> list[dict[str, Any]]:
    """The scenarios, each ending `window` [s] after it begins. Raises InputError where one cannot be read."""
    return [{"path": place, "end": read_scenario(scenario_path(place)).begin + window} for place in places]


def _inside(folder: Path, place: str) -> Path:
    for candidate in (folder / place, folder / place.partition("/")[2]):
        if candidate.exists() and candidate != folder:
            return candidate
    raise InputError(_("{folder} holds no {place}; name the folder that does").format(folder=folder, place=place))
