"""Compile every kernel once, by running every strategy for a moment on a small site."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.counts import Counts
from ..core.estimate import Estimate
from ..core.intersection import Detector, Exit, Intersection, Lane, LoopKind, Movement, SignalGroup, Stage
from ..core.planning.climb import Model
from ..core.planning.network import optimise
from ..core.planning.streets import Light, Link, Streets
from ..core.ports import Status
from ..core.sequencer import Sequencer
from . import CONTROLLERS, load_controller

SECONDS = 12
"""Long enough for a minimum green to end, so that every strategy has to choose."""


def crossing() -> Intersection:
    """Two one-way roads, each with a lane, an exit and two loops."""
    roads = ("west", "south")
    conflict = ~np.eye(2, dtype=np.bool_)
    return Intersection(
        name="crossing",
        groups=tuple(SignalGroup(r, (Movement(r, r, f"{r} out", (f"{r} lane",)),)) for r in roads),
        stages=tuple(Stage(r, frozenset({r})) for r in roads),
        conflict=conflict,
        yields=np.zeros((2, 2), dtype=np.bool_),
        intergreen=np.where(conflict, 4.0, 0.0),
        lanes=tuple(Lane(f"{r} lane", 150.0, 150.0, 13.9) for r in roads),
        exits=tuple(Exit(f"{r} out", 150.0, 1, 13.9) for r in roads),
        detectors=tuple(
            loop
            for r in roads
            for loop in (
                Detector(f"{r} stop", LoopKind.STOP, f"{r} lane", 149.0, 1.0, (f"{r} lane",)),
                Detector(f"{r} advance", LoopKind.ADVANCE, f"{r} lane", 110.0, 40.0, (f"{r} lane",)),
                Detector(f"{r} exit", LoopKind.EXIT, f"{r} out", 5.0, -20.0, exit=f"{r} out"),
            )
        ),
    )


def street() -> Streets:
    """Two such crossings, one behind the other."""
    table = np.array([[0.0, 4.0], [4.0, 0.0]])
    lights = tuple(Light(name, ("west", "south"), (5, 5), table) for name in ("first", "second"))
    links = [
        Link(f"{light.name} {road}", 20.0, 1800.0, entry=400.0, light=light.name, green=frozenset({road}))
        for light in lights
        for road in light.stages
    ]
    links[2] = replace(links[2], entry=0.0, feeds=(("first west", 1.0),), storage=20.0)
    return Streets(lights, tuple(links))


def warm_up() -> None:
    """Run every strategy on it, second by second, and look for a plan of two of them."""
    model = Model(street(), 40)
    best = optimise(street(), cycles=[40], restarts=1, generations=1)[0]
    green = np.array([green for plan in best.plans for green in plan.greens], np.int32)
    offset = np.array([plan.offset for plan in best.plans], np.int32)
    model.full_values(offset[None], np.array([0, 1, 0, 1], np.int32), green[None], 60)
    site = crossing()
    n = len(site.detectors)
    for name in CONTROLLERS:
        controller, sequencer, estimate = load_controller(name)(site), Sequencer(site), Estimate(site)
        for second in range(SECONDS):
            counts = Counts(float(second), 1.0, np.ones(n, np.int32), np.full(n, 0.2), np.zeros(n, np.bool_))
            status = Status(
                float(second), sequencer.stage, not sequencer.complete, float(second), aspects=sequencer.aspects
            )
            state = estimate.update(counts, status)
            sequencer.grant(controller.decide(state), state.calls)
            sequencer.elapse()
