"""What can stand in an event topic, and what it must not do to who reads it."""

from __future__ import annotations

import json

import pytest

from schemas.avro import MARKER, NotAnEvent, SchemaBook, UnknownSchema, event_schema
from schemas.document import Read
from tests.documents import shape_of

BOOK = SchemaBook()
NAME = BOOK.add(json.dumps(event_schema("odoo_a", shape_of([Read("name")]))))
HEAD = b"\x02\x02\x02\x0cstream\x0e\x02t\x00\x01"  # up to the images


def test_a_short_event_is_read() -> None:
    event = BOOK.decode(MARKER + NAME + HEAD + b"\x00" * 8)

    assert (event.id, event.before, event.after, event.oversize) == (7, None, None, None)


@pytest.mark.parametrize(
    "datum",
    [
        b"",
        HEAD,
        b"\xff" * 40,
        HEAD + b"\x04\x00",
        HEAD + b"\x02\x0e\x02\x04\xff\xfe" + b"\x00" * 20,
        b"\x02\x02\x02\xfe\xff\xff\xff\xff\xff\xff\x7f",
    ],
    ids=[
        "nothing",
        "half",
        "numbers without end",
        "no such branch",
        "no UTF-8",
        "huge",
    ],
)
def test_what_does_not_fit_its_schema_is_no_event(datum: bytes) -> None:
    with pytest.raises(NotAnEvent) as refused:
        BOOK.decode(MARKER + NAME + datum)
    assert refused.value.hint


def test_what_names_no_schema_is_no_event() -> None:
    with pytest.raises(NotAnEvent):
        BOOK.decode(b"{}")
    with pytest.raises(UnknownSchema):
        BOOK.decode(MARKER + b"\x00" * 8)
