"""Adaptive traffic signal control: loop counts in, safe signals out.

What most people need is here and loaded when it is first used; the rest lies in the rooms `core`, `controllers`, `networks`, `hardware` and
`experiments`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .core.certify import SafePlan, certify
    from .core.errors import SignalwrightError
    from .core.intersection import Intersection
    from .core.plan import Plan
    from .core.ports import Controller, Refusal
    from .core.sequencer import Sequencer
    from .core.state import TrafficState
    from .experiments.run import rerun, run_once
    from .experiments.spec import RunSpec
    from .networks.netfile import read_lights
    from .networks.scenario import read_scenario

_HOMES = {
    "Controller": ".core.ports",
    "Intersection": ".core.intersection",
    "Plan": ".core.plan",
    "Refusal": ".core.ports",
    "RunSpec": ".experiments.spec",
    "SafePlan": ".core.certify",
    "Sequencer": ".core.sequencer",
    "SignalwrightError": ".core.errors",
    "TrafficState": ".core.state",
    "certify": ".core.certify",
    "read_lights": ".networks.netfile",
    "read_scenario": ".networks.scenario",
    "rerun": ".experiments.run",
    "run_once": ".experiments.run",
}

__all__ = [
    "Controller",
    "Intersection",
    "Plan",
    "Refusal",
    "RunSpec",
    "SafePlan",
    "Sequencer",
    "SignalwrightError",
    "TrafficState",
    "__version__",
    "certify",
    "read_lights",
    "read_scenario",
    "rerun",
    "run_once",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)
