"""Network plans: trees solved exactly, climbing that climbs, plans that keep every minimum."""

import itertools

import numpy as np
import pytest

from planning_networks import streets
from signalwright.core.errors import InputError
from signalwright.core.planning.climb import Model, Setting
from signalwright.core.planning.network import first_greens, first_setting, optimise, polish
from signalwright.core.planning.offsets import best_on_tree, pair_costs, spanning_tree
from signalwright.core.planning.streets import Light, Link, Streets


def lawful(town: Streets, cycle: int, setting: Setting) -> None:
    """Greens and interstages of every light sum to its cycle, and every green is at least its minimum."""
    at = 0
    for light in town.lights:
        order = [int(k) for k in setting.order[at : at + len(light.stages)]]
        greens = setting.green[at : at + len(light.stages)]
        assert sorted(order) == list(range(len(light.stages)))
        assert int(greens.sum()) + light.lost(order) == cycle // light.repeats
        assert all(int(g) >= light.minima[k] for g, k in zip(greens, order, strict=True))
        at += len(light.stages)


def test_tree_offsets_are_the_best_of_all() -> None:
    """On random trees the dynamic programme finds what trying every combination finds."""
    rng = np.random.default_rng(0)
    cycle, n = 7, 4
    for _ in range(5):
        weights = {(i, j): float(rng.random()) for i in range(n) for j in range(i + 1, n)}
        tree = spanning_tree(weights, n)
        assert len(tree) == n - 1
        costs = {pair: rng.random(cycle) for pair in tree}

        every = np.array(list(itertools.product(range(cycle), repeat=n)))
        found = best_on_tree(tree, costs, n, cycle)
        totals = [
            np.sum([costs[a, b][(o[:, b] - o[:, a]) % cycle] for a, b in costs], axis=0) for o in (every, found[None])
        ]
        assert float(totals[1][0]) == pytest.approx(float(totals[0].min()))


def test_street_costs_add_up_to_the_network() -> None:
    """With two sweeps, what the streets cost at their differences of offset sums to the network's value at any offsets."""
    town = streets(2, 3, demand=500.0)
    model = Model(town, 60)
    start = first_setting(model)
    number = {light.name: n for n, light in enumerate(town.lights)}
    named = {link.name: link for link in town.links}
    pairs = {
        i: (number[str(named[link.feeds[0][0]].light)], number[str(link.light)])
        for i, link in enumerate(town.links)
        if link.light and link.feeds
    }
    zero = np.zeros(len(town.lights), np.int32)
    costs = pair_costs(lambda moved: model.link_values(moved, start.order, start.green, 2), zero, pairs, 60)
    rng = np.random.default_rng(4)
    offsets = rng.integers(0, 60, (9, len(town.lights))).astype(np.int32)
    by_link = model.link_values(offsets, start.order, start.green, 2)[:, sorted(pairs)].sum(axis=1)
    summed = [sum(float(t[(o[b] - o[a]) % 60]) for (a, b), t in costs.items()) for o in offsets]
    assert summed == pytest.approx(by_link, rel=1e-5)


def test_each_step_improves_and_stays_lawful() -> None:
    """Tree start beats no coordination, climbing beats the start, polishing does no harm; all keep the minima."""
    town = streets(3, 3, demand=500.0)
    model = Model(town, 70)
    start = first_setting(model)
    rng = np.random.default_rng(0)
    nodes = len(town.lights)
    blind = np.mean(
        [
            model.settled(Setting(start.order, start.green, rng.integers(0, 70, nodes).astype(np.int32)))
            for _ in range(12)
        ]
    )
    climbed = model.climb(start)
    polished = polish(model, climbed, rng, generations=20)
    few = [float(model.values(s.offset[None], s.order, s.green[None], 2)[0]) for s in (start, climbed)]
    assert model.settled(start) < blind
    assert few[1] < few[0]
    assert model.settled(climbed) < model.settled(start)
    assert model.settled(polished) <= model.settled(climbed) * 1.005
    for setting in (start, climbed, polished):
        lawful(town, 70, setting)


def test_a_one_way_street_gets_a_green_wave() -> None:
    """Lights in a row with traffic one way only are offset by the travel time, and hardly anybody stops."""
    table = np.array([[0.0, 5.0], [5.0, 0.0]])
    lights = tuple(Light(f"n{k}", ("main", "side"), (7, 7), table) for k in range(4))
    links = tuple(
        Link(
            f"l{k}", 0.0 if k == 0 else 20.0, 1800.0, feeds=() if k == 0 else ((f"l{k - 1}", 1.0),),
            entry=500.0 if k == 0 else 0.0, light=f"n{k}", green=frozenset({"main"}), storage=50.0,
        )
        for k in range(4)
    )  # fmt: skip
    side = tuple(Link(f"s{k}", 0.0, 1800.0, entry=450.0, light=f"n{k}", green=frozenset({"side"})) for k in range(4))
    model = Model(Streets(lights, links + side), 60)
    best = model.climb(first_setting(model))
    gaps = np.diff(best.offset) % 60
    assert np.all((gaps >= 10) & (gaps <= 22))
    waiting = model.link_values(best.offset[None], best.order, best.green, 4)[0]
    assert max(waiting[1:4]) < 0.5 * waiting[0]


