"""The account of each approach: who came over its advance loops and has not left over its stop lines is in one of its lanes.

Which lane, loops tell badly, for vehicles change lanes between them; how many there are in all, they tell nearly exactly. So what is
thought to stand in the lanes is made to add up to it. An account is begun when an approach is empty, and good where every loop it counts by
is believed, as long as it did not have to be set right much of late. Where it had to, for some turn off on the way, what came less
what left since the approach was last empty still says how many there are at most, unless more leave than came.
The arrays are those of `book`.
"""

from __future__ import annotations

from . import book, kernel
from .book import F64, I32

SLOWER = 3.0
"""Seconds more than in free flow from the advance loops to the stop line after which nobody can be on the way who was not seen."""
HIDDEN = 1.0
"""Vehicles more than each lane by itself tells that an account may tell of: one who comes slowly, or is in another lane."""
SLIP_MEMORY, SLIPPERY = 600.0, 3.0
"""Seconds over which what an account had to be set right by is remembered, and [veh] from which it only says how many there are at
most."""
LEAKY = 1.0
"""[veh] it was raised by, over as long, from which it does not say that either: more leave than came over its loops."""
NO_ACCOUNT = -1.0
"""The account of an approach that has not been empty since all its loops are believed."""
LATELY = 12.0
"""Seconds of arrivals by which lanes are weighed when somebody is missing."""


@kernel(lean=True)
def settle(lanes: F64, lane_rows: I32, loops: F64, loop_rows: I32, rings: F64) -> None:
    """One second of every account; then queues add up to it, less who is still on the way to the stop line."""
    queue, departed, late, on_stop = lanes[book.QUEUE], lanes[book.DEPARTED], lanes[book.LATE], lanes[book.ON_STOP]
    account, slips, arrived = lanes[book.ACCOUNT], lanes[book.SLIPS], lanes[book.ARRIVED]
    at_most, lacks = lanes[book.AT_MOST], lanes[book.LACKS]
    side, gate, near = lane_rows[book.SIDE], loop_rows[book.GATE], rings[book.NEAR]
    for s in range(queue.shape[0]):
        good, quiet, wait = True, True, 0.0
        stand, due, left, least, weight = 0.0, 0.0, 0.0, 0.0, 0.0
        for lane in range(queue.shape[0]):
            if side[lane] == s:
                good &= lanes[book.TOLD, lane] > 0.0 and lanes[book.CHECKED, lane] > 0.0
                wait = max(wait, late[lane] + SLOWER)
                stand += queue[lane]
                left += departed[lane]
                least += on_stop[lane]
                weight += queue[lane] + LATELY * arrived[lane]
                for h in range(near.shape[1]):
                    due += near[lane, h]
        if wait == 0.0:
            continue
        for lane in range(queue.shape[0]):
            quiet &= side[lane] != s or lanes[book.GAP, lane] >= wait
        came, gates = 0.0, 0
        for d in range(gate.shape[0]):
            if gate[d] == s:
                gates += 1
                good &= loops[book.TRUST, d] > 0.0
                came += loop_rows[book.VEHICLES, d]
                quiet &= loops[book.SILENT, d] >= wait
        good &= gates > 0
        if not good or (account[s] < 0.0 and not quiet):
            account[s], slips[s], lacks[s] = NO_ACCOUNT, 0.0, 0.0
            continue
        summed = least if account[s] < 0.0 or quiet else at_most[s] + came - left
        at_most[s] = max(summed, least)
        lacks[s] += at_most[s] - summed - lacks[s] / SLIP_MEMORY
        account[s] = least if account[s] < 0.0 else account[s] + came - left
        right = least if quiet else max(min(account[s], stand + due + HIDDEN), least)
        slips[s] += abs(right - account[s]) - slips[s] / SLIP_MEMORY
        account[s] = right
        slippery = slips[s] > SLIPPERY
        wanted = max((at_most[s] if slippery else right) - due, least)
        for lane in range(queue.shape[0]):
            if side[lane] == s:
                if stand > wanted and (not slippery or lacks[s] <= LEAKY):
                    queue[lane] = on_stop[lane] + (queue[lane] - on_stop[lane]) * (wanted - least) / (stand - least)
                elif weight > 0.0 and not slippery:
                    more = (wanted - stand) * (queue[lane] + LATELY * arrived[lane]) / weight
                    queue[lane] = max(queue[lane], min(queue[lane] + more, lanes[book.STORAGE, lane] + 1.0))
