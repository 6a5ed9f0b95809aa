"""Sites as planning sees them: minima, interstages and rights of way carried over, plans that certify would accept."""

import numpy as np
import pytest
from hypothesis import given, settings

from signalwright.core.errors import InputError
from signalwright.core.intersection import GroupKind, Intersection, Lane, Movement, SignalGroup, Stage
from signalwright.core.plan import Plan, cycle_of
from signalwright.core.planning.fixed import stage_demand
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


def test_who_goes_straight_on_gives_way_to_nobody() -> None:
    """In a group with turns only these wait for the crossing beside them, so a lane for straight on keeps its saturation flow."""
    straight = Movement("straight", "w", "e", ("middle", "right"), "straight")
    right = Movement("right", "w", "s", ("right",), "right")
    groups = (
        SignalGroup("cars", (straight, right)),
        SignalGroup("side", (Movement("side", "n", "s", ("north",)),)),
        SignalGroup("walkers", (), kind=GroupKind.PEDESTRIAN),
    )
    lanes = tuple(Lane(name, 100.0, 100.0, 14.0) for name in ("middle", "right", "north"))
    conflict = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=bool)
    yields = np.zeros((3, 3), dtype=bool)
    yields[0, 2] = True
    stages = (Stage("main", frozenset({"cars", "walkers"})), Stage("side", frozenset({"side"})))
    site = Intersection("x", groups, stages, conflict, yields, 4.0 * conflict, lanes)
    demand = stage_demand(site, {"straight": 700.0, "right": 200.0, "side": 300.0}, [0, 1])
    assert demand.flow.tolist() == pytest.approx([450.0, 450.0, 300.0])
    turning = 200.0 / 450.0
    assert demand.saturation.tolist() == pytest.approx([1800.0, 1800.0 * (1.0 - 0.4 * turning), 1800.0])
