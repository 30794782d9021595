"""Every recorded answer of Odoo's search, or the reason why the question is refused.

tests/recorded.py holds rows, domains, and the ids that Odoo 18 returned for them.
"""

from __future__ import annotations

from typing import Any

import pytest

from schemas.domain import Context, check, compile_domain, implied_reads, parse, reads
from schemas.shaping import build
from tests.recorded import CASES, MODELS, ROWS, document_of

TREELESS = "has no parent_path"
ABOVE = "what is above a record"
TREE_NAMES = "a text is searched in the names of other records"
BELOW = "those of such a name and all below them"
NOT_STORED = "has no field"

REFUSED = {
    "D075": TREELESS,
    "D076": TREELESS,
    "D077": TREELESS,
    "D078": ABOVE,
    "D080": TREE_NAMES,
    "D081": ABOVE,
    "D095": BELOW,
    "D186": TREELESS,
    "D203": NOT_STORED,
}


def context_of(case: dict[str, Any]) -> Context:
    """Return the context in which Odoo answered."""
    context = case.get("context", {})
    return Context(
        context.get("lang", "en_US"), context.get("company", 1), defaults=CASES["fallbacks"]
    )


def _cases(*, refused: bool) -> list[Any]:
    return [
        pytest.param(case, id=f"{case['id']}: {case['why']}")
        for case in CASES["cases"]
        if (case["id"] in REFUSED) is refused
    ]


@pytest.mark.parametrize("case", _cases(refused=False))
def test_a_domain_matches_what_odoo_found(case: dict[str, Any]) -> None:
    context, active_test = context_of(case), case.get("context", {}).get("active_test", True)
    domain, model = parse(case["domain"]), case["model"]
    implied = implied_reads(domain, MODELS, model, context, active_test=active_test)
    shape = build(MODELS, model, reads(domain) + implied, context.many2one)

    assert not check(domain, MODELS, model, context)
    matches = compile_domain(domain, shape, context, active_test=active_test)
    found = [row["id"] for row in ROWS[shape.table] if matches(document_of(shape, row))]

    assert found == case["expected"]


@pytest.mark.parametrize("case", _cases(refused=True))
def test_a_domain_that_documents_cannot_answer_is_refused(case: dict[str, Any]) -> None:
    faults = check(parse(case["domain"]), MODELS, case["model"], context_of(case))

    assert [fault.message for fault in faults if REFUSED[case["id"]] in fault.message]
    assert all(fault.remedy for fault in faults)


def test_every_refusal_is_of_a_recorded_case() -> None:
    assert REFUSED.keys() <= {case["id"] for case in CASES["cases"]}
