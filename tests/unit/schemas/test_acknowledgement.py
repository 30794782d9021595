from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.acknowledgement import (
    LONGEST,
    Acknowledgement,
    MalformedAcknowledgement,
    read,
    to_json,
)

ID = "odoo_a/webshop/sale.order/42/sale-to-shop/6743A1F0-00000000016B3748-00000003-0000"


def one(**fields: Any) -> bytes:
    return json.dumps({"id": ID, "status": "delivered", **fields}).encode()


def test_everything_that_the_contract_shows_is_read() -> None:
    body = one(
        status="DELIVERED",
        target="webshop",
        attempt=1,
        http_status=200,
        code="HTTP_200",
        message="",
        target_id="17",
        retry_after="",
    )

    assert read(body) == [
        Acknowledgement(ID, "delivered", "webshop", 1, 200, "HTTP_200", "", "17", "")
    ]


def test_an_id_and_a_status_are_enough() -> None:
    assert read(one()) == [Acknowledgement(ID, "delivered")]


@pytest.mark.parametrize("text", ["retry", "RETRY", "Retry", " reTry "])
def test_the_case_of_a_status_does_not_matter(text: str) -> None:
    assert read(one(status=text))[0].status == "retry"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"attempt": "3"}, {"attempt": 3}, id="a number as text"),
        pytest.param({"attempt": ""}, {"attempt": None}, id="an empty number"),
        pytest.param({"http_status": None}, {"http_status": None}, id="null"),
        pytest.param({"target_id": 17}, {"target_id": "17"}, id="a number for a text"),
        pytest.param({"retry_after": 1.5}, {"retry_after": "1.5"}, id="seconds as a number"),
        pytest.param({"message": None}, {"message": ""}, id="no message"),
        pytest.param({"message": "x" * 5000}, {"message": "x" * LONGEST}, id="a long message"),
        pytest.param({"message": "\ud800"}, {"message": "?"}, id="half a character"),
        pytest.param({"more": [1]}, {}, id="a field of the sender's own"),
    ],
)
def test_what_senders_write_is_understood(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert read(one(**fields)) == [Acknowledgement(ID, "delivered", **expected)]


def test_a_list_is_read_in_order() -> None:
    body = json.dumps([{"id": f"{ID}{n}", "status": "retry"} for n in range(1000)]).encode()

    assert [word.id for word in read(body)] == [f"{ID}{n}" for n in range(1000)]


def test_an_empty_list_says_nothing() -> None:
    assert read(b"[]") == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"\xff\xfe\xff", "not JSON", id="no text"),
        pytest.param(b"[" * 100_000, "not JSON", id="too deep"),
        pytest.param(b"1" * 5000, "not JSON", id="too many digits"),
        pytest.param(b"null", "not null", id="null"),
        pytest.param(b'"x"', "not a text", id="a text"),
        pytest.param(b"{}", "`id` is missing", id="no id"),
        pytest.param(b'{"id": 5, "status": "retry"}', "`id` is missing", id="a number for an id"),
        pytest.param(one(status="done"), "delivered, rejected, retry", id="another status"),
        pytest.param(one(status=1), "delivered, rejected, retry", id="a number for a status"),
        pytest.param(one(attempt=1.5), "`attempt` is a whole number", id="half an attempt"),
        pytest.param(one(attempt=True), "`attempt` is a whole number", id="true for a number"),
        pytest.param(one(http_status="x"), "`http_status` is a whole number", id="no number"),
        pytest.param(one(attempt="\u0663"), "`attempt` is a whole number", id="other digits"),
        pytest.param(one(message=["x"]), "`message` is a text", id="a list for a text"),
        pytest.param(b"[" + one() + b", 7]", "[1]: an object is needed", id="one bad of two"),
        pytest.param(b"[" + one() + b", {}]", "[1]: `id` is missing", id="one empty of two"),
        pytest.param(b"[" + b",".join([one()] * 1001) + b"]", "more than 1000", id="too many"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(MalformedAcknowledgement) as caught:
        read(body)

    assert why in str(caught.value)
    assert caught.value.hint


def test_what_is_written_is_read_back() -> None:
    word = Acknowledgement(ID, "rejected", "webshop", 2, 422, "HTTP_422", "nö", "17", "30")

    assert read(to_json(word)) == [word]
