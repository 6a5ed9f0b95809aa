"""Cabinets on a serial line: protocols, port, emulator and the service at the roadside."""

from importlib.resources import files

__all__ = ["systemd_unit"]


def systemd_unit() -> str:
    """The text of the unit file `signalwright-cabinet@.service`, to be installed in /etc/systemd/system."""
    return (files(__name__) / "systemd" / "signalwright-cabinet@.service").read_text(encoding="utf-8")
