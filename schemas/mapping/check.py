"""A mapping, held against a database's models: what it asks for that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from schemas import domain, shaping
from schemas.document import Column, Read, Resolved, resolve
from schemas.errors import BadUsage
from schemas.fields import Kind, Models
from schemas.finding import Fault
from schemas.mapping.forms import Constant, Each, Entry, Mapping, Match, Path, Ref, Table
from schemas.mapping.scalars import table_key

_UNTABLED = frozenset({Kind.JSON, Kind.BINARY})


def check(mapping: Mapping, models: Models, model: str) -> list[Fault]:
    """Return everything that stands between the mapping and the documents of `model`.

    Each fault's key is its place inside the route, `map.order_line.map.name` for instance.
    """
    return [fault for entry in mapping.entries for fault in _entry(entry, models, model)]


def _entry(entry: Entry, models: Models, model: str) -> Iterator[Fault]:
    match entry.value:
        case Constant():
            return
        case Path() as path:
            yield from _path(path, models, model, entry.key)
        case Ref(path=path):
            yield from _relation(_resolved(models, model, path), path, entry.key)
        case Match() as match:
            yield from _match(match, models, model, entry.key)
        case Each() as each:
            yield from _each(each, models, model, entry.key)
        case _:
            assert_never(entry.value)


def _path(path: Path, models: Models, model: str, key: str) -> Iterator[Fault]:
    found = _resolved(models, model, path.path)
    if isinstance(found, Fault):
        yield replace(found, key=key)
        return
    column = found.column
    if column is not None and column.kind is Kind.COMPANY:
        yield Fault(
            f'"{path.path}" depends on the company: such values are not supported',
            "leave the field out",
            key,
        )
        return
    if path.lang and (column is None or column.kind is not Kind.TRANSLATED):
        yield Fault(f'"{path.path}" is not translated', "leave `lang` out", f"{key}.lang")
    if path.table is not None:
        yield from _table(path.table, path.path, found, f"{key}.table")


def _table(table: Table, path: str, found: Resolved, key: str) -> Iterator[Fault]:
    column = found.column
    if column is None and not found.special:
        yield Fault(
            f'a table maps values; "{path}" is a relation',
            f'map a field of it, for instance "{path}.name"',
            key,
        )
        return
    column = column or Column(found.special, Kind.TEXT, "char")
    if column.kind in _UNTABLED:
        yield Fault(f'"{path}" is {column.type}: no table fits', "leave `table` out", key)
        return
    for written, _ in table.values:
        try:
            table_key(column.kind, written)
        except ValueError:
            yield Fault(
                f'"{path}" is {column.type} and never has the value {written!r}',
                "leave it out, or write a value that the field can have",
                f"{key}.{written}",
            )


def _match(match: Match, models: Models, model: str, key: str) -> Iterator[Fault]:
    faults = [fault for entry in match.entries for fault in _entry(entry, models, model)]
    yield from faults
    if match.record and not faults:
        shared = ".".join(match.record)
        yield from _relation(_resolved(models, model, shared), shared, key)


def _each(each: Each, models: Models, model: str, key: str) -> Iterator[Fault]:
    found = _resolved(models, model, each.path)
    if isinstance(found, Fault):
        yield replace(found, key=key)
        return
    if not found.many or found.column is not None or found.special:
        yield Fault(
            f'"{each.path}" is no list of records',
            "name a one2many or many2many field",
            f"{key}.each",
        )
        return
    for fault in domain.check(each.domain, models, found.shape.model):
        yield replace(fault, key=f"{key}.domain{fault.key}")
    yield from check(each.mapping, models, found.shape.model)


def _relation(found: Resolved | Fault, path: str, key: str) -> Iterator[Fault]:
    if isinstance(found, Fault):
        yield replace(found, key=key)
    elif found.column is not None or found.special:
        yield Fault(f'"{path}" is no relation', "name a relation, partner_id for instance", key)


def _resolved(models: Models, model: str, path: str) -> Resolved | Fault:
    """Walk a path through the models, as a document would show it."""
    try:
        shape = shaping.build(models, model, [Read(path)])
    except BadUsage as error:
        return Fault(str(error), error.hint)
    return resolve(shape, path)
