"""The state string of a light, link by link: the slow twin of Light.letters."""

from __future__ import annotations

from collections.abc import Sequence

from signalwright.core.aspects import Aspect
from signalwright.networks.light import Light

LETTERS = {
    Aspect.AMBER: "y",
    Aspect.RED_AMBER: "u",
    Aspect.FLASHING_AMBER: "o",
    Aspect.DARK: "O",
}


def letters(light: Light, aspects: Sequence[int], stage: int, clearing: Sequence[bool]) -> str:
    """What `Light.letters` says, by its docstring."""
    out = list(light.resting[stage] if 0 <= stage < len(light.resting) else "r" * light.n_letters)
    written: dict[int, str] = {}
    for row, link in enumerate(light.links):
        if link.group is None or aspects[link.group] == Aspect.RED:
            continue
        letter = LETTERS.get(Aspect(aspects[link.group]), "")
        if not letter:
            foes = [other for column, other in enumerate(light.links) if light.yields[row, column]]
            moving = [
                foe.group is not None
                and (aspects[foe.group] in (Aspect.GREEN, Aspect.AMBER) or bool(clearing[foe.group]))
                for foe in foes
            ]
            letter = "g" if any(moving) or written.get(link.index) == "g" else "G"
        written[link.index] = out[link.index] = letter
    return "".join(out)
