"""The systemd unit of the service, made for the program that prints it."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from ..core.messages import _


def systemd_unit(program: str) -> str:
    """The text of the unit file `signalwright-cabinet@.service`, to be installed in /etc/systemd/system; it starts `program`."""
    text = (files(__package__ or "") / "systemd" / "signalwright-cabinet@.service").read_text(encoding="utf-8")
    return text.replace("@PROGRAM@", program)


def this_program() -> str:
    """How systemd is to start the program that runs now: its whole path, since systemd knows nothing of virtual environments."""
    called = Path(sys.argv[0]).absolute()
    if called.name == "signalwright":
        return f'"{called}"' if " " in str(called) else str(called)
    return f"{sys.executable} -m signalwright"


def hint_for(program: str) -> str | None:
    """What to do where the unit cannot start the program: it may not look into home directories."""
    if program.strip('"').startswith(("/home/", "/root/", "/run/user/")):
        return _("{program} lies in a home, which the unit cannot see: install it in /opt").format(program=program)
    return None
