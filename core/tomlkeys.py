"""Where a key stands in a TOML text, and what is wrong with it, for messages to the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .messages import _

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""")


def line_of(text: str, location: Sequence[int | str]) -> int | None:
    """The line (from 1) of the key at `location` (names, and places in lists of tables), else of the nearest table around it."""
    table: tuple[int | str, ...] = ()
    places: dict[tuple[int | str, ...], int] = {}
    best, depth = None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            here: tuple[int | str, ...] = ()
            names = _parts(header[2])
            for name in names[:-1]:
                here = (*here, name)
                here = (*here, places[here]) if here in places else here
            here = (*here, names[-1])
            if header[1] == "[[":
                places[here] = places.get(here, -1) + 1
                here = (*here, places[here])
            table = here
        elif key := _KEY.match(line):
            here = (*table, *_parts(key[1]))
        else:
            continue
        if len(here) > depth and here == tuple(location[: len(here)]):
            best, depth = number, len(here)
    return best


def reason(error: Mapping[str, Any], part: str) -> str:
    """What pydantic's `error` says of a key, in our words; `part` is what the key should belong to."""
    if error["type"] == "extra_forbidden":
        return _("is no key of {part}; take it out").format(part=part)
    if error["type"] == "missing":
        return _("is missing; add it")
    said = str(error["msg"]).removeprefix("Value error, ")
    return _("{reason} (it says {value!r})").format(reason=said[0].lower() + said[1:], value=error["input"])


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^.]+""", dotted)]
