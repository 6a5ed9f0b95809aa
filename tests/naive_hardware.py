"""Slow and obvious twins of the framing: check sums bit by bit, frames cut out of a complete byte string."""

from __future__ import annotations


def crc_gbt20999(data: bytes) -> int:
    register = 0
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = ((register << 1) ^ 0x1005) & 0xFFFF if register & 0x8000 else (register << 1) & 0xFFFF
    return register


def fcs_x25(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0x8408 if register & 1 else register >> 1
    return register ^ 0xFFFF


def gbt_frames(stream: bytes) -> list[bytes]:
    """Contents of all good GB/T 20999 frames of a stream, one byte at a time."""
    found: list[bytes] = []
    body: bytearray | None = None
    escaped_size = 0
    escape = False
    for byte in stream:
        if escape:
            escape = False
            assert body is not None
            body.append(byte)
            escaped_size += 1
        elif byte == 0x7E:
            body, escaped_size = bytearray(), 0
        elif body is None:
            pass
        elif byte == 0x5C:
            escape = True
            escaped_size += 1
        elif byte == 0x7D:
            length = int.from_bytes(body[:2], "big")
            fits = len(body) >= 4 and length in (len(body) - 2, escaped_size - 2)
            if fits and crc_gbt20999(bytes(body[:-2])) == int.from_bytes(body[-2:], "big"):
                found.append(bytes(body[2:-2]))
            body = None
        else:
            body.append(byte)
            escaped_size += 1
    return found


def hdlc_contents(stream: bytes) -> list[bytes]:
    """Address .. body of all HDLC frames of a stream with a right check sequence and lawful escapes."""
    found: list[bytes] = []
    for piece in stream.split(b"\x7e")[1:-1]:
        plain, at, lawful = bytearray(), 0, True
        while at < len(piece):
            if piece[at] == 0x7D:
                lawful = lawful and at + 1 < len(piece) and piece[at + 1] in (0x5D, 0x5E)
                plain.append(piece[at + 1] ^ 0x20 if at + 1 < len(piece) else 0)
                at += 2
            else:
                plain.append(piece[at])
                at += 1
        if lawful and len(plain) >= 5 and fcs_x25(bytes(plain[:-2])) == int.from_bytes(plain[-2:], "little"):
            found.append(bytes(plain[:-2]))
    return found
