"""Which strategy the service runs at a site: one of ours, or the plans of the site file by the time of day."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .core.errors import InputError, UnsafePlan
from .core.messages import _

if TYPE_CHECKING:
    from .core.intersection import Intersection
    from .core.ports import Controller
    from .hardware.config import CabinetConfig

PLANS = "plans"


def strategy_of(
    name: str, file: Path, site: Intersection, config: CabinetConfig
) -> tuple[Callable[[], Controller], dict[str, int]]:
    """What makes the strategy called `name`, and the numbers on the line of the plans it may follow; raises InputError."""
    if name != PLANS:
        from .controllers import load_controller

        made = load_controller(name, beside=(PLANS,))
        return lambda: made(site), {}
    from .controllers.fixed import DayPlans
    from .hardware.emulator.plans import local_plans

    if not config.plans:
        raise InputError(
            _("{file}: has no plans to follow; write the cabinet's plans as [[cabinet.plans]]").format(file=file)
        )
    try:
        rows = local_plans(config.plans, site)
    except UnsafePlan as problem:
        raise InputError(f"{file}: {problem}") from None
    plans = [(row.starts or 0, row.plan) for row in rows]
    return lambda: DayPlans(plans, _time_of_day), {row.plan.plan.name: row.number for row in rows}


def _time_of_day() -> float:
    now = time.time()
    here = time.localtime(now)
    return here.tm_hour * 3600 + here.tm_min * 60 + here.tm_sec + now % 1
