"""The state strings of a light: as a slow twin spells them, whatever the aspects."""

from __future__ import annotations

import numpy as np
import pytest

from naive_light import letters as naive_letters
from signalwright.core.aspects import Aspect, Aspects
from signalwright.networks.netfile import read_lights
from sumo_material import load


@pytest.mark.parametrize("name", ["shipped-cross", "rilsa", "bicycles", "many-programs", "hiking"])
def test_letters_agree_with_the_twin(name: str) -> None:
    """Any aspects, stage and clearing groups give the letters the twin spells link by link."""
    random = np.random.default_rng(7)
    for light in read_lights(load(name)).values():
        n = len(light.intersection.groups)
        for _ in range(60):
            aspects = random.integers(0, len(Aspect), n).astype(np.int8)
            clearing = random.random(n) < 0.2
            stage = int(random.integers(-1, len(light.resting) + 1))
            expected = naive_letters(light, aspects.tolist(), stage, clearing.tolist())
            assert light.letters(Aspects(aspects), stage, clearing) == expected


def test_a_turn_keeps_giving_way_to_who_is_still_clearing() -> None:
    """A left turn alone is G, beside a clearing opposite group g, and beside a long red one G again."""
    light = read_lights(load("shipped-cross"))["cross"]
    site = light.intersection
    left = next(i for i, group in enumerate(site.groups) if {m.turn for m in group.movements} == {"left"})
    other = int(np.flatnonzero(site.yields[left] & [g.kind.value == "vehicle" for g in site.groups])[0])
    index = next(link.index for link in light.links if link.group == left)
    aspects, clearing = np.zeros(len(site.groups), dtype=np.int8), np.zeros(len(site.groups), dtype=np.bool_)
    aspects[left] = Aspect.GREEN
    assert light.letters(Aspects(aspects), -1, clearing)[index] == "G"
    clearing[other] = True
    assert light.letters(Aspects(aspects), -1, clearing)[index] == "g"


def test_a_stage_is_spelled_as_its_green_groups() -> None:
    """`stage_letters` shows green exactly where the stage has a group green."""
    for light in read_lights(load("rilsa")).values():
        for row, stage in enumerate(light.intersection.stages):
            shown = light.stage_letters(row)
            for link in light.links:
                green = link.group is not None and light.intersection.groups[link.group].name in stage.green
                assert (shown[link.index] in "gG") == green
