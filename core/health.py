"""Which loops can be believed, second by second; what stands in for the others is the estimator's business.

Faults found, and what finds them:

    reported      the cabinet says so itself
    stuck on      occupied without a break for five minutes, for a minute of green during which the loops beside it saw traffic, or while
                  another loop of its lane saw more vehicles than fit between the two
    stuck off     with all of its lane silent for five minutes from the start, where no entrance tells of the arm, until it sees somebody;
                  silent for ten minutes in which it should have seen a dozen vehicles, or for a minute and a half at least while another
                  loop of its lane saw twenty-five; of one that never saw anybody, while many came into its arm who are not seen
                  beside it either
    dull          counts under 60 % of what its partner in the lane does, a middle loop of what the advance loop does, and the approach
                  loses vehicles there (conservation)
    chatter       more than two vehicles a second, or more than 2400 veh/h over a minute, until it is under 1800
"""

from __future__ import annotations

import enum
from collections import Counter

import numpy as np
import numpy.typing as npt

from .counts import Counts
from .coverage import SPACE, sides_of
from .intersection import Intersection, LoopKind
from .kernels import health as kernels

Floats = npt.NDArray[np.float64]


class Fault(enum.IntEnum):
    """What is wrong with a loop."""

    NONE = 0
    REPORTED = 1
    STUCK_ON = 2
    STUCK_OFF = 3
    CHATTER = 4
    DULL = 5


ON_FOR = 300.0  # [s] of unbroken occupancy
ON_IN_GREEN = 60.0  # [s] of it at a green while others move
MISSED = 12.0  # vehicles expected by its own mean: P(0 | 12) < 1e-5 for Poisson arrivals
SILENT = 600.0  # [s] of silence at least, for demand comes and goes
PASSED = 25.0  # vehicles its witness saw since it last saw any
BURST = 3  # vehicles within one second
FLOOD = 2400.0 / 3600.0  # [veh/s]
SANE_FOR = 60.0  # [s] without the symptom before a loop is believed again
HOUR_QUARTER, MINUTE = 1.0 / 900.0, 1.0 / 60.0
WINDOW = 60.0  # vehicles of one loop after which its approach is judged for conservation
KEPT, OF_ALL = 0.6, 0.85  # shares of its partner's count, and of the approach's, that are no fault
SURELY = 0.7  # share of its partner's count under which, with all who fit in between, it is a fault before the window is full
BRISK = 0.5  # [veh/s] over a minute; what counts more may be about to be found chattering
QUIET = 90.0  # [s] of silence at least before another loop tells of it
OVER = 6.0  # vehicles its witness saw while it stood occupied, besides those who fit between the two
UNPROVED = 300.0  # [s] from the start for which a lane whose arm no entrance tells of is believed to be empty
LIMITS = np.array([
    ON_FOR, ON_IN_GREEN, MISSED, SILENT, PASSED, BURST, FLOOD, SANE_FOR, MINUTE, HOUR_QUARTER, WINDOW, KEPT, OF_ALL, BRISK, QUIET, OVER,
    SURELY, UNPROVED,
])  # fmt: skip


