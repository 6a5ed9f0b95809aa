"""Cabinets on a serial line: protocols, port, emulator and the service at the roadside."""
