"""What a host may store in an emulated GB/T 20999 cabinet: stages that are empty, plans, day plans, schedules.

It checks for itself, as a cabinet does: a plan that its own rules call unsafe, a stage of conflicting phases, a day plan with a
plan that is not there, are refused, and what was there stays. Only what a schedule in use points to is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.certify import certify
from ...core.errors import UnsafePlan
from ...core.plan import Plan, interstages_of
from ..gbt20999 import RunMode, Status
from .cabinet import EmulatedCabinet, LocalPlan

ROWS = 12
"""Rows for day plans and for schedules."""
_ENTRIES = 48
_LOCAL = {RunMode.LOCAL_FIXED, RunMode.LOCAL_ACTUATED, RunMode.LOCAL_COORDINATED, RunMode.LOCAL_ADAPTIVE}
_PLAN = ("plan_junction", "plan_cycle", "plan_offset", "plan_stages", "plan_times")


class PlanBook:
    """The tables of one cabinet, rows from 1. Values are those of the objects' codecs."""

    def __init__(self, cabinet: EmulatedCabinet, junction: int) -> None:
        self.cabinet, self.junction = cabinet, junction
        self.empty_stages: set[int] = set()
        used = [number for _, number in cabinet.day]
        self.days: dict[int, list[int]] = {row: [0] * _ENTRIES for row in range(1, ROWS + 1)}
        self.days[1][: len(used)] = used
        self.modes = {row: [int(RunMode.LOCAL_FIXED)] * _ENTRIES for row in self.days}
        self.schedules = {row: int(row == 1) for row in range(1, ROWS + 1)}
        self._timed = len(used) > 1

    def plan(self, row: int) -> dict[str, Any]:
        """The attributes of a plan; a stage's time is its green and the change after it."""
        safe = self.cabinet.plans[row].plan
        changes = interstages_of(safe.plan, self.cabinet.site)
        return {
            "plan_cycle": safe.cycle,
            "plan_offset": (safe.plan.offset + changes[0]) % safe.cycle,
            "plan_stages": [stage + 1 for stage in safe.sequence],
            "plan_times": [g + changes[(k + 1) % len(changes)] for k, g in enumerate(safe.plan.greens)],
        }

    def knows_starts(self, row: int) -> bool:
        """False for a day plan with several times of day: how a cabinet writes them is not known here."""
        return row != 1 or not self._timed

    def write(self, kind: str, row: int, values: Mapping[str, Any]) -> Status | None:
        """Take all values of one row, or none and say why."""
        match kind:
            case "stage":
                return self._stage(row, values)
            case "plan":
                return self._plan(row, values)
            case "day_plan":
                return self._day(row, values)
        return self._schedule(row, values)

    def _stage(self, row: int, values: Mapping[str, Any]) -> Status | None:
        green = self.cabinet.site.stage_greens
        phases = {j + 1 for j in range(green.shape[1]) if row <= len(green) and green[row - 1, j]}
        if set(values) != {"stage_phases"} or row not in self.empty_stages or set(values["stage_phases"]) != phases:
            return Status.BAD_VALUE
        self.empty_stages.discard(row)
        return None

    def _plan(self, row: int, values: Mapping[str, Any]) -> Status | None:
        site = self.cabinet.site
        if not set(_PLAN) <= set(values) or values["plan_junction"] != self.junction:
            return Status.BAD_VALUE
        stages, times = values["plan_stages"], values["plan_times"]
        known = range(1, len(site.stages) + 1)
        if len(stages) != len(times) or not all(one in known and one not in self.empty_stages for one in stages):
            return Status.BAD_VALUE
        names = tuple(site.stages[one - 1].name for one in stages)
        changes = interstages_of(Plan("", names, tuple(times)), site)
        greens = tuple(time - changes[(k + 1) % len(changes)] for k, time in enumerate(times))
        cycle = sum(times)
        if cycle != values["plan_cycle"] or values["plan_offset"] >= cycle or min(greens, default=0) < 1:
            return Status.BAD_VALUE
        try:
            safe = certify(Plan(f"plan {row}", names, greens, (values["plan_offset"] - changes[0]) % cycle), site)
        except UnsafePlan:
            return Status.BAD_VALUE
        self.cabinet.store(LocalPlan(row, safe, None))
        return None

    def _day(self, row: int, values: Mapping[str, Any]) -> Status | None:
        plans = list(values.get("day_plan_plans", self.days.get(row, ())))
        modes = list(values.get("day_plan_modes", self.modes.get(row, ())))
        right = (
            row in self.days
            and values.get("day_plan_junction", self.junction) == self.junction
            and all(not number or number in self.cabinet.plans for number in plans)
            and all(mode in _LOCAL for mode in modes)
        )
        if not right or (row == 1 and self._timed):
            return Status.BAD_VALUE
        self.days[row], self.modes[row] = plans, modes
        self._run()
        return None

    def _schedule(self, row: int, values: Mapping[str, Any]) -> Status | None:
        day = values.get("schedule_day_plan", 0)
        if set(values) != {"schedule_day_plan"} or row not in self.schedules or not any(self.days.get(day, ())):
            return Status.BAD_VALUE
        self.schedules[row] = day
        self._run()
        return None

    def _run(self) -> None:
        """What the first schedule in use points to is run."""
        day = next(day for day in self.schedules.values() if day)
        if day != 1 or not self._timed:
            self.cabinet.day = [(0, number) for number in self.days[day] if number][:1]
