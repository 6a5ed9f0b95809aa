"""Changes of plan: lawful second by second, and in step afterwards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalwright.core.errors import InputError
from signalwright.core.plan import Plan
from signalwright.core.planning.streets import Light
from signalwright.core.planning.transition import Method, Transition, transition

METHODS: tuple[Method, ...] = ("dwell", "add", "subtract", "shortway")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Light, Plan, Plan, int]:
    """Any light, any two lawful plans for it (orders may differ), any moment."""
    n = draw(st.integers(2, 4))
    table = np.array([[0 if i == j else draw(st.integers(3, 8)) for j in range(n)] for i in range(n)], dtype=float)
    minima = tuple(draw(st.integers(4, 12)) for _ in range(n))
    light = Light("x", tuple("abcd"[:n]), minima, table)
    plans = []
    for name in ("old", "new"):
        order = draw(st.permutations(range(n)))
        greens = tuple(minima[k] + draw(st.integers(1, 40)) for k in order)
        plans.append(Plan(name, tuple(light.stages[k] for k in order), greens, draw(st.integers(0, 150))))
    return light, plans[0], plans[1], draw(st.integers(0, 5000))


def stage_at(light: Light, plan: Plan, time: int) -> tuple[str, bool]:
    """What a plan shows at a second, from its definition."""
    rows = [light.stages.index(s) for s in plan.stages]
    inter = [int(light.interstage[rows[k - 1], rows[k]]) for k in range(len(rows))]
    at = (time - plan.offset) % (sum(inter) + sum(plan.greens))
    for stage, gap, green in zip(plan.stages, inter, plan.greens, strict=True):
        if at < gap + green:
            return stage, at >= gap
        at -= gap + green
    raise AssertionError("time ran out of the cycle")


@given(cases(), st.sampled_from(METHODS))
def test_never_below_a_minimum_and_in_step_afterwards(case: tuple[Light, Plan, Plan, int], method: Method) -> None:
    """Every green is at least its minimum, every interstage whole, nothing is skipped, and the new plan is in step."""
    light, old, new, at = case
    done = transition(light, old, new, at, method)
    for before, step in zip(done.steps, done.steps[1:], strict=False):
        assert step.start == before.end
        i, j = light.stages.index(before.stage), light.stages.index(step.stage)
        assert step.interstage == light.interstage[i, j]
    assert all(step.green >= light.minima[light.stages.index(step.stage)] for step in done.steps)
    shown = {time: (stage, green) for time, stage, green in done.seconds()}
    first_green = done.steps[-1].end - sum(new.greens) - sum(s.interstage for s in done.steps[-len(new.stages) + 1 :])
    for time in range(max(first_green, done.in_step + 8), done.steps[-1].end):
        assert shown[time] == stage_at(light, new, time)
    for time in range(done.steps[0].start, at):
        assert shown[time] == stage_at(light, old, time)


@given(cases())
def test_shortway_is_no_slower(case: tuple[Light, Plan, Plan, int]) -> None:
    """Shortway needs no more cycles than adding or subtracting does."""
    light, old, new, at = case
    steps = {m: len(transition(light, old, new, at, m).steps) for m in ("add", "subtract", "shortway")}
    assert steps["shortway"] <= min(steps["add"], steps["subtract"])


def lengths(done: Transition, light: Light, new: Plan) -> list[int]:
    """Cycle lengths of the new plan's cycles, from start of green to start of green of its first stage."""
    starts = [s.start + s.interstage for s in done.steps if s.stage == new.stages[0]]
    return [b - a for a, b in zip(starts[1:], starts[2:], strict=False)]


def test_stretches_stay_within_a_fifth() -> None:
    """Adding 40 s to a 90 s cycle takes three cycles of at most 18 s more; dwelling takes one; subtracting 50 s takes three."""
    light = Light("x", ("a", "b"), (10, 10), np.array([[0.0, 5.0], [5.0, 0.0]]))
    old, new = Plan("old", ("a", "b"), (40, 40), 0), Plan("new", ("a", "b"), (45, 35), 40)
    add = transition(light, old, new, 100, "add")
    assert lengths(add, light, new) == [104, 103, 103]
    assert lengths(transition(light, old, new, 100, "dwell"), light, new) == [130]
    assert lengths(transition(light, old, new, 100, "dwell", longest_dwell=15), light, new) == [104, 103, 103]
    assert lengths(transition(light, old, new, 100, "subtract"), light, new) == [73, 73, 74]
    assert transition(light, old, new, 100, "shortway").method == "add"
    assert (add.in_step - new.offset) % 90 == 0


def test_messages() -> None:
    """A plan for another light, one under a minimum, and one without anything to cut are refused in words."""
    light = Light("x", ("a", "b"), (10, 10), np.array([[0.0, 5.0], [5.0, 0.0]]))
    old = Plan("old", ("a", "b"), (40, 40), 0)
    with pytest.raises(InputError, match="no stage z"):
        transition(light, old, Plan("new", ("a", "z"), (40, 40)), 0)
    with pytest.raises(InputError, match="9 s of green for stage b"):
        transition(light, old, Plan("new", ("a", "b"), (40, 9)), 0)
    with pytest.raises(InputError, match="nothing can be subtracted"):
        transition(light, old, Plan("new", ("a", "b"), (10, 10), 7), 0, "subtract")
