"""Additional files that write outputs beside themselves, changed so that they write where a run's outputs go.

A scenario's folder may be read-only, and two runs of it at once must not share a file.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from .detectors import write_whole
from .scenario import Scenario, open_xml, root_of

OUTPUTS = {
    "inductionLoop": "file", "e1Detector": "file", "instantInductionLoop": "file", "laneAreaDetector": "file", "e2Detector": "file",
    "entryExitDetector": "file", "e3Detector": "file", "edgeData": "file", "laneData": "file", "routeProbe": "file", "vTypeProbe": "file",
    "timedEvent": "dest", "calibrator": "output",
}  # fmt: skip
"""Elements of an additional file that write, and the attribute that says where."""

INPUTS = ("file", "href", "imgFile")
"""Attributes of other elements that name a file to be read."""

NOWHERE = {"NUL", "nul", "/dev/null", "stdout", "stderr", "-"}


def redirected(scenario: Scenario, directory: Path) -> tuple[Path, ...]:
    """The scenario's additional files, those that write outputs as copies in `directory` that write there. Raises OSError."""
    return tuple(_redirected(path, number, directory) for number, path in enumerate(scenario.additionals))


def _redirected(path: Path, number: int, directory: Path) -> Path:
    with open_xml(path) as stream:
        text = stream.read()
    if not any(f"<{tag} ".encode() in text for tag in OUTPUTS):
        return path
    root = root_of(path)
    writes = False
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        if (attribute := OUTPUTS.get(element.tag)) is not None:
            writes |= _point(element, attribute, directory)
        else:
            for attribute in INPUTS:
                _anchor(element, attribute, path.parent)
    if not writes:
        return path
    copy = directory / f"{number}-{path.name.removesuffix('.gz')}"
    whole = BytesIO()
    root.getroottree().write(whole, encoding="utf-8")
    write_whole(copy, whole.getvalue().decode("utf-8"))
    return copy


def _point(element: Any, attribute: str, directory: Path) -> bool:
    said = element.get(attribute)
    if not said or said in NOWHERE or ":" in said:
        return False
    element.set(attribute, str(directory / Path(said).name))
    return True


def _anchor(element: Any, attribute: str, folder: Path) -> None:
    said = element.get(attribute)
    if said and not Path(said).is_absolute():
        element.set(attribute, str(folder / said))
