"""What an engineer can get wrong, and the one message each of it gets: it names the thing and says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signalwright.core.certify import certify
from signalwright.core.errors import CountsError, InputError
from signalwright.core.plan import Plan
from signalwright.core.planning.fixed import webster_plan
from signalwright.core.planning.network import optimise
from signalwright.experiments.counted import counted_flows, sample_routes
from signalwright.experiments.dayplans import plan_day
from signalwright.experiments.planner import plan_scenario
from signalwright.experiments.planout import check_free
from signalwright.experiments.validate import validate
from signalwright.experiments.worked import worked_out
from signalwright.networks.demand import driven_journeys, flows_of
from signalwright.networks.netfile import read_lights
from signalwright.networks.planfile import plan_file, write_plan_file
from signalwright.networks.streets import streets_of
from sumo_material import load


def file(folder: Path, text: str) -> Path:
    """A file of counts with this text."""
    path = folder / "counts.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("detector,begin,count\nnobody,0,10\n", r"counts\.csv, line 2: there is no detector nobody in the scenario"),
        ("detector,begin,count\na,0,-7\n", "line 2: a: a count of -7 cannot be; leave a gap empty"),
        ("detector,begin,count\na,0,many\n", "line 2: a: 'many' is no number; leave a gap empty"),
        ("detector,begin,count\na,0,inf\n", "a count of inf cannot be"),
        ("detector,count\na,1\n", "has no column begin"),
        ("detector,begin,count,occupancy\na,0,7,180\n", "line 2: a: an occupancy of 180 % cannot be"),
        ("detector,begin,count\n\n\na,0,-7\n", "line 4: a: a count of -7"),
        ("edge,begin,count\nnowhere,0,10\n", r"there is no edge nowhere in cross\.sumocfg, for the edge nowhere"),
        ("from,to,begin,count\nnowhere,away,0,10\n", "there is no edge nowhere .* for the turn nowhere->away"),
        ("", "is empty"),
    ],
)
def test_counts_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    """Unknown detectors, negative counts, words for numbers, columns that lack, an empty file."""
    with pytest.raises(CountsError, match=words):
        counted_flows("cross", [file(tmp_path, text)])


def test_counts_no_lane_can_carry_are_left_out_and_named(tmp_path: Path) -> None:
    """9000 vehicles in a quarter of an hour on a loop are not believed, and the message names loop and flow."""
    lights = read_lights(load("shipped-cross"))
    lane_of = next(lane.name for light in lights.values() for lane in light.intersection.lanes)
    other = next(lane.name for light in lights.values() for lane in light.intersection.lanes if lane.name != lane_of)
    text = "\n".join(f"{name},{at},{count}" for name, count in ((lane_of, 9000), (other, 100)) for at in (0, 900))
    remarks = counted_flows("cross", [file(tmp_path, f"detector,begin,count\n{text}\n")]).remarks
    assert any(f"detector {lane_of}: counts 36000 veh/h, more than a lane can carry" in remark for remark in remarks)
    with pytest.raises(CountsError, match=f"none of the counts can be used: detector {lane_of}: counts 36000 veh/h"):
        counted_flows("cross", [file(tmp_path, f"detector,begin,count\n{lane_of},0,9000\n")])


def test_turns_no_road_can_carry_are_left_out_and_named(tmp_path: Path) -> None:
    """9000 vehicles in a quarter of an hour need more lanes than there are."""
    movement = read_lights(load("shipped-cross"))["cross"].intersection.movements[0]
    rows = "from,to,begin,count\n" + "\n".join(f"{movement.origin},{movement.destination},{at},9000" for at in (0, 900))
    with pytest.raises(CountsError, match=r"counts 36000 veh/h, more than \d lanes can carry; it is left out"):
        counted_flows("cross", [file(tmp_path, rows)])


def test_flows_that_cannot_be() -> None:
    """An absurd flow of a movement is refused with its light and movement."""
    light = read_lights(load("shipped-cross"))["cross"]
    movement = light.intersection.movements[0].name
    with pytest.raises(InputError, match="cannot be; correct the counts"):
        plan_scenario("cross", {"cross": {movement: -3.0}}, end=300)
    with pytest.raises(InputError, match="no movement nothing"):
        plan_scenario("cross", {"cross": {"nothing": 3.0}}, end=300)


def test_a_cycle_below_the_minima() -> None:
    """Too short a cycle is refused with what the minima need."""
    read = load("shipped-cross")
    lights = read_lights(read)
    journeys = driven_journeys(read, lights, end=600)
    streets, _sites = streets_of(lights, flows_of(journeys, lights), journeys)
    shortest = streets.shortest_cycle()
    with pytest.raises(InputError, match=f"none of the cycles 10 s holds the minima, which need {shortest} s"):
        optimise(streets, cycles=[10])
    with pytest.raises(InputError, match="minima"):
        webster_plan(lights["cross"].intersection, flows_of(journeys, lights)["cross"], longest_cycle=20)


def test_a_saturated_site_is_said() -> None:
    """Three times the traffic: the calculation says that no cycle carries it, and which lane is worst."""
    read = load("shipped-cross")
    light = read_lights(read)["cross"]
    flows = {
        name: 6.0 * flow
        for name, flow in flows_of(driven_journeys(read, {"cross": light}, end=600), {"cross": light})["cross"].items()
    }
    plan, found = webster_plan(light.intersection, flows)
    assert sum(plan.greens) <= found.cycle
    worked = worked_out(light.intersection, plan, flows)
    assert any(remark.startswith("oversaturated: no cycle can carry this traffic") for remark in worked.remarks)
    assert any("over their capacity, the worst is" in remark for remark in worked.remarks)


def test_a_plan_for_another_net(tmp_path: Path) -> None:
    """A plan file of the crossing does not fit the corridor, and one for other stages does not fit the crossing."""
    lights = read_lights(load("shipped-cross"))
    site = lights["cross"].intersection
    plan = certify(Plan("p", tuple(s.name for s in site.stages), tuple(30 for _ in site.stages)), site)
    made = plan_file(lights, {"p": {"cross": plan}}, "safe")
    write_plan_file(made, tmp_path / "plan.toml")
    with pytest.raises(InputError, match="it is a plan for another net: there is no light cross"):
        validate("corridor", tmp_path / "plan.toml")
    strange = {"cross": dict.fromkeys(made.stages["cross"], ("someone",))}
    write_plan_file(replace(made, stages=strange), tmp_path / "strange.toml")
    with pytest.raises(InputError, match="it is a plan for another net: stage"):
        validate("cross", tmp_path / "strange.toml")


def test_nothing_is_written_over_unasked(tmp_path: Path) -> None:
    """A directory with a plan in it, a route file, a plan file: all are kept, and the way out is named."""
    (tmp_path / "plan.toml").write_text("kept")
    with pytest.raises(InputError, match=r"holds plan\.toml already; name another directory, or give --overwrite"):
        check_free(tmp_path)
    routes = tmp_path / "out.rou.xml"
    routes.write_text("kept")
    with pytest.raises(InputError, match="already"):
        sample_routes("cross", [file(tmp_path, "from,to,begin,count\na,b,0,1\n")], routes)
    assert (routes.read_text(), (tmp_path / "plan.toml").read_text()) == ("kept", "kept")
    with pytest.raises(InputError, match="is a file; name a directory"):
        check_free(routes)


def test_a_day_without_a_day(tmp_path: Path) -> None:
    """A file that is not there, and a day of three intervals."""
    with pytest.raises(InputError, match="is not there; name a file of counts"):
        plan_day("cross", [tmp_path / "none.csv"])
