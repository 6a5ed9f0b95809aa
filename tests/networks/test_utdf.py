"""UTDF: what Synchro wrote is read as it is, plans go out and come back the same, and foreign files get clear answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from signalwright.core.certify import SafePlan, certify
from signalwright.core.errors import InputError
from signalwright.core.plan import Plan
from signalwright.networks.demand import driven_flows
from signalwright.networks.light import Light
from signalwright.networks.netfile import read_lights
from signalwright.networks.utdf import Section, Utdf, read_utdf, write_utdf
from signalwright.networks.utdfcolumns import columns_of
from signalwright.networks.utdfplan import to_utdf
from signalwright.networks.utdfread import from_utdf
from sumo_material import load

PUBLISHED = """[Network]
Network Settings
RECORDNAME,DATA
UTDFVERSION,8
Metric,0

[Nodes]
Node Data
INTID,TYPE,X,Y,Z,DESCRIPTION
39,0,13811,-51558,0,

[Lanes]
Lane Group Data
RECORDNAME,INTID,NBL,NBT,NBR,SBL,SBT,SBR,EBL,EBT,EBR,WBL,WBT,WBR,PED,HOLD
Phase1,39,5,2,,1,6,,3,8,,7,4,,,

[Timeplans]
Time Plan Data
RECORDNAME,INTID,DATA
Cycle Length,39,73.2
Referenced To,39,0
Reference Phase,39,206
Offset,39,54.5

