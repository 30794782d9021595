"""The live values of a mapping: which ones a document's fields want of Odoo, and where they go.

Nobody sees such a value change. What tells that it may have is the `write_date` of its record,
which the document shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from schemas.delivery import Want
from schemas.document import ID, WRITE_DATE, LiveEnd, Shape, live_end
from schemas.domain import Context
from schemas.event import Document
from schemas.mapping.forms import Each, Entry, Mapping, Path
from schemas.mapping.parts import parts_of, records_of
from schemas.mapping.walk import spread

Finder = Callable[[Document, str], Iterator[Want]]  # of a document; the place above it


def finders(mapping: Mapping, shape: Shape, context: Context) -> tuple[Finder, ...]:
    """Return what finds the wants of a mapping's fields; nothing where it has no live value."""
    found = (_finder(entry, shape, context) for entry in mapping.entries)
    return tuple(each for each in found if each is not None)


def place_of(above: str, name: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a name, or a number, below another."""
    return f"{above}/{str(name).replace('~', '~0').replace('/', '~1')}"


def steps_of(place: str) -> list[str]:
    """Return the names and numbers of a JSON pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in place.split("/")[1:]]


def holder(fields: dict[str, Any], place: str) -> tuple[Any, str]:
    """Return what holds a place, and its name there; KeyError or IndexError where none does."""
    *way, name = steps_of(place)
    at: Any = fields
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    return at, name


def leave_out(fields: dict[str, Any], place: str) -> None:
    """Take a place's name out of what holds it."""
    inside, name = holder(fields, place)
    del inside[name]


def _finder(entry: Entry, shape: Shape, context: Context) -> Finder | None:
    match entry.value:
        case Path(path=path):
            end = live_end(shape, path)
            return None if end is None else _one(entry.name, end)
        case Each() as each:
            return _each(entry.name, each, shape, context)
        case _:
            return None


def _one(name: str, end: LiveEnd) -> Finder:
    record_of = spread(end.links, lambda record: record)
    model, field, kind = end.shape.model, end.live.name, end.live.type

    def find(document: Document, above: str) -> Iterator[Want]:
        record = record_of(document)
        if record is not None:
            place = place_of(above, name)
            yield Want(place, model, record[ID], field, kind, record[WRITE_DATE])

    return find


def _each(name: str, each: Each, shape: Shape, context: Context) -> Finder | None:
    found = records_of(shape, each.path)
    inside: Sequence[Finder] = finders(each.mapping, found.shape, context)
    if not inside:
        return None
    parts = parts_of(each, found, context)

    def find(document: Document, above: str) -> Iterator[Want]:
        for number, part in enumerate(parts(document)):
            for finder in inside:
                yield from finder(part, place_of(place_of(above, name), number))

    return find
