"""The figures of a report, each as SVG and PNG: the same data give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ..core.messages import _
from .statistics import Arm, Comparison

STYLE: Any = {
    "svg.hashsalt": "signalwright",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "figure.constrained_layout.use": True,
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#777777", "#000000")
"""Told apart by the colour-blind too (Okabe and Ito)."""
BINS = (300.0, 120.0, 60.0, 30.0)
"""Delay over time is drawn in bins of this long [s], the first of which there are `ENOUGH`."""
ENOUGH = 8
DPI = 160
"""Of the pixels."""
MANY = 4000
"""More lanes than this are drawn as pixels within the figure, not as lines."""


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        yield figure, figure.add_subplot()


class Drawing(NamedTuple):
    """A figure, as lines and as pixels."""

    svg: str
    png: bytes


def _drawing(figure: Figure) -> Drawing:
    lines, pixels = io.StringIO(), io.BytesIO()
    figure.set_dpi(DPI)
    with mpl.rc_context(STYLE):  # the canvases themselves: `savefig` would lay everything out four times
        FigureCanvasAgg(figure).print_png(pixels, metadata={"Software": None})  # type: ignore[no-untyped-call]
        figure.set_layout_engine("none")  # where things lie is known by now
        nothing = dict.fromkeys(("Date", "Creator", "Type", "Format"))
        FigureCanvasSVG(figure).print_svg(lines, metadata=nothing)  # type: ignore[no-untyped-call]
    text = lines.getvalue()
    return Drawing(text[text.index("<svg") :], pixels.getvalue())


def colour(arms: Sequence[str], arm: str) -> str:
    """The colour an arm has in every figure."""
    return COLOURS[list(arms).index(arm) % len(COLOURS)]


def intervals(arms: Sequence[Arm], unit: str) -> Drawing:
    """Mean and interval of every arm, with each seed's worst as a small mark."""
    with _figure(6.4, 0.7 + 0.34 * len(arms)) as (figure, axes):
        names = [arm.name for arm in arms]
        for row, arm in enumerate(arms):
            shade = colour(names, arm.name)
            axes.plot(
                [arm.interval.low, arm.interval.high], [row, row], color=shade, lw=5, alpha=0.35, solid_capstyle="butt"
            )
            axes.plot(arm.mean, row, "o", color=shade)
            axes.plot(arm.worst, row, "|", color=shade, ms=9)
        axes.set_yticks(range(len(arms)), names)
        axes.set_ylim(len(arms) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel(_("mean with its 95 % interval, | worst seed [{unit}]").format(unit=unit))
        return _drawing(figure)


def differences(found: Sequence[Comparison], unit: str) -> Drawing:
    """Difference of every arm from the baseline, with its interval."""
    with _figure(6.4, 0.7 + 0.34 * len(found)) as (figure, axes):
        for row, one in enumerate(found):
            axes.plot(
                [one.interval.low, one.interval.high],
                [row, row],
                color="#0072b2",
                lw=5,
                alpha=0.35,
                solid_capstyle="butt",
            )
            axes.plot(one.difference, row, "o", color="#0072b2")
        axes.axvline(0, color="black", lw=1)
        axes.set_yticks(range(len(found)), [one.arm for one in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlabel(
            _("difference from {baseline} {unit}; to the left is better").format(baseline=found[0].baseline, unit=unit)
        )
        return _drawing(figure)


def distribution(delays: Mapping[str, Sequence[pl.Series]]) -> Drawing:
    """How many vehicles have at most so much delay: one thin line for each seed, {arm: delays of each seed [s]}."""
    with _figure(6.4, 3.0) as (figure, axes):
        longest = 1.0
        for arm, seeds in delays.items():
            for k, seed in enumerate(seeds):
                values = np.sort(seed.to_numpy())
                longest = max(longest, float(np.quantile(values, 0.98)))
                share = (np.arange(len(values)) + 1) / len(values)
                thin = np.unique(np.linspace(0, len(values) - 1, 200).astype(int))
                axes.plot(
                    values[thin],
                    100 * share[thin],
                    color=colour(list(delays), arm),
                    lw=0.8,
                    alpha=0.7,
                    label=None if k else arm,
                )
        axes.set_xlim(0, longest)
        axes.set_ylim(0, 100)
        axes.set_xlabel(_("delay of a vehicle [s]"))
        axes.set_ylabel(_("vehicles with at most this [%]"))
        axes.legend(frameon=False, loc="lower right")
        return _drawing(figure)


def over_time(bins: Mapping[str, pl.DataFrame]) -> Drawing:
    """Mean delay of the vehicles that wanted to start in each bin of time, with the range over seeds.

    {arm: columns time (from the first bin's beginning to the bin's middle) [s], low, mean, high [s/veh]}
    """
    with _figure(6.4, 2.8) as (figure, axes):
        for arm, table in bins.items():
            minutes = table["time"] / 60
            shade = colour(list(bins), arm)
            axes.plot(minutes, table["mean"], color=shade, label=arm)
            axes.fill_between(minutes, table["low"], table["high"], color=shade, alpha=0.2, lw=0)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(_("when the vehicle wanted to start [min]"))
        axes.set_ylabel(_("delay [s/veh]"))
        figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=4)
        return _drawing(figure)


def in_bins(trips: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The table `over_time` draws, from the trips of each seed; bins are as fine as the window is short."""
    when = pl.concat([table["scheduled"] for table in trips])
    first, last = float(when.min() or 0.0), float(when.max() or 0.0)  # type: ignore[arg-type]
    width = next((width for width in BINS if last - first >= ENOUGH * width), BINS[-1])
    begin = first // width * width
    of_seed = [
        table.select(
            time=(((pl.col("scheduled") - begin) / width).floor() + 0.5) * width,
            delay=pl.col("time_loss") + pl.col("depart_delay"),
        )
        .group_by("time")
        .agg(pl.col("delay").mean())
        for table in trips
    ]
    joined = (
        pl.concat(of_seed)
        .group_by("time")
        .agg(low=pl.col("delay").min(), mean=pl.col("delay").mean(), high=pl.col("delay").max())
    )
    return joined.sort("time")


def bars(values: Mapping[str, Mapping[str, float]], unit: str) -> Drawing:
    """One group of bars for each light, one bar for each arm: {arm: {light: value}}."""
    arms, lights = list(values), list(next(iter(values.values())))
    with _figure(6.4, 0.8 + (0.12 + 0.16 * len(arms)) * len(lights)) as (figure, axes):
        height = 0.8 / len(arms)
        for k, arm in enumerate(arms):
            places = [row + (k - (len(arms) - 1) / 2) * height for row in range(len(lights))]
            axes.barh(places, [values[arm][light] for light in lights], height, color=colour(arms, arm), label=arm)
        axes.set_yticks(range(len(lights)), lights)
        axes.invert_yaxis()
        axes.set_xlabel(unit)
        figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=4)
        return _drawing(figure)


Shape = Sequence[tuple[float, float]]


def network(shapes: Mapping[str, Shape], values: Mapping[str, float], lights: Shape, top: float, title: str) -> Drawing:
    """The lanes of a net, coloured by value; lanes without one are grey. `top` is the value of the deepest colour."""
    with _figure(6.4, 5.2) as (figure, axes):
        grey = [shape for lane, shape in shapes.items() if lane not in values]
        ranked = sorted((value, lane) for lane, value in values.items() if lane in shapes)
        raster = len(shapes) > MANY
        axes.add_collection(LineCollection(grey, colors="#cccccc", linewidths=0.6, rasterized=raster))
        lines = LineCollection(
            [shapes[lane] for _value, lane in ranked], linewidths=2.0, cmap="YlOrRd", rasterized=raster
        )
        lines.set_array(np.array([value for value, _lane in ranked]))
        lines.set_clim(0, top)
        axes.add_collection(lines)
        if lights:
            xs, ys = zip(*lights, strict=True)
            axes.plot(xs, ys, "s", ms=3, color="#0072b2")
        axes.autoscale_view()
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
        bar: Any = figure.colorbar(lines, ax=axes, shrink=0.6)
        bar.set_label(_("time lost on the lane [s/veh]"))
        return _drawing(figure)
