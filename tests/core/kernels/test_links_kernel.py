"""The cyclic link profiles: against a slow twin, exact queueing, a published dispersion example, and themselves."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_planning as naive
from planning_networks import grid, random_plans
from signalwright.core.kernels.changes import base_for, evaluate_changes, remember
from signalwright.core.kernels.layout import Network, scratch_for
from signalwright.core.kernels.links import evaluate
from signalwright.core.planning import hcm
from signalwright.core.planning.streets import Light, Link, Streets

NO_LINKS = np.zeros((0, 0), np.float32)


def values(net: Network, cycle: int, sweeps: int, first: np.ndarray, plans: tuple) -> np.ndarray:  # type: ignore[type-arg]
    """Values of plans by the kernel."""
    offset, order, green = plans
    found = np.zeros(offset.shape[0])
    evaluate(
        net,
        cycle,
        sweeps,
        0.25,
        first.astype(np.float32),
        offset,
        order,
        green,
        scratch_for(net, cycle),
        found,
        NO_LINKS,
    )
    return found


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, int]:
    """Small networks with any feeding, stages in any pattern, yielding stages, half cycles, free links."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count, own, free = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    lights = []
    for n in range(count):
        stages = int(rng.integers(2, 5))
        table = np.where(np.eye(stages, dtype=bool), 0.0, 4.0)
        lights.append(
            Light(f"n{n}", tuple(f"s{k}" for k in range(stages)), (7,) * stages, table, repeats=int(rng.integers(1, 3)))
        )
    links = []
    for i in range(count * own + free):
        light = lights[i // own] if i < count * own else None
        names = [] if light is None else [s for s in light.stages if rng.random() < 0.5] or [light.stages[0]]
        sources = rng.permutation(count * own + free)[: rng.integers(0, 6)]
        links.append(
            Link(
                f"l{i}", float(rng.uniform(0, 60)), float(rng.uniform(900, 4000)),
                feeds=tuple((f"l{s}", float(rng.uniform(0.02, 0.12))) for s in sources),
                entry=float(rng.uniform(0, 500)), storage=4.0, light=None if light is None else light.name,
                green=frozenset(names), yielding={} if light is None else {s: 0.3 for s in light.stages if rng.random() < 0.3},
                start_loss=1.5, end_gain=0.5,
            )
        )  # fmt: skip
    cycle = draw(st.sampled_from([96, 100, 120]))
    return Streets(tuple(lights), tuple(links)).laid_out(cycle), cycle


@given(networks(), st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_kernel_equals_its_slow_twin(drawn: tuple[Network, int], sweeps: int) -> None:
    """Eight plans side by side in float32 give the values of one plan at a time in float64."""
    net, cycle = drawn
    offset, order, green = random_plans(net, cycle, 11)
    first = np.random.default_rng(5).uniform(0, 0.3, (net.lag.size, cycle)).astype(np.float32)
    found = values(net, cycle, sweeps, first, (offset, order, green))
    for plan in (0, 7, 10):
        slow = naive.evaluate(
            net,
            cycle,
            sweeps,
            0.25,
            first.tolist(),
            offset[plan].tolist(),
            order[plan // 8].tolist(),
            green[plan].tolist(),
        )
        assert found[plan] == pytest.approx(sum(slow), rel=2e-4)


@given(networks(), st.integers(1, 4), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_changes_equal_the_full_evaluation(drawn: tuple[Network, int], sweeps: int, seed: int) -> None:
    """Evaluating only the links that a change reaches gives the full evaluation's value to 1e-6, and keeps it."""
    net, cycle = drawn
    offset, order, green = random_plans(net, cycle, 16, seed)
    first = np.full((net.lag.size, cycle), 0.1, np.float32)
    room, base, start = scratch_for(net, cycle), base_for(net, cycle, sweeps), np.zeros(8)
    base.offset[:], base.order[:], base.green[:] = offset[0], order[0], green[0]
    remember(net, cycle, sweeps, 0.25, first, base, room, start)
    for node in range(net.repeats.size):
        a, b = int(net.slot_first[node]), int(net.slot_first[node + 1])
        change = np.zeros((1, 8))
        lanes = green[8:16, a:b].T[None].copy()
        for keep in (False, True):
            evaluate_changes(
                net, cycle, sweeps, 0.25, base, np.array([node], np.int32), order[1:2, a:b].copy(),
                offset[8:16, node][None].copy(), lanes, keep, room, change,
            )  # fmt: skip
            full_offset, full_green = np.tile(base.offset, (8, 1)), np.tile(base.green, (8, 1))
            full_order = base.order[None].copy()
            full_order[0, a:b] = order[1, a:b]
            full_offset[:, node], full_green[:, a:b] = offset[8:16, node], green[8:16, a:b]
            full = values(net, cycle, sweeps, first, (full_offset, full_order, full_green))
            lanes_kept = 1 if keep else 8
            assert (start[0] + change[0])[:lanes_kept] == pytest.approx(full[:lanes_kept], rel=1e-6)
        start[0] += change[0, 0]
    again, total = base_for(net, cycle, sweeps), np.zeros(8)
    again.offset[:], again.order[:], again.green[:] = base.offset, base.order, base.green
    remember(net, cycle, sweeps, 0.25, first, again, scratch_for(net, cycle), total)
    assert total[0] == pytest.approx(start[0], rel=1e-6)
    assert np.array_equal(again.value, base.value)


def lone(flow: float, rate: float) -> Network:
    """One signalled link with even arrivals, two stages, no losses."""
    light = Light("x", ("go", "stop"), (1, 1), np.zeros((2, 2)))
    link = Link(
        "l",
        0.0,
        rate * 3600,
        entry=flow * 3600,
        light="x",
        green=frozenset({"go"}),
        start_loss=0.0,
        end_gain=0.0,
        stop_weight=0.0,
    )
    return Streets((light,), (link,)).laid_out(90)


@pytest.mark.parametrize(("green", "flow"), [(45, 0.125), (30, 0.1), (60, 0.3)])
def test_even_arrivals_give_the_uniform_delay(green: int, flow: float) -> None:
    """A single link's queue is HCM's d1 (times the flow), and the rest is the random queue, when arrivals are even."""
    cycle, rate = 90, 0.5
    net = lone(flow, rate)
    plan = (np.zeros((1, 1), np.int32), np.array([[0, 1]], np.int32), np.array([[green, cycle - green]], np.int32))
    value = values(net, cycle, 1, np.full((1, cycle), flow), plan)[0]
    x = flow * cycle / (rate * green)
    d1 = float(hcm.uniform_delay(cycle, green, x))
    f, cap = flow * 3600, rate * 3600 * green / cycle
    random = 0.25 / 4 * ((f - cap) + np.sqrt((f - cap) ** 2 + 4 * f / 0.25))
    assert value == pytest.approx(flow * d1 + random, rel=1e-4)


def test_dispersion_of_a_published_platoon() -> None:
    """Robertson's recursion with F = 0.783 and a lag of two steps gives the published profile at the first point.

    Worked example of the lecture notes of T. V. Mathew, IIT Bombay (traffic progression models): 20 10 15 18 14 12
    vehicles become 15.66 11.23 14.18 17.17 14.69 12.58 2.73 0.59 0.13.
    """
    platoon = [20.0, 10.0, 15.0, 18.0, 14.0, 12.0]
    cycle = 40
    streets = Streets((), (Link("up", 0.0, 1e6), Link("down", 0.0, 1e6, feeds=(("up", 1.0),))))
    net = streets.laid_out(cycle)._replace(lag=np.array([0, 1], np.int32), smoothing=np.array([1.0, 0.783], np.float32))
    first = np.zeros((2, cycle), np.float32)
    first[0, :6] = platoon
    base = base_for(net, cycle, 2)
    remember(net, cycle, 2, 0.25, first, base, scratch_for(net, cycle), np.zeros(8))
    published = [15.66, 11.23, 14.18, 17.17, 14.69, 12.58, 2.73, 0.59, 0.13]
    assert base.arrivals[1, 1, 1:10] == pytest.approx(published, abs=0.006)
    assert naive.disperse(net, 1, cycle, [first[0].tolist(), []])[1:10] == pytest.approx(published, abs=0.006)


def test_vehicles_are_conserved() -> None:
    """What leaves a link in a cycle is what came, or what its green lets go, whichever is less."""
    net = grid(2, 2, demand=900.0)
    offset, order, green = random_plans(net, 90, 1)
    base, room = base_for(net, 90, 3), scratch_for(net, 90)
    base.offset[:], base.order[:], base.green[:] = offset[0], order[0], green[0]
    remember(net, 90, 3, 0.25, np.full((net.lag.size, 90), 0.1, np.float32), base, room, np.zeros(8))
    out, came = base.departures[:2].sum(axis=2), base.arrivals[:2].sum(axis=2)
    assert np.all(out <= came + 1e-3)
    free = [k for k in range(net.lag.size) if net.layer_stages[k] == -1]
    assert out[:, free] == pytest.approx(came[:, free], rel=1e-5)
    assert (out < came * 0.99).any()


def test_without_the_compiler() -> None:
    """With the compiler switched off the kernels give the same values, and the changes stay equal."""
    script = """
import numpy as np
from planning_networks import grid, random_plans
from signalwright.core.kernels.changes import base_for, evaluate_changes, remember
from signalwright.core.kernels.layout import scratch_for
from signalwright.core.kernels.links import evaluate
net = grid(1, 2)
offset, order, green = random_plans(net, 60, 8)
first = np.full((net.lag.size, 60), 0.1, np.float32)
value = np.zeros(8)
evaluate(net, 60, 2, 0.25, first, offset, order, green, scratch_for(net, 60), value, np.zeros((0, 0), np.float32))
base, room, start, change = base_for(net, 60, 2), scratch_for(net, 60), np.zeros(8), np.zeros((1, 8))
base.offset[:], base.order[:], base.green[:] = offset[0], order[0], green[0]
remember(net, 60, 2, 0.25, first, base, room, start)
lanes = np.repeat(green[0, :2, None], 8, axis=1)[None].copy()
evaluate_changes(net, 60, 2, 0.25, base, np.array([0], np.int32), order[:, :2].copy(), np.arange(8, dtype=np.int32)[None],
                 lanes, False, room, change)
print(*value, *(start[0] + change[0]))
"""
    printed = []
    for switch in ("0", "1"):
        env = {**os.environ, "NUMBA_DISABLE_JIT": switch, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
        printed.append([float(x) for x in done.stdout.split()])
    assert printed[0] == pytest.approx(printed[1], rel=1e-4)
