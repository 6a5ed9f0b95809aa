"""Green waves on an arterial: the widest bands, as a mixed-integer linear program (scipy's HiGHS).

MAXBAND: Little, Kelson and Gartner (1981), one band width a direction. MULTIBAND: Gartner, Assmann, Lasaga and Hou
(1991), a width for each link, symmetric about its centre line. AM-BAND: Zhang, Xie, Gartner, Stamatiadis and Arsava
(2015), the same with the two halves free. Instead of the red-time geometry of the papers the program below is written
in the times a time-space diagram is drawn with: green start, band edges and travel times, all in cycles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Floats = NDArray[np.float64]
Form = Literal["maxband", "multiband", "am-band"]


@dataclass(frozen=True, slots=True)
class Signal:
    """A light of the arterial: green for the way out and the way back [s], alternatives for where the latter lies.

    position [m] along the arterial; outbound, inbound: length of green [s]; leads: starts [s] the inbound green may have
    after the outbound one (several for left turns that may lead or lag); cleared: [s] a queue takes to clear before the
    band may pass, for each direction.
    """

    name: str
    position: float
    outbound: float
    inbound: float
    leads: tuple[float, ...] = (0.0,)
    cleared: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Band:
    """A green wave over the links from `first` to `last` signal: at each the time its start passes [s], and its width [s].

    starts : (n_signals covered,) [s], not reduced to the cycle, in the order of travel; drawn as parallelograms.
    """

    direction: Literal["outbound", "inbound"]
    signals: tuple[str, ...]
    starts: tuple[float, ...]
    width: float


@dataclass(frozen=True, slots=True)
class GreenWave:
    """Offsets [s] = start of outbound green of each signal, chosen lead, cycle [s], the bands, and the program's value [s].

    `proved`: the solver showed that nothing better exists.
    """

    cycle: float
    offsets: tuple[float, ...]
    leads: tuple[float, ...]
    bands: tuple[Band, ...]
    value: float
    proved: bool


def green_wave(
    signals: Sequence[Signal],
    cycle: float,
    speed: float | Sequence[tuple[float, float]],
    *,
    form: Form = "maxband",
    weights: Sequence[tuple[float, float]] | None = None,
    inbound_share: float = 1.0,
    time_limit: float = 30.0,
) -> GreenWave:
    """The offsets that give the widest bands at a cycle [s].

    speed : [m/s] for both directions, or (outbound, inbound) for each link; weights : (outbound, inbound) for each link
    in the variable forms (ratios of volume to saturation flow are usual), ones otherwise; inbound_share : how much a
    second of inbound band counts against one of outbound band in "maxband".
    Raises InputError when signals are out of order, or greens do not fit into the cycle.
    """
    n = len(signals)
    _check(signals, cycle)
    links = n - 1
    speeds = [(speed, speed)] * links if isinstance(speed, int | float) else list(speed)
    if len(speeds) != links or any(v <= 0.0 for pair in speeds for v in pair):
        raise InputError(f"{links} links need as many pairs of speeds above zero, got {len(speeds)}")
    weighted = [(1.0, 1.0)] * links if weights is None else list(weights)
    if len(weighted) != links or any(w < 0.0 for pair in weighted for w in pair):
        raise InputError(f"{links} links need as many pairs of weights, not negative, got {len(weighted)}")
    travel = [
        [(signals[i + 1].position - signals[i].position) / speeds[i][d] / cycle for i in range(links)] for d in (0, 1)
    ]
    return _Program(signals, cycle, travel, form, weighted, inbound_share).solved(time_limit)


def _check(signals: Sequence[Signal], cycle: float) -> None:
    if len(signals) < 2:
        raise InputError("a green wave needs two signals at least")
    for before, after in zip(signals, signals[1:], strict=False):
        if after.position <= before.position:
            raise InputError(f"signal {after.name} must lie beyond {before.name} on the arterial")
    for signal in signals:
        for green, cleared in ((signal.outbound, signal.cleared[0]), (signal.inbound, signal.cleared[1])):
            if not 0.0 < green <= cycle or not 0.0 <= cleared < green:
                raise InputError(
                    f"signal {signal.name}: greens must be longer than their queues take and fit the cycle of {cycle:g} s"
                )
        if not signal.leads:
            raise InputError(f"signal {signal.name}: it needs at least one start of the inbound green")


class _Program:
    """Variables, all in cycles: per signal the offset o and a binary for each lead; per direction and link the half
    widths l, r before and after the centre line and, at each end of it, the centre's place w in the green, with an integer m.

    A band on the link from i to j whose centre passes i at w_i after green starts there must pass j at
    o_i + w_i + travel = o_j + w_j + m with l <= w - cleared and r <= green - w at both ends. A binary says whether there is
    a band at all; where not, its width is nothing and its line may pass at red.
    """

    def __init__(
        self, signals: Sequence[Signal], cycle: float, travel: list[list[float]], form: Form,
        weights: Sequence[tuple[float, float]], inbound_share: float,
    ) -> None:  # fmt: skip
        self.signals, self.cycle, self.travel, self.form = signals, cycle, travel, form
        n, links = len(signals), len(signals) - 1
        self.count = 0
        self.offset = self._new(n)
        self.choice = [self._new(len(s.leads)) for s in signals]
        shape = (2, links)
        self.left, self.right = self._new(*shape), self._new(*shape)
        self.at_start, self.at_end = self._new(*shape), self._new(*shape)
        self.turns = self._new(*shape)
        self.open = self._new(*shape)
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.gain = np.zeros(self.count)
        for d in (0, 1):
            for i in range(links):
                weight = (weights[i][d] if form != "maxband" else (1.0, inbound_share)[d]) / links
                self.gain[self.left[d, i]] += weight
                self.gain[self.right[d, i]] += weight
        self._constrain()

    def _new(self, *shape: int) -> NDArray[np.int64]:
        size = math.prod(shape)
        made = np.arange(self.count, self.count + size).reshape(shape)
        self.count += size
        return made

    def _green(self, d: int, i: int) -> tuple[float, float]:
        signal = self.signals[i]
        return signal.cleared[d] / self.cycle, (signal.outbound, signal.inbound)[d] / self.cycle

    def _lead(self, d: int, i: int, sign: float) -> dict[int, float]:
        """Start of the green of direction d at signal i, after its offset."""
        if d == 0:
            return {}
        return {int(k): sign * lead / self.cycle for k, lead in zip(self.choice[i], self.signals[i].leads, strict=True)}

    def _constrain(self) -> None:
        n, links = len(self.signals), len(self.signals) - 1
        for i in range(n):
            self.rows.append(({int(k): 1.0 for k in self.choice[i]}, 1.0, 1.0))
        for d in (0, 1):
            for i in range(links):
                a, b = (i, i + 1) if d == 0 else (i + 1, i)
                row = {int(self.offset[a]): 1.0, int(self.offset[b]): -1.0, int(self.turns[d, i]): -1.0}
                row |= self._lead(d, a, 1.0) | self._lead(d, b, -1.0)
                row |= {int(self.at_start[d, i]): 1.0, int(self.at_end[d, i]): -1.0}
                self.rows.append((row, -self.travel[d][i], -self.travel[d][i]))
                for signal, place in ((a, self.at_start[d, i]), (b, self.at_end[d, i])):
                    low, high = self._green(d, signal)
                    there = int(self.open[d, i])
                    self.rows.append(({int(place): 1.0, int(self.left[d, i]): -1.0, there: -1.0}, low - 1.0, math.inf))
                    self.rows.append(({int(place): 1.0, int(self.right[d, i]): 1.0, there: 1.0}, -math.inf, high + 1.0))
                for half in (self.left[d, i], self.right[d, i]):
                    self.rows.append(({int(half): 1.0, int(self.open[d, i]): -1.0}, -math.inf, 0.0))
                if self.form != "am-band":
                    self.rows.append(({int(self.left[d, i]): 1.0, int(self.right[d, i]): -1.0}, 0.0, 0.0))
            self._join(d, links)

    def _join(self, d: int, links: int) -> None:
        """The centre line goes straight through every signal; in MAXBAND the width stays the same too."""
        for i in range(links - 1):
            first, second = (i, i + 1) if d == 0 else (i + 1, i)
            self.rows.append(({int(self.at_end[d, first]): 1.0, int(self.at_start[d, second]): -1.0}, 0.0, 0.0))
            if self.form == "maxband":
                for same in (self.left, self.open):
                    self.rows.append(({int(same[d, first]): 1.0, int(same[d, second]): -1.0}, 0.0, 0.0))

    def solved(self, time_limit: float) -> GreenWave:
        """Hand the program to HiGHS and read the bands off."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        entries = [(r, c, v) for r, (row, _, _) in enumerate(self.rows) for c, v in row.items()]
        matrix = csr_array(
            ([v for *_, v in entries], ([r for r, *_ in entries], [c for _, c, _ in entries])),
            (len(self.rows), self.count),
        )
        low, high = np.zeros(self.count), np.ones(self.count)
        high[self.offset[0]] = 0.0
        reach = (
            sum(max(t) for t in self.travel) + max(max(s.leads) - min(s.leads) for s in self.signals) / self.cycle + 3.0
        )
        low[self.turns.ravel()], high[self.turns.ravel()] = -math.ceil(reach), math.ceil(reach)
        integer = np.zeros(self.count)
        integer[np.concatenate((self.turns.ravel(), self.open.ravel()))] = 1
        integer[np.concatenate([c.ravel() for c in self.choice])] = 1
        found = milp(
            -self.gain,
            integrality=integer,
            bounds=Bounds(low, high),
            constraints=LinearConstraint(matrix, [row[1] for row in self.rows], [row[2] for row in self.rows]),
            options={"time_limit": time_limit},
        )
        if found.x is None:
            raise InputError(
                f"no green wave was found at a cycle of {self.cycle:g} s within {time_limit:g} s: "
                "allow more time, or look at a shorter part of the arterial"
            )
        return self._read(found.x, float(-found.fun), found.status == 0)

    def _read(self, x: Floats, value: float, proved: bool) -> GreenWave:
        c, names = self.cycle, [s.name for s in self.signals]
        offsets = [float(v) * c for v in x[self.offset]]
        leads = [s.leads[int(np.argmax(x[k]))] for s, k in zip(self.signals, self.choice, strict=True)]
        bands: list[Band] = []
        links = len(names) - 1
        for d, direction in ((0, "outbound"), (1, "inbound")):
            where = list(range(links)) if d == 0 else list(range(links - 1, -1, -1))
            time = 0.0
            for k, i in enumerate(where):
                a = i if d == 0 else i + 1
                start = offsets[a] + (leads[a] if d else 0.0) + float(x[self.at_start[d, i]] - x[self.left[d, i]]) * c
                if k:
                    start += c * round((time - float(x[self.left[d, i]]) * c - start) / c)
                width = float(x[self.left[d, i]] + x[self.right[d, i]]) * c
                end = start + self.travel[d][i] * c
                time = end + float(x[self.left[d, i]]) * c
                pair = (names[i], names[i + 1]) if d == 0 else (names[i + 1], names[i])
                bands.append(
                    Band("outbound" if direction == "outbound" else "inbound", pair, (start, end), max(width, 0.0))
                )
        if self.form == "maxband":
            bands = [_whole(bands[:links]), _whole(bands[links:])]
        return GreenWave(c, tuple(offsets), tuple(leads), tuple(bands), value * c, proved)


def _whole(parts: Sequence[Band]) -> Band:
    """One band from the links of one direction."""
    return Band(
        parts[0].direction,
        (parts[0].signals[0], *(part.signals[1] for part in parts)),
        (parts[0].starts[0], *(part.starts[1] for part in parts)),
        parts[0].width,
    )


def widest_bands(
    signals: Sequence[Signal],
    cycles: Sequence[float],
    speed: float | Sequence[tuple[float, float]],
    *,
    form: Form = "maxband",
) -> GreenWave:
    """The green wave with the greatest share of the cycle over several cycles [s]; greens are stretched with the cycle.

    The greens of `signals` are those of the first cycle given.
    """
    best: GreenWave | None = None
    for cycle in cycles:
        grown = cycle / cycles[0]
        stretched = [
            Signal(
                s.name, s.position, s.outbound * grown, s.inbound * grown, tuple(x * grown for x in s.leads), s.cleared
            )
            for s in signals
        ]
        wave = green_wave(stretched, cycle, speed, form=form)
        if best is None or wave.value / wave.cycle > best.value / best.cycle + 1e-9:
            best = wave
    if best is None:
        raise InputError("give at least one cycle to look for bands at")
    return best
