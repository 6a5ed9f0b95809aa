"""Candidate plans: Webster's at each light, and the best of the network search at several cycles, all certified."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ..core.certify import SafePlan, certify
from ..core.errors import InputError, UnsafePlan
from ..core.messages import _
from ..core.plan import Plan
from ..core.planning.arterial import Arterial
from ..core.planning.fixed import CROSS_PRODUCT, webster_plan
from ..core.planning.network import NetworkPlan, optimise
from ..core.planning.streets import Streets
from ..networks.demand import Flows, Journeys
from ..networks.light import Light
from ..networks.scenario import Scenario
from ..networks.stages import rows_green
from ..networks.streets import streets_of
from .bench import IN_FORCE, Candidate
from .timespace import arterial_of

FAMILIES = {0.0: "turns protected", CROSS_PRODUCT: "busy turns protected", math.inf: "fewest stages"}
"""Which turns may do without a stage that protects them (see streets_of), and what that is called."""


CYCLES, LONG_CYCLES = (30, 35, 40, 45, 50, 55, 60, 70, 80, 90, 105, 120), tuple(range(120, 241, 20))
"""Common cycles [s] that are searched, and those where the minima need longer ones; SUMO has the last word on them."""
APART = 1.15
"""Ratio of the cycles of two candidates of a family, at least."""


def candidates_of(
    read: Scenario,
    lights: Mapping[str, Light],
    flows: Mapping[str, Flows],
    journeys: Journeys,
    name: str,
    cycles: Sequence[int] | None,
    seed: int,
    walkers: float,
    remarks: list[str],
) -> tuple[list[Candidate], bool]:
    """What is worth trying in SUMO, the programs in force first, and whether some light is saturated; what stood in the way is
    added to `remarks`."""
    found = [Candidate(IN_FORCE, {})]
    webster = _certified(
        {n: webster_plan(light.intersection, flows[n], name=name)[0] for n, light in lights.items()}, lights
    )
    if webster is not None and not cycles:
        found.append(Candidate("webster", webster))
    told = {n: plan for n, light in lights.items() if (plan := in_force(light, name)) is not None}
    if not cycles and told and (webster is not None or len(told) == len(lights)):
        found.append(Candidate(_("in force, made lawful"), (webster or {}) | told))
    saturated, short = False, ""
    seen: set[tuple[str, ...]] = set()
    for give_way, title in FAMILIES.items():
        streets, sites = streets_of(lights, flows, journeys, give_way=give_way, walkers=walkers)
        kept = tuple(stage.name for site in sites.values() for stage in site.stages)
        if kept in seen:
            continue
        seen.add(kept)
        longest = [light.name for light in streets.lights if sum(light.minima) + light.lost(light.usual) > 120]
        if longest:
            remarks.append(_("the minima of {lights} need more than 120 s").format(lights=", ".join(longest)))
        if cycles and max(cycles) < streets.shortest_cycle():
            short = _too_short(streets, max(cycles))
            continue
        wanted = cycles or (LONG_CYCLES if longest else CYCLES)
        wanted = tuple(c for c in wanted if c >= streets.shortest_cycle()) or (streets.shortest_cycle(),)
        try:
            plans = _searched(streets, arterial_of(read, sites, journeys), wanted, seed, name)
        except InputError as error:
            remarks.append(str(error))
            continue
        saturated |= plans[0].form == "storage"
        found += _best_of_each_cycle(plans, lights, _(title))
    if short and len(found) == 1:
        raise InputError(short)
    return found, saturated


def _too_short(streets: Streets, cycle: int) -> str:
    light = max(streets.lights, key=lambda one: one.repeats * (sum(one.minima) + one.lost(one.usual)))
    return _(
        "a cycle of {cycle} s is shorter than the minima: light {light} needs {least} s; ask for a longer one"
    ).format(cycle=cycle, light=light.name, least=streets.shortest_cycle())


def _searched(
    streets: Streets, arterial: Arterial | None, cycles: Sequence[int], seed: int, name: str
) -> tuple[NetworkPlan, ...]:
    """The best in the model, started from the bands of the busiest street too where it can have any."""
    for arterials in ((arterial,), ()) if arterial else ((),):
        try:
            return optimise(
                streets, cycles=cycles, arterials=arterials, restarts=1, keep=60, generations=20, seed=seed, name=name
            )
        except InputError:
            if not arterials:
                raise
    raise AssertionError


def _best_of_each_cycle(
    plans: Iterable[NetworkPlan], lights: Mapping[str, Light], family: str, most: int = 3
) -> list[Candidate]:
    by_cycle: dict[int, Candidate] = {}
    for one in plans:
        if len(by_cycle) == most or any(max(one.cycle, c) < APART * min(one.cycle, c) for c in by_cycle):
            continue
        safe = _certified(dict(zip(lights, one.plans, strict=True)), lights)
        if safe is not None:
            title = _("network, {cycle} s, {family}").format(cycle=one.cycle, family=family)
            by_cycle[one.cycle] = Candidate(title, safe, one.cycle, one.value)
    return list(by_cycle.values())


def in_force(light: Light, name: str) -> SafePlan | None:
    """The program in force as a plan of the light's own stages, None where it cannot be told so or is not lawful."""
    program, site = light.programs[light.active], light.intersection
    indices: list[list[int]] = [[] for _ in site.groups]
    for link in light.links:
        if link.group is not None:
            indices[link.group].append(link.index)
    begun: list[tuple[int, float]] = []  # stage and when it is first shown
    now = 0.0
    for step in program.steps:
        shown = {site.groups[row].name for row in rows_green(step.state, indices)}
        row = next((k for k, stage in enumerate(site.stages) if stage.green == shown), None)
        if row is not None and (not begun or begun[-1][0] != row):
            begun.append((row, now))
        now += step.duration
    if len(begun) > 1 and begun[0][0] == begun[-1][0]:
        begun = [(begun[0][0], begun[-1][1] - now), *begun[1:-1]]
    if len(begun) < 2:
        return None
    greens = [
        max(1, round(after - since) - site.interstage(row, following))
        for (row, since), (following, after) in zip(begun, [*begun[1:], (begun[0][0], begun[0][1] + now)], strict=True)
    ]
    offset = round(program.offset + begun[0][1]) - site.interstage(begun[-1][0], begun[0][0])
    stages = tuple(site.stages[row].name for row, _ in begun)
    plan = Plan(name, stages, tuple(greens), offset % max(1, round(now)))
    try:
        return certify(plan, site)
    except UnsafePlan:
        return None


def _certified(plans: Mapping[str, Plan], lights: Mapping[str, Light]) -> dict[str, SafePlan] | None:
    """All plans certified, None where one is refused."""
    try:
        return {name: certify(plan, lights[name].intersection) for name, plan in plans.items()}
    except UnsafePlan:
        return None
