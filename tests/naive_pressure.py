"""The plain twin of the pressure kernel: the same sums with names instead of arrays."""

from __future__ import annotations

from typing import Any


def best_stage(
    site: Any, state: Any, *, ahead: int, least_room: float, gain: float, toll: float, giving_way: float
) -> int:
    """The stage row of highest pressure, or the present one within the hysteresis."""
    lanes = {lane.name: i for i, lane in enumerate(site.lanes)}
    exits = {way.name: i for i, way in enumerate(site.exits)}
    pressures = []
    for stage in site.stages:
        total = 0.0
        row = 0
        for g, group in enumerate(site.groups):
            for movement in group.movements:
                if group.name in stage.green:
                    yields = any(site.yields[g][h] and other.name in stage.green for h, other in enumerate(site.groups))
                    full = movement.destination in exits and state.room[exits[movement.destination]] < least_room
                    for name in movement.lanes:
                        i = lanes[name]
                        load = state.queue[i] + sum(state.arrivals[i][:ahead])
                        worth = load * state.saturation[i] * state.turning[i][row]
                        total += 0.0 if full else worth * (giving_way if yields else 1.0)
                row += 1
        pressures.append(total)
    best = pressures.index(max(pressures))
    if state.stage >= 0 and pressures[best] <= pressures[state.stage] * gain + toll:
        return int(state.stage)
    return best
