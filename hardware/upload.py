"""Plans into a cabinet: written where nobody runs them, read back, compared, and only then put in force by one write.

GB/T 20999 alone: its classes 6 (stages), 9 (plans), 11 (day plans) and 12 (schedules) are known well enough. In order:

    1. identity, minimum greens, intergreens and stages are those of the site file; the cabinet is in normal operation
    2. no day plan uses the plan's number, no schedule the day plan's: nothing that runs is touched
    3. stages that are still empty there, then the plan, then a day plan with it from midnight on: each written, read
       back and compared
    4. with a schedule named, one last byte: from now on it runs that day plan

A line that is cut anywhere before the last byte leaves rows behind that nobody runs. Minimum greens, lamp sequences, conflicts
and intergreens cannot be written: `GbtObject.put` refuses them.

In the only captured plan the stages' times add up to the cycle, so a stage's time here is its green and the change after it.
From where an offset counts is open in the standard as far as it is known: taken is the start of the first stage's green.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..core.certify import SafePlan
from ..core.errors import LinkLost, ProtocolError
from ..core.plan import interstages_of
from ..core.ports import Mode
from .cabinets.gbt import GbtDriver
from .cabinets.picture import Picture
from .exchange import Answered, Failed
from .gbt20999 import DataValue, Message, ObjectId, named
from .gbt20999.dialect import Request, put, query
from .line import Line
from .link import Link

Answers = tuple[Message, ...]
Script = Generator[Request, Answers, "Uploaded"]
T = TypeVar("T")

FIXED = 0x10  # a stage that comes in every cycle
ENTRIES = 48
_MIDNIGHTS = bytes(2 * ENTRIES)
_PLAN = (
    "plan_junction",
    "plan_cycle",
    "plan_coordination",
    "plan_offset",
    "plan_stages",
    "plan_times",
    "plan_occurrence",
)
_SIX = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan goes: its number, and with a `schedule` the day plan it is put in force by (None: a free one)."""

    number: int
    schedule: int | None = None
    day_plan: int | None = None


@dataclass(slots=True)
class Uploaded:
    """What was done, or with a dry run would be: rows written, and the day plan the schedule had before."""

    written: list[str] = field(default_factory=list)
    day_plan: int | None = None
    before: int | None = None
    active: bool = False


def plan_values(driver: GbtDriver, safe: SafePlan) -> dict[str, Any]:
    """The attributes of class 9 for a certified plan."""
    site, plan = safe.intersection, safe.plan
    changes = interstages_of(plan, site)
    times = [green + changes[(k + 1) % len(changes)] for k, green in enumerate(plan.greens)]
    return dict(
        zip(
            _PLAN,
            (
                driver.junction, safe.cycle, 1, (plan.offset + changes[0]) % safe.cycle,
                tuple(driver.stages[stage] for stage in safe.sequence), tuple(times), (FIXED,) * len(times),
            ),
            strict=True,
        )
    )  # fmt: skip


def upload(driver: GbtDriver, safe: SafePlan, place: Place, *, dry_run: bool = False) -> Script:
    """Questions out, answers in, what was done at the end; raises ProtocolError with what stopped it, nothing being in force."""
    done = Uploaded()
    empty = yield from _know(driver)
    yield from _free(driver, place, done)
    plan = plan_values(driver, safe)
    rows: list[tuple[str, int, dict[str, Any]]] = [
        (f"stage {number}", number, {"stage_phases": frozenset(phases)}) for number, phases in empty.items()
    ]
    rows.append((f"plan {place.number}", place.number, plan))
    if done.day_plan is not None:
        day: dict[str, Any] = {
            "day_plan_junction": driver.junction,
            "day_plan_plans": (place.number, *[0] * (ENTRIES - 1)),
            "day_plan_modes": (int(driver.release_mode),) * ENTRIES,
        }
        rows.append((f"day plan {done.day_plan}", done.day_plan, day))
    for name, number, values in rows:
        if not dry_run:
            yield from _store(driver, name, number, values)
        done.written.append(name)
    if place.schedule is not None:
        if not dry_run:
            yield from _put_in_force(driver, place.schedule, done)
        done.written.append(f"schedule {place.schedule}")
    return done


def _put_in_force(driver: GbtDriver, schedule: int, done: Uploaded) -> Generator[Request, Answers, None]:
    try:
        yield from _store(driver, f"schedule {schedule}", schedule, {"schedule_day_plan": done.day_plan})
    except LinkLost:
        raise LinkLost(
            f"the line was lost while the plan was put in force: whether schedule {schedule} runs day plan {done.day_plan} "
            f"is not known; it ran day plan {done.before}. Look at the cabinet"
        ) from None
    done.active = True


def _know(driver: GbtDriver) -> Generator[Request, Answers, dict[int, set[int]]]:
    """Identity, times and stages checked, normal operation seen; the stages still empty there, with their phases."""
    picture, site = Picture(driver.site), driver.site
    empty: dict[int, set[int]] = {}
    for number, green in zip(driver.stages, site.stage_greens, strict=True):
        ours = {phase for phase, lit in zip(driver.lamps, green, strict=True) if lit}
        said = yield from _ask(driver, [named("stage_phases").ask(number)])
        if said.get("stage_phases", {}).get(number) == frozenset():
            empty[number] = ours
    for request in driver.identify():
        wanted = [one for one in request.values if not (_is(one, "stage_phases") and one.id.element in empty)]
        if wanted:
            asked = query(*wanted)
            driver.read(asked, (yield asked), picture, 0.0)
    for request in driver.poll():
        driver.read(request, (yield request), picture, 0.0)
    if picture.mode not in (Mode.LOCAL, Mode.REMOTE):
        raise ProtocolError(f"the cabinet is in {picture.mode.value}: upload again when it is in normal operation")
    return empty


