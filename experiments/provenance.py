"""Where a result comes from: versions, content hashes of every input, the strategy's source, the command that made
it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.messages import _

PACKAGES = ("signalwright", "numpy", "numba", "polars", "eclipse-sumo", "libsumo", "traci")
"""What can change a number; the versions of these go into a manifest."""


@cache
def versions() -> dict[str, str]:
    """Installed versions by name, with the python and the machine; a package that is not installed is left out."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    from .. import __version__

    return {**found, "signalwright": __version__}


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Raises InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(_("{path}: cannot be read: {error}").format(path=path, error=error.strerror)) from error


def input_hashes(files: Iterable[Path], base: Path) -> dict[str, str]:
    """Hash of every input file, by its path from `base` (the scenario's folder) so that a moved copy is the same
    input."""
    return {Path(os.path.relpath(path.resolve(), base.resolve())).as_posix(): file_hash(path) for path in files}


@cache
def code_hash() -> str:
    """Hash of all of our code that takes part in a run: the rooms below this one, and what runs and measures here."""
    root = Path(__file__).resolve().parent
    rooms = Path(__file__).parent.parent
    files = [path for room in ("core", "controllers", "networks") for path in (rooms / room).rglob("*.py")]
    files += [root / name for name in ("agent.py", "arms.py", "metrics.py", "observation.py", "crossings.py", "run.py")]
    parts = {
        path.relative_to(rooms if path.is_relative_to(rooms) else root).as_posix(): file_hash(path) for path in files
    }
    return digest(parts)


def source_hash(module: str) -> str:
    """Hash of a module's source, empty where it has none (built in, or compiled). The module's parents are imported, it
    is not."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return ""
    return file_hash(Path(spec.origin)) if spec and spec.origin and spec.has_location else ""


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of a mapping's canonical JSON, in hex: equal content, equal digest, whatever the order of its keys."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    ).hexdigest()
