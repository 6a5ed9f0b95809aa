"""The longest red, kept by construction: how much time there is to spare before somebody would be red for too long.

`rotation` is a cyclic order of stages that serves every group. Whenever there is a choice,
there is a place in the rotation from which all groups would be served in time; a wish, or waiting one tick longer, is granted only
if that stays true afterwards. When waiting is not possible any more, the rotation is entered by force. The bounds it rests on:

    first_green (s+1, s)   from leaving a complete stage to the last start of green of the next (row s: from all red)
    first_full  (s+1, s)   to the end of its minimum greens
    later       (r, n)     from rotation stage k being complete until the group is green, going on round

Times are ticks; the arrays are those of `sequence`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel

NEVER = 1 << 28

I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


@kernel(lean=True)
def slack_of(
    stage: int,
    waited: int,
    k: int,
    stage_green: Bools,
    max_red: I32,
    rotation: I32,
    first_green: I32,
    first_full: I32,
    later: I32,
    red_call: I32,
) -> int:
    """Ticks to spare of the group worst off if, `waited` ticks from now, complete `stage` is left for rotation place `k`."""
    target = rotation[k]
    if first_green[stage, target] >= NEVER:
        return -NEVER
    running = stage < stage_green.shape[0]
    worst = NEVER
    for j in range(red_call.shape[0]):
        if max_red[j] < 0:
            continue
        green_now = running and stage_green[stage, j]
        if stage_green[target, j]:
            red = 0 if green_now else red_call[j] + waited + first_green[stage, target]
        else:
            red = first_full[stage, target] + later[k, j]
            if not green_now:
                red += red_call[j] + waited
        worst = min(worst, max_red[j] - red)
    return worst


@kernel(lean=True)
def slack_after(
    stage: int,
    wish: int,
    stage_green: Bools,
    max_red: I32,
    rotation: I32,
    first_green: I32,
    first_full: I32,
    later: I32,
    red_call: I32,
) -> int:
    """Ticks to spare of the group worst off if complete `stage` is left for `wish` now and the best place of the rotation follows."""
    green_in = first_green[stage, wish]
    full_in = first_full[stage, wish]
    running = stage < stage_green.shape[0]
    best = -NEVER
    for k in range(rotation.shape[0]):
        target = rotation[k]
        if first_green[wish, target] >= NEVER:
            continue
        worst = NEVER
        for j in range(red_call.shape[0]):
            if max_red[j] < 0:
                continue
            green_now = running and stage_green[stage, j]
            if stage_green[wish, j]:
                spare = max_red[j]
                if not green_now:
                    spare = max_red[j] - red_call[j] - green_in
                if not stage_green[target, j]:
                    spare = min(spare, max_red[j] - first_full[wish, target] - later[k, j])
            else:
                spare = max_red[j] - full_in
                if not green_now:
                    spare -= red_call[j]
                if stage_green[target, j]:
                    spare -= first_green[wish, target]
                else:
                    spare -= first_full[wish, target] + later[k, j]
            worst = min(worst, spare)
        best = max(best, worst)
    return best


@kernel(lean=True)
def stays(
    ticks: int,
    stage_green: Bools,
    max_red: I32,
    rotation: I32,
    first_green: I32,
    first_full: I32,
    later: I32,
    red_call: I32,
    control: I32,
) -> bool:
    """Whether the complete stage may be left as late as `ticks` from now, so that no aspect changes until then unless it is wished."""
    stage = control[0] if control[0] >= 0 else stage_green.shape[0]
    for k in range(rotation.shape[0]):
        if slack_of(stage, ticks, k, stage_green, max_red, rotation, first_green, first_full, later, red_call) >= 0:
            return True
    return False
