"""What went on at the lights before the window: each cabinet started and ran its own plan, nobody asking for anything."""

from __future__ import annotations

from ..hardware.emulator.cabinet import TICKS, EmulatedCabinet, Timing
from ..hardware.emulator.plans import local_plans
from ..networks.sumo import SumoCabinet, SumoStreet

BEFORE = 40
"""For so long before the window [s]."""
EARLY = 0.02
"""Cabinets begin so much later than a whole second [s], so that the tenth tick, with which a sample ends, is that of a second's begin."""
FIRST = 5
"""Ticks of a second until a request at its begin is acted upon, and until lamps are looked at."""
TIMING = Timing(startup_flash=2.0, startup_red=3.0)
"""How cabinets start then."""


class Prelude:
    """The clock of a street that has not begun yet: its lamps are where the plans of its cabinets have brought them, and
    follow them through the first second; then they are ours."""

    def __init__(self, street: SumoStreet) -> None:
        self._street = street
        self._cabinets: list[tuple[SumoCabinet, EmulatedCabinet]] = []
        for roadside in street.cabinets.values():
            site = roadside.intersection
            cabinet = EmulatedCabinet(site, local_plans((), site), street.time - BEFORE + EARLY, TIMING)
            for _tick in range(BEFORE * TICKS + FIRST):
                cabinet.tick()
            roadside.follow(cabinet.sequencer)
            roadside.show()
            self._cabinets.append((roadside, cabinet))

    def tick(self) -> bool:
        """See Clock."""
        more = self._street.tick()
        for roadside, cabinet in self._cabinets:
            for _tick in range(TICKS - 1):
                cabinet.tick()
            roadside.lead(cabinet.sequencer)
        self._cabinets = []
        return more
