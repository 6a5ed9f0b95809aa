"""What the planner leaves: a plan file, a SUMO file, the calculation as JSON, and the report for the person who signs."""

from __future__ import annotations

import json
from pathlib import Path

from ..core.errors import InputError
from ..core.messages import _
from ..networks.detectors import write_whole
from ..networks.planfile import plan_file, write_plan_file
from ..networks.planprogram import write_plans
from .planner import Planned
from .planreport import write_report

FILES = ("plan.toml", "plan.add.xml", "calculation.json", "report.html")


def check_free(out: Path, overwrite: bool = False) -> None:
    """Refuse, before any work is done, a directory in which something of ours lies. Raises InputError."""
    if out.exists() and not out.is_dir():
        raise InputError(_("{out} is a file; name a directory").format(out=out))
    there = [name for name in FILES if (out / name).exists()]
    if there and not overwrite:
        raise InputError(
            _("{out} holds {names} already; name another directory, or give --overwrite").format(
                out=out, names=", ".join(there)
            )
        )


def write_planned(planned: Planned, out: Path, name: str, *, overwrite: bool = False) -> list[Path]:
    """Write all files into a directory, made if need be, and say which; no plan where none beat the one in force."""
    check_free(out, overwrite)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    if planned.plans:
        file = plan_file(planned.lights, {name: planned.plans}, planned.timing, remarks=planned.remarks)
        write_plan_file(file, out / FILES[0], overwrite=overwrite)
        write_plans(out / FILES[1], planned.lights, {name: planned.plans}, overwrite=overwrite)
        written += [out / FILES[0], out / FILES[1]]
    write_whole(out / FILES[2], json.dumps(planned.to_dict(), indent=2) + "\n")
    write_report(out / FILES[3], planned, overwrite=overwrite)
    return [*written, out / FILES[2], out / FILES[3]]
