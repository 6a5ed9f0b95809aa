"""Who gave way and still stands on the junction is not shut in by the next stage."""

from __future__ import annotations

import numpy as np

from signalwright.core.shutin import AMBER, CROWDED, ESCAPE, GAVE_WAY_FOR, HOLD, JAMMED, ShutIn
from signalwright.core.state import TrafficState

THROUGH, LEFTS, CROSS = range(3)
GREEN = np.array([[True, True, False], [False, True, False], [False, False, True]])
GIVES_WAY = np.array([[False, True, False], [False, False, False], [False, False, False]])
"""Groups straight, left, crossing; the lefts give way to those straight on, then are alone, then those from the side go."""
SHORT = np.full((3, 3), 3.0)
ANY_CHANGE = np.ones((3, 3), dtype=np.bool_)


def _forbidden(shut_in: ShutIn, stage: int, elapsed: float, inside: float) -> list[int]:
    nobody = np.zeros(0)
    state = TrafficState(None, 0.0, stage, False, elapsed, *[nobody] * 13)  # type: ignore[arg-type]
    state.inside = inside
    skip = np.array([0, 1, 0], dtype=np.int32)
    shut_in.forbid(state, skip)
    return [int(value) for value in skip]


def test_some_on_the_junction_are_waited_for_but_not_for_ever() -> None:
    """The side road waits while left turners stand on the junction, until the green is long enough for them to have gone."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    assert shut_in.lets_out.tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert _forbidden(shut_in, THROUGH, HOLD - 1.0, CROWDED) == [0, 1, 2]
    assert _forbidden(shut_in, THROUGH, HOLD, CROWDED) == [0, 1, 0]
    assert _forbidden(shut_in, LEFTS, 0.0, CROWDED) == [0, 1, 0]


def test_many_on_the_junction_are_let_out_first() -> None:
    """A junction full of left turners gets their own stage, though no loop calls for it, before the side road."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, JAMMED) == [0, 0, 2]
    no_lefts = ANY_CHANGE & (np.arange(3) != LEFTS)
    assert _forbidden(ShutIn(GREEN, GIVES_WAY, no_lefts, SHORT), THROUGH, 2.0 * HOLD, JAMMED) == [0, 1, 0]


def test_who_is_counted_on_an_empty_junction_was_miscounted() -> None:
    """After the lefts had green to themselves the junction is empty, whatever the loops add up to."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    assert _forbidden(shut_in, LEFTS, 10.0, JAMMED) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, JAMMED) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, 2.0 * JAMMED) == [0, 0, 2]
    assert _forbidden(shut_in, THROUGH, 0.0, 0.0) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, JAMMED) == [0, 0, 2]


def test_who_had_to_give_way_is_waited_for_before_he_is_missed_behind_the_junction() -> None:
    """Left turners who went onto the junction against a dense flow count for twelve seconds or until the stage is over."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    shut_in.second(THROUGH, 1.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 5.0, 0.0) == [0, 1, 0]
    shut_in.second(THROUGH, CROWDED - 1.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 6.0, 0.0) == [0, 1, 2]
    for _ in range(GAVE_WAY_FOR - 2):
        shut_in.second(THROUGH, 0.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 16.0, 0.0) == [0, 1, 2]
    shut_in.second(THROUGH, 0.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 17.0, 0.0) == [0, 1, 0]
    shut_in.second(THROUGH, CROWDED, 1.0)
    shut_in.second(LEFTS, 0.0, 1.0)
    shut_in.second(THROUGH, 0.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 2.0, 0.0) == [0, 1, 0]


def test_where_loops_cannot_tell_who_gave_way_counts_until_he_finds_a_gap() -> None:
    """Without loops to be believed those who had to give way stand there until the gaps have let them through or the lefts are alone."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    shut_in.second(THROUGH, CROWDED + 0.5, 0.0)
    for t in range(2 * GAVE_WAY_FOR):
        assert _forbidden(shut_in, THROUGH, float(t), np.nan) == [0, 1, 2 if t < HOLD else 0]
        shut_in.second(THROUGH, 0.0, 0.5 / 2 / GAVE_WAY_FOR)
    shut_in.second(THROUGH, 0.0, 0.25)
    assert _forbidden(shut_in, THROUGH, 6.0, np.nan) == [0, 1, 0]
    shut_in.second(THROUGH, CROWDED, 0.0)
    shut_in.second(LEFTS, 0.0, 0.0)
    assert _forbidden(shut_in, THROUGH, 2.0, np.nan) == [0, 1, 0]


def test_who_stands_half_over_the_stop_line_counts() -> None:
    """One who stands behind left turners over the stop line goes on in the next stage: he is waited for together with one of them."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    shut_in.second(THROUGH, 0.0, 0.0, 1)
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED - 1.0) == [0, 1, 2]
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED - 1.5) == [0, 1, 0]
    shut_in.second(THROUGH, 0.0, 0.0, 0)
    assert _forbidden(shut_in, THROUGH, 6.0, CROWDED - 1.0) == [0, 1, 0]


def test_who_gets_away_in_a_long_intergreen_is_not_waited_for() -> None:
    """Where the side road's green begins late, as many fewer are shut in as get away before it does."""
    late = SHORT.copy()
    late[1, 2] = AMBER + 2.0
    shut_in, more = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, late), 2.0 * ESCAPE
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED + more) == [0, 1, 2]
