"""Hypothesis strategies: any lawful site, any mad controller."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from signalwright.core.errors import SiteError
from signalwright.core.intersection import GroupKind, Intersection, SignalGroup, Stage
from signalwright.core.sequencer import tables_of


def random_site(rng: np.random.Generator, max_groups: int = 8) -> Intersection | None:
    """A site drawn from `rng`; None where the draw is not lawful."""
    n = int(rng.integers(1, max_groups + 1))

    def pick(*values: float) -> float:
        return float(rng.choice(values))

    groups = []
    for j in range(n):
        walker = rng.random() < 0.25
        amber = 0.0 if walker else pick(3.0, 3.0, 3.4, 4.0, 5.0)
        groups.append(
            SignalGroup(
                f"g{j}", (), GroupKind.PEDESTRIAN if walker else GroupKind.VEHICLE,
                min_green=pick(3.0, 5.0, 5.0, 7.3, 10.0), amber=amber,
                red_amber=0.0 if walker else pick(0.0, 0.0, 1.0, 2.0),
                max_red=None if rng.random() < 0.1 else pick(60.0, 90.0, 120.0, 180.0, 240.0),
            )
        )  # fmt: skip
    upper = np.triu(rng.random((n, n)) < rng.uniform(0.1, 0.9), 1)
    conflict = upper | upper.T
    yields = np.triu(rng.random((n, n)) < 0.2, 1) & conflict
    exclusive = conflict & ~yields & ~yields.T
    amber_of = np.array([g.amber for g in groups])
    intergreen = np.where(conflict, np.maximum(amber_of[:, None], np.round(rng.uniform(0, 15, (n, n)), 1)), 0.0)
    stages: list[frozenset[str]] = []
    for _ in range(int(rng.integers(1, 7))):
        row: list[int] = []
        for j in rng.permutation(n):
            if not any(exclusive[i, j] for i in row) and rng.random() < 0.8:
                row.append(int(j))
        stages.append(frozenset(f"g{j}" for j in row))
    for j in range(n):
        if not any(f"g{j}" in s for s in stages):
            stages.append(frozenset({f"g{j}"}))
    named = tuple(Stage(f"s{k}", green) for k, green in enumerate(dict.fromkeys(stages)))
    pairs = [(a.name, b.name) for a in named for b in named if a is not b]
    barred = frozenset(pair for pair in pairs if rng.random() < 0.05)
    try:
        site = Intersection("any", tuple(groups), named, conflict, yields, intergreen, barred=barred)
        tables_of(site)
    except SiteError:
        return None
    return site


@st.composite
def sites(draw: Any, max_groups: int = 8) -> Intersection:
    """Any lawful site."""
    site = random_site(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), max_groups)
    assume(site is not None)
    assert site is not None
    return site


@st.composite
def mad_wishes(draw: Any, site: Intersection) -> list[tuple[int | None, int, list[bool] | None]]:
    """What a mad controller asks for: (wish, ticks until the next one, calls)."""
    n_stages, n_groups = len(site.stages), len(site.groups)
    wish = st.one_of(st.none(), st.integers(-3, n_stages + 2), st.integers(0, n_stages - 1))
    calls = st.one_of(st.none(), st.lists(st.booleans(), min_size=n_groups, max_size=n_groups))
    steps: list[tuple[int | None, int, list[bool] | None]] = draw(
        st.lists(st.tuples(wish, st.integers(1, 60), calls), min_size=1, max_size=80)
    )
    return steps
