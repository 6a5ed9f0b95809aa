"""Site files: what is written is read again, and what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from signalwright.core.errors import InputError
from signalwright.core.intersection import Intersection
from signalwright.networks.sitefile import read_site, write_site
from strategies import sites

SITE = """# A mill road
[site]
name = "mill"

[[site.groups]]
name = "main"
min_green_s = 5
amber_s = 3

[[site.groups]]
name = "side"
min_green_s = 5
amber_s = 3
max_red_s = 120

[[site.stages]]
name = "1"
green = ["main"]

[[site.stages]]
name = "2"
green = ["side"]

[[site.conflicts]]
groups = ["main", "side"]
intergreen_s = [5, 4]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


@settings(max_examples=25, deadline=None)
@given(sites())
def test_a_written_site_reads_the_same(tmp_path_factory: pytest.TempPathFactory, site: Intersection) -> None:
    """Any site comes back from its file as it went in, but for giving way in both directions at once."""
    path = tmp_path_factory.mktemp("site") / "site.toml"
    write_site(site, path)
    again = read_site(path)
    assert (again.name, again.groups, again.stages, again.barred) == (site.name, site.groups, site.stages, site.barred)
    for matrix in ("conflict", "exclusive", "intergreen"):
        assert np.array_equal(getattr(again, matrix), getattr(site, matrix)), matrix


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("amber_s = 3\nmax", "amber_s = -3\nmax", "line 13: groups.1.amber_s: .*greater than or equal to 0"),
        ("max_red_s", "max_redd_s", "line 14: groups.1.max_redd_s: is no key of a site file"),
        ('name = "mill"', "", "name: is missing"),
        (
            "intergreen_s = [5, 4]",
            "intergreen_s = [2, 4]",
            "intergreen main -> side of 2.0 s is shorter than the amber",
        ),
        ('green = ["side"]', 'green = ["side", "main"]', "stage 2 has the conflicting groups"),
        ('groups = ["main", "side"]', 'groups = ["main", "sied"]', "conflicts name the group sied"),
        ("[site]", "[site", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A broken site file is answered with the file, the line, the key and what to do."""
    path = written(tmp_path, SITE.replace(old, new))
    with pytest.raises(InputError, match=message) as refused:
        read_site(path)
    assert str(path) in str(refused.value)


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    """Writing over a site file needs to be asked for."""
    path = written(tmp_path, SITE)
    site = read_site(path)
    with pytest.raises(InputError, match="is there already"):
        write_site(site, path)
    write_site(site, path, overwrite=True)
    assert read_site(path).groups == site.groups
