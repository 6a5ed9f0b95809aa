"""Bands of a network's arterial: as wide as its greens allow, and at the offsets that plans then have."""

import numpy as np
import pytest

from planning_networks import streets
from signalwright.core.errors import InputError
from signalwright.core.plan import Plan
from signalwright.core.planning.arterial import Arterial, band_start
from signalwright.core.planning.climb import Model, Setting
from signalwright.core.planning.network import first_setting, optimise

STAGE = frozenset({"east-west"})


def arterial(count: int) -> Arterial:
    """The middle row of a grid, 250 m from light to light."""
    names = tuple(f"0.{k}" for k in range(count))
    return Arterial("main", names, tuple(250.0 * k for k in range(count)), (STAGE,) * count, (STAGE,) * count, 12.5)


def shows_green(town_light: int, setting: Setting, time: int, cycle: int) -> bool:
    """Is the first stage of a two-stage light green at a second, from the plan's own definition?"""
    a, b = 2 * town_light, 2 * town_light + 1
    order = [int(k) for k in setting.order[a : b + 1]]
    at = (time - int(setting.offset[town_light])) % cycle
    first = order.index(0)
    begin = 5 if first == 0 else 10 + int(setting.green[a])
    return begin <= at < begin + int(setting.green[a + first])


def test_a_car_in_the_band_meets_only_green() -> None:
    """A car that starts in the middle of a band sees green at both lights of every link, the way out and the way back."""
    town, cycle = streets(1, 4), 80
    setting, wave = band_start(town, cycle, first_setting(Model(town, cycle)), arterial(4))
    assert sum(band.width for band in wave.bands) > 60
    for band in wave.bands:
        for name, start in zip(band.signals, band.starts, strict=True):
            if band.width > 4:
                assert shows_green(int(name[-1]), setting, round(start + band.width / 2), cycle)


def test_bands_are_a_start_for_the_search() -> None:
    """The search with the arterial finds plans no worse than without, and they are still lawful plans."""
    town = streets(1, 4, demand=500.0)
    plain = optimise(town, cycles=[70], restarts=1, generations=0)
    banded = optimise(town, cycles=[70], restarts=1, generations=0, arterials=[arterial(4)])
    assert banded[0].value <= plain[0].value + 1e-9
    assert len(banded) > len(plain)
    assert all(isinstance(plan, Plan) for plan in banded[0].plans)


def test_messages() -> None:
    """Unknown lights and stages are named."""
    town = streets(1, 2)
    setting = first_setting(Model(town, 60))
    with pytest.raises(InputError, match=r"no light 0\.2"):
        band_start(town, 60, setting, arterial(3))
    wrong = Arterial("main", ("0.0", "0.1"), (0.0, 250.0), (frozenset({"up"}),) * 2, (STAGE,) * 2, 12.5)
    with pytest.raises(InputError, match="no stage up"):
        band_start(town, 60, setting, wrong)
    with pytest.raises(InputError, match="there must be two"):
        Arterial("main", ("0.0",), (0.0,), (STAGE,), (STAGE,), 12.5)
    assert np.all(setting.green >= 7)
