"""Plan + Intersection -> SafePlan, or every reason why not. Nothing else makes a SafePlan."""

from __future__ import annotations

import math
from dataclasses import InitVar, dataclass

from .errors import UnsafePlan
from .intersection import Intersection
from .plan import Plan, interstages_of
from .sequencer import Sequencer

_SEAL = object()


@dataclass(frozen=True, slots=True)
class SafePlan:
    """A plan that `certify` found lawful for its intersection.

    `sequence` are stage rows, `starts` [s] when each stage's interstage begins within the cycle, `cycle` [s].
    """

    plan: Plan
    intersection: Intersection
    sequence: tuple[int, ...]
    starts: tuple[int, ...]
    cycle: int
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a SafePlan comes from certify() only")

    def stage_at(self, time: float) -> int:
        """The stage row to be asked for at `time` [s]."""
        within = (time - self.plan.offset) % self.cycle
        current = self.sequence[-1]
        for stage, start in zip(self.sequence, self.starts, strict=True):
            if start > within:
                break
            current = stage
        return current


def certify(plan: Plan, site: Intersection) -> SafePlan:
    """Check a plan against every rule of its site; raises UnsafePlan with all reasons."""
    reasons = _form(plan, site)
    if reasons:
        raise UnsafePlan(plan.name, reasons)
    sequence = tuple(site.stage_index[name] for name in plan.stages)
    interstages = interstages_of(plan, site)
    starts, now = [], 0
    for interstage, green in zip(interstages, plan.greens, strict=True):
        starts.append(now)
        now += interstage + green
    reasons = _timeline(site, sequence, tuple(starts), interstages, now)
    if reasons:
        raise UnsafePlan(plan.name, reasons)
    safe = SafePlan(plan, site, sequence, tuple(starts), now, _SEAL)
    reasons = _rehearsal(safe)
    if reasons:
        raise UnsafePlan(plan.name, reasons)
    return safe


def _form(plan: Plan, site: Intersection) -> list[str]:
    """What is wrong before any clock runs."""
    reasons = []
    if not plan.stages:
        reasons.append(f"it has no stages; {site.name} has {', '.join(s.name for s in site.stages)}")
    if len(plan.stages) != len(plan.greens):
        reasons.append(f"{len(plan.stages)} stages but {len(plan.greens)} greens; give one green for each stage")
    reasons += [
        f"{site.name} has no stage {name}; it has {', '.join(s.name for s in site.stages)}"
        for name in plan.stages
        if name not in site.stage_index
    ]
    reasons += [
        f"stage {stage}: a green of {green} s is not a whole number of seconds above zero"
        for stage, green in zip(plan.stages, plan.greens, strict=False)
        if green <= 0 or not math.isfinite(green) or green != int(green)
    ]
    if len(plan.stages) > 1:
        for before, after in zip((plan.stages[-1], *plan.stages), plan.stages, strict=False):
            if before == after:
                reasons.append(f"stage {after} follows itself; make it one stage with a longer green")
            if (before, after) in site.barred:
                reasons.append(f"the site bars the change {before} -> {after}; put another stage between them")
    return reasons


def _timeline(
    site: Intersection, sequence: tuple[int, ...], starts: tuple[int, ...], interstages: tuple[int, ...], cycle: int
) -> list[str]:
    """Follow every group through three cycles, the last of them as it will repeat for ever."""
    n = len(site.groups)
    greens, exclusive = site.stage_greens, site.exclusive
    ended = [-math.inf] * n
    began: list[float | None] = [None] * n
    reasons: dict[str, None] = {}
    served = [bool(greens[list(sequence), j].any()) for j in range(n)]
    for j, group in enumerate(site.groups):
        if not served[j] and group.max_red is not None:
            reasons[f"group {group.name} is never green; add a stage that serves it"] = None
    for lap in range(3):
        for k, stage in enumerate(sequence):
            now = lap * cycle + starts[k]
            for i, group in enumerate(site.groups):
                start = began[i]
                if start is not None and not greens[stage, i]:
                    if now - start < group.min_green - 1e-9:
                        reasons[
                            f"group {group.name} is green for {now - start:g} s before stage {site.stages[stage].name}; "
                            f"its minimum green is {group.min_green:g} s"
                        ] = None
                    ended[i], began[i] = now, None
            for j, group in enumerate(site.groups):
                if began[j] is not None or not greens[stage, j]:
                    continue
                start = float(now)
                late = None
                for i in range(n):
                    if exclusive[i, j] and ended[i] + site.intergreen[i, j] > start:
                        start, late = math.ceil(ended[i] + site.intergreen[i, j] - 1e-9), i
                start = max(start, now + group.red_amber)
                if start > now + interstages[k] + 1e-9 and late is not None:
                    reasons[
                        f"group {group.name} cannot be green on time in stage {site.stages[stage].name}: the intergreen from "
                        f"{site.groups[late].name} needs {start - now - interstages[k]:g} s more; lengthen the stage before"
                    ] = None
                if group.max_red is not None and start - ended[j] > group.max_red and ended[j] > -math.inf:
                    reasons[
                        f"group {group.name} is red for {start - ended[j]:g} s, longer than its longest red of {group.max_red:g} s; "
                        f"shorten the cycle of {cycle} s or serve it twice"
                    ] = None
                began[j] = start
    return list(reasons)


def _rehearsal(safe: SafePlan) -> list[str]:
    """Ask the sequencer for the plan, second by second; once in step it must follow without overruling it."""
    sequencer = Sequencer(safe.intersection)
    stages = safe.intersection.stages
    for second in range(4 * safe.cycle):
        wish = safe.stage_at(second + safe.plan.offset)
        sequencer.grant(wish)
        if second >= 2 * safe.cycle and sequencer.stage != wish:
            return [
                f"at second {second % safe.cycle} of the cycle stage {stages[wish].name} cannot begin while stage "
                f"{stages[sequencer.stage].name} must be kept or served for the longest red; shorten the cycle of {safe.cycle} s "
                "or raise the longest red"
            ]
        sequencer.elapse()
    return []
