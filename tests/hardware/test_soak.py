"""The soak in short: every fault at random for part of a day; `python tests/bench/soak.py` runs the whole day."""

from __future__ import annotations

import pytest

from soak import FAULTS, Day


@pytest.mark.parametrize("protocol", ["gbt", "ntcip", "ab3418"])
def test_a_quarter_of_an_hour_of_random_faults(protocol: str) -> None:
    """No conflicting greens, no command stuck, in control again after every fault, no write to a wrong device."""
    tally = Day(protocol, seed=4).live(900.0)
    assert tally.is_clean, tally.table()
    assert tally.faults >= 8
    assert tally.stages > 20


def test_each_fault_alone_ends_in_control() -> None:
    """Every fault is put in once, for 12 seconds: it is noticed where it must be, and control comes back."""
    day = Day("gbt", seed=5)
    day.until_ours("start")
    for kind, begin in FAULTS.items():
        day.quiet = False
        end = begin(day)
        day.run(12.0)
        end()
        day.quiet = True
        day.until_ours(kind)
        day.run(6.0)
    assert day.tally.is_clean, day.tally.table()
    assert day.tally.returned.keys() == {"start", *FAULTS}


def test_the_same_seed_is_the_same_day() -> None:
    """Two soaks with one seed come to the same figures, to the last digit."""
    first, second = (Day("gbt", seed=6).live(240.0) for _ in range(2))
    assert first.table() == second.table()
