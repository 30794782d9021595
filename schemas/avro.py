"""Events on the wire: Avro schemas made from shapes, and the decoder that every reader uses.

A value is Avro's single-object encoding (specification 1.11, "Single-object encoding"): `C3 01`,
the schema's 8-byte CRC-64-AVRO fingerprint in little-endian order, then the datum. The schemas
lie in the topic `<source>.schemas`, so any Avro reader can decode an event; what only we need,
the shape and Odoo's types, is the attribute `odoo` of the outermost record. That attribute is
no part of Avro's canonical form, hence the hash of it in the namespace: two schemas that mean
different things never share a fingerprint. Resolution looks at names without it and at defaults
("Schema Resolution"), so a reader keeps its schema when fields come and go.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import error
from typing import Any, Final, cast

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint as fastavro_fingerprint
from fastavro.schema import to_parsing_canonical_form
from fastavro.types import Schema

from schemas.document import EXTERNAL_ID_COLUMN, ID, Column, Link, Shape
from schemas.errors import OdooCdcError
from schemas.event import Document, Event, Mode
from schemas.fields import Kind
from schemas.position import Lsn, Position

MARKER: Final = b"\xc3\x01"
_NAMES: Final[Mapping[str, str]] = {"type": "array", "items": "string"}
HEADER: Final = 10  # bytes before the datum: the marker and the fingerprint

AVRO_TYPES: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "long",
    Kind.BOOLEAN: "boolean",
    Kind.FLOAT: "double",
    Kind.NUMERIC: "string",
    Kind.TEXT: "string",
    Kind.DATE: "string",
    Kind.DATETIME: "string",
    Kind.TRANSLATED: "string",
    Kind.COMPANY: "string",
    Kind.JSON: "string",
    Kind.BINARY: "bytes",
}


class UnknownSchema(OdooCdcError):
    """An event names a schema that has not been read yet."""

    hint = "Schemas are in the topic `<source>.schemas`: it must be compacted, never emptied."

    def __init__(self, fingerprint: bytes) -> None:
        super().__init__(f"no schema with the fingerprint {fingerprint.hex()}")
        self.fingerprint = fingerprint


class NotAnEvent(OdooCdcError):
    """A record of an event topic is no event."""

    hint = "Only capture may write to event topics; look for another producer."


def event_schema(
    source: str, shape: Shape, users: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return the Avro schema of one root model's events; `users` are ids by login, where named."""
    odoo: dict[str, Any] = {"source": source, "model": shape.model, "shape": shape.to_json()}
    if users:
        odoo["users"] = dict(sorted(users.items()))
    digest = hashlib.sha256(json.dumps(odoo, sort_keys=True).encode()).hexdigest()[:12]
    document = _record(shape, _record_name(shape.model))
    return {
        "type": "record",
        "name": "Event",
        "namespace": f"odoo_cdc.{source}.{_record_name(shape.model)}.v_{digest}",
        "odoo": odoo,
        "fields": [
            {"name": "generation", "type": "long"},
            {"name": "lsn", "type": "long"},
            {"name": "ordinal", "type": "long"},
            {"name": "mode", "type": "string"},
            {"name": "id", "type": "long"},
            {"name": "time", "type": "string"},
            {"name": "transaction", "type": ["null", "long"]},
            {"name": "before_known", "type": "boolean"},
            {"name": "before", "type": ["null", document]},
            {"name": "after", "type": ["null", document["name"]]},
            {"name": "write_date", "type": ["null", "string"]},
            {"name": "write_uid", "type": ["null", "long"]},
            {"name": "writers", "type": {"type": "array", "items": ["null", "long"]}},
            {"name": "oversize", "type": ["null", "long"]},
            {"name": "routes", "type": ["null", _NAMES]},
            {"name": "targets", "type": ["null", _NAMES]},
        ],
    }


