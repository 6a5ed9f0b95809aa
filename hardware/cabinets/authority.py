"""How much of a cabinet a program may take into its hands."""

from __future__ import annotations

from enum import IntEnum


class Authority(IntEnum):
    """Weakest first. A site has a ceiling; raising needs an operator, falling happens by itself.

    MONITOR reads only. ADVISE decides and logs what it would ask for. PLAN may select plans or patterns. STAGE may ask
    for stages, by command or by hold and force-off.
    """

    MONITOR = 0
    ADVISE = 1
    PLAN = 2
    STAGE = 3
