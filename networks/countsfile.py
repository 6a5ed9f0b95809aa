"""Counts in: CSV per detector and interval, SUMO's E1 output, edge data, turn counts; with what is missing or dead."""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..core.errors import CountsError, InputError
from .scenario import elements

Floats = npt.NDArray[np.float64]

MOST_PER_LANE = 3000.0
"""Vehicles an hour over one detector that nobody believes."""
DEAD_SHARE = 0.5
"""Share of intervals without a count from which on a detector is not believed at all."""

_COLUMNS = {
    "detector": ("detector", "detector_id", "id", "station", "lane", "edge"),
    "begin": ("begin", "interval", "time", "start", "begin_s"),
    "end": ("end", "end_s"),
    "count": ("count", "vehicles", "flow", "volume", "nvehcontrib", "nvehentered", "q"),
    "occupancy": ("occupancy", "occ"),
    "speed": ("speed", "mean_speed", "v"),
    "from": ("from", "from_edge", "origin"),
    "to": ("to", "to_edge", "destination"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """What one source counted: `count` (n_intervals,) [veh], nan where it said nothing, from `begin` [s] in steps of
    `interval` [s]. `kind` says what `name` is: detector, edge, or turn ("from->to"); `where` the first of it stands, for messages."""

    name: str
    kind: str
    begin: float
    interval: float
    count: Floats
    occupancy: Floats
    where: str = ""

    @property
    def flow(self) -> float:
        """Mean of what was counted [veh/h]; nan if nothing was."""
        known = self.count[np.isfinite(self.count)]
        return float(known.mean() * 3600.0 / self.interval) if known.size else math.nan


@dataclass(frozen=True, slots=True)
class CountsFile:
    """All series of the files, and what was wrong with them in plain words."""

    series: tuple[Series, ...]
    remarks: tuple[str, ...]


def read_counts(paths: Sequence[Path], begin: float | None = None, end: float | None = None) -> CountsFile:
    """Every count in these files, of the intervals that begin between `begin` and `end` [s] where these are given; raises
    CountsError or InputError with file, line and detector.

    CSV: a column detector (or id, edge), or from and to for turns; begin or interval [s or hh:mm], count; occupancy
    [%] and speed [m/s] if there are. XML: SUMO's E1 output, edge data (entered, or count), turn data (edgeRelation).
    """
    records: list[_Record] = []
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: is not there; name a file of counts")
        records += _csv(path) if path.suffix.lower() in {".csv", ".txt", ".tsv"} else _xml(path)
    if not records:
        raise CountsError(f"{', '.join(map(str, paths))}: there is no count in it")
    first, last = -math.inf if begin is None else begin, math.inf if end is None else end
    inside = [record for record in records if first <= record.begin < last]
    if not inside:
        begins = [record.begin for record in records]
        raise CountsError(
            f"{', '.join(map(str, paths))}: nothing was counted from {first:g} to {last:g} s, but from {min(begins):g} to "
            f"{max(begins):g} s; ask for another window, or for none"
        )
    return _series(inside)


@dataclass(frozen=True, slots=True)
class _Record:
    name: str
    kind: str
    begin: float
    length: float
    count: float
    occupancy: float
    where: str


def _csv(path: Path) -> list[_Record]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            sample = stream.read(4096)
            stream.seek(0)
            delimiter = max(",;\t", key=sample.count)
            reader = csv.reader(stream, delimiter=delimiter)
            numbered = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error})") from error
    if not numbered:
        raise CountsError(f"{path}: is empty")
    heads, rows = [head.strip().lower() for head in numbered[0][1]], numbered[1:]
    at = {key: next((heads.index(name) for name in names if name in heads), None) for key, names in _COLUMNS.items()}
    turns = at["from"] is not None and at["to"] is not None
    for key in ("begin", "count") if turns else ("detector", "begin", "count"):
        if at[key] is None:
            raise CountsError(
                f"{path}: has no column {key} ({', '.join(_COLUMNS[key])}); its columns are {', '.join(heads)}"
            )
    kind = "turn" if turns else "edge" if "edge" in heads else "detector"
    begins = sorted({_time(_cell(row, at["begin"]), f"{path}, line {n}") for n, row in rows})
    usual = min(np.diff(begins), default=900.0)
    made = []
    for n, row in rows:
        where = f"{path}, line {n}"
        name = f"{_cell(row, at['from'])}->{_cell(row, at['to'])}" if turns else _cell(row, at["detector"])
        begin = _time(_cell(row, at["begin"]), where)
        ended = _cell(row, at["end"])
        made.append(
            _Record(
                name,
                kind,
                begin,
                _time(ended, where) - begin if ended else float(usual),
                _number(_cell(row, at["count"]), where, name),
                _share(_cell(row, at["occupancy"]), where, name),
                where,
            )
        )
    return made


