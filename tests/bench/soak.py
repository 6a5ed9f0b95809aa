"""24 simulated hours of random faults: `python tests/bench/soak.py [--hours 24] [--protocol gbt] [--seed 1]`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from soak import Day


def main() -> int:
    """Run it and print the figures; 1 when anything was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--protocol", choices=("gbt", "ntcip", "ab3418"), default="gbt")
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    begin, shown = time.perf_counter(), 0

    def progress(share: float) -> None:
        nonlocal shown
        if int(share * 24) > shown:
            shown = int(share * 24)
            print(f"{share:4.0%} after {time.perf_counter() - begin:.0f} s", flush=True)

    tally = Day(said.protocol, said.seed).live(said.hours * 3600, progress)
    print(f"protocol {said.protocol}, seed {said.seed}, {time.perf_counter() - begin:.0f} s of real time")
    print(tally.table())
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
