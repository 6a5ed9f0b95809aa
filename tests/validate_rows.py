"""Rows of a validation as trials give them, for tests of the verdict."""

from __future__ import annotations

from typing import Any

from signalwright.experiments.validate import FORCE, PLAN


def rows(before: list[float], after: list[float], **more: list[float]) -> list[dict[str, Any]]:
    """Rows of both arms with these delays; other measures equal unless `more` gives those of the plan."""
    made: list[dict[str, Any]] = []
    for k, (one, two) in enumerate(zip(before, after, strict=True), 1):
        for arm, delay in ((FORCE, one), (PLAN, two)):
            row = {"arm": arm, "seed": k, "delay": delay, "p95_delay": 80.0, "stops": 1.0, "longest_queue": 90.0,
                   "collisions": 0, "teleports": 0, "full_lanes": 0.0, "locked": False}  # fmt: skip
            made.append(row | ({name: values[k - 1] for name, values in more.items()} if arm == PLAN else {}))
    return made
