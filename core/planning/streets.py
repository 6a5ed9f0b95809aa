"""The streets between the lights: what the network optimiser works on, checked, and laid out for the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..kernels.layout import Network
from ..kernels.storage import Roads

ALPHA, BETA = 0.35, 0.8  # Robertson's platoon dispersion for moderate friction


@dataclass(frozen=True, slots=True)
class Link:
    """A stream of traffic with one stop line: its own queue, its own saturation flow.

    feeds : (link, share) the links whose departures it gets, and how much of them; entry [veh/h] traffic that joins
    evenly; travel_time [s] undisturbed, from the feeding stop lines to this one; saturation_flow [veh/h]; storage [veh];
    light : the intersection that holds it, None when nothing does; green : its stages with right of way;
    yielding : stages in which it gives way, and the share of the saturation flow it then gets; start_loss, end_gain [s].
    The weights are those of a queued vehicle, of a stop in seconds of delay, and of a vehicle squared too many.
    """

    name: str
    travel_time: float
    saturation_flow: float
    feeds: tuple[tuple[str, float], ...] = ()
    entry: float = 0.0
    storage: float = 1e6
    light: str | None = None
    green: frozenset[str] = frozenset()
    yielding: Mapping[str, float] = field(default_factory=dict)
    start_loss: float = 2.0
    end_gain: float = 2.0
    delay_weight: float = 1.0
    stop_weight: float = 10.0
    spill_weight: float = 10.0


@dataclass(frozen=True, slots=True)
class Light:
    """What the optimiser may do at an intersection: stages, their least greens [s], and the interstages between them.

    interstage : (n_stages, n_stages) [s]; orders : the orders of stages that may be tried, the first is the usual one;
    repeats : 2 for an intersection that runs at half the common cycle.
    """

    name: str
    stages: tuple[str, ...]
    minima: tuple[int, ...]
    interstage: NDArray[np.float64]
    orders: tuple[tuple[int, ...], ...] = ()
    repeats: int = 1

    def lost(self, order: Sequence[int]) -> int:
        """Interstages [s] of one round in this order."""
        return round(sum(float(self.interstage[order[k - 1], order[k]]) for k in range(len(order))))

    @property
    def usual(self) -> tuple[int, ...]:
        """The first order of stages."""
        return self.orders[0] if self.orders else tuple(range(len(self.stages)))


@dataclass(frozen=True, slots=True)
class Streets:
    """Lights and the links between them; construction raises InputError when they do not fit together."""

    lights: tuple[Light, ...]
    links: tuple[Link, ...]

    def __post_init__(self) -> None:
        lights = {light.name: light for light in self.lights}
        names = {link.name for link in self.links}
        if len(lights) < len(self.lights) or len(names) < len(self.links):
            raise InputError("two lights or two links of the streets have the same name")
        for light in self.lights:
            _check_light(light)
        for link in self.links:
            _check_link(link, lights, names)
        given: dict[str, float] = {}
        for link in self.links:
            for source, share in link.feeds:
                given[source] = given.get(source, 0.0) + share
        for source, share in given.items():
            if share > 1.0 + 1e-6:
                raise InputError(
                    f"link {source}: the links after it take {share:.3f} of its traffic; shares must not exceed 1"
                )

    def shortest_cycle(self) -> int:
        """The shortest common cycle [s] that holds every least green in the usual orders."""
        return max((light.repeats * (sum(light.minima) + light.lost(light.usual)) for light in self.lights), default=1)

    def flows(self) -> NDArray[np.float64]:
        """Mean traffic (n_links,) [veh/h] of every link when nothing holds it back."""
        at = {link.name: i for i, link in enumerate(self.links)}
        to = np.array([i for i, link in enumerate(self.links) for _ in link.feeds], dtype=np.intp)
        source = np.array([at[name] for link in self.links for name, _ in link.feeds], dtype=np.intp)
        share = np.array([part for link in self.links for _, part in link.feeds])
        entry = np.array([link.entry for link in self.links])
        flow = entry.copy()
        for _ in range(5_000):
            step = entry + np.bincount(to, share * flow[source], len(self.links)) if to.size else entry
            if np.allclose(step, flow, rtol=1e-9, atol=1e-9):
                return np.asarray(step)
            flow = step
        raise InputError("traffic runs in circles and never leaves: let the shares of some link sum to less than 1")

    def laid_out(self, cycle: int) -> Network:
        """The arrays the kernels work on, for bins of one second and a common cycle [s]."""
        return _lay_out(self, cycle)

    def roads(self) -> Roads:
        """Free travel times and the times gaps take to run back, for the form with storage.

        With a triangular fundamental diagram a link full of `storage` vehicles discharges its saturation flow for the
        free travel time and the gap's time together, so the latter follows from the three numbers.
        """
        at = {link.name: i for i, link in enumerate(self.links)}
        follow: list[list[int]] = [[] for _ in self.links]
        for i, link in enumerate(self.links):
            for source, share in link.feeds:
                if share > 0.0:
                    follow[at[source]].append(i)
        free = [max(1, round(link.travel_time)) for link in self.links]
        full = [link.storage / (link.saturation_flow / 3600.0) for link in self.links]
        wave = [min(max(1, round(f - t)), 120) for f, t in zip(full, free, strict=True)]
        return Roads(
            np.array(free, np.int32),
            np.array(wave, np.int32),
            _firsts([len(row) for row in follow]),
            np.array([i for row in follow for i in row], np.int32),
        )


def _check_light(light: Light) -> None:
    n = len(light.stages)
    if n < 1 or len(light.minima) != n or light.interstage.shape != (n, n) or len(set(light.stages)) < n:
        raise InputError(f"light {light.name}: {n} stages need as many least greens and an interstage for each pair")
    if n > 62:
        raise InputError(f"light {light.name}: {n} stages are more than the 62 that can be planned")
    if any(sorted(order) != list(range(n)) for order in light.orders):
        raise InputError(f"light {light.name}: an order of stages must name each of them once")
    if not np.allclose(light.interstage, np.round(light.interstage)) or (light.interstage < 0).any():
        raise InputError(f"light {light.name}: interstages must be whole seconds, not negative")
    if light.repeats not in (1, 2):
        raise InputError(f"light {light.name}: it may run once or twice in the common cycle, not {light.repeats} times")


def _check_link(link: Link, lights: Mapping[str, Light], names: set[str]) -> None:
    if link.light is not None:
        if link.light not in lights:
            raise InputError(f"link {link.name}: light {link.light} is not among the lights")
        unknown = sorted((link.green | set(link.yielding)) - set(lights[link.light].stages))
        if unknown:
            raise InputError(f"link {link.name}: light {link.light} has no stage {unknown[0]}")
    missing = sorted({source for source, _ in link.feeds} - names)
    if missing:
        raise InputError(f"link {link.name}: it is fed by {missing[0]}, which is not among the links")
    numbers = (link.travel_time, link.entry, link.storage, *(share for _, share in link.feeds))
    if not (all(np.isfinite(x) and x >= 0.0 for x in numbers) and link.saturation_flow > 0.0):
        raise InputError(f"link {link.name}: times, flows, storage and shares must be numbers, not negative")


def _firsts(counts: Sequence[int]) -> NDArray[np.int32]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)


def _layers(link: Link, light: Light | None) -> list[tuple[int, float]]:
    """(stage bits, rate [veh/s]): shares on which it yields are a lower layer over all its stages, the rest is on top."""
    rate = link.saturation_flow / 3600.0
    if light is None:
        return [(-1, rate)]
    bit = {stage: 1 << k for k, stage in enumerate(light.stages)}
    free = sum(bit[s] for s in link.green)
    levels = sorted(
        {share for stage, share in link.yielding.items() if stage not in link.green and share > 0.0} | {1.0}
    )
    layers, below = [], 0.0
    for level in levels:
        bits = free + sum(bit[s] for s, share in link.yielding.items() if s not in link.green and share >= level)
        layers.append((bits, rate * (level - below)))
        below = level
    return [layer for layer in layers if layer[0]] or [(0, rate)]


def _lay_out(streets: Streets, cycle: int) -> Network:
    f32, i32 = np.float32, np.int32
    links, lights = streets.links, streets.lights
    at = {link.name: i for i, link in enumerate(links)}
    number = {light.name: n for n, light in enumerate(lights)}
    owner = [None if link.light is None else lights[number[link.light]] for link in links]
    layers = [_layers(link, light) for link, light in zip(links, owner, strict=True)]
    own: list[list[int]] = [[] for _ in lights]
    down: list[list[int]] = [[] for _ in links]
    for i, link in enumerate(links):
        if link.light is not None:
            own[number[link.light]].append(i)
        for source, _ in link.feeds:
            down[at[source]].append(i)
    reach = [_reach(row, down) for row in own]
    rooms = [
        1 if light is None else max(1, len(light.stages) // 2) * light.repeats
        for light, row in zip(owner, layers, strict=True)
        for _ in row
    ]
    flat = [(layer, link) for row, link in zip(layers, links, strict=True) for layer in row]
    shift = np.array([round(BETA * link.travel_time) % cycle for link in links], i32)
    return Network(
        source_first=_firsts([len(link.feeds) for link in links]),
        source=np.array([at[name] for link in links for name, _ in link.feeds], i32),
        share=np.array([share for link in links for _, share in link.feeds], f32),
        entry=np.array([link.entry / 3600.0 for link in links], f32),
        lag=shift,
        smoothing=np.array([1.0 / (1.0 + ALPHA * BETA * link.travel_time) for link in links], f32),
        storage=np.array([link.storage for link in links], f32),
        delay_weight=np.array([link.delay_weight for link in links], f32),
        stop_weight=np.array([link.stop_weight for link in links], f32),
        spill_weight=np.array([link.spill_weight for link in links], f32),
        layer_first=_firsts([len(row) for row in layers]),
        layer_stages=np.array([bits for (bits, _), _ in flat], np.int64),
        layer_rate=np.array([rate for (_, rate), _ in flat], f32),
        layer_loss=np.array([link.start_loss for _, link in flat], f32),
        layer_gain=np.array([link.end_gain for _, link in flat], f32),
        window_first=_firsts(rooms),
        node_first=_firsts([len(row) for row in own]),
        node_link=np.array([i for row in own for i in row], i32),
        repeats=np.array([light.repeats for light in lights], i32),
        slot_first=_firsts([len(light.stages) for light in lights]),
        interstage_first=_firsts([len(light.stages) ** 2 for light in lights])[:-1].copy(),
        interstage=np.concatenate([np.zeros(0), *(light.interstage.ravel() for light in lights)]).astype(f32),
        reach_first=_firsts([len(row) for row in reach]),
        reach=np.array([i for row in reach for i, _ in row], i32),
        depth=np.array([depth for row in reach for _, depth in row], i32),
    )


def _reach(own: list[int], down: list[list[int]], sweeps: int = 12) -> list[tuple[int, int]]:
    """Links that feel a change at an intersection within that many sweeps, with the first sweep in which they do."""
    found = dict.fromkeys(own, 1)
    front = list(own)
    for depth in range(2, sweeps + 1):
        front = sorted({j for i in front for j in down[i]} - found.keys())
        found.update(dict.fromkeys(front, depth))
    return sorted(found.items(), key=lambda pair: pair[1])
