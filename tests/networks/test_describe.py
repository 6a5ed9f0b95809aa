"""A light as plain data says what its intersection says."""

from __future__ import annotations

import json
from pathlib import Path

from signalwright.networks.describe import describe
from signalwright.networks.netfile import read_lights
from signalwright.networks.scenario import read_scenario
from sumo_material import load


def test_a_summary_agrees_with_the_site() -> None:
    """Groups, stages, conflicts, interstages and links are those of the intersection, and survive JSON."""
    scenario = load("shipped-cross")
    light = read_lights(scenario, "safe")["cross"]
    site, summary = light.intersection, describe(light, scenario)
    assert [group.name for group in summary.groups] == [group.name for group in site.groups]
    assert [set(stage.green) for stage in summary.stages] == [set(stage.green) for stage in site.stages]
    assert len(summary.conflicts) == int(site.exclusive.sum())
    assert sorted(index for group in summary.groups for index in group.links) == list(range(light.n_letters))
    for row, stage in enumerate(summary.stages):
        assert stage.letters == light.stage_letters(row)
        for name, seconds in stage.interstages:
            assert seconds == site.interstage(row, site.stage_index[name])
    assert json.loads(json.dumps(summary.to_dict()))["active"] == "0"


def test_approaches_go_by_street_name(tmp_path: Path) -> None:
    """Where the net knows street names they are used; without a scenario the edge's name stands."""
    net = tmp_path / "named.net.xml"
    text = load("shipped-cross").net.read_text(encoding="utf-8")
    net.write_text(
        text.replace('<edge id="east.cross.bay"', '<edge id="east.cross.bay" name="Hauptstraße"'), encoding="utf-8"
    )
    scenario = read_scenario(net)
    light = read_lights(scenario)["cross"]
    named, bare = describe(light, scenario), describe(light)
    assert named.streets == ("Hauptstraße",)
    assert {group.approach for group in named.groups if "east.cross.bay_1" in group.lanes} == {"Hauptstraße"}
    assert {group.approach for group in bare.groups if "east.cross.bay_1" in group.lanes} == {"east.cross.bay"}
