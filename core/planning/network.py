"""Cycle, greens, offsets and stage orders for a whole network: starts, hill climb, restarts, a population for the polish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import InputError
from ..plan import Plan
from .arterial import Arterial, band_start
from .climb import FINE, Floats, Ints, Model, Setting
from .offsets import Pair, best_on_tree, pair_costs, spanning_tree
from .split import whole
from .streets import Light, Streets
from .webster import StageDemand, equisaturation

SATURATED = 0.9
"""Degree of saturation above which queues that do not clear make the cyclic profiles too kind."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A plan for every light, the common cycle [s], and the model's value of it: mean vehicles waiting [veh], weighted.

    form: "profiles" when it was judged by cyclic link profiles, "storage" when some light is saturated and it was judged
    by link transmission with room for so many vehicles on every link. saturation: the highest degree of saturation.
    """

    cycle: int
    plans: tuple[Plan, ...]
    value: float
    form: Literal["profiles", "storage"]
    saturation: float


def light_demand(streets: Streets, n: int, order: Sequence[int], flows: Floats) -> StageDemand:
    """What the stages of a light have to carry, from the mean traffic (n_links,) [veh/h] of its links.

    A stage in which a link only gives way counts for it when no stage gives it right of way.
    """
    light = streets.lights[n]
    own = [(i, link) for i, link in enumerate(streets.links) if link.light == light.name]
    names = [light.stages[k] for k in order]
    serves = np.array([[s in (link.green or link.yielding) for _, link in own] for s in names], dtype=bool)
    shares = [1.0 if link.green else max(link.yielding.values(), default=1.0) for _, link in own]
    after = [float(light.interstage[order[k], order[(k + 1) % len(order)]]) for k in range(len(order))]
    carried = np.array([flows[i] for i, _ in own])
    return StageDemand(
        flow=np.where(serves.any(axis=0), carried, 0.0) if own else carried,
        saturation=np.array([link.saturation_flow * share for (_, link), share in zip(own, shares, strict=True)]),
        serves=serves.reshape(len(names), len(own)),
        minima=np.array([light.minima[k] for k in order], dtype=float),
        interstage=np.array(after),
        extra=np.array([link.end_gain - link.start_loss for _, link in own]),
        least=np.zeros(len(own)),
    )


def first_greens(streets: Streets, n: int, cycle: int, flows: Floats) -> Ints:
    """Whole-second greens of equal saturation for a light at the common cycle [s]."""
    light = streets.lights[n]
    if cycle % light.repeats:
        raise InputError(
            f"light {light.name} runs {light.repeats} times in the cycle: {cycle} s does not divide evenly"
        )
    own = cycle // light.repeats
    minima = np.array([light.minima[k] for k in light.usual], dtype=np.int64)
    if minima.sum() + light.lost(light.usual) > own:
        raise InputError(
            f"light {light.name}: a cycle of {own} s is shorter than its minima, which need "
            f"{minima.sum() + light.lost(light.usual)} s"
        )
    demand = light_demand(streets, n, light.usual, flows)
    greens = equisaturation(demand, float(own)) if demand.flow.size else _even(light, own)
    return whole(greens, own - light.lost(light.usual), minima).astype(np.int32)


def _even(light: Light, own: int) -> Floats:
    minima = np.array([light.minima[k] for k in light.usual], dtype=float)
    return np.asarray(minima + (own - light.lost(light.usual) - minima.sum()) / minima.size)


def first_setting(model: Model) -> Setting:
    """Greens of equal saturation, and offsets that are best on the tree of the busiest streets."""
    streets, cycle, net = model.streets, model.cycle, model.net
    flows = streets.flows()
    lights = range(len(streets.lights))
    order = np.concatenate([np.zeros(0, np.int32), *(np.array(light.usual, np.int32) for light in streets.lights)])
    green = np.concatenate([np.zeros(0, np.int32), *(first_greens(streets, n, cycle, flows) for n in lights)])
    offset = np.zeros(len(streets.lights), np.int32)
    number = {light.name: n for n, light in enumerate(streets.lights)}
    at = {link.name: i for i, link in enumerate(streets.links)}
    pairs: dict[int, Pair] = {}
    weight: dict[Pair, float] = {}
    for i, link in enumerate(streets.links):
        held = {streets.links[at[source]].light for source, _ in link.feeds} - {None}
        if link.light is None or len(held) != 1:
            continue
        a, b = number[str(held.pop())], number[link.light]
        pairs[i] = (a, b)
        if a != b:
            pair = (min(a, b), max(a, b))
            weight[pair] = weight.get(pair, 0.0) + float(flows[i])
    if weight:
        costs = pair_costs(lambda moved: model.link_values(moved, order, green, 2), offset, pairs, cycle)
        tree = spanning_tree(weight, net.repeats.size)
        offset = best_on_tree(tree, costs, net.repeats.size, cycle)
    return Setting(order.astype(np.int32), green.astype(np.int32), offset)


Judge = Callable[[Ints, Ints, Ints], Floats]


def polish(
    model: Model,
    setting: Setting,
    rng: np.random.Generator,
    *,
    size: int = 48,
    generations: int = 60,
    judge: Judge | None = None,
) -> Setting:
    """Differential evolution (Storn and Price 1997, current-to-best) of greens and offsets together, from a setting.

    judge : value (n_plans,) of offsets, order and greens; three sweeps of the cyclic profiles when not given.
    """
    value = judge or (lambda offset, order, green: model.values(offset, order, green, 3))
    lights = model.streets.lights
    slots = [model.slots(n) for n in range(len(lights))]
    minima = np.concatenate(
        [np.array(light.minima)[setting.order[at]] for light, at in zip(lights, slots, strict=True)]
    )
    own = np.array([model.cycle // light.repeats for light in lights])
    home = np.concatenate((setting.offset.astype(float), np.maximum(setting.green - minima, 0.0)))
    spread = np.concatenate((own * 0.1, np.full(minima.size, 4.0)))

    def decoded(genes: Floats) -> tuple[Ints, Ints]:
        offset = np.mod(np.rint(genes[:, : own.size]), own).astype(np.int32)
        green = np.zeros((genes.shape[0], minima.size), np.int32)
        for at in slots:
            spare = int((setting.green[at] - minima[at]).sum())
            weight = np.maximum(genes[:, own.size :][:, at], 1e-6)
            share = weight / weight.sum(axis=1, keepdims=True) * spare
            floor = np.floor(share)
            rank = np.argsort(np.argsort(floor - share, axis=1, kind="stable"), axis=1, kind="stable")
            green[:, at] = minima[at] + floor + (rank < (spare - floor.sum(axis=1))[:, None])
        return offset, green

    def judged(genes: Floats) -> Floats:
        offset, green = decoded(genes)
        return value(offset, setting.order, green)

    people = home + rng.normal(size=(size, home.size)) * spread
    people[0] = home
    worth = judged(people)
    for _ in range(generations):
        best = people[worth.argmin()]
        picks = np.array([rng.choice(size, 2, replace=False) for _ in range(size)])
        f = rng.uniform(0.3, 0.9, (size, 1))
        trial = people + f * (best - people) + f * (people[picks[:, 0]] - people[picks[:, 1]])
        crossed = rng.random(trial.shape) < rng.choice((0.1, 0.5, 0.9), (size, 1))
        trial = np.where(crossed, trial, people)
        found = judged(trial)
        better = found < worth
        people[better], worth[better] = trial[better], found[better]
    offset, green = decoded(people[[worth.argmin()]])
    return Setting(setting.order, green[0], offset[0])


def optimise(
    streets: Streets,
    *,
    cycles: Sequence[int] | None = None,
    arterials: Sequence[Arterial] = (),
    restarts: int = 4,
    keep: int = 5,
    generations: int = 60,
    seed: int = 0,
    name: str = "optimised",
) -> tuple[NetworkPlan, ...]:
    """Plans for the network, the best in the model first, at most `keep` of them: candidates to be proved in simulation.

    Every cycle of `cycles` (default: 40 to 120 s in steps of 5) that holds the minima is climbed from the tree start;
    the best three are climbed again from the bands of `arterials` and from random offsets, and polished. Where a light
    is saturated, the best are polished and all are ranked by the form with storage. The same seed gives the same plans.
    Raises InputError when no cycle holds the minima.
    """
    shortest = streets.shortest_cycle()
    doubled = any(light.repeats > 1 for light in streets.lights)
    wanted = tuple(cycles) if cycles is not None else tuple(range(40, 121, 5))
    fitting = [c for c in wanted if c >= shortest and not (doubled and c % 2)]
    if not fitting:
        raise InputError(
            f"none of the cycles {', '.join(map(str, wanted))} s holds the minima, which need {shortest} s"
        )
    rng = np.random.default_rng(seed)
    found: list[tuple[float, int, Setting]] = []
    for cycle in fitting:
        model = Model(streets, cycle)
        setting = _refined(model, model.climb(first_setting(model)))
        found.append((model.settled(setting), cycle, setting))
    found.sort(key=lambda one: one[0])
    for cycle in [cycle for _, cycle, _ in found[:3]]:
        model = Model(streets, cycle)
        start = next(s for _, c, s in found if c == cycle)
        again_from = [start, *_band_starts(streets, cycle, start, arterials)]
        while len(again_from) < restarts + bool(arterials):
            offset = rng.integers(0, cycle, start.offset.size).astype(np.int32)
            again_from.append(Setting(start.order, start.green, offset))
        for again in again_from:
            setting = _refined(model, model.climb(again))
            if generations:
                setting = _refined(model, polish(model, setting, rng, generations=generations))
            found.append((model.settled(setting), cycle, setting))
    found.sort(key=lambda one: one[0])
    worst = {id(setting): saturation(streets, cycle, setting) for _, cycle, setting in found}
    form: Literal["profiles", "storage"] = "profiles"
    if any(worst[id(setting)] > SATURATED for _, _, setting in found[:3]):
        form = "storage"
        models = {cycle: Model(streets, cycle) for _, cycle, _ in found}
        for _, cycle, setting in found[:3] if generations else []:
            better = polish(models[cycle], setting, rng, generations=generations, judge=models[cycle].full_values)
            worst[id(better)] = saturation(streets, cycle, better)
            found.append((0.0, cycle, better))
        full = [(float(models[c].full_values(s.offset[None], s.order, s.green[None])[0]), c, s) for _, c, s in found]
        found = sorted(full, key=lambda one: one[0])
    return tuple(
        NetworkPlan(cycle, _plans(streets, cycle, setting, name), value, form, worst[id(setting)])
        for value, cycle, setting in found[:keep]
    )


def _band_starts(streets: Streets, cycle: int, setting: Setting, arterials: Sequence[Arterial]) -> list[Setting]:
    """The setting with all arterials at their widest bands, the later ones in the list having the say where they cross."""
    if not arterials:
        return []
    for arterial in arterials:
        setting, _ = band_start(streets, cycle, setting, arterial)
    return [setting]


def saturation(streets: Streets, cycle: int, setting: Setting) -> float:
    """The highest degree of saturation of any link under a setting, with the traffic that would come if nothing held it."""
    flows, at, worst = streets.flows(), 0, 0.0
    for n, light in enumerate(streets.lights):
        here = slice(at, at + len(light.stages))
        at += len(light.stages)
        demand = light_demand(streets, n, [int(k) for k in setting.order[here]], flows)
        effective = demand.effective_green(setting.green[here].astype(float))
        needed = demand.flow_ratio * (cycle // light.repeats)
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.where(needed > 0.0, needed / effective, 0.0)
        worst = max(worst, float(x.max(initial=0.0)))
    return worst


def _refined(model: Model, setting: Setting) -> Setting:
    """Climb finely with four sweeps, which rank plans as twelve do; keep the better of the two when both have settled."""
    candidate = model.climb(setting, FINE, sweeps=4, rounds=2)
    return candidate if model.settled(candidate) < model.settled(setting) else setting


def _plans(streets: Streets, cycle: int, setting: Setting, name: str) -> tuple[Plan, ...]:
    plans, at = [], 0
    for n, light in enumerate(streets.lights):
        here = slice(at, at + len(light.stages))
        at += len(light.stages)
        stages = tuple(light.stages[int(k)] for k in setting.order[here])
        own = cycle // light.repeats
        plans.append(Plan(name, stages, tuple(int(g) for g in setting.green[here]), int(setting.offset[n]) % own))
    return tuple(plans)
