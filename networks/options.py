"""The options a scenario is simulated with, the same in every arm, and the files a run leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from .evenpath import even_path
from .scenario import Scenario

OURS = {
    "net-file", "route-files", "additional-files", "begin", "end", "seed", "random", "scale", "step-length",
    "time-to-teleport", "no-internal-links", "no-step-log", "duration-log.disable", "no-warnings", "verbose", "log",
    "error-log", "message-log", "tripinfo-output", "tripinfo-output.write-unfinished",
    "tripinfo-output.write-undeparted", "statistic-output", "remote-port", "num-clients", "start", "quit-on-end",
    "vehroute-output.exit-times", "vehroute-output.write-unfinished", "vehroute-output.last-route",
    "gui-settings-file", "save-configuration", "save-template", "configuration-file",
}  # fmt: skip
"""Options that we set ourselves, or that would change what is measured; those of the scenario are left out."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a run leaves SUMO's files, all in one directory that is there already."""

    directory: Path

    @property
    def tripinfo(self) -> Path:
        """One row a trip, unfinished and undeparted ones included."""
        return self.directory / "tripinfo.xml"

    @property
    def statistics(self) -> Path:
        """SUMO's own summary."""
        return self.directory / "statistics.xml"

    @property
    def loops(self) -> Path:
        """The loops we placed."""
        return self.directory / "loops.add.xml"

    @property
    def programs(self) -> Path:
        """The programs of SUMO's own adaptive types, where they are used."""
        return self.directory / "programs.add.xml"

    @property
    def log(self) -> Path:
        """SUMO's warnings and errors."""
        return self.directory / "sumo.log"


def window_of(scenario: Scenario, begin: float | None = None, end: float | None = None) -> tuple[float, float | None]:
    """When a run begins and ends [s], by default as the scenario says; without an end it is None. Raises InputError."""
    first = scenario.begin if begin is None else begin
    last = scenario.end if end is None else end
    if last is not None and last <= first:
        raise InputError(
            f"{scenario.source}: the window ends at {last:g} s and begins at {first:g} s; let it end later"
        )
    return first, last


def options_of(
    scenario: Scenario,
    outputs: Outputs,
    *,
    seed: int | None = None,
    begin: float | None = None,
    end: float | None = None,
    scale: float = 1.0,
    additionals: Sequence[Path] | None = None,
    extra: Mapping[str, str] | None = None,
) -> list[str]:
    """The command line of SUMO for a scenario, without its program.

    `additionals` stand in the place of the scenario's own; `extra` options come last, an empty value for none.
    """
    first, last = window_of(scenario, begin, end)
    if scale <= 0:
        raise InputError(f"the demand scale {scale:g} must be more than 0; 1 leaves the demand as it is")
    files = [even_path(path) for path in (scenario.additionals if additionals is None else additionals)]
    said = ["--net-file", even_path(scenario.net)]
    if scenario.routes:
        said += ["--route-files", ",".join(map(even_path, scenario.routes))]
    if files:
        said += ["--additional-files", ",".join(files)]
    for key, value in scenario.options.items():
        if key not in OURS and not key.endswith(("-output", "-files", "-file")):
            said += [f"--{key}", value]
    said += ["--begin", f"{first:g}"]
    if last is not None:
        said += ["--end", f"{last:g}"]
    said += [
        "--step-length", "1", "--seed", str(_seed(scenario, seed)), "--scale", f"{scale:g}", "--time-to-teleport", "-1",
        "--no-step-log", "true", "--duration-log.disable", "true", "--no-warnings", "true", "--error-log", even_path(outputs.log),
        "--tripinfo-output", even_path(outputs.tripinfo), "--tripinfo-output.write-unfinished", "true",
        "--tripinfo-output.write-undeparted", "true", "--statistic-output", even_path(outputs.statistics),
    ]  # fmt: skip
    for key, value in (extra or {}).items():
        said += [f"--{key}", value] if value else [f"--{key}"]
    return said


def _seed(scenario: Scenario, seed: int | None) -> int:
    if seed is not None:
        return seed
    return 23423 if scenario.seed is None else scenario.seed
