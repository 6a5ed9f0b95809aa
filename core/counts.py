"""What the loops say in one interval, struct of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(slots=True)
class Counts:
    """Counts of one intersection's detectors over the interval that ended at `time` [s], in the order of `Intersection.detectors`.

    vehicles   (n_detectors,) int32: vehicles that came onto the loop in the interval
    occupancy  (n_detectors,) float64 in [0, 1]: share of the interval the loop was occupied
    fault      (n_detectors,) bool: the cabinet itself reports the detector faulty
    """

    time: float
    interval: float
    vehicles: npt.NDArray[np.int32]
    occupancy: npt.NDArray[np.float64]
    fault: npt.NDArray[np.bool_]
