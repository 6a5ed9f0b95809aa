"""Gridlock: vehicles that no longer get out, told from the trips of a run alone."""

from __future__ import annotations

import polars as pl

SPAN = 600.0
"""The last seconds of a run that tell whether traffic still gets out, and the length of those it is compared with [s]."""
COLLAPSED = 0.5
"""Share of the best throughput below which, with a queue that stays, nothing moves any more."""
USUAL = 5.0
"""Mean trips at free flow that clearing what is left may take, besides a span, before it is no usual queue."""


def time_to_clear(vehicles: pl.DataFrame, end: float, span: float = SPAN) -> float:
    """How long what is left at `end` [s] would need to get out at the rate of the last `span` [s]."""
    arrived = vehicles["arrival"].drop_nulls()
    return (len(vehicles) - len(arrived)) * span / max(1, int((arrived > end - span).sum()))


def locked(vehicles: pl.DataFrame, end: float) -> bool:
    """Whether the run ended in a gridlock: far fewer arrive than did before, though many are still to.

    `vehicles` as in metrics.TRIP_SCHEMA. A queue that only grows because demand is above capacity is none, as throughput stays what it was;
    nor is traffic that ebbs, as it soon clears.
    """
    arrived = vehicles["arrival"].drop_nulls()
    begin = float(vehicles["scheduled"].min() or 0.0)  # type: ignore[arg-type]
    span = min(SPAN, (end - begin) / 3.0)
    if span <= 0.0 or len(vehicles) == 0:
        return False
    done = vehicles.filter(pl.col("arrival").is_not_null())
    free = float((done["duration"] - done["time_loss"]).mean() or 0.0)  # type: ignore[arg-type]
    if time_to_clear(vehicles, end, span) <= span + USUAL * free:
        return False
    times = arrived.to_numpy()
    steps = int((end - begin) // span)
    rates = [int(((times > end - (k + 1) * span) & (times <= end - k * span)).sum()) for k in range(steps)]
    return rates[0] < COLLAPSED * max(rates)
