"""A document in, a target's fields out: the values table of CONTRACT.md section 2.

`parse_map` and `parse_fields` read what a route says, `check` holds it against a database,
`reads` names the paths it needs, and `compile_mapping` makes the renderer for one shape. Pure:
capture, the worker and every preview agree because they all ask here.
"""

from __future__ import annotations

from schemas.mapping.check import check, live_paths, unfit
from schemas.mapping.forms import Mapping, Writing, paths, reads, without_defaults
from schemas.mapping.implied import implied_reads
from schemas.mapping.live import holder, leave_out
from schemas.mapping.parse import BadMapping, parse_fields, parse_map
from schemas.mapping.render import Renderer, changed, compile_mapping
from schemas.mapping.scalars import UnsendableValue

__all__ = [
    "BadMapping",
    "Mapping",
    "Renderer",
    "UnsendableValue",
    "Writing",
    "changed",
    "check",
    "compile_mapping",
    "holder",
    "implied_reads",
    "leave_out",
    "live_paths",
    "parse_fields",
    "parse_map",
    "paths",
    "reads",
    "unfit",
    "without_defaults",
]
