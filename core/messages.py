"""Texts for people go through here, so that a catalogue can translate them: `_("...")`."""

from __future__ import annotations

import gettext
from pathlib import Path

_catalogue = gettext.translation("signalwright", localedir=Path(__file__).parent / "locale", fallback=True)
_ = _catalogue.gettext
ngettext = _catalogue.ngettext
