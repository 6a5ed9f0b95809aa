"""Validation: the verdict follows from the pairs, what is unsafe is never run, and a shipped plan is judged in SUMO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from signalwright.core.certify import certify
from signalwright.core.errors import InputError, UnsafePlan
from signalwright.core.plan import Plan
from signalwright.experiments.validate import (
    FORCE,
    PLAN,
    Outcome,
    broken,
    check_plan,
    check_safe,
    judged,
    paired_interval,
    validate,
)
from signalwright.networks.netfile import read_lights
from signalwright.networks.planprogram import write_plans
from sumo_material import load, write_programs
from validate_rows import rows


def test_better_is_said_with_its_interval() -> None:
    """Five pairs that differ by about 10 s are better, in words with the amount and its bounds."""
    verdict = judged(rows([40.0, 42.0, 41.0, 43.0, 39.0], [30.0, 31.0, 32.0, 32.5, 29.0]), "s", "p", looks=3)
    assert verdict.outcome is Outcome.BETTER
    assert verdict.words.startswith("better by 10.1 s [")
    assert verdict.to_dict()["exit_code"] == 0


def test_no_improvement_is_an_answer() -> None:
    """Differences that scatter around nothing show no improvement, which has an exit code of its own."""
    verdict = judged(rows([40.0, 42.0, 41.0, 43.0], [41.0, 41.0, 42.0, 42.0]), "s", "p", looks=1)
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert "no improvement shown" in verdict.words


def test_a_gridlock_outweighs_the_mean() -> None:
    """A plan that is better on four seeds and locks on the fifth is worse, and the words name the lock."""
    verdict = judged(rows([40.0] * 5, [20.0, 21.0, 20.0, 22.0, 150.0]), "s", "p", looks=1)
    assert verdict.outcome is Outcome.WORSE
    assert "gridlock (1 of 5 seeds, 0 before)" in verdict.words
    assert verdict.worst_seed == 5


def test_a_plan_that_locks_a_seed_is_never_better() -> None:
    """Locked in one seed, as the programs in force are in another: better on average, and yet no improvement is shown."""
    made = rows([40.0] * 9 + [130.0], [20.0, 21.0, 20.0, 22.0, 21.0, 20.0, 21.0, 20.0, 30.0, 21.0])
    for row in made:
        row["locked"] = (row["arm"], row["seed"]) in {(FORCE, 10), (PLAN, 9)}
    verdict = judged(made, "s", "p", looks=1)
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert "it locks in 1 of 10 seeds (1 before)" in verdict.words
    assert verdict.locked_seeds == (9,)


def test_a_seed_far_from_its_pair_and_from_its_like_broke_down() -> None:
    """At twice the delay of its pair and of its own median a seed counts as locked; a seed that is bad in both arms does not."""
    before = np.array([36.0, 35.0, 37.0, 36.0, 36.0])
    after = np.array([22.0, 22.0, 80.0, 23.0, 21.0])
    quiet = np.zeros(5, dtype=bool)
    assert broken(before, after, quiet, quiet)[1].tolist() == [False, False, True, False, False]
    hard = np.array([36.0, 35.0, 70.0, 36.0, 36.0])
    assert not any(broken(hard, np.array([22.0, 22.0, 60.0, 23.0, 21.0]), quiet, quiet)[1])


def test_queues_are_told_against_the_room_of_their_lane() -> None:
    """Lane by lane: mean and worst of the longest queue, and the seeds in which it spilled back; the fullest lane first."""
    made = rows([40.0] * 3, [30.0, 31.0, 32.0])
    for row in made:
        full = row["arm"] == PLAN and row["seed"] == 2
        row["lanes"] = {
            "a_0": {"queue": 20.0, "room": 100.0, "spilled": False},
            "b_0": {"queue": 60.0 if full else 30.0, "room": 60.0, "spilled": full},
        }
    fullest, other = judged(made, "s", "p", looks=1).queues
    assert (fullest.lane, fullest.room, fullest.worst, fullest.spilled_before, fullest.spilled_after) == (
        "b_0",
        60.0,
        60.0,
        0,
        1,
    )
    assert (fullest.before, fullest.after) == (30.0, 40.0)
    assert (other.lane, other.spilled_after) == ("a_0", 0)


def test_what_got_worse_beside_is_named() -> None:
    """Delay better, stops worse: better, and the stops are named."""
    verdict = judged(rows([40.0, 42.0, 41.0], [30.0, 31.5, 31.0], stops=[1.5, 1.6, 1.5]), "s", "p", looks=1)
    assert verdict.outcome is Outcome.BETTER
    assert "worse on: stops +0.5" in verdict.words


def test_the_interval_is_students() -> None:
    """With one look it is scipy's own paired interval; with more it is wider."""
    differences = np.random.default_rng(3).normal(-2.0, 1.0, 12)
    theirs = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    ours = paired_interval(differences)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert paired_interval(differences, 4).high > ours.high


def test_an_unsafe_candidate_is_not_run(tmp_path: Path) -> None:
    """Everything green at once is refused with the reason, before any simulation."""
    scenario = load("shipped-cross")
    ((name, light),) = read_lights(scenario).items()
    path = write_programs(tmp_path / "bad.add.xml", {(name, "bad"): [(30, "G" * light.n_letters)]})
    with pytest.raises(UnsafePlan, match="conflicting-greens"):
        validate("cross", path)
    with pytest.raises(InputError, match="another net"):
        check_safe(load("shipped-corridor"), [path])
    with pytest.raises(InputError, match="is not there"):
        validate("cross", tmp_path / "none.add.xml")
    found = check_plan("cross", path)
    assert any(finding.unsafe and finding.rule == "conflicting-greens" for finding in found)
    assert {finding.program for finding in found} == {"bad"}


@pytest.mark.slow
def test_a_foolish_plan_is_found_worse(tmp_path: Path) -> None:
    """On the shipped crossing greens far too long are found worse than the plan in force, after the first look."""
    scenario = load("shipped-cross")
    lights = read_lights(scenario)
    ((name, light),) = lights.items()
    stages = tuple(stage.name for stage in light.intersection.stages)
    safe = certify(Plan("foolish", stages, (15, *(45 for _ in stages[1:]))), light.intersection)
    path = tmp_path / "foolish.add.xml"
    write_plans(path, lights, {"foolish": {name: safe}})
    verdict = validate("cross", path, seeds=10, workers=1, end=900)
    assert verdict.outcome is Outcome.WORSE
    assert "worse on: delay" in verdict.words
    assert verdict.stopped_early
    assert verdict.seeds == (1, 2, 3, 4, 5)
