"""Plan files to UTDF files and back, certified on the way in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core.certify import certify
from ..core.errors import InputError, UnsafePlan
from ..core.messages import _
from ..networks.demand import driven_journeys, flows_of
from ..networks.netfile import read_lights
from ..networks.planfile import StageSets, certified, plan_file, read_plan_file, write_plan_file
from ..networks.scenario import read_scenario
from ..networks.utdf import read_utdf, write_utdf
from ..networks.utdfplan import to_utdf
from ..networks.utdfread import from_utdf
from .spec import Timing, scenario_path


def plan_to_utdf(
    scenario: str, plan: Path, out: Path, *, volumes: bool = True, overwrite: bool = False
) -> tuple[str, ...]:
    """Write the plans of a file as UTDF, with the volumes of the scenario's demand if asked for; says what was written."""
    read = read_scenario(scenario_path(scenario))
    file = read_plan_file(plan)
    lights = read_lights(read, file.timing, all_sets=file.stage_sets == "all")
    plans = certified(file, lights, str(plan))
    if len(plans) > 1:
        raise InputError(
            _("{path}: holds the plans {names}; a UTDF file holds one: keep one of them").format(
                path=plan, names=", ".join(plans)
            )
        )
    (of_lights,) = plans.values()
    flows = flows_of(driven_journeys(read, lights), lights) if volumes else None
    write_utdf(to_utdf(read, lights, of_lights, flows), out, overwrite=overwrite)
    numbers = ", ".join(f"{light}={k}" for k, light in enumerate(of_lights, 1))
    return (_("written: {path}; lights and their INTID: {numbers}").format(path=out, numbers=numbers),)


def utdf_to_plan(
    scenario: str,
    file: Path,
    out: Path,
    *,
    at: Mapping[str, str] | None = None,
    timing: Timing = "safe",
    stages: StageSets = "all",
    name: str = "utdf",
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write the timing in a UTDF file as a plan file; says what had to be changed. Raises UnsafePlan where a light of the net
    may not run it."""
    read = read_scenario(scenario_path(scenario))
    lights = read_lights(read, timing, all_sets=stages == "all")
    plans, _flows, remarks = from_utdf(read_utdf(file), read, lights, str(file), at=at, name=name)
    safe = {}
    for light, plan in plans.items():
        try:
            safe[light] = certify(plan, lights[light].intersection)
        except UnsafePlan as error:
            raise UnsafePlan(f"{name} of light {light} in {file}", error.reasons) from error
    made = plan_file(lights, {name: safe}, timing, stage_sets=stages, remarks=remarks)
    write_plan_file(made, out, overwrite=overwrite)
    return (*remarks, _("written: {path}; lights: {lights}").format(path=out, lights=", ".join(safe)))
