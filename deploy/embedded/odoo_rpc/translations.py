"""Values of one field in several languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from embedded.odoo_rpc.environment import FALLBACK, Env
from embedded.odoo_rpc.faults import UserError
from embedded.odoo_rpc.model import Model


def update_field_translations(
    env: Env, model: Model, ids: Sequence[int], name: str, values: Mapping[str, Any]
) -> bool:
    """Write a field's text in these languages; False lets a language fall back to English."""
    env.refuse_writing(model.name)
    if not model.field(name).translate:
        return False
    unknown = sorted(set(values) - set(env.languages()))
    if unknown:
        raise UserError(f"These languages are not active: {', '.join(unknown)}")
    model.exist(env, ids)
    held = {lang: text for lang, text in values.items() if text}
    dropped = [lang for lang, text in values.items() if not text and lang != FALLBACK]
    env.cursor.execute(
        sql.SQL(
            "UPDATE {0} SET {1} = (coalesce({1}, %s) || %s) - %s::text[],"
            " write_uid = %s, write_date = %s WHERE id = ANY (%s)"
        ).format(sql.Identifier(model.table), sql.Identifier(name)),
        [
            Jsonb({FALLBACK: next(iter(held.values()), "")}),
            Jsonb(held),
            dropped,
            env.user.id,
            env.now,
            list(ids),
        ],
    )
    return True


def get_field_translations(env: Env, model: Model, ids: Sequence[int], name: str) -> list[Any]:
    """Return `[{lang, source, value}, ...]` for every active language, and how to show them."""
    one = model.field(name)
    query = sql.SQL("SELECT {} FROM {} WHERE id = ANY (%s)").format(
        sql.Identifier(name), sql.Identifier(model.table)
    )
    rows: list[dict[str, str]] = []
    for (held,) in env.ask(query, list(ids)):
        source = (held or {}).get(FALLBACK) or ""
        rows += [
            {"lang": lang, "source": source, "value": (held or {}).get(lang, source)}
            for lang in env.languages()
        ]
    kind = "char" if one.type == "char" else "text"
    return [rows, {"translation_type": kind, "translation_show_source": False}]
