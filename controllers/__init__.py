"""Strategies: state in, wish out. One strategy a file, loaded when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from ..core.errors import InputError

CONTROLLERS: dict[str, tuple[str, str]] = {
    "adaptive": ("adaptive", "Adaptive"),
    "actuated": ("actuated", "Actuated"),
    "laemmer": ("laemmer", "Laemmer"),
    "max-pressure": ("max_pressure", "MaxPressure"),
}
"""Name -> (module in this room, class)."""


def load_controller(name: str, beside: tuple[str, ...] = ()) -> type[Any]:
    """The class of a strategy; raises InputError naming the nearest right name, or all of them and what there is `beside`.

    >>> load_controller("max-pressure").__name__
    'MaxPressure'
    """
    try:
        module, attribute = CONTROLLERS[name]
    except KeyError:
        near = difflib.get_close_matches(name, CONTROLLERS, n=1)
        hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join((*CONTROLLERS, *beside))
        raise InputError(f"there is no controller {name}; {hint}") from None
    found = getattr(importlib.import_module(f".{module}", __package__), attribute)
    return found  # type: ignore[no-any-return]
