"""The plain twin of the safety machine: the same rules, written once more with names instead of arrays, and slowly."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

RED, RED_AMBER, GREEN, AMBER = 0, 1, 2, 3
FOREVER = math.inf


def ticks(seconds: float) -> int:
    return math.ceil(seconds * 10 - 1e-6)


class NaiveSequencer:
    """Takes a site and the order of the rotation; shows `aspects` by group name."""

    def __init__(self, site: Any, rotation: list[int]) -> None:
        self.groups = {g.name: g for g in site.groups}
        self.greens = [set(stage.green) for stage in site.stages]
        self.names = [stage.name for stage in site.stages]
        self.barred = set(site.barred)
        row = {g.name: i for i, g in enumerate(site.groups)}
        self.enemies = {
            b: {
                a: ticks(float(site.intergreen[row[a]][row[b]]))
                for a in row
                if site.conflict[row[a]][row[b]] and not site.yields[row[a]][row[b]] and not site.yields[row[b]][row[a]]
            }
            for b in row
        }
        self.rotation = rotation
        self.aspect = dict.fromkeys(row, RED)
        self.age = dict.fromkeys(row, 10)
        self.ended = dict.fromkeys(row, 0)
        self.red = dict.fromkeys(row, 0)
        self.called = dict.fromkeys(row, False)
        self.keeps = dict.fromkeys(row, 0)
        self.stage: int | None = None
        self.complete = True

    @property
    def aspects(self) -> list[int]:
        return list(self.aspect.values())

    def wait_of(self, name: str) -> int:
        group = self.groups[name]
        return max([ticks(group.red_amber), *self.enemies[name].values()])

    def takes(self, before: int | None, after: int) -> tuple[float, float]:
        """(until the last start of green, until the last minimum green is over)."""
        if before == after:
            return 0, 0
        if before is not None and (self.names[before], self.names[after]) in self.barred:
            return FOREVER, FOREVER
        new = self.greens[after] - (self.greens[before] if before is not None else set())
        old = (self.greens[before] if before is not None else set()) - self.greens[after]
        last = max([0, *(self.wait_of(name) for name in new)])
        fulls = [
            (last if self.groups[name].amber == 0 else self.wait_of(name)) + ticks(self.groups[name].min_green)
            for name in new
        ]
        return last, max([*fulls, last + 10, *(ticks(self.groups[name].amber) + 10 for name in old)])

    def reds_along(self, path: list[int | None]) -> dict[str, list[float]]:
        """For each group the times, from leaving path[0] on, at which it is green along the path."""
        gone: float = 0
        now = set(self.greens[path[0]]) if path[0] is not None else set()
        seen: dict[str, list[float]] = {name: [0.0] if name in now else [] for name in self.groups}
        for before, after in pairwise(path):
            assert after is not None
            green_in, full_in = self.takes(before, after)
            for name in self.greens[after]:
                kept = before is not None and name in self.greens[before]
                seen[name].append(gone if kept else gone + green_in)
            gone += full_in
        return seen

    def in_time(self, path: list[int | None], waited: int) -> float:
        """Ticks to spare over all groups until each is next green, having waited before leaving path[0]."""
        spare = FOREVER
        now = set(self.greens[path[0]]) if path[0] is not None else set()
        first = path[1]
        assert first is not None
        for name, group in self.groups.items():
            if group.max_red is None:
                continue
            limit = ticks(group.max_red)
            served = self.reds_along(path)[name]
            if name in now:
                after = [t for t in served[1:]]
                if name in self.greens[first]:
                    continue
                spare = min(spare, limit - (after[0] if after else FOREVER))
            else:
                spare = min(spare, limit - self.red[name] - waited - (served[0] if served else FOREVER))
        return spare

    def round_from(self, k: int) -> list[int]:
        return self.rotation[k:] + self.rotation[: k + 1]

    def slack(self, waited: int) -> tuple[float, int]:
        best, where = -FOREVER, 0
        for k in range(len(self.rotation)):
            if waited == 0 and self.rotation[k] == self.stage:
                continue
            if self.takes(self.stage, self.rotation[k])[0] == FOREVER:
                continue
            spare = self.in_time([self.stage, *self.round_from(k)], waited)
            if spare > best:
                best, where = spare, k
        return best, where

    def slack_after(self, wish: int) -> float:
        best = -FOREVER
        before = set(self.greens[self.stage]) if self.stage is not None else set()
        green_in, full_in = self.takes(self.stage, wish)
        for k in range(len(self.rotation)):
            if self.takes(wish, self.rotation[k])[0] == FOREVER:
                continue
            onward = self.reds_along([wish, *self.round_from(k)])
            spare = FOREVER
            for name, group in self.groups.items():
                if group.max_red is None:
                    continue
                limit = ticks(group.max_red)
                red = 0 if name in before else self.red[name]
                if name in self.greens[wish]:
                    if name not in before:
                        spare = min(spare, limit - red - green_in)
                    if name not in self.greens[self.rotation[k]]:
                        later = onward[name][1:]
                        spare = min(spare, limit - (later[0] if later else FOREVER))
                else:
                    spare = min(spare, limit - red - full_in - (onward[name][0] if onward[name] else FOREVER))
            best = max(best, spare)
        return best

    def grant(self, wish: int | None, calls: list[bool] | None = None) -> None:
        if wish is not None and not 0 <= wish < len(self.greens):
            wish = None
        if self.complete:
            go: int | None = None
            if (
                wish is not None
                and wish != self.stage
                and self.takes(self.stage, wish)[0] < FOREVER
                and self.slack_after(wish) >= 0
            ):
                go = wish
            elif self.slack(1)[0] < 0 and any(s != self.stage for s in self.rotation):
                go = self.rotation[self.slack(0)[1]]
            if go is not None:
                self.stage, self.complete = go, False
                self.plan_ends()
        self.move()
        for k, name in enumerate(self.groups):
            if (calls is None or calls[k]) and self.aspect[name] != GREEN:
                self.called[name] = True

    def plan_ends(self) -> None:
        """A group that goes keeps its green until its intergreens towards those that come say it must end."""
        assert self.stage is not None
        green = {name for name, aspect in self.aspect.items() if aspect == GREEN}
        coming = self.greens[self.stage] - green
        starts = {}
        for name in coming:
            lead = ticks(self.groups[name].red_amber)
            clear = [needs - (0 if foe in green else self.ended[foe]) for foe, needs in self.enemies[name].items()]
            starts[name] = max([lead, *clear])
        for name in coming:
            if self.groups[name].amber == 0:
                starts[name] = max(starts.values())
        for name in green - self.greens[self.stage]:
            latest = [starts[other] - self.enemies[other][name] for other in coming if name in self.enemies[other]]
            self.keeps[name] = min(latest, default=0)

    def move(self) -> None:
        target = self.greens[self.stage] if self.stage is not None and not self.complete else None
        for name, group in self.groups.items():
            if target is not None and self.aspect[name] == GREEN and name not in target:
                if self.keeps[name] <= 0:
                    self.show(name, AMBER if group.amber > 0 else RED)
                    self.ended[name] = 0
            elif self.aspect[name] == AMBER and self.age[name] >= ticks(group.amber):
                self.show(name, RED)
        for name, group in self.groups.items():
            if target is None or name not in target:
                continue
            lead = ticks(group.red_amber)
            if self.aspect[name] == RED:
                if all(
                    self.aspect[enemy] != GREEN and self.ended[enemy] >= needs - lead
                    for enemy, needs in self.enemies[name].items()
                ):
                    self.show(name, RED_AMBER if lead else GREEN)
            elif self.aspect[name] == RED_AMBER and self.age[name] >= lead:
                self.show(name, GREEN)

    def show(self, name: str, aspect: int) -> None:
        self.aspect[name], self.age[name] = aspect, 0
        if aspect == GREEN:
            self.called[name], self.red[name] = False, 0

    def elapse(self) -> None:
        for name in self.groups:
            self.age[name] += 1
            if self.aspect[name] != GREEN:
                self.ended[name] += 1
                if self.called[name]:
                    self.red[name] += 1
            elif self.keeps[name] > 0:
                self.keeps[name] -= 1
        if not self.complete and self.stage is not None:
            self.complete = all(
                (self.aspect[name] == GREEN and self.age[name] >= ticks(group.min_green))
                if name in self.greens[self.stage]
                else self.aspect[name] == RED and self.age[name] >= 10
                for name, group in self.groups.items()
            )
