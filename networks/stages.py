"""Programs -> stages: the sets of signal groups they show green together, made lawful where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import numpy.typing as npt

from .light import Program, ProgramStep
from .programs import GREEN, YELLOW

Bools = npt.NDArray[np.bool_]
Rows = frozenset[int]

BRIEF = 5.0
"""A green set held shorter than this [s] on the way from one to another is part of the change."""


@dataclass(slots=True)
class StageSets:
    """Green sets (rows of groups) in order, what the signals left out of control rest at in each, and what was changed
    on the way.
    """

    greens: list[Rows] = field(default_factory=list)
    states: list[str | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, green: Rows, state: str | None) -> None:
        if green and green not in self.greens:
            self.greens.append(green)
            self.states.append(state)


def stages_of_programs(
    programs: Sequence[Program],
    groups: Sequence[Sequence[int]],
    names: Sequence[str],
    exclusive: Bools,
    weight: Sequence[float],
    pedestrian: Sequence[bool],
) -> StageSets:
    """The stages of the first program, and of the others what serves groups the first never does.

    `groups` are signal indices, `exclusive` (n_groups, n_groups); where a step has exclusive groups green together the
    one of less `weight` is taken out and, if that leaves it without any stage, given one.
    """
    sets = StageSets()
    for number, program in enumerate(programs):
        for green, step in _green_steps(program, groups, pedestrian):
            served = frozenset().union(*sets.greens)
            if number == 0 or not green <= served:
                lawful = _lawful(green, green, exclusive, weight)
                if lawful != green:
                    left_out = ", ".join(names[row] for row in sorted(green - lawful))
                    note = f"program {program.name} shows conflicting groups green together: {left_out} left out"
                    if note not in sets.notes:
                        sets.notes.append(note)
                sets.add(lawful, step.state)
    _serve_all(sets, programs, groups, names, exclusive, weight)
    return sets


def all_stages(exclusive: Bools, conflict: Bools, served: Rows) -> StageSets:
    """Every maximal set of the `served` groups that may be green together, then every one in which nobody gives way.

    `exclusive` and `conflict` are (n_groups, n_groups); the second kind is how a turn that can be permissive is also
    served protected.
    """
    sets = StageSets()
    for forbidden in (exclusive, conflict):
        graph = nx.Graph()
        graph.add_nodes_from(served)
        graph.add_edges_from((a, b) for a in served for b in served if a < b and not forbidden[a, b])
        for clique in sorted(sorted(clique) for clique in nx.find_cliques(graph)):
            sets.add(frozenset(clique), None)
    return sets


def rows_green(state: str, groups: Sequence[Sequence[int]]) -> Rows:
    """The groups that are wholly green in a state."""
    return frozenset(
        row
        for row, indices in enumerate(groups)
        if all(index < len(state) and state[index] in GREEN for index in indices)
    )


def _green_steps(
    program: Program, groups: Sequence[Sequence[int]], pedestrian: Sequence[bool]
) -> list[tuple[Rows, ProgramStep]]:
    """The distinct steps that hold a green set, in order; those that only lead from one to the next are left out."""
    held: list[tuple[Rows, ProgramStep, float]] = []
    for step in program.steps:
        green = rows_green(step.state, groups)
        if not green or not YELLOW.isdisjoint(step.state):
            continue
        long = max(step.duration, step.max_duration or 0.0)
        if held and held[-1][0] == green:
            held[-1] = (green, held[-1][1], held[-1][2] + long)
        else:
            held.append((green, step, long))
    kept = []
    for k, (green, step, long) in enumerate(held):
        before, after = held[k - 1][0], held[(k + 1) % len(held)][0]
        clears_walkers = green < before and all(pedestrian[row] for row in before - green)
        passes_by = long < BRIEF and (green < before or green < after)
        if not (clears_walkers or passes_by):
            kept.append((green, step))
    if not kept:
        kept = [(green, step) for step in program.steps if (green := rows_green(step.state, groups))]
    return kept


def _lawful(start: Rows, green: Rows, exclusive: Bools, weight: Sequence[float]) -> Rows:
    """The heaviest groups of `green` that go together, taken greedily, those of `start` first."""
    chosen: list[int] = []
    for row in sorted(green, key=lambda row: (row not in start, -weight[row], row)):
        if not exclusive[row, chosen].any():
            chosen.append(row)
    return frozenset(chosen)


def _serve_all(
    sets: StageSets,
    programs: Sequence[Program],
    groups: Sequence[Sequence[int]],
    names: Sequence[str],
    exclusive: Bools,
    weight: Sequence[float],
) -> None:
    """Give every group that some program shows green, but no stage has, a stage of its own with all that may join
    it.
    """
    for row, indices in enumerate(groups):
        if any(row in green for green in sets.greens):
            continue
        shown = [
            (frozenset({row}) | rows_green(step.state, groups), step.state)
            for program in programs
            for step in program.steps
            if all(index < len(step.state) and step.state[index] in GREEN for index in indices)
        ]
        if not shown:
            continue
        green, state = shown[0]
        with_it = _lawful(frozenset({row}), green, exclusive, weight)
        sets.notes.append(f"{names[row]} got a stage of its own: no step that holds a green serves it lawfully")
        sets.add(with_it, state)


def complete(sets: StageSets, always: Rows, exclusive: Bools) -> StageSets:
    """The same with the `always` green groups in every stage where they conflict with none of it."""
    whole = StageSets(notes=sets.notes)
    for green, state in zip(sets.greens, sets.states, strict=True):
        joined = set(green)
        for row in sorted(always - green):
            if not exclusive[row, sorted(joined)].any():
                joined.add(row)
        whole.add(frozenset(joined), state)
    return whole


def resting_letters(state: str | None, letters: Sequence[str], groups: Sequence[Sequence[int]]) -> str:
    """What each index shows in a stage where its group is red: `s`, `o`, `O` where the program has them there, else
    `r`.

    `letters[i]` is all that index i ever shows; `state` is the step the stage came from, None if it came from none.
    """
    signalled = {index for indices in groups for index in indices}
    out = []
    for index, shown in enumerate(letters):
        now = state[index] if state is not None and index < len(state) else ""
        idle = set(shown) - GREEN - YELLOW - {"u"}
        if now in {"s", "o", "O"}:
            out.append(now)
        elif (now == "" or index not in signalled or now in GREEN) and len(idle) == 1 and idle <= {"s", "o", "O"}:
            out.append(next(iter(idle)))
        else:
            out.append("r")
    return "".join(out)
