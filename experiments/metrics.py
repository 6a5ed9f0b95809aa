"""What a run is measured by: each metric defined once, computed from SUMO's trip and statistic outputs.

Two denominators, and no third: what a vehicle suffers in all (`delay`, `p95_delay`, `depart_delay`) is per *scheduled*
vehicle, those still under way and those that never got into the network included; what happens on the road
(`trip_time`, `time_loss`, `waiting_time`, `stops`) is per *inserted* vehicle, as in SUMO's own statistic output. So
delay * scheduled = time_loss * inserted + depart_delay * scheduled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from lxml import etree

from ..core.errors import ResultError
from ..core.messages import _

STEP = 1.0
"""SUMO's step [s]. A vehicle due in the last step, after its beginning, is scheduled; SUMO has not tried it and does
not count it."""
ROUNDED = 0.006
"""SUMO writes hundredths of a second: who was due this near the beginning of the last step may have been tried, or not."""

TRIP_SCHEMA: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "vtype": pl.String,
    "state": pl.String,  # arrived, running, waiting (never inserted), removed
    "scheduled": pl.Float64,  # when it wanted to start [s]
    "depart": pl.Float64,  # when it did, null if never [s]
    "arrival": pl.Float64,  # null if it has not arrived [s]
    "from_lane": pl.String,
    "to_lane": pl.String,
    "duration": pl.Float64,  # on the road [s]
    "time_loss": pl.Float64,  # against free flow, on the road [s]
    "depart_delay": pl.Float64,  # waiting to be inserted [s]
    "waiting_time": pl.Float64,  # standing [s]
    "stops": pl.Int64,
    "route_length": pl.Float64,  # [m]
}


@dataclass(frozen=True, slots=True)
class Metrics:
    """Seconds are means over vehicles (see the module), the rest are counts over the whole run.

    `pedestrian_delay` is the mean time loss of a walk [s], 0 where nobody walks.
    """

    delay: float
    trip_time: float
    time_loss: float
    depart_delay: float
    waiting_time: float
    stops: float
    p95_delay: float
    scheduled: int
    inserted: int
    arrived: int
    teleports: int
    collisions: int
    emergency_brakings: int
    pedestrians: int
    pedestrian_delay: float


@dataclass(frozen=True, slots=True)
class Trips:
    """All vehicles of a run, one row each with the columns of `TRIP_SCHEMA`, in the order SUMO wrote them; and the time
    lost by each walking person [s]."""

    vehicles: pl.DataFrame
    walk_losses: pl.Series


def read_trips(path: Path, end: float) -> Trips:
    """The trips in a SUMO tripinfo file (XML, .gz accepted) of a run that ended at `end` [s].

    Raises ResultError if the file is missing or broken.
    """
    columns: dict[str, list[object]] = {name: [] for name in TRIP_SCHEMA}
    add = [columns[name].append for name in TRIP_SCHEMA]
    walks: list[float] = []
    try:
        for _event, element in etree.iterparse(str(path), tag=("tripinfo", "personinfo")):
            if element.tag == "tripinfo" and not _after_the_end(element.attrib):
                for append, value in zip(add, _vehicle(element.attrib, end), strict=True):
                    append(value)
            elif element.tag == "personinfo":
                walks.append(sum(float(walk.get("timeLoss", 0)) for walk in element.iter("walk")))
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except (OSError, etree.XMLSyntaxError, KeyError, ValueError) as error:
        raise ResultError(
            _("{path}: no usable tripinfo output of SUMO: {error}").format(path=path, error=error)
        ) from error
    return Trips(pl.DataFrame(columns, schema=TRIP_SCHEMA), pl.Series("walk_losses", walks, dtype=pl.Float64))


def _after_the_end(row: etree._Attrib) -> bool:
    """Whether a vehicle was to start no earlier than when the run ended: it stands in the output, but not in the
    window."""
    return float(row["depart"]) < 0 and float(row["departDelay"]) <= 0


def _vehicle(row: etree._Attrib, end: float) -> tuple[object, ...]:
    depart, arrival, wait = float(row["depart"]), float(row["arrival"]), max(0.0, float(row["departDelay"]))
    if depart < 0:
        state = "waiting"
    elif arrival < 0:
        state = "running"
    else:
        state = "removed" if row.get("vaporized") else "arrived"
    return (
        row["id"],
        row["vType"],
        state,
        (end if depart < 0 else depart) - wait,
        None if depart < 0 else depart,
        None if arrival < 0 else arrival,
        row["departLane"] or None,
        row["arrivalLane"] or None,
        float(row["duration"]),
        float(row["timeLoss"]),
        wait,
        float(row["waitingTime"]),
        int(row["waitingCount"]),
        float(row["routeLength"]),
    )


def read_statistic(path: Path) -> dict[str, dict[str, float]]:
    """SUMO's statistic output as {element: {attribute: number}}. Raises ResultError if the file is missing or
    broken."""
    try:
        root = etree.parse(str(path)).getroot()
        return {element.tag: {k: float(v) for k, v in element.attrib.items()} for element in root}
    except (OSError, etree.XMLSyntaxError, ValueError) as error:
        raise ResultError(
            _("{path}: no usable statistic output of SUMO: {error}").format(path=path, error=error)
        ) from error


def measure(trips: Trips, statistic: dict[str, dict[str, float]]) -> Metrics:
    """All metrics of a run. Raises ResultError where the two outputs do not speak of the same vehicles."""
    vehicles = trips.vehicles
    states = vehicles["state"]
    scheduled, waiting = len(vehicles), int((states == "waiting").sum())
    inserted = scheduled - waiting
    counted = int(statistic["vehicles"]["inserted"]), int(statistic["vehicles"]["waiting"])
    waits = vehicles.filter(states == "waiting")["depart_delay"]
    untried, perhaps = int((waits < STEP - ROUNDED).sum()), int((waits < STEP + ROUNDED).sum())
    if inserted != counted[0] or not untried <= waiting - counted[1] <= perhaps:
        message = _(
            "SUMO counted {0} vehicles inserted and {1} still waiting to be, its tripinfo output names {2} and {3}; "
            "write it with --tripinfo-output.write-unfinished and --tripinfo-output.write-undeparted"
        )
        raise ResultError(message.format(*counted, inserted, waiting - untried))
    delay = vehicles["time_loss"] + vehicles["depart_delay"]
    on_road = vehicles.filter(states != "waiting")

    def per_inserted(column: str) -> float:
        return float(on_road[column].sum()) / max(1, inserted)

    return Metrics(
        delay=float(delay.sum()) / max(1, scheduled),
        trip_time=per_inserted("duration"),
        time_loss=per_inserted("time_loss"),
        depart_delay=float(vehicles["depart_delay"].sum()) / max(1, scheduled),
        waiting_time=per_inserted("waiting_time"),
        stops=per_inserted("stops"),
        p95_delay=float(delay.quantile(0.95, "linear") or 0.0),
        scheduled=scheduled,
        inserted=inserted,
        arrived=int((states == "arrived").sum()),
        teleports=int(statistic["teleports"]["total"]),
        collisions=int(statistic["safety"]["collisions"]),
        emergency_brakings=int(statistic["safety"]["emergencyBraking"]),
        pedestrians=len(trips.walk_losses),
        pedestrian_delay=float(trips.walk_losses.sum()) / max(1, len(trips.walk_losses)),
    )
