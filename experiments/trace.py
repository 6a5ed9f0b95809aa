"""What one light saw and did, second by second, and the picture of it: stages, queues, and arrivals as expected and as they came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import ResultError
from ..core.loop import Junction
from ..core.messages import _
from ..core.ports import Refusal, Wish
from ..core.state import TrafficState

Floats = npt.NDArray[np.float64]

AHEAD = 10
"""Seconds over which arrivals are expected, and then looked back on."""
SUFFIXES = (".png", ".svg", ".pdf")


class Trace:
    """Collects what a light sees; an observer of `core.loop.run`. Rows are seconds, columns approaches by name."""

    def __init__(self, light: str) -> None:
        self.light = light
        self.approaches: list[str] = []
        self.stages: list[str] = []
        self._rows: list[tuple[float, int, bool]] = []
        self._queues: list[Floats] = []
        self._expected: list[float] = []
        self._departed: list[float] = []
        self._of: npt.NDArray[np.bool_] = np.zeros((0, 0), dtype=np.bool_)

    def __call__(self, junction: Junction, state: TrafficState, wish: Wish, refusal: Refusal) -> None:
        """Take down one second of the light asked for; others pass."""
        site = junction.cabinet.intersection
        if site.name != self.light:
            return
        if not self._rows:
            edges = [lane.name.rsplit("_", 1)[0] for lane in site.lanes]
            self.approaches = list(dict.fromkeys(edges))
            self.stages = [stage.name for stage in site.stages]
            self._of = np.array([[edge == name for edge in edges] for name in self.approaches])
        self._rows.append((state.time, state.stage, state.in_interstage))
        self._queues.append(self._of @ state.queue)
        self._expected.append(float(state.arrivals[:, :AHEAD].sum()))
        self._departed.append(float(state.departed.sum()) if len(state.departed) else np.nan)

    @property
    def time(self) -> Floats:
        """(n,) [s]."""
        return np.array([row[0] for row in self._rows])

    @property
    def stage(self) -> npt.NDArray[np.int_]:
        """(n,) row of the stage served or changed to; -1 before the first."""
        return np.array([row[1] for row in self._rows], dtype=np.int_)

    @property
    def queue(self) -> Floats:
        """(n, n_approaches) vehicles."""
        return np.array(self._queues).reshape(len(self._rows), len(self.approaches))

    @property
    def expected(self) -> Floats:
        """(n,) vehicles expected at the stop lines within the next `AHEAD` seconds."""
        return np.array(self._expected)

    @property
    def came(self) -> Floats:
        """(n,) vehicles that then came: those counted away, and the growth of the queues; nan where time ran out."""
        arrived = np.cumsum(self._departed) + self.queue.sum(axis=1)
        found = np.full(len(arrived), np.nan)
        found[:-AHEAD] = arrived[AHEAD:] - arrived[:-AHEAD]
        return found

    def draw(self, path: Path) -> None:
        """Write the picture, as its name ends: .png, .svg or .pdf. Raises ResultError."""
        if not self._rows:
            raise ResultError(
                _("light {light} was not under control, so there is nothing to draw").format(light=self.light)
            )
        figure = self._figure()
        beside = path.with_name(f".{path.stem}.part{path.suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(beside, dpi=150)
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise ResultError(_("{path}: cannot be written: {why}").format(path=path, why=error.strerror)) from error

    def _figure(self) -> Any:
        import matplotlib as mpl
        from matplotlib.figure import Figure

        from .figures import COLOURS, STYLE

        time, stage = self.time, self.stage
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(min(max(len(time) / 90.0, 8.0), 40.0), 6.5))
            above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(1.0, 2.0, 1.4))
            changing = np.array([row[2] for row in self._rows])
            for row in range(len(self.stages)):
                for served, strength in ((stage == row) & ~changing, 1.0), ((stage == row) & changing, 0.35):
                    above.broken_barh(
                        _spans(time, served), (row - 0.4, 0.8), color=COLOURS[row % len(COLOURS)], alpha=strength
                    )
            above.set_yticks(range(len(self.stages)), self.stages)
            above.set_ylabel(_("stage"))
            above.set_title(
                _("{light}: stages (pale: changing, or at their minimum), queues, arrivals").format(light=self.light)
            )
            for k, name in enumerate(self.approaches):
                middle.plot(time, self.queue[:, k], color=COLOURS[k % len(COLOURS)], label=name, lw=1.1)
            middle.set_ylabel(_("vehicles waiting"))
            middle.legend(ncols=6, fontsize=7, loc="upper left")
            below.plot(time, self.expected, color=COLOURS[0], lw=1.1, label=_("expected"))
            below.plot(time, self.came, color=COLOURS[1], lw=1.1, label=_("came"))
            below.set_ylabel(_("vehicles in {n} s").format(n=AHEAD))
            below.set_xlabel(_("time [s]"))
            below.legend(ncols=2, fontsize=7, loc="upper left")
        return figure


def _spans(time: Floats, on: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """(begin, duration) [s] of every run of seconds in which `on` holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
    return [(float(time[a]), float(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def check_picture(path: Path) -> None:
    """Raise ResultError if no picture can be written with that name."""
    if path.suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise ResultError(_("{path}: the name of a picture ends in one of {known}").format(path=path, known=known))
