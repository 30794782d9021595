"""A small shop: its tables, what Odoo's catalog says of them, and SQL that knows its documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

import psycopg

from schemas.document import Shape
from schemas.event import Document
from tests.pg_capture import CATALOG, declare

Tree = Mapping[str, "Tree"]  # what is read: a field has nothing below it, a relation has

TABLES: Final[LiteralString] = """
    CREATE TABLE ir_model_data (
        id serial PRIMARY KEY, module varchar, name varchar, model varchar, res_id int);
    CREATE TABLE shop_partner (id int PRIMARY KEY, name varchar, city varchar, memo text);
    CREATE TABLE shop_tag (id int PRIMARY KEY, name varchar, memo text);
    CREATE TABLE shop_order (
        id int PRIMARY KEY, name varchar, note text, amount numeric, memo text,
        partner_id int REFERENCES shop_partner ON DELETE SET NULL);
    CREATE TABLE shop_line (
        id int PRIMARY KEY, name varchar, memo text,
        order_id int REFERENCES shop_order ON DELETE CASCADE);
    CREATE TABLE shop_order_tag (
        order_id int REFERENCES shop_order ON DELETE CASCADE,
        tag_id int REFERENCES shop_tag ON DELETE CASCADE, PRIMARY KEY (order_id, tag_id));
    ALTER TABLE shop_order ALTER note SET STORAGE EXTERNAL;
"""  # `memo` is what nobody selects; `note` is large and lies beside its row
ROWS: Final = ("shop_partner", "shop_tag", "shop_order", "shop_line")
ALL: Final = (*ROWS, "shop_order_tag")

# The ways in which each model can be selected; None: it is in no route.
FORMS: Final[Mapping[str, Sequence[Sequence[str] | None]]] = {
    "shop.order": (
        ("name", "amount", "partner_id.name", "line_ids.name", "tag_ids.name"),
        ("name", "note", "partner_id.name", "partner_id.city", "line_ids.name"),
        ("name", "amount", "note", "tag_ids.name"),
        ("amount", "line_ids.name", "partner_id.city"),
    ),
    "shop.partner": (("name", "city"), ("name",), None, ("name", "order_ids.name")),
    "shop.tag": (None, ("name",), ("name", "order_ids.partner_id.city")),
}

# relation -> table, and which of its rows `{row}` shows, whose alias is `{me}`
_RELATIONS: Final = {
    "partner_id": ("shop_partner", "{row}.id = {me}.partner_id"),
    "line_ids": ("shop_line", "{row}.order_id = {me}.id"),
    "tag_ids": (
        "shop_tag",
        "{row}.id IN (SELECT tag_id FROM shop_order_tag WHERE order_id = {me}.id)",
    ),
    "shop_partner.order_ids": ("shop_order", "{row}.partner_id = {me}.id"),
    "shop_tag.order_ids": (
        "shop_order",
        "{row}.id IN (SELECT order_id FROM shop_order_tag WHERE tag_id = {me}.id)",
    ),
}


def make(connection: psycopg.Connection) -> None:
    """Make the tables, empty, and tell Odoo's catalog of them."""
    connection.execute(CATALOG)
    connection.execute(TABLES)
    pair = {"ttype": "many2many", "relation_table": "shop_order_tag"}
    declare(connection, "ir.model.data", module="char", name="char", res_id="many2one_reference")
    connection.execute(
        "INSERT INTO ir_model_fields (model, name, ttype)"
        " VALUES ('ir.model.data', 'model', 'char')"
    )
    lines = {"ttype": "one2many", "relation": "shop.line", "relation_field": "order_id"}
    orders = {"ttype": "one2many", "relation": "shop.order", "relation_field": "partner_id"}
    tags = {**pair, "relation": "shop.tag", "column1": "order_id", "column2": "tag_id"}
    tagged = {**pair, "relation": "shop.order", "column1": "tag_id", "column2": "order_id"}
    partner = {"ttype": "many2one", "relation": "shop.partner"}
    plain = {"name": "char", "memo": "text"}
    declare(connection, "shop.partner", **plain, city="char", order_ids=orders)
    declare(connection, "shop.tag", **plain, order_ids=tagged)
    declare(
        connection,
        "shop.order",
        **plain,
        note="text",
        amount="monetary",
        partner_id=partner,
        line_ids=lines,
        tag_ids=tags,
    )
    order = {"ttype": "many2one", "relation": "shop.order"}
    declare(connection, "shop.line", **plain, order_id=order)


def routes_yaml(forms: Mapping[str, int]) -> str:
    """Return the `routes:` section of a choice of forms."""
    lines = ["routes:"]
    for model, paths in selected(forms).items():
        name = model.rpartition(".")[2]
        fields = ", ".join(paths)
        lines.append(f"  - {{name: {name}, model: {model}, targets: [t], fields: [{fields}]}}")
    return "\n".join(lines) + "\n"


def selected(forms: Mapping[str, int]) -> dict[str, Sequence[str]]:
    """Return the paths of each model that is selected."""
    found = {model: FORMS[model][number] for model, number in forms.items()}
    return {model: paths for model, paths in found.items() if paths is not None}


def tree_of(paths: Sequence[str]) -> Tree:
    """Return what these paths read."""
    tree: dict[str, Any] = {}
    for path in paths:
        at = tree
        for name in path.split("."):
            at = at.setdefault(name, {})
    return tree


def tree_in(shape: Shape) -> Tree:
    """Return what an event's own schema says that it carries."""
    columns: dict[str, Tree] = {column.name: {} for column in shape.columns}
    return columns | {link.name: tree_in(link.shape) for link in shape.links}


def documents(connection: psycopg.Connection, model: str, tree: Tree) -> dict[int, Document]:
    """Ask SQL for the documents of a model as they are."""
    table = model.replace(".", "_")
    query = f"SELECT d.id, {_object(table, 'd', tree)} FROM {table} d ORDER BY d.id"  # noqa: S608 - ours
    return dict(connection.execute(query.encode()).fetchall())


def _object(table: str, me: str, tree: Tree) -> str:
    parts = [f"'id', {me}.id"]
    for name, below in tree.items():
        value = _related(table, me, name, below) if below else _plain(me, name)
        parts.append(f"'{name}', {value}")
    return f"jsonb_build_object({', '.join(parts)})"


def _plain(me: str, name: str) -> str:
    return f"{me}.{name}::text" if name == "amount" else f"{me}.{name}"


def _related(table: str, me: str, name: str, below: Tree) -> str:
    other, which = _RELATIONS.get(f"{table}.{name}") or _RELATIONS[name]
    row = f"{me}_{name}"
    shown, where = _object(other, row, below), which.format(row=row, me=me)
    if name == "partner_id":
        return f"(SELECT {shown} FROM {other} {row} WHERE {where})"  # noqa: S608 - ours
    many = f"coalesce(jsonb_agg({shown} ORDER BY {row}.id), '[]')"
    return f"(SELECT {many} FROM {other} {row} WHERE {where})"  # noqa: S608 - ours
