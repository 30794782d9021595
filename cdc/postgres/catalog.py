"""Odoo's models and fields: what `ir_model_fields` says, as far as the tables bear it out.

`ir_model_fields.store` does not say whether there is a column; pg_attribute does. Columns that
Odoo added to ir_model_fields over the years are asked for only where the table has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg import sql

from cdc.engine.holding import Attribute
from cdc.postgres.connect import SCHEMA, NotPermitted, Row, Session
from schemas.errors import BadUsage
from schemas.fields import Field, Kind, Model, Models

_KINDS: Final[Mapping[str, Kind]] = {
    "bool": Kind.BOOLEAN,
    "bytea": Kind.BINARY,
    "date": Kind.DATE,
    "float4": Kind.FLOAT,
    "float8": Kind.FLOAT,
    "int2": Kind.INTEGER,
    "int4": Kind.INTEGER,
    "int8": Kind.INTEGER,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
    "numeric": Kind.NUMERIC,
    "timestamp": Kind.DATETIME,
}  # a domain is what it is made over; any other type travels as the text that Postgres writes

# Models whose table is not their name with underscores (odoo/addons/base, ir.actions).
_TABLES: Final[Mapping[str, str]] = {
    "ir.actions.actions": "ir_actions",
    "ir.actions.act_url": "ir_act_url",
    "ir.actions.act_window": "ir_act_window",
    "ir.actions.act_window.view": "ir_act_window_view",
    "ir.actions.act_window_close": "ir_actions",
    "ir.actions.client": "ir_act_client",
    "ir.actions.report": "ir_act_report_xml",
    "ir.actions.server": "ir_act_server",
}

_ENGLISH: Final = "en_US"  # Odoo keeps it for every label
_MANY2MANY: Final = "many2many"
_ONE2MANY: Final = "one2many"
_MANY2ONE: Final = "many2one"

_GENERATED: Final = "generated"  # in place of the type of a column that does not travel
_TRAVELS: Final = 180000  # from this version on stored generated columns can
_Columns = Mapping[str, Mapping[str, str]]  # table -> column -> type, of a domain its base type


class NotOdoo(BadUsage):
    """The database has no ir_model_fields: it is not Odoo's."""

    hint = "Name Odoo's own database in source.dsn of sync.yaml."


def _refuse_hidden(session: Session) -> None:
    """Raise NotPermitted where the schema is closed: Postgres would say that it is empty."""
    role, usable = session.one(
        "SELECT current_user::text, has_schema_privilege(oid, 'USAGE')"
        " FROM pg_catalog.pg_namespace WHERE nspname = %s",
        [SCHEMA],
    )
    if not usable:
        raise NotPermitted(f'{session.where}: permission denied for schema {SCHEMA} to "{role}"')


def load_models(session: Session, lang: str = _ENGLISH) -> Models:
    """Read all models with their fields; models without a table have no stored field.

    Labels are in `lang`, else in English.
    Needs SELECT on ir_model and ir_model_fields. Raises NotOdoo, NotPermitted,
    DatabaseUnreachable.
    """
    _refuse_hidden(session)
    columns = _all_columns(session)
    if "model" not in columns.get("ir_model_fields", {}) or "ir_model" not in columns:
        raise NotOdoo(f"{session.where} has no table ir_model_fields")
    fields: dict[str, dict[str, Field]] = {}
    for (model,) in session.rows("SELECT model FROM ir_model ORDER BY model"):
        fields[model] = {}
    for row in session.rows(_fields_statement(columns["ir_model_fields"], lang)):
        described = _Described(*row)
        if described.model in fields:
            found = _field(described, columns)
            fields[described.model][found.name] = found
    return Models({name: Model(name, table_of(name), fields[name]) for name in fields})


def table_of(model: str) -> str:
    """Return the table that Odoo keeps a model in."""
    return _TABLES.get(model) or model.replace(".", "_")


def attributes(session: Session, tables: Iterable[str]) -> dict[str, dict[str, Attribute]]:
    """Return how the columns of each table are made, by name.

    Tables that do not exist have none; generated columns that do not travel are left out.
    """
    found: dict[str, dict[str, Attribute]] = {table: {} for table in tables}
    for table, name, type_name, *made in _column_rows(session, list(found)):
        if type_name != _GENERATED:
            found[table][name] = Attribute(*made)
    return found


def generates(session: Session, columns: Mapping[str, Sequence[str]]) -> bool:
    """Say whether Postgres generates one of some columns, by table."""
    rows = session.rows(
        "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_attribute a"
        " JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = ANY (%s) AND a.attnum > 0"
        " AND NOT a.attisdropped AND a.attgenerated <> ''",
        [SCHEMA, sorted(columns)],
    )
    return any(name in columns[table] for table, name in rows)


