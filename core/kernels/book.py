"""What the estimator keeps of one intersection, as rows of a few arrays.

L lanes, D detectors, K (detector, lane it tells of), M movements, G groups, X exits, T (lane, movement that leaves by an exit), S sides.
Times are whole seconds, occupancies in [0, 1].

    lanes      (., L)          rows LATE.. below
    lane_rows  (5, L) int32    STOP_OF its stop-line loop, OWN its advance loop (one of its own before one it shares), -1 none;
                               SIDE number of the approach it belongs to; GREEN 0 red, 1 some of its movements green, 2 all, and
                               none of them gives way;
                               REACH [s] from which on nobody can be expected who was seen
    loops      (., D)          rows OCCUPANCY.. below
    loop_rows  (5, D) int32    KIND 0 stop, 1 advance, 2 middle, 3 entrance, 4 exit; WAY row of the exit it counts into, -1 none;
                               DELAY [s] from there to where its target is counted; GATE number of the approach whose account it counts
                               into, -1 none; VEHICLES of this second
    links      (4, K)          LAG [s] to the stop line in free flow; SHARE part of the detector's vehicles that come to this lane,
                               learnt; HEAD [veh] that stand between an entrance loop and the lane's advance loop when both are
                               covered; FIRST the share assumed before anything was learnt
    link       (D+1,) int32    where each detector's lanes begin in `links` and in
    lane_of    (K,) int32      the lane
    rings      (3, L, H)       expected arrivals at the stop line by absolute second, modulo H: FAR of those last seen at an entrance
                               loop, MID of those last seen at a middle loop, NEAR of those beyond the advance loops
    feeds      (4, 2) int32    first and last + 1 of what shares are learnt of: FROM_ENTRANCES, FROM_MIDDLES, FROM_ADVANCES detectors,
                               TURNS lanes
    turns      (3, T) int32    LANE, MOVEMENT and EXIT of each turn
    turn       (L+1,) int32    where each lane's turns begin in `turns` and in
    turn_share (T,)            the part of the lane's vehicles that takes it, learnt
    exits      (5, X)          CAPACITY and ROOM [veh]; ENTERED [veh/s] running mean; ACROSS [s] from a stop line over its loop;
                               WATCHED 1 where all its loops are believed
    lane_groups (2, L, G) bool OF groups with movements of the lane; AGAINST groups a movement of the lane gives way to
    memory     (.,)            SECONDS.. below
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

(
    LATE,  # [s] from the advance loops to the stop line, 0 where the lane has none
    MIDWAY,  # [s] from the middle loops to the stop line, 0 where the lane has none
    STORAGE,  # [veh] between advance loop and stop line
    ABOVE,  # [veh] between entrance and advance loops
    ASSUMED,  # [veh/s] saturation flow assumed
    HINDERED,  # part of its saturation flow at which it leaves where it gives way and no loop tells
    SIGHT,  # [s] how far its believed loops see
    TOLD,  # 1 where it has a stop-line loop that is believed
    CHECKED,  # 1 where it has an advance loop that is believed
    WAS_TOLD, WAS_CHECKED,  # what they were before other loops were believed
    SORTED,  # 1 where it has a middle loop that is believed
    BLIND,  # 1 where it has no loop upstream that is believed
    QUEUE,  # [veh] below the advance loop
    UPPER,  # [veh] that stand upstream of the advance loop
    ON_STOP,  # [veh] on the stop-line loop
    GREENED,  # [s] since it turned green, 0 in red
    UNHINDERED,  # [s] since all its movements are green and none gives way, 0 else
    DEPARTED,  # [veh] that left this second
    CROSSED,  # [veh] that came over the stop loop this second, though one who stopped on it then is not counted as departed yet
    BACK,  # 1 where such a one stands
    SET_OFF,  # [veh] that left so lately that those behind have not yet moved up
    CAME,  # [veh] that passed the advance loops this second
    RATE,  # [veh/s] running mean of departures
    FLOW,  # [veh] of saturated discharge, forgotten slowly
    FLOW_TIME,  # [s] of it
    PACE,  # [veh/s] recent discharge
    FRESH,  # [s] that one who came lately may still roll
    STUCK,  # [s] of green with a vehicle that does not leave
    STALLED,  # [s] for which nothing is expected to leave because one does not use its green
    SETBACK,  # [s] how long that is after the green
    ARRIVED, LEFT, SERVED,  # [veh/s] running means of CAME, DEPARTED (quick), DEPARTED (slow)
    WEIGHT, BELIEVED,  # what its loops are worth, all and those believed
    ACCOUNT, SLIPS,  # by the number of the side: [veh] between advance loops and stop lines, -1 unknown, and what it was set right by
    AT_MOST, LACKS,  # the same never set lower, so that nobody who is there is left out, and what it was raised by
    TOTAL, SATURATION, GAP, OCCUPIED, CONFIDENCE, CLOSED,  # as TrafficState says; TOTAL is its queue
    LANE_FIELDS,
) = range(47)  # fmt: skip
STOP_OF, OWN, SIDE, GREEN, REACH = range(5)
(
    OCCUPANCY,
    TRUST,  # 1 where it is believed, 0 where not
    STANDING,  # [s] of unbroken occupancy, while it is believed
    SILENT,  # [s] of nothing at all
    SEEN,  # [veh/s] running mean, as of DELAY ago
    LOOP_FIELDS,
) = range(6)
KIND, WAY, DELAY, GATE, VEHICLES = range(5)
LAG, SHARE, HEAD, FIRST = range(4)
FAR, MID, NEAR = range(3)
TURN_LANE, TURN_MOVEMENT, TURN_EXIT = range(3)
CAPACITY, ROOM, ENTERED, ACROSS, WATCHED = range(5)
(
    SECONDS,  # updates so far
    CROSSING,  # [veh] that left the stop lines and were not counted behind the junction, from the beginning, with what is miscounted
    INSIDE,  # [veh] that should have left the junction by now
    PENDING,  # [veh] that left the stop lines so lately that they need not have come out
    ONTO,  # [veh/s] running mean of those that left the stop lines
    OVER,  # [veh/s] running mean of those counted behind the junction
    ON_WAY,  # [veh] of CROSSING more than when the junction was last empty
    LATELY,  # [veh] CROSSING in each of the last REMEMBERED seconds, from here on
) = range(8)
REMEMBERED, LONGEST_CROSSING = 60, 20
"""Seconds within which a junction is empty once, and those after which whoever left the stop line should have come out, at most."""
DUE = LATELY + REMEMBERED
"""From here on, for each of the coming seconds, those PENDING that should come out in it."""
MEMORY = DUE + LONGEST_CROSSING + 1
FROM_ENTRANCES, FROM_MIDDLES, FROM_ADVANCES, TURNS = range(4)
GROUP_GREEN, CALLS, RECALLED = range(3)
OF, AGAINST = range(2)

STOP, ADVANCE, MIDDLE, ENTRANCE, EXIT = range(5)
