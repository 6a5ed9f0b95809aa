"""The guide to comparing: its batch file is one, its options exist, and what it says lies in a directory does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer.main

from signalwright import cli
from signalwright.experiments import batch as places
from signalwright.experiments.spec import batch
from signalwright.experiments.suite import SUITES

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "compare.md"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_batch_file() -> None:
    """The batch file of the guide is read without a fault and has the arms it tells of."""
    (text,) = blocks("toml")
    spec = batch("compare.md", tomllib.loads(text))
    assert spec.arm_names == ["plan", "adaptive", "half", "worn", "ideal"]
    assert len(spec.runs()) == 2 * 5 * 10 * 3 * 2


@pytest.mark.parametrize(
    "line", [line for block in blocks("sh") for line in block.splitlines() if line.startswith("signalwright")]
)
def test_the_commands(line: str) -> None:
    """Every command of the guide exists, with every option it uses."""
    command = typer.main.get_command(cli.app)
    _program, name, *words = line.split()
    found = command.commands[name]  # type: ignore[attr-defined]
    known = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_directory() -> None:
    """The files the guide names are those a batch writes, and its suites those there are."""
    text = GUIDE.read_text(encoding="utf-8")
    for name in (*places.TABLES, f"{places.RUNS}/KEY", f"{places.FAILURES}/KEY", f"{places.REPORT}/"):
        assert f"`{name}" in text, name
    for name in SUITES:
        assert f"--suite {name}" in text
