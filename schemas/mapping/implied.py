"""The paths that domains inside a mapping read without naming them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from schemas import domain
from schemas.document import Read, resolve
from schemas.fields import Models
from schemas.mapping.forms import Each, Mapping
from schemas.shaping import build


def implied_reads(
    mapping: Mapping, models: Models, model: str, context: domain.Context
) -> list[Read]:
    """Return what the domains of each `each` imply, as `domain.implied_reads` says."""
    return list(_implied(mapping, models, model, context))


def _implied(
    mapping: Mapping, models: Models, model: str, context: domain.Context
) -> Iterator[Read]:
    for entry in mapping.entries:
        each = entry.value
        if not isinstance(each, Each):
            continue
        behind = resolve(build(models, model, [Read(each.path)]), each.path).shape.model
        found = domain.implied_reads(each.domain, models, behind, context)
        for read in (*found, *_implied(each.mapping, models, behind, context)):
            yield replace(read, path=f"{each.path}.{read.path}")
