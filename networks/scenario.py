"""A SUMO scenario: the files a configuration names, its window and options, every path made absolute."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from ..core.errors import InputError

_SYNONYMS = {
    "net-file": "net-file", "net": "net-file", "n": "net-file",
    "route-files": "route-files", "route": "route-files", "r": "route-files",
    "additional-files": "additional-files", "additional": "additional-files", "a": "additional-files",
    "begin": "begin", "b": "begin", "end": "end", "e": "end", "seed": "seed",
    "step-length": "step-length", "time-to-teleport": "time-to-teleport",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to simulate.

    `source` is the file that was read (a configuration, or a bare net), `net`, `routes` and `additionals` absolute
    paths in SUMO's order. `begin` and `end` [s] (`end` None: until the last vehicle has left), `step_length` [s],
    `time_to_teleport` [s] as SUMO means it (-1: never; None: not said), `options` every other option by its name in the
    configuration, paths untouched.
    """

    name: str
    source: Path
    net: Path
    routes: tuple[Path, ...] = ()
    additionals: tuple[Path, ...] = ()
    begin: float = 0.0
    end: float | None = None
    seed: int | None = None
    step_length: float = 1.0
    time_to_teleport: float | None = None
    options: dict[str, str] = field(default_factory=dict)


def read_scenario(path: str | Path) -> Scenario:
    """Read a `.sumocfg` or a bare net, gzipped or not; raises InputError naming the file that is missing or broken."""
    source = Path(path).expanduser()
    root = root_of(source)
    name = re.sub(r"(\.gz)?$", "", source.name)
    name = re.sub(r"\.(sumocfg|net\.xml|xml|cfg)$", "", name)
    if root.tag == "net":
        return Scenario(name, source.resolve(), source.resolve())
    said = _options(root)
    if not any("file" in key or key in _SYNONYMS for key in said) or root.tag in {"routes", "additional", "add"}:
        raise InputError(
            f"{source}: <{root.tag}> is neither a SUMO configuration nor a net; give a .sumocfg or a .net.xml"
        )
    known = {_SYNONYMS[key]: value for key, value in said.items() if key in _SYNONYMS}
    nets = _paths(source, known, "net-file")
    if len(nets) != 1:
        raise InputError(f"{source}: the configuration names {len(nets)} nets; give it one net-file")
    end = _seconds(source, known, "end")
    return Scenario(
        name=name,
        source=source.resolve(),
        net=nets[0],
        routes=_paths(source, known, "route-files"),
        additionals=_paths(source, known, "additional-files"),
        begin=_seconds(source, known, "begin") or 0.0,
        end=None if end is None or end < 0 else end,
        seed=_whole(source, known, "seed"),
        step_length=_seconds(source, known, "step-length") or 1.0,
        time_to_teleport=_seconds(source, known, "time-to-teleport"),
        options={key: value for key, value in said.items() if key not in _SYNONYMS},
    )


def open_xml(path: Path) -> IO[bytes]:
    """Open an XML file, unpacking gzip by its first bytes; raises InputError."""
    try:
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        return cast(IO[bytes], gzip.open(path, "rb")) if packed else path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error


def elements(path: Path, *tags: str) -> Iterator[Any]:
    """The elements of these tags, one after the other, complete with their children; raises InputError."""
    etree = _lxml()
    try:
        with open_xml(path) as stream:
            for _, element in etree.iterparse(
                stream, events=("end",), tag=tags, resolve_entities=False, no_network=True
            ):
                yield element
                element.clear()
    except (etree.XMLSyntaxError, OSError, EOFError) as error:
        raise InputError(f"{path}: is no well-formed XML ({error}); write it anew") from error


def root_of(path: Path) -> Any:
    """The root element, for nets without their children; raises InputError."""
    etree = _lxml()
    try:
        with open_xml(path) as stream:
            for _, element in etree.iterparse(stream, events=("start",), resolve_entities=False, no_network=True):
                if element.tag == "net":
                    return element
                break
        with open_xml(path) as stream:
            return etree.parse(stream, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    except (etree.XMLSyntaxError, OSError, EOFError) as error:
        raise InputError(f"{path}: is no well-formed XML ({error}); give a .sumocfg or a .net.xml") from error


def _lxml() -> Any:
    try:
        from lxml import etree
    except ImportError as error:
        raise InputError(
            "reading SUMO files needs lxml; install the extra: pip install 'signalwright[sumo]'"
        ) from error
    return etree


def _options(root: Any) -> dict[str, str]:
    said: dict[str, str] = {}
    for element in root.iter():
        value = element.get("value", element.get("v"))
        if isinstance(element.tag, str) and value is not None:
            said[element.tag] = os.path.expandvars(value)
    return said


def _paths(source: Path, known: dict[str, str], key: str) -> tuple[Path, ...]:
    found = []
    for part in re.split(r"[,;]", known.get(key, "")):
        if not part.strip():
            continue
        path = (source.parent / part.strip()).resolve()
        if not path.is_file():
            raise InputError(
                f"{source}: {key} {part.strip()} is not there ({path}); correct the name or bring the file"
            )
        found.append(path)
    return tuple(found)


def _seconds(source: Path, known: dict[str, str], key: str) -> float | None:
    if key not in known:
        return None
    text = known[key].strip()
    try:
        sign, parts = (-1.0, text[1:].split(":")) if text.startswith("-") else (1.0, text.split(":"))
        weights = (1.0, 60.0, 3600.0, 86400.0)
        return sign * sum(float(part) * weight for part, weight in zip(reversed(parts), weights, strict=False))
    except ValueError as error:
        raise InputError(f"{source}: {key} is {text!r}; give seconds or hh:mm:ss") from error


def _whole(source: Path, known: dict[str, str], key: str) -> int | None:
    if key not in known:
        return None
    try:
        return int(known[key])
    except ValueError as error:
        raise InputError(f"{source}: {key} is {known[key]!r}; give a whole number") from error
