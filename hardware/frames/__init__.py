"""Frames on a line: check sums, escaping, and decoders that take any chunk of bytes and give whole frames."""

from .checksum import crc_gbt20999, fcs_x25
from .gbt import GbtFramer, unwrap_datagram, wrap
from .hdlc import Address, HdlcFrame, HdlcFramer
from .statistics import LineStatistics

__all__ = [
    "Address",
    "GbtFramer",
    "HdlcFrame",
    "HdlcFramer",
    "LineStatistics",
    "crc_gbt20999",
    "fcs_x25",
    "unwrap_datagram",
    "wrap",
]
