"""Sites as planning sees them: minima, interstages and rights of way carried over, plans that certify would accept."""

import numpy as np
import pytest
from hypothesis import given, settings

from signalwright.core.errors import InputError
from signalwright.core.intersection import Intersection, SignalGroup, Stage
from signalwright.core.plan import Plan, cycle_of
from signalwright.core.planning.site import light_of
from signalwright.core.planning.split import share_out
from strategies import sites


@given(sites())
@settings(deadline=None)
def test_a_light_keeps_what_the_site_demands(site: Intersection) -> None:
    """Least greens cover every group of a stage, interstages are the site's, and greens shared out give a plan of the cycle asked for."""
    try:
        light = light_of(site)
    except InputError:
        names = [s.name for s in site.stages]
        assert any((names[k - 1], names[k]) in site.barred for k in range(len(names)))
        return
    for k, stage in enumerate(site.stages):
        assert all(light.minima[k] >= g.min_green for g in site.groups if g.name in stage.green)
    if len(light.stages) < 2:
        return
    cycle = sum(light.minima) + light.lost(light.usual) + 13
    greens = share_out(cycle - light.lost(light.usual), [1.0] * len(light.stages), light.minima)
    plan = Plan("even", light.stages, tuple(int(g) for g in greens))
    assert cycle_of(plan, site) == cycle


def test_barred_changes_keep_an_order_from_being_taken() -> None:
    """Of two orders only the lawful one is left; with none left the site is named."""
    groups = tuple(SignalGroup(name, ()) for name in "abc")
    conflict = ~np.eye(3, dtype=bool)
    stages = tuple(Stage(name, frozenset(name)) for name in "abc")
    nothing = np.zeros((3, 3), dtype=bool)
    site = Intersection(
        "x", groups, stages, conflict, nothing, np.where(conflict, 5.0, 0.0), barred=frozenset({("a", "b")})
    )
    assert light_of(site, orders=[("a", "b", "c"), ("a", "c", "b")]).orders == ((0, 2, 1),)
    with pytest.raises(InputError, match="x: every order"):
        light_of(site)
