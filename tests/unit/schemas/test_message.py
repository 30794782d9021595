from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas import message
from schemas.delivery import Delivery
from schemas.event import Event, Mode
from schemas.keys import chain_of, delivery_id
from tests.documents import event_of, shape_of

ID = "odoo_a/webshop/sale.order/42/sale-to-shop/6743A1F0-00000000016B3748-00000003-0000"

# CONTRACT.md section 3, word for word but for blanks.
SHOWN = """
{"specversion": "1.0",
 "id": "odoo_a/webshop/sale.order/42/sale-to-shop/6743A1F0-00000000016B3748-00000003-0000",
 "source": "/odoo_a", "type": "odoo.sale.order.update", "subject": "sale.order/42",
 "time": "2026-11-23T10:00:00.123456Z", "datacontenttype": "application/json",
 "partitionkey": "odoo_a/webshop/sale.order/42",
 "sequence": "6743A1F0-00000000016B3748-00000003-0000",
 "data": {
   "routing": {"route": "sale-to-shop", "target": "webshop", "mode": "stream"},
   "record": {"model": "sale.order", "id": 42, "key": "odoo_a.sale_order_42",
              "external_id": "odoo_a.sale_order_42", "target_model": "sale.order",
              "operation": "update", "changed": ["state"],
              "transaction": {"id": 7311, "lsn": "0/16B3748",
                              "time": "2026-11-23T10:00:00.123456Z"}},
   "fields": {"name": "S00042", "state": "sale"}}}
"""

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | st.text()


def delivery(event: Event) -> Delivery:
    chain = chain_of("odoo_a", "webshop", "sale.order", 42)
    identity = delivery_id(chain, "sale-to-shop", event.position.sequence)
    return Delivery(
        id=identity,
        chain=chain,
        target="webshop",
        route="sale-to-shop",
        sequence=event.position.sequence,
        model="sale.order",
        record_id=42,
        operation="update",
        mode=event.mode.value,
        source="odoo_a",
        time=event.time,
        traceparent=message.traceparent(identity),
        body=b"",
    )


def body(fields: dict[str, Any], mode: Mode = Mode.STREAM, **about: Any) -> bytes:
    event = event_of(None, None, shape_of([]), mode=mode)
    said: dict[str, Any] = {"target_model": "sale.order", "changed": None, "external_id": None}
    return message.body(event, delivery(event), fields, **{**said, **about})


def fields_of(fields: dict[str, Any]) -> str:
    text = body(fields).decode()
    return text[text.index('"fields":') + len('"fields":') : -2]


def test_the_message_is_the_contract_s_byte_for_byte_but_for_blanks() -> None:
    sent = body({"name": "S00042", "state": "sale"}, changed=["state"])

    assert sent == json.dumps(json.loads(SHOWN), separators=(",", ":")).encode()
    assert sent.startswith(b'{"specversion"')


def test_an_external_id_is_sent_where_there_is_one() -> None:
    record = json.loads(body({}, external_id="wl.order_1"))["data"]["record"]

    assert (record["key"], record["external_id"]) == ("odoo_a.sale_order_42", "wl.order_1")


def test_what_has_no_transaction_says_so() -> None:
    data = json.loads(body({}, mode=Mode.SNAPSHOT))["data"]

    assert data["routing"]["mode"] == "snapshot"
    assert data["record"]["transaction"]["id"] is None
    assert data["record"]["changed"] is None


def test_letters_of_every_script_are_utf_8() -> None:
    sent = body({"name": "Bücher für 5 € 🪑"})

    assert "Bücher für 5 € 🪑".encode() in sent


def test_a_decimal_is_a_number_with_the_same_digits() -> None:
    fields = {
        "a": Decimal("12.50"),
        "b": [Decimal("0.0000001"), {"c": Decimal("-0.00")}, []],
        "é": None,
        "d": Decimal(100000000000000000000000),
        "t": 'a"b',
    }

    written = '{"a":12.50,"b":[0.0000001,{"c":-0.00},[]],"é":null,'
    assert fields_of(fields) == written + '"d":100000000000000000000000,"t":"a\\"b"}'


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    )
)
def test_one_decimal_more_changes_no_byte_of_the_rest(value: Any) -> None:
    plain = fields_of({"x": value})
    exact = fields_of({"x": value, "y": Decimal("1.0")})

    assert exact == plain[:-1] + ',"y":1.0}'


def test_law_3_the_same_event_gives_the_same_bytes() -> None:
    fields = {"name": "S00042", "amount": Decimal("1.10")}

    assert body(fields) == body(dict(fields))


def test_law_3_a_delivery_s_trace_is_the_same_over_all_attempts() -> None:
    trace = message.traceparent(ID)

    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace)
    assert trace == message.traceparent(ID)
    assert trace.split("-")[1:3] != message.traceparent(ID[:-1] + "1").split("-")[1:3]
