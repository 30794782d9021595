"""Schemas of events evolve: a reader keeps its own when fields come to a document or leave it."""

from __future__ import annotations

import io
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro import event_schema, fingerprint
from schemas.document import Read, Shape
from schemas.event import Document
from tests.documents import record, shape_of

VALUES = {
    "name": "S1",
    "priority": 3,
    "amount_total": "12.50",
    "rate": 0.5,
    "locked": True,
    "signature": b"\x00\xff",
    "external_id": None,
}
PATHS = [
    *VALUES,
    "partner_id.name",
    "partner_id.country_id.code",
    "order_line.name",
    "order_line.product_id.default_code",
    "tag_ids.name",
]
SELECTIONS = st.sets(st.sampled_from(PATHS)).map(lambda paths: shape_of(map(Read, sorted(paths))))


def document_of(shape: Shape, depth: int = 0) -> Document:
    """Return a document in which every relation leads to something."""
    made = record(shape, depth)
    made |= {c.name: VALUES[c.name] for c in shape.columns if not depth and c.name in VALUES}
    for link in shape.links:
        behind = document_of(link.shape, depth + 1)
        made[link.name] = [behind, behind] if link.many else behind
    return made


def seen(document: Document, shape: Shape) -> Document:
    """Return what of a document a shape shows; nothing where the document does not have it."""
    found = record(shape, document["id"])
    found |= {name: document[name] for name in found if name in document}
    for link in shape.links:
        there = found[link.name]
        if isinstance(there, list):
            found[link.name] = [seen(each, link.shape) for each in there]
        elif there is not None:
            found[link.name] = seen(there, link.shape)
    return found


def event_with(document: Document) -> dict[str, Any]:
    return {
        "generation": 1,
        "lsn": 2,
        "ordinal": 3,
        "mode": "stream",
        "id": document["id"],
        "time": "2026-11-23T10:00:00Z",
        "transaction": 4,
        "before_known": True,
        "before": None,
        "after": document,
        "write_date": None,
        "write_uid": None,
        "writers": [None, 2],
        "oversize": None,
        "routes": None,
        "targets": None,
    }


@given(written=SELECTIONS, wanted=SELECTIONS)
def test_what_one_selection_wrote_is_read_with_the_schema_of_another(
    written: Shape, wanted: Shape
) -> None:
    theirs, ours = event_schema("odoo_a", written), event_schema("odoo_a", wanted)
    document, wire = document_of(written), io.BytesIO()
    schemaless_writer(wire, parse_schema(theirs), event_with(document))
    wire.seek(0)

    found = schemaless_reader(wire, parse_schema(theirs), parse_schema(ours))

    assert found == event_with(seen(document, wanted))
    assert (fingerprint(theirs) == fingerprint(ours)) == (written == wanted)
