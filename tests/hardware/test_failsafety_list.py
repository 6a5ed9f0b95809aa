"""The list of fail-safety in the documents names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_test_that_is_named_exists() -> None:
    """Each `file::test` of docs/failsafety.md is a function of that file, each file a file."""
    text = (TESTS.parent / "docs" / "failsafety.md").read_text(encoding="utf-8")
    place, found = "", 0
    for folder, file, name in re.findall(r"`(tests/[a-z]+/)?(test_\w+\.py)?(?:::(test_\w+))?`", text):
        place = f"{folder or 'tests/hardware/'}{file}" if file else place
        if file or name:
            source = (TESTS.parent / place).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in source, f"{place}::{name}"
            found += 1
    assert found > 30
