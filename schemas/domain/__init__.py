"""Odoo's domains: parsed once, held against a database, evaluated on documents.

A domain answers as Odoo's own search would for the same rows. What a document cannot answer is
refused, by `check` before the start and by `compile_domain` at the latest, never guessed. Pure:
capture, the worker and every preview agree because they all ask here.
"""

from __future__ import annotations

from schemas.domain.check import check, faults, unfit
from schemas.domain.compile import compile_domain, unmet
from schemas.domain.context import Context, OwnFilter
from schemas.domain.forms import BadDomain, Domain, reads
from schemas.domain.implied import implied_reads
from schemas.domain.parse import parse

__all__ = [
    "BadDomain",
    "Context",
    "Domain",
    "OwnFilter",
    "check",
    "compile_domain",
    "faults",
    "implied_reads",
    "parse",
    "reads",
    "unfit",
    "unmet",
]
