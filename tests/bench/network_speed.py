"""Speed of the network evaluator, side by side with the same layout written by hand in C, in one run.

    python tests/bench/network_speed.py [--repeats 15]

Prints full evaluations per second and core on a 4 x 4 grid (80 links, 90 bins, two sweeps of two rounds: four cycles a
link), Numba against C by turns, evaluations of changes at one intersection, cost per link from 20 to 4000 links, and
the form with storage. CPU time of one process; the best and the median of the repeats. Needs gcc for the comparison.
"""

from __future__ import annotations

import argparse
import ctypes
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from planning_networks import grid, random_plans, streets
from signalwright.core.kernels.changes import base_for, evaluate_changes, remember
from signalwright.core.kernels.layout import Network, scratch_for
from signalwright.core.kernels.links import evaluate
from signalwright.core.kernels.storage import flows_for, ring_for, simulate

CYCLE, SWEEPS, HOURS = 90, 2, 0.25
IN_C = (
    "source_first", "source", "share", "entry", "lag", "smoothing", "storage", "delay_weight", "stop_weight",
    "spill_weight", "layer_first", "layer_stages", "layer_rate", "layer_loss", "layer_gain", "window_first",
    "node_first", "node_link", "repeats", "slot_first", "interstage_first", "interstage",
)  # fmt: skip


def compiled(folder: str) -> ctypes.CDLL:
    """The C evaluator, built for this machine."""
    source = Path(__file__).with_name("links_reference.c")
    target = Path(folder) / "links_reference.so"
    subprocess.run(
        ["gcc", "-O3", "-march=native", "-shared", "-fPIC", str(source), "-o", str(target), "-lm"], check=True
    )
    return ctypes.CDLL(str(target))


def in_c(library: ctypes.CDLL, net: Network, first: np.ndarray, plans: tuple, value: np.ndarray) -> None:  # type: ignore[type-arg]
    """Evaluate plans by the C evaluator."""
    offset, order, green = plans
    struct = (ctypes.c_int64 * (len(IN_C) + 3))(
        *(getattr(net, name).ctypes.data for name in IN_C), net.lag.size, net.repeats.size, net.layer_stages.size
    )
    at = [ctypes.c_void_p(a.ctypes.data) for a in (offset, order, green, value)]
    library.evaluate(
        struct, ctypes.c_int64(CYCLE), ctypes.c_int64(SWEEPS), ctypes.c_double(HOURS), ctypes.c_void_p(first.ctypes.data),
        ctypes.c_int64(offset.shape[0]), ctypes.c_int64(order.shape[1]), *at,
    )  # fmt: skip


def timed(work: Callable[[], None]) -> float:
    """CPU time of one call [s]."""
    start = time.process_time()
    work()
    return time.process_time() - start


def rates(samples: list[float], count: int) -> str:
    """Best and median of counts per second."""
    return f"{count / min(samples):>12,.0f} best {count / statistics.median(samples):>12,.0f} median"


def sized(rows: int, columns: int, number: int, repeats: int) -> None:
    """Cost of a link on a grid of this size."""
    net = grid(rows, columns, cycle=CYCLE)
    plans, value, room = random_plans(net, CYCLE, number), np.zeros(number), scratch_for(net, CYCLE)
    first, none = np.full((net.lag.size, CYCLE), 0.1, np.float32), np.zeros((0, 0), np.float32)
    best = min(
        timed(lambda: evaluate(net, CYCLE, SWEEPS, HOURS, first, *plans, room, value, none)) for _ in range(repeats)
    )
    per = best / number / net.lag.size / CYCLE / 4 * 1e9
    print(
        f"{rows * columns:>5} lights {net.lag.size:>5} links {number / best:>10,.0f} full/s {per:.3f} ns a link and second"
    )


