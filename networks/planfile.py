"""Plan files: the plans of a scenario's lights in TOML, for people, for the simulator and for a cabinet."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.certify import SafePlan, certify
from ..core.errors import InputError, UnsafePlan
from ..core.intersection import Intersection
from ..core.plan import Plan
from ..core.tomlkeys import line_of
from .light import Light
from .planprogram import Switch
from .timing import Timing

StageSets = Literal["program", "all"]
"""Where the stages come from: the program in force, or every set of groups that go together (`read_lights`)."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """Plans by name and light; `times` at which the named ones begin, none if one runs all day.

    `stages` {light: {stage: its signal groups}} tell a plan for another net. The cycle follows from stages,
    greens and site, so it is not written.
    """

    timing: Timing
    stage_sets: StageSets
    plans: Mapping[str, Mapping[str, Plan]]
    stages: Mapping[str, Mapping[str, tuple[str, ...]]]
    times: tuple[Switch, ...] = ()
    remarks: tuple[str, ...] = ()


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Stage(_Part):
    name: str
    green: tuple[str, ...]


class _Light(_Part):
    name: str
    stages: tuple[_Stage, ...]


class _Plan(_Part):
    name: str
    light: str
    stages: tuple[str, ...] = Field(min_length=1)
    greens_s: tuple[Annotated[int, Field(gt=0, le=600)], ...]
    offset_s: Annotated[int, Field(ge=0, le=600)] = 0


class _Switch(_Part):
    at: str = Field(pattern=r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")
    plan: str


class _File(_Part):
    format: Literal[1]
    timing: Timing
    stage_sets: StageSets = "program"
    remarks: tuple[str, ...] = ()
    lights: tuple[_Light, ...]
    plans: tuple[_Plan, ...] = Field(min_length=1)
    times: tuple[_Switch, ...] = ()


def read_plan_file(path: str | Path) -> PlanFile:
    """A plan file; raises InputError with file, line and key."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: is not TOML: {error}") from error
    try:
        said = _File.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        line = line_of(text, first["loc"])
        key = ".".join(str(part) for part in first["loc"])
        why = "is no key of a plan file; take it out" if first["type"] == "extra_forbidden" else first["msg"]
        raise InputError(f"{path}{f', line {line}' if line else ''}: {key}: {why}") from error
    plans: dict[str, dict[str, Plan]] = {}
    for plan in said.plans:
        if len(plan.stages) != len(plan.greens_s):
            raise InputError(
                f"{path}: plan {plan.name} of light {plan.light}: {len(plan.stages)} stages but {len(plan.greens_s)} "
                "greens_s; give one green for each stage"
            )
        if plan.light in plans.setdefault(plan.name, {}):
            raise InputError(f"{path}: plan {plan.name} of light {plan.light} stands there twice; take one out")
        plans[plan.name][plan.light] = Plan(plan.name, plan.stages, plan.greens_s, plan.offset_s)
    for switch in said.times:
        if switch.plan not in plans:
            raise InputError(f"{path}: times: there is no plan {switch.plan}; there are {', '.join(plans)}")
    return PlanFile(
        timing=said.timing,
        stage_sets=said.stage_sets,
        plans=plans,
        stages={light.name: {stage.name: stage.green for stage in light.stages} for light in said.lights},
        times=tuple(Switch(_seconds(switch.at), switch.plan) for switch in said.times),
        remarks=said.remarks,
    )


def plan_file(
    lights: Mapping[str, Light],
    plans: Mapping[str, Mapping[str, SafePlan]],
    timing: Timing,
    *,
    stage_sets: StageSets = "program",
    times: tuple[Switch, ...] = (),
    remarks: tuple[str, ...] = (),
) -> PlanFile:
    """What is to be written for certified plans {name: {light: plan}}."""
    used = dict.fromkeys(light for of_lights in plans.values() for light in of_lights)
    return PlanFile(
        timing=timing,
        stage_sets=stage_sets,
        plans={name: {light: safe.plan for light, safe in of_lights.items()} for name, of_lights in plans.items()},
        stages={light: _stages(lights[light]) for light in used},
        times=times,
        remarks=remarks,
    )


