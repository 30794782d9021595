"""The last words of `demo --once`."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.demo.branch.questions import Difference
from embedded.demo.figures import Figures, Side
from embedded.demo.questions import Comparison
from embedded.demo.verdict import Account, explain, in_words, is_clean, of_branch, of_webshop

LEDGER = {"delivered": 3_202, "superseded": 6, "dead": 0, "rejected": 0}
BEFORE = {"p50": 158.2, "p99": 1_420.0, "count": 200}
COUNTS = {
    "products": 160,
    "variants": 250,
    "partners": 240,
    "purchase_orders": 270,
    "purchase_order_lines": 340,
}
CLEAN = Comparison(2_598, [], [], [])


def difference(comparison: Comparison | None = None, *double: str) -> Difference:
    return Difference(comparison or Comparison(920, [], [], []), list(double), COUNTS, 5)


def summary(
    comparison: Comparison = CLEAN, branch: Difference | None = None, **shop: Any
) -> dict[str, Any]:
    latency = {"p50": 182.7, "p99": 8_025.2, "recent_p50": 1.0}
    counted = {"out_of_order": 0, "duplicates": 112, "refused": 55}
    side = Side(deliveries=3_209, acknowledgements=3_263, latency=shop.pop("latency", latency))
    figures = Figures(webshop=side, shop=counted | shop)
    told = Side(deliveries=1_063, acknowledgements=1_505, duplicates=3, latency=latency)
    ledger = LEDGER | {"delivered": 1_063, "superseded": 0}
    return of_webshop(comparison, figures, Account(LEDGER, BEFORE)) | {
        "branch": of_branch(
            "stand-in for Odoo", branch or difference(), told, Account(ledger, BEFORE)
        )
    }


def test_the_summary_keeps_its_names() -> None:
    found = summary()
    branch = found.pop("branch")

    assert found == {
        "records": 2_598,
        "lost": 0,
        "different": 0,
        "out_of_order": 0,
        "duplicates_accepted": 112,
        "latency_ms": {"p50": 182.7, "p99": 8_025.2},
        "latency_before_kills_ms": {"p50": 158.2, "p99": 1_420.0},
        "deliveries": 3_208,
        "delivered": 3_202,
        "superseded": 6,
        "dead": 0,
        "rejected": 0,
        "copies_dropped": 1,
        "acknowledgements": 3_263,
        "failed_on_purpose": 55,
    }
    assert branch == {
        "odoo": "stand-in for Odoo",
        "records": 920,
        **COUNTS,
        "purchase_orders_cancelled": 5,
        "lost": 0,
        "different": 0,
        "double": 0,
        "duplicates_dropped": 3,
        "latency_ms": {"p50": 182.7, "p99": 8_025.2},
        "latency_before_kills_ms": {"p50": 158.2, "p99": 1_420.0},
        "deliveries": 1_063,
        "delivered": 1_063,
        "superseded": 0,
        "dead": 0,
        "rejected": 0,
        "copies_dropped": 0,
        "acknowledgements": 1_505,
    }


def test_a_verdict_in_words_comes_last() -> None:
    lines = in_words(summary())

    assert lines[-1].startswith("Passed: the webshop holds all 2,598 records")
    assert "The branch's Odoo (stand-in for Odoo) has all 920 of its own" in lines[-1]
    assert "112 deliveries came twice to the webshop and 3 to the branch" in lines[-1]
    assert lines[2] == (
        "from commit to webshop: half within 158 ms and 99 of 100 within 1,420 ms before the"
        " first kill, half within 183 ms and 99 of 100 within 8,025 ms with the outages"
    )
    assert lines[-2] == (
        "the branch has 160 products in 250 variants, 240 partners, and of sales 270 confirmed"
        " purchase orders with 340 lines; 5 more are cancelled, as their sales are"
    )


@pytest.mark.parametrize(
    ("comparison", "branch", "out_of_order", "says"),
    [
        (Comparison(9, ["o a"], ["o b"], []), difference(), 0, "2 are lost and 0 different; 0"),
        (Comparison(9, [], [], ["o a"]), difference(), 0, "0 are lost and 1 different; 0"),
        (Comparison(9, [], [], []), difference(), 3, "0 are lost and 0 different; 3 deliveries"),
        (
            Comparison(9, [], [], []),
            difference(Comparison(7, ["o a"], [], ["o b", "o c"]), "res_partner 7"),
            0,
            "Of 7 that the branch must have, 1 are lost, 2 different and 1 double.",
        ),
        (Comparison(9, [], [], []), difference(None, "res_partner 7"), 0, "and 1 double."),
    ],
    ids=["lost", "different", "out of order", "the branch", "twice in the branch"],
)
def test_a_verdict_that_fails_says_what(
    comparison: Comparison, branch: Difference, out_of_order: int, says: str
) -> None:
    found = summary(comparison, branch, out_of_order=out_of_order)

    assert not is_clean(found)
    assert in_words(found)[-1].startswith("Failed: of 9 records")
    assert says in in_words(found)[-1]


def test_latency_of_nothing_is_said_so() -> None:
    found = summary(latency={"p50": None, "p99": None})

    assert "nothing came with the outages" in in_words(found)[2]


def test_some_of_the_records_that_are_wrong_are_named() -> None:
    keys = [f"orders {number}" for number in range(7)]

    branch = difference(Comparison(9, [], ["products x"], []), "res_partner 7")
    assert list(explain(Comparison(9, keys, [], ["partners a"]), branch)) == [
        *(f"missing: {key}" for key in keys[:5]),
        "missing: and 2 more",
        "different: partners a",
        "branch: should be gone: products x",
        "branch: double: res_partner 7",
    ]
