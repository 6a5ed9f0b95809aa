"""Walkers: their green and clearance are hard minima in every step of planning, and their waiting is a term."""

from __future__ import annotations

import numpy as np
import pytest

from signalwright.core.certify import SafePlan, certify
from signalwright.core.intersection import GroupKind
from signalwright.core.plan import Plan
from signalwright.core.planning.climb import Model
from signalwright.core.planning.fixed import webster_plan
from signalwright.core.planning.network import first_setting, optimise
from signalwright.core.planning.transition import transition
from signalwright.experiments.alter import altered_light
from signalwright.experiments.bench import Candidate
from signalwright.experiments.planner import Planned
from signalwright.experiments.planreport import report_html
from signalwright.experiments.worked import green_spans, waiting, worked_out
from signalwright.networks.demand import driven_journeys, flows_of
from signalwright.networks.light import Light
from signalwright.networks.netfile import read_lights
from signalwright.networks.planprogram import program_of
from signalwright.networks.streets import streets_of
from sumo_material import load

READ = load("shipped-cross")
LIGHTS = read_lights(READ)
JOURNEYS = driven_journeys(READ, LIGHTS, end=900.0)
FLOWS = flows_of(JOURNEYS, LIGHTS)
LIGHT = LIGHTS["cross"]


def check_walkers(light: Light, safe: SafePlan) -> None:
    """In the program SUMO runs, second by second: green as long as asked for, and clear before anyone crosses."""
    steps = program_of(light, safe, "x").steps
    shown = [step.state for step in steps for _second in range(round(step.duration))] * 2
    site = light.intersection
    crossings = [row for row, group in enumerate(site.groups) if group.kind is GroupKind.PEDESTRIAN]
    assert crossings
    first = {row: next(link.index for link in light.links if link.group == row) for row in range(len(site.groups))}
    for row in crossings:
        letters = "".join("G" if state[first[row]] in "gG" else "r" for state in shown)
        runs = [len(run) for run in letters.strip("G").split("r") if run]
        assert runs
        assert all(run >= site.groups[row].min_green for run in runs)
        for end in (k for k in range(1, len(letters)) if letters[k - 1 : k + 1] == "Gr"):
            for other in np.flatnonzero(site.exclusive[row]):
                free = next((k for k, state in enumerate(shown[end:]) if state[first[int(other)]] in "gG"), len(shown))
                assert free >= site.intergreen[row, other] - 1e-9 or end + free >= len(shown)


def test_every_step_of_planning_keeps_walk_and_clearance() -> None:
    """Webster's plan, the network search at the shortest cycle there is, and a hundred alterations of it."""
    check_walkers(LIGHT, certify(webster_plan(LIGHT.intersection, FLOWS["cross"])[0], LIGHT.intersection))
    streets, _sites = streets_of(LIGHTS, FLOWS, JOURNEYS)
    shortest = streets.shortest_cycle()
    best = optimise(streets, cycles=[shortest, shortest + 20], restarts=1, generations=2)
    for found in best:
        check_walkers(LIGHT, certify(found.plans[0], LIGHT.intersection))
    rng = np.random.default_rng(5)
    plan = certify(best[0].plans[0], LIGHT.intersection)
    for _draw in range(100):
        plan = altered_light(plan, rng)
    check_walkers(LIGHT, plan)


@pytest.mark.parametrize("method", ["dwell", "add", "subtract", "shortway"])
def test_a_change_of_plan_keeps_the_walk(method: str) -> None:
    """Whatever the method, no stage with walkers is cut under their minimum on the way."""
    streets, _sites = streets_of(LIGHTS, FLOWS, JOURNEYS, orders=False)
    node = streets.lights[0]
    old = Plan("old", node.stages, tuple(m + 4 for m in node.minima), 0)
    new = Plan("new", node.stages, tuple(m + 9 for m in node.minima), 31)
    change = transition(node, old, new, 500, method)  # type: ignore[arg-type]
    site = LIGHT.intersection
    for step in change.steps:
        walkers = [g.min_green for g in site.groups if g.kind is GroupKind.PEDESTRIAN and g.name in _green(step.stage)]
        assert step.green >= max(walkers, default=0.0)


