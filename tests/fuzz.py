"""Damaged lines: what is fed to both ends of each protocol until nothing of it is taken that was not said.

    PYTHONPATH=src:tests python tests/fuzz.py [1000000] [PROTOCOL ...]

A conversation between a line cabinet and an emulated one is recorded, its pieces are damaged as lines damage them, and given
to the same ends again. Nothing may raise. Where frames have a check sum of 16 bits none is taken that was not sent, but for the
two in 65 536 damaged ones that may be right by chance. SNMP in a datagram has none of its own; it is the answer to a question
only with its number and its names.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from typing import Any

from line_bench import PROTOCOLS, Bench, answers_of, bench, driver_of
from signalwright.core.errors import ProtocolError
from signalwright.core.ports import Mode, Refusal
from signalwright.hardware.cabinets.picture import Picture
from signalwright.hardware.exchange import Verdict


def mutated(random_: random.Random, wire: bytes) -> bytes:
    """A frame damaged as lines damage them: bits, bytes lost, bytes added, cut, doubled, or pure noise."""
    data = bytearray(wire)
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(len(data) + 1)
        match random_.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << random_.randrange(8)
            case 1:
                del data[at : at + random_.randint(1, 3)]
            case 2:
                data[at:at] = random_.randbytes(random_.randint(1, 3))
            case 3:
                del data[at:]
            case 4:
                data += data[at:]
            case _ if data:
                data[at % len(data)] = random_.choice(b"\x7e\x7d\x5c\x5d\x5e\x00\xff")
    return bytes(data) or b"\x00"


@dataclass
class Said:
    """A question, its number, and both as they went over the wire."""

    request: Any
    number: int
    question: bytes
    answer: bytes


def conversation(one: Bench) -> list[Said]:
    """What was said until a stage was held and given back."""
    said: list[Said] = []
    respond, link, last = one.answers.receive, one.host.link, b""

    class Listening:
        def receive(self, data: bytes) -> bytes:
            nonlocal last
            answer = respond(data)
            if data and answer and link._out is not None and data != last:
                said.append(Said(link._out.request, link._out.number, data, answer))
                last = data
            return answer

        def tick(self) -> None: ...

    one.answers = Listening()
    one.until(lambda: one.cabinet.mode is Mode.LOCAL and one.host.request(2) in (Refusal.NONE, Refusal.NOT_IN_CONTROL))
    for _ in range(10):
        one.host.request(None)
        one.run(0.5)
    one.host.release("enough")
    one.run(2)
    return said


def fuzz(protocol: str, rounds: int, seed: int = 1) -> tuple[int, int, int]:
    """Frames taken, answers taken, and how many of the frames taken were never sent. Raises what the ends raise."""
    random_ = random.Random(seed)
    one = bench(protocol)
    said = conversation(one)
    dialect, driver = driver_of(protocol, one.host.site).dialect, driver_of(protocol, one.host.site)
    picture, cabinet = Picture(one.host.site), answers_of(protocol, one.cabinet)
    sent = {repr(frame) for each in said for frame in dialect.feed(each.answer) + dialect.feed(each.question)}
    checked = protocol != "ntcip-udp"
    taken = answers = wrong = 0
    for turn in range(rounds):
        each = random_.choice(said)
        if turn % 2:
            cabinet.receive(mutated(random_, each.question))
            continue
        wire = mutated(random_, each.answer)
        for frame in dialect.feed(wire):
            taken += 1
            if checked and repr(frame) not in sent:
                wrong += 1
            if dialect.judge(each.request, each.number, (), frame) is Verdict.STRAY:
                continue
            answers += 1
            try:
                driver.read(each.request, (frame,), picture, float(turn))
            except ProtocolError:
                continue
        if turn % 1000 == 0:
            one.cabinet.tick()
            dialect.reset()
    assert one.cabinet.monitor.fault is None
    return taken, answers, wrong


def main() -> None:
    """Each protocol in turn."""
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    rounds = numbers[0] if numbers else 1_000_000
    for protocol in [word for word in sys.argv[1:] if not word.isdecimal()] or PROTOCOLS:
        begin = time.monotonic()
        taken, answers, wrong = fuzz(protocol, rounds)
        most = rounds * 2 // 65_536
        print(
            f"{protocol:10} {rounds} damaged inputs in {time.monotonic() - begin:.0f} s: {taken} frames taken, {answers} as answers, "
            f"{wrong} never sent (at most {most} by chance)",
            flush=True,
        )
        assert wrong <= most


if __name__ == "__main__":
    main()
