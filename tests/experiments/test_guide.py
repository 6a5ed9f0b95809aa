"""The guide to one's own strategy: all of its code and every command in it is run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from signalwright.core.intersection import Intersection
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from signalwright.networks.shipped import scenario_path

for needed in ("gymnasium", "pettingzoo", "cma", "libsumo"):
    pytest.importorskip(needed)

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "strategy.md"


CONSOLE = "import sys; sys.path.remove(''); from signalwright.__main__ import main; main()"
"""As the installed command: Python does not look for modules where it is called."""


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_code() -> None:
    """The strategy is no longer than its title says, the environment is played to its end, the wrapped agent decides."""
    strategy, play, wrapped = blocks("python")
    body = [line for line in strategy.splitlines() if line.strip() and not line.strip().startswith(('"""', "import"))]
    assert len(body) <= 20
    names: dict[str, object] = {}
    exec(compile(play, "play", "exec"), names)
    assert names["over"] is True
    assert float(str(names["total"])) <= 0
    exec(compile(wrapped, "wrapped", "exec"), names)
    (light,) = read_lights(read_scenario(scenario_path("cross"))).values()
    made = names["Trained"]
    assert callable(made)
    assert hasattr(_made(made, light.intersection), "decide")


def _made(maker: object, site: Intersection) -> object:
    return maker(site)  # type: ignore[operator]


@pytest.mark.slow
def test_the_commands(tmp_path: Path) -> None:
    """Every command runs in the folder the strategy lies in, and the comparisons end with a report."""
    (tmp_path / "longest_queue.py").write_text(blocks("python")[0])
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 5
    for line in commands:
        program, *words = line.split()
        assert program == "signalwright"
        command = [sys.executable, "-c", CONSOLE]
        done = subprocess.run([*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for name in ("mine", "learned"):
        assert (tmp_path / "out" / name / "report" / "report.html").exists()
    assert "longest_queue:LongestQueue" in (tmp_path / "out" / "mine" / "metrics.csv").read_text()
    assert "agent.json" in (tmp_path / "out" / "learned" / "metrics.csv").read_text()
