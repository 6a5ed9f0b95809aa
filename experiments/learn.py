"""Train an agent in the Gymnasium environment with CMA-ES: a published library, no graphics card, minutes for a junction.

Every generation plays its candidates on the same seed, and the next one on another (Hansen, The CMA evolution strategy: a tutorial,
arXiv:1604.00772).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.messages import _
from .agent import FEATURES, Agent, Floats, Scores
from .gym import LightEnv

FIRST = dict.fromkeys(FEATURES, 0.0) | {"queue": 1.0, "there": 0.1}
"""Where the search begins: the longest queue, and a little patience."""
SPREAD = 0.5


def train(
    scenario: str,
    light: str | None = None,
    *,
    generations: int = 10,
    interval: int = 5,
    seed: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
    **run: Any,
) -> Agent:
    """Train an agent at one light of a scenario, the others under their own plan; `run` goes to `RunSpec` (end, view, timing, ...).

    Raises InputError where the library is missing or an argument makes no sense.
    """
    try:
        cma = importlib.import_module("cma")
    except ImportError as error:
        raise InputError(_("training needs cma; install the extra: pip install 'signalwright[learn]'")) from error
    if generations < 1:
        raise InputError(_("{n} generations teach nothing; ask for 1 or more").format(n=generations))
    env = LightEnv(scenario, light, interval=interval, **run)
    search = cma.CMAEvolutionStrategy([FIRST[name] for name in FEATURES], SPREAD, {"seed": seed, "verbose": -9})
    total, done, best = generations * search.popsize, 0, 0.0
    try:
        for generation in range(generations):
            candidates = search.ask()
            losses = []
            for weights in candidates:
                losses.append(-episode(env, np.asarray(weights), seed + generation))
                done += 1
                best = min(losses)
                if progress is not None:
                    progress(done, total, _("generation {n}, best loss {loss:.1f}").format(n=generation + 1, loss=best))
            search.tell(candidates, losses)
    finally:
        env.close()
    weights = tuple(round(float(weight), 6) for weight in search.result.xfavorite)
    said = {"scenario": env.scenario, "light": env.light, "generations": generations, "episodes": done, "seed": seed}
    return Agent(weights, interval, said | {"cma": cma.__version__, "view": "loops"} | run)


def episode(env: LightEnv, weights: Floats, seed: int) -> float:
    """Play the whole window; the sum of rewards."""
    choose = Scores(env.site, weights)
    seen, _info = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        seen, reward, _terminated, over, _info = env.step(choose(seen))
        total += reward
    return total
