"""The body of a delivery: one CloudEvents 1.0 object, CONTRACT.md section 3.

The same event and route give the same bytes, however often they are asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from schemas.delivery import Delivery
from schemas.event import Event
from schemas.keys import record_key
from schemas.position import format_lsn

MAX_BODY: Final = 1_999_999  # bytes; what the flow takes
TOO_LARGE: Final = "TOO_LARGE"  # the codes of what cannot be sent: its size ...
UNSENDABLE: Final = "UNSENDABLE"  # ... or a value

_compact: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


def body(  # noqa: PLR0913  what a message says
    event: Event,
    delivery: Delivery,
    fields: Mapping[str, Any],
    *,
    target_model: str,
    changed: Sequence[str] | None,
    external_id: str | None,
    conflict: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the message as UTF-8, compact, keys in the order of the contract.

    A Decimal in `fields` becomes a number with the same digits. Without an `external_id` the
    record's key stands in its place. `conflict` is what `schemas.conflict.told` gives, where the
    route has a policy.
    """
    key = record_key(event.source, event.model, event.id)
    return encode(
        {
            "specversion": "1.0",
            "id": delivery.id,
            "source": f"/{event.source}",
            "type": f"odoo.{event.model}.{delivery.operation}",
            "subject": f"{event.model}/{event.id}",
            "time": event.time,
            "datacontenttype": "application/json",
            "partitionkey": delivery.chain,
            "sequence": delivery.sequence,
            "data": {
                "routing": {
                    "route": delivery.route,
                    "target": delivery.target,
                    "mode": delivery.mode,
                },
                "record": {
                    "model": event.model,
                    "id": event.id,
                    "key": key,
                    "external_id": external_id or key,
                    "target_model": target_model,
                    "operation": delivery.operation,
                    "changed": None if changed is None else list(changed),
                    "transaction": {
                        "id": event.transaction,
                        "lsn": format_lsn(event.position.lsn),
                        "time": event.time,
                    },
                },
                "fields": dict(fields),
                **({} if conflict is None else {"conflict": conflict}),
            },
        }
    ).encode()


def too_large(size: int, model: str, record: int) -> str:
    """Say that a message of so many bytes cannot be sent, and what to do."""
    return (
        f"the message has {size} bytes, more than {MAX_BODY}: select fewer fields; the next change"
        f" of {model} {record} sends it"
    )


def traceparent(delivery_id: str) -> str:
    """Return the W3C trace context of a delivery: always the same for the same id, sampled."""
    digest = hashlib.sha256(delivery_id.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"


def encode(value: Any) -> str:
    """Write a value as messages do: compact JSON, a Decimal as a number with the same digits."""
    try:
        return _compact(value)
    except TypeError:  # a Decimal, which the C encoder cannot write
        return "".join(_written(value))


def _written(value: Any) -> Iterator[str]:
    """Give the pieces of a value that holds Decimals."""
    match value:
        case Decimal():
            yield format(value, "f")
        case dict():
            yield "{"
            for place, (name, inside) in enumerate(value.items()):
                yield f"{',' if place else ''}{_compact(name)}:"
                yield from _written(inside)
            yield "}"
        case list():
            yield "["
            for place, inside in enumerate(value):
                if place:
                    yield ","
                yield from _written(inside)
            yield "]"
        case _:
            yield _compact(value)