def fingerprint(schema: dict[str, Any]) -> bytes:
    """Return the 8 bytes that name the schema on the wire: CRC-64-AVRO, little-endian."""
    # fastavro writes the checksum as its bytes in the order of the wire, in hexadecimal.
    return bytes.fromhex(fastavro_fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


@dataclass(slots=True)
class SchemaBook:
    """The schemas of a source, by fingerprint."""

    _known: dict[bytes, _Known] = field(default_factory=dict)

    def add(self, text: str | bytes) -> bytes:
        """Take in a schema as JSON text, leave those that are not of events; its fingerprint."""
        schema = json.loads(text)
        name = fingerprint(schema)
        odoo = schema.get("odoo")
        if odoo is None:  # of deliveries: they need no book
            return name
        self._known[name] = _Known(
            parse_schema(schema),
            odoo["source"],
            odoo["model"],
            Shape.from_json(odoo["shape"]),
            odoo.get("users", {}),
        )
        return name

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of all events whose schemas are known."""
        return [known.shape for known in self._known.values()]

    def decode(self, value: bytes) -> Event:
        """Read one event; UnknownSchema where its schema is missing, NotAnEvent for others."""
        if value[:2] != MARKER:
            raise NotAnEvent
        name = value[2:HEADER]
        known = self._known.get(name)
        if known is None:
            raise UnknownSchema(name)
        datum = _datum(value, known.schema)
        return Event(
            source=known.source,
            model=known.model,
            id=datum["id"],
            position=Position(datum["generation"], Lsn(datum["lsn"]), datum["ordinal"]),
            mode=Mode(datum["mode"]),
            time=datum["time"],
            transaction=datum["transaction"],
            before_known=datum["before_known"],
            before=datum["before"],
            after=datum["after"],
            write_date=datum["write_date"],
            write_uid=datum["write_uid"],
            writers=tuple(datum["writers"]),
            oversize=datum["oversize"],
            shape=known.shape,
            users=known.users,
            routes=_names(datum, "routes"),
            targets=_names(datum, "targets"),
        )


def _datum(value: bytes, schema: Schema) -> dict[str, Any]:
    try:
        found = schemaless_reader(io.BytesIO(value[HEADER:]), schema, None)
    except (ValueError, LookupError, EOFError, error, OverflowError, MemoryError) as why:
        raise NotAnEvent(
            f"what follows a schema's name does not fit it: {type(why).__name__}"
        ) from why
    return cast("dict[str, Any]", found)


@dataclass(frozen=True, slots=True)
class _Known:
    schema: Schema
    source: str
    model: str
    shape: Shape
    users: Mapping[str, int]


def document_reader(shape: Shape) -> Callable[[bytes], Document]:
    """Return what reads the bytes of one image of an event, without the union's branch."""
    schema = parse_schema(_record(shape, _record_name(shape.model)))

    def read(image: bytes) -> Document:
        return cast("Document", schemaless_reader(io.BytesIO(image), schema, None))

    return read


def _names(datum: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Return names, None for all: an event that was written before there were any says so too."""
    found = datum.get(name)
    return None if found is None else tuple(found)


def _record(shape: Shape, name: str) -> dict[str, Any]:
    fields: list[dict[str, Any]] = [{"name": ID, "type": "long"}]
    fields += [_column(column) for column in shape.columns]
    if shape.external_id:
        fields.append(_optional(EXTERNAL_ID_COLUMN, "string"))
    fields += [_link(link, f"{name}__{link.name}") for link in shape.links]
    return {"type": "record", "name": name, "fields": fields}


def _column(column: Column) -> dict[str, Any]:
    return _optional(column.name, AVRO_TYPES[column.kind])


def _optional(name: str, found: str | dict[str, Any]) -> dict[str, Any]:
    """Return a field that may be null, and is where whoever wrote it did not have it."""
    return {"name": name, "type": ["null", found], "default": None}


def _link(link: Link, name: str) -> dict[str, Any]:
    record = _record(link.shape, name)
    if link.many:
        return {"name": link.name, "type": {"type": "array", "items": record}, "default": []}
    return _optional(link.name, record)


def _record_name(model: str) -> str:
    return model.replace(".", "_")
