"""Whom a queue shuts off, and how many wait for it."""

from __future__ import annotations

import numpy as np
import pytest

from signalwright.core.pockets import LASTS, Pockets
from simple_sites import crossing

MOST = 4.0
MEAN = np.array([0.1, 0.1, 0.1])
ONE, OTHER, ALONE = range(3)
"""Two lanes side by side from the west, and one from the north."""


def pockets() -> Pockets:
    return Pockets(crossing(), 0.7, MOST)


def test_a_queue_dams_those_beside_as_they_run_out() -> None:
    """A full lane keeps as many from the empty one beside it as come for that; nobody is shut off from a lane that is full too."""
    p = pockets()
    full = p.room[ONE]
    assert p.damming(np.array([full, 0.0, full]), MEAN) == pytest.approx([2.0, 1.0, 1.0])
    assert p.damming(np.array([full, full, full]), MEAN) == pytest.approx([1.0, 1.0, 1.0])
    assert p.damming(np.array([0.5 * full, 0.0, 0.0]), MEAN) == pytest.approx([1.0, 1.0, 1.0])


def test_a_street_that_stays_full_is_told_by_the_minute() -> None:
    """After some minutes all of them full, both lanes count as damming; a few vehicles gone from one change little."""
    p = pockets()
    full = p.room.copy()
    for _ in range(int(5 * LASTS)):
        p.second(full)
    assert p.damming(full, MEAN) == pytest.approx([2.0, 2.0, 1.0], abs=0.02)
    fewer = full - [6.0, 0.0, 0.0]
    for _ in range(10):
        p.second(fewer)
    assert p.damming(fewer, MEAN)[ONE] > 1.8


def test_many_beside_count_to_a_bound() -> None:
    """However few have a lane for themselves, not more than so many count as waiting for each of them."""
    p = pockets()
    assert p.damming(np.array([p.room[ONE], 0.0, 0.0]), np.array([0.01, 1.0, 0.1]))[ONE] == MOST
