"""Reads: fields of records as RPC shows them, searches, and what models are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from psycopg import sql

from embedded.odoo.declarations import MANY, Declared, models
from embedded.odoo_rpc.environment import FALLBACK, Env
from embedded.odoo_rpc.facts import READONLY, SELECTIONS, digits
from embedded.odoo_rpc.faults import AccessError
from embedded.odoo_rpc.model import Model, registry
from embedded.odoo_rpc.scalars import Scalars
from embedded.odoo_rpc.searching import Domain, Search
from embedded.odoo_rpc.values import NUMBERS, from_column

CLASSIC: Final = "_classic_read"
_HIDDEN: Final = frozenset({"ir.model.data"})
"""What only one who may write may read."""


def search(
    env: Env,
    model: Model,
    domain: Domain,
    *,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[int]:
    """Return the ids of what matches, in the order asked for or the model's own."""
    scalars, alias = Scalars(env.lang, env.company), sql.Identifier("t")
    query = sql.SQL("SELECT t.id FROM {} t WHERE {} ORDER BY {} LIMIT {} OFFSET {}").format(
        sql.Identifier(model.table),
        _condition(env, model, scalars, domain),
        _order(model, scalars, alias, order or model.order),
        sql.Literal(limit or None),
        sql.Literal(offset),
    )
    return [row[0] for row in env.ask(query)]


def search_count(env: Env, model: Model, domain: Domain) -> int:
    """Return how many match."""
    scalars = Scalars(env.lang, env.company)
    query = sql.SQL("SELECT count(*) FROM {} t WHERE {}").format(
        sql.Identifier(model.table), _condition(env, model, scalars, domain)
    )
    return int(env.ask(query)[0][0])


def read(
    env: Env, model: Model, ids: Sequence[int], names: Iterable[str], load: object = CLASSIC
) -> list[dict[str, Any]]:
    """Return the fields of those that exist, in the order of `ids`; `load` False: bare ids."""
    refuse_reading(env, model)
    wanted = list(dict.fromkeys(names)) or list(model.declared.fields)
    fields = [model.field(name) for name in wanted if name != "id"]
    there = env.there(model.table, ids)
    distinct = sorted(there)
    columns = {one.name: _values(env, model, one, distinct) for one in fields}
    if load == CLASSIC:
        for one in fields:
            if one.type == "many2one":
                columns[one.name] = _with_names(env, one, columns[one.name])
    return [
        {"id": number} | {name: held.get(number, False) for name, held in columns.items()}
        for number in ids
        if number in there
    ]


def refuse_reading(env: Env, model: Model) -> None:
    """Raise AccessError where the user may not even read."""
    if model.name in _HIDDEN and not env.user.writes:
        raise AccessError(f"The user may not read records of {model.name}.")


def fields_get(
    env: Env, model: Model, names: Iterable[str] | None, attributes: Iterable[str] | None
) -> dict[str, dict[str, Any]]:
    """Return what fields are."""
    wanted = set(names or ()) or set(model.declared.fields)
    asked = set(attributes or ())
    found = {}
    for name, one in model.declared.fields.items():
        if name in wanted:
            described = _described(env, model, one)
            found[name] = {k: v for k, v in described.items() if not asked or k in asked}
    return found


def choices(env: Env, model: str, name: str) -> list[list[str]]:
    """Return the values of a selection with their labels."""
    if name == "lang":
        rows = env.ask("SELECT code, name FROM res_lang WHERE active ORDER BY id")
        return [list(row) for row in rows]
    return [list(pair) for pair in SELECTIONS.get((model, name), ())]


def _condition(env: Env, model: Model, scalars: Scalars, domain: Domain) -> sql.Composable:
    refuse_reading(env, model)
    asked = Search(scalars, archived=env.shows_archived)
    return asked.condition(model.declared, sql.Identifier("t"), domain)


def _order(model: Model, scalars: Scalars, alias: sql.Identifier, order: str) -> sql.Composable:
    terms = []
    for term in order.split(","):
        name, _, way = term.strip().partition(" ")
        if way.strip().lower() not in {"", "asc", "desc"}:
            raise ValueError(f"Invalid order {order!r}")
        value = scalars.of(model.declared, alias, name)
        direction = sql.SQL("DESC" if way.strip().lower() == "desc" else "ASC")
        terms.append(sql.SQL("{} {}").format(value, direction))
    return sql.SQL(", ").join([*terms, sql.SQL("t.id ASC")])


