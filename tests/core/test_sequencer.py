"""The sequencer: whatever is wished, the lamps stay lawful."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker import Judge
from signalwright.core.aspects import MAY_FOLLOW, Aspect
from signalwright.core.errors import SiteError
from signalwright.core.intersection import GroupKind, Intersection, SignalGroup, Stage
from signalwright.core.ports import Refusal
from signalwright.core.sequencer import Sequencer
from strategies import mad_wishes, sites
from torture import torture


def crossroads(**changes: object) -> Intersection:
    """Two roads, A and C against B and D, 4 s of intergreen."""
    conflict = np.zeros((4, 4), dtype=bool)
    for i, j in ((0, 1), (0, 3), (2, 1), (2, 3)):
        conflict[i, j] = conflict[j, i] = True
    arguments: dict[str, object] = {
        "groups": tuple(SignalGroup(name, ()) for name in "ABCD"),
        "stages": (Stage("main", frozenset("AC")), Stage("side", frozenset("BD"))),
        "conflict": conflict,
        "yields": np.zeros((4, 4), dtype=bool),
        "intergreen": np.where(conflict, 4.0, 0.0),
    }
    return Intersection("crossroads", **(arguments | changes))  # type: ignore[arg-type]


def shown(sequencer: Sequencer) -> str:
    return "".join("RuGyo-"[a] for a in sequencer.aspects)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_site_any_controller(data: st.DataObject) -> None:
    """No wish sequence on any lawful site makes the lamps break a rule, tick by tick."""
    site = data.draw(sites())
    sequencer = Sequencer(site)
    judge = Judge(site)
    for wish, ticks, calls in data.draw(mad_wishes(site)):
        sequencer.grant(wish, calls)
        judge.see(sequencer.aspects.tolist(), calls)
        for _ in range(ticks - 1):
            sequencer.elapse(1)
            sequencer.grant(None, calls)
            judge.see(sequencer.aspects.tolist(), calls)
        sequencer.elapse(1)
    assert judge.breaches == []


def test_a_million_random_ticks() -> None:
    """10^6 ticks of mad wishes on random sites, held against the judge's arrays: not one breach."""
    assert torture(1_000_000, seed=1) == []


def test_whole_seconds_equal_single_ticks() -> None:
    """Elapsing ten ticks at once shows at each second what ten single ticks show."""
    rng = np.random.default_rng(5)
    once, slow = Sequencer(crossroads()), Sequencer(crossroads())
    for _ in range(2000):
        wish = int(rng.integers(-1, 3))
        assert once.grant(wish) == slow.grant(wish)
        assert once.aspects.tolist() == slow.aspects.tolist()
        once.elapse(10)
        for tick in range(10):
            slow.elapse(1)
            if tick < 9:
                slow.grant(None, [False] * 4)
        assert once.complete == slow.complete


def test_change_as_in_the_book() -> None:
    """Main to side takes 3 s of amber, 1 s of all red, then green: the interstage of 4 s."""
    sequencer = Sequencer(crossroads())
    for _ in range(20):
        sequencer.grant(0)
        sequencer.elapse()
    seen = []
    for _ in range(6):
        sequencer.grant(1)
        seen.append(shown(sequencer))
        sequencer.elapse()
    assert seen == ["yRyR", "yRyR", "yRyR", "RRRR", "RGRG", "RGRG"]


def test_refusals_name_the_reason() -> None:
    """An unknown stage, a change on the way and a barred change each have their own answer."""
    sequencer = Sequencer(crossroads())
    assert sequencer.grant(7) is Refusal.UNKNOWN_STAGE
    assert sequencer.grant(-5) is Refusal.UNKNOWN_STAGE
    assert sequencer.grant(0) is Refusal.NONE
    sequencer.elapse()
    assert sequencer.grant(1) is Refusal.IN_INTERSTAGE
    stages = (*crossroads().stages, Stage("left", frozenset("A")))
    barred = Sequencer(crossroads(stages=stages, barred=frozenset({("main", "left")})))
    for _ in range(12):
        barred.grant(0)
        barred.elapse()
    assert barred.grant(2) is Refusal.BARRED


def test_the_shadow_changes_nothing() -> None:
    """Asking what would be granted leaves the sequencer as it was."""
    sequencer = Sequencer(crossroads())
    before = sequencer.aspects.tolist(), sequencer.stage, sequencer.complete
    assert sequencer.would_grant(1) is Refusal.NONE
    assert (sequencer.aspects.tolist(), sequencer.stage, sequencer.complete) == before


