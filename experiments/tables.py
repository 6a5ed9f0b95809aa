"""The tables of a comparison, in Markdown for a page and in LaTeX for a paper."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.messages import _
from .statistics import Arm, Comparison
from .summary import HEADLINE, Cell, Summary

UNITS = {
    "delay": "s/veh", "p95_delay": "s", "trip_time": "s/veh", "waiting_time": "s/veh", "stops": "1/veh",
    "depart_delay": "s/veh", "pedestrian_delay": "s/ped", "longest_red": "s",
}  # fmt: skip


def metric_name(metric: str) -> str:
    """What a metric is called in tables, with its unit."""
    names = {
        "delay": _("delay"),
        "p95_delay": _("95th percentile of delay"),
        "trip_time": _("trip time"),
        "waiting_time": _("waiting time"),
        "stops": _("stops"),
        "depart_delay": _("delay before insertion"),
        "pedestrian_delay": _("pedestrians' delay"),
        "longest_red": _("longest red with demand"),
    }
    return f"{names.get(metric, metric)} [{UNITS.get(metric, '')}]"


def head() -> list[str]:
    """Column titles of a cell's table."""
    return [
        _("strategy"),
        _("delay [s/veh] (95 %)"),
        _("median"),
        _("worst seed"),
        _("gridlocks"),
        _("difference (95 %)"),
        _("change"),
        _("p (Holm)"),
        _("effect"),
        _("P(better)"),
        _("verdict"),
    ]


def cell_rows(cell: Cell, metric: str = HEADLINE) -> list[list[str]]:
    """One row of texts for each arm of a cell, in the columns of `head`."""
    return [_row(arm, cell.comparison(arm.name, metric)) for arm in cell.arms[metric]]


def _row(arm: Arm, against: Comparison | None) -> list[str]:
    row = [
        arm.name,
        f"{arm.mean:.1f} ({arm.interval.low:.1f} .. {arm.interval.high:.1f})",
        f"{arm.median:.1f}",
        f"{arm.worst:.1f}",
        f"{arm.gridlocks}/{arm.n}",
    ]
    if against is None:
        return [*row, "", "", "", "", "", ""]
    return [
        *row,
        f"{against.difference:+.1f} ({against.interval.low:+.1f} .. {against.interval.high:+.1f})",
        f"{100 * against.relative:+.0f} %",
        f"{against.p_holm:.3f}" if against.p_holm >= 0.001 else "< 0.001",
        f"{against.effect:.2f}",
        f"{against.improvement:.2f}",
        against.verdict,
    ]


def markdown(summary: Summary) -> str:
    """All cells as Markdown tables, each with its warnings."""
    parts = [f"> {text}\n" for text in summary.warnings]
    for cell in summary.cells:
        parts.append(f"### {cell.name}\n")
        parts.append(markdown_table(head(), cell_rows(cell)))
        parts += [f"- {text}" for text in cell_warnings(cell)]
        parts.append("")
    if ranks := summary.ranks:
        parts.append("### " + _("Mean rank over {n} maps (1 is best)").format(n=len(summary.cells)) + "\n")
        parts.append(
            markdown_table([_("strategy"), _("rank")], [[name, f"{rank:.2f}"] for name, rank in ranks.items()])
        )
        parts += [f"- {text}" for text in ranking_notes(summary)]
    return "\n".join(parts) + "\n"


def cell_warnings(cell: Cell) -> list[str]:
    """What to say below a cell's table: seeds too few for a claim, and how many would do."""
    return [f"{found.arm}: {found.warning}" for found in cell.comparisons.get(HEADLINE, ()) if found.warning]


def ranking_notes(summary: Summary) -> list[str]:
    """What the test of the ranks says."""
    ranking = summary.ranking
    if ranking.p is None or ranking.critical_difference is None:
        return [_("ranks of fewer than 5 maps, or fewer than 3 strategies, bear no test")]
    text = _("Friedman test: p = {p:.3g}; ranks further apart than {cd:.2f} differ (Nemenyi, 5 %)")
    return [text.format(p=ranking.p, cd=ranking.critical_difference)]


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts in Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines) + "\n"


def latex(summary: Summary) -> str:
    """All cells as one LaTeX table (booktabs), for \\input in a paper."""
    titles = head()
    lines = [
        "% " + _("written by signalwright; needs \\usepackage{{booktabs}}").format(),
        "\\begin{tabular}{l" + "r" * (len(titles) - 2) + "l}",
        "\\toprule",
        " & ".join(_tex(title) for title in titles) + " \\\\",
    ]
    for cell in summary.cells:
        lines += ["\\midrule", f"\\multicolumn{{{len(titles)}}}{{l}}{{\\textit{{{_tex(cell.name)}}}}} \\\\"]
        lines += [" & ".join(_tex(text) for text in row) + " \\\\" for row in cell_rows(cell)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


_TEX = {"&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}",
        "^": "\\textasciicircum{}", "\\": "\\textbackslash{}", "<": "\\textless{}", ">": "\\textgreater{}"}  # fmt: skip


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in text).replace("..", "--")
