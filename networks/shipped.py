"""The scenarios that ship with the package: name -> SUMO configuration file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ..core.errors import InputError

_FOLDER = Path(str(files(__package__))) / "scenarios"

SHIPPED: dict[str, Path] = {name: _FOLDER / name / f"{name}.sumocfg" for name in ("cross", "corridor", "grid")}

EXAMPLES: dict[str, Path] = {"random9": _FOLDER / "random9" / "random9.sumocfg"}
"""Made by `networks.synthetic`, for a look at scale; no suite runs them."""


def scenario_path(name: str) -> Path:
    """The .sumocfg of a shipped scenario.

    Raises InputError for a name that is not shipped, or when the package's data are not on disk as files.
    """
    known = SHIPPED | EXAMPLES
    if name not in known:
        raise InputError(f"no shipped scenario is called {name!r}: choose one of {', '.join(known)}")
    path = known[name]
    if not path.is_file():
        raise InputError(f"shipped scenario {name} is missing ({path}): install signalwright again, unpacked")
    return path
