"""The scenarios that ship with the package: name -> SUMO configuration file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from ..core.errors import InputError

_FOLDER = Path(str(files(__package__))) / "scenarios"

SHIPPED: dict[str, Path] = {name: _FOLDER / name / f"{name}.sumocfg" for name in ("cross", "corridor", "grid")}


def scenario_path(name: str) -> Path:
    """The .sumocfg of a shipped scenario.

    Raises InputError for a name that is not shipped, or when the package's data are not on disk as files.
    """
    if name not in SHIPPED:
        raise InputError(f"no shipped scenario is called {name!r}: choose one of {', '.join(SHIPPED)}")
    path = SHIPPED[name]
    if not path.is_file():
        raise InputError(f"shipped scenario {name} is missing ({path}): install signalwright again, unpacked")
    return path
