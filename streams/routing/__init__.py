"""From an event to its deliveries. Pure.

`routes` compiles the file's routes for the shape of a document; `dispatch` compares before and
after and makes each target's delivery.
"""

from __future__ import annotations
