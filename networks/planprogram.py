"""Certified plans as SUMO programs: an additional file with new programs, and the times of day at which they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from ..core.aspects import Aspect
from ..core.certify import SafePlan
from ..core.errors import InputError
from ..core.sequencer import Sequencer
from .detectors import write_whole
from .light import Light, Program, ProgramStep

DAY = 86_400
"""Seconds of a day."""


@dataclass(frozen=True, slots=True)
class Switch:
    """From `time` [s after midnight] on the plans called `name` run."""

    time: int
    name: str


def program_of(light: Light, plan: SafePlan, name: str) -> Program:
    """The plan as a static SUMO program: second by second what the sequencer shows once it is in step.

    Step 0 begins with the plan's first interstage, so SUMO's offset is the plan's. Raises InputError for a plan of
    another light.
    """
    site = light.intersection
    if plan.intersection.name != site.name:
        raise InputError(f"plan {plan.plan.name} was made for light {plan.intersection.name}, not for {light.name}")
    rows = [site.stage_index[plan.intersection.stages[row].name] for row in range(len(plan.intersection.stages))]
    clearance = np.where(site.conflict, site.intergreen, 0.0).max(axis=1)
    sequencer = Sequencer(site)
    shown: list[str] = []
    for second in range(4 * plan.cycle):
        sequencer.grant(rows[plan.stage_at(second + plan.plan.offset)])
        if second >= 3 * plan.cycle:
            going = sequencer.aspects != int(Aspect.GREEN)
            clearing = (sequencer.since_green < clearance) & going
            shown.append(light.letters(sequencer.aspects, sequencer.stage, clearing))
        sequencer.elapse()
    steps = tuple(ProgramStep(float(len(list(run))), state) for state, run in groupby(shown))
    return Program(name, "static", float(plan.plan.offset), steps)


def write_plans(
    path: Path,
    lights: Mapping[str, Light],
    plans: Mapping[str, Mapping[str, SafePlan]],
    *,
    times: Sequence[Switch] = (),
    overwrite: bool = False,
) -> None:
    """Write an additional file with the plans {program name: {light: plan}}; the one named last is the one SUMO runs.

    With `times` the programs change by the time of day (SUMO: WAUT), each change at a point where the old and the new
    program show the same. Raises InputError where a file lies there already, a program name is taken, or two programs
    that follow each other have no stage in common.
    """
    if path.exists() and not overwrite:
        raise InputError(f"{path}: is there already; name another file, or ask for it to be overwritten")
    lines = ["<additional>", "    <!-- written by signalwright: new programs, nothing else is changed -->"]
    for name, of_lights in plans.items():
        for light_name, plan in of_lights.items():
            light = lights[light_name]
            if name in light.programs:
                raise InputError(f"light {light_name} has a program {name} already; call the new one something else")
            lines += _logic(light, plan, name, _meeting(light, plan, times, plans))
    if times:
        lines += _by_time(lights, plans, sorted(times, key=lambda switch: switch.time))
    write_whole(path, "\n".join([*lines, "</additional>\n"]))


def _logic(light: Light, plan: SafePlan, name: str, meeting: str | None) -> list[str]:
    program = program_of(light, plan, name)
    lines = [
        f'    <tlLogic id={quoteattr(light.name)} type="static" programID={quoteattr(name)} offset="{program.offset:g}">'
    ]
    lines += [f'        <phase duration="{step.duration:g}" state="{step.state}"/>' for step in program.steps]
    if meeting is not None:
        lines.append(f'        <param key="GSP" value="{_end_of(plan, meeting)}"/>')
    return [*lines, "    </tlLogic>"]


def _meeting(
    light: Light, plan: SafePlan, times: Sequence[Switch], plans: Mapping[str, Mapping[str, SafePlan]]
) -> str | None:
    """The stage in which all programs of a light that the clock switches between meet."""
    names = dict.fromkeys(switch.name for switch in times)
    of_light = [plans[name][light.name].plan for name in names if light.name in plans.get(name, {})]
    if len(of_light) < 2 or plan.plan not in of_light:
        return None
    for stage in of_light[0].stages:
        if all(stage in other.stages for other in of_light):
            return stage
    raise InputError(
        f"light {light.name}: the plans of the day have no stage in common, so the clock cannot switch between them"
    )


def _end_of(plan: SafePlan, stage: str) -> int:
    """The last second of a stage's green, counted from the plan's zero [s]."""
    k = plan.plan.stages.index(stage)
    ends = (*plan.starts[1:], plan.cycle)
    return ends[k] - 1


def _by_time(
    lights: Mapping[str, Light], plans: Mapping[str, Mapping[str, SafePlan]], times: Sequence[Switch]
) -> list[str]:
    for switch in times:
        if switch.name not in plans:
            raise InputError(f"the clock switches to {switch.name}, but there are only plans {', '.join(plans)}")
        if not 0 <= switch.time < DAY:
            raise InputError(f"the switch to {switch.name} at {switch.time} s lies outside the day of {DAY} s")
    at_midnight = times[-1].name
    lines = [f'    <WAUT id="signalwright" refTime="0" period="{DAY}" startProg={quoteattr(at_midnight)}>']
    lines += [f'        <wautSwitch time="{switch.time}" to={quoteattr(switch.name)}/>' for switch in times]
    lines.append("    </WAUT>")
    switched = dict.fromkeys(switch.name for switch in times)
    for light in lights:
        if all(light in plans[name] for name in switched):
            lines.append(
                f'    <wautJunction wautID="signalwright" junctionID={quoteattr(light)} procedure="GSP" synchron="true"/>'
            )
    return lines
