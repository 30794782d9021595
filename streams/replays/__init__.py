"""Past events once more: what a replay is doing (`job`), and what it makes of them (`portion`).

Pure; `replaying.py` beside the steps reads, writes and waits.
"""

from __future__ import annotations
