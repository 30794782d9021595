"""Odoo's defaults of company-dependent fields, as `ir_default` holds them."""

from __future__ import annotations

import json
from typing import Any

from cdc.postgres.connect import Session
from schemas.company import EVERY


def company_defaults(session: Session) -> dict[str, dict[str, Any]]:
    """Return the defaults for all users, by `model.field` and company ("*" for every one).

    Those with a condition are for forms alone. Needs SELECT on ir_default and ir_model_fields.
    Raises NotPermitted, DatabaseUnreachable.
    """
    found: dict[str, dict[str, Any]] = {}
    rows = session.rows(
        "SELECT f.model || '.' || f.name, coalesce(d.company_id::text, %(every)s), d.json_value"
        " FROM ir_default d JOIN ir_model_fields f ON f.id = d.field_id"
        " WHERE f.company_dependent AND d.user_id IS NULL AND coalesce(d.condition, '') = ''"
        " ORDER BY d.id DESC",
        {"every": EVERY},
    )
    for name, company, value in rows:
        found.setdefault(name, {})[company] = json.loads(value)
    return found
