"""From the paths that routes read to the shape of a document, against a database's models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from schemas.dates import DATES, PARTS
from schemas.document import (
    EXTERNAL_ID,
    ID,
    KEY,
    NAME,
    WRITE_DATE,
    Column,
    Link,
    Live,
    Read,
    Resolved,
    Shape,
    is_part,
    live_end,
    resolve,
)
from schemas.errors import BadUsage
from schemas.fields import Field, Kind, Model, Models
from schemas.via import ManyToMany, ManyToOne, OneToMany, Via

SEQUENCE = "sequence"
_OF_SOME_COMPANY = ManyToOne(company=1)
_STORED = "Select the stored fields it is made of."
_MAX_DEPTH = 12  # links in one path; related fields that name each other would never end


OfCompany = Callable[[str, str], ManyToOne]
"""Takes a model and the name of its field."""


class Unreadable(BadUsage):
    """A path leads to something that the database does not hold."""

    hint = "Select fields that are stored in the database."


class Ground(Protocol):
    """What paths are held against: a database's models, or what documents show of them."""

    def shape(self, *paths: str, asked: bool = False) -> Shape:
        """Return a shape that shows these; BadUsage for what there is not, NotShown.

        `asked` says that a domain reads them.
        """

    def behind(self, found: Resolved) -> Ground:
        """Return what the paths of the records at the end of a path are held against."""

    def with_live(self, *, live: bool) -> Ground:
        """Return it with or without the values that no column holds."""


@dataclass(frozen=True, slots=True)
class InModels:
    """The documents of one model, as a database could show them; Odoo too where `live`."""

    models: Models
    model: str
    live: bool = False

    def shape(self, *paths: str, asked: bool = False) -> Shape:
        """Return a shape of these alone; Unknown and Unreadable as `build` says."""
        reads = (Read(path, live=self.live, asked=asked) for path in paths)
        return build(self.models, self.model, reads)

    def behind(self, found: Resolved) -> InModels:
        """Return the model at the end of a path."""
        return InModels(self.models, found.shape.model, self.live)

    def with_live(self, *, live: bool) -> InModels:
        """Return it with or without the values that no column holds."""
        return InModels(self.models, self.model, live)


@dataclass(frozen=True, slots=True)
class InShape:
    """Documents as they are; what their shape does not show is NotShown, nothing worse.

    But for values that no column holds: without `live` they are Unreadable.
    """

    shown: Shape
    live: bool = False

    def shape(self, *paths: str, asked: bool = False) -> Shape:
        """Return the shape; NotShown where it does not carry one of these."""
        for path in paths:
            end = live_end(self.shown, path)
            if end is None:
                resolve(self.shown, path, asked=asked)
            elif not self.live:
                raise without_column(end.shape.model, end.live.name)
        return self.shown

    def behind(self, found: Resolved) -> InShape:
        """Return the shape at the end of a path."""
        return InShape(found.shape, self.live)

    def with_live(self, *, live: bool) -> InShape:
        """Return it with or without the values that no column holds."""
        return InShape(self.shown, live)


@dataclass(slots=True)
class _Draft:
    """A shape while it grows."""

    model: Model
    columns: dict[str, Column] = field(default_factory=dict)
    links: dict[str, tuple[Via, _Draft, bool]] = field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    external_id: bool = False
    live: dict[str, Live] = field(default_factory=dict)

    def shape(self) -> Shape:
        return Shape(
            model=self.model.name,
            table=self.model.table,
            columns=tuple(self.columns[name] for name in sorted(self.columns)),
            links=tuple(
                Link(name, via, draft.shape(), followed)
                for name, (via, draft, followed) in sorted(self.links.items())
            ),
            external_id=self.external_id,
            aliases=tuple(sorted(self.aliases.items())),
            live=tuple(self.live[name] for name in sorted(self.live)),
        )


def build(
    models: Models,
    model: str,
    reads: Iterable[Read],
    of_company: OfCompany = lambda _model, _name: _OF_SOME_COMPANY,
) -> Shape:
    """Return the shape that carries every path of `reads`, rooted at `model`.

    `of_company` says of a many2one that depends on the company whose records it leads to: it may
    be left out where no document is read by the shape.

    Raises Unknown (with the nearest name) for models and fields that do not exist and
    Unreadable for fields whose value is not in the database, but for those that may be `live`.
    """
    root = _Draft(models.model(model))
    for read in reads:
        _grow(models, root, read, of_company)
    return root.shape()


