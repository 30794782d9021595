"""One event for one target: what the send queue holds.

A value is Avro's single-object encoding (specification 1.11, "Single-object encoding"): `C3 01`,
the schema's CRC-64-AVRO fingerprint in little-endian order, then the datum. The schema is the
same for every source and lies in `<source>.schemas` beside those of the events. `body` is the
message to WSO2, byte for byte: whoever sends a delivery again sends the same bytes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final, Self, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.errors import OdooCdcError
from schemas.position import is_replay

SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Delivery",
    "namespace": "odoo_cdc",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "chain", "type": "string"},
        {"name": "target", "type": "string"},
        {"name": "route", "type": "string"},
        {"name": "sequence", "type": "string"},
        {"name": "model", "type": "string"},
        {"name": "record_id", "type": "long"},
        {"name": "operation", "type": "string"},
        {"name": "mode", "type": "string"},
        {"name": "source", "type": "string"},
        {"name": "time", "type": "string"},
        {"name": "traceparent", "type": "string"},
        {"name": "body", "type": "bytes"},
        {"name": "force_older", "type": "boolean", "default": False},
    ],
}
_WANT: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Want",
    "fields": [
        {"name": "place", "type": "string"},
        {"name": "model", "type": "string"},
        {"name": "id", "type": "long"},
        {"name": "field", "type": "string"},
        {"name": "kind", "type": "string"},
        {"name": "write_date", "type": ["null", "string"]},
    ],
}
# Drafts are written with one field more; all else stays byte for byte what it is without it.
DRAFT_SCHEMA: Final[dict[str, Any]] = {
    **SCHEMA,
    "fields": [
        *SCHEMA["fields"],
        {"name": "wants", "type": {"type": "array", "items": _WANT}, "default": []},
    ],
}


def _fingerprint(schema: dict[str, Any]) -> bytes:
    # fastavro writes the checksum as its bytes in the order of the wire, in hexadecimal.
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


FINGERPRINT: Final = _fingerprint(SCHEMA)
DRAFT_FINGERPRINT: Final = _fingerprint(DRAFT_SCHEMA)
SCHEMAS: Final = {FINGERPRINT: SCHEMA, DRAFT_FINGERPRINT: DRAFT_SCHEMA}
_MARKER: Final = b"\xc3\x01"
_PREFIX: Final = _MARKER + FINGERPRINT
_DRAFT_PREFIX: Final = _MARKER + DRAFT_FINGERPRINT
_PARSED: Final = parse_schema(SCHEMA)
_DRAFT_PARSED: Final = parse_schema(DRAFT_SCHEMA)
_FIELDS: Final = tuple(field["name"] for field in SCHEMA["fields"])


class NotADelivery(OdooCdcError):
    """A record of a send queue is no delivery."""

    hint = "Only `odoo-cdc stream` may write to send queues; look for another producer."


@dataclass(frozen=True, slots=True)
class Want:
    """A value that Odoo is to be asked for before a delivery can go.

    `place` is where it goes in the message's `fields`, a JSON pointer (RFC 6901); `kind` is
    Odoo's ttype. `write_date` is the record's as the event knew it, in ISO 8601, UTC; None where
    it had none.
    """

    place: str
    model: str
    id: int
    field: str
    kind: str
    write_date: str | None

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        """Read what `to_fields` wrote; KeyError where it is not one."""
        return cls(**{name: fields[name] for name in cls.__slots__})

    def to_fields(self) -> dict[str, Any]:
        """Return it as a JSON object, and as Avro writes it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as one target gets it.

    `id` is chain, route and sequence, the same over all attempts; `time` is the commit's in
    ISO 8601, UTC; `traceparent` follows from the id. `body` is empty where there is nothing
    that could be sent. `force_older` lets one that is replayed go although a newer one of its
    chain and route has gone. One that `wants` anything is a draft: its body has null at those
    places, and it never goes out as it is.
    """

    id: str
    chain: str
    target: str
    route: str
    sequence: str
    model: str
    record_id: int
    operation: str  # create | update | leave | delete
    mode: str  # see schemas.event.Mode
    source: str
    time: str
    traceparent: str
    body: bytes
    force_older: bool = False
    wants: tuple[Want, ...] = ()

    @property
    def replayed(self) -> bool:
        """Whether it repeats a past event."""
        return is_replay(self.sequence)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a route has for a target; without a delivery `why` says why not."""

    route: str
    target: str
    delivery: Delivery | None
    why: str = ""


def encode(delivery: Delivery) -> bytes:
    """Write the value of a record in a send queue; the same delivery gives the same bytes."""
    datum = {name: getattr(delivery, name) for name in _FIELDS}
    buffer = io.BytesIO()
    if delivery.wants:
        buffer.write(_DRAFT_PREFIX)
        datum["wants"] = [want.to_fields() for want in delivery.wants]
        schemaless_writer(buffer, _DRAFT_PARSED, datum)
    else:
        buffer.write(_PREFIX)
        schemaless_writer(buffer, _PARSED, datum)
    return buffer.getvalue()


def decode(value: bytes) -> Delivery:
    """Read what `encode` wrote; NotADelivery for anything else."""
    draft = value.startswith(_DRAFT_PREFIX)
    if not draft and not value.startswith(_PREFIX):
        raise NotADelivery("it does not begin as a delivery does")
    buffer = io.BytesIO(value)
    buffer.seek(len(_PREFIX))
    schema = _DRAFT_PARSED if draft else _PARSED
    try:
        datum = cast("dict[str, Any]", schemaless_reader(buffer, schema, None))
    except (ValueError, EOFError, IndexError, OverflowError, MemoryError) as error:
        raise NotADelivery(f"it ends or breaks off inside: {error}") from error
    if buffer.tell() != len(value):
        raise NotADelivery("something stands behind its end")
    if draft:
        datum["wants"] = tuple(map(Want.of, datum["wants"]))
    return Delivery(**datum)
