"""What every trial came to, kept in a file beside the results: a search that was interrupted goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.messages import _
from .provenance import file_hash, versions
from .trial import Trial, tried


@dataclass
class Journal:
    """Trials by what they were of, in the `path` if there is one: `files` (those of the scenario) tell another traffic,
    and the versions another simulator. `told` hears how many trials were made. Raises InputError for a path that cannot be written."""

    path: Path | None = None
    files: Sequence[Path] = ()
    told: Callable[[int], None] = lambda made: None
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        basis = [versions(), *(file_hash(path) for path in self.files)]
        self.basis = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        except OSError as error:
            raise InputError(_("{path}: cannot be used: {why}").format(path=self.path, why=error.strerror)) from error
        for line in lines:
            try:
                said = json.loads(line)
                self.known[said["trial"]] = said["row"]
            except (ValueError, KeyError, TypeError):
                continue  # the line that was being written when it was interrupted

    @property
    def resumed(self) -> bool:
        """Whether there was something to go on from."""
        return self.path is not None and self.made == 0 and bool(self.known)

    def rows(self, trials: Sequence[Trial], workers: int | None = None) -> list[dict[str, Any]]:
        """The rows of the trials in their order, made in parallel where they are not known. Raises SimulationError."""
        keys = [self.key(trial) for trial in trials]
        new = {key: trial for key, trial in zip(keys, trials, strict=True) if key not in self.known}
        if new:
            with ThreadPoolExecutor(min(workers or len(os.sched_getaffinity(0)), len(new))) as pool:
                running = {key: pool.submit(tried, trial) for key, trial in new.items()}
                try:
                    for key, row in running.items():
                        self._keep(key, row)
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        return [self.known[key] for key in keys]

    def done(self) -> None:
        """Nothing is left to go on with: take the file away."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _keep(self, key: str, row: Future[dict[str, Any]]) -> None:
        self.known[key] = row.result()
        self.made += 1
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"trial": key, "row": self.known[key]}) + "\n")
        self.told(self.made)

    def key(self, trial: Trial) -> str:
        """What tells a trial: all it is of, but its name."""
        said = asdict(trial) | {"programs": [file_hash(Path(path)) for path in trial.programs], "basis": self.basis}
        del said["arm"]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
