"""Loops that fail on purpose: which, how, and that the rest of the cabinet stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from signalwright.core.counts import Counts
from signalwright.core.errors import InputError
from signalwright.core.intersection import Intersection
from signalwright.core.ports import Refusal, Status
from signalwright.experiments.failing import FailingLoops, Failure, failures
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import BatchSpec, RunSpec
from simple_sites import crossing, status


class Steady:
    """A cabinet every loop of which sees a vehicle each second, and is occupied half of it."""

    intersection: Intersection = crossing()

    def read(self) -> Counts:
        """One vehicle on each loop."""
        n = len(self.intersection.detectors)
        return Counts(1.0, 1.0, np.ones(n, np.int32), np.full(n, 0.5), np.zeros(n, np.bool_))

    def status(self) -> Status:
        """At the first stage."""
        return status(1.0, 0)

    def request(self, wish: int | None, calls: object = None) -> Refusal:
        """Never now."""
        return Refusal.IN_INTERSTAGE


def test_each_way_to_fail() -> None:
    """A dead loop is silent, a stuck one always occupied, a chattering one counts too many, a dull one half; the rest is sound."""
    cabinet = Steady()
    kinds = (np.arange(len(cabinet.intersection.detectors)) % len(Failure)).astype(np.int32)
    assert len(kinds) >= len(Failure)
    failing = FailingLoops(cabinet, kinds, seed=3)
    total, held = np.zeros(len(kinds)), np.zeros(len(kinds))
    for _ in range(400):
        counts = failing.read()
        total += counts.vehicles
        held += counts.occupancy
    sound, dead, stuck, chattering, dull = (kinds == kind for kind in Failure)
    assert (total[sound] == 400).all()
    assert (held[sound] == 200).all()
    assert not total[dead].any()
    assert not held[dead].any()
    assert not total[stuck].any()
    assert (held[stuck] == 400).all()
    assert (total[chattering] > 600).all()
    assert (np.abs(total[dull] - 200) < 50).all()
    assert (np.abs(held[dull] - 100) < 25).all()
    assert failing.request(1) is Refusal.IN_INTERSTAGE
    assert failing.status().stage == 0
    assert failing.intersection is cabinet.intersection


def test_drawn_by_the_seed() -> None:
    """The same seed fails the same loops, another seed others; a blind light has only dead ones."""
    site = crossing()
    draws = [failures(site, 0.5, seed) for seed in range(20)]
    assert all((draw == failures(site, 0.5, seed)).all() for seed, draw in enumerate(draws))
    assert len({draw.tobytes() for draw in draws}) > 10
    share = np.mean([draw > 0 for draw in draws])
    assert 0.35 < share < 0.65
    assert (failures(site, 0.0, 1, blind=True) == Failure.DEAD).all()
    assert not failures(site, 0.0, 1).any()


def test_a_run_with_failing_loops() -> None:
    """A run says in its arm what failed, comes out the same twice, and otherwise than with sound loops."""
    ways: list[dict[str, Any]] = [{}, {"failing": 0.5}, {"blind": "cross"}]
    specs = [RunSpec("cross", "max-pressure", end=200.0, **how) for how in ways]
    rows = [run_once(spec).row for spec in (*specs, *specs)]
    assert [row["controller"] for row in rows[:3]] == [
        "max-pressure", "max-pressure, 50% of loops failing", "max-pressure, cross blind"
    ]  # fmt: skip
    assert [row["delay"] for row in rows[:3]] == [row["delay"] for row in rows[3:]]
    assert len({row["delay"] for row in rows}) == 3


def test_arms_of_a_batch() -> None:
    """A batch file gives an arm failing loops; every seed of it has them."""
    batch = BatchSpec.model_validate(
        {"scenarios": "cross", "seeds": 2, "arms": {"tired": {"controller": "adaptive", "failing": 0.1}}}
    )
    assert [(run.arm, run.failing) for run in batch.runs()] == [("tired", 0.1)] * 2


@pytest.mark.parametrize(
    ("how", "words"),
    [({"failing": 1.5}, "between 0 and 1"), ({"failing": 0.1, "view": "full"}, "no loop is read"),
     ({"blind": "nowhere"}, "there is no light nowhere")],
)  # fmt: skip
def test_bad_input(how: dict[str, Any], words: str) -> None:
    """A share out of range, a failure nobody would see, and a light that is not there are refused with the remedy."""
    with pytest.raises(InputError, match=words):
        run_once(RunSpec("cross", "adaptive", end=10.0, **how))
