"""What a cabinet PC has to carry: the plain `pip install signalwright`, without SUMO, tables or plots."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

from line_bench import crossing
from signalwright.networks.sitefile import write_site

ROOT = Path(__file__).parents[2]
MOST = 450.0  # [MB], three quarters of it Numba's compiler
CABINET = """
[cabinet]
protocol = "gbt20999"
port = "/dev/ttyUSB0"
controller_id = 7
"""

SCRIPT = """
import sys
missing = set(sys.argv[1].split())
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in missing:
            raise ModuleNotFoundError("No module named " + repr(name), name=name.split(".")[0])
sys.meta_path.insert(0, Refuse())
import signalwright.hardware.roadside, signalwright.hardware.console, signalwright.hardware.store
import signalwright.hardware.emulator.server, signalwright.hardware.emulator.panel
from signalwright.controllers import load_controller
from signalwright.core.estimate import Estimate
from signalwright.networks.sitefile import read_site
place = read_site(sys.argv[2])
for name in ("adaptive", "actuated", "max-pressure"):
    load_controller(name)(place)
Estimate(place)
from signalwright.__main__ import main
sys.argv = ["signalwright", "cabinet", "run", sys.argv[2], "--check"]
main()
"""


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


@cache
def carried() -> dict[str, Distribution]:
    """The distributions a plain install brings, by name."""
    found: dict[str, Distribution] = {}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    waiting = [Requirement(line) for line in tomllib.loads(text)["project"]["dependencies"]]
    while waiting:
        wanted = waiting.pop()
        name = plain(wanted.name)
        if name in found or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        found[name] = distribution(name)
        waiting += [Requirement(line) for line in found[name].requires or []]
    return found


def megabytes(files: list[Path]) -> float:
    """What they take on the disk; compiled code of Python is left out, it comes with use."""
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc" and path.is_file()) / 1e6


def test_a_cabinet_carries_no_simulator_and_no_plots() -> None:
    """The plain install has a bound, most of it is the compiler, and what it brings is known by name."""
    sizes = {
        name: megabytes([Path(str(one.locate_file(file))) for file in one.files or []])
        for name, one in carried().items()
    }
    assert not set(sizes) & {
        "eclipse-sumo",
        "libsumo",
        "sumolib",
        "traci",
        "polars",
        "scipy",
        "matplotlib",
        "lxml",
        "pandas",
    }
    assert sum(sizes.values()) < MOST, sizes
    assert sizes["llvmlite"] + sizes["numba"] + sizes["numpy"] > 0.7 * sum(sizes.values())
    ours = megabytes([path for room in ("core", "controllers", "hardware") for path in (ROOT / room).rglob("*.py")])
    assert ours < 3.0


def test_it_runs_on_what_it_carries(tmp_path: Path) -> None:
    """Service, emulator, strategies and command line are imported, and a site file is checked, with every other package
    refused."""
    site = tmp_path / "elm.toml"
    write_site(crossing(), site)
    site.write_text(site.read_text() + CABINET)
    missing = {
        top
        for top, owners in packages_distributions().items()
        if not set(map(plain, owners)) & {*carried(), "signalwright"}
    }
    assert {"libsumo", "matplotlib", "polars", "scipy"} <= missing
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, " ".join(missing), str(site)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "is in order: elm" in done.stdout, done.stderr
