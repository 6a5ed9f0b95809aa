"""Paths of one length.

Some of SUMO's decisions follow the order of its objects in memory, and that order the holes which texts of other lengths leave: seen with
1.28, where the same scenario and seed gave other trips when the folder SUMO was installed in, or that of the scenario, had a longer name.
Paths handed to SUMO are therefore made equally long, by slashes that mean nothing, and numbers are the same wherever files lie.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

LENGTH = 256
"""Characters of a path; longer ones have a multiple of it."""


_SLASHES = re.compile(r"(?<!:)/{2,}")


def even_path(path: Path | str) -> str:
    """The same file, absolute, by a path of `LENGTH` characters or a multiple; as it stands where slashes are not the separator."""
    text = os.path.abspath(path)
    if os.sep != "/" or text == "/":
        return text
    folder, name = os.path.split(text)
    return folder.rstrip("/") + "/" * (1 + -len(text) % LENGTH) + name


def plain_path(text: str) -> str:
    """A message as it should be read: each even path in it as people write it."""
    return _SLASHES.sub("/", text)
