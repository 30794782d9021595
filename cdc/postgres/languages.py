"""Odoo's languages, as `res_lang` knows them."""

from __future__ import annotations

from cdc.postgres.connect import NotPermitted, Session, StatementFailed


def languages(session: Session) -> frozenset[str] | None:
    """Return the codes of the languages that are active; None where we may not look.

    Needs SELECT on res_lang (code, active). Raises DatabaseUnreachable.
    """
    try:
        return frozenset(
            code for (code,) in session.rows("SELECT code FROM res_lang WHERE active")
        )
    except (NotPermitted, StatementFailed):
        return None


def first_days(session: Session) -> dict[str, int] | None:
    """Return the day that a week begins with in each active language, 1 for Monday to 7.

    None where we may not look. Needs SELECT on res_lang (code, active, week_start). Raises
    DatabaseUnreachable.
    """
    try:
        rows = session.rows("SELECT code, week_start::int FROM res_lang WHERE active")
    except (NotPermitted, StatementFailed):
        return None
    return dict(rows)