def main() -> None:
    """Run every comparison once and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    print(f"{platform.machine()}, {platform.processor() or 'processor unknown'}, numpy {np.__version__}")

    net, count = grid(4, 4, cycle=CYCLE), 1024
    first = np.full((net.lag.size, CYCLE), 0.1, np.float32)
    plans = random_plans(net, CYCLE, count)
    room, value, none = scratch_for(net, CYCLE), np.zeros(count), np.zeros((0, 0), np.float32)

    def ours() -> None:
        evaluate(net, CYCLE, SWEEPS, HOURS, first, *plans, room, value, none)

    ours()
    spent: dict[str, list[float]] = {"numba": [], "c": []}
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(folder)
        theirs = np.zeros(count)
        for _ in range(repeats):
            spent["numba"].append(timed(ours))
            spent["c"].append(timed(lambda: in_c(library, net, first, plans, theirs)))
    print(f"largest relative difference of the two: {np.abs(value / theirs - 1.0).max():.1e}")
    full = min(spent["numba"]) / count
    for name, samples in spent.items():
        print(f"full evaluations/s, {name:<6} {rates(samples, count)}")
    ratio = [c / n for n, c in zip(spent["numba"], spent["c"], strict=True)]
    print(
        f"numba against C: {min(spent['c']) / min(spent['numba']):.2f} best, {statistics.median(ratio):.2f} median of pairs"
    )

    nodes, each = net.repeats.size, 8
    base, own, start = base_for(net, CYCLE, SWEEPS), scratch_for(net, CYCLE), np.zeros(8)
    base.offset[:], base.order[:], base.green[:] = plans[0][0], plans[1][0], plans[2][0]
    remember(net, CYCLE, SWEEPS, HOURS, first, base, own, start)
    node = np.repeat(np.arange(nodes, dtype=np.int32), each)
    rng = np.random.default_rng(0)
    offset = rng.integers(0, CYCLE, (node.size, 8)).astype(np.int32)
    order = np.array([base.order[2 * n : 2 * n + 2] for n in node], np.int32)
    green = np.repeat(np.array([base.green[2 * n : 2 * n + 2] for n in node], np.int32)[:, :, None], 8, axis=2)
    change = np.zeros((node.size, 8))

    def changes() -> None:
        evaluate_changes(net, CYCLE, SWEEPS, HOURS, base, node, order, offset, green, False, own, change)

    changes()
    samples = [timed(changes) for _ in range(repeats)]
    print(f"changes at one light/s    {rates(samples, change.size)}, {full / (min(samples) / change.size):.1f} x full")
    worst = 0.0
    for block in range(0, node.size, 7):
        trial = np.tile(base.offset, (8, 1))
        trial[:, node[block]] = offset[block]
        again = np.zeros(8)
        greens = np.tile(base.green, (8, 1))
        evaluate(net, CYCLE, SWEEPS, HOURS, first, trial, base.order[None].copy(), greens, room, again, none)
        worst = max(worst, float(np.abs((start[0] + change[block]) / again - 1.0).max()))
    print(f"changes against full evaluation: largest relative difference {worst:.1e}")

    for rows, columns, number in ((2, 2, 512), (4, 4, 512), (8, 8, 128), (16, 16, 32), (31, 32, 16)):
        sized(rows, columns, number, repeats)

    town = streets(4, 4)
    roads = town.roads()
    ring = ring_for(roads)
    flows, sixteen = flows_for(net.lag.size, CYCLE, ring), tuple(a[: 16 if a.shape[0] == count else 2] for a in plans)
    waited, waiting, worth = (
        np.zeros((16, net.lag.size), np.float32),
        np.zeros((16, net.lag.size), np.float32),
        np.zeros(16),
    )
    swell = np.ones(900, np.float32)

    def full_links() -> None:
        simulate(net, roads, CYCLE, swell, *sixteen, ring, room, flows, worth, waited, waiting)

    full_links()
    samples = [timed(full_links) for _ in range(repeats)]
    print(f"storage form, 900 s runs/s {rates(samples, 16)}")


if __name__ == "__main__":
    main()
