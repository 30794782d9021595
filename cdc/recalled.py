"""What a database was when its tables were read, where it is not that any more. Pure.

A file is held against what its fields were: one whose column is gone, or holds values of another
kind, is no fault of the file. The models that show such a field wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cdc.engine.holding import Holding
from schemas.document import Link, Shape
from schemas.fields import Field, Kind, Model, Models
from schemas.via import ManyToMany, ManyToOne, OneToMany

Place = tuple[str, str]  # a model and the name of its field

GONE: Final = "is gone"
_GUARDS: Final = {
    "write_uid": Field("write_uid", "many2one", stored=True),
    "write_date": Field("write_date", "datetime", Kind.DATETIME, stored=True),
}


@dataclass(frozen=True, slots=True)
class Recalled:
    """The models, with what shapes show of them as it was; `changed` says how it is not so."""

    models: Models
    changed: Mapping[Place, str]

    def concerns(self, shape: Shape) -> dict[Place, str]:
        """Return what has changed of the fields that a shape shows."""
        return {
            place: self.changed[place]
            for place in sorted({place for place, _ in _fields(shape)} & self.changed.keys())
        }


def recall(models: Models, holding: Holding) -> Recalled:
    """Return the models of a database, with the fields that documents showed as they were."""
    found = {name: dict(model.fields) for name, model in models.by_name.items()}
    tables = {name: model.table for name, model in models.by_name.items()}
    changed: dict[Place, str] = {}
    for shape in holding.shapes:
        for (model, name), was in _fields(shape):
            fields = found.setdefault(model, {})
            if why := _difference(fields.get(name), was):
                changed[model, name] = why
                fields[name] = was
        for model, table in _tables(shape):
            tables.setdefault(model, table)
            for guard in _guards(holding, table):
                if not getattr(found.setdefault(model, {}).get(guard), "stored", False):
                    found[model][guard] = _GUARDS[guard]
    if not changed and found.keys() == models.by_name.keys():
        return Recalled(models, {})
    by_name = {name: Model(name, tables[name], fields) for name, fields in found.items()}
    return Recalled(replace(models, by_name=by_name), changed)


def _guards(holding: Holding, table: str) -> tuple[str, ...]:
    held = holding.tables.get(table)
    return held.forms[held.form].guards if held is not None and held.forms else ()


def _difference(field: Field | None, was: Field) -> str:
    """Say how a field is not what it was; "" where values of it are of the same kind."""
    if field is None:
        return GONE
    if was.related:  # what it reads through says it of itself
        return ""
    if was.type == "one2many":
        return "" if (field.type, field.inverse) == (was.type, was.inverse) else "is another one"
    return _otherwise(field, was) if field.stored else GONE


def _otherwise(field: Field, was: Field) -> str:
    if was.type == "many2many":
        same = (field.table, field.column1, field.column2) == (was.table, was.column1, was.column2)
        return "" if same else "is another one"
    if _kind(field) != _kind(was):
        return f"is {_kind(field)}, and was {_kind(was)}"
    if was.relation and field.relation != was.relation:
        return f"leads to {field.relation}, and led to {was.relation}"
    return ""


def _kind(field: Field) -> str:
    relation = "many2one" if field.type == "many2one" else ""
    return " ".join(filter(None, (field.kind and field.kind.value, relation)))


def _tables(shape: Shape) -> Iterator[tuple[str, str]]:
    yield shape.model, shape.table
    for link in shape.links:
        yield from _tables(link.shape)


def _fields(shape: Shape) -> Iterator[tuple[Place, Field]]:
    """Yield every field that a shape shows or leads through, as far as it knows them."""
    for column in shape.columns:
        yield (
            (shape.model, column.name),
            Field(
                column.name,
                column.type,
                column.kind,
                stored=True,
                translated=column.kind is Kind.TRANSLATED,
                company_dependent=column.kind is Kind.COMPANY,
            ),
        )
    for name, path in shape.aliases:
        yield (shape.model, name), Field(name, "char", related=".".join(path))
    for link in shape.links:
        yield from _links(shape, link)
        yield from _fields(link.shape)


def _links(shape: Shape, link: Link) -> Iterator[tuple[Place, Field]]:
    place, to = (shape.model, link.name), link.shape.model
    match link.via:
        case ManyToOne(company=company):
            kind = Kind.COMPANY if company else None
            named = Field(link.name, "many2one", kind, to, stored=True)
            yield place, replace(named, company_dependent=bool(company))
        case OneToMany(inverse, model_column):
            yield place, Field(link.name, "one2many", relation=to, inverse=inverse)
            if model_column:
                yield (to, inverse), Field(inverse, "integer", Kind.INTEGER, stored=True)
                yield (to, model_column), Field(model_column, "char", Kind.TEXT, stored=True)
            else:
                yield (to, inverse), Field(inverse, "many2one", stored=True)
        case ManyToMany(table, column1, column2):
            field = Field(link.name, "many2many", relation=to, stored=True)
            yield place, replace(field, table=table, column1=column1, column2=column2)
