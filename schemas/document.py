"""What a document shows: a tree of models, with the columns and links that routes need.

A document itself is a plain dict, as Avro decodes it:

    {"id": 42, "name": "S00042", "partner_id": {"id": 7, "name": "Azure"},      many2one, or None
     "order_line": [{"id": 1, "sequence": 10, ...}, ...], "_external_id": None}  x2many, by id

The shape says which keys there are and how to read them. It is built from the paths that routes
read (`build`), travels inside every event's Avro schema, and answers `resolve` on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Self

from schemas import via
from schemas.dates import DATES, PARTS
from schemas.errors import OdooCdcError
from schemas.fields import Kind
from schemas.via import ManyToOne, Via

EXTERNAL_ID: Final = "external_id"  # as written in a path
KEY: Final = "key"
WRITE_DATE: Final = "write_date"
NAME: Final = "display_name"  # which no table has; a search for it asks for other fields
SPECIAL: Final = frozenset({EXTERNAL_ID, KEY})
EXTERNAL_ID_COLUMN: Final = "_external_id"  # as found in a document
ID: Final = "id"


class NotShown(OdooCdcError):
    """A path names something that this shape does not carry."""

    hint = "Events that carry it follow once capture has read it; an older one says nothing of it."


@dataclass(frozen=True, slots=True)
class Read:
    """One path that a domain or a mapping reads.

    `path` is dotted, as written, and may end in `id`, `key` or `external_id`. `follow` is false
    where a change of the looked-up record alone shall send nothing. `each` marks an x2many whose
    parts become objects, ordered by their `sequence` where they have one. `live` is true where the
    path may end at a value that no column holds, `asked` where a domain reads it: it may end at a
    part of a date, or at `display_name`, for which others are read.
    """

    path: str
    follow: bool = True
    each: bool = False
    live: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A value that stands in the record itself; `type` is Odoo's ttype."""

    name: str
    kind: Kind
    type: str


@dataclass(frozen=True, slots=True)
class Live:
    """A value that no column holds: Odoo is asked for it. `type` is Odoo's ttype.

    Whoever shows one shows the record's `write_date` too, as a column.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Link:
    """A relational field with what is shown of the records behind it."""

    name: str
    via: Via
    shape: Shape
    followed: bool = True  # whether a change of the record behind it rebuilds the document

    @property
    def many(self) -> bool:
        """Whether the document holds a list."""
        return not isinstance(self.via, ManyToOne)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is shown of one model; `columns` and `links` are sorted by name, without `id`.

    `aliases` are fields without a column of their own, with the path that they read through:
    `("name", ("product_tmpl_id", "name"))` on product.product. `live`, sorted by name, is no part
    of a document: who sends it asks Odoo.
    """

    model: str
    table: str
    columns: tuple[Column, ...] = ()
    links: tuple[Link, ...] = ()
    external_id: bool = False
    aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()
    live: tuple[Live, ...] = ()
    _columns: dict[str, Column] = field(init=False, repr=False, compare=False)
    _links: dict[str, Link] = field(init=False, repr=False, compare=False)
    _aliases: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_columns", {c.name: c for c in self.columns})
        object.__setattr__(self, "_links", {link.name: link for link in self.links})
        object.__setattr__(self, "_aliases", dict(self.aliases))

    def column(self, name: str) -> Column | None:
        """Return the column of that name, `id` included."""
        return Column(ID, Kind.INTEGER, "integer") if name == ID else self._columns.get(name)

    def link(self, name: str) -> Link | None:
        """Return the relational field of that name."""
        return self._links.get(name)

    def alias(self, name: str) -> tuple[str, ...] | None:
        """Return the path that a related field reads through."""
        return self._aliases.get(name)

    def to_json(self) -> dict[str, Any]:
        """Return the shape as JSON; `from_json` reads it back."""
        live = {"live": [[each.name, each.type] for each in self.live]} if self.live else {}
        return {
            "model": self.model,
            "table": self.table,
            "columns": [[c.name, c.kind.value, c.type] for c in self.columns],
            "links": [_link_to_json(link) for link in self.links],
            "external_id": self.external_id,
            "aliases": [[name, list(path)] for name, path in self.aliases],
            **live,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            model=value["model"],
            table=value["table"],
            columns=tuple(Column(n, Kind(k), t) for n, k, t in value["columns"]),
            links=tuple(_link_from_json(link) for link in value["links"]),
            external_id=value["external_id"],
            aliases=tuple((name, tuple(path)) for name, path in value["aliases"]),
            live=tuple(Live(name, kind) for name, kind in value.get("live", ())),
        )


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path, read against a shape: links to follow, then what stands at its end.

    `column` is the value, or the date whose `part` is meant; `special` is `key`, `external_id` or
    `display_name`; with neither of them the path ends at the records behind the last link.
    """

    links: tuple[Link, ...]
    shape: Shape  # of the record at the end
    column: Column | None = None
    special: str = ""
    part: str = ""

    @property
    def many(self) -> bool:
        """Whether the path gives a list."""
        return any(link.many for link in self.links)


def resolve(shape: Shape, path: str | Iterable[str], *, asked: bool = False) -> Resolved:
    """Walk `path` from `shape`; NotShown where the shape does not carry it.

    With `asked` it may end at a part of a date or at `display_name`.
    """
    links: list[Link] = []
    steps = list(path.split(".") if isinstance(path, str) else path)
    at = shape
    while steps:
        name = steps.pop(0)
        if (alias := at.alias(name)) is not None:
            steps[:0] = alias
        elif (link := at.link(name)) is not None:
            links.append(link)
            at = link.shape
        elif asked and is_part(column := at.column(name), steps):
            return Resolved(tuple(links), at, column, part=steps[0])
        elif steps:
            raise NotShown(f'{at.model} shows nothing through "{name}"')
        elif (column := at.column(name)) is not None:
            return Resolved(tuple(links), at, column)
        elif name == KEY or (name == EXTERNAL_ID and at.external_id) or (asked and name == NAME):
            return Resolved(tuple(links), at, special=name)
        else:
            raise NotShown(f'{at.model} does not show "{name}"')
    return Resolved(tuple(links), at)


def is_part(column: Column | None, rest: list[str]) -> bool:
    """Whether the rest of a path, behind a column, is a part of a date."""
    return column is not None and column.type in DATES and len(rest) == 1 and rest[0] in PARTS


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """A path that ends at a live value of the record behind its links."""

    links: tuple[Link, ...]
    shape: Shape
    live: Live


def live_end(shape: Shape, path: str) -> LiveEnd | None:
    """Walk `path` as `resolve` does; None where it does not end at a live value."""
    links: list[Link] = []
    steps = path.split(".")
    at = shape
    while steps:
        name = steps.pop(0)
        found = None if steps else next((live for live in at.live if live.name == name), None)
        if found is not None:
            return LiveEnd(tuple(links), at, found)
        if (alias := at.alias(name)) is not None:
            steps[:0] = alias
        elif (link := at.link(name)) is not None:
            links.append(link)
            at = link.shape
        else:
            return None
    return None


def _link_to_json(link: Link) -> dict[str, Any]:
    return {
        "name": link.name,
        "via": via.to_json(link.via),
        "followed": link.followed,
        "shape": link.shape.to_json(),
    }


def _link_from_json(value: dict[str, Any]) -> Link:
    found = via.from_json(value["via"])
    return Link(value["name"], found, Shape.from_json(value["shape"]), value["followed"])