def _values(env: Env, model: Model, one: Declared, ids: Sequence[int]) -> dict[int, Any]:
    if not ids:
        return {}
    if one.column:
        return _columns(env, model, one, ids)
    if one.related:
        return _related(env, model, one.related, ids)
    if one.type in MANY:
        return _links(env, model, one, ids)
    if one.name == "display_name":
        return dict(model.display_names(env, ids))
    return {n: from_column(one, v) for n, v in model.computed(env, one.name, ids).items()}


def _columns(env: Env, model: Model, one: Declared, ids: Sequence[int]) -> dict[int, Any]:
    query = sql.SQL("SELECT id, {} FROM {} WHERE id = ANY (%s)").format(
        sql.Identifier(one.name), sql.Identifier(model.table)
    )
    return {n: from_column(one, _here(env, one, held)) for n, held in env.ask(query, list(ids))}


def _here(env: Env, one: Declared, held: Any) -> Any:
    """Choose the language's or the company's value."""
    if one.translate and held is not None:
        return held.get(env.lang, held.get(FALLBACK))
    if one.company_dependent and held is not None:
        return held.get(str(env.company))
    return held


def _related(env: Env, model: Model, path: str, ids: Sequence[int]) -> dict[int, Any]:
    head, _, rest = path.partition(".")
    if not rest:
        return _values(env, model, model.field(head), ids)
    links = _values(env, model, model.field(head), ids)
    first = {n: (v[0] if isinstance(v, list) and v else v) for n, v in links.items()}
    targets = sorted({number for number in first.values() if number})
    other = registry()[model.field(head).relation]
    found = _related(env, other, rest, targets)
    return {n: found.get(target, False) if target else False for n, target in first.items()}


def _links(env: Env, model: Model, one: Declared, ids: Sequence[int]) -> dict[int, list[int]]:
    """Return linked ids in the other model's order; archived ones where the context shows them."""
    other = registry()[one.relation]
    scalars, alias = Scalars(env.lang, env.company), sql.Identifier("t")
    if one.type == "one2many":
        owner = sql.SQL("t.{}").format(sql.Identifier(one.inverse))
        source = sql.SQL("{} t").format(sql.Identifier(other.table))
    else:
        owner = sql.SQL("r.{}").format(sql.Identifier(one.column1))
        source = sql.SQL("{} r JOIN {} t ON t.id = r.{}").format(
            *map(sql.Identifier, (one.table, other.table, one.column2))
        )
    # Where a record points at any model, its model's name tells whose it is.
    kind = next((n for n in ("model", "res_model") if n in other.declared.fields), "")
    mine: Domain = [[kind, "=", model.name]] if one.inverse == "res_id" and kind else []
    shown = Search(scalars, archived=env.shows_archived)
    query = sql.SQL("SELECT {}, t.id FROM {} WHERE {} = ANY (%s) AND {} ORDER BY {}").format(
        owner,
        source,
        owner,
        shown.condition(other.declared, alias, mine),
        _order(other, scalars, alias, other.order),
    )
    found: dict[int, list[int]] = {number: [] for number in ids}
    for number, linked in env.ask(query, list(ids)):
        found[number].append(linked)
    return found


def _with_names(env: Env, one: Declared, held: Mapping[int, Any]) -> dict[int, Any]:
    targets = sorted({number for number in held.values() if number})
    known = registry()[one.relation].display_names(env, targets) if targets else {}
    return {n: [v, known.get(v, "")] if v else False for n, v in held.items()}


def _described(env: Env, model: Model, one: Declared) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": one.name,
        "type": one.type,
        "string": one.label,
        "store": one.store,
        "required": one.required,
        "readonly": _readonly(one),
        "searchable": one.store or bool(one.related),
        "sortable": bool(one.column),
        "company_dependent": one.company_dependent,
    }
    if one.type in {"char", "text", "html"}:
        described["translate"] = one.translate
    if one.relation:
        described["relation"] = one.relation
    if one.type == "one2many":
        described["relation_field"] = one.inverse
    if one.type == "selection":
        described["selection"] = choices(env, model.name, one.name)
    if one.currency:
        described["currency_field"] = one.currency
    elif one.type in NUMBERS:
        described["digits"] = [16, digits(model.name, one.name)]
    return described


def _readonly(one: Declared) -> bool:
    if one.name in {"id", "display_name"} | READONLY:
        return True
    return one.name.startswith(("create_", "write_")) and one.name.endswith(("_uid", "_date"))


def known(name: str) -> bool:
    """Whether there is a model of this name."""
    return name in models()
