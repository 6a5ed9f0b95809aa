"""What an optimiser may ask of a NEMA controller: hold, force-off, omit, call, pattern, and its dead-man time.

Every request is the whole state: each byte of each group is written, so that a lost or doubled message does no harm
and a bit that was forgotten cannot stay set. Any of these writes restarts the controller's backup timer; when it runs
out the controller clears them all itself and goes back to its own plan. Reading does not feed it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from ...core.errors import ProtocolError
from ..pattern import STANDBY, Pattern
from .asc import ASC, groups_of
from .ber import Oid
from .snmp import VarBind


@dataclass(frozen=True, slots=True)
class PhaseControl:
    """Requests per phase, as sets of phase numbers. The default asks for nothing.

    `hold` keeps a green until it is cleared: the caller caps the time. `force_off` ends a green that has had its
    minimum. `phase_omit` skips phases, `vehicle_call` and `pedestrian_call` call them.
    """

    hold: frozenset[int] = frozenset()
    force_off: frozenset[int] = frozenset()
    phase_omit: frozenset[int] = frozenset()
    pedestrian_omit: frozenset[int] = frozenset()
    vehicle_call: frozenset[int] = frozenset()
    pedestrian_call: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        both = self.hold & self.force_off
        if both:
            raise ProtocolError(f"phase {min(both)} cannot be held and forced off at once")

    def variables(self, groups: int) -> tuple[VarBind, ...]:
        """The variables of one set message: six bytes for each of `groups` groups of eight phases."""
        return tuple(
            ASC.table[field.name].put(byte, group)
            for field in fields(self)
            for group, byte in enumerate(groups_of(getattr(self, field.name), groups), 1)
        )


def ask_pattern(pattern: Pattern) -> VarBind:
    """Ask for a pattern. A controller that has no such pattern runs free: read the pattern status back."""
    return ASC.scalar["pattern_control"].put(pattern.to_ntcip())


def set_backup_time(seconds: int) -> VarBind:
    """Set after how much silence [s] the controller takes over; 0 would switch the dead-man off and is refused."""
    if not 1 <= seconds <= 0xFFFF:
        raise ProtocolError(f"a backup time of {seconds} s would leave the controller without a dead-man")
    return ASC.scalar["backup_time"].put(seconds)


def release(groups: int) -> tuple[VarBind, ...]:
    """Give everything back at once: no hold, no force-off, no omit, no call, pattern standby."""
    return (*PhaseControl().variables(groups), ask_pattern(STANDBY))


CONTROL_NAMES = tuple(field.name for field in fields(PhaseControl))


def control_oids(groups: int) -> tuple[Oid, ...]:
    """The variables of `PhaseControl`, to read back what stands in the controller."""
    return tuple(ASC.table[name].at(group) for name in CONTROL_NAMES for group in range(1, groups + 1))
