"""What the name of a strategy stands for: the plan in the net, one of ours, or a class by import path; and a run made
ready."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ..controllers import CONTROLLERS, load_controller
from ..core.errors import InputError
from ..core.intersection import Intersection
from ..core.loop import Estimator, Junction
from ..core.messages import _
from ..core.ports import Cabinet, Controller
from ..networks.detectors import place_loops
from ..networks.light import Light
from ..networks.native import NATIVE
from ..networks.netfile import read_lights
from ..networks.scenario import Scenario
from ..networks.sumo import SumoCabinet, SumoStreet, open_street
from .agent import AGENT, read_agent
from .crossings import order_outputs
from .failing import FailingLoops, failures
from .provenance import file_hash, source_hash
from .spec import RunSpec, unknown

PLAN = "plan"
"""The light's own program."""
PLANNED = ("webster",)
"""Fixed plans made for the scenario's mean flows before the run."""

Maker = Callable[[Intersection], Controller]


def names() -> list[str]:
    """All strategies that have a name, the plan of the net first."""
    return [*NATIVE, *PLANNED, *CONTROLLERS]


def check_strategy(name: str) -> None:
    """Raise InputError if there is no such strategy. Imports it."""
    if name not in NATIVE and name not in PLANNED:
        strategy(name)


def strategy(name: str) -> Maker:
    """What makes a controller for an intersection: one of our names, `module:Class`, or the file of an agent. Raises InputError."""
    if name.endswith(AGENT):
        return read_agent(Path(name)).controller
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # a console script does not look where it is called
    module, colon, attribute = name.partition(":")
    if not colon:
        if name not in names():
            raise InputError(unknown(_("strategy {name!r}").format(name=name), name, names()))
        return load_controller(name)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        message = _("strategy {name}: {error}; write module:Class of something that can be imported from here")
        raise InputError(message.format(name=name, error=error)) from error
    if not callable(found):
        raise InputError(_("strategy {name}: is no class and no function").format(name=name))
    return found  # type: ignore[no-any-return]


def source(name: str) -> str:
    """Hash of the file a `module:Class` strategy or an agent lies in; empty for the others, which are our code or SUMO's."""
    if name.endswith(AGENT):
        return file_hash(Path(name))
    return source_hash(name.partition(":")[0]) if ":" in name else ""


def open_arm(spec: RunSpec, scenario: Scenario, outputs: Path) -> tuple[SumoStreet, list[Junction]]:
    """SUMO with the scenario, started, and the junctions under our control: those whose strategy is not SUMO's.

    Raises InputError, MissingSumo, SimulationError.
    """
    street, makers = open_lights(spec, scenario, outputs)
    try:
        return street, [
            Junction(_loops(spec, cabinet), _estimator(spec, cabinet, street), makers[light](cabinet.intersection))
            for light, cabinet in street.cabinets.items()
        ]
    except BaseException:
        street.close()
        raise


def open_lights(spec: RunSpec, scenario: Scenario, outputs: Path) -> tuple[SumoStreet, dict[str, Maker]]:
    """SUMO with the scenario, started, and what makes the controller of each light that is under our control."""
    order, asked = order_outputs(outputs)
    lights, strategies, native = chosen(spec, scenario)
    lights = place_loops(scenario, lights, spec.loops) if lights else {}
    makers = _makers(spec, scenario, lights, strategies)
    extra = dict(spec.options) | asked
    if spec.jitter:
        extra["random-depart-offset"] = f"{spec.jitter:g}"
    if spec.tables:
        extra["lanedata-output"] = str(outputs / "lanes.xml")
    street = open_street(
        replace(scenario, additionals=(*scenario.additionals, order)),
        lights,
        outputs=outputs,
        native=native,
        seed=spec.seed,
        begin=spec.begin,
        end=spec.end,
        scale=spec.scale,
        gui=spec.gui,
        transport=spec.transport,
        extra=extra,
    )
    return street, makers


def _loops(spec: RunSpec, cabinet: SumoCabinet) -> Cabinet:
    """The cabinet as the run wants its loops: all sound, or some that fail."""
    site, blind = cabinet.intersection, spec.blind == cabinet.intersection.name
    if not (spec.failing or blind):
        return cabinet
    return FailingLoops(cabinet, failures(site, spec.failing, spec.seed, blind=blind), spec.seed)


def _estimator(spec: RunSpec, cabinet: SumoCabinet, street: SumoStreet) -> Estimator:
    """What turns counts into the state a strategy sees."""
    if spec.view == "full":
        from ..networks.fullview import FullView

        return FullView(cabinet.light, street)
    from ..core.estimate import Estimate

    return Estimate(cabinet.intersection)


def chosen(spec: RunSpec, scenario: Scenario) -> tuple[dict[str, Light], dict[str, str], dict[str, str]]:
    """The lights under our control, the strategy of each, and the rule of SUMO's own at the others.

    Raises InputError for a light the net lacks.
    """
    if spec.controller == PLAN and not spec.lights:
        return {}, {}, {}
    lights = read_lights(scenario, spec.timing, all_sets=spec.stages == "all")
    if missing := [light for light in (*spec.lights, *filter(None, [spec.blind])) if light not in lights]:
        read_lights(scenario, spec.timing, missing)  # says what is wrong with them
    wanted = {light: spec.lights.get(light, spec.controller) for light in lights}
    ours = {light: name for light, name in wanted.items() if name not in NATIVE}
    native = {light: name for light, name in wanted.items() if name in NATIVE and name != PLAN}
    return {light: lights[light] for light in ours}, ours, native


def _makers(
    spec: RunSpec, scenario: Scenario, lights: Mapping[str, Light], strategies: Mapping[str, str]
) -> dict[str, Maker]:
    for name in set(strategies.values()):
        if name.endswith(AGENT) and read_agent(Path(name)).trained.get("view", "loops") != spec.view:
            said = _("agent {name} was trained with another view than {view}; run it with --view {theirs}")
            theirs = read_agent(Path(name)).trained["view"]
            raise InputError(said.format(name=name, view=spec.view, theirs=theirs))
    planned = {light: lights[light] for light, name in strategies.items() if name in PLANNED}
    makers = {light: strategy(name) for light, name in strategies.items() if light not in planned}
    return makers | (_webster(spec, scenario, planned) if planned else {})


def _webster(spec: RunSpec, scenario: Scenario, lights: Mapping[str, Light]) -> dict[str, Maker]:
    """Webster's plan for the mean flows of the window at each light, certified."""
    from ..controllers.fixed import FixedTime
    from ..core.certify import certify
    from ..core.planning.fixed import webster_plan
    from ..networks.demand import driven_flows

    flows = driven_flows(scenario, lights, begin=spec.begin, end=spec.end, scale=spec.scale)

    def planned(site: Intersection) -> Controller:
        return FixedTime(certify(webster_plan(site, flows[site.name])[0], site))

    return dict.fromkeys(lights, planned)
