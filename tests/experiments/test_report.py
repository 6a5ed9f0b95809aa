"""Summaries, tables and the report of a batch."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from lxml import etree

import made_batch
from signalwright.core.errors import ResultError
from signalwright.experiments.figures import in_bins
from signalwright.experiments.report import write_report
from signalwright.experiments.summary import Summary, summarise
from signalwright.experiments.tables import latex, markdown


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "batch"
    made_batch.make(folder)
    return folder


@pytest.fixture(scope="module")
def summary(made: Path) -> Summary:
    return summarise(made)


@pytest.fixture(scope="module")
def report(summary: Summary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(summary, tmp_path_factory.mktemp("report") / "out")


def test_summary(summary: Summary) -> None:
    """The arm that was drawn 10 s better is found better by about that, the one drawn equal is not."""
    (cell,) = summary.cells
    better, same = (cell.comparison(arm) for arm in ("better", "same & <odd>"))
    assert better is not None
    assert same is not None
    assert better.verdict == "better"
    assert better.interval.low < -9.5 < better.difference + 1
    assert better.relative == pytest.approx(-0.25, abs=0.05)
    assert same.verdict == "no difference shown"
    assert cell.comparison("plan") is None
    assert summary.missing == 0
    assert cell.counts["plan"]["emergency_brakings"] == 1.0
    assert summary.ranking.mean_ranks["better"] == 1.0
    assert "pedestrian_delay" not in cell.arms


def test_markdown(summary: Summary) -> None:
    """The Markdown table has a row for each arm, all with the same number of columns, odd names kept whole."""
    lines = [line for line in markdown(summary).splitlines() if line.startswith("| ")]
    table = lines[: 2 + 3]
    assert len({line.count(" |") for line in table}) == 1
    assert [line.split(" | ")[0] for line in table[2:]] == ["| plan", "| better", "| same & <odd>"]


def test_latex_compiles(summary: Summary, tmp_path: Path) -> None:
    """Every row of the LaTeX table has the columns its head has, special letters are escaped; where LaTeX is there, it
    compiles."""
    text = latex(summary)
    rows = [line for line in text.splitlines() if line.endswith("\\\\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {10}
    assert r"same \& \textless{}odd\textgreater{}" in text
    if (program := shutil.which("pdflatex")) is not None:
        (tmp_path / "t.tex").write_text(
            "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\tiny\n" + text + "\\end{document}"
        )
        command = [program, "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


class Reader(HTMLParser):
    """Collects what a page would load, and checks that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "link", "img", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_one_page_offline(report: Path) -> None:
    """The page is well formed, loads nothing from anywhere, and shows every figure."""
    reader = Reader()
    text = report.read_text(encoding="utf-8")
    reader.feed(text)
    assert reader.open == []
    assert all(load.startswith(("#", "data:")) for load in reader.loads)
    assert "@import" not in text
    assert "same &amp; &lt;odd&gt;" in text
    assert "<odd>" not in text
    assert reader.seen.count("svg") == len(list(report.parent.glob("*.svg"))) >= 10


def test_figures_are_files(report: Path) -> None:
    """Each figure is also a file by itself, as SVG that an XML reader takes and as PNG."""
    names = {path.stem for path in report.parent.glob("*.svg")}
    assert {
        "1-delay-intervals",
        "1-difference",
        "1-distribution",
        "1-over-time",
        "1-lights",
        "1-map-1",
        "1-map-3",
    } <= names
    assert {path.stem for path in report.parent.glob("*.png")} == names
    for path in report.parent.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    for path in report.parent.glob("*.svg"):
        assert etree.parse(str(path)).getroot().tag.endswith("svg")


def test_movements(report: Path) -> None:
    """Every movement stands in the page with its delay under each arm, the worst first."""
    table = etree.HTML(report.read_text(encoding="utf-8")).xpath("//details[1]//tbody/tr")
    rows = [["".join(cell.itertext()) for cell in row] for row in table]
    assert rows == [
        ["cross", "south", "east", "50", "20.0", "30.0", "40.0"],
        ["cross", "west", "east", "100", "10.0", "20.0", "30.0"],
    ]


def test_same_report_again(summary: Summary, report: Path, tmp_path: Path) -> None:
    """The same batch gives the same bytes."""
    assert write_report(summary, tmp_path / "out").read_bytes() == report.read_bytes()


def test_without_lanes(tmp_path: Path) -> None:
    """A batch that kept no lane tables is reported without map; too few seeds are warned of, with how many would do."""
    made_batch.make(tmp_path / "b", lanes=False, seeds=3)
    text = write_report(summarise(tmp_path / "b"), tmp_path / "out").read_text()
    assert "map-1" not in text
    assert "3 seeds can show no difference, whatever it is, among 3 strategies; run at least 7" in text


def test_gridlocks_stay_visible(tmp_path: Path) -> None:
    """A batch in which one arm is always jammed is not called better, and missing runs are told."""
    made_batch.make(tmp_path / "b", means={"plan": 40.0, "better": 90.0, "same & <odd>": 41.0}, lanes=False)
    shutil.rmtree(tmp_path / "b" / "runs" / "plan03")
    summary = summarise(tmp_path / "b")
    found = summary.cells[0].comparison("better")
    assert found is not None
    assert (found.verdict, found.n) == ("worse", 11)
    assert summary.warnings == ["1 runs of this batch have no result yet, or failed"]
    with pytest.raises(ResultError, match="'wind' is no arm"):
        summarise(tmp_path / "b", baseline="wind")


@pytest.mark.parametrize(("window", "width"), [(3600.0, 300.0), (900.0, 60.0), (300.0, 30.0)])
def test_bins(window: float, width: float) -> None:
    """Delay over time is the mean of each bin, its band the least and the most of the seeds; a short window has finer bins."""
    times = [7200.0, 7200.0 + width - 1, 7200.0 + width, 7200.0 + window - 1]
    seeds = [
        pl.DataFrame({"scheduled": times, "time_loss": [1.0, 3.0, 10.0 * k, 0.0], "depart_delay": [0.0] * 4})
        for k in (1, 2)
    ]
    table = in_bins(seeds)
    assert table["time"].to_list() == [width / 2, 1.5 * width, window - width / 2]
    assert np.allclose(table.select("low", "mean", "high").to_numpy(), [[2, 2, 2], [10, 15, 20], [0, 0, 0]])
