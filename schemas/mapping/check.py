"""A mapping, held against models or a shape: what it asks for that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import assert_never

from schemas import domain
from schemas.company import of_one_company
from schemas.document import Column, LiveEnd, NotShown, Resolved, Shape, live_end, resolve
from schemas.errors import BadUsage
from schemas.fields import Kind, Models
from schemas.finding import Fault
from schemas.mapping.forms import Constant, Each, Entry, Mapping, Match, Path, Ref, Table
from schemas.mapping.scalars import table_key
from schemas.shaping import Ground, InModels, InShape
from schemas.via import ManyToOne

_ODOO = "set source.odoo, by which the workers ask Odoo for it"
_UNTABLED = frozenset({Kind.JSON, Kind.BINARY})


def check(
    mapping: Mapping, models: Models, model: str, context: domain.Context, *, live: bool = False
) -> list[Fault]:
    """Return everything that stands between the mapping and the documents of `model`.

    Each fault's key is its place inside the route, `map.order_line.map.name` for instance. With
    `live` Odoo can be asked for values that no column holds.
    """
    return list(_faults(mapping, InModels(models, model, live), context))


def unfit(
    mapping: Mapping, shape: Shape, context: domain.Context, *, live: bool = False
) -> list[Fault]:
    """Return what `check` would find by what a shape shows; what it does not show is no fault."""
    return list(_faults(mapping, InShape(shape, live), context))


def live_paths(mapping: Mapping, models: Models, model: str) -> list[tuple[str, str, str]]:
    """Return (model, field, key) of every live value of a mapping without faults."""
    return list(_live_paths(mapping, InModels(models, model, live=True)))


def _live_paths(mapping: Mapping, ground: InModels) -> Iterator[tuple[str, str, str]]:
    for entry in mapping.entries:
        match entry.value:
            case Path(path=path):
                end = live_end(ground.shape(path), path)
                if end is not None:
                    yield end.shape.model, end.live.name, entry.key
            case Each(path=path, mapping=inside):
                yield from _live_paths(inside, ground.behind(resolve(ground.shape(path), path)))
            case Constant() | Ref() | Match():
                pass  # none of them can have one
            case _:
                assert_never(entry.value)


def _faults(mapping: Mapping, ground: Ground, context: domain.Context) -> Iterator[Fault]:
    for entry in mapping.entries:
        with suppress(NotShown):  # a route that starts later: nothing to judge yet
            yield from _entry(entry, ground, context)


def _entry(entry: Entry, ground: Ground, context: domain.Context) -> Iterator[Fault]:
    match entry.value:
        case Constant():
            return
        case Path() as path:
            yield from _path(path, ground, entry.key, context)
        case Ref(path=path):
            yield from _relation(_stored(ground, path), path, entry.key)
        case Match() as match:
            yield from _match(match, ground, entry.key, context)
        case Each() as each:
            yield from _each(each, ground, entry.key, context)
        case _:
            assert_never(entry.value)


def _path(path: Path, ground: Ground, key: str, context: domain.Context) -> Iterator[Fault]:
    end = _live_end(ground, path.path)
    if end is not None:
        yield from _live(path, end, ground, key)
    else:
        yield from _plain(path, ground, key, context)


def _plain(path: Path, ground: Ground, key: str, context: domain.Context) -> Iterator[Fault]:
    found = _resolved(ground, path.path)
    if isinstance(found, Fault):
        yield replace(found, key=key)
        return
    column = found.column
    yield from _company(path, found, f"{key}.company", context)
    if column is not None and column.kind is Kind.COMPANY:
        inner = of_one_company(column)
        if inner is None:
            what = f'"{path.path}" is {column.type} and depends on the company'
            yield Fault(f"{what}: such values are not supported", "leave the field out", key)
            return
        column, found = inner, replace(found, column=inner)
    if path.lang and (column is None or column.kind is not Kind.TRANSLATED):
        yield Fault(f'"{path.path}" is not translated', "leave `lang` out", f"{key}.lang")
    if path.mask and (column.kind in _UNTABLED if column else not found.special):
        what = f"is {column.type}" if column else "is a relation"
        yield Fault(
            f'"{path.path}" {what}: no mask fits',
            "leave it out, or mask a field that is a text or a number",
            f"{key}.mask",
        )
    if path.table is not None:
        yield from _table(path.table, path.path, found, f"{key}.table")


def _company(path: Path, found: Resolved, key: str, context: domain.Context) -> Iterator[Fault]:
    remedy = "leave `company` out"
    column = found.column
    if any(isinstance(link.via, ManyToOne) and link.via.company for link in found.links):
        if path.company not in {0, context.company}:
            yield Fault(
                f'"{path.path}" leads through a relation that depends on the company, which is'
                " followed as source.company has it",
                remedy,
                key,
            )
    elif path.company and (column is None or column.kind is not Kind.COMPANY):
        yield Fault(f'"{path.path}" does not depend on the company', remedy, key)


def _live(path: Path, end: LiveEnd, ground: Ground, key: str) -> Iterator[Fault]:
    """Give what stands between a mapping and a value that Odoo is asked for."""
    what = f'"{path.path}" has no column: it is computed, or kept in the filestore'
    try:
        ground.shape(path.path)
    except BadUsage as error:
        yield Fault(str(error), f"{_ODOO}; or select the stored fields it is made of", key)
        return
    if any(link.many for link in end.links):
        yield Fault(
            f"{what}, and is read of one record at a time",
            "send the records one by one: {each: ..., map: {...}}",
            key,
        )
    asked = {
        "table": path.table is not None,
        "default": path.default is not None,
        "lang": bool(path.lang),
        "company": bool(path.company),
        "mask": bool(path.mask),
    }
    for name, is_asked in asked.items():
        if is_asked:
            yield Fault(f"{what}: `{name}` cannot be applied", f"leave `{name}` out", key)


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


def _match(match: Match, ground: Ground, key: str, context: domain.Context) -> Iterator[Fault]:
    faults = [fault for entry in match.entries for fault in _compared(entry, ground, context)]
    yield from faults
    if match.record and not faults:
        shared = ".".join(match.record)
        yield from _relation(_stored(ground, shared), shared, key)


def _compared(entry: Entry, ground: Ground, context: domain.Context) -> Iterator[Fault]:
    """Give what stands between a match and a value that it compares by."""
    if isinstance(entry.value, Path) and _live_end(ground, entry.value.path) is not None:
        yield Fault(
            f'"{entry.value.path}" has no column: another Odoo cannot be searched by it',
            "compare by a stored field",
            entry.key,
        )
    else:
        yield from _entry(entry, ground, context)


def _each(each: Each, ground: Ground, key: str, context: domain.Context) -> Iterator[Fault]:
    found = _stored(ground, each.path)
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
    behind = ground.behind(found)
    for fault in domain.faults(each.domain, behind.with_live(live=False), context):
        yield replace(fault, key=f"{key}.domain{fault.key}")
    yield from _faults(each.mapping, behind, context)


def _relation(found: Resolved | Fault, path: str, key: str) -> Iterator[Fault]:
    if isinstance(found, Fault):
        yield replace(found, key=key)
    elif found.column is not None or found.special:
        yield Fault(f'"{path}" is no relation', "name a relation, partner_id for instance", key)


def _resolved(ground: Ground, path: str) -> Resolved | Fault:
    """Walk a path, as a document would show it; NotShown where a shape does not."""
    try:
        shape = ground.shape(path)
    except BadUsage as error:
        return Fault(str(error), error.hint)
    return resolve(shape, path)


def _stored(ground: Ground, path: str) -> Resolved | Fault:
    return _resolved(ground.with_live(live=False), path)


def _live_end(ground: Ground, path: str) -> LiveEnd | None:
    """Return where a path ends, if Odoo can be asked for it at all."""
    try:
        shape = ground.with_live(live=True).shape(path)
    except (BadUsage, NotShown):
        return None
    return live_end(shape, path)
