"""Every recorded answer of Odoo's search, or the reason why the question is refused.

tests/data/domain_cases.json holds rows, domains, and the ids that Odoo 18 returned for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.document import ManyToMany, ManyToOne, OneToMany, Shape
from schemas.domain import archive_reads, check, compile_domain, parse, reads
from schemas.event import Document
from schemas.fields import Field, Kind, Model, Models
from schemas.shaping import build

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "domain_cases.json").read_bytes()
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

TREE = "`{}_of` is not supported"
NAMES = "a text is searched in the names of"
COMPANY = "depends on the company"
FILTERED = "Odoo looks through"
DATE_PART = "leads nowhere"
NOT_STORED = "has no field"

REFUSED = {
    "D039": DATE_PART,
    "D072": NAMES,
    "D073": NAMES,
    "D074": NAMES,
    "D075": TREE.format("child"),
    "D076": TREE.format("child"),
    "D077": TREE.format("child"),
    "D078": TREE.format("parent"),
    "D079": TREE.format("child"),
    "D080": TREE.format("child"),
    "D081": TREE.format("parent"),
    "D082": TREE.format("child"),
    "D089": TREE.format("child"),
    "D095": NAMES,
    "D107": FILTERED,
    "D140": FILTERED,
    "D145": TREE.format("child"),
    **{f"D{number}": COMPANY for number in range(147, 160)},
    "D182": TREE.format("child"),
    "D186": TREE.format("child"),
    "D192": FILTERED,
    "D196": NOT_STORED,
    "D201": DATE_PART,
    "D203": NOT_STORED,
}


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
        case Kind.TRANSLATED:
            return json.dumps(held)
        case Kind.NUMERIC:
            return str(held)
        case Kind.FLOAT:
            return float(held)
        case Kind.DATETIME:
            return f"{held}Z"
        case _:
            return held


def _document(shape: Shape, row: dict[str, Any]) -> Document:
    document: Document = {"id": row["id"]}
    for column in shape.columns:
        document[column.name] = _value(column.kind, row[column.name])
    for link in shape.links:
        rows = {other["id"]: other for other in ROWS.get(link.shape.table, [])}
        match link.via:
            case ManyToOne():
                found = row[link.name]
                shown = None if found is None else _document(link.shape, rows[found])
                document[link.name] = shown
                continue
            case OneToMany(inverse=inverse):
                ids = [other for other in rows if rows[other][inverse] == row["id"]]
            case ManyToMany(table, column1, column2):
                ids = [pair[column2] for pair in ROWS[table] if pair[column1] == row["id"]]
        document[link.name] = [_document(link.shape, rows[other]) for other in sorted(ids)]
    return document


def _cases(*, refused: bool) -> list[Any]:
    return [
        pytest.param(case, id=f"{case['id']}: {case['why']}")
        for case in CASES["cases"]
        if (case["id"] in REFUSED) is refused
    ]


@pytest.mark.parametrize("case", _cases(refused=False))
def test_a_domain_matches_what_odoo_found(case: dict[str, Any]) -> None:
    context = case.get("context", {})
    active_test = context.get("active_test", True)
    domain, model = parse(case["domain"]), case["model"]
    wanted = reads(domain) + (archive_reads(domain, MODELS, model) if active_test else [])
    shape = build(MODELS, model, wanted)

    assert not check(domain, MODELS, model)
    matches = compile_domain(
        domain, shape, lang=context.get("lang", "en_US"), active_test=active_test
    )
    found = [row["id"] for row in ROWS[shape.table] if matches(_document(shape, row))]

    assert found == case["expected"]


@pytest.mark.parametrize("case", _cases(refused=True))
def test_a_domain_that_documents_cannot_answer_is_refused(case: dict[str, Any]) -> None:
    faults = check(parse(case["domain"]), MODELS, case["model"])

    assert [fault.message for fault in faults if REFUSED[case["id"]] in fault.message]
    assert all(fault.remedy for fault in faults)


def test_every_refusal_is_of_a_recorded_case() -> None:
    assert REFUSED.keys() <= {case["id"] for case in CASES["cases"]}
