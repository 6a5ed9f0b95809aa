"""The commands around plans and traffic: what they print, what they write, and how they end."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signalwright.cli import app
from signalwright.core.certify import certify
from signalwright.core.plan import Plan
from signalwright.experiments.timespace import arterial_of
from signalwright.networks.demand import driven_journeys
from signalwright.networks.netfile import read_lights
from signalwright.networks.planfile import plan_file, read_plan_file, write_plan_file
from sumo_material import load


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan file for the shipped crossing."""
    lights = read_lights(load("shipped-cross"))
    site = lights["cross"].intersection
    safe = certify(
        Plan("p", tuple(s.name for s in site.stages), tuple(30 + k for k, _ in enumerate(site.stages)), 9), site
    )
    path = tmp_path / "mine.toml"
    write_plan_file(plan_file(lights, {"p": {"cross": safe}}, "safe"), path)
    return path


def run(*words: object) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_whatif_prints_each_plan_and_what_to_do(plan: Path) -> None:
    """As JSON: what is in force and the plan, the same vehicles, and the words."""
    found = json.loads(
        run("whatif", "cross", "--plan", plan, "--at", 120, "--horizon", 120, "--way", "state", "--json")
    )
    assert [one["plan"] for one in found["plans"]] == ["in force", "mine"]
    assert found["plans"][0]["vehicles"] == found["plans"][1]["vehicles"] > 0
    assert found["best"] in {"in force", "mine"}


def test_a_plan_goes_to_utdf_and_back(plan: Path, tmp_path: Path) -> None:
    """The same stages, greens and offset come back, from a file with volumes."""
    run("utdf", "write", "cross", plan, "-o", tmp_path / "net.csv")
    assert "Volume,1," in (tmp_path / "net.csv").read_text()
    run(
        "utdf",
        "read",
        "cross",
        tmp_path / "net.csv",
        "-o",
        tmp_path / "again.toml",
        "--stages",
        "program",
        "--name",
        "p",
    )
    assert read_plan_file(tmp_path / "again.toml").plans == read_plan_file(plan).plans


def test_the_arterial_is_the_corridors_street() -> None:
    """All lights of the corridor in a row, increasing positions, and at each a stage for both ways."""
    read = load("shipped-corridor")
    lights = read_lights(read)
    arterial = arterial_of(
        read, {n: light.intersection for n, light in lights.items()}, driven_journeys(read, lights, end=600)
    )
    assert arterial is not None
    assert set(arterial.lights) == set(lights)
    assert all(a < b for a, b in pairwise(arterial.positions))
    for name, out, back in zip(arterial.lights, arterial.outbound, arterial.inbound, strict=True):
        assert out & back, name
