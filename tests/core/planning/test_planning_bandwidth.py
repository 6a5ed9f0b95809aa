"""Green waves: against brute force over offsets, and against each other."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalwright.core.errors import InputError
from signalwright.core.planning.bandwidth import GreenWave, Signal, green_wave, widest_bands


def through(
    signals: list[Signal], offsets: list[float], leads: list[float], cycle: float, speed: float, d: int
) -> float:
    """Widest band [s] of one direction under offsets: the overlap of all greens shifted back by their travel times."""
    best, greens = 0.0, []
    for s, offset, lead in zip(signals, offsets, leads, strict=True):
        travel = s.position / speed if d == 0 else -s.position / speed
        start = offset + (lead if d else 0.0) - travel + s.cleared[d]
        greens.append((start % cycle, (s.outbound, s.inbound)[d] - s.cleared[d]))
    for start, _ in greens:
        width = min(length - (start - begin) % cycle for begin, length in greens)
        best = max(best, width)
    return best


def brute(signals: list[Signal], cycle: int, speed: float) -> float:
    """Greatest sum of both bands over whole-second offsets and every choice of leads."""
    best = 0.0
    for leads in itertools.product(*(s.leads for s in signals)):
        for rest in itertools.product(range(cycle), repeat=len(signals) - 1):
            offsets = [0.0, *map(float, rest)]
            out, back = (through(signals, offsets, list(leads), cycle, speed, d) for d in (0, 1))
            best = max(best, out + back)
    return best


@st.composite
def arterials(draw: st.DrawFn) -> list[Signal]:
    """Three signals at whole seconds of travel apart, whole-second greens, some with a choice of lead."""
    position, signals = 0.0, []
    for k in range(3):
        green, back = draw(st.integers(6, 20)), draw(st.integers(6, 20))
        leads = tuple(float(x) for x in draw(st.lists(st.integers(-8, 8), min_size=1, max_size=2, unique=True)))
        signals.append(Signal(f"s{k}", position, float(green), float(back), leads))
        position += 10.0 * draw(st.integers(2, 30))
    return signals


@given(arterials())
@settings(deadline=None, max_examples=15)
def test_no_offsets_give_wider_bands(signals: list[Signal]) -> None:
    """The program's bands are at least as wide as the best of all whole-second offsets, and really fit the greens."""
    cycle, speed = 24, 10.0
    wave = green_wave(signals, cycle, speed)
    out, back = (through(signals, list(wave.offsets), list(wave.leads), cycle, speed, d) for d in (0, 1))
    assert wave.proved
    assert out >= wave.bands[0].width - 1e-4
    assert back >= wave.bands[1].width - 1e-4
    assert wave.bands[0].width + wave.bands[1].width >= brute(signals, cycle, speed) - 1e-3


def inside_green(wave: GreenWave, signals: list[Signal]) -> None:
    """Every band lies within the green of every signal it passes."""
    named = {s.name: k for k, s in enumerate(signals)}
    for band in wave.bands:
        if band.width < 1e-6:
            continue
        for name, start in zip(band.signals, band.starts, strict=True):
            k = named[name]
            back = band.direction == "inbound"
            begin = wave.offsets[k] + (wave.leads[k] if back else 0.0)
            late = (start - begin + 1e-6) % wave.cycle - 1e-6
            assert late + band.width <= (signals[k].inbound if back else signals[k].outbound) + 1e-5


ARTERIAL = [
    Signal("a", 0, 30, 34, (-10.0, 10.0)),
    Signal("b", 310, 26, 26),
    Signal("c", 520, 40, 36, (0.0, 12.0)),
    Signal("d", 1010, 28, 30),
    Signal("e", 1290, 33, 33, (-8.0,)),
]


def test_freer_forms_are_never_worse() -> None:
    """AM-BAND is at least MULTIBAND, and MULTIBAND at least MAXBAND, on the same arterial and weights."""
    waves = {form: green_wave(ARTERIAL, 80, 13.9, form=form) for form in ("maxband", "multiband", "am-band")}
    assert waves["am-band"].value >= waves["multiband"].value - 1e-6
    assert waves["multiband"].value >= waves["maxband"].value - 1e-6
    for wave in waves.values():
        inside_green(wave, ARTERIAL)


def test_one_way_street_gets_its_whole_green() -> None:
    """With no weight on the way back the outbound band is the shortest outbound green."""
    wave = green_wave(ARTERIAL, 80, 13.9, inbound_share=0.0)
    assert wave.bands[0].width == pytest.approx(26.0, abs=1e-4)


def test_a_band_travels_at_its_speed() -> None:
    """The band's start times grow by distance over speed, the way back too."""
    wave = green_wave(ARTERIAL, 80, [(13.9, 11.1)] * 4)
    out, back = wave.bands
    gaps = np.diff([s.position for s in ARTERIAL])
    assert np.diff(out.starts) == pytest.approx(gaps / 13.9, abs=1e-6)
    assert np.diff(back.starts) == pytest.approx(gaps[::-1] / 11.1, abs=1e-6)
    assert back.signals == ("e", "d", "c", "b", "a")


def test_queues_take_their_part_of_the_green() -> None:
    """Time for queues to clear shortens the band by as much on a one-way street."""
    cleared = [Signal(s.name, s.position, s.outbound, s.inbound, s.leads, (6.0, 0.0)) for s in ARTERIAL]
    assert green_wave(cleared, 80, 13.9, inbound_share=0.0).bands[0].width == pytest.approx(20.0, abs=1e-4)


def test_cycles_are_compared_by_share() -> None:
    """Among cycles the one with the greatest share of band wins; a perfect two-way wave is found."""
    signals = [Signal(f"s{k}", 300.0 * k, 30, 30) for k in range(4)]
    wave = widest_bands(signals, [60, 70, 80], 10.0)
    assert wave.cycle == 60
    assert sum(band.width for band in wave.bands) == pytest.approx(60.0, abs=1e-4)


def test_nonsense_is_refused() -> None:
    """Signals out of order and greens longer than the cycle get a message with their name."""
    with pytest.raises(InputError, match="a must lie beyond b"):
        green_wave([ARTERIAL[1], ARTERIAL[0]], 80, 13.9)
    with pytest.raises(InputError, match="signal c"):
        green_wave(ARTERIAL, 38, 13.9)
    with pytest.raises(InputError, match="two signals"):
        green_wave(ARTERIAL[:1], 80, 13.9)