def _grow(models: Models, root: _Draft, read: Read, of_company: OfCompany) -> None:
    steps = read.path.split(".")
    draft, depth = root, 0
    while steps:
        name = steps.pop(0)
        if not steps and (_is_identity(draft, name) or (read.asked and _is_name(draft, name))):
            return
        found = draft.model.field(name)
        if found.related and not found.stored:
            draft.aliases[name] = path = tuple(found.related.split("."))
            steps[:0] = path
        elif read.live and not steps and _is_live(models, found):
            _show_live(draft, found)
            return
        elif found.is_relation:
            draft = _through(models, draft, found, read, of_company)
        else:
            _show(draft, found, steps, asked=read.asked)
            return
        depth += 1
        if depth > _MAX_DEPTH:
            raise Unreadable(
                f'the path "{read.path}" of {root.model.name} is longer than {_MAX_DEPTH} steps',
                hint="Select a nearer field, or one that is stored.",
            )
    if read.each:
        _show_sequence(draft)


def _is_identity(draft: _Draft, name: str) -> bool:
    """Say whether `name` is what every record has, and note that its external id is wanted."""
    if name == EXTERNAL_ID and name not in draft.model.fields:
        draft.external_id = True
        return True
    return name in {ID, KEY}


def _is_name(draft: _Draft, name: str) -> bool:
    """Say whether `name` is that of every record, which is searched by other fields."""
    found = draft.model.fields.get(name)
    return name == NAME and (found is None or not (found.stored or found.related))


def _show_sequence(draft: _Draft) -> None:
    found = draft.model.fields.get(SEQUENCE)
    if found is not None and found.kind is not None and found.stored:
        draft.columns[SEQUENCE] = Column(SEQUENCE, found.kind, found.type)


def _is_live(models: Models, found: Field) -> bool:
    """Say whether Odoo alone knows the value."""
    if found.company_dependent:
        return False
    if found.type == "one2many" and found.inverse:
        return not models.model(found.relation).field(found.inverse).stored
    return not found.stored


def _show_live(draft: _Draft, found: Field) -> None:
    date = draft.model.fields.get(WRITE_DATE)
    if date is None or date.kind is None or not date.stored:
        raise Unreadable(
            f"{draft.model.name}.{found.name} has no column, and {draft.model.name} no write_date"
            " by which one could tell when it has changed",
            hint=_STORED,
        )
    draft.live[found.name] = Live(found.name, found.type)
    draft.columns[WRITE_DATE] = Column(WRITE_DATE, date.kind, date.type)


def without_column(model: str, name: str, *, generated: bool = False) -> Unreadable:
    """Return what is raised of a field that no column holds, or one that does not travel."""
    why = "has no column in the database: it is computed, or kept in the filestore"
    if generated:
        why = (
            "is a generated column of the database: logical replication leaves out virtual ones,"
            " and before Postgres 18 stored ones too"
        )
    return Unreadable(f"{model}.{name} {why}", hint=_STORED)


def _show(draft: _Draft, found: Field, rest: list[str], *, asked: bool) -> None:
    column = Column(found.name, found.kind or Kind.TEXT, found.type)
    if rest and not (asked and is_part(column, rest)):
        parts = f", or at one of its parts: {', '.join(PARTS)}" if asked else ""
        raise Unreadable(
            f'{draft.model.name}.{found.name} is {found.type}; ".{rest[0]}" leads nowhere',
            hint=f'End the path at "{found.name}"{parts if found.type in DATES else ""}.',
        )
    if found.kind is None or not found.stored:
        raise without_column(draft.model.name, found.name, generated=found.generated)
    draft.columns[found.name] = column


def _through(
    models: Models, draft: _Draft, found: Field, read: Read, of_company: OfCompany
) -> _Draft:
    via = _via(models, draft.model, found, of_company)
    if found.name in draft.links:
        known, target, followed = draft.links[found.name]
        draft.links[found.name] = (known, target, followed or read.follow)
        return target
    target = _Draft(models.model(found.relation))
    draft.links[found.name] = (via, target, read.follow)
    return target


def _via(models: Models, model: Model, found: Field, of_company: OfCompany) -> Via:
    if not found.stored and not (found.type == "one2many" and found.inverse):
        raise Unreadable(
            f"{model.name}.{found.name} is not stored: its records are computed",
            hint="Select a stored relation.",
        )
    match found.type:
        case "many2one":
            if found.company_dependent:
                return of_company(model.name, found.name)
            return ManyToOne()
        case "one2many":
            return _one2many(models.model(found.relation), found)
        case _:
            return ManyToMany(found.table, found.column1, found.column2)


def _one2many(other: Model, found: Field) -> OneToMany:
    inverse = other.field(found.inverse)
    if not inverse.stored:
        raise Unreadable(
            f"{other.name}.{inverse.name}, by which {found.name} is found, has no column",
            hint="Select another relation.",
        )
    if inverse.company_dependent:
        raise Unreadable(
            f"{other.name}.{inverse.name}, by which {found.name} is found, depends on the company",
            hint="Select another relation.",
        )
    if inverse.type == "many2one":
        return OneToMany(inverse.name)
    # A plain integer beside a column that names the model (mail.message, ir.attachment).
    column = next((n for n in ("res_model", "model") if n in other.fields), "")
    return OneToMany(inverse.name, column)
