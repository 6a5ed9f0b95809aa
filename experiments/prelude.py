"""What went on at the lights before the window: each cabinet started and ran its own plan, nobody asking for anything."""

from __future__ import annotations

from ..hardware.emulator.cabinet import TICKS, EmulatedCabinet, Timing
from ..hardware.emulator.plans import local_plans
from ..networks.sumo import SumoStreet

BEFORE = 40
"""For so long before the window [s]."""
TIMING = Timing(startup_flash=2.0, startup_red=3.0)
"""How cabinets start then."""


def let_plans_run(street: SumoStreet) -> None:
    """Have the lamps of a street that has not begun yet where the plans of its cabinets have brought them."""
    for roadside in street.cabinets.values():
        site = roadside.intersection
        cabinet = EmulatedCabinet(site, local_plans((), site), street.time - BEFORE + 0.02, TIMING)
        for _tick in range(BEFORE * TICKS + 4):
            cabinet.tick()
        roadside.begin_as(cabinet.sequencer)
