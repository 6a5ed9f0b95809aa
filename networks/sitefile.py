"""Site files: one TOML file an intersection, checked key by key, with file, line and key in every message."""

from __future__ import annotations

import math
import os
import tempfile
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import InputError, SiteError
from ..core.intersection import (
    Detector,
    Exit,
    GroupKind,
    Intersection,
    Lane,
    LoopKind,
    Movement,
    SignalGroup,
    Stage,
)
from ..core.messages import _
from ..core.tomlkeys import line_of, reason

Seconds = Annotated[float, Field(ge=0, le=600)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Movement(_Part):
    name: str
    origin: str
    destination: str
    lanes: tuple[str, ...] = ()
    turn: Literal["straight", "left", "right", "uturn", "crossing"] = "straight"


class _Group(_Part):
    name: str
    kind: GroupKind = GroupKind.VEHICLE
    min_green_s: Seconds
    amber_s: Seconds
    red_amber_s: Seconds = 0.0
    max_red_s: Seconds | None = None
    movements: tuple[_Movement, ...] = ()


class _Stage(_Part):
    name: str
    green: tuple[str, ...]


class _Conflict(_Part):
    groups: tuple[str, str]
    intergreen_s: tuple[Seconds, Seconds]
    gives_way: str | None = None


class _Lane(_Part):
    name: str
    length_m: float = Field(gt=0)
    chain_m: float = Field(gt=0)
    speed_mps: float = Field(gt=0)
    saturation_flow_vph: float = Field(gt=0, default=1800.0)
    inside_veh: float = Field(ge=0, default=math.inf)


class _Exit(_Part):
    name: str
    length_m: float = Field(gt=0)
    lanes: int = Field(gt=0)
    speed_mps: float = Field(gt=0)
    towards: str | None = None


class _Detector(_Part):
    name: str
    kind: LoopKind
    lane: str
    position_m: float
    distance_m: float
    lanes: tuple[str, ...] = ()
    exit: str | None = None
    length_m: float = Field(gt=0, default=2.0)
    feeders: tuple[str, ...] = ()


class _Site(_Part):
    name: str
    groups: tuple[_Group, ...]
    stages: tuple[_Stage, ...]
    conflicts: tuple[_Conflict, ...] = ()
    lanes: tuple[_Lane, ...] = ()
    exits: tuple[_Exit, ...] = ()
    detectors: tuple[_Detector, ...] = ()
    barred: tuple[tuple[str, str], ...] = ()


def read_site(path: str | Path) -> Intersection:
    """The intersection a site file describes; raises InputError with file, line and key."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is not TOML: {error}") from error
    return site_from(data.get("site", data), path, text)


def site_from(data: dict[str, Any], path: Path, text: str = "") -> Intersection:
    """The intersection in parsed TOML; `path` and `text` are for messages."""
    try:
        return _intersection(_Site.model_validate(data))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        line = line_of(text, ("site", *first["loc"])) or line_of(text, first["loc"])
        said = reason(first, _("a site file"))
        raise InputError(f"{path}{f', line {line}' if line else ''}: {key}: {said}") from error
    except SiteError as error:
        raise InputError(f"{path}: {error}") from error


def write_site(site: Intersection, path: str | Path, overwrite: bool = False, more: str = "") -> None:
    """Write a site file, whole or not at all, with `more` TOML behind it.

    Raises InputError where one lies already and `overwrite` is not set.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: is there already; name another file, or ask for it to be overwritten")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as out:
            tomli_w.dump({"site": _plain(site)}, out)
            out.write(more.encode())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _intersection(said: _Site) -> Intersection:
    names = [group.name for group in said.groups]
    row = {name: k for k, name in enumerate(names)}
    conflict = np.zeros((len(names), len(names)), dtype=np.bool_)
    yields = np.zeros_like(conflict)
    intergreen = np.zeros(conflict.shape)
    for pair in said.conflicts:
        for name in (*pair.groups, *([pair.gives_way] if pair.gives_way else [])):
            if name not in row:
                raise SiteError(f"conflicts name the group {name}, which is not there; there are {', '.join(names)}")
        i, j = row[pair.groups[0]], row[pair.groups[1]]
        conflict[i, j] = conflict[j, i] = True
        intergreen[i, j], intergreen[j, i] = pair.intergreen_s
        if pair.gives_way is not None:
            other = j if row[pair.gives_way] == i else i
            yields[row[pair.gives_way], other] = True
    return Intersection(
        name=said.name,
        groups=tuple(
            SignalGroup(
                g.name,
                tuple(Movement(m.name, m.origin, m.destination, m.lanes, m.turn) for m in g.movements),
                g.kind,
                g.min_green_s,
                g.amber_s,
                g.red_amber_s,
                g.max_red_s,
            )
            for g in said.groups
        ),
        stages=tuple(Stage(s.name, frozenset(s.green)) for s in said.stages),
        conflict=conflict,
        yields=yields,
        intergreen=intergreen,
        lanes=tuple(
            Lane(x.name, x.length_m, x.chain_m, x.speed_mps, x.saturation_flow_vph, x.inside_veh) for x in said.lanes
        ),
        exits=tuple(Exit(x.name, x.length_m, x.lanes, x.speed_mps, x.towards) for x in said.exits),
        detectors=tuple(
            Detector(d.name, d.kind, d.lane, d.position_m, d.distance_m, d.lanes, d.exit, d.length_m, d.feeders)
            for d in said.detectors
        ),
        barred=frozenset(said.barred),
    )


def _plain(site: Intersection) -> dict[str, Any]:
    names = [group.name for group in site.groups]
    conflicts = []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            if site.conflict[i, j]:
                entry: dict[str, Any] = {
                    "groups": [names[i], names[j]],
                    "intergreen_s": [float(site.intergreen[i, j]), float(site.intergreen[j, i])],
                }
                if site.yields[i, j] or site.yields[j, i]:
                    entry["gives_way"] = names[i] if site.yields[i, j] else names[j]
                conflicts.append(entry)
    return {
        "name": site.name,
        "barred": [list(pair) for pair in sorted(site.barred)],
        "groups": [
            _without_none(
                name=g.name, kind=g.kind.value, min_green_s=g.min_green, amber_s=g.amber, red_amber_s=g.red_amber, max_red_s=g.max_red,
                movements=[
                    {"name": m.name, "origin": m.origin, "destination": m.destination, "lanes": list(m.lanes), "turn": m.turn}
                    for m in g.movements
                ],
            )
            for g in site.groups
        ],
        "stages": [{"name": s.name, "green": sorted(s.green)} for s in site.stages],
        "conflicts": conflicts,
        "lanes": [
            _without_none(
                name=x.name, length_m=x.length, chain_m=x.chain, speed_mps=x.speed, saturation_flow_vph=x.saturation_flow,
                inside_veh=x.inside if math.isfinite(x.inside) else None,
            )
            for x in site.lanes
        ],
        "exits": [
            _without_none(name=x.name, length_m=x.length, lanes=x.lanes, speed_mps=x.speed, towards=x.towards) for x in site.exits
        ],
        "detectors": [
            _without_none(
                name=d.name, kind=d.kind.value, lane=d.lane, position_m=d.position, distance_m=d.distance, lanes=list(d.lanes),
                exit=d.exit, length_m=d.length, feeders=list(d.feeders) or None,
            )
            for d in site.detectors
        ],
    }  # fmt: skip


def _without_none(**entries: Any) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if value is not None}
