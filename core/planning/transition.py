"""From one plan to the next without breaking a minimum: dwell, add, subtract, shortway, second by second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import InputError
from ..plan import Plan
from .split import share_out
from .streets import Light

Method = Literal["dwell", "add", "subtract", "shortway"]

STRETCH = 0.2  # share of the cycle by which one cycle may be lengthened or shortened on the way


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the timetable: the interstage before it begins at `start` [s], then it is green for `green` [s]."""

    start: int
    stage: str
    interstage: int
    green: int

    @property
    def end(self) -> int:
        """When its green ends [s]."""
        return self.start + self.interstage + self.green


@dataclass(frozen=True, slots=True)
class Transition:
    """The timetable of a change of plan.

    steps: from the old plan's cycle in which the change was asked for to one whole cycle of the new plan in step;
    in_step [s]: when the new plan's own timetable begins; method: what was done (shortway says add or subtract).
    """

    steps: tuple[Step, ...]
    in_step: int
    method: Method

    def seconds(self) -> tuple[tuple[int, str, bool], ...]:
        """(time [s], stage, green?) for every second; during an interstage the stage is the coming one."""
        return tuple(
            (time, step.stage, time >= step.start + step.interstage)
            for step in self.steps
            for time in range(step.start, step.end)
        )


def transition(
    light: Light, old: Plan, new: Plan, at: int, method: Method = "shortway", *, longest_dwell: int | None = None
) -> Transition:
    """Change from `old` to `new`, asked for at second `at` (of the same clock as the offsets).

    The old plan runs to the end of its cycle; then the new plan's cycles are stretched or cut until its offset is met:
    "dwell" holds the new plan's first stage (at most `longest_dwell` [s] a cycle), "add" lengthens every stage by up to a
    fifth of the cycle in all, "subtract" shortens those that are above their least green, "shortway" takes whichever of
    the two needs fewer cycles (add when equal, since it cuts no pedestrian short).
    Raises InputError when a plan breaks the light's least greens, or nothing can be subtracted.
    """
    rows_old, rows = _rows(light, old), _rows(light, new)
    interstages = [_interstage(light, rows[k - 1], rows[k]) for k in range(len(rows))]
    cycle = sum(new.greens) + sum(interstages)
    last_cycle = [_interstage(light, rows_old[k - 1], rows_old[k]) for k in range(len(rows_old))]
    old_cycle = sum(old.greens) + sum(last_cycle)
    begin = at - (at - old.offset) % old_cycle
    steps = _cycle_steps(begin, old.stages, last_cycle, old.greens)
    if begin == at:  # the change is asked for just as a cycle ends
        steps = _cycle_steps(begin - old_cycle, old.stages, last_cycle, old.greens)
    change = steps[-1].end
    first = _interstage(light, rows_old[-1], rows[0]) if rows_old[-1] != rows[0] else 0
    zero = change + first - interstages[0]
    late = (new.offset - zero) % cycle
    changes, done = _stretches(light, rows, new, cycle, late, method, longest_dwell)
    for k, stretched in enumerate([*changes, new.greens]):
        opening = [first, *interstages[1:]] if k == 0 else interstages
        steps += _cycle_steps(steps[-1].end, new.stages, opening, stretched)
    in_step = steps[-len(rows)].start if changes else zero
    return Transition(tuple(_merged(steps)), in_step, done)


def _rows(light: Light, plan: Plan) -> list[int]:
    unknown = [name for name in plan.stages if name not in light.stages]
    if unknown:
        raise InputError(
            f"plan {plan.name}: light {light.name} has no stage {unknown[0]}; it is a plan for another light"
        )
    rows = [light.stages.index(name) for name in plan.stages]
    for row, green in zip(rows, plan.greens, strict=True):
        if green < light.minima[row]:
            raise InputError(
                f"plan {plan.name}: {green} s of green for stage {light.stages[row]} is under the {light.minima[row]} s "
                f"light {light.name} needs"
            )
    return rows


def _interstage(light: Light, before: int, after: int) -> int:
    return 0 if before == after else round(float(light.interstage[before, after]))


def _cycle_steps(begin: int, stages: tuple[str, ...], interstages: list[int], greens: tuple[int, ...]) -> list[Step]:
    steps = []
    for stage, interstage, green in zip(stages, interstages, greens, strict=True):
        steps.append(Step(begin, stage, interstage, green))
        begin = steps[-1].end
    return steps


def _stretches(
    light: Light, rows: list[int], new: Plan, cycle: int, late: int, method: Method, longest_dwell: int | None
) -> tuple[list[tuple[int, ...]], Method]:
    """Greens of each changed cycle, so that the cycles together are `late` seconds longer (or a cycle less that shorter)."""
    if late == 0:
        return [], method
    most = max(1, int(STRETCH * cycle))
    spare = [green - light.minima[row] for row, green in zip(rows, new.greens, strict=True)]
    cut = min(most, sum(spare))
    if method == "shortway":
        method = "subtract" if cut and -(-(cycle - late) // cut) < -(-late // most) else "add"
    if method == "subtract" and not cut:
        raise InputError(
            f"plan {new.name}: every stage is at its least green, nothing can be subtracted; use add or dwell"
        )
    if method == "subtract":
        return [
            tuple(g - int(x) for g, x in zip(new.greens, share_out(part, spare, [0] * len(spare), spare), strict=True))
            for part in _parts(cycle - late, cut)
        ], method
    if method == "add":
        weights = [float(g) for g in new.greens]
        return [
            tuple(g + int(x) for g, x in zip(new.greens, share_out(part, weights, [0] * len(weights)), strict=True))
            for part in _parts(late, most)
        ], method
    if longest_dwell is not None and longest_dwell < 1:
        raise InputError("the longest dwell must be a second at least")
    return [(new.greens[0] + part, *new.greens[1:]) for part in _parts(late, longest_dwell or late)], method


def _parts(total: int, most: int) -> list[int]:
    """Whole parts of a total, none above `most`, as few and as even as can be."""
    count = -(-total // most)
    return [total // count + (1 if k < total % count else 0) for k in range(count)]


def _merged(steps: list[Step]) -> list[Step]:
    """Where the same stage follows itself (last of the old plan, first of the new) it is one green."""
    merged: list[Step] = []
    for step in steps:
        if merged and merged[-1].stage == step.stage and step.interstage == 0:
            before = merged.pop()
            step = Step(before.start, before.stage, before.interstage, before.green + step.green)
        merged.append(step)
    return merged