def test_longest_red_is_forced_to_the_tick() -> None:
    """A controller that never lets the side road go is overruled so that its red lasts exactly 120 s."""
    sequencer = Sequencer(crossroads())
    red = 0
    forced = False
    for _ in range(3000):
        forced = forced or sequencer.forced
        sequencer.grant(0)
        red = red + 1 if sequencer.aspects[1] != Aspect.GREEN else 0
        assert red <= 1200
        sequencer.elapse(1)
    assert forced


def test_longest_red_holds_where_red_amber_outlasts_the_intergreen() -> None:
    """2 s of red-amber after 1.1 s of intergreen: who stands in the way goes early enough for a green forced to the tick."""
    groups = (
        SignalGroup("walk", (), GroupKind.PEDESTRIAN, min_green=7.3, amber=0.0, max_red=90.0),
        SignalGroup("road", (), min_green=10.0, amber=5.0, red_amber=2.0, max_red=90.0),
    )
    stages = (Stage("road", frozenset({"road"})), Stage("walk", frozenset({"walk"})))
    conflict = np.array([[False, True], [True, False]])
    site = Intersection("site", groups, stages, conflict, np.zeros((2, 2), bool), np.array([[0.0, 1.1], [5.0, 0.0]]))
    sequencer, judge, greens = Sequencer(site), Judge(site), []
    for tick in range(3000):
        sequencer.grant(1 if tick == 0 else None, [False, True])
        judge.see(sequencer.aspects.tolist(), [False, True])
        greens.append(sequencer.aspects[1] == Aspect.GREEN)
        sequencer.elapse(1)
    assert greens.index(True) == 900
    assert judge.breaches == []
    assert site.ends_after(1, 0)[0] == 0.0
    assert site.starts_after(1, 0)[1] == 2.0


def test_without_calls_nobody_is_forced() -> None:
    """Where nobody calls, a stage may rest green for ever."""
    sequencer = Sequencer(crossroads())
    for _ in range(1000):
        sequencer.grant(0, [False] * 4)
        sequencer.elapse()
    assert shown(sequencer) == "GRGR"


def test_flash_and_back_through_all_red() -> None:
    """From flashing the way back is all red for a whole intergreen, then green."""
    sequencer = Sequencer(crossroads())
    sequencer.grant(0)
    sequencer.elapse(100)
    sequencer.flash()
    assert shown(sequencer) == "oooo"
    assert sequencer.grant(0) is Refusal.NOT_IN_CONTROL
    sequencer.restart()
    seen = []
    for _ in range(6):
        sequencer.grant(0)
        seen.append(shown(sequencer))
        sequencer.elapse()
    assert seen == ["RRRR", "RRRR", "RRRR", "RRRR", "GRGR", "GRGR"]


def test_a_site_that_cannot_keep_its_longest_red_is_refused() -> None:
    """A longest red shorter than a round of the stages is refused with the seconds it takes."""
    groups = tuple(SignalGroup(name, (), max_red=12.0) for name in "ABCD")
    with pytest.raises(SiteError, match=r"group A cannot be served within its longest red of 12.0 s.*takes up to"):
        Sequencer(crossroads(groups=groups))


def test_aspect_table_has_no_way_from_amber_to_green() -> None:
    """The table of what may follow what knows no green straight after amber, flashing or dark."""
    for before in (Aspect.AMBER, Aspect.FLASHING_AMBER, Aspect.DARK):
        assert Aspect.GREEN not in MAY_FOLLOW[before]


def test_traffic_beside_a_clearing_crossing_keeps_its_green() -> None:
    """A crossing needs 12 s to clear, the traffic beside it 4 s: it stays green for the 8 s in which nothing else could start."""
    conflict = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0]], dtype=bool)
    site = Intersection(
        "mill",
        (SignalGroup("main", ()), SignalGroup("walk", (), GroupKind.PEDESTRIAN, amber=0.0), SignalGroup("side", ())),
        (Stage("1", frozenset({"main", "walk"})), Stage("2", frozenset({"side"}))),
        conflict,
        np.zeros((3, 3), dtype=bool),
        np.array([[0, 0, 4], [0, 0, 12], [4, 4, 0]], dtype=float),
    )
    sequencer = Sequencer(site)
    for _ in range(20):
        sequencer.grant(0)
        sequencer.elapse()
    seen = []
    for _ in range(13):
        sequencer.grant(1)
        seen.append(shown(sequencer))
        sequencer.elapse()
    assert seen == ["GRR"] * 8 + ["yRR"] * 3 + ["RRR", "RRG"]
    assert site.ends_after(0, 1).tolist() == [8, 0, 0]
    assert site.starts_after(0, 1).tolist() == [0, 0, 12]