def _is(value: DataValue, name: str) -> bool:
    return value.id[:3] == named(name).id[:3]


def _free(driver: GbtDriver, place: Place, done: Uploaded) -> Generator[Request, Answers, None]:
    """Nothing that runs may be touched."""
    said = yield from _ask(driver, [named("current_plan").ask(driver.junction), named("day_plan_count").ask()])
    if said.get("current_plan", {}).get(driver.junction) == place.number:
        raise ProtocolError(f"plan {place.number} runs now: give the new plan another number")
    days = yield from _table(driver, "day_plan_plans", said.get("day_plan_count", {}).get(0, 0))
    using = [row for row, plans in days.items() if place.number in plans]
    if using:
        raise ProtocolError(f"plan {place.number} is used by day plan {using[0]}: give the new plan another number")
    if place.schedule is None:
        return
    said = yield from _ask(driver, [named("schedule_count").ask()])
    schedules = yield from _table(driver, "schedule_day_plan", said.get("schedule_count", {}).get(0, 0))
    if not schedules.get(place.schedule):
        raise ProtocolError(f"schedule {place.schedule} is not in use: name one of {_some(schedules)}")
    taken = set(schedules.values())
    free = [row for row, plans in days.items() if row not in taken and not any(plans)]
    row = place.day_plan if place.day_plan is not None else next(iter(free), None)
    if row is None or row not in days or row in taken:
        raise ProtocolError(f"day plan {row or ''} is in use, or is not there: name a free one of {free}")
    starts = yield from _ask(driver, [named("day_plan_starts").ask(row)])
    if starts.get("day_plan_starts", {}).get(row) != _MIDNIGHTS:
        raise ProtocolError(
            f"day plan {row} has times of day in it, and how they are written is not known: name one without"
        )
    done.day_plan, done.before = row, schedules[place.schedule]


def _some(rows: Mapping[int, int]) -> str:
    return ", ".join(str(row) for row, used in rows.items() if used) or "none"


def _table(driver: GbtDriver, name: str, count: int) -> Generator[Request, Answers, dict[int, Any]]:
    """Rows 1 to `count` of an attribute; those the cabinet does not have are left out."""
    found: dict[int, Any] = {}
    for start in range(1, min(count, 255) + 1, _SIX):
        rows = range(start, min(start + _SIX, count + 1))
        said = yield from _ask(driver, [named(name).ask(row) for row in rows])
        found |= said.get(name, {})
    return found


def _ask(driver: GbtDriver, values: list[DataValue]) -> Generator[Request, Answers, dict[str, dict[int, Any]]]:
    """What the cabinet says to these questions, by name and row."""
    said: dict[str, dict[int, Any]] = {}
    names: dict[ObjectId, str] = {}
    for value in values:
        names[value.id] = _name_of(value)
    for answer in (yield query(*values)):
        for value in answer.values:
            if not answer.is_error and value.id in names:
                name = names[value.id]
                said.setdefault(name, {})[value.id.element] = named(name).read(value.value)
    return said


def _name_of(value: DataValue) -> str:
    from .gbt20999.objects import at

    thing = at(value.id)
    if thing is None:
        raise ProtocolError(f"there is no object {value.id} here")
    return thing.name


def _store(driver: GbtDriver, name: str, number: int, values: Mapping[str, Any]) -> Generator[Request, Answers, None]:
    """Written in one frame, read back, compared."""
    request = put(*(named(key).put(value, number) for key, value in values.items()))
    refused = driver.refused(request, (yield request))
    if refused is not None:
        raise ProtocolError(f"the cabinet refuses {name} ({refused}); nothing new is in force")
    said = yield from _ask(driver, [named(key).ask(number) for key in values])
    for key, wanted in values.items():
        stored = said.get(key, {}).get(number)
        if stored != wanted:
            raise ProtocolError(
                f"{name}: {key} was written as {wanted} and reads {stored}; this plan is not put in force, look at the cabinet"
            )


def converse(
    script: Generator[Request, Answers, T],
    link: Link[Request, Message],
    line: Line,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[Line], None] | None = None,
) -> T:
    """Hold a conversation to its end, time-outs and repetitions included; raises LinkLost where the line ends it."""
    link.healthy = False
    pause = wait or _until_bytes
    try:
        request = next(script)
        while True:
            while not link.free:
                _turn(link, line, clock())
                pause(line)
            link.request(request, clock())
            try:
                answer = _answer(link, line, clock, pause)
            except LinkLost as problem:
                request = script.throw(problem)
            else:
                request = script.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _answer(
    link: Link[Request, Message], line: Line, clock: Callable[[], float], pause: Callable[[Line], None]
) -> Answers:
    while True:
        for event in _turn(link, line, clock()):
            match event:
                case Answered(frames=frames):
                    return frames
                case Failed(error=error):
                    raise LinkLost(f"{error}; nothing new is in force")
        pause(line)


def _turn(link: Link[Request, Message], line: Line, now: float) -> Iterator[Any]:
    events = [*link.receive(line.read(), now), *link.tick(now)]
    if data := link.outgoing():
        line.write(data)
    return iter(events)


def _until_bytes(line: Line) -> None:
    select.select([line.fileno()], [], [], 0.02)
