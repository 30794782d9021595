"""The recorded rows and answers of a real Odoo 18, as documents show them.

tests/data/domain_cases.json holds rows, domains, and the ids that Odoo's search returned.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.document import Shape
from schemas.event import Document
from schemas.fields import Field, Kind, Model, Models
from schemas.via import ManyToMany, ManyToOne, OneToMany

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "domain_cases.json").read_bytes()
)
ROWS: dict[str, list[dict[str, Any]]] = CASES["rows"]

_KINDS = {
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "float": Kind.NUMERIC,
    "integer": Kind.INTEGER,
    "monetary": Kind.NUMERIC,
}
_DOUBLES = {"customer_lead"}  # a float without digits is a double precision column


def _kind(name: str, fact: dict[str, Any]) -> Kind | None:
    if fact.get("relation"):
        return None
    if fact.get("company_dependent"):
        return Kind.COMPANY
    if fact.get("translate"):
        return Kind.TRANSLATED
    return Kind.FLOAT if name in _DOUBLES else _KINDS.get(fact["type"], Kind.TEXT)


def _field(name: str, fact: dict[str, Any]) -> Field:
    stored = fact.get("store", True)
    return Field(
        name,
        fact["type"],
        _kind(name, fact) if stored else None,
        relation=fact.get("relation") or "",
        inverse=fact.get("relation_field") or "",
        table=fact.get("relation_table") or "",
        column1=fact.get("column1") or "",
        column2=fact.get("column2") or "",
        related="" if stored else fact["related"],
        stored=stored,
        translated=bool(fact.get("translate")),
        company_dependent=bool(fact.get("company_dependent")),
    )


MODELS = Models(
    {
        name: Model(name, facts["table"], {n: _field(n, f) for n, f in facts["fields"].items()})
        for name, facts in {
            **CASES["models"],
            "res.company": {"table": "res_company", "fields": {"id": {"type": "integer"}}},
        }.items()
    }
)


def _value(kind: Kind, held: Any) -> Any:
    """Give a held value the form that Avro decodes."""
    if held is None:
        return None
    match kind:
        case Kind.TRANSLATED | Kind.COMPANY:
            return json.dumps(held)
        case Kind.NUMERIC:
            return str(held)
        case Kind.FLOAT:
            return float(held)
        case Kind.DATETIME:
            return f"{held}Z"
        case _:
            return held


def _of_company(held: dict[str, int | None] | None, via: ManyToOne) -> int | None:
    """Return one company's id, from a held value."""
    return (held or {}).get(str(via.company), via.default)


Rows = dict[str, list[dict[str, Any]]]


def document_of(shape: Shape, row: dict[str, Any], tables: Rows = ROWS) -> Document:
    """Return the document that shows a row of some tables."""
    document: Document = {"id": row["id"]}
    for column in shape.columns:
        document[column.name] = _value(column.kind, row[column.name])
    for link in shape.links:
        rows = {other["id"]: other for other in tables.get(link.shape.table, [])}
        match link.via:
            case ManyToOne() as via:
                found = _of_company(row[link.name], via) if via.company else row[link.name]
                shown = document_of(link.shape, rows[found], tables) if found in rows else None
                document[link.name] = shown
                continue
            case OneToMany(inverse=inverse):
                ids = [other for other in rows if rows[other][inverse] == row["id"]]
            case ManyToMany(table, column1, column2):
                ids = [pair[column2] for pair in tables[table] if pair[column1] == row["id"]]
        document[link.name] = [
            document_of(link.shape, rows[other], tables) for other in sorted(ids)
        ]
    return document
