"""From a scenario and its traffic to a plan for every light: candidates from the model, ranked in SUMO, certified."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.messages import _
from ..networks.demand import Flows, Journeys, driven_journeys, flows_of
from ..networks.light import Light
from ..networks.netfile import read_lights
from ..networks.scenario import read_scenario
from .bench import (
    EFFORT,
    ENDURANCE,
    ENDURED,
    FEWEST,
    IN_FORCE,
    MOST,
    TRAINING,
    Bench,
    Candidate,
    Plans,
    endured,
    hardened,
    ranked,
)
from .candidates import candidates_of
from .catchments import catchments_of
from .journal import Journal
from .refine import refined
from .spec import Timing, scenario_path
from .worked import Worked, worked_out


@dataclass(frozen=True)
class Planned:
    """What the planner found.

    plans       {light: plan}, empty where nothing beat the programs in force
    chosen      the candidate they are; `candidates` all of them, the best first
    worked      the calculation of every light of the chosen plan (of Webster's where it is the one in force)
    saturated   whether some light is over the capacity that cyclic profiles can judge
    """

    scenario: Path
    timing: Timing
    lights: Mapping[str, Light]
    flows: Mapping[str, Flows]
    plans: Plans
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    worked: tuple[Worked, ...]
    saturated: bool
    remarks: tuple[str, ...] = ()
    journeys: Journeys = field(default_factory=lambda: Journeys({}, {}))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "scenario": self.scenario.name,
            "timing": self.timing,
            "chosen": self.chosen.name,
            "cycle": self.chosen.cycle,
            "saturated": self.saturated,
            "remarks": list(self.remarks),
            "candidates": [
                {
                    "name": c.name,
                    "cycle": c.cycle,
                    "model": c.value,
                    "delays": list(c.delays),
                    "locks": c.locks,
                    "lost": c.lost,
                }
                for c in self.candidates
            ],
            "lights": [worked.to_dict() for worked in self.worked],
        }


def plan_scenario(
    scenario: str,
    flows: Mapping[str, Flows] | None = None,
    timing: Timing = "safe",
    *,
    name: str = "signalwright",
    cycles: Sequence[int] | None = None,
    seeds: int = 4,
    finalists: int = 3,
    polish: int | None = None,
    walkers: float = 0.0,
    begin: float | None = None,
    end: float | None = None,
    workers: int | None = None,
    seed: int = 0,
    journal: Path | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> Planned:
    """Plans for all lights of a scenario, for `flows` by light and movement [veh/h] or those its own demand brings.

    The candidates are the programs in force, Webster's plan at each light and the best of the network search at several
    cycles, with and without stages that only protect a turn. All go through SUMO with one seed, the `finalists` with a
    heavier demand too; the best is then altered in `polish` further trials (None: as many as the traffic allows, FEWEST to MOST), many
    lights at once, each judged by its own queues. The last word have twice `seeds` fresh seeds, so that a plan that was
    lucky is found out, and what is chosen must come through ENDURANCE seeds, half of heavy demand, without a gridlock.
    `walkers` [persons/h] on every crossing count in the search as vehicles do; their minima hold in any case. Nothing that
    `certify` refuses is simulated. The same `seed` gives the same plans. With a `journal` an interrupted search goes on
    where it was; the file is taken away at the end.
    Raises InputError, MissingSumo, SimulationError.
    """
    source = scenario_path(scenario)
    read = read_scenario(source)
    lights = read_lights(read, timing)
    remarks: list[str] = []
    kept = Journal(journal, (read.net, *read.routes, *read.additionals), _counted(told))
    if kept.resumed:
        told(_("{n} trials are known from a search that was interrupted").format(n=len(kept.known)))
    told(_("counting the traffic of {n} lights").format(n=len(lights)))
    journeys = driven_journeys(read, lights, begin=begin, end=end)
    if end is None and read.end is None:
        end = float(math.ceil(journeys.until))
        remarks.append(_("the scenario has no end: tried until its last departure at {end:.0f} s").format(end=end))
    flows = flows_of(journeys, lights) if flows is None else _complete(flows, lights, str(source))
    if not any(flow > 0.0 for of_light in flows.values() for flow in of_light.values()):
        raise InputError(f"{source}: no traffic comes to any light; give routes in the scenario, or counts")
    lights = {light: found for light, found in lights.items() if sum(flows[light].values()) > 0.0}
    told(_("searching cycles, greens, offsets"))
    candidates, saturated = candidates_of(read, lights, flows, journeys, name, cycles, seed, walkers, remarks)
    told(_("trying {n} candidates in SUMO").format(n=len(candidates)))
    with TemporaryDirectory(prefix="signalwright-") as folder:
        near = catchments_of(read.net, lights, journeys)
        window = (read.begin if begin is None else begin, journeys.until if end is None else end)
        bench = Bench(str(source), lights, name, Path(folder), near, window, workers, bool(cycles), journal=kept)
        order = _in_order(bench, candidates, seeds, finalists, polish, seed, told)
    kept.done()
    chosen = order[0]
    if not chosen.plans:
        remarks.append(_("no improvement found: none of the candidates did better in SUMO than the programs in force"))
    shown = chosen.plans or next((c.plans for c in order if c.plans), {})
    worked = tuple(worked_out(lights[light].intersection, safe.plan, flows[light]) for light, safe in shown.items())
    remarks += [f"{one.light}: {remark}" for one in worked for remark in one.remarks]
    return Planned(
        source, timing, lights, flows, chosen.plans, chosen, tuple(order), worked, saturated, tuple(remarks), journeys
    )


def _counted(told: Callable[[str], None], every: int = 20) -> Callable[[int], None]:
    def tell(made: int) -> None:
        if made % every == 0:
            told(_("  {n} simulations made").format(n=made))

    return tell


def _in_order(
    bench: Bench,
    candidates: list[Candidate],
    seeds: int,
    finalists: int,
    polish: int | None,
    seed: int,
    told: Callable[[str], None],
) -> list[Candidate]:
    """The candidates and what became of the best by altering them, the one to be chosen first."""
    order = ranked(bench, candidates, finalists)
    start = next((c for c in order if c.plans), None)
    if start is None:
        return order
    affordable = round(EFFORT / max(1.0, start.way))
    trials = min(MOST, max(FEWEST, affordable)) if polish is None else polish
    bench = replace(bench, endurance=min(ENDURANCE, max(ENDURED, affordable)))
    donors = [c.plans for c in order if c.plans]
    rng, near = np.random.default_rng(seed), bench.catchments.near

    def better(plans: Plans, firm: frozenset[str], trials: int) -> Plans:
        return refined(
            plans, bench.judged, near, trials, rng, donors,
            lambda left, cost: told(_("  {left} trials left, the best so far: {cost:.1f} s").format(left=left, cost=cost)),
            bench.keep, firm, bench.share,
        )  # fmt: skip

    if trials:
        told(_("altering {name} in {n} trials").format(name=start.name, n=trials))
        plans = better(start.plans, frozenset(), trials)
        told(_("looking for gridlocks"))
        plans = hardened(bench, plans, donors, lambda mended, firm: better(mended, firm, trials // 5), told)
        if plans != start.plans:
            order.insert(0, Candidate(_("{name}, polished in SUMO").format(name=start.name), plans, _common(plans)))
    last = [*order[:2], *(c for c in order[2:] if c.name == IN_FORCE)]
    rest = [c for c in order if c not in last]
    told(_("trying the best {n} again with fresh seeds").format(n=len(last)))
    fresh = range(TRAINING + 500, TRAINING + 500 + 2 * seeds)  # none that anything was chosen or altered on
    again = bench.tried([replace(c, delays=(), locks=0) for c in last], fresh)
    return [*endured(bench, sorted(again, key=lambda c: c.rank)), *rest]


def _common(plans: Plans) -> int | None:
    """The cycle that all plans share [s]."""
    cycles = {safe.cycle for safe in plans.values()}
    return cycles.pop() if len(cycles) == 1 else None


def _complete(flows: Mapping[str, Flows], lights: Mapping[str, Light], source: str) -> dict[str, Flows]:
    for light, of_light in flows.items():
        if light not in lights:
            raise InputError(f"{source}: there is no light {light}; there are {', '.join(sorted(lights))}")
        known = {m.name for m in lights[light].intersection.movements}
        for movement, flow in of_light.items():
            if movement not in known:
                raise InputError(f"{source}: light {light} has no movement {movement}")
            if not (np.isfinite(flow) and 0.0 <= flow <= 20_000.0):
                raise InputError(f"light {light}: {flow:g} veh/h on {movement} cannot be; correct the counts")
    return {
        name: {m.name: flows.get(name, {}).get(m.name, 0.0) for m in light.intersection.movements}
        for name, light in lights.items()
    }
