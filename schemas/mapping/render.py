"""A mapping, compiled for one shape: closures that read documents and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, assert_never

from schemas.company import default_of
from schemas.delivery import Want
from schemas.document import (
    EXTERNAL_ID,
    EXTERNAL_ID_COLUMN,
    ID,
    KEY,
    WRITE_DATE,
    Link,
    LiveEnd,
    Resolved,
    Shape,
    live_end,
    resolve,
)
from schemas.event import Document
from schemas.fields import Kind
from schemas.keys import record_key
from schemas.mapping.companies import company_scalar
from schemas.mapping.forms import Constant, Each, Entry, Mapping, Match, Path, Ref, Value, Writing
from schemas.mapping.live import Finder, finders
from schemas.mapping.parts import parts_of, records_of
from schemas.mapping.scalars import Function, finish, scalar
from schemas.mapping.walk import Read, ReadOne, lookup, spread


class _Ways(NamedTuple):
    """What a value comes to: as it is sent, compared, and compared where lookups do not count."""

    send: Read
    compare: Read
    decide: Read


class _Ends(NamedTuple):
    """The same three, of the record at the end of a path."""

    send: ReadOne
    compare: ReadOne
    decide: ReadOne


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders the documents of one shape; the same document gives equal fields, always."""

    names: tuple[str, ...]
    _ways: tuple[_Ways, ...]
    _finders: tuple[Finder, ...] = ()

    def wants(self, document: Document) -> tuple[Want, ...]:
        """Return what of the fields Odoo is to be asked for; `render` has null at its place."""
        if not self._finders:
            return ()
        return tuple(want for find in self._finders for want in find(document, ""))

    def render(self, document: Document) -> dict[str, Any]:
        """Return the fields in map order, ready for JSON; a Decimal is a JSON number.

        Raises UnsendableValue.
        """
        return {name: way.send(document) for name, way in zip(self.names, self._ways, strict=True)}

    def compared(self, document: Document) -> list[Any]:
        """Return what decides whether there is anything to send: == means there is not.

        Numbers count by value; what is looked up without `follow` counts by whose it is, and what
        Odoo is asked for by the `write_date` of its record.
        Raises UnsendableValue.
        """
        return [way.decide(document) for way in self._ways]

    def values(self, document: Document) -> list[Any]:
        """Return the fields such that == means the same value. Raises UnsendableValue."""
        return [way.compare(document) for way in self._ways]


def changed(renderer: Renderer, before: Document, after: Document) -> list[str]:
    """Return the top-level names whose values differ, in map order. Raises UnsendableValue."""
    old, new = renderer.values(before), renderer.values(after)
    return [name for name, a, b in zip(renderer.names, old, new, strict=True) if a != b]


def compile_mapping(
    mapping: Mapping, shape: Shape, writing: Writing, *, follow: bool = True
) -> Renderer:
    """Return the renderer of a mapping for the documents of `shape`.

    Without `follow` no lookup counts in `compared`. Raises NotShown where the shape lacks a path.
    """
    compiler = _Compiler(writing, follow=follow)
    return Renderer(
        tuple(entry.name for entry in mapping.entries),
        tuple(compiler.value(entry.value, shape, entry.name) for entry in mapping.entries),
        finders(mapping, shape, writing.context),
    )


