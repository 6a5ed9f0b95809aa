"""Found plans against the net's own and against SUMO's tlsCycleAdaptation and tlsCoordinator: a table, paired seeds.

    python tests/bench/plan_quality.py SCENARIO... --timing resco --seeds 10 --polish 60 --out DIR

What is in DIR already is taken as it is, so that an interrupted measurement goes on. Demand as the scenario has it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from signalwright.experiments.planner import plan_scenario
from signalwright.experiments.planout import write_planned
from signalwright.experiments.spec import scenario_path
from signalwright.experiments.trial import Trial, try_all
from signalwright.experiments.validate import paired_interval
from signalwright.networks.demand import driven_vehicles, window_end
from signalwright.networks.scenario import Scenario, read_scenario
from signalwright.networks.simulator import find_sumo


def tools(scenario: Scenario, out: Path, yellow: int) -> tuple[str, ...]:
    """The additional files SUMO's own tools make of the scenario: cycles and splits, then offsets."""
    routes, splits, offsets = out / "driven.rou.xml", out / "adapted.add.xml", out / "coordinated.add.xml"
    if not offsets.exists():
        lines = [
            f'<vehicle id={quoteattr(name)} depart="{depart:.2f}"><route edges={quoteattr(" ".join(way))}/></vehicle>'
            for depart, name, way in sorted(driven_vehicles(scenario))
            if way
        ]
        routes.write_text("\n".join(["<routes>", *lines, "</routes>\n"]), encoding="utf-8")
        sumo = find_sumo()
        for name, options in (
            ("tlsCycleAdaptation.py", ["-r", routes, "-b", f"{scenario.begin:g}", "-y", yellow, "-o", splits]),
            ("tlsCoordinator.py", ["-r", routes, "-a", splits, "-o", offsets]),
        ):
            command = [sys.executable, sumo.home / "tools" / name, "-n", scenario.net, *options]
            subprocess.run(list(map(str, command)), env=sumo.environment(), check=True, stdout=subprocess.DEVNULL)
    return str(splits), str(offsets)


def measured(source: str, out: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Delays of all arms, seed by seed."""
    out.mkdir(parents=True, exist_ok=True)
    scenario = read_scenario(scenario_path(source))
    end = window_end(scenario)
    if not (out / "calculation.json").exists():
        planned = plan_scenario(
            source, timing=arguments.timing, polish=arguments.polish, seeds=arguments.plan_seeds, end=end,
            workers=arguments.workers, journal=out / "trials.jsonl", told=lambda text: print("  ", text, file=sys.stderr, flush=True),
        )  # fmt: skip
        write_planned(planned, out, "signalwright", overwrite=True)
    arms: dict[str, tuple[str, ...]] = {"in force": (), "SUMO's tools": tools(scenario, out, 3)}
    if (out / "plan.add.xml").exists():
        arms["found"] = (str(out / "plan.add.xml"),)
    kept = out / "trials.json"
    rows: list[dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else []
    known = {(row["arm"], row["seed"]) for row in rows}
    for seed in range(1, arguments.seeds + 1):
        trials = [Trial(source, arm, seed, files, end=end) for arm, files in arms.items() if (arm, seed) not in known]
        rows += try_all(trials, arguments.workers)
        kept.write_text(json.dumps(rows))
    rows = [row for row in rows if row["seed"] <= arguments.seeds]
    found: dict[str, Any] = {"scenario": scenario.name}
    delays = {arm: np.array([row["delay"] for row in rows if row["arm"] == arm]) for arm in arms}
    for arm in arms:
        locks = sum(bool(row["locked"]) for row in rows if row["arm"] == arm)
        found[arm] = {"mean": float(delays[arm].mean()), "worst": float(delays[arm].max()), "locked": locks}
    if "found" in arms:
        best = min(("in force", "SUMO's tools"), key=lambda arm: float(delays[arm].mean()))
        found["less"] = 1.0 - float(delays["found"].mean()) / float(delays[best].mean())
        for other in ("in force", "SUMO's tools"):
            interval = paired_interval(delays[other] - delays["found"])
            found[f"gain on {other}"] = (interval.low, interval.high)
    return found


def shown(found: dict[str, Any], seeds: int) -> str:
    """A row of the table."""
    cells = [found["scenario"]]
    for arm in ("in force", "SUMO's tools", "found"):
        one = found.get(arm)
        locks = f", locked {one['locked']}" if one and one["locked"] else ""
        cells.append(f"{one['mean']:.1f} (worst {one['worst']:.1f}{locks})" if one else "no improvement shown")
    for other in ("in force", "SUMO's tools"):
        gain = found.get(f"gain on {other}")
        cells.append(f"[{gain[0]:.1f}, {gain[1]:.1f}]" if gain else "")
    cells.append(f"{100 * found['less']:.0f} %" if "less" in found else "")
    return "| " + " | ".join([*cells, str(seeds)]) + " |"


def main() -> None:
    """Measure, and print a row for each scenario as it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="+")
    parser.add_argument("--timing", default="resco", choices=("safe", "resco"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--plan-seeds", type=int, default=4)
    parser.add_argument("--polish", type=int, default=None)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    print(
        "| scenario | in force | SUMO's tools | found | gain on in force | on the tools | less than the better | seeds |"
    )
    for source in arguments.scenarios:
        found = measured(source, arguments.out / Path(source).stem.replace("run", Path(source).parent.name), arguments)
        print(shown(replace_name(found, source), arguments.seeds), flush=True)


def replace_name(found: dict[str, Any], source: str) -> dict[str, Any]:
    """The row under the name of the scenario's folder where its file is called run."""
    path = Path(source)
    return found | {"scenario": path.parent.name if path.stem == "run" else path.stem}


if __name__ == "__main__":
    main()
