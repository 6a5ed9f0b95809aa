"""The plans an engineer would have set: Webster at the mean flow, one common cycle, offsets for the main platoons.

Webster (1958): C = (1.5 L + 5) / (1 - Y) [s], green in proportion to the critical flow ratio of each stage. The figures
below are this worksheet's: saturation flows of one lane [veh/h], lost time per stage [s] (startup included), through
vehicles that a right turn stands for, vehicles that clear the box after a permissive green; those of through lanes,
right turns over a crossing and clearing were rounded from counts at the stop lines of `cross` under 1.6 times its demand.
The plans are part of the scenarios, so this stays as it is when the planning room learns better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from .drawing import URBAN_SPEED, Drawing

YELLOW = 3
LOST_PER_STAGE = 7.0
THROUGH_SATURATION = 1800.0
LEFT_SATURATION = 1600.0
RIGHT_TURN_EQUIVALENT = 1.3
RIGHT_TURN_EQUIVALENT_OVER_CROSSING = 3.0
SNEAKERS_PER_CYCLE = 1.0
LEAST_GREEN = 8
LEAST_WALK = 7
WALKING_SPEED = 1.2
PLATOON_SPEED = URBAN_SPEED


@dataclass(frozen=True, slots=True)
class Stage:
    """What is green together: movements that may go, movements that give way, arms whose crossing is green."""

    name: str
    go: tuple[str, ...]
    give_way: tuple[str, ...] = ()
    walk: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """One line of a SUMO program."""

    name: str
    duration: int
    state: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Greens [s] of a light's stages and where its cycle starts; `all_red` [s] follows each yellow."""

    stages: tuple[Stage, ...]
    greens: tuple[int, ...]
    all_red: int
    offset: int = 0

    @property
    def cycle(self) -> int:
        """[s]"""
        return sum(self.greens) + len(self.greens) * (YELLOW + self.all_red)


