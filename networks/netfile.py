"""SUMO nets -> lights: sites that are lawful, whatever the programs in the net are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.errors import InputError, SiteError
from ..core.intersection import Intersection, SignalGroup, Stage
from ..core.sequencer import tables_of
from .approach import exits_of, group_names, lanes_of, movements_of
from .grouping import group_indices, kind_of, letters_of
from .light import Light, Link, Program
from .programs import GREEN, read_programs
from .rightofway import permissive, right_of_way
from .roadnet import Wire, load_net, wires_by_light
from .scenario import Scenario
from .stages import StageSets, all_stages, complete, resting_letters, stages_of_programs
from .street import next_lights
from .timing import Timing, group_timing, intergreens

RAILWAY = frozenset({"rail_signal", "rail_crossing"})
LONGEST_ROUND = 900.0
"""No site is built whose round takes longer [s]."""


def read_lights(
    scenario: Scenario, timing: Timing = "resco", lights: Iterable[str] | None = None, all_sets: bool = False
) -> dict[str, Light]:
    """The lights of a scenario, all or those named, in the net's order.

    `timing` "resco": 3 s of amber and no all-red; "safe": by speed and distance. Stages are the green sets of the program SUMO
    would run, or with `all_sets` every maximal set of compatible groups. Lights that no program ever turns green are left out.
    Raises InputError where there is no light, where a named one is missing, or where a program does not fit its light.
    """
    net = load_net(scenario.net)
    wires = wires_by_light(net)
    programs = {
        name: found
        for name, found in read_programs(scenario).items()
        if name in wires and not any(program.kind in RAILWAY for program in found.values())
    }
    named = list(programs) if lights is None else list(lights)
    for name in named:
        if name not in programs:
            raise InputError(f"{scenario.net}: there is no light {name}; it has {_some(programs)}")
    if not named:
        raise InputError(f"{scenario.net}: the net has no signal light with a program; nothing to control")
    towards = next_lights(net, wires)
    found = {}
    for name in named:
        light = _light(net, name, wires[name], programs[name], towards.get(name, {}), timing, all_sets)
        if light is not None:
            found[name] = light
        elif lights is not None:
            raise InputError(f"{scenario.net}: no program of light {name} ever shows a green; nothing to control")
    return found


def _light(
    net: Any,
    name: str,
    wires: Sequence[Wire],
    programs: dict[str, Program],
    towards: dict[str, str],
    timing: Timing,
    all_sets: bool,
) -> Light | None:
    n_letters = 1 + max(wire.index for wire in wires)
    for program in programs.values():
        if len(program.steps[0].state) < n_letters:
            raise InputError(
                f"{program.source}: light {name}, program {program.name}: its states have {len(program.steps[0].state)} letters "
                f"for {n_letters} links; give one for every link"
            )
    order = [*reversed(programs.values())]
    conflict, yields = right_of_way(net, wires, order)
    exclusive = conflict & ~permissive(wires, conflict, yields, order)
    indices = group_indices(wires, order, exclusive)
    if not indices:
        return None
    rows = [[row for row, wire in enumerate(wires) if wire.index in members] for members in indices]
    of_group = [[wires[row] for row in members] for members in rows]
    names = group_names(net, of_group)
    kinds = [kind_of(members) for members in of_group]
    group_conflict = _between(conflict, rows)
    group_exclusive = _between(exclusive, rows)
    group_yields = _between(yields & conflict, rows) & ~group_exclusive
    weight = [_weight(members) for members in of_group]
    walkers = [all(wire.crossing for wire in members) for members in of_group]
    sets = stages_of_programs(order, indices, names, group_exclusive, weight, walkers)
    served = frozenset().union(*sets.greens)
    if not served:
        return None
    if all_sets:
        sets = replace(all_stages(indices, group_exclusive, served), notes=sets.notes)
    letters = [letters_of(index, order) for index in range(n_letters)]
    always = frozenset(
        row for row, members in enumerate(indices) if all(set(letters[index]) <= GREEN for index in members)
    )
    sets = complete(sets, always, group_exclusive)
    site, notes = _site(
        name, net, wires, of_group, rows, names, kinds, sets, (group_conflict, group_yields, conflict), towards, timing
    )
    row_of = {index: row for row, members in enumerate(indices) for index in members}
    return Light(
        name=name,
        intersection=site,
        links=tuple(
            Link(wire.index, wire.lane, wire.to_lane, wire.via, wire.direction, row_of.get(wire.index), wire.crossing)
            for wire in wires
        ),
        n_letters=n_letters,
        yields=yields,
        conflict=conflict,
        resting=tuple(resting_letters(state, letters, indices) for state in sets.states),
        programs=programs,
        active=order[0].name,
        notes=notes,
    )


def _site(
    name: str,
    net: Any,
    wires: Sequence[Wire],
    of_group: Sequence[Sequence[Wire]],
    rows: Sequence[Sequence[int]],
    names: Sequence[str],
    kinds: Sequence[Any],
    sets: StageSets,
    matrices: tuple[Any, Any, Any],
    towards: dict[str, str],
    timing: Timing,
) -> tuple[Intersection, tuple[str, ...]]:
    conflict, gives_way, wire_conflict = matrices
    notes = list(sets.notes)
    times = [group_timing(timing, kind, members) for kind, members in zip(kinds, of_group, strict=True)]
    between = intergreens(timing, [time.amber for time in times], of_group, rows, wire_conflict)
    served = frozenset().union(*sets.greens)
    groups = []
    for row, (members, kind, time) in enumerate(zip(of_group, kinds, times, strict=True)):
        if row not in served:
            notes.append(f"{names[row]} is never green in any program; it stays red")
        groups.append(
            SignalGroup(
                name=names[row],
                movements=movements_of(members),
                kind=kind,
                min_green=time.min_green,
                amber=time.amber,
                max_red=time.max_red if row in served else None,
            )
        )
    site = Intersection(
        name=name,
        groups=tuple(groups),
        stages=tuple(
            Stage(str(k + 1), frozenset(names[row] for row in sorted(green))) for k, green in enumerate(sets.greens)
        ),
        conflict=conflict,
        yields=gives_way,
        intergreen=between,
        lanes=lanes_of(net, wires),
        exits=exits_of(net, wires, towards),
    )
    return _within_reach(site, notes)


def _within_reach(site: Intersection, notes: list[str]) -> tuple[Intersection, tuple[str, ...]]:
    """Raise the longest red, in steps of 10 s and for all groups alike, until a round of the stages keeps it."""
    limit = max((group.max_red for group in site.groups if group.max_red is not None), default=None)
    first = limit
    while True:
        try:
            tables_of(site)
            break
        except SiteError:
            if limit is None or limit >= LONGEST_ROUND:
                raise
            limit += 10.0
            site = replace(
                site,
                groups=tuple(
                    group if group.max_red is None else replace(group, max_red=limit) for group in site.groups
                ),
            )
    if limit != first:
        notes.append(f"the longest red is {limit:g} s: a round of the stages does not fit into {first:g} s")
    return site, tuple(notes)


def _between(matrix: Any, rows: Sequence[Sequence[int]]) -> Any:
    """A (n_wires, n_wires) bool matrix as one of groups: true where any wire of one meets any of the other; false on the diagonal."""
    out = np.array([[bool(matrix[np.ix_(a, b)].any()) for b in rows] for a in rows], dtype=np.bool_)
    np.fill_diagonal(out, False)
    return out


def _weight(wires: Sequence[Wire]) -> float:
    """How much a group matters where two cannot both be green: lanes times speed; walkers least."""
    lanes = {wire.lane: wire.speed for wire in wires if not wire.crossing}
    return float(sum(lanes.values()))


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return "none" if not listed else ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
