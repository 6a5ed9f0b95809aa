"""Which loops can be believed, second by second: the symptoms of each loop, and what they add up to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import kernel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NONE, REPORTED, STUCK_ON, STUCK_OFF, CHATTER, DULL = 0, 1, 2, 3, 4, 5
PARTNERS, SYMPTOMS = 7, 12
JUST_NOW = 5.0
"""[s] of silence at a loop after which nobody stands above it."""


@kernel(lean=True)
def judge(
    interval: float,
    seconds: int,
    vehicles: npt.NDArray[np.int32],
    occupancy: Floats,
    reported: Bools,
    green: Bools,
    limits: Floats,
    stops: Bools,
    exits: Bools,
    lane: npt.NDArray[np.int32],
    partner: npt.NDArray[np.int32],
    symptoms: Floats,
    fault: npt.NDArray[np.int32],
    trust: Floats,
) -> None:
    """One interval [s] of all loops (D,), the `seconds`th; `green` (L,) says which lanes have all their movements green.

    `partner` (7, D) are the loop nearly all traffic of a loop must also cross, -1 for none, the number of its approach, the witness that
    tells of its silence: that partner, or of a middle loop the advance loop of its lane, -1 for none, how many vehicles fit between
    the two, and as `lose` needs them its arm, -1 for none, what it adds to it, and how many fit there. `symptoms` (12, D) are standing,
    standing at green, missed, passed, silent, quick, mean, sane, counted, dull, counted by the other, lost. `limits` are on_for,
    on_in_green, missed, silent, passed, burst, flood, sane_for, minute, mean's longest memory, a window, kept, of all, brisk, quiet,
    over, surely, unproved, as core.health names them.
    """
    on_for, on_in_green, missed_most, silent_most, passed_most = limits[0], limits[1], limits[2], limits[3], limits[4]
    burst, flood, sane_for, minute = limits[5], limits[6], limits[7], limits[8]
    weight = max(limits[9], 1.0 / (seconds + 60.0))
    brisk, quiet, over = limits[13], limits[14], limits[15]
    n = vehicles.shape[0]
    moving = False
    for k in range(n):
        symptoms[5, k] += (vehicles[k] - symptoms[5, k]) * minute
        if exits[k] and vehicles[k] > 0:
            moving = True
    for k in range(n):
        seen = vehicles[k]
        if occupancy[k] >= 0.999:
            symptoms[0, k] += interval
            if stops[k] and lane[k] >= 0 and green[lane[k]] and moving:
                symptoms[1, k] += interval
        else:
            symptoms[0, k] = 0.0
            symptoms[1, k] = 0.0
        if seen > 0 or occupancy[k] > 0.0:
            symptoms[2, k] = 0.0
            symptoms[4, k] = 0.0
        else:
            symptoms[2, k] += symptoms[6, k]
            symptoms[4, k] += interval
        witness = partner[2, k]
        if seen > 0 or 0.0 < occupancy[k] < 0.999 or witness < 0 or symptoms[5, witness] >= brisk:
            symptoms[3, k] = 0.0  # a witness about to be found chattering is none
        else:
            symptoms[3, k] += vehicles[witness]
        if symptoms[4, k] < silent_most:
            symptoms[6, k] += (seen - symptoms[6, k]) * weight
        found = NONE
        unseen = symptoms[3, k] >= passed_most and symptoms[4, k] >= quiet
        never = symptoms[6, k] == 0.0 and symptoms[4, k] >= limits[17] and partner[4, k] < 0
        never = never and (symptoms[6, partner[0, k]] == 0.0 if partner[0, k] >= 0 else stops[k])
        unseen = unseen or never or (symptoms[6, k] == 0.0 and fault[k] == STUCK_OFF)
        if unseen or (symptoms[2, k] >= missed_most and symptoms[4, k] >= silent_most):
            found = STUCK_OFF
        held = symptoms[3, k] >= partner[3, k] + over and symptoms[0, k] > 0.0
        if held or symptoms[0, k] >= on_for or symptoms[1, k] >= on_in_green:
            found = STUCK_ON
        if symptoms[9, k] > 0.0 and found == NONE:
            found = DULL
        if seen >= burst or symptoms[5, k] > (brisk if fault[k] == CHATTER else flood):
            found = CHATTER
        if reported[k]:
            found = REPORTED
        if found != NONE:
            symptoms[7, k] = 0.0
            fault[k] = found
        else:
            symptoms[7, k] += interval
            if symptoms[7, k] >= (1.0 if fault[k] == STUCK_OFF or fault[k] == DULL else sane_for):
                fault[k] = NONE
        trust[k] = 1.0 if fault[k] == NONE else 0.0
    conserve(vehicles, stops, partner, limits, symptoms, fault)
    compare(vehicles, partner, limits, symptoms, fault)
    lose(vehicles, partner, limits, symptoms, fault)


@kernel(lean=True)
def lose(
    vehicles: npt.NDArray[np.int32],
    partner: npt.NDArray[np.int32],
    limits: Floats,
    symptoms: Floats,
    fault: npt.NDArray[np.int32],
) -> None:
    """A loop that never saw anybody is dead, where many came over the entrances of its arm and not over those it lies in a row with.

    So are found two loops of one lane each of which takes the other's silence for an empty lane. Who stands in between, above a loop of
    the row that was not quiet just now, is not missing yet.
    """
    kept, brisk, quiet, over = limits[11], limits[13], limits[14], limits[15]
    for k in range(vehicles.shape[0]):
        if partner[5, k] >= 0 or symptoms[6, k] > 0.0:
            continue
        lost, between, told = symptoms[11, k], 0.0, True
        for d in range(vehicles.shape[0]):
            if partner[4, d] != partner[4, k] or (partner[5, d] != partner[5, k] and partner[5, d] <= 0):
                continue
            lost += (kept if partner[5, d] > 0 else -1.0) * vehicles[d]
            if d != k:
                sound = fault[d] == NONE or fault[d] == DULL or fault[d] == STUCK_OFF
                told = told and sound and symptoms[5, d] < brisk
                if partner[5, d] < 0 and symptoms[4, d] < JUST_NOW:
                    between += partner[6, k]
        symptoms[11, k] = max(lost, 0.0) if told else 0.0
        if fault[k] == NONE and symptoms[4, k] >= quiet and lost >= between + over and told:
            fault[k] = STUCK_OFF


@kernel(lean=True)
def compare(
    vehicles: npt.NDArray[np.int32],
    partner: npt.NDArray[np.int32],
    limits: Floats,
    symptoms: Floats,
    fault: npt.NDArray[np.int32],
) -> None:
    """A middle loop that counts far fewer than its lane's advance loop is dull, where the approach gets vehicles in between.

    Vehicles that change lanes in between are missed nowhere, nor are those that come over another middle loop of their lane.
    """
    window, kept, of_all, brisk = limits[10], limits[11], limits[12], limits[13]
    due = -1
    for k in range(vehicles.shape[0]):
        other = partner[2, k]
        if other < 0 or partner[0, k] >= 0:
            continue
        sound = fault[other] == NONE and (fault[k] == NONE or fault[k] == DULL)
        if sound and symptoms[5, k] < brisk and symptoms[5, other] < brisk:
            symptoms[8, k] += vehicles[k]
            symptoms[10, k] += vehicles[other]
            if symptoms[10, k] >= window:
                due = partner[1, k]
        else:
            for d in range(vehicles.shape[0]):
                if partner[0, d] < 0 and partner[2, d] == other:
                    symptoms[8, d] = 0.0
                    symptoms[10, d] = 0.0
    if due < 0:
        return
    ours, theirs = 0.0, 0.0
    for k in range(vehicles.shape[0]):
        if partner[0, k] < 0 and partner[1, k] == due:
            ours += symptoms[8, k]
            known = False
            for d in range(k):
                known |= partner[0, d] < 0 and partner[2, d] == partner[2, k]
            theirs += 0.0 if known else symptoms[10, k]
    for k in range(vehicles.shape[0]):
        if partner[0, k] < 0 and partner[1, k] == due:
            symptoms[9, k] = dull(symptoms[9, k], symptoms[8, k], symptoms[10, k], ours, theirs, kept, of_all)
            symptoms[8, k] = 0.0
            symptoms[10, k] = 0.0


@kernel(lean=True)
def dull(was: float, mine: float, other_s: float, ours: float, theirs: float, kept: float, of_all: float) -> float:
    """1 if a loop counts too few of what its partner does and its approach, too, loses vehicles on its side; 0 if one of the two holds."""
    if mine < kept * other_s and ours < of_all * theirs:
        return 1.0
    return 0.0 if mine >= 0.5 * (1.0 + kept) * other_s or ours >= 0.5 * (1.0 + of_all) * theirs else was


@kernel(lean=True)
def crossed(
    approach: int, stops: Bools, partner: npt.NDArray[np.int32], symptoms: Floats
) -> tuple[float, float, float]:
    """What the paired loops of an approach have counted since it was last judged, over its advance loops and over its stop lines, and how
    many fit in between."""
    came, left, between = 0.0, 0.0, 0.0
    for k in range(stops.shape[0]):
        if partner[0, k] >= 0 and partner[1, k] == approach:
            if stops[k]:
                left += symptoms[8, k]
                between += partner[3, k]
            else:
                came += symptoms[8, k]
    return came, left, between


@kernel(lean=True)
def conserve(
    vehicles: npt.NDArray[np.int32],
    stops: Bools,
    partner: npt.NDArray[np.int32],
    limits: Floats,
    symptoms: Floats,
    fault: npt.NDArray[np.int32],
) -> None:
    """What came over the advance loops of an approach leaves over its stop lines: who counts too few of it is dull.

    Judged when one of its loops has counted a window full, and from half a window on where so many are missing that more than those between
    the two loops are. Vehicles that change lanes in between are missed nowhere, so a loop is only
    dull while the whole approach loses vehicles on its side. Pairs with another fault, or that count more than a lane can, are left out.
    """
    window, kept, of_all, brisk, surely = limits[10], limits[11], limits[12], limits[13], limits[16]
    due = -1
    for k in range(vehicles.shape[0]):
        other, witness = partner[0, k], partner[2, k]
        if witness >= 0 and fault[witness] != NONE and fault[witness] != DULL:  # a liar is no witness
            symptoms[3, k] = 0.0
        if other < 0:
            continue
        believed = fault[other] == NONE or fault[other] == DULL
        if not believed:
            symptoms[9, k] = 0.0
        sound = believed and (fault[k] == NONE or fault[k] == DULL)
        if sound and symptoms[5, k] < brisk and symptoms[5, other] < brisk:
            symptoms[8, k] += vehicles[k]
            if symptoms[8, k] >= window:
                due = partner[1, k]
        else:
            symptoms[8, k] = 0.0
            symptoms[8, other] = 0.0
    for k in range(vehicles.shape[0]):
        if partner[0, k] < 0 or symptoms[8, partner[0, k]] < 0.5 * window or symptoms[5, partner[0, k]] >= 0.5 * brisk:
            continue  # who counts so fast may be about to be found chattering
        if symptoms[8, k] + partner[3, k] < surely * symptoms[8, partner[0, k]]:
            came, left, between = crossed(partner[1, k], stops, partner, symptoms)
            ours, theirs = (left, came) if stops[k] else (came, left)
            if ours + between < of_all * theirs:
                symptoms[9, k] = 1.0
    if due < 0:
        return
    came, left, _ = crossed(due, stops, partner, symptoms)
    for k in range(vehicles.shape[0]):
        if partner[0, k] < 0 or partner[1, k] != due:
            continue
        mine, other_s = symptoms[8, k], symptoms[8, partner[0, k]]
        ours, theirs = (left, came) if stops[k] else (came, left)
        symptoms[9, k] = dull(symptoms[9, k], mine, other_s, ours, theirs, kept, of_all)
    for k in range(vehicles.shape[0]):
        if partner[0, k] >= 0 and partner[1, k] == due:
            symptoms[8, k] = 0.0
