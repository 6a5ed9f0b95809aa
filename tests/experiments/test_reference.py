"""Reference results: kept, made again, shown."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from signalwright.core.errors import InputError, ResultError
from signalwright.experiments.compare import compare
from signalwright.experiments.reference import (
    BEGIN,
    END,
    check_reference,
    put_table,
    reference_path,
    reference_runs,
    reference_table,
    write_reference,
)
from signalwright.experiments.spec import scenario_path
from signalwright.experiments.suite import suite

pytest.importorskip("libsumo")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference of two runs, of a scenario that does not ship."""
    folder = tmp_path_factory.mktemp("reference")
    shutil.copytree(scenario_path("cross").parent, folder / "crossing")
    spec = suite(
        "shipped", scenarios=[str(folder / "crossing")], controllers=["plan"], timing="safe", seeds=2, end=60.0
    )
    compare(spec, folder / "b", workers=1)
    assert write_reference([folder / "b"], folder / "kept.json") == 2
    return folder / "kept.json"


def test_made_again(kept: Path, tmp_path: Path) -> None:
    """Kept results hold no path of this machine, come out the same from a moved copy, and a changed number is found out."""
    assert str(kept.parent) not in kept.read_text()
    moved = shutil.copytree(kept.parent / "crossing", tmp_path / "deep" / "crossing").parent
    assert [check.identical for check in check_reference(kept, moved)] == [True, True]
    held = json.loads(kept.read_text())
    held["runs"][0]["result"]["stops"] += 1
    (tmp_path / "changed.json").write_text(json.dumps(held))
    (check,) = check_reference(tmp_path / "changed.json", moved, every=2)
    assert (set(check.numbers), check.what, check.identical) == ({"stops"}, "cross, plan, safe, 1", False)
    command = [sys.executable, "-m", "signalwright", "reference", "check", str(tmp_path / "changed.json"), str(moved)]
    done = subprocess.run([*command, "--workers", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(r"cross, plan, safe, 1: stops was [\d.]+, is [\d.]+", done.stdout)
    assert "1 of 2 results came out the same" in done.stdout


def test_several_batches(kept: Path, tmp_path: Path) -> None:
    """A batch of another strategy comes to an older reference, in the order of the suites; of other seeds they do not."""
    spec = suite(
        "shipped",
        scenarios=[str(kept.parent / "crossing")],
        controllers=["sumo-actuated"],
        timing="safe",
        seeds=2,
        end=60.0,
    )
    compare(spec, tmp_path / "b", workers=1)
    assert write_reference([tmp_path / "b", kept], tmp_path / "both.json") == 4
    assert [(r["result"]["seed"], r["result"]["controller"]) for r in reference_runs(tmp_path / "both.json")] == [
        (1, "plan"), (1, "sumo-actuated"), (2, "plan"), (2, "sumo-actuated"),
    ]  # fmt: skip
    assert reference_table(tmp_path / "both.json").count("\n| `") == 2
    compare(spec.model_copy(update={"seeds": [1]}), tmp_path / "c", workers=1)
    with pytest.raises(ResultError, match="more than their strategies"):
        write_reference([kept.parent / "b", tmp_path / "c"], tmp_path / "none.json")


def test_bad_reference(kept: Path, tmp_path: Path) -> None:
    """What is no reference file is refused; nor is one written of nothing, or made again without its scenarios."""
    (tmp_path / "x.json").write_text('{"format": 1}')
    with pytest.raises(ResultError, match="no reference results"):
        list(check_reference(tmp_path / "x.json"))
    with pytest.raises(ResultError, match="holds no batch"):
        write_reference([tmp_path], tmp_path / "y.json")
    with pytest.raises(InputError, match="name the folder"):
        list(check_reference(kept))
    with pytest.raises(ResultError, match="no reference shiped"):
        reference_path("shiped")


def test_table_in_a_page(kept: Path, tmp_path: Path) -> None:
    """The table goes between the marks and nowhere else; a page that has it is left alone, one without marks is refused."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    table = reference_table(kept)
    assert put_table(page, table)
    assert page.read_text() == f"before\n{BEGIN}\n{table}{END}\nafter\n"
    assert not put_table(page, table)
    page.write_text("nothing")
    with pytest.raises(InputError, match="has no lines"):
        put_table(page, table)
