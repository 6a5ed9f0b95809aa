"""The simple strategies, on states made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from naive_pressure import best_stage
from signalwright.controllers import CONTROLLERS, load_controller, max_pressure
from signalwright.controllers.actuated import Actuated
from signalwright.controllers.fixed import FixedTime
from signalwright.controllers.max_pressure import MaxPressure
from signalwright.core.certify import certify
from signalwright.core.errors import InputError
from signalwright.core.intersection import Exit, Intersection, Lane, Movement, SignalGroup, Stage
from signalwright.core.plan import Plan
from signalwright.core.state import TrafficState
from simulated import shipped


def three_stages() -> Intersection:
    """Three one-lane approaches to one exit each, never two of them green together."""
    conflict = ~np.eye(3, dtype=np.bool_)
    return Intersection(
        name="three",
        groups=tuple(SignalGroup(f"g{k}", (Movement(f"m{k}", f"in{k}", f"out{k}", (f"lane{k}",)),)) for k in range(3)),
        stages=tuple(Stage(f"s{k}", frozenset({f"g{k}"})) for k in range(3)),
        conflict=conflict,
        yields=np.zeros((3, 3), dtype=np.bool_),
        intergreen=np.where(conflict, np.float64(5.0), np.float64(0.0)),
        lanes=tuple(Lane(f"lane{k}", 100.0, 100.0, 13.9) for k in range(3)),
        exits=tuple(Exit(f"out{k}", 100.0, 1, 13.9) for k in range(3)),
    )


def state_of(site: Intersection, **known: Any) -> TrafficState:
    """A quiet state in the first stage, changed by what is known; names of groups and lanes are their rows."""
    n, e, g, m = len(site.lanes), len(site.exits), len(site.groups), len(site.movements)
    plain: dict[str, Any] = {
        "time": 0.0, "stage": 0, "in_interstage": False, "elapsed": 20.0, "queue": np.zeros(n), "arrivals": np.zeros((n, 30)),
        "saturation": np.full(n, 0.5), "turning": np.eye(n, m), "gap": np.full(n, 99.0), "occupied": np.zeros(n),
        "confidence": np.ones(n), "room": np.full(e, 10.0), "calls": np.zeros(g, dtype=np.bool_), "red": np.zeros(g),
    }  # fmt: skip
    return TrafficState(
        site, **{**plain, **{key: np.array(v) if isinstance(v, list) else v for key, v in known.items()}}
    )


def test_every_name_loads_its_class() -> None:
    """All strategies of the table are there, and each decides."""
    for name in CONTROLLERS:
        assert callable(load_controller(name).decide)


def test_a_mistyped_name_gets_the_nearest_one() -> None:
    """And one that resembles none, the list."""
    with pytest.raises(InputError, match="there is no controller max_presure; did you mean max-pressure"):
        load_controller("max_presure")
    with pytest.raises(InputError, match=r"there are .*actuated"):
        load_controller("zzz")


def test_fixed_time_follows_its_plan_by_the_clock() -> None:
    """Over two cycles, offset included, the stage asked for is the one whose share of the cycle it is."""
    site = three_stages()
    plan = certify(Plan("p", ("s0", "s1", "s2"), (10, 20, 30), offset=7), site)
    controller = FixedTime(plan)
    assert plan.cycle == 75
    asked = [controller.decide(state_of(site, time=float(t))) for t in range(7, 157)]
    assert asked == ([0] * 15 + [1] * 25 + [2] * 35) * 2


def test_actuated_holds_while_traffic_keeps_coming() -> None:
    """Within the passage time of the last vehicle, or with one on the loop, the green goes on."""
    site, calls = three_stages(), [False, True, False]
    controller = Actuated(site, passage=3.0)
    assert controller.decide(state_of(site, calls=calls, gap=[2.0, 99.0, 99.0])) is None
    assert controller.decide(state_of(site, calls=calls, gap=[3.5, 99.0, 99.0], occupied=[0.5, 0.0, 0.0])) is None
    assert controller.decide(state_of(site, calls=calls, gap=[3.5, 0.0, 99.0])) == 1


def test_actuated_ends_at_the_maximum_green() -> None:
    """Traffic without a gap cannot hold a stage for ever against a call."""
    site = three_stages()
    controller = Actuated(site, max_green=40.0)
    coming = {"gap": [0.0, 99.0, 99.0], "calls": [True, False, True]}
    assert controller.decide(state_of(site, elapsed=39.0, **coming)) is None
    assert controller.decide(state_of(site, elapsed=40.0, **coming)) == 2


def test_actuated_passes_over_stages_nobody_calls_and_rests_without_calls() -> None:
    """From each stage the next called one in order; none without a call elsewhere, and none in an interstage."""
    site = three_stages()
    controller = Actuated(site)
    assert controller.decide(state_of(site, stage=0, calls=[False, False, True])) == 2
    assert controller.decide(state_of(site, stage=1, calls=[True, False, True])) == 2
    assert controller.decide(state_of(site, stage=2, calls=[True, True, True])) == 0
    assert controller.decide(state_of(site, stage=1, calls=[False, True, False])) is None
    assert controller.decide(state_of(site, in_interstage=True, calls=[True, True, True])) is None


def test_max_pressure_serves_the_longest_queue_but_not_for_little() -> None:
    """A change must be worth its lost time; equal queues leave the stage as it is."""
    site = three_stages()
    controller = MaxPressure(site, gain=1.2, toll=0.5)
    assert controller.decide(state_of(site, queue=[2.0, 8.0, 3.0])) == 1
    assert controller.decide(state_of(site, queue=[4.0, 4.0, 4.0])) == 0
    assert controller.decide(state_of(site, queue=[4.0, 5.5, 4.0])) == 0
    assert controller.decide(state_of(site, stage=-1, in_interstage=False, queue=[0.0, 0.0, 1.0])) == 2
    assert controller.decide(state_of(site, in_interstage=True, queue=[0.0, 9.0, 0.0])) is None


def test_max_pressure_counts_no_traffic_that_has_no_way_out() -> None:
    """A queue before a full exit pulls no green."""
    site = three_stages()
    controller = MaxPressure(site)
    assert controller.decide(state_of(site, queue=[2.0, 20.0, 6.0], room=[10.0, 0.0, 10.0])) == 2


def test_the_pressure_kernel_agrees_with_its_plain_twin() -> None:
    """On random states of a shipped site, permissive turns and shared lanes included, both choose the same."""
    _, lights = shipped("cross")
    site = next(iter(lights.values())).intersection
    controller = MaxPressure(site)
    rng = np.random.default_rng(4)
    n, e, m = len(site.lanes), len(site.exits), len(site.movements)
    chosen = set()
    for _ in range(300):
        state = state_of(
            site, stage=int(rng.integers(-1, len(site.stages))), queue=rng.gamma(1.0, 3.0, n), arrivals=rng.random((n, 30)),
            saturation=rng.uniform(0.3, 0.6, n), turning=rng.random((n, m)), room=rng.integers(0, 3, e).astype(float),
        )  # fmt: skip
        expected = best_stage(
            site, state, ahead=max_pressure.AHEAD, least_room=max_pressure.LEAST_ROOM, gain=max_pressure.GAIN,
            toll=max_pressure.TOLL, giving_way=max_pressure.GIVING_WAY,
        )  # fmt: skip
        assert controller.decide(state) == expected
        chosen.add(expected)
    assert len(chosen) == len(site.stages)
