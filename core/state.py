"""What every controller sees: the intersection now, and what is expected, all of it from loop counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .intersection import Intersection

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class TrafficState:
    """The state of one intersection. Its arrays belong to the estimator, which overwrites them each step; controllers read only.

    time            [s]
    stage           row of the stage served or being changed to
    in_interstage   an interstage or a minimum green is running: no wish will be taken up
    elapsed         [s] since the stage was fully green
    queue           (n_lanes,) vehicles waiting or about to, at each approach lane
    arrivals        (n_lanes, horizon) vehicles expected at the stop line in each coming second
    saturation      (n_lanes,) [veh/s] on a protected green
    turning         (n_lanes, n_movements) share of each lane's traffic that belongs to each movement
    gap             (n_lanes,) [s] since a vehicle was last seen on the lane's loops short of the stop line
    occupied        (n_lanes,) share of the last second the stop-line loop was occupied
    confidence      (n_lanes,) in [0, 1]
    room            (n_exits,) vehicles that still fit into each exit
    calls           (n_groups,) bool: who has demand
    red             (n_groups,) [s] of red with a call standing
    stalled         (n_lanes,) [s] the part of `closed` that is due to a vehicle that does not use its green
    stuck           (n_lanes,) [s] of green in which one stands over the stop line and does not leave
    sight           (n_lanes,) [s] how far ahead the loops see; what comes later in `arrivals` is a mean
    departed        (n_lanes,) vehicles that left the lane in the last second; -1 where one stands at the stop line after all
    crossed         (n_lanes,) vehicles that came over its stop loop in the last second, those among them who stopped on it then
    greened         (n_lanes,) [s] since the lane turned green, 0 in red
    inside          vehicles that should have left the junction by now, and have not; nan where its loops cannot tell
    counted         (n_detectors,) vehicles that came onto each loop in the last second
    trust           (n_detectors,) 1 where the loop is believed, 0 where not
    closed          (n_lanes,) [s] for which nothing is expected to leave, green or not: the exit is full, or the way is blocked
    """

    intersection: Intersection
    time: float
    stage: int
    in_interstage: bool
    elapsed: float
    queue: Floats
    arrivals: Floats
    saturation: Floats
    turning: Floats
    gap: Floats
    occupied: Floats
    confidence: Floats
    room: Floats
    calls: npt.NDArray[np.bool_]
    red: Floats
    closed: Floats = field(default_factory=lambda: np.zeros(0))
    stalled: Floats = field(default_factory=lambda: np.zeros(0))
    stuck: Floats = field(default_factory=lambda: np.zeros(0))
    sight: Floats = field(default_factory=lambda: np.zeros(0))
    inside: float = 0.0
    departed: Floats = field(default_factory=lambda: np.zeros(0))
    crossed: Floats = field(default_factory=lambda: np.zeros(0))
    greened: Floats = field(default_factory=lambda: np.zeros(0))
    counted: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    trust: Floats = field(default_factory=lambda: np.zeros(0))
    notes: dict[str, str] = field(default_factory=dict)
