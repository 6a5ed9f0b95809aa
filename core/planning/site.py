"""From a site to a light of the streets. What its stages have to carry is in `fixed.stage_demand`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..intersection import Intersection
from .streets import Light


def light_of(site: Intersection, *, orders: Sequence[Sequence[str]] = (), repeats: int = 1) -> Light:
    """The light as the network optimiser sees it; stages' least greens are those of their groups, pedestrians' included.

    orders : orders of stages that may be tried, each naming every stage once; the site's own order when empty.
    A change between stages that is barred keeps an order from being taken. Raises InputError when none is left.
    """
    names = tuple(stage.name for stage in site.stages)
    rows = [tuple(site.stage_index[name] for name in order) for order in orders] or [tuple(range(len(names)))]
    lawful = [
        row for row in rows if not any((names[row[k - 1]], names[row[k]]) in site.barred for k in range(len(row)))
    ]
    if not lawful:
        raise InputError(f"{site.name}: every order of stages asked for contains a change that is barred")
    n = len(names)
    table = np.array([[site.interstage(i, j) if i != j else 0 for j in range(n)] for i in range(n)], dtype=float)
    return Light(site.name, names, tuple(_minima(site)), table, tuple(lawful), repeats)


def _minima(site: Intersection) -> list[int]:
    return [
        max([1, *(int(np.ceil(g.min_green - 1e-9)) for g in site.groups if g.name in stage.green)])
        for stage in site.stages
    ]
