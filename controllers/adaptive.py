"""Looks ahead each second and asks for the stage the cheapest course of the next minute begins with.

Where the loops cannot be believed it falls back, and says so: on little confidence to an index rule; on hardly any, or when nobody at all
is seen for long, to what the neighbours tell, and where they do not tell of most lanes to serving a few stages in turn.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..core.forecast import Forecast
from ..core.hearsay import UNSEEN, WATCHED, Hearsay
from ..core.horizon import Decision, Horizon
from ..core.intersection import Intersection
from ..core.neighbours import Neighbours
from ..core.planning.fixed import needed_stages
from ..core.ports import Wish
from ..core.state import TrafficState
from ..core.weights import Weights
from .laemmer import Laemmer

RELEARN = 10
"""Seconds between two looks at turning shares and saturation flows."""
DOUBTFUL, BLIND = 0.5, 0.2
"""Mean confidence under which the index rule decides, and under which stages are served in turn."""
SEES = ("search", "index")
"""Modes in which what the loops count is believed, and told."""
TURN = 15.0
"""Seconds each stage is held for when nothing can be seen."""
SILENCE = 60.0
"""Seconds without a vehicle at any stop line after which stages are served in turn: it costs nobody anything, and the loops may be dead."""
SOMEBODY = 0.5
"""Vehicles seen that make a silence end."""


class Adaptive:
    """The rolling-horizon controller of one intersection. `decision` is the last search, `mode` how the last wish was found."""

    def __init__(self, site: Intersection, weights: Weights | None = None) -> None:
        self.site = site
        self.horizon = Horizon(site, weights)
        self.neighbours = Neighbours(site, self.horizon.weights.horizon)
        self.hearsay = Hearsay(self.neighbours)
        self.decision: Decision | None = None
        self.mode = "search"
        self._index = Laemmer(site)
        self._in_turn = _few_stages(site, self.horizon.length)
        self._since = RELEARN
        self._letters: tuple[Forecast, ...] = ()

    def decide(self, state: TrafficState) -> Wish:
        """The stage to ask for now; None to stay."""
        self._letters = self.neighbours.count(state) if self.mode in SEES else ()
        self._since += 1
        if len(state.greened):
            self.horizon.watch(state)
        if self._since >= RELEARN:
            self._since = 0
            if self.mode == "hearsay":
                self.horizon.distrust(self.hearsay.watched < WATCHED)
            self.horizon.learn(state)
        if state.stage < 0:
            return 0
        if self.mode == "hearsay":
            self._listen(state)
        if state.in_interstage:
            return None
        was = self.mode
        sure = float(state.confidence.mean()) if len(state.confidence) else 0.0
        self.mode = "search" if sure >= DOUBTFUL else "index" if sure >= BLIND else "in turn"
        if self.mode in SEES and (_silent(state) or self._deceived(state, was)):
            self.mode = "silent"
        if self.mode in ("in turn", "silent") and self.hearsay.known(state):
            self.mode = "hearsay"
            if was != "hearsay":
                self._listen(state)
            return self._search(self.hearsay.state(state), told=None)
        if self.mode in ("in turn", "silent"):
            self._letters += self.neighbours.greet(state)
            return self._next(state.stage) if state.elapsed >= TURN else None
        if self.mode == "index":
            return self._index.decide(state)
        return self._search(state, told=self.neighbours.correction(state))

    def _next(self, stage: int) -> Wish:
        """The stage after this one when stages are served in turn."""
        order = sorted(self._in_turn, key=lambda to: to <= stage)
        return next((to for to in order if self.horizon.length[stage, to] >= 0), (stage + 1) % len(self.site.stages))

    def _deceived(self, state: TrafficState, was: str) -> bool:
        """Whether neighbours saw who the loops did not see, and these have seen nobody since."""
        seen = not len(state.gap) or state.gap.min() < UNSEEN
        return not seen and (was == "hearsay" or self.hearsay.contradicts(state))

    def _search(self, state: TrafficState, told: npt.NDArray[np.float64] | None) -> Wish:
        """What the search finds best; whoever should leave is told to those downstream."""
        self.decision = self.horizon.decide(state, told=told, closed=self.neighbours.shut(state))
        if any(way.towards for way in self.site.exits):
            self._letters += self.neighbours.tell(state, self.horizon.outflow())
        return None if self.decision.stage == state.stage else self.decision.stage

    def _listen(self, state: TrafficState) -> None:
        self.hearsay.second(state, self.horizon.going(max(state.stage, 0), self.hearsay.waits, self.hearsay.coming))

    def tell(self) -> tuple[Forecast, ...]:
        """What the neighbours should know after the last decision."""
        return self._letters

    def hear(self, forecasts: tuple[Forecast, ...]) -> None:
        """What they said, before the next decision."""
        self.neighbours.hear(forecasts)
        self.hearsay.hear(forecasts)

    def explain(self, state: TrafficState) -> str:
        """The last decision in words: what is seen, what is expected, what was chosen, and the two next best at what cost."""
        site, stages = self.site, self.site.stages
        seen = [
            f"{lane.name} {state.queue[k]:.0f} waiting, {state.arrivals[k, :10].sum():.1f} more within 10 s"
            + (f", blocked for {state.closed[k]:.0f} s" if len(state.closed) and state.closed[k] > 0 else "")
            for k, lane in enumerate(site.lanes)
            if state.queue[k] >= 0.5 or state.arrivals[k, :10].sum() >= 0.5
        ]
        lines = [f"{state.time:.0f} s, {site.name}, stage {stages[state.stage].name} for {state.elapsed:.0f} s"]
        lines.append("seen: " + ("; ".join(seen) or "nobody"))
        if state.in_interstage:
            lines.append("a change or a minimum green is running: nothing to decide")
        elif self.mode == "silent":
            lines.append("nobody seen for long: stages in turn, in case the loops are dead")
        elif self.mode == "hearsay":
            lines.append(
                "too few loops can be believed, or none saw anybody for long: decided by what the neighbours tell"
            )
        elif self.mode != "search" or self.decision is None:
            lines.append(
                f"decided by: {self.mode}, for too few loops can be believed ({np.mean(state.confidence):.0%})"
            )
        else:
            costs = sorted(self.decision.costs, key=lambda pair: pair[1])
            for place, (stage, cost) in enumerate(costs[:3]):
                what = "stay" if stage == state.stage else f"change to {stages[stage].name}"
                lines.append(
                    f"{'chosen' if place == 0 else 'instead'}: {what}, {cost:.0f} vehicle seconds in the next minute"
                )
            course = [f"{slot} s {stages[stage].name}" for k, (slot, stage) in enumerate(self.decision.course)
                      if k == 0 or stage != self.decision.course[k - 1][1]]  # fmt: skip
            lines.append("expected course: " + ", ".join(course))
        return "\n".join(lines)


def _few_stages(site: Intersection, length: npt.NDArray[np.int32]) -> list[int]:
    """The stages served in turn: as few as give every group green, for each change costs everyone; all, where a change between these is
    barred (-1 in `length`, (n_stages, n_stages))."""
    greens = site.stage_greens
    few = needed_stages(site, {move.name: 1.0 for move in site.movements}, give_way=math.inf)
    for row, green in enumerate(greens):
        if (green & ~greens[few].any(axis=0)).any():  # planning leaves out groups without a longest red
            few.append(row)
    few.sort()
    lawful = all(length[a, b] >= 0 for a, b in zip(few, few[1:] + few[:1], strict=True))
    return few if lawful else list(range(len(greens)))


def _silent(state: TrafficState) -> bool:
    """Whether nobody has been at a stop line for long, and nobody is seen on the way."""
    if not len(state.gap) or state.gap.min() < SILENCE:
        return False
    within = np.arange(state.arrivals.shape[1]) < state.sight[:, None] if len(state.sight) else 1.0
    seen = state.queue + (state.arrivals * within).sum(axis=1)
    return bool(seen[state.confidence >= DOUBTFUL].sum() < SOMEBODY)
