"""A small map written by hand, in the form OpenStreetMap exports: a main street, two streets across it with lights, one without."""

from __future__ import annotations

from pathlib import Path

LAT, LON = 50.0, 8.0
METRE = 1 / 111_320

NODES = {
    1: (-400, 0), 2: (0, 0), 3: (300, 0), 4: (600, 0), 5: (1000, 0),
    6: (0, 300), 7: (0, -300), 8: (300, 300), 9: (300, -300), 10: (600, 300), 11: (600, -300), 12: (-200, 0),
}  # fmt: skip
"""Node -> place [m] east and north of the first crossing."""
SIGNALS = {2: "highway", 3: "highway", 12: "crossing"}
"""Nodes with a traffic signal, and the tag that says so."""
WAYS = {
    101: ([1, 12, 2, 3, 4, 5], {"highway": "primary", "name": "Main Street", "lanes": "4", "maxspeed": "50"}),
    102: ([7, 2, 6], {"highway": "secondary", "name": "First Street", "lanes": "2", "turn:lanes:forward": "left;through;right"}),
    103: ([9, 3, 8], {"highway": "secondary", "name": 'Second "Old" Street', "maxspeed": "30"}),
    104: ([11, 4, 10], {"highway": "residential", "name": "Third Street"}),
    105: ([6, 8], {"highway": "footway", "name": "A path"}),
}  # fmt: skip


def text(signals: bool = True) -> str:
    """The extract as XML."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="by hand">']
    for node, (x, y) in NODES.items():
        tag = f'<tag k="{SIGNALS[node]}" v="traffic_signals"/>' if signals and node in SIGNALS else ""
        lines.append(
            f'<node id="{node}" lat="{LAT + y * METRE:.7f}" lon="{LON + x * METRE / 0.6428:.7f}" version="1">{tag}</node>'
        )
    for way, (nodes, tags) in WAYS.items():
        inner = "".join(f'<nd ref="{node}"/>' for node in nodes)
        inner += "".join(f"<tag k='{key}' v='{value}'/>" for key, value in tags.items())
        lines.append(f'<way id="{way}" version="1">{inner}</way>')
    return "\n".join([*lines, "</osm>\n"])


def write(path: Path, signals: bool = True) -> Path:
    """The extract as a file."""
    path.write_text(text(signals), encoding="utf-8")
    return path
