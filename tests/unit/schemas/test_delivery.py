from __future__ import annotations

import io
from dataclasses import replace

import pytest
from fastavro import parse_schema, schemaless_reader

from schemas import avro
from schemas.delivery import (
    DRAFT_FINGERPRINT,
    DRAFT_SCHEMA,
    FINGERPRINT,
    SCHEMA,
    Delivery,
    NotADelivery,
    Want,
    decode,
    encode,
)
from tests.deliveries import a_delivery

BODY = '{"fields":{"name":"Käse  1.50"}}'.encode()


def test_a_delivery_comes_back_as_it_was() -> None:
    sent = a_delivery(body=BODY)

    assert decode(encode(sent)) == sent


def test_law_3_the_same_delivery_gives_the_same_bytes() -> None:
    sent = a_delivery(body=BODY)

    assert encode(sent) == encode(decode(encode(sent)))


def test_any_avro_reader_with_the_schema_reads_it() -> None:
    sent = a_delivery(body=BODY)
    value = encode(sent)

    assert value[:2] == avro.MARKER
    assert value[2 : avro.HEADER] == avro.fingerprint(SCHEMA) == FINGERPRINT
    datum = schemaless_reader(io.BytesIO(value[avro.HEADER :]), parse_schema(SCHEMA), None)
    assert datum == {name: getattr(sent, name) for name in Delivery.__slots__ if name != "wants"}


def a_draft() -> Delivery:
    wants = (
        Want("/image", "sale.order", 42, "image", "binary", "2026-11-23T10:00:00.5Z"),
        Want("/lines/0/margin", "sale.order.line", 7, "margin", "monetary", None),
    )
    return replace(a_delivery(body=BODY), wants=wants)


def test_a_draft_comes_back_with_all_that_it_wants() -> None:
    sent = a_draft()

    assert decode(encode(sent)) == sent


def test_law_3_without_wants_nothing_of_them_is_on_the_wire() -> None:
    draft = a_draft()
    plain = replace(draft, wants=())

    assert encode(plain)[2 : avro.HEADER] == FINGERPRINT == bytes.fromhex("b4594a28198acfd3")
    assert encode(draft)[2 : avro.HEADER] == DRAFT_FINGERPRINT
    assert encode(draft)[avro.HEADER :].startswith(encode(plain)[avro.HEADER :])


def test_any_avro_reader_reads_a_draft_and_a_plain_one_as_a_draft_that_wants_nothing() -> None:
    parsed = parse_schema(DRAFT_SCHEMA)
    draft = schemaless_reader(io.BytesIO(encode(a_draft())[avro.HEADER :]), parsed, None)
    plain = io.BytesIO(encode(a_delivery())[avro.HEADER :])

    assert [want["place"] for want in draft["wants"]] == ["/image", "/lines/0/margin"]
    assert schemaless_reader(plain, parse_schema(SCHEMA), parsed)["wants"] == []


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"id": "a"}', id="json"),
        pytest.param(b"\xc3\x01" + bytes(8) + b"rest", id="another schema"),
        pytest.param(encode(a_delivery())[:-1], id="cut"),
        pytest.param(encode(a_delivery())[:10], id="only the beginning"),
        pytest.param(encode(a_delivery()) + b"\0", id="too long"),
        pytest.param(
            b"\xc3\x01" + DRAFT_FINGERPRINT + encode(a_delivery())[10:], id="half a draft"
        ),
        pytest.param(encode(a_delivery())[:10] + b"\x04\xff\xfe", id="no utf-8"),
    ],
)
def test_anything_else_is_no_delivery(value: bytes) -> None:
    with pytest.raises(NotADelivery) as caught:
        decode(value)

    assert caught.value.hint


def test_a_large_body_is_kept_byte_for_byte() -> None:
    body = b"{" + bytes(range(32, 127)) * 20_000 + b"}"

    assert decode(encode(replace(a_delivery(), body=body))).body == body
