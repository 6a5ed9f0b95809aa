"""Loops read by their addresses: the same numbers as by name, and a way back where that cannot be."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from naive_loops import naive_ask, naive_sort
from signalwright.core.kernels.calls import ask_all
from signalwright.core.kernels.presence import sort_loops
from signalwright.networks import address
from signalwright.networks.simulator import InProcess
from signalwright.networks.sumo import open_street
from simulated import rotate, shipped


def test_by_address_as_by_name(tmp_path: Path) -> None:
    """In five busy minutes every loop tells by its address what it tells by its name, each second."""
    scenario, lights = shipped("cross")
    compared = 0
    with open_street(scenario, lights, outputs=tmp_path, seed=5, begin=scenario.begin + 900) as street:
        simulator = street._simulator
        assert isinstance(simulator, InProcess)
        if simulator._by_address is None:
            return  # this libsumo was built by another compiler, and is asked by name

        def compare(_: object) -> None:
            nonlocal compared
            by_address, n = simulator._by_address, len(simulator._loops)
            assert by_address is not None
            since = np.array([simulator._since(loop) for loop in simulator._loops])
            numbers = np.array([simulator._number(loop) for loop in simulator._loops])
            told = by_address.since()
            assert told is not None
            assert told.tolist() == since.tolist()
            was, occupied, moving = np.arange(n) % 4 > 0, np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int32)
            vehicles, occupancy = np.ones(n, dtype=np.int32), np.ones(n)
            count = by_address.glance(1.0, was, occupied, vehicles, occupancy, moving)
            now, _, stand, move = naive_sort(since, 1.0, was)
            alone = [row for row in stand if numbers[row] == 1]
            assert occupied.tolist() == now.tolist()
            assert not vehicles.any()
            assert np.flatnonzero(occupancy).tolist() == alone
            assert moving[:count].tolist() == sorted({*move.tolist(), *stand.tolist()} - {*alone})
            compared += len(alone)

        rotate(street, 300, compare)
    assert compared > 100


def test_a_library_without_them_is_asked_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the functions have other names, and where they answer otherwise, the counts are the same as by address."""

    def run(out: str) -> list[list[int]]:
        scenario, lights = shipped("cross")
        seen: list[list[int]] = []
        with open_street(scenario, lights, outputs=tmp_path / out, seed=5, begin=scenario.begin + 900) as street:
            rotate(street, 60, lambda s: seen.append(s.loops.vehicles.tolist()))
            assert isinstance(street._simulator, InProcess)
            found.append(street._simulator._by_address is not None)
        return seen

    found: list[bool] = []
    first = run("a")
    monkeypatch.setattr(address, "SINCE", "_ZNK12MSInductLoop8getSpeedEi")
    second = run("b")
    monkeypatch.setattr(address, "SINCE", "no such function")
    third = run("c")
    assert first == second == third
    assert found[1:] == [False, False]


def test_kernels_sort_and_ask_as_their_plain_twins() -> None:
    """On random presence, and of a function of the C library, kernels and twins give the same."""
    rng = np.random.default_rng(2)
    occupied = rng.random(50) < 0.3
    vehicles, occupancy = np.ones(50, dtype=np.int32), np.ones(50)
    standing, moving = np.zeros((2, 50), dtype=np.int32)
    for _ in range(20):
        since = np.where(rng.random(50) < 0.4, 0.0, rng.random(50) * 3.0)
        now, covered, stand, move = naive_sort(since, 0.9, occupied)
        n, m = sort_loops(since, 0.9, occupied, vehicles, occupancy, standing, moving)
        assert (standing[:n].tolist(), moving[:m].tolist()) == (stand.tolist(), move.tolist())
        assert (occupied.tolist(), occupancy.tolist()) == (now.tolist(), covered.tolist())
        assert not vehicles.any()
    numbers = [ctypes.c_char_p(text) for text in (b"3.5", b"-2", b"1e3")]
    things = np.array([ctypes.cast(number, ctypes.c_void_p).value for number in numbers], dtype=np.int64)
    function = ctypes.cast(ctypes.CDLL(None).atof, ctypes.c_void_p).value or 0
    answers = np.zeros(3)
    ask_all(function, things, answers)
    assert answers.tolist() == naive_ask(function, things).tolist() == [3.5, -2.0, 1000.0]
