"""Events that are for some routes and targets only, as they stand in Kafka."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from cdc.engine.datum import Stamp
from schemas.avro import MARKER, SchemaBook, document_reader, event_schema
from schemas.event import Mode
from tests.engine import ORDER, PLAN, Row, engine, insert

TIME = 848_656_800_000_000
ROOT = next(root for root in PLAN.roots if root.shape is ORDER)


@pytest.mark.parametrize("names", [None, (), ("orders",), ("a", "b" * 40, "c-d_e")], ids=str)
def test_what_capture_writes_is_read_back(tmp_path: Path, names: tuple[str, ...] | None) -> None:
    with engine(tmp_path) as tried:
        row: Row = {"id": "3", "name": "S3"}
        tried.commit([insert("sale_order", row)])
        stamp = Stamp(0x2000, TIME, mode=Mode.RESEND, routes=names, targets=("shop",))
        (made,) = tried.events.of_shadow(ROOT, [3], stamp)
        found = tried.book.decode(made.value)
        image = tried.events.image(ROOT, 3)

    assert (found.routes, found.targets) == (names, ("shop",))
    assert image is not None
    assert document_reader(ROOT.shape)(image) == found.after


def test_an_event_that_was_written_before_there_were_limits_is_for_all() -> None:
    schema = event_schema("odoo_a", ORDER)
    schema["fields"] = schema["fields"][:-2]
    book = SchemaBook()
    name = book.add(json.dumps(schema))
    datum: dict[str, Any] = {
        each["name"]: {"long": 1, "string": "stream", "boolean": True}.get(str(each["type"]))
        for each in schema["fields"]
    }
    buffer = io.BytesIO()
    schemaless_writer(buffer, parse_schema(schema), {**datum, "writers": []})

    event = book.decode(MARKER + name + buffer.getvalue())

    assert event.is_for("orders", "shop")
