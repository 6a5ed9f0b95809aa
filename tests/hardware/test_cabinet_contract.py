"""The same contract for every cabinet: the same wishes give the same aspects, in process and over every protocol."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np
import pytest

from line_bench import MOVING, PROTOCOLS, Bench, bench, crossing
from signalwright.core.aspects import Aspect
from signalwright.core.intersection import Intersection
from signalwright.core.ports import Cabinet, Mode, Refusal, Status
from signalwright.core.sequencer import Sequencer
from signalwright.hardware.cabinets import Authority
from signalwright.hardware.cabinets.habits import Grip

SCRIPT = ((0, 4.0), (2, 7.0), (3, 2.0), (1, 6.0), (0, 3.0), (3, 5.0), (2, 1.0), (1, 2.0))


class Stand(Protocol):
    """A cabinet under test and the time it lives in."""

    shown: list[tuple[int, ...]]

    def run(self, seconds: float) -> None: ...

    def until(self, true: Callable[[], bool], within: float = 120.0) -> float: ...


class Simulated:
    """The sequencer in process, as the simulated cabinet uses it: the reference."""

    def __init__(self, site: Intersection) -> None:
        self.intersection = site
        self.sequencer = Sequencer(site)
        self.shown: list[tuple[int, ...]] = []
        self.ticks = 0

    def status(self) -> Status:
        return Status(self.ticks / 10, self.sequencer.stage, not self.sequencer.complete, 0.0, Mode.REMOTE)

    def request(self, wish: int | None) -> Refusal:
        return self.sequencer.grant(wish)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.sequencer.grant(None)
            self.sequencer.elapse(1)
            self.ticks += 1
            self.shown.append(tuple(int(aspect) for aspect in self.sequencer.aspects))

    def until(self, true: Callable[[], bool], within: float = 120.0) -> float:
        start = self.ticks
        while not true():
            self.run(0.1)
            assert self.ticks - start < within * 10
        return (self.ticks - start) / 10


def play(stand: Stand, cabinet: Cabinet) -> None:
    """Ask for each stage of the script once the one before is complete and was held for its time."""
    for stage, hold in SCRIPT:
        stand.until(lambda: not cabinet.status().in_interstage)
        stand.until(partial(granted, cabinet, stage))
        stand.until(partial(reached, cabinet, stage))
        for _ in range(round(hold)):
            keep(cabinet)
            stand.run(1.0)


def granted(cabinet: Cabinet, stage: int) -> bool:
    return cabinet.request(stage) is Refusal.NONE


def reached(cabinet: Cabinet, stage: int) -> bool:
    keep(cabinet)
    status = cabinet.status()
    return status.stage == stage and not status.in_interstage


def keep(cabinet: Cabinet) -> bool:
    """What a control loop does: ask again, if only for what stands."""
    cabinet.request(None)
    return True


def changes(shown: list[tuple[int, ...]]) -> list[tuple[tuple[int, ...], int]]:
    """Aspects and for how many ticks they were shown, one behind the other."""
    return [(aspects, len(list(same))) for aspects, same in itertools.groupby(shown)]


def interstages(shown: list[tuple[int, ...]]) -> list[tuple[tuple[int, ...], int | None]]:
    """Every aspect vector in order; the time of those with amber or with no green at all."""
    return [
        (aspects, ticks if Aspect.AMBER in aspects or Aspect.GREEN not in aspects else None)
        for aspects, ticks in changes(shown)
    ]


def remote(one: Bench) -> Bench:
    """Identified, through start-up, and in stage A of the local plan's or our making."""
    one.until(lambda: one.host.grip is Grip.WATCHING)
    one.until(lambda: one.cabinet.mode is Mode.LOCAL)
    one.until(lambda: one.host.status().mode is Mode.LOCAL and not one.host.status().in_interstage)
    one.until(lambda: one.host.request(0) is Refusal.NONE)
    one.until(lambda: keep(one.host) and one.host.status().stage == 0 and not one.host.status().in_interstage)
    for _ in range(10):
        keep(one.host)
        one.run(0.5)
    one.shown.clear()
    return one


