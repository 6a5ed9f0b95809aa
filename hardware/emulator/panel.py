"""The panel of the emulated cabinet: what a person in front of it can do, as lines of text, faults included.

status                     what it shows and who decides
loop NAME on|off           a vehicle on a loop
press STAGE | off          manual control: go to a stage, or give it back
preempt STAGE | off        an emergency vehicle asks for a stage
flash on|off               the switch to flashing
break loop NAME on|off|chatter    a loop that is stuck or chatters
break lamp GROUP green|amber|red  a lamp relay that sticks
mend                       all of it works again
reset                      the button on the conflict monitor
clock SECONDS              the cabinet's clock jumps
"""

from __future__ import annotations

from collections.abc import Callable

from ...core.aspects import Aspect
from ...core.errors import InputError
from .cabinet import EmulatedCabinet
from .detectors import InputFault
from .monitor import Lamps

_INPUT_FAULTS = {"on": InputFault.STUCK_ON, "off": InputFault.STUCK_OFF, "chatter": InputFault.CHATTER}
_STUCK = {"red": Lamps(True, False, False), "amber": Lamps(False, True, False), "green": Lamps(False, False, True)}


class Panel:
    """Does what a line says and answers with a line; raises InputError naming what it does not understand."""

    def __init__(self, cabinet: EmulatedCabinet) -> None:
        self.cabinet = cabinet
        self._does: dict[str, Callable[[str], str]] = {
            "status": self._status,
            "loop": self._loop,
            "press": self._press,
            "preempt": self._preempt,
            "flash": self._flash,
            "break loop": self._break_loop,
            "break lamp": self._break_lamp,
            "mend": self._mend,
            "reset": self._reset,
            "clock": self._clock,
        }

    def do(self, line: str) -> str:
        """Obey one line."""
        text = " ".join(line.split())
        for name in sorted(self._does, key=len, reverse=True):
            if text == name or text.startswith(name + " "):
                return self._does[name](text[len(name) :].strip())
        raise InputError(f"the panel does not know {text!r}; it knows {', '.join(self._does)}")

    def _status(self, rest: str) -> str:
        cabinet = self.cabinet
        aspects = zip(cabinet.site.groups, cabinet.sequencer.aspects, strict=True)
        shown = ", ".join(
            f"{group.name} {Aspect(int(aspect)).name.lower().replace('_', '-')}" for group, aspect in aspects
        )
        stage = cabinet.site.stages[cabinet.stage].name if cabinet.stage >= 0 else "none"
        fault = f"; conflict monitor: {cabinet.monitor.fault}" if cabinet.monitor.fault else ""
        return f"{cabinet.site.name}: {cabinet.mode.value}, stage {stage}{' (changing)' if cabinet.changing else ''}: {shown}{fault}"

    def _loop(self, rest: str) -> str:
        name, _, what = rest.rpartition(" ")
        self.cabinet.inputs.set(self._row_of_loop(name), _on(what))
        return f"loop {name} is {what}"

    def _press(self, rest: str) -> str:
        self.cabinet.manual_stage = self._stage(rest)
        return "manual control is off" if rest == "off" else f"manual control asks for stage {rest}"

    def _preempt(self, rest: str) -> str:
        self.cabinet.preempt_stage = self._stage(rest)
        return "preemption has ended" if rest == "off" else f"preemption asks for stage {rest}"

    def _flash(self, rest: str) -> str:
        self.cabinet.flash_switch = _on(rest)
        return f"the flash switch is {rest}"

    def _break_loop(self, rest: str) -> str:
        name, _, how = rest.rpartition(" ")
        if how not in _INPUT_FAULTS:
            raise InputError(f"a loop can be stuck on, off or chatter, not {how!r}")
        self.cabinet.inputs.faults[self._row_of_loop(name)] = _INPUT_FAULTS[how]
        return f"loop {name} is broken ({_INPUT_FAULTS[how].value})"

    def _break_lamp(self, rest: str) -> str:
        name, _, colour = rest.rpartition(" ")
        if colour not in _STUCK or name not in self.cabinet.site.group_index:
            raise InputError(f"there is no lamp {rest!r}: name a signal group and red, amber or green")
        self.cabinet.stuck_lamps[self.cabinet.site.group_index[name]] = _STUCK[colour]
        return f"the {colour} lamp of {name} is stuck on"

    def _mend(self, rest: str) -> str:
        self.cabinet.inputs.faults.clear()
        self.cabinet.stuck_lamps.clear()
        return "loops and lamps work again"

    def _reset(self, rest: str) -> str:
        self.cabinet.reset_monitor()
        return "the conflict monitor is reset; the cabinet starts"

    def _clock(self, rest: str) -> str:
        try:
            self.cabinet.clock_offset += float(rest)
        except ValueError:
            raise InputError(f"the clock jumps by seconds, not by {rest!r}") from None
        return f"the clock has jumped by {float(rest):g} s"

    def _row_of_loop(self, name: str) -> int:
        for row, detector in enumerate(self.cabinet.site.detectors):
            if detector.name == name:
                return row
        raise InputError(f"{self.cabinet.site.name} has no loop {name!r}")

    def _stage(self, name: str) -> int | None:
        if name == "off":
            return None
        if name not in self.cabinet.site.stage_index:
            raise InputError(
                f"{self.cabinet.site.name} has no stage {name!r}; it has {', '.join(self.cabinet.site.stage_index)}"
            )
        return self.cabinet.site.stage_index[name]


def _on(word: str) -> bool:
    if word not in ("on", "off"):
        raise InputError(f"say on or off, not {word!r}")
    return word == "on"
