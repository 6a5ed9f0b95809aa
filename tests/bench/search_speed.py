"""Speed of one decision: the kernel and the same search in C, side by side on the same junctions, by turns, in processor time.

python tests/bench/search_speed.py [stages] [horizon]
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from naive_search import arrays_of, random_problem
from signalwright.core.kernels import search as kernels

FINE, MOST, BEAM, LANES, CHANGE, ROUNDS, TURNS = 10, 16, 8, 16, 8, 200, 9


def _library() -> ctypes.CDLL:
    out = Path(tempfile.mkdtemp()) / "search.so"
    source = Path(__file__).with_name("search_reference.c")
    subprocess.run(
        ["gcc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", str(source), "-o", str(out)], check=True
    )
    return ctypes.CDLL(str(out))


class _Search(ctypes.Structure):
    _floats = ("arrivals", "opens", "weight", "rates", "steady", "waiting", "against", "reach", "clearing")
    _ints = ("length", "begins", "given", "giver", "skip")
    _fields_ = (
        [(name, ctypes.c_int) for name in ("lanes", "stages", "horizon", "beam")]
        + [(name, ctypes.c_void_p) for name in (*_floats, *_ints)]
        + [(name, ctypes.c_float) for name in ("stop", "change", "hopeless")]
        + [(name, ctypes.c_void_p) for name in ("paid", "bound", "queues", "firsts", "parents", "held", "flow", "line")]
    )


def main() -> None:
    stages, horizon = [int(x) for x in (sys.argv[1:] + ["8", "90"][len(sys.argv) - 1 :])]
    library = _library()
    ours, theirs = [], []
    for seed in range(ROUNDS):
        problem = random_problem(np.random.default_rng(seed), stages, LANES, horizon, CHANGE)
        a = arrays_of(problem, BEAM)
        c = {key: value.copy() for key, value in a.items()}
        s = _Search(LANES, stages, horizon, BEAM)
        for name, kind in _Search._fields_[4:]:
            if kind is ctypes.c_void_p:
                setattr(s, name, c[name].ctypes.data)
        s.stop, s.change, s.hopeless = (float(x) for x in a["prices"])
        places = [ctypes.c_void_p(c[name].ctypes.data) for name in ("queue", "best")]
        if seed == 0:
            kernels.search(0, -1, 0, FINE, MOST, *a.values())
        mine, its = [], []
        for _ in range(TURNS):
            begin = time.thread_time_ns()
            code = kernels.search(0, -1, 0, FINE, MOST, *a.values())
            middle = time.thread_time_ns()
            same = library.search(ctypes.byref(s), 0, FINE, MOST, *places)
            mine.append(middle - begin)
            its.append(time.thread_time_ns() - middle)
        ours.append(min(mine))
        theirs.append(min(its))
        cost, reference = a["bound"].ravel()[code], c["bound"].ravel()[same]
        if abs(cost - reference) > 2e-3 * reference:
            raise SystemExit(f"the two differ: {cost} and {reference}")
    for name, times in (("kernel", ours), ("C", theirs)):
        ms = 1e-6 * np.array(times)
        print(f"{name:8s} median {np.median(ms):.3f} ms, p99 {np.percentile(ms, 99):.3f} ms, least {ms.min():.3f} ms")
    ratio = np.array(theirs) / np.array(ours)
    least, tenth = np.median(ratio), np.percentile(ratio, 10)
    print(f"kernel over C, the least of {TURNS} turns each: {least:.2f} times as fast (tenth part under {tenth:.2f})")


if __name__ == "__main__":
    main()