class Health:
    """The faults of one intersection's loops. `fault` (n_detectors,) of Fault, `trust` (n_detectors,) 1 believed, 0 not."""

    def __init__(self, site: Intersection) -> None:
        n = len(site.detectors)
        self.site = site
        self.fault = np.zeros(n, dtype=np.int32)
        self.trust = np.ones(n)
        self._symptoms = np.zeros((kernels.SYMPTOMS, n))
        self._seconds = 0
        self._stops = np.array([d.kind is LoopKind.STOP for d in site.detectors], dtype=np.bool_)
        self._exits = np.array([d.kind is LoopKind.EXIT for d in site.detectors], dtype=np.bool_)
        row = {lane.name: k for k, lane in enumerate(site.lanes)}
        self._lane = np.array(
            [row.get(d.lanes[0], -1) if len(d.lanes) == 1 else -1 for d in site.detectors], dtype=np.int32
        )
        self._partner = np.concatenate((_partners(site), _arms(site)))
        self.tables = (
            LIMITS, self._stops, self._exits, self._lane, self._partner, self._symptoms, self.fault, self.trust
        )  # fmt: skip

    def update(self, counts: Counts, green: npt.NDArray[np.bool_]) -> Floats:
        """`trust` after one more interval; `green` (n_lanes,) says which lanes have all their movements green."""
        self._seconds += 1
        kernels.judge(
            counts.interval, self._seconds, counts.vehicles, counts.occupancy, counts.fault, green, *self.tables
        )
        return self.trust

    def notes(self) -> dict[str, str]:
        """Detector name -> what is wrong with it, in words, for those not believed."""
        return {
            detector.name: Fault(int(fault)).name.lower().replace("_", " ")
            for detector, fault in zip(self.site.detectors, self.fault, strict=True)
            if fault
        }


def _partners(site: Intersection) -> npt.NDArray[np.int32]:
    """(4, n_detectors) the one other loop nearly all its traffic must also cross, else -1: stop line and advance loop of one lane, or the
    only one that leads to it. The number of its approach. Its witness: that other one, of a middle loop the advance loop. How many
    vehicles fit between the two."""
    found = np.full((4, len(site.detectors)), -1, dtype=np.int32)
    partner, ends = found[0], [d.lane for d in site.detectors]
    stop = {d.lanes[0]: k for k, d in enumerate(site.detectors) if d.kind is LoopKind.STOP and len(d.lanes) == 1}
    feeds = Counter(lane for d in site.detectors if d.kind is LoopKind.ADVANCE for lane in d.lanes)
    for k, d in enumerate(site.detectors):
        if d.kind is not LoopKind.ADVANCE or len(d.lanes) != 1 or d.lanes[0] not in stop:
            continue
        lane = d.lanes[0]
        if lane == d.lane or feeds[lane] == 1:
            partner[k], partner[stop[lane]], ends[k] = stop[lane], k, lane
    found[2] = partner
    advance = {d.lanes: k for k, d in enumerate(site.detectors) if d.kind is LoopKind.ADVANCE and len(d.lanes) == 1}
    for k, d in enumerate(site.detectors):
        if d.kind is LoopKind.MIDDLE and d.lanes in advance:
            found[2, k], ends[k] = advance[d.lanes], d.lanes[0]
    approach = list(dict.fromkeys(lane.rsplit("_", 1)[0] for lane in ends))
    found[1] = [approach.index(lane.rsplit("_", 1)[0]) for lane in ends]
    away = np.array([d.distance for d in site.detectors])
    found[3] = np.ceil(np.abs(away - away[found[2]]) / SPACE) if len(away) else 0
    return found


def _arms(site: Intersection) -> npt.NDArray[np.int32]:
    """(3, n_detectors) number of the one arm with entrances it sees, else -1; 1 if it counts who comes into it, -1 of the row of advance
    loops, -2 of stop lines, else 0; how many vehicles fit between the entrances and one of the row."""
    side = dict(zip((lane.name for lane in site.lanes), sides_of(site).tolist(), strict=True))
    arms = [{side[name] for name in d.lanes if name in side} for d in site.detectors]
    found = np.zeros((3, len(site.detectors)), dtype=np.int32)
    found[0] = [arm.pop() if len(arm) == 1 else -1 for arm in arms]
    found[1] = [{LoopKind.ENTRANCE: 1, LoopKind.ADVANCE: -1, LoopKind.STOP: -2}.get(d.kind, 0) for d in site.detectors]
    away = np.array([d.distance for d in site.detectors])
    for arm in np.unique(found[0]):
        of_it = found[0] == arm
        begins = away[of_it & (found[1] > 0)]
        if arm < 0 or not len(begins):
            found[:, of_it] = [[-1], [0], [0]]
        else:
            found[2, of_it] = np.ceil(KEPT * np.maximum(begins.max() - away[of_it], 0.0) / SPACE)
    return found
