"""What a batch shows: each cell's arms with their intervals, the differences from the baseline, and ranks over maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import ResultError
from ..core.messages import _
from .batch import BatchDirectory
from .spec import BatchSpec
from .statistics import Arm, Comparison, Ranking, compare_arms, describe, gridlocks, rank_over_maps

HEADLINE = "delay"
METRICS = (
    "delay",
    "p95_delay",
    "trip_time",
    "waiting_time",
    "stops",
    "depart_delay",
    "pedestrian_delay",
    "longest_red",
)
"""Lower is better in all of them."""
COUNTS = ("scheduled", "inserted", "arrived", "teleports", "collisions", "emergency_brakings")
"""Told beside every result, as means over seeds."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario at one timing and scale, all arms with the same seeds.

    arms         metric -> one entry for each arm that has results, in the order of the batch
    comparisons  metric -> every other arm against the baseline; empty where the baseline has no results
    counts       arm -> {count: mean over seeds}
    """

    scenario: str
    timing: str
    scale: float
    begin: float
    end: float
    arms: dict[str, list[Arm]]
    comparisons: dict[str, list[Comparison]]
    counts: dict[str, dict[str, float]]

    @property
    def name(self) -> str:
        """Scenario, timing and scale in a few words."""
        return _("{scenario}, {timing} timing, demand x {scale:g}").format(
            scenario=self.scenario, timing=self.timing, scale=self.scale
        )

    def comparison(self, arm: str, metric: str = HEADLINE) -> Comparison | None:
        """The arm against the baseline; None for the baseline itself."""
        return next((found for found in self.comparisons.get(metric, ()) if found.arm == arm), None)


@dataclass(frozen=True)
class Summary:
    """A batch in numbers. `runs` has one row for each run; `missing` runs of the batch have no result."""

    directory: Path
    spec: BatchSpec
    baseline: str
    cells: list[Cell]
    ranking: Ranking
    runs: pl.DataFrame
    missing: int

    @property
    def ranks(self) -> dict[str, float]:
        """Mean rank of each arm over the maps; none where there is only one map, or one arm."""
        ranks = self.ranking.mean_ranks
        return ranks if len(self.cells) > 1 and len(ranks) > 1 else {}

    @property
    def most_memory(self) -> float:
        """The most that a process took in any run [MiB]."""
        return float(self.runs["peak_mib"].max() or 0.0) if "peak_mib" in self.runs.columns else 0.0  # type: ignore[arg-type]

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before he believes the tables, each thing once."""
        said = []
        if self.missing:
            said.append(_("{n} runs of this batch have no result yet, or failed").format(n=self.missing))
        if not self.spec.jitter and len(self.spec.scales) == 1:
            said.append(
                _(
                    "the demand is the same in every seed: intervals cover the drivers' chance alone; vary it with jitter or scales"
                )
            )
        if seen := sorted(name for name, arm in self.spec.arms.items() if arm.view == "full"):
            said.append(_("full view, every vehicle seen, as no road has it: {arms}").format(arms=", ".join(seen)))
        teleports = sum(counts["teleports"] for cell in self.cells for counts in cell.counts.values())
        if teleports:
            said.append(_("vehicles were teleported out of jams: delays are too low by what they would have waited"))
        return said


def summarise(directory: Path, baseline: str | None = None, metrics: Sequence[str] = METRICS) -> Summary:
    """Read a batch directory. `baseline` takes the place of the batch's own. Raises ResultError, also where nothing is
    finished."""
    batch = BatchDirectory(directory)
    description = batch.description()
    spec = BatchSpec.model_validate(description["spec"])
    keys: list[str] = description["keys"]
    runs = batch.rows(keys)
    if runs.is_empty():
        raise ResultError(_("{path}: no run of this batch is finished; nothing to report").format(path=directory))
    return summary_of(runs, spec, directory, baseline, metrics, len(keys) - len(runs))


def summary_of(
    runs: pl.DataFrame,
    spec: BatchSpec,
    directory: Path,
    baseline: str | None = None,
    metrics: Sequence[str] = METRICS,
    missing: int = 0,
) -> Summary:
    """The summary of runs, one row each, of a batch that lies in `directory`. Raises ResultError for an unknown baseline."""
    base = baseline or spec.base
    if base not in spec.arm_names:
        raise ResultError(
            _("{arm!r} is no arm of this batch; it has {arms}").format(arm=base, arms=", ".join(spec.arm_names))
        )
    order = ["scenario", "timing", "scale", "begin", "end"]
    cells = [
        _cell(dict(zip(order, place, strict=True)), rows, spec, base, metrics)
        for place, rows in runs.group_by(order, maintain_order=True)
    ]
    means = {cell.name: {arm.name: arm.mean for arm in cell.arms[HEADLINE]} for cell in cells}
    return Summary(directory, spec, base, cells, rank_over_maps(means), runs, missing)


def _cell(place: dict[str, Any], rows: pl.DataFrame, spec: BatchSpec, base: str, metrics: Sequence[str]) -> Cell:
    names = [name for name in spec.arm_names if name in set(rows["controller"])]
    of_arm = {name: rows.filter(controller=name).sort("seed") for name in names}
    locks = {name: gridlocks(_by_seed(table, HEADLINE), _stuck(table)) for name, table in of_arm.items()}
    arms, comparisons = {}, {}
    for metric in metrics:
        if metric not in rows.columns or (metric != HEADLINE and not (rows[metric] > 0).any()):
            continue
        values = {name: _by_seed(table, metric) for name, table in of_arm.items()}
        arms[metric] = [describe(name, values[name], locks[name]) for name in names]
        comparisons[metric] = compare_arms(values, base, locks) if base in values else []
    counts = {name: {count: float(table[count].mean() or 0.0) for count in COUNTS} for name, table in of_arm.items()}  # type: ignore[arg-type]
    return Cell(**place, arms=arms, comparisons=comparisons, counts=counts)


def _by_seed(table: pl.DataFrame, metric: str) -> dict[int, float]:
    return dict(zip(table["seed"].to_list(), table[metric].cast(pl.Float64).to_list(), strict=True))


def _stuck(table: pl.DataFrame) -> set[int]:
    """The seeds in which nothing got out any more at the end; runs of older versions do not tell."""
    return set(table.filter(pl.col("stuck") > 0)["seed"]) if "stuck" in table.columns else set()
