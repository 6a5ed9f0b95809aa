"""Who crossed which stop line when, and who could have: delay by movement and the longest red with demand.

From SUMO's own outputs, so alike for every strategy, whatever that believed. A vehicle is due when it could have been at the stop line, had
nothing held it up on the last road before it. Pedestrians and what waits outside the network do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from lxml import etree

from ..core.errors import ResultError
from ..core.messages import _
from ..networks.scenario import elements

Floats = npt.NDArray[np.float64]
Move = tuple[str, str]
"""Road before the light, road behind it."""

MOVEMENT_SCHEMA: dict[str, type[pl.DataType]] = {
    "light": pl.String,
    "origin": pl.String,  # road before the light
    "destination": pl.String,  # road behind it
    "vehicles": pl.Int64,  # that came onto the road before the light, bound for the one behind it
    "delay": pl.Float64,  # mean of what they crossed later than they were due, or waited to the end [s/veh]
    "longest_red": pl.Float64,  # with demand [s]
}

RED = frozenset("rRu")
STATES, ROUTES, ORDER = "states.xml", "routes.xml", "states.add.xml"
"""What SUMO writes (each change of a light's letters; when each vehicle left each road) and the file that asks for the first."""


def order_outputs(outputs: Path) -> tuple[Path, dict[str, str]]:
    """The additional file and the options with which SUMO leaves in `outputs` what `read_crossings` reads. Raises OSError."""
    order = outputs / ORDER
    order.write_text(
        f'<additional><timedEvent type="SaveTLSSwitchStates" dest="{STATES}"/></additional>\n', encoding="utf-8"
    )
    asked = {"exit-times": "true", "write-unfinished": "true", "last-route": "true"}
    return order, {"vehroute-output": str(outputs / ROUTES)} | {f"vehroute-output.{k}": v for k, v in asked.items()}


@dataclass(frozen=True)
class Crossings:
    """`reds` of each light and movement (n, 2) [s]; when the vehicles of a movement were `due` and `crossed` (m,) [s],
    infinity for never; the `end` of the run [s]."""

    reds: Mapping[tuple[str, Move], Floats]
    due: Mapping[Move, Floats]
    crossed: Mapping[Move, Floats]
    end: float

    @property
    def longest_red(self) -> float:
        """The longest time [s] a movement of vehicles was red while someone waited for it."""
        return max((self._longest(light, move) for light, move in self.reds), default=0.0)

    def _longest(self, light: str, move: Move) -> float:
        return longest(self.reds[light, move], self.due[move], self.crossed[move]) if move in self.due else 0.0

    def table(self) -> pl.DataFrame:
        """One row for each movement somebody used, the columns of `MOVEMENT_SCHEMA`."""
        rows = []
        for light, move in self.reds:
            if move in self.due:
                waited = np.minimum(self.crossed[move], self.end) - self.due[move]
                delay = float(np.maximum(waited, 0.0).mean())
                rows.append((light, *move, len(waited), round(delay, 3), self._longest(light, move)))
        return pl.DataFrame(rows, schema=MOVEMENT_SCHEMA, orient="row")


def read_crossings(net: Path, outputs: Path, end: float) -> Crossings:
    """What happened at the stop lines in a run that ended at `end` [s]. Raises ResultError where SUMO's outputs are missing or broken."""
    moves, seconds = _signalled(net, net.stat().st_mtime_ns)
    try:
        reds = _reds(outputs / STATES, moves, end)
        waits = _waits(outputs / ROUTES, {move for light in moves.values() for move in light}, seconds)
    except (OSError, etree.XMLSyntaxError, KeyError, ValueError) as error:
        raise ResultError(
            _("{path}: no usable signal or route output of SUMO: {error}").format(path=outputs, error=error)
        ) from error
    due, crossed = ({move: pair[k] for move, pair in waits.items()} for k in (0, 1))
    return Crossings(reds, due, crossed, end)


def longest(reds: Floats, due: Floats, crossed: Floats) -> float:
    """The longest of some reds (n, 2) [s] with a vehicle waiting: each is `due` and has `crossed` (m,) [s], infinity for never.

    >>> reds = np.array([[10.0, 40.0], [50.0, 90.0]])
    >>> longest(reds, np.array([0.0, 30.0]), np.array([5.0, 95.0]))
    40.0
    >>> longest(reds, np.array([0.0, 30.0]), np.array([5.0, 45.0]))
    10.0
    """
    order = np.argsort(crossed)
    first_due = np.append(np.minimum.accumulate(due[order][::-1])[::-1], np.inf)
    since = np.maximum(reds[:, 0], first_due[np.searchsorted(crossed[order], reds[:, 1])])
    return float(np.max(reds[:, 1] - since, initial=0.0))


@lru_cache(maxsize=8)
def _signalled(net: Path, _changed: int) -> tuple[dict[str, dict[Move, list[int]]], dict[str, float]]:
    """Light -> its movements of vehicles with their signals; and the free travel time of every road [s]."""
    moves: dict[str, dict[Move, list[int]]] = {}
    seconds: dict[str, float] = {}
    for element in elements(net, "edge", "connection"):
        get = element.attrib.get
        if element.tag == "edge":
            if get("function", "normal") == "normal":
                times = [float(lane.get("length")) / float(lane.get("speed")) for lane in element.iter("lane")]
                seconds[element.attrib["id"]] = min(times)
        elif get("tl") and get("from") in seconds and get("to") in seconds:
            signals = moves.setdefault(get("tl"), {}).setdefault((get("from"), get("to")), [])
            signals.append(int(get("linkIndex")))
    return moves, seconds


def _reds(path: Path, moves: Mapping[str, Mapping[Move, list[int]]], end: float) -> dict[tuple[str, Move], Floats]:
    """The reds of every movement (n, 2) [s]."""
    times: dict[str, list[float]] = {}
    letters: dict[str, list[str]] = {}
    for _event, element in etree.iterparse(str(path), tag="tlsState"):
        light = element.attrib["id"]
        times.setdefault(light, []).append(float(element.attrib["time"]))
        letters.setdefault(light, []).append(element.attrib["state"])
        element.clear()
    found = {}
    for light, of_light in moves.items():
        if light not in times:
            continue
        at = np.array([*times[light], end])
        for move, signals in of_light.items():
            red = np.array([all(state[i] in RED for i in signals) for state in letters[light]])
            steps = np.diff(np.concatenate([[0], red.astype(np.int8), [0]]))
            found[light, move] = np.column_stack([at[steps > 0], at[steps < 0]])
    return found


def _waits(path: Path, wanted: set[Move], seconds: Mapping[str, float]) -> dict[Move, tuple[Floats, Floats]]:
    """Movement -> when each of its vehicles could have been at the stop line, and when it crossed it (m,) [s]."""
    found: dict[Move, list[tuple[float, float]]] = {}
    for _event, vehicle in etree.iterparse(str(path), tag="vehicle"):
        route = vehicle.find("route")
        if route is not None:
            edges = route.attrib["edges"].split()
            left = [float(time) for time in route.attrib.get("exitTimes", "").split()]
            entered = float(vehicle.attrib["depart"])
            for here, there, leaves in zip(edges, edges[1:], left, strict=False):
                if (here, there) in wanted:
                    crossed = leaves if leaves >= 0 else np.inf
                    found.setdefault((here, there), []).append((entered + seconds[here], crossed))
                if leaves < 0:
                    break
                entered = leaves
        vehicle.clear()
        while vehicle.getprevious() is not None:
            del vehicle.getparent()[0]
    return {move: (np.array(pairs)[:, 0], np.array(pairs)[:, 1]) for move, pairs in found.items()}
