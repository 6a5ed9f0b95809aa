"""SUMO nets -> lights: sites that are lawful, whatever the programs in the net are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..core.errors import InputError, SiteError
from ..core.intersection import Intersection, SignalGroup, Stage
from ..core.sequencer import tables_of
from .approach import exits_of, lanes_of, movements_of
from .grouping import kind_of, letters_of
from .light import Light, Link, Program
from .programs import GREEN
from .roadnet import Wire
from .scenario import Scenario
from .stages import StageSets, all_stages, complete, resting_letters, stages_of_programs
from .street import next_lights
from .survey import Survey, survey_lights
from .timing import Timing, group_timing, intergreens

LONGEST_ROUND = 900.0
"""No site is built whose round takes longer [s]."""


def read_lights(
    scenario: Scenario, timing: Timing = "resco", lights: Iterable[str] | None = None, all_sets: bool = False
) -> dict[str, Light]:
    """The lights of a scenario, all or those named, in the net's order.

    `timing` "resco": 3 s of amber and no all-red; "safe": by speed and distance. Stages are the green sets of the
    program SUMO would run, or with `all_sets` every maximal set of compatible groups, permissive and protected. Lights
    that no program ever turns green are left out. Raises InputError where there is no light, where a named one is
    missing, or where a program does not fit its light.
    """
    if timing not in ("resco", "safe"):
        raise InputError(f"there is no timing {timing!r}; use resco or safe")
    named = None if lights is None else list(dict.fromkeys(lights))
    surveys, wires = survey_lights(scenario, named)
    if not surveys:
        return {}
    towards = next_lights(next(iter(surveys.values())).net, wires)
    found = {}
    for name, survey in surveys.items():
        light = light_of(survey, towards.get(name, {}), timing, all_sets)
        if light is not None:
            found[name] = light
        elif named is not None:
            raise InputError(f"{scenario.net}: no program of light {name} ever shows a green; nothing to control")
    return found


def light_of(survey: Survey, towards: Mapping[str, str], timing: Timing, all_sets: bool = False) -> Light | None:
    """The light of a survey, None if it is never green; `towards` exit edge -> next light. Raises InputError."""
    for program in survey.programs:
        _check_length(survey, program)
    sets = _stage_sets(survey, all_sets)
    if sets is None:
        return None
    site, notes = _site(survey, sets, towards, timing)
    letters = [letters_of(index, survey.programs) for index in range(survey.n_letters)]
    return Light(
        name=survey.name,
        intersection=site,
        links=tuple(
            Link(
                index=wire.index,
                lane=wire.lane,
                to_lane=wire.to_lane,
                via=wire.via,
                direction=wire.direction,
                group=survey.group_of.get(wire.index),
                crossing=wire.crossing,
            )
            for wire in survey.wires
        ),
        n_letters=survey.n_letters,
        yields=survey.yields,
        conflict=survey.conflict,
        resting=tuple(resting_letters(state, letters, survey.groups) for state in sets.states),
        programs={program.name: program for program in reversed(survey.programs)},
        active=survey.programs[0].name,
        notes=notes,
    )


def _check_length(survey: Survey, program: Program) -> None:
    if len(program.steps[0].state) < survey.n_letters:
        raise InputError(
            f"{program.source}: light {survey.name}, program {program.name}: its states have "
            f"{len(program.steps[0].state)} letters for {survey.n_letters} links; give one for every link"
        )


def _stage_sets(survey: Survey, all_sets: bool) -> StageSets | None:
    exclusive = survey.between_groups(survey.exclusive)
    weight = [_weight(members) for members in survey.group_wires]
    walkers = [all(wire.crossing for wire in members) for members in survey.group_wires]
    sets = stages_of_programs(survey.programs, survey.groups, survey.names, exclusive, weight, walkers)
    served = frozenset().union(*sets.greens)
    if not served:
        return None
    if all_sets:
        sets = replace(all_stages(exclusive, survey.between_groups(survey.conflict), served), notes=sets.notes)
    always = frozenset(
        row
        for row, members in enumerate(survey.groups)
        if all(set(letters_of(index, survey.programs)) <= GREEN for index in members)
    )
    return complete(sets, always, exclusive)


def _site(
    survey: Survey, sets: StageSets, towards: Mapping[str, str], timing: Timing
) -> tuple[Intersection, tuple[str, ...]]:
    notes = list(sets.notes)
    kinds = [kind_of(members) for members in survey.group_wires]
    times = [group_timing(timing, kind, members) for kind, members in zip(kinds, survey.group_wires, strict=True)]
    served = frozenset().union(*sets.greens)
    groups = []
    for row, (name, members, kind, time) in enumerate(zip(survey.names, survey.group_wires, kinds, times, strict=True)):
        if row not in served:
            notes.append(f"{name} is never green in any program; nothing will turn it green")
        groups.append(
            SignalGroup(
                name=name,
                movements=movements_of(members),
                kind=kind,
                min_green=time.min_green,
                amber=time.amber,
                max_red=time.max_red if row in served else None,
            )
        )
    exclusive = survey.between_groups(survey.exclusive)
    site = Intersection(
        name=survey.name,
        groups=tuple(groups),
        stages=tuple(
            Stage(str(k + 1), frozenset(survey.names[row] for row in green)) for k, green in enumerate(sets.greens)
        ),
        conflict=survey.between_groups(survey.conflict),
        yields=survey.between_groups(survey.yields & survey.conflict) & ~exclusive,
        intergreen=intergreens(
            timing, [time.amber for time in times], survey.group_wires, survey.rows, survey.conflict
        ),
        lanes=lanes_of(survey.net, survey.wires),
        exits=exits_of(survey.net, survey.wires, towards),
    )
    return _within_reach(site, notes)


def _within_reach(site: Intersection, notes: list[str]) -> tuple[Intersection, tuple[str, ...]]:
    """Raise the longest red, in steps of 10 s and for all groups alike, until a round of the stages keeps it."""
    first = limit = max((group.max_red for group in site.groups if group.max_red is not None), default=np.inf)
    while True:
        try:
            tables_of(site)
            break
        except SiteError:
            if limit >= LONGEST_ROUND:
                raise
            limit += 10.0
            groups = [group if group.max_red is None else replace(group, max_red=limit) for group in site.groups]
            site = replace(site, groups=tuple(groups))
    if limit != first:
        notes.append(f"the longest red is {limit:g} s: a round of the stages does not fit into {first:g} s")
    return site, tuple(notes)


def _weight(wires: Iterable[Wire]) -> float:
    """How much a group matters where two cannot both be green: lanes times speed; walkers least."""
    return float(sum({wire.lane: wire.speed for wire in wires if not wire.crossing}.values()))
