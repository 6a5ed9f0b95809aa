"""What makes a line cabinet give back a request that is in force, looked at whenever time has passed.

| doubt | when |
|---|---|
| flash, manual, preemption | the cabinet says so |
| stale status | it was not seen for `stale` |
| no control loop | nobody has asked for anything for `patience` |
| not confirmed | its status has not shown our request for `confirm_within` |
| second master | it was taken back from us three times |

Who loses a cabinet to somebody else keeps away twice as long each time, until it was held in peace for a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ...core.ports import Mode
from .habits import Habits
from .picture import Picture

_IN_CONTROL = (Mode.LOCAL, Mode.REMOTE)
_DROPS = 3
_PEACE = 60.0
_LONGEST = 60.0


@dataclass(slots=True)
class Doubts:
    """What is remembered of a request since it was first sent, and of disputes with somebody else."""

    habits: Habits
    _confirmed: float = -inf
    _obeyed: bool = False
    _drops: int = 0
    _disputes: int = 0
    _calm: float = -inf
    _begun: float = -inf
    _normal_since: float | None = None

    def watch(self, mode: Mode, now: float) -> None:
        """The cabinet is in this mode: for how long has it been normal?"""
        if mode not in _IN_CONTROL:
            self._normal_since = None
        elif self._normal_since is None:
            self._normal_since = now

    def unsettle(self) -> None:
        """From now on it must be normal for the whole hold-off again."""
        self._normal_since = None

    def is_settled(self, now: float) -> bool:
        """It has been normal for the hold-off: it may be asked for something."""
        return self._normal_since is not None and now - self._normal_since >= self.hold_off

    def begin(self, now: float) -> None:
        """Something is asked for: nothing was in force, or another plan."""
        self._begun = self._confirmed = self._calm = now
        self._obeyed, self._drops = False, 0

    def has_stood(self, now: float) -> bool:
        """A plan was asked for long enough ago to ask for another one."""
        return now - self._begun >= self.habits.plan_for

    @property
    def hold_off(self) -> float:
        """For so long a cabinet must have been normal before it is asked for anything [s]."""
        least = self.habits.hold_off
        return max(least, min(_LONGEST, least * 2.0**self._disputes))

    def look(self, picture: Picture, obeyed: bool, now: float, asked: float) -> str | None:
        """Why to give back, None to hold on. `obeyed`: the status shows our request; `asked` [s]: when somebody last did."""
        habits = self.habits
        if self._obeyed and not obeyed and picture.mode in _IN_CONTROL:
            self._drops, self._calm = self._drops + 1, now
        self._obeyed = obeyed
        if obeyed:
            self._confirmed = now
        if now - self._calm > _PEACE:
            self._disputes = 0
        if self._drops >= _DROPS:
            return self._dispute("somebody else takes the cabinet back again and again: is there a second master?")
        if picture.mode not in _IN_CONTROL:
            return f"the cabinet is in {picture.mode.value}"
        if now - picture.seen > habits.stale:
            return "the status is stale"
        if now - asked > habits.patience:
            return "the control loop has stopped"
        if now - self._confirmed > habits.confirm_within:
            unconfirmed = "the cabinet's status does not confirm our request"
            return self._dispute(unconfirmed) if self._drops else unconfirmed
        return None

    def _dispute(self, why: str) -> str:
        self._disputes = min(self._disputes + 1, 10)
        return why