def _all_columns(session: Session) -> _Columns:
    found: dict[str, dict[str, str]] = {}
    for table, name, type_name, *_ in _column_rows(session, None):
        found.setdefault(table, {})[name] = type_name
    return found


def _column_rows(session: Session, tables: list[str] | None) -> list[Row]:
    return session.rows(
        "WITH RECURSIVE made (oid, base) AS ("
        "  SELECT oid, oid FROM pg_catalog.pg_type"
        "  UNION ALL SELECT m.oid, t.typbasetype FROM made m"
        "  JOIN pg_catalog.pg_type t ON t.oid = m.base WHERE t.typtype = 'd')"
        " SELECT c.relname::text, a.attname::text,"
        " CASE WHEN a.attgenerated = '' OR a.attgenerated = 's' AND %(travels)s"
        "  THEN t.typname::text ELSE %(generated)s END,"
        " a.atttypid::int8, a.attnum::int8,"
        # a longer varchar changes no value, and a shorter one is refused where it would
        " CASE WHEN a.atttypid = 'pg_catalog.varchar'::regtype THEN -1 ELSE a.atttypmod END,"
        " CASE WHEN m.base = a.atttypid THEN 0 ELSE m.base::int8 END,"
        " a.xmin::text::int8, c.relfilenode::int8"
        " FROM pg_catalog.pg_attribute a"
        " JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " JOIN made m ON m.oid = a.atttypid"
        " JOIN pg_catalog.pg_type t ON t.oid = m.base AND t.typtype <> 'd'"
        " WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')"
        " AND (%(tables)s::text[] IS NULL OR c.relname = ANY (%(tables)s::text[]))"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY c.relname, a.attnum",
        {
            "schema": SCHEMA,
            "tables": tables,
            "generated": _GENERATED,
            "travels": session.version >= _TRAVELS,
        },
    )


@dataclass(frozen=True, slots=True)
class _Described:
    """A row of ir_model_fields."""

    model: str
    name: str
    type: str
    relation: str
    inverse: str
    table: str
    column1: str
    column2: str
    related: str
    translate: Any  # a boolean; later versions name the kind of translation
    company_dependent: bool
    label: str


def _fields_statement(known: Mapping[str, str], lang: str) -> sql.Composed:
    def optional(column: LiteralString, otherwise: LiteralString) -> sql.SQL:
        return sql.SQL(column if column in known else otherwise)

    label: sql.Composable = sql.SQL("coalesce(field_description, '')")
    if known.get("field_description") == "jsonb":
        written = "coalesce(nullif(field_description ->> {}, ''), field_description ->> {}, '')"
        label = sql.SQL(written).format(lang, _ENGLISH)
    return sql.SQL(
        "SELECT model, name, ttype, coalesce(relation, ''), coalesce(relation_field, ''),"
        " coalesce(relation_table, ''), coalesce(column1, ''), coalesce(column2, ''),"
        " coalesce(related, ''), {}, {}, {} FROM ir_model_fields ORDER BY model, name"
    ).format(
        optional("translate", "false"),
        optional("company_dependent", "false"),
        label,
    )


def _field(row: _Described, columns: _Columns) -> Field:
    type_name = columns.get(table_of(row.model), {}).get(row.name)
    generated = type_name == _GENERATED
    stored = type_name is not None and row.type not in {_ONE2MANY, _MANY2MANY} and not generated
    if row.type == _MANY2MANY:
        stored = {row.column1, row.column2} <= columns.get(row.table, {}).keys()
    many2many = row.type == _MANY2MANY and stored
    return Field(
        name=row.name,
        type=row.type,
        kind=_kind(row, type_name) if stored and type_name else None,
        relation=row.relation,
        inverse=row.inverse if row.type == _ONE2MANY else "",
        table=row.table if many2many else "",
        column1=row.column1 if many2many else "",
        column2=row.column2 if many2many else "",
        related="" if stored else row.related,
        stored=stored,
        translated=bool(row.translate) and type_name == "jsonb",
        company_dependent=bool(row.company_dependent),
        label=row.label,
        generated=generated,
    )


def _kind(row: _Described, type_name: str) -> Kind | None:
    kind = _KINDS.get(type_name, Kind.TEXT)
    if kind is Kind.JSON and row.company_dependent:
        return Kind.COMPANY
    if row.type == _MANY2ONE:
        return None
    if kind is Kind.JSON and row.translate:
        return Kind.TRANSLATED
    return kind
