"""Where the time is lost: SUMO's lane output of a run, lane by lane."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import polars as pl
from lxml import etree

from ..core.errors import ResultError

LANE_SCHEMA: dict[str, type[pl.DataType]] = {
    "edge": pl.String,
    "lane": pl.String,
    "vehicles": pl.Int64,  # that came onto the lane or started on it
    "time_loss": pl.Float64,  # of all of them together, against free flow [s]
    "waiting_time": pl.Float64,  # of all of them together, standing [s]
    "density": pl.Float64,  # mean [veh/km]
    "speed": pl.Float64,  # mean, null where nobody was [m/s]
}


def read_lanes(path: Path) -> pl.DataFrame:
    """One row for each lane in SUMO's lanedata output. Raises ResultError if the file is missing or broken."""
    rows = []
    try:
        for _event, edge in etree.iterparse(str(path), tag="edge"):
            for lane in edge.iter("lane"):
                get = lane.attrib.get
                rows.append(
                    (
                        edge.attrib["id"],
                        lane.attrib["id"],
                        int(get("entered", 0)) + int(get("departed", 0)),
                        float(get("timeLoss", 0)),
                        float(get("waitingTime", 0)),
                        float(get("laneDensity", get("density", 0))),
                        float(get("speed")) if get("speed") else None,
                    )
                )
            edge.clear()
    except (OSError, etree.XMLSyntaxError, KeyError, ValueError) as error:
        raise ResultError(_("{path}: no usable lane output of SUMO: {error}").format(path=path, error=error)) from error
    return pl.DataFrame(rows, schema=LANE_SCHEMA, orient="row")
