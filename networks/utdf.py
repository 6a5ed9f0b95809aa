"""UTDF, the Universal Traffic Data Format of Synchro: the combined CSV file, section by section, nothing lost.

A file is a row of sections, each with its name in brackets, a title, a row of column names and rows of values. What the
columns mean is in `utdfplan`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.messages import _
from .detectors import write_whole

TITLES = {
    "Network": "Network Settings",
    "Nodes": "Node Data",
    "Links": "Link Data",
    "Lanes": "Lane Group Data",
    "Timeplans": "Time Plan Data",
    "Phases": "Phase Data",
}
"""The sections of a combined file, in order, and the titles under their names."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table of text: `columns`, and `rows` of as many values."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def records(self, intersection: str) -> dict[str, dict[str, str]]:
        """{record name: {column: value}} of one intersection, empty values left out."""
        found: dict[str, dict[str, str]] = {}
        for row in self.rows:
            cells = dict(zip(self.columns, row, strict=True))
            if cells.get("INTID") == intersection:
                found[cells.get("RECORDNAME", "")] = {
                    key: value for key, value in cells.items() if value and key not in {"RECORDNAME", "INTID"}
                }
        return found


@dataclass(frozen=True, slots=True)
class Utdf:
    """A file: its sections by name, in order."""

    sections: Mapping[str, Section]

    def section(self, name: str, source: str) -> Section:
        """A section that has to be there; raises InputError naming those that are."""
        if name not in self.sections:
            raise InputError(
                _("{path}: has no section [{name}]; it has {others}; write the combined file, not single ones").format(
                    path=source, name=name, others=", ".join(f"[{other}]" for other in self.sections) or _("none")
                )
            )
        return self.sections[name]


def read_utdf(path: Path) -> Utdf:
    """A combined file; raises InputError with file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        text = path.read_text(encoding="cp1252")
    sections: dict[str, Section] = {}
    name, title, columns, rows = "", "", (), []  # type: str, str, tuple[str, ...], list[tuple[str, ...]]

    def finish() -> None:
        if name:
            sections[name] = Section(title, columns, tuple(rows))

    for number, cells in enumerate(csv.reader(io.StringIO(text)), 1):
        row = tuple(cell.strip() for cell in cells)
        if not any(row):
            continue
        if row[0].startswith("[") and row[0].endswith("]"):
            finish()
            name, title, columns, rows = row[0][1:-1], "", (), []
        elif not name:
            raise InputError(
                _("{path}, line {n}: {text} stands before any section; a UTDF file begins with [Network]").format(
                    path=path, n=number, text=row[0]
                )
            )
        elif not columns and not title and "RECORDNAME" not in row and "INTID" not in row:
            title = row[0]
        elif not columns:
            columns = row
        elif len(row) > len(columns) and any(row[len(columns) :]):
            raise InputError(
                _("{path}, line {n}: {found} values in section [{name}], which has {wanted} columns").format(
                    path=path, n=number, found=len(row), name=name, wanted=len(columns)
                )
            )
        else:
            rows.append((*row[: len(columns)], *("" for _column in range(len(columns) - len(row)))))
    finish()
    if not sections:
        raise InputError(_("{path}: is empty; a UTDF file begins with [Network]").format(path=path))
    return Utdf(sections)


def write_utdf(utdf: Utdf, path: Path, *, overwrite: bool = False) -> None:
    """Write a combined file; raises InputError where one lies already and `overwrite` is not set."""
    if path.exists() and not overwrite:
        raise InputError(
            _("{path}: is there already; name another file, or ask for it to be overwritten").format(path=path)
        )
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    for name, section in utdf.sections.items():
        table.writerow([f"[{name}]"])
        table.writerow([section.title])
        table.writerow(section.columns)
        table.writerows(section.rows)
        table.writerow([])
    write_whole(path, text.getvalue())