@pytest.mark.parametrize("protocol", MOVING)
def test_the_same_wishes_give_the_same_aspects(protocol: str) -> None:
    """Over each protocol the lamps go through the same aspects as in process, and change for just as long."""
    site = crossing(max_red=None)
    reference = Simulated(site)
    reference.request(0)
    reference.until(lambda: reference.sequencer.complete)
    reference.shown.clear()
    play(reference, reference)  # type: ignore[arg-type]
    one = remote(bench(protocol, site))
    play(one, one.host)
    assert interstages(one.shown) == interstages(reference.shown)
    greens = zip(changes(one.shown), changes(reference.shown), strict=True)
    late = [over[1] - inside[1] for over, inside in list(greens)[:-1]]
    assert max(late) <= 10  # a second: one poll to see the stage complete, one exchange to ask for the next
    assert one.cabinet.monitor.fault is None


@pytest.mark.parametrize("protocol", MOVING)
def test_a_wish_in_an_interstage_is_refused_before_it_is_sent(protocol: str) -> None:
    """The shadow knows that a change is running: no command goes out."""
    one = remote(bench(protocol))
    one.until(lambda: one.host.request(2) is Refusal.NONE)
    one.until(lambda: keep(one.host) and one.host.status().in_interstage)
    assert one.host.request(0) is Refusal.IN_INTERSTAGE
    assert one.host.stage == 2
    assert one.host.request(99) is Refusal.UNKNOWN_STAGE


@pytest.mark.parametrize("protocol", MOVING)
def test_the_picture_agrees_with_the_lamps(protocol: str) -> None:
    """Stage, interstage and aspects as reported are those the lamps showed within the last half second."""
    one = remote(bench(protocol))
    one.run(0.6)
    for wish in (2, 1, 3):
        one.until(partial(granted, one.host, wish))
        for _ in range(100):
            keep(one.host)
            one.run(0.1)
            status = one.host.status()
            assert status.aspects is not None
            assert tuple(int(aspect) for aspect in status.aspects) in one.shown[-6:]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_same_plan_gives_the_same_aspects(protocol: str) -> None:
    """A plan selected over each protocol, AB 3418 included: once in step, every lamp at every tick is as in process."""
    site = crossing()
    one = bench(protocol, site, Authority.PLAN)
    one.until(lambda: one.host.select(2) is Refusal.NONE)
    plan = one.cabinet.plans[2].plan
    for _ in range(round(3 * plan.cycle * 2)):
        one.host.select(2)
        one.run(0.5)
    assert one.host.picture.plan == 2
    reference, shown = Sequencer(site), []
    for tick in range(one.cabinet.ticks):
        reference.grant(plan.stage_at(tick / 10))
        reference.elapse(1)
        shown.append(tuple(int(aspect) for aspect in reference.aspects))
    cycle = plan.cycle * 10
    assert one.shown[-cycle:] == shown[-cycle:]
    assert len(set(shown[-cycle:])) >= 8


@pytest.mark.parametrize("protocol", MOVING)
def test_the_longest_red_is_kept_by_every_cabinet(protocol: str) -> None:
    """A host that holds one stage for ever: every cabinet serves the others within their longest red, as in process."""
    site = crossing(max_red=60.0)
    one = remote(bench(protocol, site))
    for _ in range(360):
        keep(one.host)
        one.run(0.5)
    waited = [0] * len(site.groups)
    for aspects in one.shown:
        for row, aspect in enumerate(aspects):
            waited[row] = 0 if aspect == Aspect.GREEN else waited[row] + 1
            assert waited[row] <= 600, (site.groups[row].name, waited[row])
    assert {aspects for aspects, _ in changes(one.shown)} >= {
        tuple(int(Aspect.GREEN) if green else int(Aspect.RED) for green in row) for row in site.stage_greens[[0, 2, 3]]
    }


@pytest.mark.parametrize("protocol", MOVING)
def test_every_vehicle_over_every_loop_is_counted(protocol: str) -> None:
    """Forty loops, more than a frame holds: what passes over each of them arrives, once."""
    four = crossing()
    loops = tuple(
        replace(four.detectors[n % 4], name=f"loop {n}", position=190.0 - n // 4, distance=10.0 + n // 4)
        for n in range(40)
    )
    one = bench(protocol, replace(four, detectors=loops))
    one.until(lambda: one.host.grip is Grip.WATCHING)
    one.run(3)
    one.host.read()
    given, heard = np.zeros(40, dtype=np.int64), np.zeros(40, dtype=np.int64)
    for second in range(20):
        passed = (np.arange(40) + second) % 3 if second < 16 else np.zeros(40, dtype=np.int64)
        one.cabinet.inputs.pass_by(passed.astype(np.int32), (2 * passed).astype(np.float64))
        given += passed
        one.run(1)
        heard += one.host.read().vehicles
    assert heard.tolist() == given.tolist()
