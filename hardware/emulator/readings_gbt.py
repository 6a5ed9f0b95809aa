"""What each object of GB/T 20999-2017 says at the emulated cabinet; objects that are not here do not exist at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...core.aspects import Aspect
from ...core.intersection import GroupKind
from ..gbt20999 import LampState, StageState
from ..gbt20999.codes import DetectorType, FaultAction, FaultType, LampGroupType
from .planbook import ROWS

if TYPE_CHECKING:
    from .answers_gbt import GbtAnswers

LAMP_OF = {
    Aspect.RED: LampState.RED,
    Aspect.RED_AMBER: LampState.RED_YELLOW,
    Aspect.GREEN: LampState.GREEN,
    Aspect.AMBER: LampState.YELLOW,
    Aspect.FLASHING_AMBER: LampState.YELLOW_FLASH,
    Aspect.DARK: LampState.OFF,
}
_KINDS = {GroupKind.PEDESTRIAN: LampGroupType.PEDESTRIAN, GroupKind.BUS: LampGroupType.BUS,
          GroupKind.BICYCLE: LampGroupType.NON_MOTOR}  # fmt: skip


def readings(answers: GbtAnswers) -> dict[str, Callable[[int], Any]]:
    """What each object says of row `r` (from 1); objects that are not here do not exist at this cabinet."""
    cabinet, book = answers.cabinet, answers.book
    site, groups = cabinet.site, cabinet.site.groups

    def conflicts(r: int) -> list[int]:
        return [j + 1 for j in range(len(groups)) if site.exclusive[r - 1, j]]

    def intergreens(r: int) -> list[int]:
        row = [round(float(gap) / answers.intergreen_unit) for gap in site.intergreen[r - 1]]
        return [gap if site.exclusive[r - 1, j] else 0 for j, gap in enumerate(row)]

    def stage_state(r: int) -> StageState:
        if cabinet.stage != r - 1:
            return StageState.NOT_RUNNING
        return StageState.IN_TRANSITION if cabinet.changing else StageState.RUNNING

    def stage_row(r: int) -> list[int]:
        green = site.stage_greens[r - 1]
        return [] if r in book.empty_stages else [j + 1 for j in range(len(groups)) if green[j]]

    def fault_type(r: int) -> int:
        fault = cabinet.monitor.fault or ""
        return FaultType.GREEN_CONFLICT if fault.startswith("conflict") else FaultType.CONTROL_RESPONSE

    def local_time(r: int) -> datetime:
        return answers.day + timedelta(seconds=int(cabinet.time_of_day))

    return {
        "maker": lambda r: "signalwright",
        "version": lambda r: bytes([1, 0, 1, 0]),
        "device_number": lambda r: site.name[:16],
        "site_name": lambda r: site.name[:128],
        "controller_id": lambda r: answers.controller,
        "junction_count": lambda r: 1,
        "lamp_group_count": lambda r: len(groups),
        "lamp_group_no": lambda r: r,
        "lamp_group_type": lambda r: _KINDS.get(groups[r - 1].kind, LampGroupType.VEHICLE),
        "lamp_state": lambda r: LAMP_OF[Aspect(int(cabinet.sequencer.aspects[r - 1]))],
        "phase_count": lambda r: len(groups),
        "phase_no": lambda r: r,
        "phase_lamp_groups": lambda r: [r],
        "losing_colour_1": lambda r: LampState.YELLOW,
        "losing_time_1": lambda r: round(groups[r - 1].amber),
        "min_green": lambda r: int(-(-groups[r - 1].min_green // 1)),
        "detector_count": lambda r: len(site.detectors),
        "detector_no": lambda r: r,
        "detector_type": lambda r: DetectorType.LOOP,
        "detector_flow_period": lambda r: max(1, cabinet.inputs.period // 10),
        "detector_occupancy_period": lambda r: max(1, cabinet.inputs.period // 10),
        "detector_place": lambda r: site.detectors[r - 1].name[:40],
        "detector_status_no": lambda r: r,
        "detector_presence": lambda r: int(cabinet.inputs.present[r - 1]),
        "stage_count": lambda r: len(site.stages),
        "stage_no": lambda r: r,
        "stage_phases": stage_row,
        "stage_status_no": lambda r: r,
        "stage_state": stage_state,
        "stage_elapsed": lambda r: int(cabinet.elapsed) if cabinet.stage == r - 1 else 0,
        "stage_remaining": lambda r: 0,
        "conflict_phase": lambda r: r,
        "conflicts": conflicts,
        "intergreen_phase": lambda r: r,
        "intergreens": intergreens,
        "plan_count": lambda r: len(cabinet.plans),
        "plan_no": lambda r: r,
        "plan_junction": lambda r: answers.junction,
        "plan_cycle": lambda r: book.plan(r)["plan_cycle"],
        "plan_coordination": lambda r: 1,
        "plan_offset": lambda r: book.plan(r)["plan_offset"],
        "plan_stages": lambda r: book.plan(r)["plan_stages"],
        "plan_times": lambda r: book.plan(r)["plan_times"],
        "plan_occurrence": lambda r: [0x10] * len(cabinet.plans[r].plan.sequence),
        "day_plan_count": lambda r: ROWS,
        "day_plan_no": lambda r: r,
        "day_plan_junction": lambda r: answers.junction,
        "day_plan_starts": lambda r: bytes(2 * len(book.days[r])),
        "day_plan_plans": lambda r: book.days[r],
        "day_plan_modes": lambda r: book.modes[r],
        "schedule_count": lambda r: ROWS,
        "schedule_no": lambda r: r,
        "schedule_junction": lambda r: answers.junction,
        "schedule_priority": lambda r: 1,
        "schedule_weekdays": lambda r: 0x7F,
        "schedule_months": lambda r: 0x1FFE,
        "schedule_days": lambda r: 0x7FFF_FFFF,
        "schedule_day_plan": lambda r: book.schedules[r],
        "detectors_failed": lambda r: [row + 1 for row in sorted(cabinet.inputs.faults) if row < 64],
        "modules_failed": lambda r: [],
        "time_local": local_time,
        "junction_no": lambda r: answers.junction,
        "run_mode": lambda r: answers.run_mode,
        "current_plan": lambda r: plan.number if (plan := cabinet.current_plan) else 0,
        "current_stage": lambda r: cabinet.stage + 1,
        "presence": lambda r: [row + 1 for row in range(min(64, len(site.detectors))) if cabinet.inputs.present[row]],
        "count_detector": lambda r: r,
        "count_flow": lambda r: int(cabinet.inputs.volume[r - 1]),
        "count_occupancy": lambda r: round(float(cabinet.inputs.occupancy[r - 1]) * 100),
        "count_speed": lambda r: 0,
        "alarm_count": lambda r: 0,
        "fault_count": lambda r: int(cabinet.monitor.fault is not None),
        "fault_no": lambda r: r,
        "fault_type": fault_type,
        "fault_time": local_time,
        "fault_action": lambda r: FaultAction.FLASH,
        "centre_junction": lambda r: answers.junction,
        "commanded_stage": lambda r: 0 if cabinet.remote_stage is None else cabinet.remote_stage + 1,
        "commanded_plan": lambda r: cabinet.remote_plan or 0,
        "commanded_mode": lambda r: answers.mode,
    }
