"""Hill climbing on offsets, greens and the order of stages of a whole network, light by light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..kernels.changes import Base, base_for, evaluate_changes, remember
from ..kernels.layout import Network, scratch_for
from ..kernels.links import evaluate
from ..kernels.storage import Roads, flows_for, ring_for, simulate
from ..kernels.wide import WIDTH
from .streets import Light, Streets

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

STEPS = (15, 40, -1, 15, 40, 1, -1, 1)  # per cent of the cycle; -1: greens and orders (after TRANSYT's step list)
FINE = (5, -1, 1, -1, 1)
_NO_LINKS = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything free in a network's plan: order (n_slots,), green (n_slots,) [s] in that order, offset (n_lights,) [s]."""

    order: Ints
    green: Ints
    offset: Ints


class Model:
    """The streets at one common cycle, ready to judge settings; `hours` is the period that random queues build up in."""

    def __init__(self, streets: Streets, cycle: int, *, hours: float = 0.25) -> None:
        self.streets, self.cycle, self.hours = streets, cycle, hours
        self.net: Network = streets.laid_out(cycle)
        self.first = np.repeat((streets.flows() / 3600.0)[:, None], cycle, axis=1).astype(np.float32)
        self._room = scratch_for(self.net, cycle)
        self._roads: Roads | None = None

    def slots(self, light: int) -> slice:
        """Where a light's stages lie in the arrays of a setting."""
        return slice(int(self.net.slot_first[light]), int(self.net.slot_first[light + 1]))

    def values(self, offset: Ints, order: Ints, green: Ints, sweeps: int) -> Floats:
        """Value (n_plans,) [veh] of many settings with one order of stages (n_slots,)."""
        plans = offset.shape[0]
        value = np.zeros(plans)
        orders = np.repeat(order[None, :], -(-plans // WIDTH), axis=0)
        evaluate(
            self.net, self.cycle, sweeps, self.hours, self.first, offset, orders, green, self._room, value, _NO_LINKS
        )
        return value

    def link_values(self, offset: Ints, order: Ints, green: Ints, sweeps: int) -> Floats:
        """Value (n_plans, n_links) [veh] of every link under many offsets and one `green` (n_slots,)."""
        plans = offset.shape[0]
        value, by_link = np.zeros(plans), np.zeros((plans, self.net.lag.size), np.float32)
        orders = np.repeat(order[None, :], -(-plans // WIDTH), axis=0)
        greens = np.repeat(green[None, :], plans, axis=0)
        evaluate(
            self.net, self.cycle, sweeps, self.hours, self.first, offset, orders, greens, self._room, value, by_link
        )
        return by_link.astype(float)

    def full_values(self, offset: Ints, order: Ints, green: Ints, seconds: int = 900) -> Floats:
        """Mean of vehicles waiting (n_plans,) [veh], weighted, when links can fill up: link transmission from empty."""
        if self._roads is None:
            self._roads = self.streets.roads()
            self._ring = ring_for(self._roads)
            self._flows = flows_for(self.net.lag.size, self.cycle, self._ring)
        plans, links = offset.shape[0], self.net.lag.size
        value = np.zeros(plans)
        orders = np.repeat(order[None, :], -(-plans // WIDTH), axis=0)
        swell = np.ones(seconds, np.float32)
        waited, waiting = np.zeros((plans, links), np.float32), np.zeros((plans, links), np.float32)
        simulate(
            self.net, self._roads, self.cycle, swell, offset, orders, green, self._ring, self._room, self._flows,
            value, waited, waiting,
        )  # fmt: skip
        return value

    def settled(self, setting: Setting, sweeps: int = 12) -> float:
        """Value [veh] of a setting after many sweeps from even arrivals: what plans are compared by in the end."""
        return self._based(setting, sweeps)[1]

    def _based(self, setting: Setting, sweeps: int) -> tuple[Base, float]:
        base, total = base_for(self.net, self.cycle, sweeps), np.zeros(WIDTH)
        base.order[:], base.green[:], base.offset[:] = setting.order, setting.green, setting.offset
        remember(self.net, self.cycle, sweeps, self.hours, self.first, base, self._room, total)
        return base, float(total[0])

    def climb(self, setting: Setting, steps: Sequence[int] = STEPS, sweeps: int = 2, rounds: int = 3) -> Setting:
        """Better settings light by light until a round of `steps` brings nothing more, or `rounds` are over."""
        base, value = self._based(setting, sweeps)
        for _ in range(rounds):
            before = value
            for step in steps:
                for n, light in enumerate(self.streets.lights):
                    value += self._improve(base, n, light, step, sweeps)
            if before - value < 1e-5 * max(before, 1.0):
                break
        return Setting(base.order.copy(), base.green.copy(), base.offset.copy())

    def _improve(self, base: Base, n: int, light: Light, step: int, sweeps: int) -> float:
        gained = 0.0
        for _ in range(20):
            candidates = self._moves(base, n, light, step)
            if not candidates:
                break
            order = np.array([c[0] for c in candidates], np.int32)
            offset = np.array([c[1] for c in candidates], np.int32)
            green = np.array([c[2] for c in candidates], np.int32)
            node = np.full(len(candidates), n, np.int32)
            change = np.zeros((len(candidates), WIDTH))
            call = (self.net, self.cycle, sweeps, self.hours, base)
            evaluate_changes(*call, node, order, offset, green, False, self._room, change)
            block, lane = np.unravel_index(int(change.argmin()), change.shape)
            if change[block, lane] > -1e-6 * max(1.0, float(base.value.sum())):
                break
            same = np.full((1, WIDTH), offset[block, lane], np.int32)
            lanes = np.repeat(green[block : block + 1, :, lane : lane + 1], WIDTH, axis=2)
            kept = np.zeros((1, WIDTH))
            evaluate_changes(*call, node[:1], order[block : block + 1], same, lanes, True, self._room, kept)
            gained += float(kept[0, 0])
        return gained

    def _moves(self, base: Base, n: int, light: Light, step: int) -> list[tuple[Ints, Ints, Ints]]:
        """Blocks of eight changes at a light: (order, offsets, greens (n_slots, 8))."""
        at = self.slots(n)
        order, green, offset = base.order[at].copy(), base.green[at].copy(), int(base.offset[n])
        own = self.cycle // light.repeats
        same = np.repeat(green[:, None], WIDTH, axis=1)
        if step > 0:
            jump = max(1, round(step * own / 100))
            offsets = (offset + jump * np.array([1, -1, 2, -2, 3, -3, 4, -4])) % own
            return [(order, offsets.astype(np.int32), same)]
        minima = np.array(light.minima, np.int32)[order]
        moves = []
        stay = np.full(WIDTH, offset, np.int32)
        for i, j in combinations(range(order.size), 2):
            greens = same.copy()
            for lane, amount in enumerate((1, -1, 2, -2, 4, -4, 8, -8)):
                moved = (
                    min(amount, int(green[i] - minima[i])) if amount > 0 else -min(-amount, int(green[j] - minima[j]))
                )
                greens[i, lane] -= moved
                greens[j, lane] += moved
            moves.append((order, stay, greens))
        for other in light.orders:
            if tuple(order) != other and light.lost(other) == light.lost(tuple(int(k) for k in order)):
                by_stage = {int(stage): int(g) for stage, g in zip(order, green, strict=True)}
                greens = np.repeat(np.array([by_stage[k] for k in other], np.int32)[:, None], WIDTH, axis=1)
                spread = (offset + np.arange(WIDTH) * own // WIDTH) % own
                moves.append((np.array(other, np.int32), spread.astype(np.int32), greens))
        return moves
