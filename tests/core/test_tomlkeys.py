"""Messages about TOML files name the right line."""

from __future__ import annotations

from signalwright.core.tomlkeys import line_of

TEXT = """\
[site]
name = "J1"

[[site.groups]]
name = "A"

[[site.groups.movements]]
name = "first"

[[site.groups]]
name = "B"
amber_s = -1

[[site.groups.movements]]
name = "second"
lanes = 3

[cabinet.numbers]
"stages" = {one = 1}
detectors.far = 2
"""


def test_the_line_of_a_key() -> None:
    """A key is found in the right one of equal tables, quoted or dotted; where it is missing, the table it belongs to."""
    assert line_of(TEXT, ("site", "name")) == 2
    assert line_of(TEXT, ("site", "groups", 1, "amber_s")) == 12
    assert line_of(TEXT, ("site", "groups", 1, "movements", 0, "lanes")) == 16
    assert line_of(TEXT, ("site", "groups", 0, "amber_s")) == 4
    assert line_of(TEXT, ("cabinet", "numbers", "stages", "one")) == 19
    assert line_of(TEXT, ("cabinet", "numbers", "detectors", "far")) == 20
    assert line_of(TEXT, ("plan", "cycle")) is None
