"""The records that a mapping leads to: those of a path, and the parts of an `each`. Pure."""

from __future__ import annotations

from collections.abc import Callable

from schemas.document import NotShown, Resolved, Shape, resolve
from schemas.domain import Context, compile_domain
from schemas.event import Document
from schemas.mapping.forms import Each
from schemas.mapping.walk import collect, order_of


def records_of(shape: Shape, path: str) -> Resolved:
    """Resolve a path that must end at records; "" is the document's own."""
    if not path:
        return Resolved((), shape)
    found = resolve(shape, path)
    if found.column is not None or found.special:
        raise NotShown(f'"{path}" of {shape.model} leads to no record')
    return found


def parts_of(
    each: Each, found: Resolved, context: Context
) -> Callable[[Document], list[Document]]:
    """Return what gives the parts of an `each` that match, in order; `found` is its path's end."""
    matches = compile_domain(each.domain, found.shape, context)
    order, records = order_of(found.shape), collect(found.links)
    return lambda document: sorted(filter(matches, records(document)), key=order)
