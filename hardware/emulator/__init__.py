"""A cabinet in software: it owns lamps, keeps its own safety and speaks the protocols. To learn on, and to test against."""

from .cabinet import EmulatedCabinet, LocalPlan
from .monitor import ConflictMonitor, Lamps

__all__ = ["ConflictMonitor", "EmulatedCabinet", "Lamps", "LocalPlan"]
