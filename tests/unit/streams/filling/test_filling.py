"""From drafts to what goes out: what is asked for, how it is written, what is left out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from schemas import message
from schemas.delivery import Delivery, Want
from schemas.mapping import UnsendableValue
from streams.filling.draft import Filled, Spoilt, Withheld, fill, unread
from streams.filling.reads import FEW, MANY, Answers, Ask, Away, Faulty, Records, ask, plan
from streams.filling.values import has_moved_on, value_of
from tests.deliveries import a_delivery

AT = "2026-11-23T10:00:00.123456Z"
ODOO_AT = "2026-11-23 10:00:00"
LATER = "2026-11-23 10:00:01"
RECORD = {"model": "sale.order", "id": 42, "changed": ["image"], "transaction": {"id": 1}}


def want(record: int = 42, field: str = "image", kind: str = "char", **changes: Any) -> Want:
    return Want(
        **{
            "place": f"/{field}",
            "model": "sale.order",
            "id": record,
            "field": field,
            "kind": kind,
            "write_date": AT,
            **changes,
        }
    )


def a_draft(*wants: Want, fields: dict[str, Any] | None = None) -> Delivery:
    fields = fields if fields is not None else {"name": "S1", **{w.field: None for w in wants}}
    body = message.encode({"data": {"record": RECORD, "fields": fields}}).encode()
    return replace(a_delivery(body=body), wants=wants)


def known(*rows: Any) -> Answers:
    return Answers({("sale.order", number): row for number, row in rows})


# --- what is asked for


def test_records_of_one_model_and_the_same_fields_are_read_together_each_once() -> None:
    wants = [want(7), want(8), want(7), want(9, "margin"), want(9), want(3, model="res.partner")]

    assert plan(wants) == [
        Ask("sale.order", (7, 8), ("image", "write_date")),
        Ask("sale.order", (9,), ("image", "margin", "write_date")),
        Ask("res.partner", (3,), ("image", "write_date")),
    ]


@pytest.mark.parametrize(("kind", "most"), [("char", MANY), ("binary", FEW)])
def test_law_9_a_read_is_bounded(kind: str, most: int) -> None:
    reads = plan(want(number, kind=kind) for number in range(2 * most + 1))

    assert [len(each.ids) for each in reads] == [most, most, 1]


class Odoo:
    """Answers from rows; a read that has a spoilt record in it fails whole, as in Odoo."""

    def __init__(self, rows: dict[int, Any], spoilt: Iterable[int] = (), left: int = 99) -> None:
        self.rows, self.spoilt, self.left = rows, set(spoilt), left
        self.asked: list[Ask] = []

    async def read(self, asked: Ask) -> Records | Faulty | Away:
        self.asked.append(asked)
        if len(self.asked) > self.left:
            return Away("no connection")
        if self.spoilt & set(asked.ids):
            return Faulty("no right")
        return Records({n: self.rows[n] for n in asked.ids if n in self.rows})


async def test_law_7_one_record_that_odoo_refuses_spoils_no_other() -> None:
    odoo = Odoo({n: {"image": n} for n in range(1, 9)}, {6})

    answers = await ask(odoo, [want(n) for n in (*range(1, 9), 99)])

    assert isinstance(answers, Answers)
    found = {number: answers.of(want(number)) for number in (*range(1, 9), 99)}
    assert [n for n, row in found.items() if isinstance(row, Faulty)] == [6]
    assert found[99] is None
    assert found[8] == {"image": 8}


async def test_the_first_time_that_odoo_is_away_ends_it() -> None:
    odoo = Odoo({}, left=1)

    answers = await ask(odoo, [want(1), want(2, "a"), want(3, "b")])

    assert answers == Away("no connection")
    assert len(odoo.asked) == 2


# --- how values are written


@pytest.mark.parametrize(
    ("kind", "raw", "sent"),
    [
        pytest.param("boolean", False, False, id="false"),
        pytest.param("integer", 0, 0, id="zero"),
        pytest.param("integer", False, None, id="no integer"),
        pytest.param("float", 12.5, 12.5, id="float"),
        pytest.param("float", 0.0, 0.0, id="float zero"),
        pytest.param("monetary", 12.5, "12.5", id="monetary"),
        pytest.param("monetary", 1e21, "1000000000000000000000", id="large monetary"),
        pytest.param("monetary", 0, "0", id="no money"),
        pytest.param("char", "é", "é", id="char"),
        pytest.param("char", False, None, id="no char"),
        pytest.param("html", "<p>x</p>", "<p>x</p>", id="html"),
        pytest.param("selection", "draft", "draft", id="selection"),
        pytest.param("date", "2026-11-23", "2026-11-23", id="date"),
        pytest.param("datetime", ODOO_AT, "2026-11-23T10:00:00Z", id="datetime"),
        pytest.param("datetime", "2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00.5Z", id="finer"),
        pytest.param("binary", "aW1n\n", "aW1n", id="binary"),
        pytest.param("binary", False, None, id="no binary"),
        pytest.param("many2one", [7, "Azure"], 7, id="many2one"),
        pytest.param("many2one", False, None, id="no many2one"),
        pytest.param("many2many", [9, 7], [7, 9], id="many2many by id"),
        pytest.param("one2many", False, [], id="no records"),
        pytest.param("json", {"a": [1]}, {"a": [1]}, id="json"),
        pytest.param("reference", "res.partner,7", "res.partner,7", id="reference"),
    ],
)
def test_a_value_is_written_as_those_of_columns_are(kind: str, raw: Any, sent: Any) -> None:
    value = value_of(kind, raw, "x", number=False)

    assert value == sent
    assert type(value) is type(sent)


def test_monetary_values_are_numbers_where_the_file_says_so() -> None:
    value = value_of("monetary", 12.5, "x", number=True)

    assert value == Decimal("12.5")
    assert message.encode(value) == "12.5"


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        pytest.param("float", float("nan"), id="no number"),
        pytest.param("float", "12", id="a text for a number"),
        pytest.param("integer", True, id="true for an integer"),
        pytest.param("char", "\ud800", id="half a character"),
        pytest.param("binary", "12.5 Kb", id="a size instead of bytes"),
        pytest.param("date", "23/11/2026", id="another date"),
        pytest.param("datetime", "soon", id="no moment"),
        pytest.param("many2one", [], id="no id"),
        pytest.param("many2many", ["7"], id="a text for an id"),
        pytest.param("json", [float("inf")], id="infinity in json"),
    ],
)
def test_law_10_what_cannot_be_written_is_named(kind: str, raw: Any) -> None:
    with pytest.raises(UnsendableValue, match='"x" cannot be sent') as caught:
        value_of(kind, raw, "x", number=False)

    assert caught.value.hint


@pytest.mark.parametrize(
    ("event", "odoo", "moved"),
    [
        pytest.param(AT, ODOO_AT, False, id="the same second"),
        pytest.param(AT, LATER, True, id="a later one"),
        pytest.param(AT, "2026-11-23 09:59:59", False, id="an earlier one"),
        pytest.param(None, ODOO_AT, True, id="there was none"),
        pytest.param(AT, False, False, id="there is none"),
        pytest.param(None, False, False, id="there never was"),
    ],
)
def test_a_record_has_moved_on_where_it_was_written_after_the_event(
    event: str | None, odoo: Any, *, moved: bool
) -> None:
    assert has_moved_on(event, odoo) is moved


# --- the message


def test_a_draft_gets_its_values_and_is_none_any_more() -> None:
    draft = a_draft(want(field="image"), want(field="margin", kind="monetary"))

    made = fill(draft, known((42, {"image": "x", "margin": 12.5, "write_date": ODOO_AT})))

    assert isinstance(made, Filled)
    assert made.delivery.wants == ()
    assert made.delivery.body == draft.body.replace(b'"image":null', b'"image":"x"').replace(
        b'"margin":null', b'"margin":"12.5"'
    )
    assert replace(made.delivery, body=draft.body, wants=draft.wants) == draft


def test_what_was_written_after_the_event_is_left_out_and_named() -> None:
    inner = want(7, "margin", place="/lines/0/margin", kind="float")
    gone = want(8, "margin", place="/lines/1/margin", kind="float")
    fields = {"image": None, "lines": [{"n": 1, "margin": None}, {"margin": None}], "name": "S1"}
    draft = a_draft(want(), inner, gone, fields=fields)
    moved = {"image": "x", "write_date": LATER}

    made = fill(draft, known((42, moved), (7, {"margin": 1.5, "write_date": ODOO_AT}), (8, None)))

    assert isinstance(made, Filled)
    data = json.loads(made.delivery.body)["data"]
    assert data["fields"] == {"lines": [{"n": 1, "margin": 1.5}, {}], "name": "S1"}
    assert data["record"]["moved_on"] == ["image", "lines/1/margin"]
    assert list(data["record"]) == ["model", "id", "changed", "moved_on", "transaction"]


@pytest.mark.parametrize("number", ["12.50", "0.1", "1e-07", "1e+22", "12345678901234567890"])
def test_law_3_nothing_else_of_the_message_changes(number: str) -> None:
    body = b'{"data":{"record":{"changed":null},"fields":{"image":null,"n":%b}}}' % number.encode()
    draft = replace(a_draft(want()), body=body)

    made = fill(draft, known((42, {"image": "x", "write_date": ODOO_AT})))

    assert isinstance(made, Filled)
    assert made.delivery.body == body.replace(b'"image":null', b'"image":"x"')


def test_where_odoo_is_not_asked_what_is_wanted_of_it_is_left_out_and_named() -> None:
    data = json.loads(unread(a_draft(want())))["data"]

    assert data["fields"] == {"name": "S1"}
    assert data["record"]["unread"] == ["image"]


def test_law_10_what_odoo_does_not_give_is_said_with_its_reason() -> None:
    made = fill(a_draft(want()), known((42, Faulty("no right to read it"))))

    assert made == Withheld("Odoo does not give sale.order.image of 42: no right to read it")


def test_law_10_a_value_that_no_message_can_have_spoils_it() -> None:
    answer = {"image": "no base64", "write_date": ODOO_AT}

    made = fill(a_draft(want(kind="binary")), known((42, answer)))

    assert isinstance(made, Spoilt)
    assert made.code == "UNSENDABLE"
    assert '"image"' in made.why


def test_law_10_what_has_become_too_large_says_its_size() -> None:
    answer = {"image": "A" * 2_000_000, "write_date": ODOO_AT}

    made = fill(a_draft(want(kind="binary")), known((42, answer)))

    assert isinstance(made, Spoilt)
    assert made.code == "TOO_LARGE"
    assert str(message.MAX_BODY) in made.why