[Phases]
Phase Data
RECORDNAME,INTID,D1,D2,D3,D4,D5,D6,D7,D8
BRP,39,111,112,211,212,121,122,221,222
Yellow,39,3,4.3,3,3.6,3,4.3,3,3.6
AllRed,39,3,1,3,2.3,3,1,2.9,1.5
Start,39,42.5,54.5,6.6,18.6,42.5,54.5,6.6,18.5
End,39,54.5,6.6,18.6,42.5,54.5,6.6,18.5,42.5
LocalStart,39,61.2,0,25.3,37.3,61.2,0,25.3,37.2
ActGreen,39,6,20,6,18,6,20,6,18.9
"""
"""Rows of an intersection in a file that Synchro wrote (data_bullhead_seg4 of the public project utdf2gmns)."""


def even_plans(lights: dict[str, Light], green: int = 17) -> dict[str, SafePlan]:
    """Every stage green for at least so long, its number of seconds more, offsets that differ."""
    made = {}
    for k, (name, light) in enumerate(lights.items()):
        stages = tuple(stage.name for stage in light.intersection.stages)
        made[name] = certify(
            Plan("new", stages, tuple(green + n for n in range(len(stages))), 7 * k % 30), light.intersection
        )
    return made


@pytest.mark.parametrize("scenario", ["shipped-cross", "shipped-corridor", "shipped-grid"])
def test_plans_come_back_as_they_went(tmp_path: Path, scenario: str) -> None:
    """Stages, greens, offsets, cycles and volumes of every light survive the way out and in, through the file."""
    read = load(scenario)
    lights = read_lights(read)
    plans, flows = even_plans(lights), driven_flows(read, lights, end=600)
    path = tmp_path / "net.csv"
    write_utdf(to_utdf(read, lights, plans, flows), path)
    found, volumes, remarks = from_utdf(read_utdf(path), read, lights, str(path), name="new")
    assert remarks == ()
    assert found == {name: safe.plan for name, safe in plans.items()}
    for name, of_light in flows.items():
        assert sum(volumes[name].values()) == pytest.approx(sum(of_light.values()), abs=len(of_light))
    with pytest.raises(InputError, match="already"):
        write_utdf(to_utdf(read, lights, plans), path)


def test_what_is_written_holds_together_as_synchros_files_do() -> None:
    """As in published files: a phase ends with its green, yellow and all-red, where the next begins; the reference is the offset."""
    read = load("shipped-corridor")
    lights = read_lights(read)
    plans = even_plans(lights)
    sections = to_utdf(read, lights, plans).sections
    assert list(sections) == ["Network", "Nodes", "Links", "Lanes", "Timeplans", "Phases"]
    published = Utdf({"Phases": _section(PUBLISHED, "Phases"), "Timeplans": _section(PUBLISHED, "Timeplans")})
    for phases, times in (
        (published.sections["Phases"].records("39"), published.sections["Timeplans"].records("39")),
        *(
            (sections["Phases"].records(str(k)), sections["Timeplans"].records(str(k)))
            for k in range(1, len(plans) + 1)
        ),
    ):
        cycle, offset = (float(times[record]["DATA"]) for record in ("Cycle Length", "Offset"))
        for d in phases["Start"]:
            start, end = float(phases["Start"][d]), float(phases["End"][d])
            split = sum(float(phases[record][d]) for record in ("ActGreen", "Yellow", "AllRed"))
            assert (end - start) % cycle == pytest.approx(split % cycle, abs=0.11)
            assert phases["End"][d] in phases["Start"].values() or d == "D7"
            assert (start - offset) % cycle == pytest.approx(float(phases["LocalStart"][d]), abs=0.11)


def test_a_published_file_is_read_and_kept(tmp_path: Path) -> None:
    """Sections, titles, columns and every value of rows that Synchro wrote come back from our writer unchanged."""
    path = tmp_path / "published.csv"
    path.write_text(PUBLISHED)
    found = read_utdf(path)
    assert found.sections["Lanes"].records("39")["Phase1"] == {
        "NBL": "5", "NBT": "2", "SBL": "1", "SBT": "6", "EBL": "3", "EBT": "8", "WBL": "7", "WBT": "4",
    }  # fmt: skip
    write_utdf(found, tmp_path / "again.csv")
    assert read_utdf(tmp_path / "again.csv") == found


def test_a_dual_ring_becomes_stages() -> None:
    """The published eight-phase timing runs on a crossing as three stages, begun when its phases begin, its cycle rounded."""
    read = load("shipped-cross")
    lights = read_lights(read, "resco", all_sets=True)
    ((name, light),) = lights.items()
    columns = columns_of(read, light)
    assert {column[:2] for column in columns.of_movement.values()} == {"NB", "SB", "EB", "WB"}
    sides = {c: "12" if c[0] in "NS" else "34" for c in columns.of_movement.values()}
    lanes = Section("", ("RECORDNAME", "INTID", *sides), (("Phase1", "39", *(side[1] for side in sides.values())),))
    phases = Section("", ("RECORDNAME", "INTID", "D2", "D4", "D6", "D8"), tuple(
        (record, "39", *values) for record, values in (
            ("Start", ("54.5", "6.6", "54.5", "6.6")), ("End", ("6.6", "54.5", "6.6", "54.5")),
            ("Yellow", ("4.3", "3.6", "4.3", "3.6")), ("AllRed", ("1", "2.3", "1", "1.5")),
        )
    ))  # fmt: skip
    base = {"Nodes": _section(PUBLISHED, "Nodes"), "Timeplans": _section(PUBLISHED, "Timeplans")}
    utdf = Utdf(base | {"Lanes": lanes, "Phases": phases})
    plans, _flows, remarks = from_utdf(utdf, read, lights, "x.csv", at={name: "39"})
    assert len(plans[name].stages) == 2
    site = light.intersection
    gaps = [
        site.interstage(site.stage_index[a], site.stage_index[b])
        for a, b in (plans[name].stages, plans[name].stages[::-1])
    ]
    assert sum(plans[name].greens) + sum(gaps) == 73
    assert "73.2 s is rounded to 73 s" in remarks[0]


def test_foreign_files_get_one_clear_answer(tmp_path: Path) -> None:
    """No section, a section missing, a row too long, no light by that name, movements that are no stage: each is said."""
    read = load("shipped-cross")
    lights = read_lights(read)
    path = tmp_path / "x.csv"
    for text, words in (
        ("a,b\n1,2\n", "stands before any section"),
        ("", "is empty"),
        ("[Nodes]\nNode Data\nINTID,TYPE\n1,0,5\n", "3 values in section"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_utdf(path)
    path.write_text(PUBLISHED)
    with pytest.raises(InputError, match="no node is called like a light"):
        from_utdf(read_utdf(path), read, lights, "x.csv")
    with pytest.raises(InputError, match="which is no stage of light"):
        from_utdf(read_utdf(path), read, lights, "x.csv", at={next(iter(lights)): "39"})
    with pytest.raises(InputError, match="no light nowhere"):
        from_utdf(read_utdf(path), read, lights, "x.csv", at={"nowhere": "39"})
    with pytest.raises(InputError, match=r"no section \[Phases\]"):
        read_utdf(path).section("Links", "x.csv") if "Links" in read_utdf(path).sections else Utdf({}).section(
            "Phases", "x"
        )


def _section(text: str, name: str) -> Section:
    lines = text.split(f"[{name}]\n")[1].split("\n\n")[0].strip().splitlines()
    head = tuple(lines[1].split(","))
    return Section(lines[0], head, tuple(tuple(line.split(",")) for line in lines[2:]))


def test_a_shared_lane_counts_for_the_way_through() -> None:
    """The crossing's right lane carries straight on and right: two lanes through, shared with right, none for right alone; a way
    through is protected though turns of its group give way."""
    read = load("shipped-cross")
    lights = read_lights(read)
    records = to_utdf(read, lights, even_plans(lights)).sections["Lanes"].records("1")
    for way in ("NB", "SB", "EB", "WB"):
        assert [records["Lanes"][way + turn] for turn in "LTR"] == ["1", "2", "0"]
        assert records["Shared"][way + "T"] == "2"
        assert records["Phase1"].get(way + "T") or records["Phase1"].get(way + "L")
    assert set(records["Phase1"]) >= {"NBT", "SBT", "EBT", "WBT"}
