"""Specs of runs and batches: what a file may say, and what is said when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from signalwright.core.errors import InputError
from signalwright.experiments.spec import RunSpec, batch, lacking, read_batch, scenario_path

GOOD = """
scenarios = ["maps/a.sumocfg", {path = "b.sumocfg", begin = 600, end = 1200}]
controllers = ["plan", "max-pressure"]
seeds = 3
scales = [0.8, 1.2]
timing = "resco"
[arms.half]
controller = "plan"
lights = {J1 = "max-pressure"}
"""


def test_product(tmp_path: Path) -> None:
    """A batch is every scenario x scale x arm x seed once, the seeds outermost; paths are relative to the file."""
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "a.sumocfg").touch()
    (tmp_path / "spec.toml").write_text(GOOD)
    spec = read_batch(tmp_path / "spec.toml")
    runs = spec.runs()
    assert len(runs) == 2 * 3 * 2 * 3 == len({str(run) for run in runs})
    assert [run.seed for run in runs] == [1] * 12 + [2] * 12 + [3] * 12
    assert spec.base == "plan"
    assert {run.arm for run in runs} == {"plan", "max-pressure", "half"}
    assert {dict(run.lights).get("J1") for run in runs if run.arm == "half"} == {"max-pressure"}
    assert {run.scenario for run in runs} == {str(tmp_path / "maps" / "a.sumocfg"), "b.sumocfg"}
    assert {(run.begin, run.end) for run in runs if run.scenario == "b.sumocfg"} == {(600.0, 1200.0)}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"controlers": ["plan"]}, "key 'controlers' is not known; did you mean 'controllers'?"),
        ({"controllers": ["plan"], "sedes": 3}, "did you mean 'seeds'"),
        ({"arms": {"x": {"controler": "plan"}}}, "key 'arms.x.controler' is not known; did you mean 'controller'?"),
        ({"scenarios": [{"path": "a", "bgin": 0}], "controllers": ["plan"]}, "did you mean 'begin'"),
        ({"arms": {"x": {"controller": "plan", "view": "ful"}}}, "arms.x.view"),
        ({"controllers": []}, "name at least one strategy"),
        ({"controllers": ["plan", "plan"]}, "twice"),
        ({"controllers": ["plan"], "scales": [0]}, "scales.0"),
        ({"controllers": ["plan"], "scales": ["a"]}, "scales.0: 'a' is no number"),
        ({"controllers": ["plan"], "timing": "saef"}, "timing.0: 'saef' is not known; did you mean 'safe'?"),
        ({"controllers": ["plan"], "seeds": 0}, "seeds: give at least one"),
        ({"controllers": ["plan"], "baseline": "plna"}, "did you mean 'plan'"),
        ({"controllers": ["plan"], "seeds": []}, "seeds"),
        ({"controllers": ["plan"], "arms": {"plan": {"controller": "x"}}}, "another name"),
    ],
)
def test_bad_values(values: dict[str, object], said: str) -> None:
    """Every mistake is one line naming the file and the key, with the nearest right one."""
    with pytest.raises(InputError) as caught:
        batch("spec.toml", {"scenarios": ["a"], **values})
    assert said in str(caught.value)
    assert str(caught.value).startswith("spec.toml: ")


def test_a_misspelt_key_is_told_once() -> None:
    """A key that must be given and is misspelt is one fault, not two."""
    with pytest.raises(InputError) as caught:
        batch("spec.toml", {"scenarios": ["a"], "arms": {"x": {"controler": "plan"}}})
    assert str(caught.value).count("\n") == 0


def test_what_another_batch_lacks() -> None:
    """A batch with more of anything lacks nothing of the smaller one; what the smaller lacks is named."""
    one = batch("one", {"scenarios": ["cross", {"path": "grid", "end": 300}], "controllers": ["plan"], "seeds": 3})
    more = batch("more", one.model_dump() | {"controllers": ["plan", "webster"], "seeds": [1, 2, 3, 5]})
    assert lacking(one, more) == ""
    assert lacking(more, one) == "controllers webster; seeds 5"
    other = batch("other", {"scenarios": "cross", "controllers": ["plan"], "seeds": 3, "jitter": 30})
    assert lacking(one, other) == "scenarios grid (end 300); jitter 0.0"
    arms = {"controllers": ["plan"], "arms": {"x": {"controller": "webster"}}}
    was = batch("was", {"scenarios": "cross"} | arms)
    assert lacking(was, batch("now", {"scenarios": "cross", "controllers": ["plan"]})) == "arms x"


def test_bad_files(tmp_path: Path) -> None:
    """A missing file and one that is not TOML are named."""
    with pytest.raises(InputError, match=r"none\.toml"):
        read_batch(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("seeds = = 3")
    with pytest.raises(InputError, match=r"bad\.toml: is not TOML"):
        read_batch(tmp_path / "bad.toml")


def test_one_run() -> None:
    """A run goes to plain values and back; its arm is named after its strategies; nonsense is refused."""
    run = RunSpec("cross", "plan", lights={"J2": "webster"})
    assert run.arm == "plan (J2: webster)"
    assert RunSpec(**run.as_dict()) == run
    with pytest.raises(InputError, match="did you mean 'resco'"):
        RunSpec("cross", "plan", timing="resko")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="before it begins"):
        RunSpec("cross", "plan", begin=100, end=50)
    with pytest.raises(InputError, match="above 0"):
        RunSpec("cross", "plan", scale=0)


def test_scenario_path(tmp_path: Path) -> None:
    """A folder with one configuration stands for it; one with none, and a name nobody ships, are refused."""
    (tmp_path / "x.sumocfg").touch()
    assert scenario_path(str(tmp_path)) == tmp_path / "x.sumocfg"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds 0"):
        scenario_path(str(tmp_path / "empty"))
    with pytest.raises(InputError, match=r"atlantis .there is no such file. is not known"):
        scenario_path("atlantis")
