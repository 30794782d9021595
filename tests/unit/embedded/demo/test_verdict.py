"""The last words of `demo --once`."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.demo.figures import Figures
from embedded.demo.questions import Comparison
from embedded.demo.verdict import explain, in_words, is_clean, summarise

LEDGER = {"delivered": 3_202, "superseded": 6, "dead": 0, "rejected": 0}
BEFORE = {"p50": 158.2, "p99": 1_420.0, "count": 200}


def summary(comparison: Comparison | None = None, **shop: Any) -> dict[str, Any]:
    counted = {
        "out_of_order": 0,
        "duplicates": 112,
        "refused": 55,
        "latency_ms": {"p50": 182.7, "p99": 8_025.2, "recent_p50": 1.0},
    }
    figures = Figures(deliveries=3_209, acknowledgements=3_263, shop=counted | shop)
    return summarise(comparison or Comparison(2_598, [], [], []), figures, LEDGER, BEFORE)


def test_the_summary_keeps_its_names() -> None:
    assert summary() == {
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


def test_a_verdict_in_words_comes_last() -> None:
    *_, latency, verdict = in_words(summary())

    assert verdict.startswith("Passed: the webshop holds all 2,598 records")
    assert "112 deliveries came twice, which the webshop drops" in verdict
    assert latency == (
        "from commit to webshop: half within 158 ms and 99 of 100 within 1,420 ms before the"
        " first kill, half within 183 ms and 99 of 100 within 8,025 ms with the outages"
    )


@pytest.mark.parametrize(
    ("comparison", "out_of_order", "says"),
    [
        (Comparison(9, ["orders a"], ["orders b"], []), 0, "2 are lost and 0 different; 0"),
        (Comparison(9, [], [], ["orders a"]), 0, "0 are lost and 1 different; 0"),
        (Comparison(9, [], [], []), 3, "0 are lost and 0 different; 3 deliveries"),
    ],
    ids=["lost", "different", "out of order"],
)
def test_a_verdict_that_fails_says_what(
    comparison: Comparison, out_of_order: int, says: str
) -> None:
    found = summary(comparison, out_of_order=out_of_order)

    assert not is_clean(found)
    assert in_words(found)[-1].startswith("Failed: of 9 records")
    assert says in in_words(found)[-1]


def test_latency_of_nothing_is_said_so() -> None:
    found = summary(latency_ms={"p50": None, "p99": None})

    assert "nothing came with the outages" in in_words(found)[-2]


def test_some_of_the_records_that_are_wrong_are_named() -> None:
    keys = [f"orders {number}" for number in range(7)]

    assert list(explain(Comparison(9, keys, [], ["partners a"]))) == [
        *(f"missing: {key}" for key in keys[:5]),
        "missing: and 2 more",
        "different: partners a",
    ]
