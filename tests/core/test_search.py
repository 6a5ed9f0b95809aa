"""The rolling-horizon search against its plain twin and against every course there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from naive_search import Problem, arrays_of, every_course, random_problem, search
from signalwright.core.kernels import search as kernels

BEAM = 8


def _run(problem: Problem, fine: int, most: int, beam: int = BEAM) -> tuple[float, int, dict[str, Any]]:
    arrays = arrays_of(problem, beam)
    code = kernels.search(0, -1, 0, fine, most, *arrays.values())
    flat = (code // (problem.stages * beam), code // beam % problem.stages, code % beam)
    return float(arrays["bound"][flat]), int(arrays["firsts"][flat]), arrays


@pytest.mark.parametrize("seed", range(12))
def test_the_kernel_finds_what_its_twin_finds(seed: int) -> None:
    """Kernel and plain twin agree on cost within float32, and on the first move unless two are as good."""
    problem = random_problem(np.random.default_rng(seed), stages=3, lanes=5, horizon=30, change=8)
    cost, first, arrays = _run(problem, fine=10, most=9)
    plain, plain_first = search(problem, 0, fine=10, most=9, beam=BEAM)
    assert cost == pytest.approx(plain, rel=2e-4)
    assert first == plain_first or arrays["best"][plain_first] == pytest.approx(cost, rel=2e-4)


def test_the_gap_to_every_course_is_small() -> None:
    """Over small junctions the search costs at most 2 % more than the best of all courses, never less."""
    gaps = []
    for seed in range(25):
        problem = random_problem(np.random.default_rng(100 + seed), stages=3, lanes=4, horizon=22, change=7)
        least = every_course(problem, 0)
        cost, _, _ = _run(problem, fine=22, most=16)
        assert cost >= least * (1 - 1e-4) - 1e-3
        gaps.append(cost / least - 1 if least > 1 else 0.0)
    assert max(gaps) <= 0.02, gaps


def test_a_stage_without_anyone_is_skipped() -> None:
    """A stage marked as having nothing to serve is never the first move."""
    problem = random_problem(np.random.default_rng(3), stages=3, lanes=5, horizon=24, change=8)
    problem.skip = [0, 1, 0]
    _, first, arrays = _run(problem, fine=10, most=12)
    assert first != 1
    assert arrays["best"][1] > 1e29


def test_living_a_course_again_costs_what_the_search_said() -> None:
    """Replaying the best course pays what its label paid, and nobody appears or disappears on the way."""
    problem = random_problem(np.random.default_rng(8), stages=3, lanes=5, horizon=30, change=8)
    problem.queue[1] = 5.0
    arrays = arrays_of(problem, BEAM)
    code = kernels.search(0, -1, 0, 10, 16, *arrays.values())
    place = (code // (3 * BEAM), code // BEAM % 3, code % BEAM)
    paid, steps = float(arrays["paid"][place]), []
    while code >= 0:
        at = (code // (3 * BEAM), code // BEAM % 3, code % BEAM)
        steps.append(at[:2])
        code = int(arrays["parents"][at])
    steps.reverse()
    left = np.zeros_like(arrays["arrivals"])
    keys = (
        "queue",
        "arrivals",
        "opens",
        "weight",
        "rates",
        "begins",
        "given",
        "giver",
        "steady",
        "waiting",
        "against",
        "prices",
    )
    cost = kernels.replay(
        np.array([s[0] for s in steps], np.int32), np.array([s[1] for s in steps], np.int32), -1, 0,
        *(arrays[key] for key in keys), arrays["flow"], arrays["line"], left,
    )  # fmt: skip
    changes = sum(a[1] != b[1] for a, b in zip(steps, steps[1:], strict=False))
    assert cost + changes * problem.change == pytest.approx(paid, rel=1e-4)
    came = arrays["queue"].sum() + arrays["arrivals"].sum()
    assert left.sum() + arrays["line"].sum() == pytest.approx(came, rel=1e-5)
