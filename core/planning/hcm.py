"""Control delay and level of service of the Highway Capacity Manual, 7th edition, chapter 19 (equation numbers there).

Delays [s/veh], flows and capacities [veh/h], times [s], the analysis period [h]. All functions take arrays or numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

PRETIMED = 0.5  # k of fixed-time and coordinated stages
PERIOD = 0.25  # the manual's quarter of an hour [h]
GRADES = ((10.0, "A"), (20.0, "B"), (35.0, "C"), (55.0, "D"), (80.0, "E"))  # exhibit 19-8, upper bounds [s/veh]


def _arrays(*values: ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.asarray(value, dtype=float) for value in values)


def uniform_delay(cycle: ArrayLike, green: ArrayLike, x: ArrayLike, progression: ArrayLike = 1.0) -> Floats:
    """d1 (19-19): delay of arrivals that come evenly, times the progression factor.

    >>> float(uniform_delay(cycle=60, green=30, x=0.5))
    10.0
    """
    c, g, x, pf = _arrays(cycle, green, x, progression)
    share = np.minimum(g / c, 1.0)
    full = 1.0 - np.minimum(x, 1.0) * share
    return np.asarray(pf * 0.5 * c * (1.0 - share) ** 2 / np.where(full > 0.0, full, 1.0))


def progression_factor(on_green: ArrayLike, green_share: ArrayLike, x: ArrayLike) -> Floats:
    """PF (19-20) from the proportion P arriving on green and g/C; 1 when P = g/C or the light is always green."""
    p, share, x = _arrays(on_green, green_share, x)
    x = np.minimum(x, 1.0)
    open_ = share >= 1.0
    red = np.where(open_, 1.0, 1.0 - share)
    flow_ratio = x * share  # (19-21)
    even = np.maximum(1.0 - x * p, 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (1.0 - p) / red * (1.0 - flow_ratio) / even * (1.0 + flow_ratio * (1.0 - p / share) / red)
    return np.asarray(np.where(open_ | (share <= 0.0), 1.0, factor))


def least_delay_factor(passage_time: ArrayLike) -> Floats:
    """k_min (19-23) of an actuated stage from its passage time [s]."""
    (pt,) = _arrays(passage_time)
    return np.maximum(-0.375 + 0.354 * pt - 0.0910 * pt**2 + 0.00889 * pt**3, 0.04)


def delay_factor(flow_to_available: ArrayLike, k_min: ArrayLike) -> Floats:
    """k (19-22) of an actuated stage from flow over available capacity."""
    v, k = _arrays(flow_to_available, k_min)
    return np.clip((1.0 - 2.0 * k) * (v - 0.5) + k, k, PRETIMED)


def filtering(upstream_x: ArrayLike) -> Floats:
    """I (19-6): upstream signals smooth random arrivals; 1 for an isolated intersection (x upstream 0)."""
    (x,) = _arrays(upstream_x)
    return np.maximum(1.0 - 0.91 * np.minimum(x, 1.0) ** 2.68, 0.09)


def incremental_delay(
    x: ArrayLike, capacity: ArrayLike, period: float = PERIOD, k: ArrayLike = PRETIMED, upstream: ArrayLike = 1.0
) -> Floats:
    """d2 (19-26): delay of random arrivals and of oversaturation within the period."""
    x, c, k, i = _arrays(x, capacity, k, upstream)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt((x - 1.0) ** 2 + 8.0 * k * i * x / (c * period))
    return np.asarray(900.0 * period * ((x - 1.0) + root))


def queue_at_end(queue: ArrayLike, flow: ArrayLike, capacity: ArrayLike, period: float = PERIOD) -> Floats:
    """Q_e (19-45): what an initial queue [veh] has become after the period; the next period's initial queue."""
    q, v, c = _arrays(queue, flow, capacity)
    return np.maximum(q + period * (v - c), 0.0)


def initial_queue_delay(queue: ArrayLike, flow: ArrayLike, capacity: ArrayLike, period: float = PERIOD) -> Floats:
    """d3 (19-44 to 19-49): delay caused by a queue [veh] left over from the period before."""
    q, v, c = _arrays(queue, flow, capacity)
    over = v >= c
    spare = np.where(over, 1.0, c - v)
    t = np.where(over, period, np.minimum(q / spare, period))
    at_end = q + t * (v - c)
    anyway = np.where(over, period * (v - c), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        area = t * (q + at_end - anyway) / 2.0 + (at_end**2 - anyway**2) / (2.0 * c) - q**2 / (2.0 * c)
        late = 3600.0 / (v * period) * area
    return np.asarray(np.where((q > 0.0) & (v > 0.0), late, 0.0))


def level_of_service(delay: float, x: float = 0.0) -> str:
    """Letter A to F (exhibit 19-8); F whenever the degree of saturation is above 1.

    >>> level_of_service(21.4), level_of_service(21.4, x=1.02)
    ('C', 'F')
    """
    if x > 1.0:
        return "F"
    return next((letter for bound, letter in GRADES if delay <= bound), "F")


@dataclass(frozen=True, slots=True)
class ControlDelay:
    """Delay of each movement (n_movements,) [s/veh] in its three parts, x, level of service, queue left [veh]."""

    uniform: Floats
    incremental: Floats
    initial_queue: Floats
    total: Floats
    x: Floats
    service: tuple[str, ...]
    queue: Floats

    def mean(self, flow: ArrayLike) -> float:
        """Flow-weighted mean (19-29) [s/veh]; 0 when there is no traffic."""
        (v,) = _arrays(flow)
        return float((v * self.total).sum() / v.sum()) if v.sum() > 0.0 else 0.0


def control_delay(
    flow: ArrayLike,
    saturation: ArrayLike,
    green: ArrayLike,
    cycle: float,
    *,
    period: float = PERIOD,
    queue: ArrayLike = 0.0,
    on_green: ArrayLike | None = None,
    k: ArrayLike = PRETIMED,
    upstream_x: ArrayLike = 0.0,
) -> ControlDelay:
    """Control delay (19-18) of movements (n,) from flow, saturation flow [veh/h] and effective green [s].

    `queue` [veh] stands at the start (pass the result's `queue` on to chain periods); `on_green` is the proportion
    arriving on green (default: evenly); `upstream_x` the degree of saturation of the feeding signals.
    """
    v, s, g = (np.atleast_1d(a) for a in _arrays(flow, saturation, green))
    share = g / cycle
    capacity = s * share
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(capacity > 0.0, v / capacity, np.where(v > 0.0, np.inf, 0.0))
    pf = 1.0 if on_green is None else progression_factor(on_green, share, x)
    start = np.broadcast_to(np.asarray(queue, dtype=float), v.shape)
    d1 = uniform_delay(cycle, g, np.where(start > 0.0, 1.0, x), pf)
    if np.any(start > 0.0):
        cleared = np.where(v < capacity, np.minimum(start / np.maximum(capacity - v, 1e-12), period), period) / period
        d1 = np.where(start > 0.0, cleared * d1 + (1.0 - cleared) * uniform_delay(cycle, g, x, pf), d1)
    d2 = incremental_delay(x, capacity, period, k, filtering(upstream_x))
    d3 = initial_queue_delay(start, v, capacity, period)
    total = np.where(v > 0.0, d1 + d2 + d3, d1)
    service = tuple(level_of_service(float(d), float(r)) for d, r in zip(total, x, strict=True))
    return ControlDelay(d1, d2, d3, total, x, service, queue_at_end(start, v, capacity, period))
