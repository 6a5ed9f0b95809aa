"""Altering plans in the simulator: every change is lawful, each light is judged by its own queues, losers are dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from signalwright.core.certify import SafePlan, certify
from signalwright.core.plan import Plan, cycle_of
from signalwright.experiments.alter import altered_light, with_cycle
from signalwright.experiments.candidates import in_force
from signalwright.experiments.catchments import NOBODY, catchments_of
from signalwright.experiments.refine import Judged, refined
from signalwright.experiments.trial import Trial, tried
from signalwright.networks.demand import driven_journeys
from signalwright.networks.netfile import read_lights
from signalwright.networks.shipped import scenario_path
from sumo_material import load

CORRIDOR = load("shipped-corridor")
LIGHTS = read_lights(CORRIDOR)
NEAR = {"a": frozenset("ab"), "b": frozenset("abc"), "c": frozenset("bc")}


def plan_of(green: int) -> SafePlan:
    """All stages of a light that has three, with the same green [s]."""
    site = LIGHTS["mill"].intersection
    names = tuple(stage.name for stage in site.stages)
    return certify(Plan("p", names, tuple(green for _ in names)), site)


def test_every_alteration_is_certified_and_most_are_new() -> None:
    """Greens, cycles, orders, stages and other plans are all reached from one plan, and none is unlawful."""
    rng, start, other = np.random.default_rng(1), plan_of(20), plan_of(31)
    made = [altered_light(start, rng, [other]) for _ in range(120)]
    assert all(isinstance(safe, SafePlan) for safe in made)
    assert sum(safe.plan != start.plan for safe in made) > 110
    assert {len(safe.plan.stages) for safe in made} >= {3, 4}
    assert any(safe.cycle != start.cycle for safe in made)
    assert any(safe.plan.offset and safe.cycle == start.cycle for safe in made)
    assert any(safe.plan == other.plan for safe in made)
    assert not any(altered_light(start, rng, bound=False).plan.offset for _ in range(60))


@pytest.mark.parametrize("cycle", [61, 80, 97, 150])
def test_a_stretched_plan_has_the_cycle_asked_for(cycle: int) -> None:
    """Whole seconds add up, whatever the proportions; where the minima leave no room the plan stays as it is."""
    start = plan_of(17)
    plan = with_cycle(start.plan, start.intersection, cycle)
    assert cycle_of(plan, start.intersection) == cycle
    assert with_cycle(start.plan, start.intersection, 5) == start.plan


def test_a_cycle_that_is_given_is_kept() -> None:
    """Whatever is altered, also where a stage comes or goes or another light's way is taken."""
    rng, start, other = np.random.default_rng(2), plan_of(25), plan_of(11)
    made = [altered_light(start, rng, [other], keep=True) for _ in range(60)]
    assert {safe.cycle for safe in made} == {start.cycle}
    assert len({safe.plan.stages for safe in made}) > 2
    firm = [altered_light(start, rng, [other], firm=True) for _ in range(60)]
    assert all(set(safe.plan.stages) == set(start.plan.stages) for safe in firm)


class Street:
    """Three lights in a row; each loses a second for every second its cycle is off 90 s, and as much by chance as asked."""

    def __init__(self, noise: float = 0.0) -> None:
        self.noise, self.trials = noise, 0.0

    def __call__(
        self, plans: Sequence[Mapping[str, SafePlan]], seed: int, brief: bool = False, beside: Judged | None = None
    ) -> list[Judged]:
        """Judged by cycle alone; a brief trial is a third of one."""
        self.trials += len(plans) * (1 / 3 if brief else 1.0)
        rng = np.random.default_rng(seed)
        judged = []
        for one in plans:
            lost = {n: 5.0 + abs(s.cycle - 90) + self.noise * rng.standard_normal() for n, s in one.items()}
            judged.append(Judged(sum(lost.values()), lost))
        return judged


def test_all_lights_are_bettered_at_once_within_the_trials() -> None:
    """Three lights come near their best in fifty trials, not one more is made than allowed, and the same seed does the same."""
    start = {name: plan_of(12) for name in NEAR}
    ends = []
    for _ in range(2):
        street = Street(noise=0.5)
        best = refined(start, street, NEAR, 50, np.random.default_rng(3), share=1 / 3)
        assert street.trials <= 50
        ends.append({name: safe.plan for name, safe in best.items()})
        first, last = (sum(abs(s.cycle - 90) for s in plans.values()) for plans in (start, best))
        assert last < 0.35 * first
    assert ends[0] == ends[1]


def test_a_start_that_nothing_beats_stays() -> None:
    """A judge that likes the first of every trial keeps the start; too few trials make none."""

    def judge(
        plans: Sequence[Mapping[str, SafePlan]], seed: int, brief: bool = False, beside: Judged | None = None
    ) -> list[Judged]:
        return [Judged(float(one != start), dict.fromkeys(one, float(one != start))) for one in plans]

    start = {name: plan_of(12) for name in NEAR}
    assert refined(start, judge, NEAR, 60, np.random.default_rng(0)) == start
    street = Street()
    assert refined(start, street, NEAR, 5, np.random.default_rng(0)) == start
    assert street.trials == 0


def test_time_lost_is_put_down_to_the_light_down_the_road() -> None:
    """Every light of the shipped corridor owns its approaches; what the edges lose adds up to what the vehicles lose."""
    journeys = driven_journeys(CORRIDOR, LIGHTS)
    found = catchments_of(CORRIDOR.net, LIGHTS, journeys)
    for name, light in LIGHTS.items():
        assert {found.owner[m.origin] for m in light.intersection.movements if m.turn != "crossing"} == {name}
        assert name in found.near[name]
    assert all(len(near) >= 2 for near in found.near.values())
    assert any(len(near) < len(LIGHTS) for near in found.near.values())
    row = tried(Trial(str(scenario_path("corridor")), "x", 3, end=900.0, losses=True))
    lost = found.losses(row["losses"])
    assert set(lost) <= {*LIGHTS, NOBODY}
    assert lost.get(NOBODY, 0.0) < 0.2 * sum(lost.values())
    assert sum(lost.values()) == pytest.approx(row["delay"] * row["scheduled"], rel=0.25)


def test_the_program_in_force_is_told_as_a_plan() -> None:
    """Its cycle, offset and stages are those of the program, for every light of the shipped scenarios."""
    for scenario in ("cross", "corridor", "grid"):
        for light in read_lights(load(f"shipped-{scenario}")).values():
            safe = in_force(light, "now")
            assert safe is not None
            assert safe.cycle == light.programs[light.active].cycle
