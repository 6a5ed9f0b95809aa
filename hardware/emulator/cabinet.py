"""The emulated cabinet itself: who decides at it, what its lamps show, tick by tick of 100 ms. No clock, no line.

Who decides, strongest first:

    STARTING    flashing, then all red, after switching on and after flashing
    FLASH       the conflict monitor has tripped, or the switch in the cabinet is set
    PREEMPTION  an emergency vehicle or a railway has the intersection
    MANUAL      somebody stands at the panel
    REMOTE      a host asked for it and is heard from in time: `grip` is fed by each of its control messages
    LOCAL       the cabinet's own plan of the time of day

A host that falls silent for `dead_man` loses its grip, and all it asked for is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.aspects import Aspect
from ...core.certify import SafePlan
from ...core.intersection import Intersection
from ...core.ports import Mode, Refusal
from ...core.sequencer import Sequencer
from .detectors import Calls, DetectorInputs
from .monitor import ConflictMonitor, Lamps

TICKS = 10
_DAY = 86_400
_FLASHING = int(Aspect.FLASHING_AMBER)


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """A plan of the cabinet and from when in the day it runs [s], None for one that is only stored; `number` is its name on
    the line."""

    number: int
    plan: SafePlan
    starts: int | None = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Start-up and dead-man of an emulated cabinet [s]. Flash and all red as captured from a production controller."""

    startup_flash: float = 10.0
    startup_red: float = 5.0
    dead_man: float = 10.0


