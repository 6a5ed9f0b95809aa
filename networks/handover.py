"""A running light is taken over from the simulator's own program, without a jump, and runs a plan from then on."""

from __future__ import annotations

import numpy as np

from ..core.aspects import Aspect
from ..core.certify import SafePlan
from ..core.errors import InputError
from ..core.messages import _
from ..core.sequencer import TICKS, Sequencer
from .light import Light
from .programs import GREEN

PATIENCE = 600.0
"""How long a light may show nothing that is a stage of its site [s]."""


class Handover:
    """One light on its way from what it shows to a plan.

    It is left alone until it shows a stage of the site, fully green; from that second on a sequencer in the same state
    owns it, which leads to the plan and keeps every minimum and intergreen, as it would in a cabinet.
    """

    def __init__(self, light: Light, plan: SafePlan) -> None:
        site = light.intersection
        self.light = light
        self._plan = plan
        self._rows = [site.stage_index[stage.name] for stage in plan.intersection.stages]
        self._sequencer = Sequencer(site)
        self._clearance = np.where(site.conflict, site.intergreen, 0.0).max(axis=1)
        self._indices = [
            [link.index for link in light.links if link.group == row] for row, _group in enumerate(site.groups)
        ]
        self._waits_since: float | None = None
        self.taken: float | None = None
        """When the light was taken over [s], None before."""

    def letters(self, time: float, shown: str) -> str | None:
        """What to show from `time` [s] on, where `shown` is what it shows now; None to leave it to its own program.

        Call it once a second. Raises InputError where no stage is recognised for ten minutes.
        """
        if self.taken is None:
            stage = self._recognised(shown)
            if stage is None:
                self._waits_since = time if self._waits_since is None else self._waits_since
                if time - self._waits_since > PATIENCE:
                    raise InputError(
                        _(
                            "light {light}: its program shows none of the site's stages, so no plan can take over"
                        ).format(light=self.light.name)
                    )
                return None
            self._enter(stage)
            self.taken = time
        else:
            self._sequencer.elapse()
        self._sequencer.grant(self._rows[self._plan.stage_at(time)])
        clearing = (self._sequencer.since_green < self._clearance) & (self._sequencer.aspects != int(Aspect.GREEN))
        return self.light.letters(self._sequencer.aspects, self._sequencer.stage, clearing)

    def _recognised(self, shown: str) -> int | None:
        """The stage whose groups, and no others, are green, while nothing changes."""
        lit = [{shown[k] for k in indices} for indices in self._indices]
        green = np.array([bool(letters) and letters <= GREEN for letters in lit])
        still = all(letters <= GREEN or letters <= {"r", "O", "o", "s"} for letters in lit if letters)
        if not still:
            return None
        for row, stage in enumerate(self.light.intersection.stage_greens):
            if (green == stage).all():
                return row
        return None

    def _enter(self, stage: int) -> None:
        """Bring the sequencer into this stage: just green, so that its least green still runs."""
        wanted = self.light.intersection.stage_greens[stage]
        for _tick in range(int(PATIENCE) * TICKS):
            self._sequencer.grant(stage)
            if (self._sequencer.aspects[wanted] == int(Aspect.GREEN)).all():
                break
            self._sequencer.elapse(1)
