"""Where time is lost: at which lights, on which of their approach lanes, and where on the map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from ..networks.light import Light
from ..networks.netfile import read_lights
from ..networks.roadnet import load_net
from ..networks.scenario import read_scenario


@dataclass(frozen=True)
class Places:
    """The lights and lanes of a scenario."""

    source: Path

    @cached_property
    def lights(self) -> dict[str, Light]:
        """Light by name."""
        return read_lights(read_scenario(self.source))

    @cached_property
    def shapes(self) -> dict[str, list[tuple[float, float]]]:
        """Lane -> its line on the map [m], without the lanes inside junctions."""
        net: Any = load_net(read_scenario(self.source).net)
        return {
            lane.getID(): [(x, y) for x, y in lane.getShape()]
            for edge in net.getEdges(False)
            for lane in edge.getLanes()
        }

    @cached_property
    def spots(self) -> list[tuple[float, float]]:
        """Where each light stands: the mean of its approach lanes' ends [m]."""
        found = []
        for light in self.lights.values():
            ends = [self.shapes[lane.name][-1] for lane in light.intersection.lanes if lane.name in self.shapes]
            if ends:
                found.append((sum(x for x, _y in ends) / len(ends), sum(y for _x, y in ends) / len(ends)))
        return found

    def movements(self, light: str) -> dict[str, str]:
        """Approach lane of a light -> names of the movements it serves."""
        served: dict[str, list[str]] = {lane.name: [] for lane in self.lights[light].intersection.lanes}
        for movement in self.lights[light].intersection.movements:
            for lane in movement.lanes:
                if lane in served:
                    served[lane].append(movement.name)
        return {lane: ", ".join(names) for lane, names in served.items()}


def mean_lanes(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Vehicles and time lost [s] of each lane, as means over the runs, and the time lost by each vehicle [s/veh]."""
    summed = pl.concat(tables).group_by("lane").agg(pl.col("vehicles", "time_loss").sum() / len(tables))
    return summed.with_columns(each=pl.col("time_loss") / pl.col("vehicles").clip(1.0)).sort("lane")


def by_light(lanes: pl.DataFrame, lights: Mapping[str, Light]) -> dict[str, float]:
    """Light -> time lost on its approach lanes by each vehicle that used them [s/veh]."""
    return {name: _each(lanes, [lane.name for lane in light.intersection.lanes]) for name, light in lights.items()}


def _each(lanes: pl.DataFrame, names: Iterable[str]) -> float:
    chosen = lanes.filter(pl.col("lane").is_in(list(names)))
    vehicles = float(chosen["vehicles"].sum())
    return float(chosen["time_loss"].sum()) / vehicles if vehicles else 0.0
