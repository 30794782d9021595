"""How long tests wait for what is to come.

It is no measure of speed: what comes, comes long before, and a wait that lasts as long has failed.
A disk or a processor that others use too may stand still for most of a minute.
"""

from __future__ import annotations

from typing import Final

LONG: Final = 180.0  # seconds
