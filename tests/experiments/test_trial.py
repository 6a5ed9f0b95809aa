"""Trials: SUMO by itself and stepped through libsumo give the same numbers; the demand varies by the seed alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signalwright.core.errors import SimulationError
from signalwright.experiments.trial import Trial, tried, try_all


def test_every_way_of_running_gives_the_same_numbers() -> None:
    """SUMO's own program, in a thread, and libsumo, in a worker process, agree on every metric and queue."""
    trial = Trial("cross", "plan", 3, end=600, variation=0.1, jitter=30.0, queues=True)
    alone, stepped = tried(trial), try_all([replace(trial, transport="libsumo")], 1)[0]
    assert alone == stepped
    assert alone["longest_queue"] == max(lane["queue"] for lane in alone["lanes"].values()) > 0.0
    assert all(lane["queue"] <= lane["room"] for lane in alone["lanes"].values())
    assert alone["full_lanes"] == sum(lane["queue"] > 0.9 * lane["room"] for lane in alone["lanes"].values())


def test_a_seed_means_the_same_demand_in_every_arm() -> None:
    """The factor on the demand depends on the seed only, and stays within the variation."""
    factors = [Trial("cross", arm, seed, variation=0.1).demand for seed in range(1, 9) for arm in ("a", "b")]
    assert factors[::2] == factors[1::2]
    assert len(set(factors)) == 8
    assert all(0.9 <= factor <= 1.1 for factor in factors)


def test_a_trial_that_fails_says_why(tmp_path: object) -> None:
    """A file that is no additional file ends in one error with SUMO's words."""
    from pathlib import Path

    bad = Path(str(tmp_path)) / "bad.add.xml"
    bad.write_text(
        '<additional><tlLogic id="nowhere" programID="x" type="static"><phase duration="3" state="G"/></tlLogic></additional>'
    )
    with pytest.raises(SimulationError, match="nowhere"):
        tried(Trial("cross", "plan", 1, (str(bad),), end=60))


def test_a_trial_far_behind_is_given_up() -> None:
    """Watching changes no number; a limit that is passed in the fourth minute ends the trial there, every time."""
    trial = Trial("cross", "plan", 3, end=420)
    plain, seen = tried(trial), tried(replace(trial, within=()))
    presence = seen.pop("presence")
    assert seen == plain
    assert presence == sorted(presence)
    assert presence[-1] == pytest.approx(
        plain["trip_time"] * plain["inserted"] + plain["depart_delay"] * plain["scheduled"], rel=0.2
    )
    limits = (*presence[:3], presence[3] - 1.0, *presence[4:])
    assert [tried(replace(trial, within=limits)) for _ in range(2)] == [
        {"arm": "plan", "seed": 3, "demand": 1.0, "lost": 180.0}
    ] * 2
