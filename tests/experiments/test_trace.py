"""The picture of one light: what is collected for it, and that it is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from signalwright.cli import app
from signalwright.core.errors import ResultError
from signalwright.experiments.run import run_once
from signalwright.experiments.spec import RunSpec
from signalwright.experiments.trace import AHEAD, Trace


def test_what_is_collected() -> None:
    """Every second is there with its stage and queues; what came adds up to the vehicles counted away and those still waiting."""
    trace = Trace("cross")
    run_once(RunSpec("cross", "adaptive", end=300.0), observe=trace)
    n = len(trace.time)
    assert n >= 299
    assert (np.diff(trace.time) == 1.0).all()
    assert set(trace.stage) >= {0, 2}
    assert trace.queue.shape == (n, len(trace.approaches))
    assert sorted(name.split(".")[0] for name in trace.approaches) == ["east", "north", "south", "west"]
    came, expected = trace.came[:-AHEAD], trace.expected[:-AHEAD]
    assert np.isnan(trace.came[-AHEAD:]).all()
    assert np.corrcoef(came, expected)[0, 1] > 0.6
    assert abs(came.mean() / expected.mean() - 1.0) < 0.2


def test_a_picture_of_the_command(tmp_path: Path) -> None:
    """`run --explain LIGHT --picture` writes the file, and nothing else; SVG text names stages, approaches and both curves."""
    answer = CliRunner().invoke(
        app, ["run", "cross", "-e", "120", "--explain", "cross", "--picture", str(tmp_path / "there" / "cross.svg")]
    )
    assert answer.exit_code == 0, answer.output
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["cross.svg"]
    assert (tmp_path / "there" / "cross.svg").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--picture", "a.png"], "--explain LIGHT"), (["--explain", "cross", "--picture", "a.bmp"], ".png, .svg, .pdf")],
)
def test_refused(words: list[str], said: str) -> None:
    """A picture of no light, or of a kind that cannot be drawn, is refused before anything is simulated."""
    answer = CliRunner().invoke(app, ["run", "cross", "-e", "60", *words])
    assert answer.exit_code != 0
    assert isinstance(answer.exception, Exception)
    assert said in str(answer.exception)


def test_a_light_without_control(tmp_path: Path) -> None:
    """A light that was not under control leaves no file and says so."""
    with pytest.raises(ResultError, match="nowhere was not under control"):
        Trace("nowhere").draw(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