@dataclass(frozen=True, slots=True)
class _Compiler:
    writing: Writing
    follow: bool

    def value(self, value: Value, shape: Shape, field: str) -> _Ways:
        match value:
            case Path():
                return self._path(value, shape, field)
            case Constant(value=constant):
                return _Ways(lambda _: constant, _nothing, _nothing)
            case Each():
                return self._each(value, shape, field)
            case Ref():
                return self._ref(value, shape)
            case Match():
                return self._match(value, shape, field)
            case _:
                assert_never(value)

    def _path(self, path: Path, shape: Shape, field: str) -> _Ways:
        end = live_end(shape, path.path)
        if end is not None:
            return self._live(path, end)
        found = resolve(shape, path.path)
        kind, read = self._end(found)
        writing = self.writing
        number = writing.decimals == "number"
        if found.column is not None and kind is Kind.COMPANY:
            company = path.company or writing.context.company
            defaults = writing.context.defaults_of(found.shape.model, found.column.name)
            default = default_of(defaults, company)
            kind, handled = company_scalar(found.column, field, company, default, number=number)
        else:
            lang = path.lang or writing.context.lang
            handled = scalar(kind, field, lang=lang, number=number)
        send, compare = finish(path, kind, handled, field, writing.mask_key)
        sent, compared = _after(read, send), _after(read, compare)
        return self._ways(found.links, _Ends(sent, compared, compared), follow=path.follow)

    def _live(self, path: Path, end: LiveEnd) -> _Ways:
        date = _column(WRITE_DATE)
        return self._ways(end.links, _Ends(_nothing, date, date), follow=path.follow)

    def _end(self, found: Resolved) -> tuple[Kind, ReadOne]:
        """Return what stands at the end of a path: its kind, and how to read it of a record."""
        if found.column is not None:
            return found.column.kind, _column(found.column.name)
        if found.special == KEY:
            return Kind.TEXT, self._key(found.shape.model)
        if found.special == EXTERNAL_ID:
            return Kind.TEXT, self._external_id(found.shape)
        return Kind.INTEGER, _column(ID)

    def _key(self, model: str) -> ReadOne:
        prefix = record_key(self.writing.source, model, 0)[:-1]
        return lambda record: None if record is None else f"{prefix}{record[ID]}"

    def _external_id(self, shape: Shape) -> ReadOne:
        key = self._key(shape.model)
        return lambda record: (
            None if record is None else record.get(EXTERNAL_ID_COLUMN) or key(record)
        )

    def _ref(self, ref: Ref, shape: Shape) -> _Ways:
        found = records_of(shape, ref.path)
        resolve(found.shape, EXTERNAL_ID)  # NotShown where nobody has asked for it yet
        key, external_id = self._key(found.shape.model), self._external_id(found.shape)

        def send(record: Document | None) -> Any:
            if record is None:
                return None
            return {"key": key(record), "external_id": external_id(record)}

        return self._ways(found.links, _Ends(send, send, send), follow=ref.follow)

    def _match(self, match: Match, shape: Shape, field: str) -> _Ways:
        found = records_of(shape, ".".join(match.record))
        inside = [
            (entry.name, self._match_value(entry, match, found.shape, field))
            for entry in match.entries
        ]

        def send(record: Document | None) -> Any:
            if record is None:
                return None
            return {"match": {name: ways.send(record) for name, ways in inside}}

        def compare(record: Document | None) -> Any:
            return None if record is None else [ways.compare(record) for _, ways in inside]

        def decide(record: Document | None) -> Any:
            return None if record is None else [ways.decide(record) for _, ways in inside]

        return self._ways(found.links, _Ends(send, compare, decide), follow=match.follow)

    def _match_value(self, entry: Entry, match: Match, shape: Shape, field: str) -> _Ways:
        value = entry.value
        if isinstance(value, Path):
            steps = value.path.split(".")[len(match.record) :]
            value = replace(value, path=".".join(steps), follow=value.follow and match.follow)
        return self.value(value, shape, f"{field}.{entry.name}")

    def _each(self, each: Each, shape: Shape, field: str) -> _Ways:
        found = records_of(shape, each.path)
        parts = parts_of(each, found, self.writing.context)
        inside = [
            (entry.name, self.value(entry.value, found.shape, f"{field}.{entry.name}"))
            for entry in each.mapping.entries
        ]
        return _Ways(
            lambda d: [{name: ways.send(part) for name, ways in inside} for part in parts(d)],
            lambda d: [[ways.compare(part) for _, ways in inside] for part in parts(d)],
            lambda d: [[ways.decide(part) for _, ways in inside] for part in parts(d)],
        )

    def _ways(self, links: Sequence[Link], ends: _Ends, *, follow: bool) -> _Ways:
        """Return the ways of a value that is read of the record, or of each, behind `links`."""
        send, compare, decide = (spread(links, end) for end in ends)
        near = lookup(links)
        if near and not (follow and self.follow):
            # Whose value it is decides, not what it is: the record's own relations count.
            decide = spread(near, _column(ID))
        return _Ways(send, compare, decide)


def _nothing(_: Document | None) -> None:
    return None


def _column(name: str) -> ReadOne:
    return lambda record: None if record is None else record[name]


def _after(read: ReadOne, then: Function) -> ReadOne:
    return lambda record: then(read(record))
