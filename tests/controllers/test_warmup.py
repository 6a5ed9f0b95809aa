"""Warming up compiles what planning needs."""

from __future__ import annotations

import pytest

from planning_networks import streets
from signalwright.controllers.warmup import warm_up
from signalwright.core.kernels.changes import evaluate_changes, remember
from signalwright.core.kernels.links import evaluate
from signalwright.core.kernels.storage import simulate
from signalwright.core.planning.network import optimise


@pytest.mark.skipif(not hasattr(evaluate, "signatures"), reason="kernels run as plain Python")
def test_after_warming_up_a_plan_compiles_nothing() -> None:
    """The search for a plan of a saturated grid finds every kernel compiled for the arrays it hands over."""
    warm_up()
    kernels = (evaluate, remember, evaluate_changes, simulate)
    before = [list(kernel.signatures) for kernel in kernels]
    assert all(before)
    optimise(streets(2, 2, demand=900.0), cycles=[60], restarts=1, generations=1)
    assert [list(kernel.signatures) for kernel in kernels] == before
