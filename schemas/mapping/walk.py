"""The ways through a document: from its root along links to the records behind them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from schemas.document import ID, Link, Shape
from schemas.event import Document
from schemas.fields import Kind
from schemas.mapping.scalars import Function
from schemas.shaping import SEQUENCE
from schemas.via import OneToMany

Read = Callable[[Document], Any]
ReadOne = Callable[[Document | None], Any]  # of a record that may not be there


def lookup(links: Sequence[Link]) -> Sequence[Link]:
    """Return the links up to the first that leads to a record which is only looked up."""
    for place, link in enumerate(links):
        if not isinstance(link.via, OneToMany):
            return links[: place + 1]
    return ()


def spread(links: Sequence[Link], read: ReadOne) -> Read:
    """Return the value behind `links`, a list of them where a link leads to many."""
    if any(link.many for link in links):
        records = collect(links)
        return lambda document: [read(record) for record in records(document)]
    names = tuple(link.name for link in links)
    if not names:
        return read

    def walk(document: Document) -> Any:
        record: Document | None = document
        for name in names:
            if record is None:
                break
            record = record[name]
        return read(record)

    return walk


def collect(links: Sequence[Link]) -> Callable[[Document], list[Document]]:
    """Return the records behind `links`, in the document's order; what is not there is left out.

    A record that several ways lead to comes once for each.
    """
    ways = tuple((link.name, link.many) for link in links)

    def collect(document: Document) -> list[Document]:
        records = [document]
        for name, many in ways:
            if many:
                records = [part for record in records for part in record[name]]
            else:
                records = [one for record in records if (one := record[name]) is not None]
        return records

    return collect


def order_of(shape: Shape) -> Callable[[Document], Any]:
    """Return the sort key of parts: `sequence, id` as Postgres sorts them, nulls last."""
    column = shape.column(SEQUENCE)
    if column is None:
        return lambda part: part[ID]
    number: Function = Decimal if column.kind is Kind.NUMERIC else lambda value: value

    def key(part: Document) -> Any:
        sequence = part[SEQUENCE]
        return (True, 0, part[ID]) if sequence is None else (False, number(sequence), part[ID])

    return key
