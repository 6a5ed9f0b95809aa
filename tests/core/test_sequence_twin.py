"""The compiled safety machine against its plain twin, and each of its rules deleted once."""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np
import pytest

from naive import NaiveSequencer
from signalwright.core import sequencer as sequencer_module
from signalwright.core.aspects import Aspect
from signalwright.core.kernels import redtime, sequence
from signalwright.core.sequencer import Sequencer, Sequencers, tables_of
from strategies import random_site
from torture import torture

RULES = {
    "intergreen": ("or ended[i] < intergreen[i, j] - red_amber[j]", ""),
    "conflicting green": ("aspect[i] == GREEN or ended[i] <", "ended[i] <"),
    "conflicts": ("if exclusive[i, j] and", "if False and"),
    "intergreen counts from the end of green": ("ended[i] = 0\n", "pass\n"),
    "minimum green": ("aspect[j] != GREEN or age[j] < min_green[j]", "aspect[j] != GREEN"),
    "amber is shown": ("AMBER if amber[i] > 0 else RED", "RED"),
    "amber lasts": ("aspect[i] == AMBER and age[i] >= amber[i]", "aspect[i] == AMBER"),
    "red-amber is shown": ("RED_AMBER if red_amber[j] > 0 else GREEN", "GREEN"),
    "red-amber lasts": ("aspect[j] == RED_AMBER and age[j] >= red_amber[j]", "aspect[j] == RED_AMBER"),
    "red between amber and green": ("elif aspect[j] != RED or age[j] < MIN_RED:", "elif aspect[j] == GREEN:"),
    "longest red refuses": ("later, red_call) < 0:", "later, red_call) < -NEVER:"),
    "longest red forces": ("    if best >= 0:\n        return answer\n", "    return answer\n"),
    "calls are heard": ("            called[j] = True\n", "            pass\n"),
    "calls age": ("                red_call[i] += ticks\n", "                pass\n"),
}


def test_machine_equals_its_plain_twin() -> None:
    """On random sites and wishes the compiled machine shows, tick by tick, what the plain one shows."""
    compared = 0
    for number in range(60):
        rng = np.random.default_rng([77, number])
        site = random_site(rng, max_groups=6)
        if site is None:
            continue
        fast, slow = Sequencer(site), NaiveSequencer(site, tables_of(site).rotation.tolist())
        for tick in range(700):
            wish = int(rng.integers(-2, len(site.stages) + 1)) if rng.random() < 0.3 else None
            calls = [True] * len(site.groups) if tick % 2 else [False] * len(site.groups)
            fast.grant(wish, calls)
            slow.grant(wish, calls)
            assert fast.aspects.tolist() == slow.aspects, f"site {number}, tick {tick}"
            fast.elapse(1)
            slow.elapse()
        compared += 1
    assert compared > 15


def test_a_second_at_once_is_ten_ticks() -> None:
    """On random sites and wishes each second shows and remembers the same, whether it passes at once or tick by tick."""
    forced = 0
    for number in range(40):
        rng = np.random.default_rng([78, number])
        site = random_site(rng, max_groups=6)
        if site is None:
            continue
        whole, single = Sequencer(site), Sequencer(site)
        for _ in range(300):
            wish = int(rng.integers(0, len(site.stages))) if rng.random() < 0.05 else None
            calls = rng.random(len(site.groups)) < 0.5
            assert whole.grant(wish, calls) == single.grant(wish, calls)
            whole.elapse()
            single.elapse(1)
            for _ in range(9):
                single.grant(None, [False] * len(site.groups))
                single.elapse(1)
            for mine, other in zip(whole._moving, single._moving, strict=True):
                assert np.array_equal(mine, other), f"site {number}"
            forced += whole.forced
    assert forced > 0


def test_together_as_one_by_one() -> None:
    """Machines of several sites, one of them in flash, show and remember the same whether their time passes together or not."""
    rng = np.random.default_rng(79)
    sites = [site for site in (random_site(rng, max_groups=6) for _ in range(12)) if site is not None]
    alone, grouped = [Sequencer(site) for site in sites], [Sequencer(site) for site in sites]
    assert len(sites) > 3
    alone[1].flash()
    grouped[1].flash()
    together = Sequencers(grouped)
    shown = [(-1, b"", b"")] * len(sites)
    full_since = [np.inf] * len(sites)
    for second in range(300):
        wishes = [int(rng.integers(0, len(s.stages))) if rng.random() < 0.2 else None for s in sites]
        calls = [rng.random(len(site.groups)) < 0.5 for site in sites]
        granted = together.grant(wishes, calls)
        assert granted == [one.grant(wish, c) for one, wish, c in zip(alone, wishes, calls, strict=True)]
        together.settle(float(second))
        for k, (site, one) in enumerate(zip(sites, alone, strict=True)):
            longest = np.where(site.conflict, site.intergreen, 0.0).max(axis=1)
            clearing = (one.since_green < longest) & (one.aspects != Aspect.GREEN)
            assert np.array_equal(together.clearing[k], clearing)
            assert together.stage[k] == one.stage
            now = (one.stage, one.aspects.tobytes(), clearing.tobytes())
            assert together.changed[k] or now == shown[k], "a change was not noticed"
            if now[:2] != shown[k][:2]:
                green = site.stage_greens[one.stage] & (one.stage >= 0)
                full = green.any() and (one.aspects[green] == Aspect.GREEN).all()
                full_since[k] = second - one.ages[green].min() if full else np.inf
            shown[k] = now
            assert together.full_since[k] == full_since[k]
            assert together.complete[k] == one.complete
        together.changed[:] = False
        together.elapse()
        for one in alone:
            one.elapse()
        for one, other in zip(alone, grouped, strict=True):
            for mine, theirs in zip(one._moving, other._moving, strict=True):
                assert np.array_equal(mine, theirs), second


def mutant(old: str, new: str) -> Any:
    """The machine's module with one piece of its source exchanged, run as plain Python."""
    source = inspect.getsource(sequence)
    assert old in source, f"the rule is not there any more: {old}"
    module = types.ModuleType("mutant")
    code = source.replace(old, new).replace(
        "from . import kernel", "kernel = lambda **options: lambda function: function"
    )
    code = code.replace("from .redtime", f"from {redtime.__name__}")
    exec(compile(code, "mutant", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_deleted_is_caught(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one rule taken out of the machine, the judge finds a breach: no rule is there in vain."""
    monkeypatch.setattr(sequencer_module, "machine", mutant(*RULES[rule]))
    found: list[str] = []
    for seed in range(12):
        found = torture(4_000, seed=seed, per_site=2_000)
        if found:
            break
    assert found, f"nobody noticed that the rule was gone: {rule}"
