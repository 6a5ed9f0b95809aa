"""The metrics of a run, held against SUMO's own statistic output."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from signalwright.core.errors import ResultError
from signalwright.experiments.metrics import Metrics, Trips, measure, read_statistic, read_trips

sumo = pytest.importorskip("sumo")

NET = """<nodes><node id="a" x="0" y="0"/><node id="b" x="300" y="0" type="traffic_light"/><node id="c" x="600" y="0"/>
<node id="s" x="300" y="-300"/><node id="n" x="300" y="300"/></nodes>"""
EDGES = (
    "<edges>"
    + "".join(
        f'<edge id="{a}{b}" from="{a}" to="{b}" numLanes="1" speed="13.9" sidewalkWidth="2"/>'
        for a, b in ("ab", "ba", "bc", "cb", "sb", "bs", "nb", "bn")
    )
    + "</edges>"
)
# far more than the lanes carry, so that vehicles are left waiting outside and others are still under way at the end
ROUTES = """<routes><flow id="w" begin="0" end="600" from="ab" to="bc" period="1.5"/>
<flow id="s" begin="0" end="600" from="sb" to="bn" period="3"/>
<personFlow id="p" begin="0" end="300" period="20"><walk from="ab" to="bc"/></personFlow></routes>"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of ten minutes of one crowded crossing."""
    folder = tmp_path_factory.mktemp("crowded")
    for name, text in (("n.nod.xml", NET), ("e.edg.xml", EDGES), ("r.rou.xml", ROUTES)):
        (folder / name).write_text(text)
    binaries = Path(sumo.SUMO_HOME) / "bin"
    environment = {**os.environ, "SUMO_HOME": str(sumo.SUMO_HOME)}
    for command in (
        "netconvert -n n.nod.xml -e e.edg.xml -o x.net.xml --crossings.guess --no-warnings",
        "sumo -n x.net.xml -r r.rou.xml -e 600 --time-to-teleport -1 --no-step-log --no-warnings"
        " --duration-log.statistics --statistic-output s.xml --tripinfo-output t.xml --tripinfo-output.write-unfinished"
        " --tripinfo-output.write-undeparted",
    ):
        name, *arguments = command.split()
        subprocess.run([str(binaries / name), *arguments], cwd=folder, check=True, capture_output=True, env=environment)
    return folder


@pytest.fixture(scope="module")
def trips(outputs: Path) -> Trips:
    return read_trips(outputs / "t.xml", 600.0)


@pytest.fixture(scope="module")
def metrics(outputs: Path, trips: Trips) -> Metrics:
    return measure(trips, read_statistic(outputs / "s.xml"))


def test_agrees_with_sumo(outputs: Path, metrics: Metrics) -> None:
    """Means over inserted vehicles, vehicle counts and walking time lost are SUMO's own to the centisecond it cuts
    at."""
    statistic = read_statistic(outputs / "s.xml")
    theirs = statistic["vehicleTripStatistics"]
    assert metrics.inserted == theirs["count"]
    assert metrics.trip_time == pytest.approx(theirs["duration"], abs=0.006)
    assert metrics.time_loss == pytest.approx(theirs["timeLoss"], abs=0.011)
    assert metrics.waiting_time == pytest.approx(theirs["waitingTime"], abs=0.006)
    assert metrics.scheduled == statistic["vehicles"]["inserted"] + statistic["vehicles"]["waiting"]
    assert metrics.arrived == statistic["vehicles"]["inserted"] - statistic["vehicles"]["running"]
    assert metrics.pedestrians == statistic["pedestrianStatistics"]["number"] == 15
    assert metrics.pedestrian_delay == pytest.approx(statistic["pedestrianStatistics"]["timeLoss"], abs=0.006)


def test_waiting_outside_counts(outputs: Path, trips: Trips, metrics: Metrics) -> None:
    """Vehicles never inserted wait until the end of the window, and all waiting outside adds up to SUMO's total."""
    outside = trips.vehicles.filter(trips.vehicles["state"] == "waiting")
    assert len(outside) > 20
    assert (outside["scheduled"] + outside["depart_delay"]).to_list() == [600.0] * len(outside)
    total = read_statistic(outputs / "s.xml")["vehicleTripStatistics"]["totalDepartDelay"]
    assert metrics.depart_delay * metrics.scheduled == pytest.approx(total, abs=0.01 * metrics.scheduled)
    assert metrics.delay * metrics.scheduled == pytest.approx(metrics.time_loss * metrics.inserted + total, rel=1e-4)


def test_tail(trips: Trips, metrics: Metrics) -> None:
    """p95 is the delay that one vehicle in twenty exceeds."""
    delays = sorted((trips.vehicles["time_loss"] + trips.vehicles["depart_delay"]).to_list())
    assert abs(sum(value > metrics.p95_delay for value in delays) - len(delays) / 20) <= 1


@pytest.mark.parametrize("wait", ["0.40", "1.00"])
def test_due_at_the_very_end(outputs: Path, tmp_path: Path, wait: str) -> None:
    """A vehicle due within the last second is scheduled though SUMO never tried it, even where its wait is rounded up to that
    second; one due at the end is outside the window."""
    late = """<tripinfo id="{0}" depart="-1" departLane="" departPos="-1" departSpeed="-1" departDelay="{1}"
    arrival="-1"
        arrivalLane="" arrivalPos="-1" arrivalSpeed="-1" duration="0" routeLength="0" waitingTime="0" waitingCount="0"
        stopTime="0" timeLoss="0" rerouteNo="0" devices="" vType="x" speedFactor="1" vaporized="end"/>"""
    text = (outputs / "t.xml").read_text()
    both = late.format("last", wait) + late.format("after", "0.00")
    (tmp_path / "t.xml").write_text(text.replace("</tripinfos>", both + "</tripinfos>"))
    trips = read_trips(tmp_path / "t.xml", 600.0)
    metrics = measure(trips, read_statistic(outputs / "s.xml"))
    assert (
        metrics.scheduled
        == measure(read_trips(outputs / "t.xml", 600.0), read_statistic(outputs / "s.xml")).scheduled + 1
    )
    assert trips.vehicles["id"][-1] == "last"
    assert trips.vehicles["scheduled"][-1] == 600.0 - float(wait)


def test_missing_vehicles_are_noticed(outputs: Path, trips: Trips) -> None:
    """A tripinfo output without the vehicles that never got in is refused, with the option that is missing."""
    short = Trips(trips.vehicles.filter(trips.vehicles["state"] != "waiting"), trips.walk_losses)
    with pytest.raises(ResultError, match="write-undeparted"):
        measure(short, read_statistic(outputs / "s.xml"))


def test_broken_file(tmp_path: Path) -> None:
    """A cut-off output is one clear error that names the file."""
    (tmp_path / "t.xml").write_text("<tripinfos><tripinfo id='a'")
    with pytest.raises(ResultError, match=r"t\.xml"):
        read_trips(tmp_path / "t.xml", 1.0)
    with pytest.raises(ResultError, match=r"none\.xml"):
        read_statistic(tmp_path / "none.xml")
