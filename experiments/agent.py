"""A learned agent in a file: weights that score every stage of any light from what `Observation` sees, the best is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import InputError
from ..core.intersection import Intersection
from ..core.messages import _
from .observation import Observation, Policy, Vector
from .result import write_file

AGENT = ".json"
"""How the name of an agent's file ends."""
FEATURES = ("queue", "soon", "later", "gap", "occupied", "red", "call", "there", "there for")
"""What of a stage is weighed: means over its lanes and groups; whether it is there, and for how long."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Agent:
    """`weights` (n_features,), the `interval` [s] between decisions, and how it was trained, in plain words."""

    weights: tuple[float, ...]
    interval: int = 5
    trained: Mapping[str, Any] = field(default_factory=dict)

    def controller(self, site: Intersection) -> Policy:
        """The agent at an intersection."""
        return Policy(site, Scores(site, np.array(self.weights)), self.interval)

    def write(self, path: Path) -> None:
        """Keep the agent. Raises ResultError."""
        said = {"features": FEATURES, "weights": self.weights, "interval": self.interval, "trained": dict(self.trained)}
        write_file(path, (json.dumps(said, indent=1) + "\n").encode())


class Scores:
    """Observed vector -> row of the stage with the highest score; weights shared by all stages, so that an agent fits any light."""

    def __init__(self, site: Intersection, weights: Floats) -> None:
        place = {name: row for row, name in enumerate(Observation(site).names)}
        self._mix = np.zeros((len(site.stages), len(FEATURES) - 1, len(place)))
        self._weights = weights
        for row, stage in enumerate(site.stages):
            groups = [group for group in site.groups if group.name in stage.green]
            lanes = sorted(
                {
                    lane
                    for group in groups
                    for move in group.movements
                    for lane in move.lanes
                    if f"queue {lane}" in place
                }
            )
            for k, what in enumerate(FEATURES[:-2]):
                names = [group.name for group in groups] if what in ("red", "call") else lanes
                for name in names:
                    self._mix[row, k, place[f"{what} {name}"]] = 1.0 / len(names)
            self._mix[row, -1, place[f"stage {stage.name}"]] = 1.0
        self._elapsed = place["elapsed"]

    def __call__(self, seen: Vector) -> int:
        """The stage to ask for."""
        features = self._mix @ seen
        there = features[:, -1:]
        scores = np.hstack([features, there * seen[self._elapsed]]) @ self._weights
        return int(np.argmax(scores))


def read_agent(path: Path) -> Agent:
    """The agent in a file. Raises InputError."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(_("agent {path}: cannot be read: {why}").format(path=path, why=error.strerror)) from error
    except ValueError as error:
        raise InputError(_("agent {path}: is no JSON: {why}").format(path=path, why=error)) from error
    try:
        agent = Agent(tuple(map(float, said["weights"])), int(said["interval"]), dict(said["trained"]))
        fits = tuple(said["features"]) == FEATURES and len(agent.weights) == len(FEATURES) and agent.interval >= 1
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise InputError(
            _("agent {path}: is no agent this version can run; train it anew with `signalwright learn`").format(
                path=path
            )
        )
    return agent
