"""Fixed-time greens of one intersection from its flows: flow ratios, critical movements, cycle, equal saturation.

Webster, Traffic Signal Settings, Road Research Technical Paper 39 (1958) for the cycle and the delay; the critical
path of movements served in several stages after Allsop (1971) and Akcelik, ARR 123 (1981), here as a linear program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cover import cover
from .split import whole

Floats = NDArray[np.float64]

PRACTICAL = 0.9
"""Degree of saturation that a cycle is to keep every movement below, where one can (ARR 123)."""


@dataclass(frozen=True, slots=True)
class StageDemand:
    """What the stages of one intersection have to carry, in the order in which they run.

    flow, saturation : (n_movements,) [veh/h]
    serves : (n_stages, n_movements) bool, stage gives the movement green
    minima : (n_stages,) [s] least green of each stage, pedestrian walk and clearance included
    interstage : (n_stages,) [s] from the end of a stage's green to the start of the next one's
    extra : (n_movements,) [s] end gain less start loss of every green the movement gets (0: effective = displayed)
    least : (n_movements,) [s] least effective green of the movement, over all its stages together
    """

    flow: Floats
    saturation: Floats
    serves: NDArray[np.bool_]
    minima: Floats
    interstage: Floats
    extra: Floats
    least: Floats

    def __post_init__(self) -> None:
        stages, movements = self.serves.shape
        for name, size in (("flow", movements), ("saturation", movements), ("extra", movements), ("least", movements)):
            if getattr(self, name).shape != (size,):
                raise InputError(f"{name} needs one number for each of the {movements} movements")
        if self.minima.shape != (stages,) or self.interstage.shape != (stages,):
            raise InputError(f"minima and interstage need one number for each of the {stages} stages")
        if not (np.all(np.isfinite(self.flow)) and np.all(self.flow >= 0.0)):
            raise InputError("flows must be numbers of vehicles per hour, not negative")
        if not np.all(self.saturation > 0.0):
            raise InputError("saturation flows must be above zero")
        unserved = np.flatnonzero((self.flow > 0.0) & ~self.serves.any(axis=0))
        if unserved.size:
            raise InputError(f"movement {int(unserved[0])} has traffic but no stage gives it green")

    @property
    def flow_ratio(self) -> Floats:
        """y = flow over saturation flow (n_movements,)."""
        return self.flow / self.saturation

    def between(self) -> Floats:
        """Effective green (n_movements,) [s] beyond the served stages' greens: interstages passed under green, extras.

        A movement green in two consecutive stages keeps its green through the interstage between them.
        """
        follows = np.roll(self.serves, -1, axis=0)
        held = self.serves & follows
        always = self.serves.all(axis=0)
        runs = np.where(always, 0, (self.serves & ~follows).sum(axis=0))
        return np.asarray(held.T @ self.interstage + runs * self.extra, dtype=float)

    def effective_green(self, greens: Floats) -> Floats:
        """Effective green (n_movements,) [s] when the stages get `greens` (n_stages,) [s]."""
        return np.maximum(self.serves.T @ greens + np.where(self.serves.any(axis=0), self.between(), 0.0), 0.0)


@dataclass(frozen=True, slots=True)
class Calculation:
    """A timing with the way it was found, so that a person can check it.

    cycle [s], greens (n_stages,) [s], flow_ratio (n_movements,), critical: indices of the movements that decide,
    critical_flow_ratio Y, lost_time L [s], optimum_cycle [s] (Webster; inf when Y >= 1), shortest_cycle [s] (minima),
    effective_green (n_movements,) [s], saturation_degree x (n_movements,), oversaturated, remarks in plain words.
    """

    cycle: int
    greens: NDArray[np.int64]
    flow_ratio: Floats
    critical: tuple[int, ...]
    critical_flow_ratio: float
    lost_time: float
    optimum_cycle: float
    shortest_cycle: float
    effective_green: Floats
    saturation_degree: Floats
    oversaturated: bool
    remarks: tuple[str, ...]


def optimum_cycle(lost_time: float, critical_flow_ratio: float) -> float:
    """Webster's cycle of least delay [s] (equation 7.2 of RRTP 39); infinite when Y >= 1.

    >>> optimum_cycle(lost_time=16, critical_flow_ratio=0.5)
    58.0
    """
    if critical_flow_ratio >= 1.0:
        return math.inf
    return (1.5 * lost_time + 5.0) / (1.0 - critical_flow_ratio)


def delay(flow: float, saturation: float, green: float, cycle: float) -> float:
    """Webster's mean delay [s/veh] with his third, empirical term; flows [veh/h], effective green and cycle [s].

    Meant for x < 0.95; infinite at x >= 1, where `hcm.control_delay` should be used instead.
    """
    q, share = flow / 3600.0, green / cycle
    x = flow / (saturation * share)
    if x >= 1.0:
        return math.inf
    if q <= 0.0:
        return 0.5 * cycle * (1.0 - share) ** 2
    uniform = cycle * (1.0 - share) ** 2 / (2.0 * (1.0 - share * x))
    queueing = x * x / (2.0 * q * (1.0 - x))
    return float(uniform + queueing - 0.65 * (cycle / (q * q)) ** (1.0 / 3.0) * x ** (2.0 + 5.0 * share))


class _Rows:
    """The needs of the cover problem: movements (grow with the cycle), least greens, stage minima (both constant)."""

    def __init__(self, demand: StageDemand) -> None:
        stages, movements = demand.serves.shape
        self.y = demand.flow_ratio
        self.between = demand.between()
        self.serves = np.vstack((demand.serves.T, demand.serves.T, np.eye(stages, dtype=bool)))
        held = demand.serves.any(axis=0)
        self.constant = np.concatenate(
            (-self.between, np.where(held, demand.least - self.between, 0.0), demand.minima.astype(float))
        )
        self.slope = np.concatenate((self.y, np.zeros(movements + stages)))
        self.idle = float(demand.interstage.sum())


def critical(demand: StageDemand) -> tuple[tuple[int, ...], float, float]:
    """The movements that decide the cycle, their Y and the lost time L [s] of that path.

    Y is the greatest sum of flow ratios over movements that cannot share time. Where several paths tie, the one that
    loses more time is taken. With movements that overlap around the whole cycle a path may count halves.
    """
    rows = _Rows(demand)
    long_cycle = 1e5
    price = cover(rows.serves, long_cycle * rows.slope + rows.constant).price
    y = float(price @ rows.slope)
    lost = rows.idle + float(price @ rows.constant)
    deciding = np.flatnonzero((price[: demand.flow.size] > 1e-9) & (demand.flow > 0.0))
    return tuple(int(i) for i in deciding), y, lost


def shortest_cycle(demand: StageDemand, saturation_degree: float = math.inf) -> float:
    """Shortest cycle [s] that holds every minimum and keeps each movement at or below `saturation_degree`.

    Infinite when no cycle does. ARR 123's practical cycle, with the minima taken in; a convex, piecewise linear
    equation, so Newton's steps from below end exactly.
    """
    rows = _Rows(demand)
    slope = rows.slope / saturation_degree
    cycle = 0.0
    for _ in range(200):
        found = cover(rows.serves, cycle * slope + rows.constant)
        room = cycle - rows.idle
        if found.total <= room + 1e-9 * max(1.0, cycle):
            return cycle
        steep = 1.0 - float(found.price @ slope)
        if steep <= 1e-12:
            return math.inf
        cycle = (rows.idle + float(found.price @ rows.constant)) / steep
    return cycle


def equisaturation(demand: StageDemand, cycle: float) -> Floats:
    """Stage greens (n_stages,) [s] at a given cycle that make the worst degree of saturation least, then the next...

    The greens and the interstages sum to the cycle, minima are kept. Raises `InputError` when the minima do not fit.
    """
    rows = _Rows(demand)
    room = cycle - rows.idle
    slope, constant = rows.slope.copy(), rows.constant.copy()
    if cover(rows.serves, constant).total > room + 1e-9 * max(1.0, cycle):
        raise InputError(
            f"a cycle of {cycle:g} s is shorter than the minima, which need {shortest_cycle(demand):.1f} s: "
            "lengthen the cycle or combine stages"
        )
    greens = cover(rows.serves, constant).greens
    for _ in range(slope.size):
        growing = slope > 0.0
        if not np.any(growing):
            break
        level = 10.0 * (cycle + float(np.abs(constant).max())) / float(slope[growing].min())
        for _ in range(200):
            found = cover(rows.serves, level * slope + constant)
            climb = float(found.price @ slope)
            if found.total <= room + 1e-9 * max(1.0, cycle) or climb <= 0.0:
                break
            level = max((room - float(found.price @ constant)) / climb, 0.0)
        greens = found.greens
        binding = growing & (found.price > 1e-9)
        if not np.any(binding):
            break
        constant[binding] += level * slope[binding]
        slope[binding] = 0.0
    rest = room - float(greens.sum())
    if rest > 0.0:
        greens = greens + rest * (greens / greens.sum() if greens.sum() > 0.0 else 1.0 / greens.size)
    return greens


def calculate(
    demand: StageDemand, *, cycle: int | None = None, least_cycle: int = 30, longest_cycle: int = 120
) -> Calculation:
    """Work a fixed-time timing out: Webster's cycle within bounds (or the `cycle` given), equal saturation, whole s.

    An oversaturated intersection gets the longest cycle and greens that share the excess evenly, and a remark that
    says so. Raises `InputError` when the minima do not fit into the cycle asked for or the longest one allowed.
    """
    deciding, y, lost = critical(demand)
    wanted = optimum_cycle(lost, y)
    least = shortest_cycle(demand)
    remarks: list[str] = []
    if cycle is None:
        if math.ceil(least - 1e-9) > longest_cycle:
            raise InputError(f"the minima need a cycle of {least:.1f} s, more than the {longest_cycle} s allowed")
        practical = shortest_cycle(demand, PRACTICAL)
        room = practical if practical <= longest_cycle else 0.0
        bounded = min(max(wanted, least_cycle, least, room), longest_cycle)
        cycle = math.ceil(bounded - 1e-9)
        if y >= 1.0:
            remarks.append(f"no cycle can carry this traffic: Y = {y:.2f}; the longest cycle, {cycle} s, is used")
        elif wanted > longest_cycle:
            remarks.append(f"Webster's cycle of {wanted:.0f} s is cut to the longest allowed, {longest_cycle} s")
        elif cycle > math.ceil(wanted - 1e-9):
            reason = "the shortest cycle allowed"
            if room > max(least, least_cycle):
                reason = f"minima that leave too little to others: no degree of saturation is to be above {PRACTICAL:g}"
            elif least > least_cycle:
                reason = "the minima"
            remarks.append(f"Webster's cycle of {wanted:.0f} s is lengthened to {cycle} s by {reason}")
    idle = float(demand.interstage.sum())
    if abs(idle - round(idle)) > 1e-9:
        raise InputError(f"interstages sum to {idle:g} s: give them in whole seconds")
    floor = np.ceil(demand.minima - 1e-9)
    if floor.sum() + idle > cycle:
        raise InputError(f"a cycle of {cycle} s is shorter than the minima, which need {floor.sum() + idle:.0f} s")
    rounded = StageDemand(
        demand.flow, demand.saturation, demand.serves, floor, demand.interstage, demand.extra, demand.least
    )
    greens = whole(equisaturation(rounded, cycle), cycle - round(idle), floor.astype(np.int64))
    effective = demand.effective_green(greens.astype(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(demand.flow > 0.0, demand.flow_ratio * cycle / effective, 0.0)
    worst = float(x.max(initial=0.0))
    if worst > 1.0:
        remarks.append(f"oversaturated: the worst degree of saturation is {worst:.2f}; queues will grow")
    return Calculation(
        cycle=int(cycle),
        greens=greens,
        flow_ratio=demand.flow_ratio,
        critical=deciding,
        critical_flow_ratio=y,
        lost_time=lost,
        optimum_cycle=wanted,
        shortest_cycle=least,
        effective_green=effective,
        saturation_degree=x,
        oversaturated=worst > 1.0,
        remarks=tuple(remarks),
    )