class EmulatedCabinet:
    """One intersection's cabinet. Call `tick` every 100 ms of whatever time it lives in."""

    def __init__(
        self,
        site: Intersection,
        plans: Sequence[LocalPlan],
        time_of_day: float = 0.0,
        timing: Timing | None = None,
        detector_period: int = 10,
    ) -> None:
        self.site = site
        self.plans = {plan.number: plan for plan in plans}
        self.timing = timing or Timing()
        self.dead_man = self.timing.dead_man
        self.sequencer = Sequencer(site)
        self.monitor = ConflictMonitor(site)
        self.inputs = DetectorInputs(len(site.detectors), detector_period)
        self.calls = Calls(site)
        self.ticks = 0
        self.clock_offset = 0.0
        self.stage_since = 0
        self.changing = False
        self.refusal = Refusal.NONE
        self.flash_switch = False
        self.manual_stage: int | None = None
        self.preempt_stage: int | None = None
        self.remote_stage: int | None = None
        self.remote_plan: int | None = None
        self.commanded_flash = False
        self.stuck_lamps: dict[int, Lamps] = {}
        self._begin = time_of_day
        self._grip_until = -1
        self._stage = -1
        self._mode = Mode.STARTING
        self._lamps: dict[bytes, list[Lamps]] = {}
        self._noted: tuple[int, bytes] = (-2, b"")
        self.day = sorted((plan.starts, plan.number) for plan in plans if plan.starts is not None)
        self._power_up()

    @property
    def mode(self) -> Mode:
        """Who decides now."""
        return self._mode

    @property
    def time_of_day(self) -> float:
        """The cabinet's own clock [s]."""
        return (self._begin + self.clock_offset + self.ticks / TICKS) % _DAY

    @property
    def stage(self) -> int:
        """Row of the stage served or being changed to, -1 before the first."""
        return self.sequencer.stage if self._mode not in (Mode.FLASH, Mode.STARTING) else -1

    @property
    def elapsed(self) -> float:
        """Since all of the stage was green, 0 in an interstage [s]."""
        return 0.0 if self.changing or self.stage < 0 else (self.ticks - self.stage_since) / TICKS

    @property
    def current_plan(self) -> LocalPlan | None:
        """The plan of the time of day, or the one a host asked for."""
        if self.remote_plan is not None and self.has_grip:
            return self.plans.get(self.remote_plan)
        if not self.day:
            return None
        now = self.time_of_day
        return self.plans[next((number for starts, number in reversed(self.day) if starts <= now), self.day[-1][1])]

    def store(self, plan: LocalPlan) -> None:
        """Keep a plan; it runs when the day or a host asks for its number."""
        self.plans[plan.number] = plan

    @property
    def has_grip(self) -> bool:
        """A host has asked for control and was heard from in time."""
        return self.ticks < self._grip_until

    def grip(self) -> None:
        """A control message of a host came: the dead-man starts anew (0 s: there is none)."""
        self._grip_until = self.ticks + round(self.dead_man * TICKS) if self.dead_man > 0 else 1 << 60

    def let_go(self) -> None:
        """The host gave control back, or fell silent: what it asked for is forgotten."""
        self._grip_until = -1
        self.remote_stage = self.remote_plan = None
        self.commanded_flash = False

    def reset_monitor(self) -> None:
        """The button on the conflict monitor: clears its fault and starts the cabinet anew."""
        self.monitor.reset()
        self._power_up()

    def lamps(self) -> list[Lamps]:
        """What is lit now, broken relays included; flashing amber is on in every other half second."""
        aspects = self.sequencer.aspects
        key = aspects.tobytes()
        shown = self._lamps.get(key)
        if shown is None:
            shown = [self._lit(int(aspect)) for aspect in aspects]
            if Aspect.FLASHING_AMBER not in aspects:
                self._lamps[key] = shown
        if self.stuck_lamps:
            shown = list(shown)
            for row, stuck in self.stuck_lamps.items():
                shown[row] = Lamps(*(a or b for a, b in zip(shown[row], stuck, strict=True)))
        return shown

    def _lit(self, aspect: int) -> Lamps:
        match aspect:
            case Aspect.RED:
                return Lamps(True, False, False)
            case Aspect.RED_AMBER:
                return Lamps(True, True, False)
            case Aspect.GREEN:
                return Lamps(False, False, True)
            case Aspect.AMBER:
                return Lamps(False, True, False)
            case Aspect.FLASHING_AMBER:
                return Lamps(False, self.ticks // 5 % 2 == 0, False)
        return Lamps(False, False, False)

    def _power_up(self) -> None:
        self._mode = Mode.STARTING
        self._red_at = self.ticks + round(self.timing.startup_flash * TICKS)
        self._ready_at = self._red_at + round(self.timing.startup_red * TICKS)
        self.let_go()
        self.sequencer.flash()

    def tick(self) -> None:
        """100 ms pass: inputs are sampled, who decides is settled, groups move, the monitor looks."""
        if self._grip_until >= 0 and not self.has_grip:
            self.let_go()
        self._settle_mode()
        if self._mode not in (Mode.FLASH, Mode.STARTING):
            self.refusal = self.sequencer.grant(self._wish(), self.calls.standing(self.inputs))
        self.sequencer.elapse(1)
        self.ticks += 1
        self.inputs.tick()
        self._note_stage()
        if self.sequencer.aspects[0] < _FLASHING and not self.monitor.watch(self.lamps()):
            self._enter_flash()

    def _settle_mode(self) -> None:
        if self.monitor.fault is not None or self.flash_switch or self.commanded_flash:
            self._enter_flash()
        elif self._mode is Mode.FLASH:
            self._power_up()
        elif self._mode is Mode.STARTING:
            if self.ticks >= self._ready_at:
                self._mode = Mode.LOCAL
            elif self.ticks >= self._red_at and self.sequencer.aspects[0] >= _FLASHING:
                self.monitor.forget()
                self.sequencer.restart()
        if self._mode not in (Mode.FLASH, Mode.STARTING):
            self._mode = self._decider()

    def _decider(self) -> Mode:
        if self.preempt_stage is not None:
            return Mode.PREEMPTION
        if self.manual_stage is not None:
            return Mode.MANUAL
        if self.has_grip and (self.remote_stage is not None or self.remote_plan is not None):
            return Mode.REMOTE
        return Mode.LOCAL

    def _enter_flash(self) -> None:
        if self._mode is not Mode.FLASH:
            self._mode = Mode.FLASH
            self.sequencer.flash()

    def _wish(self) -> int | None:
        match self._mode:
            case Mode.PREEMPTION:
                return self.preempt_stage
            case Mode.MANUAL:
                return self.manual_stage
            case Mode.REMOTE if self.remote_stage is not None:
                return self.remote_stage
        plan = self.current_plan
        return plan.plan.stage_at(self.time_of_day) if plan is not None else None

    def _note_stage(self) -> None:
        stage = self.stage
        if stage < 0:
            self._stage, self.changing = -1, True
            self._noted = (-2, b"")
            return
        aspects = self.sequencer.aspects
        if (noted := (stage, aspects.tobytes())) == self._noted:
            return
        self._noted = noted
        green = self.site.stage_greens[stage]
        full = bool((aspects[green] == Aspect.GREEN).all()) and not bool((aspects[~green] == Aspect.GREEN).any())
        if full and (self.changing or stage != self._stage):
            self.stage_since = self.ticks
        self.changing = not full
        self._stage = stage
