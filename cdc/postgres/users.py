"""Odoo's users by login, as `res_users` knows them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from cdc.postgres.connect import Session

_OFF: Final = 2  # characters that a mistyped login has more or less
_MOST: Final = 1000  # users who are looked at; those with the same first letter first


def users(session: Session, logins: Collection[str]) -> dict[str, int]:
    """Return the ids of these users, archived ones too; those that are not there are left out.

    In place of one that is not there come the users whose logins are about as long: one of them
    may be meant. Needs SELECT on res_users (id, login), unless there is nothing to ask. Raises
    NotPermitted, DatabaseUnreachable.
    """
    if not logins:
        return {}
    found: dict[str, int] = dict(
        session.rows(
            "SELECT login, id FROM res_users WHERE login = ANY (%(logins)s) ORDER BY login",
            {"logins": sorted(logins)},
        )
    )
    for login in sorted(set(logins) - found.keys()):
        found |= session.rows(
            "SELECT login, id FROM res_users WHERE abs(length(login) - %(length)s) <= %(off)s"
            " ORDER BY lower(left(login, 1)) <> lower(left(%(login)s, 1)), login LIMIT %(most)s",
            {"login": login, "length": len(login), "off": _OFF, "most": _MOST},
        )
    return found