def _green(stage: str) -> frozenset[str]:
    return LIGHT.intersection.stages[LIGHT.intersection.stage_index[stage]].green


def test_the_delay_of_walkers_is_that_of_the_handbook() -> None:
    """Evenly arriving walkers behind one red of 60 s in 90 s wait 20 s; the calculation counts the red the lamps show."""
    assert waiting([(10, 40)], 90) == pytest.approx(60.0**2 / 180.0)
    plan = webster_plan(LIGHT.intersection, FLOWS["cross"])[0]
    safe = certify(plan, LIGHT.intersection)
    worked = worked_out(LIGHT.intersection, plan, FLOWS["cross"])
    assert worked.crossings
    steps = program_of(LIGHT, safe, "x").steps
    for crossing in worked.crossings:
        row = LIGHT.intersection.group_index[crossing.crossing]
        index = next(link.index for link in LIGHT.links if link.group == row)
        reds = [0]
        for state in [step.state for step in steps for _second in range(round(step.duration))] * 2:
            reds = [*reds[:-1], reds[-1] + 1] if state[index] == "r" else [*reds, 0] if reds[-1] else reds
        longest = max(reds)
        spans = green_spans(LIGHT.intersection, plan, row)
        assert len(spans) == 1
        assert abs((safe.cycle - crossing.walk) - longest) <= max(2.0, crossing.clearance)
        assert crossing.walk >= crossing.least
        assert crossing.delay == pytest.approx((safe.cycle - crossing.walk) ** 2 / (2.0 * safe.cycle))


def test_waiting_walkers_count_in_the_search() -> None:
    """A crossing adds its walkers' delay to the model's value; with many of them the search gives them shorter waits."""
    plain, _ = streets_of(LIGHTS, FLOWS, JOURNEYS, orders=False)
    few, _ = streets_of(LIGHTS, FLOWS, JOURNEYS, orders=False, walkers=360.0)
    models = [Model(streets, 90) for streets in (plain, few)]
    setting = first_setting(models[0])
    stages = [plain.lights[0].stages[k] for k in setting.order]
    plan = Plan("x", tuple(stages), tuple(int(g) for g in setting.green), 0)
    crossings = worked_out(LIGHT.intersection, plan, FLOWS["cross"]).crossings
    expected = sum(360.0 / 3600.0 * crossing.delay for crossing in crossings)
    assert models[1].settled(setting) - models[0].settled(setting) == pytest.approx(expected, rel=0.1)
    waits = []
    for walkers in (0.0, 3000.0):
        streets, _ = streets_of(LIGHTS, FLOWS, JOURNEYS, walkers=walkers)
        best = optimise(streets, cycles=[60, 80, 100, 120], restarts=1, generations=5)[0].plans[0]
        waits.append(np.mean([c.delay for c in worked_out(LIGHT.intersection, best, FLOWS["cross"]).crossings]))
    assert waits[1] <= waits[0]


def test_the_report_shows_what_walkers_get() -> None:
    """Every crossing stands in the page with its walk, its least walk, its clearance and the mean delay."""
    plan = webster_plan(LIGHT.intersection, FLOWS["cross"])[0]
    safe = certify(plan, LIGHT.intersection)
    worked = worked_out(LIGHT.intersection, plan, FLOWS["cross"])
    chosen = Candidate("webster", {"cross": safe}, delays=(30.0,))
    planned = Planned(READ.source, "safe", LIGHTS, FLOWS, chosen.plans, chosen, (chosen,), (worked,), False)
    page = report_html(planned)
    for row in worked.crossings:
        cells = (row.crossing, row.walk, f"{row.least:.0f}", f"{row.clearance:.0f}", f"{row.delay:.1f}")
        assert "".join(f"<td>{cell}</td>" for cell in cells) in page.replace("\n", "")