def write_plan_file(file: PlanFile, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a plan file, whole or not at all; raises InputError where one lies already and `overwrite` is not set."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: is there already; name another file, or ask for it to be overwritten")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            tomli_w.dump(_plain(file), out)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def certified(file: PlanFile, lights: Mapping[str, Light], source: str = "plan file") -> dict[str, dict[str, SafePlan]]:
    """Every plan of a file certified for the lights of a net, {name: {light: plan}}.

    Raises InputError where the plans were made for other lights or stages, UnsafePlan where one breaks a rule.
    """
    found: dict[str, dict[str, SafePlan]] = {}
    for name, of_lights in file.plans.items():
        for light, plan in of_lights.items():
            if light not in lights:
                raise InputError(
                    f"{source}: it is a plan for another net: there is no light {light}; there are "
                    f"{', '.join(sorted(lights))}"
                )
            said, here = file.stages.get(light), _stages(lights[light])
            for stage in plan.stages:
                if said is not None and said.get(stage) != here.get(stage):
                    raise InputError(
                        f"{source}: it is a plan for another net: stage {stage} of light {light} turns "
                        f"{', '.join(said.get(stage, ('nothing',)))} green there, {', '.join(here.get(stage, ('nothing',)))} here"
                    )
            try:
                found.setdefault(name, {})[light] = certify(plan, lights[light].intersection)
            except UnsafePlan as error:
                raise UnsafePlan(f"{name} of light {light} in {source}", error.reasons) from error
    return found


def site_plan(path: str | Path, site: Intersection, name: str = "") -> SafePlan:
    """The plan of a file for one site, certified: the one called `name`, or the only one.

    Raises InputError where it is not there or was made for other stages, UnsafePlan where it breaks a rule.
    """
    file = read_plan_file(path)
    mine = {one: of_lights[site.name] for one, of_lights in file.plans.items() if site.name in of_lights}
    if not mine:
        lights = sorted({light for of_lights in file.plans.values() for light in of_lights})
        raise InputError(f"{path}: there is no plan for {site.name}; there are plans for {', '.join(lights)}")
    if name not in mine and (name or len(mine) > 1):
        what = f"no plan {name} for {site.name}" if name else f"more than one plan for {site.name}"
        raise InputError(f"{path}: there is {what}; choose one of {', '.join(mine)} with --plan")
    plan = mine[name] if name else next(iter(mine.values()))
    here = {stage.name: tuple(sorted(stage.green)) for stage in site.stages}
    for stage, green in file.stages.get(site.name, {}).items():
        if stage in plan.stages and here.get(stage) != tuple(sorted(green)):
            raise InputError(
                f"{path}: stage {stage} turns {', '.join(green)} green there, {', '.join(here.get(stage, ('nothing',)))} "
                "in the site file: they do not belong together"
            )
    try:
        return certify(plan, site)
    except UnsafePlan as error:
        raise UnsafePlan(f"{plan.name} of {site.name} in {path}", error.reasons) from error


def _stages(light: Light) -> dict[str, tuple[str, ...]]:
    return {stage.name: tuple(sorted(stage.green)) for stage in light.intersection.stages}


def _plain(file: PlanFile) -> dict[str, Any]:
    return {
        "format": 1,
        "timing": file.timing,
        "stage_sets": file.stage_sets,
        "remarks": list(file.remarks),
        "times": [{"at": clock(switch.time), "plan": switch.name} for switch in file.times],
        "plans": [
            {
                "name": name, "light": light, "stages": list(plan.stages), "greens_s": list(plan.greens),
                "offset_s": plan.offset,
            }
            for name, of_lights in file.plans.items()
            for light, plan in of_lights.items()
        ],
        "lights": [
            {"name": light, "stages": [{"name": stage, "green": list(green)} for stage, green in stages.items()]}
            for light, stages in file.stages.items()
        ],
    }  # fmt: skip


def clock(seconds: int) -> str:
    """A time of day.

    >>> clock(27_000)
    '07:30:00'
    """
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _seconds(text: str) -> int:
    parts = [int(part) for part in text.split(":")]
    return sum(part * weight for part, weight in zip(parts, (3600, 60, 1), strict=False))
