"""What a batch costs over its runs: `python tests/bench/batch_overhead.py [--workers N] [--seeds N] [--window S]`.

The ideal is the time of the single runs, one after another in one warm process each, divided over the workers; the overhead is what the
batch's wall time is above that (starting workers, handing out jobs, writing results, tables). The runs' own times are those of the batch
itself, so that a busy machine slows both alike.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from signalwright.experiments.compare import compare
from signalwright.experiments.spec import batch


def main() -> None:
    """Run a batch and print its overhead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--window", type=float, default=3600.0)
    asked = parser.parse_args()
    values = {
        "scenarios": ["cross", "corridor"],
        "controllers": ["plan"],
        "seeds": asked.seeds,
        "end": asked.window,
        "tables": False,
    }
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = compare(batch("bench", values), Path(folder, "batch"), workers=asked.workers)
        wall = time.perf_counter() - began
    ideal = float(done.runs["wall_s"].sum()) / asked.workers
    text = f"{len(done.runs)} runs, {asked.workers} workers: {wall:.1f} s, the runs alone {ideal:.1f} s"
    print(f"{text}, overhead {100 * (wall / ideal - 1):.1f} %")


if __name__ == "__main__":
    main()
