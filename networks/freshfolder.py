"""A new folder for a scenario: there whole or not at all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import InputError
from ..core.messages import _


def check_free(folder: Path) -> None:
    """Raise InputError for a folder that holds anything."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(_("{folder} is not empty; name a new folder for the scenario").format(folder=folder))


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Yields a folder to write into, which becomes `folder` at the end and is gone after an error. Raises InputError where it can't."""
    fresh = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.partial"
    try:
        fresh.mkdir(parents=True)
        yield fresh
        if folder.exists():
            folder.rmdir()
        fresh.replace(folder)
    except OSError as error:
        raise InputError(
            _("{folder}: cannot be written ({error})").format(folder=folder, error=error.strerror)
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_configuration(folder: Path, name: str, window: float) -> None:
    """Write the .sumocfg of a scenario `name` whose net and routes lie in `folder`; `window` [s] from 0 on."""
    text = (
        f'<configuration>\n    <net-file value="{name}.net.xml"/>\n    <route-files value="{name}.rou.xml"/>\n'
        f'    <begin value="0"/>\n    <end value="{window:g}"/>\n    <time-to-teleport value="-1"/>\n</configuration>\n'
    )
    (folder / f"{name}.sumocfg").write_text(text, encoding="utf-8")