def test_orders_of_stages_are_tried() -> None:
    """A light that may run its stages in another order gets it when that is what a platoon needs."""
    table = np.where(np.eye(3, dtype=bool), 0.0, 4.0)
    upstream = Light("up", ("a", "b"), (7, 7), np.array([[0.0, 5.0], [5.0, 0.0]]))
    light = Light("x", ("a", "b", "c"), (7, 7, 7), table, orders=((0, 1, 2), (0, 2, 1)))
    links = (
        Link("in1", 0, 1800, entry=500, light="up", green=frozenset("a")),
        Link("in2", 0, 1800, entry=400, light="up", green=frozenset("b")),
        Link("one", 20, 1800, feeds=(("in1", 1.0),), light="x", green=frozenset("b")),
        Link("two", 20, 1800, feeds=(("in2", 1.0),), light="x", green=frozenset("c")),
        Link("own", 0, 1800, entry=100, light="x", green=frozenset("a")),
    )
    town = Streets((upstream, light), links)
    plans = optimise(town, cycles=[70], restarts=2, generations=10)
    assert plans[0].plans[1].stages in {("a", "b", "c"), ("a", "c", "b")}
    single = Streets((upstream, Light("x", light.stages, light.minima, table)), links)
    assert plans[0].value <= optimise(single, cycles=[70], restarts=2, generations=10)[0].value * 1.001


def test_candidates_are_ranked_lawful_and_repeatable() -> None:
    """The plans come best first, each for one cycle and with whole greens; the same seed gives the same ones."""
    town = streets(2, 2, demand=600.0)
    once = optimise(town, cycles=[50, 60, 70], restarts=2, keep=4, generations=10, seed=3)
    again = optimise(town, cycles=[50, 60, 70], restarts=2, keep=4, generations=10, seed=3)
    assert once == again
    assert [p.value for p in once] == sorted(p.value for p in once)
    for found in once:
        for light, plan in zip(town.lights, found.plans, strict=True):
            order = [light.stages.index(s) for s in plan.stages]
            assert sum(plan.greens) + light.lost(order) == found.cycle
            assert all(g >= light.minima[k] for g, k in zip(plan.greens, order, strict=True))


def test_saturated_streets_are_judged_with_their_storage() -> None:
    """With a light above x = 0.9 the plans are ranked by link transmission, and polishing there does not lose."""
    town = streets(2, 2, demand=1000.0)
    rough = optimise(town, cycles=[60, 90], restarts=1, generations=0)
    fine = optimise(town, cycles=[60, 90], restarts=1, generations=15)
    assert rough[0].form == fine[0].form == "storage"
    assert rough[0].saturation > 0.9
    assert fine[0].value <= rough[0].value
    assert [p.value for p in fine] == sorted(p.value for p in fine)
    assert optimise(streets(2, 2, demand=300.0), cycles=[60], restarts=1, generations=0)[0].form == "profiles"


def test_half_cycles() -> None:
    """A light that runs twice in the common cycle has half of it, and an odd cycle is not used for it."""
    table = np.array([[0.0, 5.0], [5.0, 0.0]])
    lights = (Light("x", ("a", "b"), (7, 7), table, repeats=2), Light("y", ("a", "b"), (7, 7), table))
    links = tuple(Link(f"{n}{s}", 0, 1800, entry=300, light=n, green=frozenset(s)) for n in "xy" for s in "ab")
    found = optimise(Streets(lights, links), cycles=[79, 80], restarts=1, generations=0)[0]
    assert found.cycle == 80
    assert sum(found.plans[0].greens) == 30
    assert sum(found.plans[1].greens) == 70


def test_messages_name_light_and_link() -> None:
    """A cycle below the minima, an unknown feeder, and too generous shares are refused by name."""
    town = streets(1, 2)
    with pytest.raises(InputError, match="need 24 s"):
        optimise(town, cycles=[20])
    with pytest.raises(InputError, match=r"light 0\.0: a cycle of 20 s"):
        first_greens(town, 0, 20, town.flows())
    with pytest.raises(InputError, match="fed by nowhere"):
        Streets((), (Link("l", 1.0, 1800.0, feeds=(("nowhere", 0.5),)),))
    with pytest.raises(InputError, match=r"take 1\.200"):
        Streets(
            (), (Link("a", 1, 1800), Link("b", 1, 1800, feeds=(("a", 0.6),)), Link("c", 1, 1800, feeds=(("a", 0.6),)))
        )
    with pytest.raises(InputError, match="runs in circles"):
        Streets((), (Link("a", 1, 1800, feeds=(("a", 1.0),), entry=1.0),)).flows()
