"""Names of the shadow's notes: what it says of itself beside its rows."""

from __future__ import annotations

from typing import Final

ABOUT: Final = "about"  # which database, since when
HOLDING: Final = "holding"  # which tables, columns and indexes, by their numbers
PROGRESS: Final = "progress"  # how far it is loaded and published
ROUTES: Final = "routes"  # those that were in force last, with their models
RESENDING: Final = "resending"  # the resends under way, and how far commands were read
