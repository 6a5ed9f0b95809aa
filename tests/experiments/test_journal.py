"""The journal of a search: what was simulated is not simulated again, whatever interrupted it."""

from __future__ import annotations

from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.experiments.journal import Journal
from signalwright.experiments.trial import Trial
from signalwright.networks.shipped import scenario_path


def trial(seed: int) -> Trial:
    """Five minutes of the shipped cross."""
    return Trial(str(scenario_path("cross")), "x", seed, end=300.0)


def test_a_trial_is_made_once_also_after_an_interruption(tmp_path: Path) -> None:
    """Rows come from the file the next time, the line that was being written when it was cut off is made again, and done takes it away."""
    path = tmp_path / "out" / "trials.jsonl"
    first = Journal(path)
    assert not first.resumed
    rows = first.rows([trial(1), trial(2), trial(1)], 1)
    assert rows[0] == rows[2] != rows[1]
    assert first.made == 2
    path.write_text(path.read_text()[:-40])
    again = Journal(path)
    assert again.resumed
    assert again.rows([trial(1), trial(2)], 1) == rows[:2]
    assert again.made == 1
    again.done()
    assert not path.exists()


def test_other_programs_or_other_traffic_are_other_trials(tmp_path: Path) -> None:
    """A key tells seeds, the content of programs and of the scenario's files apart, but not what a trial is called."""
    programs = tmp_path / "p.add.xml"
    programs.write_text("<additional/>")
    one = Trial("cross", "x", 1, (str(programs),))
    journal = Journal()
    keys = {journal.key(one), journal.key(Trial("cross", "y", 1, (str(programs),)))}
    assert len(keys) == 1
    programs.write_text("<additional> </additional>")
    keys |= {
        journal.key(one),
        journal.key(Trial("cross", "x", 2)),
        Journal(files=(programs,)).key(Trial("cross", "x", 2)),
    }
    assert len(keys) == 4


def test_a_directory_that_cannot_be_made_is_one_message(tmp_path: Path) -> None:
    """A file where the directory should be is named."""
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out"):
        Journal(tmp_path / "out" / "trials.jsonl")
