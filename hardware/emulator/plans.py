"""Local plans of an emulated cabinet: from the rows of a site file, or a plain one when there are none."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from typing import Protocol

from ...core.certify import SafePlan, certify
from ...core.errors import UnsafePlan
from ...core.intersection import Intersection
from ...core.plan import Plan
from .cabinet import LocalPlan


class PlanRow(Protocol):
    """What a site file says of one plan; `starts` is the time of day, 18:00."""

    number: int
    starts: str
    stages: tuple[str, ...]
    greens_s: tuple[int, ...]
    offset_s: int


def local_plans(rows: Iterable[PlanRow], site: Intersection) -> tuple[LocalPlan, ...]:
    """Plans by time of day, each certified; raises UnsafePlan with every reason. Without rows: all stages in turn."""
    plans = []
    for row in rows:
        hours, minutes = row.starts.split(":")
        plan = certify(Plan(f"{row.number}", row.stages, row.greens_s, row.offset_s), site)
        plans.append(LocalPlan(row.number, plan, int(hours) * 3600 + int(minutes) * 60))
    return tuple(plans) or (LocalPlan(1, _plain_and_safe(site)),)


def _plain_and_safe(site: Intersection) -> SafePlan:
    """The shortest plain plan that is lawful: long intergreens may need the stage before to be longer."""
    for more in range(5, 60, 5):
        with contextlib.suppress(UnsafePlan):
            return certify(_plain(site, more), site)
    return certify(_plain(site, 60), site)


def _plain(site: Intersection, more: int) -> Plan:
    """Every stage in the order of the site, some seconds longer than its longest minimum green."""
    greens = []
    for stage in site.stages:
        minimum = max((group.min_green for group in site.groups if group.name in stage.green), default=5.0)
        greens.append(math.ceil(minimum) + more)
    return Plan("plain", tuple(stage.name for stage in site.stages), tuple(greens))
