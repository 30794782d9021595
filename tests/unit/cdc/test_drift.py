"""What a target was last sent, held against what is true: the digest, the file, the verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.resending.drift import Verdict, judge
from cdc.resending.last import Last, LastSent, Outcome, Standing, Told
from cdc.resending.truth import Truth, digest_of
from schemas import domain, mapping
from schemas.config import Route
from schemas.delivery import Delivery, Want
from schemas.document import Column, Shape
from schemas.fields import Kind
from schemas.mapping import Writing

SHAPE = Shape(
    "res.partner",
    "res_partner",
    (Column("name", Kind.TEXT, "char"), Column("limit", Kind.FLOAT, "float")),
)
ROUTE = Route(
    "people",
    "res.partner",
    domain.parse([["name", "!=", "hidden"]]),
    ("shop",),
    "customer",
    mapping.parse_fields(["name", "limit"]),
)
RECORD = {"id": 7, "name": "Azure", "limit": 12.5}


def truth(**changes: Any) -> Truth:
    return Truth.of(replace(ROUTE, **changes), SHAPE, Writing("odoo_a"))


def sent(body: bytes, *wants: Want) -> Delivery:
    texts = dict.fromkeys(("id", "chain", "target", "route", "sequence", "model"), "")
    more = dict.fromkeys(("operation", "mode", "source", "time", "traceparent"), "")
    return Delivery(**texts, **more, record_id=7, body=body, wants=wants)


def body(fields: str, model: str = "customer") -> bytes:
    return f'{{"data":{{"record":{{"target_model":"{model}"}},"fields":{fields}}}}}'.encode()


@pytest.mark.parametrize(
    ("said", "same"),
    [
        (body('{"name":"Azure","limit":12.5}'), True),
        (body('{"limit":12.50,"name":"Azure"}'), True),
        (body('{"name":"Azure","limit":"12.5"}'), False),
        (body('{"name":"Azure"}'), False),
        (body('{"name":"Azure","limit":12.5}', "res.partner"), False),
    ],
    ids=["the same", "order and digits", "a text", "a field less", "another model"],
)
def test_two_messages_are_the_same_where_model_and_fields_are(said: bytes, *, same: bool) -> None:
    assert (digest_of(sent(said)) == truth().digest(RECORD)) is same


numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)


def written(value: Any, zeros: str) -> str:
    """Write JSON with numbers as they may come, fractions with so many zeros behind them."""
    match value:
        case Decimal():
            return f"{value:f}{zeros}"
        case dict():
            pairs = (f"{json.dumps(k)}:{written(v, zeros)}" for k, v in reversed(value.items()))
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(written(v, zeros) for v in value) + "]"
        case _:
            return json.dumps(value)


@given(st.dictionaries(st.text(), values))
def test_digits_and_order_of_names_make_no_difference(fields: dict[str, Any]) -> None:
    one = written(fields, "")
    other = written(dict(reversed(fields.items())), "000")
    assert digest_of(sent(body(one))) == digest_of(sent(body(other)))


@given(values, values)
def test_what_is_not_the_same_has_another_digest(one: Any, other: Any) -> None:
    digests = {digest_of(sent(body(written({"x": each}, "")))) for each in (one, other)}
    assert (len(digests) == 1) == (plain(one) == plain(other))


def plain(value: Any) -> Any:
    """Return a value that is equal to another only if JSON says the same: 1 is not true."""
    match value:
        case bool():
            return "bool", value
        case int() | Decimal():
            return "number", Decimal(value)
        case dict():
            return {name: plain(inside) for name, inside in value.items()}
        case list():
            return [plain(inside) for inside in value]
        case _:
            return "text", value


def test_what_odoo_alone_knows_is_not_compared() -> None:
    want = Want("/limit", "res.partner", 7, "limit", "float", None)
    draft = sent(body('{"name":"Azure","limit":null}'), want)
    assert digest_of(draft) == digest_of(sent(body('{"name":"Azure"}')))


SAME, OTHER = truth().digest(RECORD), b"other"
HELD, GONE, UNKNOWN = Standing.HELD, Standing.GONE, Standing.UNKNOWN
HIDDEN = {**RECORD, "name": "hidden"}


@pytest.mark.parametrize(
    ("document", "last", "forgets", "verdict"),
    [
        (RECORD, Last(HELD, SAME), True, Verdict.SAME),
        (RECORD, Last(HELD, OTHER), True, Verdict.DIFFERS),
        (RECORD, Last(GONE, b""), True, Verdict.LACKING),
        (RECORD, Last(UNKNOWN, SAME), False, Verdict.UNKNOWN),
        (RECORD, None, False, Verdict.LACKING),
        (RECORD, None, True, Verdict.UNKNOWN),
        (HIDDEN, Last(HELD, SAME), True, Verdict.SURPLUS),
        (HIDDEN, Last(GONE, b""), True, Verdict.SAME),
        (HIDDEN, Last(UNKNOWN, b""), False, Verdict.UNKNOWN),
        (HIDDEN, None, False, Verdict.SAME),
        (HIDDEN, None, True, Verdict.UNKNOWN),
        (None, Last(HELD, SAME), True, Verdict.SURPLUS),
        (None, Last(GONE, b""), True, Verdict.SAME),
        ({**RECORD, "limit": float("nan")}, Last(HELD, SAME), True, Verdict.UNSENDABLE),
    ],
)
def test_verdicts(
    document: dict[str, Any] | None, last: Last | None, *, forgets: bool, verdict: Verdict
) -> None:
    assert judge(truth(), document, last, forgets=forgets) is verdict


def test_what_a_route_leaves_at_its_targets_is_no_surplus_but_what_is_gone_is() -> None:
    leaves = truth(on_leave="ignore")
    assert judge(leaves, HIDDEN, Last(HELD, SAME), forgets=True) is Verdict.SAME
    assert judge(leaves, None, Last(HELD, SAME), forgets=True) is Verdict.SURPLUS


def told(sequence: int, *, seen: bool = True) -> Told:
    last = Last(Standing.HELD, str(sequence).encode())
    return Told(f"7/{sequence}", 7, "people", f"{sequence:04}", last, seen)


@given(st.permutations(range(1, 7)), st.sets(st.integers(1, 6)))
def test_the_last_that_did_not_fail_counts_in_whatever_order_they_stand(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], failed: set[int]
) -> None:
    known = LastSent.begin(tmp_path_factory.mktemp("sent") / "last")
    known.note((f"7/{n}", Outcome.FAILED if n in failed else Outcome.TAKEN) for n in range(1, 7))
    known.told(map(told, order))
    good = set(order) - failed
    wanted = {"people": Last(HELD, str(max(good)).encode())} if good else {}
    assert known.of(7) == wanted
    known.close()


def test_of_one_whose_outcome_is_forgotten_nobody_knows(tmp_path: Path) -> None:
    known = LastSent.begin(tmp_path / "last")
    known.note([("7/2", Outcome.TAKEN), ("7/2", None)])
    known.told([told(1, seen=False)])
    assert known.of(7)["people"].standing is HELD
    known.told([told(2)])
    assert known.of(7)["people"].standing is UNKNOWN
    known.complete(forgets=True)
    known.close()

    again = LastSent(tmp_path / "last")
    assert (again.forgets, again.highest, list(again.records(6))) == (True, 7, [7])
    assert list(again.records(7)) == []