def movement_flows(drawing: Drawing, light: str, edge_pairs: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """Movement -> mean flow [veh/h], out of the flows between consecutive edges."""
    pairs = {link.movement: (link.from_edge, link.to_edge) for link in drawing.light_links(light)}
    return {movement: edge_pairs.get(pair, 0.0) for movement, pair in pairs.items()}


def flow_ratios(
    drawing: Drawing, light: str, stages: Sequence[Stage], flows: Mapping[str, float], cycle: float
) -> list[float]:
    """Critical flow ratio of each stage `(n_stages,)`.

    Straight and right share their lanes; a left turn has its own. One that gives way uses half of what the opposite
    flow leaves, and one vehicle a cycle clears the box after it; where the same left turn also has a stage of its own
    it needs that stage only for the rest. A movement that goes in several stages lengthens the first of them, if all
    together are too short.
    """
    links = drawing.light_links(light)
    right_equivalent = RIGHT_TURN_EQUIVALENT_OVER_CROSSING if drawing.light_crossings(light) else RIGHT_TURN_EQUIVALENT
    own_left = {movement for stage in stages for movement in stage.go if movement.endswith("l")}

    def lanes(arm: str, turns: str) -> int:
        return len({link.from_lane for link in links if link.movement[0] == arm and link.movement[1] in turns})

    def shared_ratio(arm: str) -> float:
        count = lanes(arm, "sr")
        through = flows.get(f"{arm}s", 0.0) + right_equivalent * flows.get(f"{arm}r", 0.0)
        return through / (count * THROUGH_SATURATION) if count else 0.0

    def left_ratio(movement: str, gives_way: bool) -> float:
        flow = flows.get(movement, 0.0)
        if any(movement in stage.give_way for stage in stages):
            flow = max(0.0, flow - SNEAKERS_PER_CYCLE * 3600.0 / cycle)
        opposite = shared_ratio({"N": "S", "S": "N", "E": "W", "W": "E"}[movement[0]]) if gives_way else 0.0
        return flow / (LEFT_SATURATION * (0.5 * (1 - opposite) if gives_way else 1.0))

    shared = {m for m in going(stages) if sum(m in stage.go for stage in stages) > 1}
    ratios = []
    for stage in stages:
        own = [movement for movement in stage.go if movement not in shared]
        needs = [shared_ratio(movement[0]) for movement in own if movement[1] in "sr"]
        needs += [left_ratio(movement, False) for movement in own if movement[1] == "l"]
        needs += [
            left_ratio(movement, True) for movement in stage.give_way if movement[1] == "l" and movement not in own_left
        ]
        ratios.append(max(needs))
    for movement in sorted(shared):
        served = [index for index, stage in enumerate(stages) if movement in stage.go]
        lacking = shared_ratio(movement[0]) - sum(ratios[index] for index in served)
        ratios[served[0]] += max(0.0, lacking)
    return ratios


def going(stages: Sequence[Stage]) -> set[str]:
    """Every movement that goes in some stage."""
    return {movement for stage in stages for movement in stage.go}


def webster_cycle(ratios: Sequence[float]) -> float:
    """The cycle of least delay [s], between 50 and 120."""
    lost = LOST_PER_STAGE * len(ratios)
    total = min(sum(ratios), 0.95)
    return min(120.0, max(50.0, (1.5 * lost + 5.0) / (1.0 - total)))


def clearing(drawing: Drawing, light: str, stage: Stage, all_red: int) -> int:
    """How long before the end of a stage its crossings close [s]: the walk at 1.2 m/s less the change to follow."""
    lengths = [crossing.length for crossing in drawing.light_crossings(light) if crossing.arm in stage.walk]
    return max(0, ceil(max(lengths) / WALKING_SPEED) - YELLOW - all_red) if lengths else 0


def split(ratios: Sequence[float], least: Sequence[int], total: int) -> tuple[int, ...]:
    """Whole greens [s] that add up to `total`, in proportion to `ratios` where the minimum greens allow."""
    greens = [float(minimum) for minimum in least]
    free = set(range(len(ratios)))
    while free:
        share = {i: (total - sum(greens[j] for j in range(len(greens)) if j not in free)) * ratios[i] for i in free}
        weight = sum(ratios[i] for i in free)
        short = {i for i in free if share[i] < least[i] * weight}
        for i in free - short:
            greens[i] = share[i] / weight
        for i in short:
            greens[i] = float(least[i])
        if not short:
            break
        free -= short
    whole = [int(green) for green in greens]
    for i in sorted(range(len(greens)), key=lambda i: (whole[i] - greens[i], i))[: total - sum(whole)]:
        whole[i] += 1
    return tuple(whole)


def set_timings(
    drawing: Drawing, stages: Mapping[str, tuple[Stage, ...]], edge_pairs: Mapping[tuple[str, str], float], all_red: int
) -> dict[str, Timing]:
    """Webster at the given flows for every light, on the longest of their cycles (up to 5 s more); offsets zero."""
    ratios: dict[str, list[float]] = {}
    cycles = [50.0]
    for light, plan in stages.items():
        flows = movement_flows(drawing, light, edge_pairs)
        ratios[light] = flow_ratios(drawing, light, plan, flows, 80.0)
        cycles.append(webster_cycle(ratios[light]))
    cycle = 5 * ceil(max(cycles) / 5)
    timings = {}
    for light, plan in stages.items():
        least = [max(LEAST_GREEN, LEAST_WALK + clearing(drawing, light, s, all_red) if s.walk else 0) for s in plan]
        timings[light] = Timing(plan, split(ratios[light], least, cycle - len(plan) * (YELLOW + all_red)), all_red)
    return timings


def program(drawing: Drawing, light: str, timing: Timing) -> list[Phase]:
    """The SUMO program: each stage (its crossings closing early enough), 3 s of yellow, all-red."""
    links, crossings = drawing.light_links(light), drawing.light_crossings(light)

    def vehicles(stage: Stage) -> str:
        return "".join(
            "G" if link.movement in stage.go else "g" if link.movement in stage.give_way else "r" for link in links
        )

    phases = []
    closed = "r" * len(crossings)
    for stage, green, following in zip(
        timing.stages, timing.greens, timing.stages[1:] + timing.stages[:1], strict=True
    ):
        now, then = vehicles(stage), vehicles(following)
        closing = clearing(drawing, light, stage, timing.all_red)
        if stage.walk:
            walk = "".join("G" if crossing.arm in stage.walk else "r" for crossing in crossings)
            phases.append(Phase(stage.name, green - closing, now + walk))
        if closing or not stage.walk:
            phases.append(Phase(f"{stage.name} closing" if stage.walk else stage.name, closing or green, now + closed))
        yellow = "".join("y" if a in "Gg" and b == "r" else a for a, b in zip(now, then, strict=True))
        phases.append(Phase(f"{stage.name} yellow", YELLOW, yellow + closed))
        phases.append(Phase(f"{stage.name} all-red", timing.all_red, yellow.replace("y", "r") + closed))
    return phases


@dataclass(frozen=True, slots=True)
class Progression:
    """Platoons from the stage of one light to the stage of the next: stage indices, travel time [s], flow [veh/h]."""

    origin: str
    origin_stage: int
    target: str
    target_stage: int
    travel: float
    flow: float


def green_start(timing: Timing, stage: int) -> int:
    """Seconds from the start of the cycle to the start of a stage."""
    return sum(timing.greens[:stage]) + stage * (YELLOW + timing.all_red)


def coordinate(timings: Mapping[str, Timing], progressions: Sequence[Progression]) -> dict[str, Timing]:
    """Offsets [s] that make platoons wait least: one light at a time in whole seconds, until no change helps.

    A platoon leaves evenly over its green, arrives a travel time later, and waits for the next green of the stage it
    meets. Starts from a wave through the lights in the order given; the search may only improve it.
    """
    offsets = dict.fromkeys(timings, 0)
    cycle = next(iter(timings.values())).cycle

    def wait(link: Progression, shift: int) -> float:
        """Waiting [veh s/h] when the target's cycle starts `shift` after that of the origin."""
        start = green_start(timings[link.origin], link.origin_stage)
        length = timings[link.origin].greens[link.origin_stage]
        opening = green_start(timings[link.target], link.target_stage) + shift
        green = timings[link.target].greens[link.target_stage]
        total = 0.0
        for second in range(length):
            into = (start + second + link.travel - opening) % cycle
            total += 0.0 if into < green else cycle - into
        return link.flow * total / length

    tables = [[wait(link, shift) for shift in range(cycle)] for link in progressions]

    def total(light: str, offset: int, placed: Mapping[str, int]) -> float:
        found = 0.0
        for link, table in zip(progressions, tables, strict=True):
            if link.origin == light and link.target in placed:
                found += table[(placed[link.target] - offset) % cycle]
            elif link.target == light and link.origin in placed:
                found += table[(offset - placed[link.origin]) % cycle]
        return found

    placed: dict[str, int] = {}
    for light in offsets:
        placed[light] = min(range(cycle), key=lambda offset: total(light, offset, placed))
    changed = True
    while changed:
        changed = False
        for light in list(placed)[1:]:
            best = min(range(cycle), key=lambda offset: total(light, offset, placed))
            if total(light, best, placed) < total(light, placed[light], placed) - 1e-9:
                placed[light], changed = best, True
    return {
        light: Timing(timing.stages, timing.greens, timing.all_red, placed[light]) for light, timing in timings.items()
    }
