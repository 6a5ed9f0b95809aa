"""Who gave way and still stands on the junction is not shut in by the next stage."""

from __future__ import annotations

import numpy as np

from signalwright.core.shutin import AMBER, CROWDED, EMPTY_AFTER, ESCAPE, GAVE_WAY_FOR, GOES_ON, HOLD, SETTLES, ShutIn
from signalwright.core.state import TrafficState

THROUGH, LEFTS, CROSS = range(3)
GREEN = np.array([[True, True, False], [False, True, False], [False, False, True]])
GIVES_WAY = np.array([[False, True, False], [False, False, False], [False, False, False]])
"""Groups straight, left, crossing; the lefts give way to those straight on, then are alone, then those from the side go."""
SHORT = np.full((3, 3), AMBER)
ANY_CHANGE = np.ones((3, 3), dtype=np.bool_)
NO_LEFTS = ANY_CHANGE & (np.arange(3) != LEFTS)


def _forbidden(shut_in: ShutIn, stage: int, elapsed: float, inside: float) -> list[int]:
    nobody = np.zeros(0)
    state = TrafficState(None, 0.0, stage, False, elapsed, *[nobody] * 13)  # type: ignore[arg-type]
    state.inside = inside
    skip = np.array([0, 1, 0], dtype=np.int32)
    shut_in.forbid(state, skip)
    return [int(value) for value in skip]


def test_some_on_the_junction_are_waited_for_but_not_for_ever() -> None:
    """Where the lefts have no stage of their own the side road waits while they stand on the junction, but only so long at a time."""
    shut_in = ShutIn(GREEN, GIVES_WAY, NO_LEFTS, SHORT)
    assert shut_in.lets_out.tolist() == [[True, True, False], [True] * 3, [True] * 3]
    for t in range(int(HOLD)):
        assert _forbidden(shut_in, THROUGH, 60.0 + t, CROWDED) == [0, 1, 2 if t < HOLD - 1 else 0]
    for _ in range(SETTLES):
        assert _forbidden(shut_in, THROUGH, 90.0, CROWDED - 1.0) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 91.0, CROWDED) == [0, 1, 2]
    assert _forbidden(shut_in, LEFTS, 0.0, CROWDED) == [0, 1, 0]


def test_who_stands_on_the_junction_is_let_out_first() -> None:
    """A junction full of left turners gets their own stage, though no loop calls for it, before the side road, however long it takes."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    for t in range(3 * int(HOLD)):
        assert _forbidden(shut_in, THROUGH, float(t), CROWDED) == [0, 0, 2]


def test_who_seems_gone_for_a_moment_still_stands_there() -> None:
    """Of the last seconds' counts the greatest is believed: somebody who came out early looks as if one who waits had gone."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED) == [0, 0, 2]
    for _ in range(SETTLES - 1):
        assert _forbidden(shut_in, THROUGH, 6.0, CROWDED - 1.0) == [0, 0, 2]
    assert _forbidden(shut_in, THROUGH, 8.0, CROWDED - 1.0) == [0, 1, 0]


def test_who_is_counted_on_an_empty_junction_was_miscounted() -> None:
    """After the lefts had green to themselves the junction is empty, whatever the loops add up to."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    for _ in range(int(AMBER + EMPTY_AFTER)):
        shut_in.second(LEFTS, 0.0, 0.0)
    assert _forbidden(shut_in, LEFTS, 10.0, CROWDED) == [0, 1, 0]
    shut_in.second(THROUGH, 0.0, 0.0)
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, CROWDED) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, 2.0 * CROWDED) == [0, 0, 2]
    for _ in range(SETTLES):
        _forbidden(shut_in, THROUGH, 0.0, 0.0)
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, CROWDED - 0.1) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 2.0 * HOLD, CROWDED) == [0, 0, 2]


def test_a_green_that_goes_on_does_not_empty_the_junction_at_once() -> None:
    """Lefts who had green before, and now have it alone, still take their seconds to get away."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    for _ in range(int(AMBER)):
        shut_in.second(LEFTS, 0.0, 0.0)
    assert _forbidden(shut_in, LEFTS, 30.0, CROWDED) == [0, 1, 0]
    shut_in.second(THROUGH, 0.0, 0.0)
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED) == [0, 0, 2]


def test_who_had_to_give_way_is_waited_for_before_he_is_missed_behind_the_junction() -> None:
    """Left turners who went onto the junction against a dense flow count for twelve seconds or until the stage is over."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    shut_in.second(THROUGH, 1.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 5.0, 0.0) == [0, 1, 0]
    shut_in.second(THROUGH, CROWDED - 1.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 6.0, 0.0) == [0, 0, 2]
    for t in range(1, GAVE_WAY_FOR - 1 + SETTLES):
        shut_in.second(THROUGH, 0.0, 1.0)
        waits = t < GAVE_WAY_FOR - 1 + SETTLES - 1
        assert _forbidden(shut_in, THROUGH, 6.0 + t, 0.0) == ([0, 0, 2] if waits else [0, 1, 0])
    shut_in.second(THROUGH, CROWDED, 1.0)
    shut_in.second(LEFTS, 0.0, 1.0)
    shut_in.second(THROUGH, 0.0, 1.0)
    assert _forbidden(shut_in, THROUGH, 2.0, 0.0) == [0, 1, 0]


def test_where_loops_cannot_tell_who_gave_way_counts_until_he_finds_a_gap() -> None:
    """Without loops to be believed those who had to give way stand there until the gaps have let them through or the lefts are alone."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    shut_in.second(THROUGH, CROWDED + 0.5, 0.0)
    for t in range(2 * GAVE_WAY_FOR):
        assert _forbidden(shut_in, THROUGH, float(t), np.nan) == [0, 0, 2]
        shut_in.second(THROUGH, 0.0, 0.5 / 2 / GAVE_WAY_FOR)
    for t in range(SETTLES):
        shut_in.second(THROUGH, 0.0, 0.25)
        assert _forbidden(shut_in, THROUGH, 6.0, np.nan) == ([0, 1, 0] if t == SETTLES - 1 else [0, 0, 2])
    shut_in.second(THROUGH, CROWDED, 0.0)
    shut_in.second(LEFTS, 0.0, 0.0)
    assert _forbidden(shut_in, THROUGH, 2.0, np.nan) == [0, 1, 0]


def test_who_stands_half_over_the_stop_line_counts() -> None:
    """One who stands behind left turners over the stop line goes on later than they do: he counts with them, and until he is across."""
    shut_in = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, SHORT)
    shut_in.second(THROUGH, 0.0, 0.0, 1)
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED - 1.5) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED - 1.0) == [0, 0, 2]
    for t in range(GOES_ON - 1 + SETTLES):
        shut_in.second(THROUGH, 0.0, 0.0, 0)
        waits = t < GOES_ON - 1 + SETTLES - 1
        assert _forbidden(shut_in, THROUGH, 6.0, CROWDED - 1.0) == ([0, 0, 2] if waits else [0, 1, 0])


def test_who_gets_away_in_a_long_intergreen_is_not_waited_for() -> None:
    """Where the side road's green begins late, as many fewer are shut in as get away before it does."""
    late = SHORT.copy()
    late[THROUGH, CROSS] = AMBER + 2.0
    shut_in, more = ShutIn(GREEN, GIVES_WAY, ANY_CHANGE, late), 2.0 * ESCAPE
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED) == [0, 1, 0]
    assert _forbidden(shut_in, THROUGH, 5.0, CROWDED + more) == [0, 0, 2]
