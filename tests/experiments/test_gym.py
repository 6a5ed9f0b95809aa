"""Environments for agents, judged by the checkers of Gymnasium and PettingZoo."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from signalwright.core.errors import InputError
from signalwright.core.intersection import Intersection
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec

gymnasium = pytest.importorskip("gymnasium")
pytest.importorskip("pettingzoo")
pytest.importorskip("libsumo")

from gymnasium.utils.env_checker import check_env  # noqa: E402
from pettingzoo.test import parallel_api_test, parallel_seed_test  # noqa: E402

from signalwright.gym import LightEnv, Observation, Policy, StreetEnv  # noqa: E402


def test_gymnasium_checks_it() -> None:
    """Gymnasium's own checker finds nothing wrong with the environment of one light, made by its registered name."""
    env = gymnasium.make("signalwright/Light-v0", end=120.0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not have a render.*|.*render_modes.*|.*max_episode_steps.*")
        check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_full_view() -> None:
    """The checker passes with the full view too; every step says which view it was, and the two views differ."""
    seen = {}
    for view in ("loops", "full"):
        env = LightEnv("cross", end=120.0, view=view)
        if view == "full":
            with warnings.catch_warnings():
                warnings.filterwarnings(
                    "ignore", message=".*not have a render.*|.*render_modes.*|.*max_episode_steps.*|.*spec.*"
                )
                check_env(env, skip_render_check=True)
        env.reset(seed=3)
        for _step in range(20):
            seen[view], _reward, _terminated, _over, info = env.step(0)
        assert info["view"] == view
        env.close()
    assert not np.array_equal(seen["loops"], seen["full"])


def test_pettingzoo_checks_it() -> None:
    """PettingZoo's checkers find nothing wrong with the environment of many, and equal seeds give equal games."""
    env = StreetEnv("corridor", end=200.0)
    parallel_api_test(env, num_cycles=60)
    env.close()
    parallel_seed_test(lambda: StreetEnv("corridor", end=60.0, transport="traci"), num_cycles=10)


def test_an_episode_is_the_window() -> None:
    """Steps of 10 s fill the window of 100 s, observations keep their bounds, and the end is a truncation."""
    env = LightEnv("cross", interval=10, end=100.0)
    seen, _info = env.reset(seed=1)
    steps, over = 0, False
    while not over:
        assert env.observation_space.contains(seen)
        seen, reward, terminated, over, info = env.step(env.action_space.n - 1 if steps % 4 else 0)  # type: ignore[attr-defined]
        assert not terminated
        assert reward <= 0
        assert info["refusal"] in {"NONE", "IN_INTERSTAGE", "FORCED", "LONGEST_RED", "BARRED"}
        steps += 1
    assert steps == 10
    assert info["time"] == 100.0
    env.close()


def test_the_agent_decides() -> None:
    """Asking for the other stage changes the stage that is seen; asking for the one there does not."""
    env = LightEnv("cross", end=200.0)
    env.reset(seed=1)
    names = Observation(env._table.sites[env.light]).names
    first = names.index("free") - int(env.action_space.n)  # type: ignore[attr-defined]
    for wanted in (1, 0, 1):
        for _step in range(8):
            seen = env.step(wanted)[0]
        assert seen[first + wanted] == 1.0
        assert seen[first : names.index("free")].sum() == 1.0
    env.close()


class Longest(Policy):
    """The stage after the one there whenever it may be changed: stands in for a trained agent."""

    def __init__(self, site: Intersection) -> None:
        names, stages = Observation(site).names, len(site.stages)
        first = names.index("free") - stages

        def choose(seen: np.ndarray) -> int:
            return (int(np.argmax(seen[first : first + stages])) + 1) % stages

        super().__init__(site, choose, interval=20)


def test_an_agent_is_an_arm() -> None:
    """A policy over the observed vector runs as a strategy named by import path."""
    row = run_once(RunSpec("cross", f"{__name__}:Longest", end=150.0)).row
    assert row["arrived"] > 0


def test_bad_use() -> None:
    """A light that is not there, an interval of nothing and a step before reset are told."""
    with pytest.raises(InputError, match="J9"):
        LightEnv("cross", "J9")
    with pytest.raises(InputError, match="at least 1"):
        LightEnv("cross", interval=0)
    with pytest.raises(InputError, match="reset"):
        LightEnv("cross").step(0)
