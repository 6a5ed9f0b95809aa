"""Hardware in the loop: SUMO's traffic on the detector inputs of emulated cabinets, each run by the service over a pty of
its own, and their lamps on SUMO's lights.

Everything lives in simulated time, in slots of 20 ms. At the beginning of a second the cabinets are given what the loops
saw in the last one; in the middle of it their lamps are looked at and stand for this second in SUMO. In between cabinets,
lines and services run as they would at the roadside: nothing is decided, asked or shown but through bytes on the line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.certify import SafePlan
from ..core.errors import InputError, LinkLost
from ..core.estimate import Estimate
from ..core.forecast import Neighbourly
from ..core.intersection import Intersection
from ..core.loop import exchange
from ..core.messages import _
from ..core.ports import Mode
from ..hardware.cabinets import Ab3418Driver, Authority, GbtDriver, LineCabinet, NtcipDriver
from ..hardware.cabinets.habits import Grip, Habits
from ..hardware.emulator.cabinet import EmulatedCabinet, LocalPlan
from ..hardware.emulator.lockstep import lockstep_pty
from ..hardware.emulator.plans import local_plans
from ..hardware.emulator.server import Answers, answers_for
from ..hardware.exchange import LinkSettings
from ..hardware.port import PortSettings
from ..hardware.service import Service, ServiceSettings
from ..hardware.store import Store
from ..hardware.trunk import Trunk
from ..networks.scenario import Scenario
from ..networks.sumo import SumoCabinet
from .arms import Maker, open_lights
from .prelude import BEFORE, EARLY, TIMING
from .spec import RunSpec

SLOTS = 50
"""Slots of virtual time in a second."""
TICK = SLOTS // 10
LOOK = 30
"""The slot in which the lamps are looked at."""
DECIDE = 20
"""The slot in which services decide: the counts of the last second have had time to come."""
LITTLE = 1e-6
"""Times nearer than this are the same [s]."""
ASKED = 2
"""Number of the plan a strategy follows; 1 is the one a cabinet starts with."""
FAST = 57_600
"""Lines from this speed on are polled ten times a second, slower ones four times."""


@dataclass(slots=True)
class Clock:
    """Simulated time [s], in slots."""

    begin: float
    slot: int = 0

    def now(self) -> float:
        """What time it is."""
        return self.begin + self.slot / SLOTS


class Rig:
    """One light: its lamps and loops in SUMO, the emulated cabinet, the line, and the service at the other end."""

    def __init__(self, row: int, roadside: SumoCabinet, make: Maker, spec: RunSpec, clock: Clock) -> None:
        self.roadside, self.site, self._make, self._clock = roadside, roadside.intersection, make, clock
        self.followed = _followed(make, self.site)
        plans = _plans(self.site, self.followed)
        self.cabinet = EmulatedCabinet(self.site, plans, clock.now(), TIMING)
        self.answers: Answers = answers_for(spec.protocol, self.cabinet, address=row)
        parity = "even" if spec.protocol == "gbt20999" else "none"
        port = PortSettings("pty:", spec.bits_per_second or 9600, parity=parity)  # type: ignore[arg-type]
        self.near, self.far = lockstep_pty(clock.now, port, paced=spec.bits_per_second > 0)
        link = LinkSettings(spec.bits_per_second, port.bits_per_character)
        habits = Habits(poll=0.1 if spec.bits_per_second == 0 or spec.bits_per_second >= FAST else 0.25)
        driver = _driver(spec.protocol, self.site, row)
        self.host = LineCabinet(self.site.name, driver, self.site, habits=habits, line=link, now=clock.now())
        self.service: Service | None = None
        self.trunk: Trunk | None = None
        self.said: list[str] = []
        self._wake = float("-inf")
        roadside.follow(self.cabinet.sequencer)

    def take_over(self) -> None:
        """The service begins, with the authority to do what the protocol can."""
        host = self.host
        if host.grip is not Grip.WATCHING or self.cabinet.mode is not Mode.LOCAL:
            raise LinkLost(
                _("{light}: not identified within {seconds} s over this line; {why}").format(
                    light=self.site.name, seconds=BEFORE, why="; ".join(host.news()) or _("try a faster one")
                )
            )
        authority = Authority.STAGE if host.driver.moves_stages else Authority.PLAN
        self.service = Service(
            host, lambda: Estimate(self.site), lambda: self._make(self.site), Store(":memory:"), ServiceSettings(ceiling=authority),
            steady=self._clock.now, wall=self._clock.now, say=self.said.append,
            plans={self.followed.plan.name: ASKED} if self.followed is not None else {},
        )  # fmt: skip
        host.read()  # what the loops said before the window is nobody's
        self.service.line_is(None)
        self.service.raise_authority(authority)
        self.trunk = Trunk(self.near, [self.service])  # type: ignore[arg-type]

    def count(self) -> None:
        """What the loops saw in the last second comes to the detector inputs."""
        counts = self.roadside.read()
        self.cabinet.inputs.pass_by(counts.vehicles, counts.occupancy * 10.0)

    def slot(self, ticks: bool) -> None:
        """20 ms at both ends of the line."""
        if ticks:
            self.cabinet.tick()
            self.answers.tick()
        if data := self.far.read():
            self.far.write(self.answers.receive(data))
        if self.trunk is not None:
            now = self._clock.now()
            if now >= self._wake or self.near.has_arrived:
                self._wake = self.trunk.pump(now) - LITTLE
        else:
            self._listen()

    def _listen(self) -> None:
        now = self._clock.now()
        self.host.receive(self.near.read(), now)
        self.host.advance(now)
        self.near.write(self.host.outgoing())

    def report(self) -> dict[str, Any]:
        """What became of the line, for the manifest."""
        said = self.service.report() if self.service is not None else {}
        return {
            **said.get("line", {}), "mode": self.cabinet.mode.value, "conflict_monitor": self.cabinet.monitor.fault,
            "notes": self.said[-20:],
        }  # fmt: skip

    def close(self) -> None:
        """Give the pty back."""
        if self.service is not None:
            self.service.store.close()
        self.near.close()
        self.far.close()


class Bench:
    """All rigs of a street and the time they live in."""

    def __init__(self, rigs: list[Rig], clock: Clock, real_time: bool) -> None:
        self.rigs, self.clock = rigs, clock
        self._started = time.monotonic() if real_time else None
        self._first = clock.now()
        self._talks = len(rigs) > 1

    def before(self) -> None:
        """Cabinets start, hosts listen, until the window begins."""
        while self.clock.slot < 0:
            self._slot()

    def until_look(self) -> None:
        """The first part of a second, and the lamps as they are then."""
        for rig in self.rigs:
            rig.count()
        for _slot in range(LOOK):
            if self.clock.slot == DECIDE:  # the first decision is that at the end of the first second
                for rig in self.rigs:
                    rig.take_over()
            self._slot()
        for rig in self.rigs:
            rig.roadside.show()

    def until_next(self) -> None:
        """The rest of it."""
        for _slot in range(LOOK, SLOTS):
            self._slot()

    def _slot(self) -> None:
        if self._started is not None:
            ahead = self.clock.now() - self._first - (time.monotonic() - self._started)
            if ahead > 0:
                time.sleep(ahead)
        ticks = self.clock.slot % TICK == 0
        for rig in self.rigs:
            rig.slot(ticks)
        if self._talks and self.clock.slot % SLOTS == DECIDE + 1:
            self._exchange()
        self.clock.slot += 1

    def _exchange(self) -> None:
        talkers = [
            (rig.site.name, rig.service.controller)
            for rig in self.rigs
            if rig.service is not None and isinstance(rig.service.controller, Neighbourly)
        ]
        exchange(talkers)


def drive(
    spec: RunSpec, scenario: Scenario, outputs: Path, progress: Callable[[float], None] | None = None
) -> tuple[float, dict[str, Any]]:
    """Let the window of a run pass with cabinets in the loop; when it ended [s], and {"line": what became of each line}.

    Raises InputError, LinkLost, MissingSumo, SimulationError.
    """
    street, makers = open_lights(spec, scenario, outputs)
    with street, ExitStack() as stack:
        begin, end = street.time, scenario.end if spec.end is None else spec.end
        clock = Clock(begin, round((EARLY - BEFORE) * SLOTS))
        rigs = []
        for row, (light, roadside) in enumerate(street.cabinets.items(), 1):
            rigs.append(Rig(row, roadside, makers[light], spec, clock))
            stack.callback(rigs[-1].close)
        if not rigs:
            raise InputError(
                _("{arm} is run by SUMO itself: there is no cabinet to put into the loop").format(arm=spec.arm)
            )
        bench = Bench(rigs, clock, spec.real_time)
        bench.before()
        while True:
            bench.until_look()
            if not street.tick():
                break
            bench.until_next()
            if progress is not None and clock.slot // SLOTS % 10 == 0:
                progress(min(1.0, (street.time - begin) / (end - begin)) if end else 0.0)
        return street.time, {"line": {rig.site.name: rig.report() for rig in rigs}}


def _driver(protocol: str, site: Intersection, row: int) -> Any:
    match protocol:
        case "gbt20999":
            return GbtDriver(site, controller=row, dead_man=10.0)
        case "ntcip1202":
            return NtcipDriver(site, b"public", b"private", station=row)
    return Ab3418Driver(site, station=row)


def _followed(make: Maker, site: Intersection) -> SafePlan | None:
    """The plan a strategy follows all the time, if it does."""
    plan = getattr(make(site), "plan", None)
    return plan if isinstance(plan, SafePlan) else None


def _plans(site: Intersection, followed: SafePlan | None) -> tuple[LocalPlan, ...]:
    (own,) = local_plans((), site)
    return (own,) if followed is None else (own, LocalPlan(ASKED, followed, None))
