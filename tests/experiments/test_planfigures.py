"""Figures of a plan: what is written can be read, and bands are spoken of as they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from signalwright.experiments.planfigures import _said_of_bands, _slope
from signalwright.experiments.timespace import Street


@pytest.mark.parametrize("degrees", range(-180, 181, 15))
def test_nothing_is_written_upside_down(degrees: int) -> None:
    """Along any line, in whichever direction it is drawn, letters stand upright or lie on their back at most."""
    end = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    assert -90.0 <= round(_slope(np.array([[0.0, 0.0], end])), 6) <= 90.0


@pytest.mark.parametrize(
    ("out", "back", "words"),
    [(21.4, 17.0, "Bands of 21 / 17 s"), (0.0, 0.2, "No band: at the speed limit"), (None, None, "different cycles")],
)
def test_bands_are_spoken_of_as_they_are(out: float | None, back: float | None, words: str) -> None:
    """Their widths, that there is none, or that there can be none."""
    bands = [None if width is None else SimpleNamespace(width=width) for width in (out, back)]
    assert words in _said_of_bands(cast(Street, SimpleNamespace(band_out=bands[0], band_back=bands[1])))
