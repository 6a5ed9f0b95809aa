"""What the name of a strategy stands for: the plan in the net, a rule of SUMO's own, one of ours, or a class by import
path."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from gettext import gettext as _
from pathlib import Path

from .. import controllers
from ..controllers.fixed import FixedTime
from ..core.certify import certify
from ..core.errors import InputError
from ..core.estimate import Estimate
from ..core.intersection import Intersection
from ..core.loop import Junction
from ..core.planning.fixed import webster_plan
from ..core.ports import Controller
from ..networks.demand import driven_flows
from ..networks.detectors import place_loops
from ..networks.light import Light
from ..networks.netfile import read_lights
from ..networks.scenario import Scenario
from ..networks.sumo import SumoCabinet, SumoStreet, open_street
from .provenance import source_hash
from .spec import RunSpec, unknown

WEBSTER = "webster"
"""Fixed time by Webster from the scenario's own mean flows."""

NATIVE = ("plan", "sumo-actuated", "sumo-delay-based")
"""Strategies that SUMO itself runs: the light's own program, and its two adaptive kinds."""


def strategy(name: str) -> Callable[[Intersection], Controller]:
    """What makes a controller for an intersection, for one of our names or `module:Class`. Raises InputError."""
    if ":" not in name:
        if name not in controllers.CONTROLLERS:
            raise InputError(
                unknown(_("strategy {name!r}").format(name=name), name, [*NATIVE, WEBSTER, *controllers.CONTROLLERS])
            )
        return controllers.load_controller(name)
    module, _colon, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        message = _("strategy {name}: {error}; write module:Class of something that can be imported from here")
        raise InputError(message.format(name=name, error=error)) from error
    if not callable(found):
        raise InputError(_("strategy {name}: is no class and no function").format(name=name))
    return found  # type: ignore[no-any-return]


def source(name: str) -> str:
    """Hash of the file a `module:Class` strategy lies in; empty for the others, which are our code or SUMO's."""
    return source_hash(name.partition(":")[0]) if ":" in name else ""


def open_arm(spec: RunSpec, scenario: Scenario, outputs: Path) -> tuple[SumoStreet, list[Junction]]:
    """SUMO with the scenario, started, and the junctions under our control: those whose strategy is one of ours.

    Raises InputError, MissingSumo, SimulationError.
    """
    lights = {} if _native(spec) else read_lights(scenario, spec.timing)
    if missing := [light for light in spec.lights if light not in lights]:
        read_lights(scenario, spec.timing, missing)  # says what is wrong with them
    wanted = {light: spec.lights.get(light, spec.controller) for light in lights}
    ours = {light: name for light, name in wanted.items() if name not in NATIVE}
    makers = {light: strategy(name) for light, name in ours.items() if name != WEBSTER}
    makers |= _webster(spec, scenario, {light: lights[light] for light, name in ours.items() if name == WEBSTER})
    extra = dict(spec.options)
    if spec.jitter:
        extra["random-depart-offset"] = f"{spec.jitter:g}"
    if spec.tables:
        extra["lanedata-output"] = str(outputs / "lanes.xml")
    street = open_street(
        scenario,
        place_loops(scenario, {light: lights[light] for light in ours}) if ours else {},
        outputs=outputs,
        seed=spec.seed,
        begin=spec.begin,
        end=spec.end,
        scale=spec.scale,
        gui=spec.gui,
        transport=spec.transport,
        extra=extra,
    )
    try:
        return street, [_junction(cabinet, makers[light]) for light, cabinet in street.cabinets.items()]
    except BaseException:
        street.close()
        raise


def _native(spec: RunSpec) -> bool:
    return {spec.controller, *spec.lights.values()} <= set(NATIVE)


def _webster(
    spec: RunSpec, scenario: Scenario, lights: Mapping[str, Light]
) -> dict[str, Callable[[Intersection], Controller]]:
    """Each light's fixed-time plan for the mean flows of this window, as a maker of its controller."""
    if not lights:
        return {}
    flows = driven_flows(scenario, lights, begin=spec.begin, end=spec.end, scale=spec.scale)
    plans = {light: webster_plan(found.intersection, flows[light])[0] for light, found in lights.items()}
    return {light: lambda site, plan=plan: FixedTime(certify(plan, site)) for light, plan in plans.items()}  # type: ignore[misc]


def _junction(cabinet: SumoCabinet, maker: Callable[[Intersection], Controller]) -> Junction:
    return Junction(cabinet, Estimate(cabinet.intersection), maker(cabinet.intersection))
