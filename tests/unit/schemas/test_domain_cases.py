"""Every recorded answer of Odoo's search, or the reason why the question is refused.

tests/recorded.py holds rows, domains, and the ids that Odoo 18 returned for them.
"""

from __future__ import annotations

from typing import Any

import pytest

from schemas.domain import check, compile_domain, implied_reads, parse, reads
from schemas.shaping import build
from tests.recorded import CASES, MODELS, ROWS, document_of

TREELESS = "has no parent_path"
ABOVE = "what is above a record"
TREE_NAMES = "a text is searched in the names of other records"
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
    "D075": TREELESS,
    "D076": TREELESS,
    "D077": TREELESS,
    "D078": ABOVE,
    "D080": TREE_NAMES,
    "D081": ABOVE,
    "D095": NAMES,
    "D107": FILTERED,
    "D140": FILTERED,
    **{f"D{number}": COMPANY for number in range(147, 160)},
    "D186": TREELESS,
    "D192": FILTERED,
    "D196": NOT_STORED,
    "D201": DATE_PART,
    "D203": NOT_STORED,
}


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
    wanted = reads(domain) + implied_reads(domain, MODELS, model, active_test=active_test)
    shape = build(MODELS, model, wanted)

    assert not check(domain, MODELS, model)
    matches = compile_domain(
        domain, shape, lang=context.get("lang", "en_US"), active_test=active_test
    )
    found = [row["id"] for row in ROWS[shape.table] if matches(document_of(shape, row))]

    assert found == case["expected"]


@pytest.mark.parametrize("case", _cases(refused=True))
def test_a_domain_that_documents_cannot_answer_is_refused(case: dict[str, Any]) -> None:
    faults = check(parse(case["domain"]), MODELS, case["model"])

    assert [fault.message for fault in faults if REFUSED[case["id"]] in fault.message]
    assert all(fault.remedy for fault in faults)


def test_every_refusal_is_of_a_recorded_case() -> None:
    assert REFUSED.keys() <= {case["id"] for case in CASES["cases"]}
