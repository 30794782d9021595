"""Odoo's users by login, as `res_users` knows them."""

from __future__ import annotations

from collections.abc import Collection

from cdc.postgres.connect import Session


def users(session: Session, logins: Collection[str]) -> dict[str, int]:
    """Return the ids of these users, archived ones too; those that are not there are left out.

    Needs SELECT on res_users (id, login), unless there is nothing to ask. Raises NotPermitted,
    DatabaseUnreachable.
    """
    if not logins:
        return {}
    return dict(
        session.rows(
            "SELECT login, id FROM res_users WHERE login = ANY (%(logins)s) ORDER BY login",
            {"logins": sorted(logins)},
        )
    )
