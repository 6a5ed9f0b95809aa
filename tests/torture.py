"""Random ticks by the million: mad wishes on random sites under the judge.

`python tests/torture.py 100000000` is the long run of CONTRIBUTING; the same function runs 10^6 ticks in the tests.
"""

from __future__ import annotations

import sys

import numpy as np

from checker import Judge
from signalwright.core.sequencer import Sequencer
from strategies import random_site


def torture(ticks: int, seed: int, per_site: int = 20_000) -> list[str]:
    """Run `ticks` of 100 ms; returns the breaches of the first site that has any, with the site's number."""
    done = number = 0
    while done < ticks:
        number += 1
        rng = np.random.default_rng([seed, number])
        site = random_site(rng)
        if site is None:
            continue
        sequencer, judge = Sequencer(site), Judge(site)
        temper = rng.choice([0.0, 0.02, 0.2, 0.9])
        calls = rng.random(len(site.groups)) < 0.5
        for tick in range(per_site):
            if tick % 50 == 0:
                calls = rng.random(len(site.groups)) < rng.uniform(0.1, 1.0)
            wish = int(rng.integers(-2, len(site.stages) + 1)) if rng.random() < temper else None
            sequencer.grant(wish, calls)
            judge.see(sequencer.aspects.tolist(), calls.tolist())
            sequencer.elapse(1)
        if judge.breaches:
            return [f"site {number} of seed {seed}: {breach}" for breach in judge.breaches]
        done += per_site
    return []


if __name__ == "__main__":
    wanted = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    root = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    step = 1_000_000
    for part in range(0, wanted, step):
        found = torture(min(step, wanted - part), seed=root + part // step)
        if found:
            sys.exit("\n".join(found[:20]))
        print(f"{min(part + step, wanted):>12,} of {wanted:,} ticks, no breach", flush=True)
