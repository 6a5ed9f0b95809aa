"""Frames as hex, with where each comes from. `captured` ones were published by others; `computed` ones follow the rules
and were checked with independent check-sum libraries when they were written down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Golden:
    """One frame: its bytes, its source, and (GB/T) whether it came in a datagram, where nothing is escaped."""

    name: str
    hex: str
    source: str
    datagram: bool = False

    @property
    def wire(self) -> bytes:
        return bytes.fromhex(self.hex)


_HOST = (
    "captured from a production controller over UDP, repository 673879047-dev/20999-test-first, protocol_catalog.json"
)
_COMPUTED = "computed from the rules"

# GB/T 20999-2017
GBT: tuple[Golden, ...] = (
    Golden(
        "set stage, plan and mode",
        "7E 0022 0100 05 000C48FC 01 13 30 03  01 05 11 01 02 01 01  02 05 11 01 03 01 01  03 05 11 01 04 01 21  E443 7D",
        "captured, repository lining1111/RVDataFusionServer, comment of a test",
    ),
    Golden("query run mode", "7E 0013 0100 05 00000000 00 01 10 01 01 04 0D 02 02 01 6CC2 7D", _HOST, True),
    Golden("reply run mode 23", "7E 0014 0100 05 00000000 00 02 20 01 01 05 0D 02 02 01 23 94F4 7D", _HOST, True),
    Golden("query 17.2.1.1", "7E 0013 0100 05 00000000 00 01 10 01 01 04 11 02 01 01 244D 7D", _HOST, True),
    Golden("error 17.2.1.1", "7E 0014 0100 05 00000000 00 02 21 01 01 05 11 02 01 01 30 FA97 7D", _HOST, True),
    Golden("check sum ends in 7D", "7E 0015 0100 05 00000000 00 02 20 01 01 06 0C 02 05 01 1FFE 427D 7D", _HOST, True),
    Golden(
        "stages of plan 1",
        "7E 0023 0100 05 00000000 00 02 20 01 01 14 09 02 06 01 000000000000000000000000 04030201 44AD 7D",
        _HOST,
        True,
    ),
    Golden(
        "times of plan 1",
        "7E 0033 0100 05 00000000 00 02 20 01 01 24 09 02 07 01 " + 24 * "00" + "001F001D001F001D C1A2 7D",
        _HOST,
        True,
    ),
    Golden("occurrence of plan 1",
           "7E 0023 0100 05 00000000 00 02 20 01 01 14 09 02 08 01" + 12 * "00" + "10101010 305B 7D", _HOST, True),
    Golden("maker", "7E 001F 0100 05 00000000 00 02 20 01 01 10 01 01 00 00 E4B89CE59C9FE6ADA3E5889B 23FB 7D", _HOST, True),
    Golden("device number", "7E 0021 0100 05 00000000 00 02 20 01 01 12 01 03 00 00 3230323130383234313031303130 5722 7D",
           _HOST, True),
    Golden("made", "7E 001A 0100 05 00000000 00 02 20 01 01 0B 01 04 00 00 07E50813010101 E904 7D", _HOST, True),
    Golden("host port", "7E 0015 0100 05 00000000 00 02 20 01 01 06 02 03 02 00 13BB C89F 7D", _HOST, True),
    Golden("host link", "7E 0014 0100 05 00000000 00 02 20 01 01 05 02 03 03 00 02 9CC2 7D", _HOST, True),
    Golden("no plate", "7E 0013 0100 05 00000000 00 02 20 01 01 04 05 03 05 01 02CE 7D", _HOST, True),
    Golden("phases of stage 1", "7E 001B 0100 05 00000000 00 02 20 01 01 0C 06 02 02 01 000000000000000F 2C32 7D",
           _HOST, True),
    Golden("late start in stage 1", "7E 0053 0100 05 00000000 00 02 20 01 01 44 06 02 03 01" + 63 * "00" + "0A 8BAD 7D",
           _HOST, True),
    Golden("stage 1 in transition", "7E 0014 0100 05 00000000 00 02 20 01 01 05 06 03 02 01 30 9C76 7D", _HOST, True),
    Golden("stage 5 elapsed 6 s", "7E 0015 0100 05 00000000 00 02 20 01 01 06 06 03 03 05 0006 D41E 7D", _HOST, True),
    Golden("conflicts of phase 1", "7E 001B 0100 05 00000000 00 02 20 01 01 0C 07 01 02 01 000000000000F2F0 B33B 7D",
           _HOST, True),
    Golden("intergreens of phase 1", "7E 0053 0100 05 00000000 00 02 20 01 01 44 07 02 02 01" + 48 * "00"
           + "03030303000003000303030300000000 DA66 7D", _HOST, True),
    Golden("current stage 3", "7E 0014 0100 05 00000000 00 02 20 01 01 05 0D 02 04 01 03 CBC6 7D", _HOST, True),
    Golden("time", "7E 001A 0100 05 00000000 00 02 20 01 01 0B 0D 01 0A 00 07E5090A092A1B 0605 7D", _HOST, True),
    Golden("alarm type of a maker", "7E 0014 0100 05 00000000 00 02 20 01 01 05 0F 02 02 01 80 0ED1 7D", _HOST, True),
    Golden("fault action of a maker", "7E 0014 0100 05 00000000 00 02 20 01 01 05 10 02 04 01 07 FE76 7D", _HOST, True),
    Golden("fault count", "7E 0017 0100 05 00000000 00 02 20 01 01 08 10 01 00 00 00000BB8 6128 7D", _HOST, True),
    Golden("set stage 3", "7E 0014 0100 05 000C48FC 01 14 30 01 01 05 11 01 02 01 03 16DE 7D", _COMPUTED),
    Golden("set centre adaptive", "7E 0014 0100 05 000C48FC 01 15 30 01 01 05 11 01 04 01 14 4C08 7D", _COMPUTED),
    Golden("heartbeat", "7E 000C 0100 05 000C48FC 01 16 70 9C8D 7D", _COMPUTED),
    Golden("heartbeat reply", "7E 000C 0100 05 000C48FC 01 16 80 6F8E 7D", _COMPUTED),
    Golden("specials, datagram", "7E 0013 0100 05 007E7D5C 01 17 10 01 01 04 0D 02 04 01 A85C 7D", _COMPUTED, True),
    Golden("specials, serial", "7E 0013 0100 05 00 5C7E5C7D5C5C 01 17 10 01 01 04 0D 02 04 01 A8 5C5C 7D", _COMPUTED),
    Golden("check sum 7D, serial", "7E 0013 0100 05 000C48FC 01 5C5C 10 01 01 04 0D 02 02 01 AE 5C7D 7D", _COMPUTED),
)  # fmt: skip

# AB 3418 and 3418E
_BIN = "binary file of repository jspring/rfs-atsc"
AB3418: tuple[Golden, ...] = (
    Golden("get long status", "7E 05 13 C0 8C B6 7C 7E", f"{_BIN}, get_status_udp.bin"),
    Golden("set pattern 19", "7E 05 13 C0 93 13 FA 14 7E", f"{_BIN}, set_pattern_19.bin"),
    Golden("set pattern 20", "7E 05 13 C0 93 14 45 60 7E", f"{_BIN}, set_pattern_20.bin"),
    Golden("set time", "7E 05 13 C0 92 02 05 07 12 13 15 05 04 32 1B 7E", f"{_BIN}, set_time_example.bin"),
    Golden("get controller id", "7E 05 33 C0 81 68 A4 7E", _COMPUTED),
    Golden("get short status, poll", "7E 05 33 C0 84 C5 F3 7E", _COMPUTED),
    Golden("get short status", "7E 05 13 C0 84 FE F0 7E", _COMPUTED),
    Golden("short status", "7E 05 13 C0 C4 22 04 03 24 D3 7E", _COMPUTED),
    Golden("set standby", "7E 05 13 C0 93 00 E0 36 7E", _COMPUTED),
    Golden("pattern set", "7E 05 13 C0 D3 C4 D6 7E", _COMPUTED),
    Golden("pattern refused", "7E 05 13 C0 F3 03 01 EC 29 7E", _COMPUTED),
    Golden("broadcast time", "7E FF 03 C0 A2 02 0B 17 1A 0A 25 00 00 04 B7 7E", _COMPUTED),
    Golden("address 200", "7E 20 07 33 C0 84 8B 99 7E", _COMPUTED),
    Golden("pattern 126", "7E 05 13 C0 93 7D 5E 19 AC 7E", _COMPUTED),
    Golden("address 31, pattern 68", "7E 7D 5D 13 C0 93 44 13 7D 5D 7E", _COMPUTED),
)

# NTCIP 2101 PMPP
_BUS = "captured from a bus-priority system, repository mbta/tablespoon"
PMPP: tuple[Golden, ...] = (
    Golden("one letter", "7E 05 13 C1 78 C5 D4 7E", _BUS),
    Golden(
        "priority cancel",
        "7E 05 13 C1 30 47 02 01 00 04 0D" + b"administrator".hex() + "A3 33 02 01 00 02 01 00 02 01 00 30 28 30 26"
        "06 0D 2B 06 01 04 01 89 36 04 02 0B 02 05 00 04 15 F1" + 13 * "20" + "33 38 32 35 02 00 02 09 09 7E",
        _BUS,
    ),
    Golden(
        "get greens",
        "7E 05 13 C1 30 2D 02 01 00 04 06 70 75 62 6C 69 63 A0 20 02 01 01 02 01 00 02 01 00 30 15 30 13"
        "06 0F 2B 06 01 04 01 89 36 04 02 01 01 04 01 04 01 05 00 67 B3 7E",
        "computed; the message is what net-snmp 5.9.3 sends but for the request number",
    ),
    Golden(
        "set hold",
        "7E 05 13 C1 30 2F 02 01 00 04 07 70 72 69 76 61 74 65 A3 21 02 01 02 02 01 00 02 01 00 30 16 30 14"
        "06 0F 2B 06 01 04 01 89 36 04 02 01 01 05 01 04 01 02 01 22 B0 E7 7E",
        "computed; the message is what net-snmp 5.9.3 sends but for the request number",
    ),
)

ALL = (*GBT, *AB3418, *PMPP)


def golden(name: str) -> Golden:
    """The frame with this name."""
    return next(frame for frame in ALL if frame.name == name)
