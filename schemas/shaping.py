"""From the paths that routes read to the shape of a document, against a database's models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from schemas.document import (
    EXTERNAL_ID,
    ID,
    KEY,
    Column,
    Link,
    ManyToMany,
    ManyToOne,
    OneToMany,
    Read,
    Resolved,
    Shape,
    Via,
    resolve,
)
from schemas.errors import BadUsage
from schemas.fields import Field, Model, Models

SEQUENCE = "sequence"
_MAX_DEPTH = 12  # links in one path; related fields that name each other would never end


class Unreadable(BadUsage):
    """A path leads to something that the database does not hold."""

    hint = "Select fields that are stored in the database."


class Ground(Protocol):
    """What paths are held against: a database's models, or what documents show of them."""

    def shape(self, *paths: str) -> Shape:
        """Return a shape that shows these; BadUsage for what there is not, NotShown."""

    def behind(self, found: Resolved) -> Ground:
        """Return what the paths of the records at the end of a path are held against."""


@dataclass(frozen=True, slots=True)
class InModels:
    """The documents of one model, as a database could show them."""

    models: Models
    model: str

    def shape(self, *paths: str) -> Shape:
        """Return a shape of these alone; Unknown and Unreadable as `build` says."""
        return build(self.models, self.model, map(Read, paths))

    def behind(self, found: Resolved) -> InModels:
        """Return the model at the end of a path."""
        return InModels(self.models, found.shape.model)


@dataclass(frozen=True, slots=True)
class InShape:
    """Documents as they are; what their shape does not show is NotShown, nothing worse."""

    shown: Shape

    def shape(self, *paths: str) -> Shape:
        """Return the shape; NotShown where it does not carry one of these."""
        for path in paths:
            resolve(self.shown, path)
        return self.shown

    def behind(self, found: Resolved) -> InShape:
        """Return the shape at the end of a path."""
        return InShape(found.shape)


@dataclass(slots=True)
class _Draft:
    """A shape while it grows."""

    model: Model
    columns: dict[str, Column] = field(default_factory=dict)
    links: dict[str, tuple[Via, _Draft, bool]] = field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    external_id: bool = False

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
        )


def build(models: Models, model: str, reads: Iterable[Read]) -> Shape:
    """Return the shape that carries every path of `reads`, rooted at `model`.

    Raises Unknown (with the nearest name) for models and fields that do not exist and
    Unreadable for fields whose value is not in the database.
    """
    root = _Draft(models.model(model))
    for read in reads:
        _grow(models, root, read)
    return root.shape()


def _grow(models: Models, root: _Draft, read: Read) -> None:
    steps = read.path.split(".")
    draft, depth = root, 0
    while steps:
        name = steps.pop(0)
        if not steps and _is_identity(draft, name):
            return
        found = draft.model.field(name)
        if found.related and not found.stored:
            draft.aliases[name] = path = tuple(found.related.split("."))
            steps[:0] = path
        elif found.is_relation:
            draft = _through(models, draft, found, read)
        else:
            _show(draft, found, steps)
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


def _show_sequence(draft: _Draft) -> None:
    found = draft.model.fields.get(SEQUENCE)
    if found is not None and found.kind is not None and found.stored:
        draft.columns[SEQUENCE] = Column(SEQUENCE, found.kind, found.type)


def _show(draft: _Draft, found: Field, rest: list[str]) -> None:
    if rest:
        raise Unreadable(
            f'{draft.model.name}.{found.name} is {found.type}; ".{rest[0]}" leads nowhere',
            hint=f'End the path at "{found.name}".',
        )
    if found.kind is None or not found.stored:
        raise Unreadable(
            f"{draft.model.name}.{found.name} has no column in the database: it is computed, or"
            " kept in the filestore",
            hint="Select the stored fields it is made of.",
        )
    draft.columns[found.name] = Column(found.name, found.kind, found.type)


def _through(models: Models, draft: _Draft, found: Field, read: Read) -> _Draft:
    via = _via(models, draft.model, found)
    if found.name in draft.links:
        known, target, followed = draft.links[found.name]
        draft.links[found.name] = (known, target, followed or read.follow)
        return target
    target = _Draft(models.model(found.relation))
    draft.links[found.name] = (via, target, read.follow)
    return target


def _via(models: Models, model: Model, found: Field) -> Via:
    if not found.stored and not (found.type == "one2many" and found.inverse):
        raise Unreadable(
            f"{model.name}.{found.name} is not stored: its records are computed",
            hint="Select a stored relation.",
        )
    match found.type:
        case "many2one":
            if found.company_dependent:
                raise Unreadable(
                    f"{model.name}.{found.name} depends on the company: no look through it",
                    hint="Select a many2one that is the same for all companies.",
                )
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
    if inverse.type == "many2one":
        return OneToMany(inverse.name)
    # A plain integer beside a column that names the model (mail.message, ir.attachment).
    column = next((n for n in ("res_model", "model") if n in other.fields), "")
    return OneToMany(inverse.name, column)
