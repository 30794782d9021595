"""Messages to the target service, as workers send them."""

from __future__ import annotations

from itertools import count
from typing import Any

_positions = count(1)


def key(model: str, record: int, source: str = "odoo_a") -> str:
    return f"{source}.{model.replace('.', '_')}_{record}"


def ref(model: str, record: int, source: str = "odoo_a") -> dict[str, str]:
    """What `{ref: ...}` sends of a record without an external id."""
    name = key(model, record, source)
    return {"key": name, "external_id": name}


def message(  # noqa: PLR0913  what a message says
    model: str,
    record: int,
    fields: dict[str, Any],
    *,
    operation: str = "update",
    target_model: str = "",
    source: str = "odoo_a",
    route: str = "r",
    sequence: str = "",
    external_id: str = "",
    **data: Any,
) -> dict[str, Any]:
    """Return a message; without `sequence` it is newer than all before it."""
    sequence = sequence or f"6743A1F0-{next(_positions):016X}-00000001-0000"
    chain = f"{source}/branch/{model}/{record}"
    name = key(model, record, source)
    return {
        "specversion": "1.0",
        "id": f"{chain}/{route}/{sequence}",
        "source": f"/{source}",
        "type": f"odoo.{model}.{operation}",
        "subject": f"{model}/{record}",
        "time": "2026-11-23T10:00:00.123456Z",
        "datacontenttype": "application/json",
        "partitionkey": chain,
        "sequence": sequence,
        "data": {
            "routing": {"route": route, "target": "branch", "mode": "stream"},
            "record": {
                "model": model,
                "id": record,
                "key": name,
                "external_id": external_id or name,
                "target_model": target_model or model,
                "operation": operation,
                "changed": None,
                "transaction": {"id": 7, "lsn": "0/1", "time": "2026-11-23T10:00:00.123456Z"},
            },
            "fields": fields,
            **data,
        },
    }