def _xml(path: Path) -> list[_Record]:
    made = []
    for interval in elements(path, "interval"):
        begin, end = float(interval.get("begin", 0.0)), float(interval.get("end", 0.0))
        where = f"{path}, interval {begin:g}"
        if "nVehContrib" in interval.attrib or "nVehEntered" in interval.attrib:
            count = interval.get("nVehEntered", interval.get("nVehContrib"))
            occupancy = _share(interval.get("occupancy", ""), where, interval.get("id"))
            made.append(
                _Record(
                    interval.get("id"),
                    "detector",
                    begin,
                    end - begin,
                    _number(count, where, interval.get("id")),
                    occupancy,
                    where,
                )
            )
        for edge in interval.iter("edge"):
            count = edge.get("entered", edge.get("count"))
            if count is not None:
                number = _number(count, where, edge.get("id"))
                if edge.get("entered") is not None:
                    number += float(edge.get("departed", 0.0))
                made.append(_Record(edge.get("id"), "edge", begin, end - begin, number, math.nan, where))
        for relation in interval.iter("edgeRelation"):
            name = f"{relation.get('from')}->{relation.get('to')}"
            made.append(
                _Record(
                    name, "turn", begin, end - begin, _number(relation.get("count", ""), where, name), math.nan, where
                )
            )
    return made


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _number(text: str | None, where: str, name: str) -> float:
    """A count; nan for a gap; CountsError for what cannot be one."""
    if text is None or text.lower() in {"", "nan", "na", "null", "-", "-1", "-1.00"}:
        return math.nan
    try:
        number = float(text)
    except ValueError as error:
        raise CountsError(f"{where}: {name}: {text!r} is no number; leave a gap empty") from error
    if number < 0.0 or not math.isfinite(number):
        raise CountsError(f"{where}: {name}: a count of {text} cannot be; leave a gap empty")
    return number


def _share(text: str | None, where: str, name: str) -> float:
    """An occupancy [%]; nan for a gap."""
    share = _number(text, where, name)
    if share > 100.0:
        raise CountsError(f"{where}: {name}: an occupancy of {text} % cannot be; give it in percent")
    return share


def _time(text: str, where: str) -> float:
    try:
        parts = [float(part) for part in text.rsplit("T", 1)[-1].rsplit(" ", 1)[-1].split(":")]
    except ValueError as error:
        raise CountsError(f"{where}: the time {text!r} is none; write seconds or hh:mm") from error
    return (
        parts[0]
        if len(parts) == 1
        else sum(part * weight for part, weight in zip(parts, (3600.0, 60.0, 1.0), strict=False))
    )


def _series(records: Iterable[_Record]) -> CountsFile:
    by_name: dict[tuple[str, str], dict[float, _Record]] = defaultdict(dict)
    for record in records:
        if record.length <= 0.0:
            raise CountsError(f"{record.where}: {record.name}: the interval is {record.length:g} s long")
        known = by_name[record.kind, record.name]
        if record.begin in known:
            raise CountsError(f"{record.where}: {record.name} is counted twice at {record.begin:g} s")
        known[record.begin] = record
    usual = Counter(r.length for rows in by_name.values() for r in rows.values()).most_common(1)[0][0]
    first = min(begin for rows in by_name.values() for begin in rows)
    last = max(begin for rows in by_name.values() for begin in rows)
    n = round((last - first) / usual) + 1
    made, remarks = [], []
    for (kind, name), rows in by_name.items():
        count, occupancy = np.full(n, np.nan), np.full(n, np.nan)
        for record in rows.values():
            place = (record.begin - first) / usual
            if record.length != usual or abs(place - round(place)) > 1e-6:
                raise CountsError(
                    f"{record.where}: {name}: an interval of {record.length:g} s among others of {usual:g} s"
                )
            count[round(place)], occupancy[round(place)] = record.count, record.occupancy
        fault = _fault(count, occupancy, usual, kind)
        if fault:
            remarks.append(f"{kind} {name}: {fault}")
            continue
        gaps = int(np.isnan(count).sum())
        if gaps:
            remarks.append(f"{kind} {name}: {gaps} of {n} intervals are missing; the mean is that of the others")
        made.append(Series(name, kind, first, usual, count, occupancy, next(iter(rows.values())).where))
    return CountsFile(tuple(made), tuple(remarks))


def _fault(count: Floats, occupancy: Floats, interval: float, kind: str) -> str:
    """Why a source is not believed, empty if it is."""
    if np.isnan(count).mean() > DEAD_SHARE:
        return f"says nothing in {int(np.isnan(count).sum())} of {count.size} intervals; it is left out"
    hourly = np.nanmax(count) * 3600.0 / interval
    if kind == "detector" and hourly > MOST_PER_LANE:
        return f"counts {hourly:.0f} veh/h, more than a lane can carry; it is left out"
    if kind == "detector" and np.nanmax(count) == 0.0 and np.isfinite(occupancy).any() and np.nanmin(occupancy) > 50.0:
        return "counts nothing while occupied all the time; it is stuck and left out"
    return ""
