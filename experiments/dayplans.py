"""Plans by the time of day: where a day of counts changes, a plan for each period, and the way from one to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.certify import SafePlan, certify
from ..core.errors import CountsError
from ..core.messages import _
from ..core.planning.network import optimise
from ..core.planning.periods import Period, periods
from ..core.planning.streets import Light as Node
from ..core.planning.transition import Method, Transition, transition
from ..networks.countedflows import movement_flows
from ..networks.countsfile import CountsFile, read_counts
from ..networks.demand import Flows, driven_journeys
from ..networks.detectors import place_loops
from ..networks.light import Light
from ..networks.netfile import read_lights
from ..networks.planfile import clock
from ..networks.planprogram import Switch
from ..networks.scenario import read_scenario
from ..networks.streets import streets_of
from .spec import Timing, scenario_path


@dataclass(frozen=True)
class Day:
    """Plans of a day: `plans` {name: {light: plan}}, `times` at which they begin, `flows` {name: flows} they are for."""

    lights: Mapping[str, Light]
    plans: Mapping[str, Mapping[str, SafePlan]]
    times: tuple[Switch, ...]
    flows: Mapping[str, Mapping[str, Flows]]
    nodes: Mapping[str, Node]
    remarks: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What begins when, plan by plan, light by light, and what was remarked."""
        said = [_("{time} {plan}").format(time=clock(switch.time), plan=switch.name) for switch in self.times]
        for name, of_lights in self.plans.items():
            for light, safe in of_lights.items():
                greens = ", ".join(f"{s} {g} s" for s, g in zip(safe.plan.stages, safe.plan.greens, strict=True))
                said.append(
                    _("{plan}, light {light}: cycle {cycle} s, offset {offset} s, {greens}").format(
                        plan=name, light=light, cycle=safe.cycle, offset=safe.plan.offset, greens=greens
                    )
                )
        return (*said, *self.remarks)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "times": [{"at": clock(switch.time), "plan": switch.name} for switch in self.times],
            "plans": {
                name: {
                    light: {
                        "cycle": safe.cycle, "offset": safe.plan.offset, "stages": list(safe.plan.stages),
                        "greens": list(safe.plan.greens), "flows": dict(self.flows[name][light]),
                    }
                    for light, safe in of_lights.items()
                }
                for name, of_lights in self.plans.items()
            },
            "remarks": list(self.remarks),
        }  # fmt: skip

    def change(self, light: str, at: int, method: Method = "shortway") -> Transition:
        """The timetable, second by second, of the change of a light at switch number `at`."""
        old, new = self.times[at - 1].name, self.times[at].name
        node = self.nodes[light]
        return transition(node, self.plans[old][light].plan, self.plans[new][light].plan, self.times[at].time, method)


def plan_day(
    scenario: str,
    counts: Sequence[Path],
    timing: Timing = "safe",
    *,
    name: str = "signalwright",
    most: int = 6,
    plans: int | None = None,
    cycles: Sequence[int] | None = None,
    seed: int = 0,
) -> Day:
    """Plans for each period of a day of counts, best in the model; prove each with `validate` in its window.

    `most` periods at the most, sharing at most so many `plans`. Raises CountsError for a day too short or with gaps
    that cannot be filled, InputError.
    """
    read = read_scenario(scenario_path(scenario))
    lights = place_loops(read, read_lights(read, timing))
    found = read_counts(counts)
    journeys = driven_journeys(read, lights)
    n = min((series.count.size for series in found.series), default=0)
    if n < 4:
        raise CountsError(_("a day of counts needs four intervals at least, there are {n}").format(n=n))
    filled = _filled(found)
    by_interval, remarks = [], list(found.remarks)
    for k in range(n):
        flows, said = movement_flows(_slice(filled, k), read, lights, journeys)
        by_interval.append([flows[light][movement] for light in lights for movement in flows[light]])
        remarks += [remark for remark in said if remark not in remarks]
    keys = [(light, m.name) for light, found_light in lights.items() for m in found_light.intersection.movements]
    interval = found.series[0].interval
    parts = periods(np.array(by_interval), interval=interval, most=most, plans=plans)
    peak = _as_flows(keys, np.array(by_interval).max(axis=0))
    names = {number: f"{name} {number + 1}" for number in sorted({part.plan for part in parts})}
    made: dict[str, dict[str, SafePlan]] = {}
    flows_for: dict[str, dict[str, Flows]] = {}
    nodes: dict[str, Node] = {}
    for number, title in names.items():
        flow = next(part.flow for part in parts if part.plan == number)
        # stages are kept if the peak needs them, so that all plans of a light have the same
        flows_for[title] = _as_flows(keys, np.maximum(flow, 1e-3 * np.array([peak[a][b] for a, b in keys])))
        streets, _sites = streets_of(lights, flows_for[title], journeys, orders=False)
        shortest = streets.shortest_cycle()
        wanted = tuple(c for c in cycles or range(40, 121, 10) if c >= shortest) or (shortest,)
        best = optimise(streets, cycles=wanted, restarts=1, generations=0, seed=seed, name=title)[0]
        made[title] = {
            light: certify(replace(plan, name=title), lights[light].intersection)
            for light, plan in zip(lights, best.plans, strict=True)
        }
        nodes |= {node.name: _whole(nodes.get(node.name), node) for node in streets.lights}
    names = _shared(names, made)
    made = {title: made[title] for title in dict.fromkeys(names.values())}
    flows_for = {title: flows_for[title] for title in made}
    switches = [_switch(part, names, found, interval) for part in parts]
    times = tuple(s for k, s in enumerate(switches) if k == 0 or s.name != switches[k - 1].name)
    return Day(lights, made, times, flows_for, nodes, tuple(remarks))


def _shared(names: Mapping[int, str], made: Mapping[str, Mapping[str, SafePlan]]) -> dict[int, str]:
    """The names of the plans, periods with the same plan at every light under the first one's."""
    first: dict[tuple[tuple[object, ...], ...], str] = {}
    for title in names.values():
        alike = tuple(
            (light, safe.plan.stages, safe.plan.greens, safe.plan.offset) for light, safe in made[title].items()
        )
        first.setdefault(alike, title)
        names = {number: first[alike] if known == title else known for number, known in names.items()}
    return dict(names)


def _whole(known: Node | None, node: Node) -> Node:
    """Of two descriptions of a light the one with more stages."""
    return node if known is None or len(node.stages) > len(known.stages) else known


def _switch(part: Period, names: Mapping[int, str], counts: CountsFile, interval: float) -> Switch:
    return Switch(int(counts.series[0].begin + part.first * interval) % 86_400, names[part.plan])


def _as_flows(keys: Sequence[tuple[str, str]], values: npt.NDArray[np.float64]) -> dict[str, Flows]:
    found: dict[str, Flows] = {}
    for (light, movement), value in zip(keys, values, strict=True):
        found.setdefault(light, {})[movement] = float(value)
    return found


def _filled(counts: CountsFile) -> CountsFile:
    """Gaps filled from their neighbours in time."""
    made = []
    for series in counts.series:
        known = np.isfinite(series.count)
        at = np.arange(series.count.size)
        made.append(replace(series, count=np.interp(at, at[known], series.count[known])))
    return CountsFile(tuple(made), counts.remarks)


def _slice(counts: CountsFile, k: int) -> CountsFile:
    return CountsFile(tuple(replace(series, count=series.count[k : k + 1]) for series in counts.series), ())
