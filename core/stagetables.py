"""What the search knows of a site before any traffic: whom each stage serves, who gives way in it, and how long every change takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .intersection import Intersection

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

PASSED = 1.0
"""Seconds after their amber until those have passed to whom others gave way."""


class StageTables:
    """Of n_stages, n_lanes, n_moves movements, n_groups signal groups.

    group_of     (n_moves,) the signal group of each movement
    uses         (n_lanes, n_moves) bool: the lane is used by the movement
    lane_groups  (n_lanes, n_groups) bool: and by the group
    green        (n_stages, n_groups) bool
    length       (n_stages, n_stages) [s] of each change, -1 where it is barred
    gives        by stage, (lane, movement) pairs that give way, and the movements they give way to
    giving       (n_stages, n_groups) bool: the group is green and gives way
    free         (n_stages, n_moves) bool: the movement is green and need not give way
    set_free     (n_lanes,) bool: somebody who gives way in one stage may go freely in another
    giver, given the lanes that give way, stage by stage, and where those of each stage begin
    changes      every change that may be made, see `_changes`
    freed_for    (n_stages, n_stages) [s] of each for which some who gave way on the junction neither wait for a green nor meet one
    """

    def __init__(self, site: Intersection) -> None:
        self.site = site
        n_stages, n_lanes, n_groups = len(site.stages), len(site.lanes), len(site.groups)
        self.group_of = site.group_of
        row = {lane.name: k for k, lane in enumerate(site.lanes)}
        self.uses: Bools = np.zeros((n_lanes, len(site.movements)), dtype=np.bool_)
        self.lane_groups: Bools = np.zeros((n_lanes, n_groups), dtype=np.bool_)
        for m, move in enumerate(site.movements):
            lanes = [row[lane] for lane in move.lanes]
            self.uses[lanes, m] = True
            self.lane_groups[lanes, self.group_of[m]] = True
        self.green: Bools = site.stage_greens
        self.gives = [self._givers(stage) for stage in range(n_stages)]
        self.giving: Bools = np.zeros((n_stages, n_groups), dtype=np.bool_)
        self.free: Bools = self.green[:, self.group_of]
        for stage, rows in enumerate(self.gives):
            for _, m, _ in rows:
                self.giving[stage, self.group_of[m]] = True
                self.free[stage, m] = False
        turns = np.any(self.giving[:, self.group_of], axis=0) & np.any(self.free, axis=0)
        self.set_free: Bools = np.any(self.uses & turns, axis=1)
        lanes_of = [sorted({lane for lane, _, _ in rows}) for rows in self.gives]
        self.given: I32 = np.cumsum([0, *map(len, lanes_of)]).astype(np.int32)
        self.giver: I32 = np.array([lane for lanes in lanes_of for lane in lanes], dtype=np.int32)
        self.length: I32 = np.full((n_stages, n_stages), -1, dtype=np.int32)
        self.freed_for: F64 = np.zeros((n_stages, n_stages))
        self.changes = self._changes()

    def _givers(self, stage: int) -> list[tuple[int, int, list[int]]]:
        green, rows = self.green[stage][self.group_of], []
        for m in np.flatnonzero(green):
            facing = [int(k) for k in np.flatnonzero(self.site.hindered[m] & green)]
            if facing:
                rows += [(int(lane), int(m), facing) for lane in np.flatnonzero(self.uses[:, m])]
        return rows

    def _changes(self) -> list[tuple[int, int, F64, F64, F64]]:
        """From and to which stage, with (n_lanes, n_moves) [s]: when what a lane serves begins, 0 where it does not, for how long what
        ends is kept, inf where it does not end, and when what goes on need not give way any more, 0 where it changes nothing.
        """
        site, changes = self.site, []
        barred = {(site.stage_index[a], site.stage_index[b]) for a, b in site.barred}
        for a in range(len(site.stages)):
            for b in range(len(site.stages)):
                if a != b and (a, b) not in barred:
                    starts, keeps = np.ceil(site.starts_after(a, b) - 1e-9), site.ends_after(a, b)
                    self.length[a, b] = self._length(a, b, starts)
                    was, will = self.green[a][self.group_of], self.green[b][self.group_of]
                    starting = np.where(self.uses & will & ~was, starts[self.group_of], 0.0)
                    keeping = np.where(self.uses & was & ~will, keeps[self.group_of], np.inf)
                    changes.append((a, b, starting, keeping, self._freed(a, b, keeps)))
                    self.freed_for[a, b] = self._freed_for(a, b, starts, keeps)
        return changes

    def _length(self, a: int, b: int, starts: F64) -> int:
        groups = self.site.groups
        gone = [g.amber + 1.0 for g, ends in zip(groups, self.green[a] & ~self.green[b], strict=True) if ends]
        begins = np.flatnonzero(self.green[b] & ~self.green[a])
        return int(np.ceil(max([1.0, *gone, *(starts[j] + groups[j].min_green for j in begins)]) - 1e-9))

    def _freed(self, a: int, b: int, keeps: F64) -> F64:
        freed = np.zeros(self.uses.shape)
        still = {(lane, m) for lane, m, _ in self.gives[b]}
        for lane, m, facing in self.gives[a]:
            gone = [self.group_of[k] for k in facing if not self.green[b, self.group_of[k]]]
            if self.green[b, self.group_of[m]] and gone and (lane, m) not in still:
                freed[lane, m] = max(keeps[g] + self.site.groups[g].amber for g in gone) + PASSED
        return freed

    def _freed_for(self, a: int, b: int, starts: F64, keeps: F64) -> float:
        longest, comes = 0.0, self.green[b] & ~self.green[a]
        for _, m, facing in self.gives[a]:
            waits_for, meets = self.group_of[facing], comes & self.site.exclusive[self.group_of[m]]
            if meets.any() and not self.green[b, waits_for].any():
                longest = max(longest, float(starts[meets].min() - keeps[waits_for].max()))
        return longest
