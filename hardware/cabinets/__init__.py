"""Real cabinets on a line, as `core.ports.Cabinet`: one class that polls, commands and checks, one driver a protocol."""

from .ab3418 import Ab3418Driver
from .authority import Authority
from .cabinet import LineCabinet
from .gbt import GbtDriver
from .ntcip import NtcipDriver
from .picture import Picture

__all__ = ["Ab3418Driver", "Authority", "GbtDriver", "LineCabinet", "NtcipDriver", "Picture"]
