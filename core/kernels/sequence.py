"""The safety machine, tick by tick: which aspect every signal group shows, whatever is wished.

State in ticks of 100 ms; n groups, s stages, r stages in the rotation:

    aspect    (n,) int8    of core.aspects.Aspect
    age       (n,)         since the aspect began
    ended     (n,)         since the end of the last green, counted to LONG_AGO and no further
    red_call  (n,)         of not being green while a call stands
    called    (n,) bool    a call stands; latched until green
    keeps     (n,)         for how long a group that ends in this change keeps its green
    control   (3,)         [stage served or being changed to (-1: none yet), complete (1) or changing (0), entered by force (1)]

A stage is complete when its groups are green and past their minimum green and all others have been red for MIN_RED; only then is
there a choice, so a group is red for at least that long between two greens.

In a change every group that comes starts as soon as the intergreens allow; a group that goes ends only when its own intergreens need
it: while a crossing clears, the traffic beside it keeps its green. Pedestrians who come wait for the last of the others.

The longest red is kept by what `redtime` says of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel
from .redtime import NEVER, slack_after, slack_of, stays

RED, RED_AMBER, GREEN, AMBER = 0, 1, 2, 3
LONG_AGO = 100_000
MIN_RED = 10

NONE, UNKNOWN_STAGE, IN_INTERSTAGE, BARRED, LONGEST_RED, FORCED = 0, 1, 2, 3, 4, 5

I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


@kernel(lean=True)
def choose(
    wish: int,
    stage_green: Bools,
    max_red: I32,
    rotation: I32,
    first_green: I32,
    first_full: I32,
    later: I32,
    red_call: I32,
    control: I32,
) -> int:
    """Take up the wish, wait, or enter the rotation by force; returns the refusal code of the wish."""
    n_stages = stage_green.shape[0]
    if wish < -1 or wish >= n_stages:
        answer = UNKNOWN_STAGE
        wish = -1
    else:
        answer = NONE
    if control[1] == 0:
        return IN_INTERSTAGE if wish >= 0 and wish != control[0] else answer
    stage = control[0] if control[0] >= 0 else n_stages
    if wish >= 0 and wish != control[0]:
        if first_green[stage, wish] >= NEVER:
            answer = BARRED
        elif slack_after(stage, wish, stage_green, max_red, rotation, first_green, first_full, later, red_call) < 0:
            answer = LONGEST_RED
        else:
            control[0] = wish
            control[1] = 0
            control[2] = 0
            return NONE
    best = -NEVER
    for k in range(rotation.shape[0]):
        best = max(
            best, slack_of(stage, 1, k, stage_green, max_red, rotation, first_green, first_full, later, red_call)
        )
    if best >= 0:
        return answer
    best = -NEVER - 1
    forced = -1
    for k in range(rotation.shape[0]):
        if rotation[k] != control[0]:
            slack = slack_of(stage, 0, k, stage_green, max_red, rotation, first_green, first_full, later, red_call)
            if slack > best:
                best = slack
                forced = rotation[k]
    if forced >= 0:
        control[0] = forced
        control[1] = 0
        control[2] = 1
        return FORCED if wish >= 0 else answer
    return answer


@kernel(lean=True)
def start_of(j: int, exclusive: Bools, intergreen: I32, red_amber: I32, aspect: I8, ended: I32) -> int:
    """Ticks until group `j`, not green now, can be green, if every green that must go for it ends now."""
    start: int = red_amber[j]
    for i in range(aspect.shape[0]):
        if exclusive[i, j]:
            start = max(start, intergreen[i, j] - (0 if aspect[i] == GREEN else ended[i]))
    return start


@kernel(lean=True)
def keep_greens(
    stage_green: Bools, exclusive: Bools, intergreen: I32, amber: I32, red_amber: I32, aspect: I8, ended: I32,
    keeps: I32, control: I32,
) -> None:  # fmt: skip
    """At the beginning of a change: how long each group that goes keeps its green without delaying any that comes.

    Pedestrians (groups without amber) may wait until the last of those that come; they lose little by it.
    """
    n = aspect.shape[0]
    target = control[0]
    for i in range(n):
        keeps[i] = 0
        if aspect[i] == GREEN and not stage_green[target, i]:
            keeps[i] = NEVER
    last = 0
    for j in range(n):
        if stage_green[target, j] and aspect[j] != GREEN:
            last = max(last, start_of(j, exclusive, intergreen, red_amber, aspect, ended))
    for j in range(n):
        if not stage_green[target, j] or aspect[j] == GREEN:
            continue
        start = last if amber[j] == 0 else start_of(j, exclusive, intergreen, red_amber, aspect, ended)
        for i in range(n):
            if exclusive[i, j] and keeps[i] > start - intergreen[i, j]:
                keeps[i] = start - intergreen[i, j]
    for i in range(n):
        if keeps[i] == NEVER:
            keeps[i] = 0


@kernel(lean=True)
def move(
    stage_green: Bools,
    exclusive: Bools,
    intergreen: I32,
    amber: I32,
    red_amber: I32,
    aspect: I8,
    age: I32,
    ended: I32,
    red_call: I32,
    called: Bools,
    keeps: I32,
    control: I32,
) -> None:
    """Let every group that may change now change: ends first, then starts.

    A change begins only from a complete stage, so what ends has had its minimum green, and no group outside the target stays green.
    """
    n = aspect.shape[0]
    target = control[0]
    changing = target >= 0 and control[1] == 0
    for i in range(n):
        if changing and aspect[i] == GREEN and not stage_green[target, i]:
            if keeps[i] > 0:
                continue
            aspect[i] = AMBER if amber[i] > 0 else RED
            age[i] = 0
            ended[i] = 0
        elif aspect[i] == AMBER and age[i] >= amber[i]:
            aspect[i] = RED
            age[i] = 0
    if not changing:
        return
    for j in range(n):
        if not stage_green[target, j]:
            continue
        if aspect[j] == RED:
            free = True
            for i in range(n):
                if exclusive[i, j] and (aspect[i] == GREEN or ended[i] < intergreen[i, j] - red_amber[j]):
                    free = False
                    break
            if not free:
                continue
            aspect[j] = RED_AMBER if red_amber[j] > 0 else GREEN
            age[j] = 0
        elif aspect[j] == RED_AMBER and age[j] >= red_amber[j]:
            aspect[j] = GREEN
            age[j] = 0
        if aspect[j] == GREEN:
            called[j] = False
            red_call[j] = 0


@kernel(lean=True)
def grow(ticks: int, aspect: I8, age: I32, ended: I32, red_call: I32, called: Bools, keeps: I32) -> None:
    """Everything gets `ticks` older while no aspect changes."""
    for i in range(aspect.shape[0]):
        age[i] += ticks
        if aspect[i] != GREEN:
            ended[i] = min(ended[i] + ticks, LONG_AGO)
            if called[i]:
                red_call[i] += ticks
        elif keeps[i] > 0:
            keeps[i] = max(keeps[i] - ticks, 0)


@kernel(lean=True)
def elapse(
    ticks: int,
    stage_green: Bools,
    exclusive: Bools,
    intergreen: I32,
    min_green: I32,
    amber: I32,
    red_amber: I32,
    max_red: I32,
    rotation: I32,
    first_green: I32,
    first_full: I32,
    later: I32,
    aspect: I8,
    age: I32,
    ended: I32,
    red_call: I32,
    called: Bools,
    keeps: I32,
    control: I32,
) -> None:
    """Let `ticks` pass; the last of them ends where `grant` begins."""
    n = aspect.shape[0]
    if control[1] == 1 and stays(
        ticks, stage_green, max_red, rotation, first_green, first_full, later, red_call, control
    ):
        grow(ticks, aspect, age, ended, red_call, called, keeps)
        return
    for tick in range(ticks):
        if tick > 0:
            complete_before = control[1]
            choose(-1, stage_green, max_red, rotation, first_green, first_full, later, red_call, control)
            if control[1] < complete_before:
                keep_greens(stage_green, exclusive, intergreen, amber, red_amber, aspect, ended, keeps, control)
            move(
                stage_green, exclusive, intergreen, amber, red_amber,
                aspect, age, ended, red_call, called, keeps, control,
            )  # fmt: skip
        grow(1, aspect, age, ended, red_call, called, keeps)
        if control[1] == 0:
            complete = True
            for j in range(n):
                if stage_green[control[0], j]:
                    if aspect[j] != GREEN or age[j] < min_green[j]:
                        complete = False
                        break
                elif aspect[j] != RED or age[j] < MIN_RED:
                    complete = False
                    break
            if complete:
                control[1] = 1


@kernel(lean=True)
def grant(
    wish: int,
    calls: Bools,
    stage_green: Bools,
    exclusive: Bools,
    intergreen: I32,
    min_green: I32,
    amber: I32,
    red_amber: I32,
    max_red: I32,
    rotation: I32,
    first_green: I32,
    first_full: I32,
    later: I32,
    aspect: I8,
    age: I32,
    ended: I32,
    red_call: I32,
    called: Bools,
    keeps: I32,
    control: I32,
) -> int:
    """Hear `wish` (-1: none) and the calls of now, and let the groups move; returns the refusal code."""
    complete_before = control[1]
    answer: int = choose(wish, stage_green, max_red, rotation, first_green, first_full, later, red_call, control)
    if control[1] < complete_before:
        keep_greens(stage_green, exclusive, intergreen, amber, red_amber, aspect, ended, keeps, control)
    move(stage_green, exclusive, intergreen, amber, red_amber, aspect, age, ended, red_call, called, keeps, control)
    for j in range(aspect.shape[0]):
        if calls[j] and aspect[j] != GREEN:
            called[j] = True
    return answer
