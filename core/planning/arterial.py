"""Green waves of a network: the bands of an arterial as a start for the network search, and of any plans to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .bandwidth import Form, GreenWave, Signal, green_wave
from .climb import Setting
from .streets import Light, Streets


@dataclass(frozen=True, slots=True)
class Arterial:
    """Lights along a street, in order of the way out.

    positions : [m]; outbound, inbound : at each light the stages that let the way out and the way back go;
    speed [m/s] for both ways, or (outbound, inbound) for each link.
    """

    name: str
    lights: tuple[str, ...]
    positions: tuple[float, ...]
    outbound: tuple[frozenset[str], ...]
    inbound: tuple[frozenset[str], ...]
    speed: float | tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        n = len(self.lights)
        if n < 2 or any(len(row) != n for row in (self.positions, self.outbound, self.inbound)):
            raise InputError(
                f"arterial {self.name}: every light needs a position and its stages, and there must be two"
            )


def band_start(
    streets: Streets, cycle: int, setting: Setting, arterial: Arterial, *, form: Form = "am-band"
) -> tuple[Setting, GreenWave]:
    """The setting with the arterial's offsets moved to the widest bands its greens allow, in whole seconds.

    Raises InputError when the arterial names a light or stage the streets lack, or a light without green for it.
    """
    number = {light.name: n for n, light in enumerate(streets.lights)}
    unknown = [name for name in arterial.lights if name not in number]
    if unknown:
        raise InputError(f"arterial {arterial.name}: there is no light {unknown[0]} in the streets")
    signals, begins = [], []
    for k, name in enumerate(arterial.lights):
        n = number[name]
        light = streets.lights[n]
        if light.repeats != 1:
            raise InputError(f"arterial {arterial.name}: light {name} runs at half the cycle; bands need the whole one")
        at = sum(len(other.stages) for other in streets.lights[:n])
        here = slice(at, at + len(light.stages))
        order, greens = [int(i) for i in setting.order[here]], [int(g) for g in setting.green[here]]
        out = _green(arterial, light, order, greens, cycle, arterial.outbound[k])
        back = _green(arterial, light, order, greens, cycle, arterial.inbound[k])
        signals.append(Signal(name, arterial.positions[k], out[1], back[1], (float(back[0] - out[0]),)))
        begins.append(out[0])
    wave = green_wave(signals, float(cycle), arterial.speed, form=form)
    offset = setting.offset.copy()
    for name, start, begin in zip(arterial.lights, wave.offsets, begins, strict=True):
        offset[number[name]] = (round(start) - begin) % cycle
    return Setting(setting.order.copy(), setting.green.copy(), offset.astype(np.int32)), wave


def _green(
    arterial: Arterial, light: Light, order: Sequence[int], greens: Sequence[int], cycle: int, stages: frozenset[str]
) -> tuple[int, int]:
    """(start after the plan's zero, length) [s] of the longest green that consecutive ones of these stages make."""
    missing = sorted(stages - set(light.stages))
    if missing or not stages:
        what = f"has no stage {missing[0]}" if missing else "needs a stage for each way"
        raise InputError(f"arterial {arterial.name}: light {light.name} {what}")
    time, spans = 0, []
    for k, (row, green) in enumerate(zip(order, greens, strict=True)):
        time += round(float(light.interstage[order[k - 1], row]))
        spans.append((time, time + green, light.stages[row] in stages))
        time += green
    best = (0, 0)
    for k, (begin, end, on) in enumerate(spans):
        for step in range(1, len(spans)):
            following = spans[(k + step) % len(spans)]
            if not (on and following[2]):
                break
            end = following[1] + (cycle if k + step >= len(spans) else 0)
        if on and end - begin > best[1]:
            best = (begin, min(end - begin, cycle))
    return best
