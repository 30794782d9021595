"""External ids: what `ir.model.data` holds, asked and written."""

from __future__ import annotations

from typing import Final, NamedTuple

from embedded.odoo.declarations import models
from embedded.odoo_rpc.environment import Env

IMPORTED: Final = "__import__"
"""The module of names that came without one."""


class ExternalId(NamedTuple):
    """`module.name`; a name may hold further points."""

    module: str
    name: str

    @classmethod
    def parse(cls, text: str) -> ExternalId:
        """Read one; without a point it belongs to the module of imports."""
        module, point, name = text.partition(".")
        return cls(module, name) if point else cls(IMPORTED, text)

    def __str__(self) -> str:
        """Write it as clients do."""
        return f"{self.module}.{self.name}"


class Found(NamedTuple):
    """What an external id points to; `exists` is false where the record is gone."""

    model: str
    number: int
    exists: bool


def look_up(env: Env, name: ExternalId) -> Found | None:
    """Return what a name points to."""
    rows = env.ask(
        "SELECT model, res_id FROM ir_model_data WHERE (module, name) = (%s, %s)", *name
    )
    if not rows:
        return None
    model, number = rows[0]
    known = models().get(model)
    return Found(model, number, bool(known and env.there(known.table, [number])))


def give(env: Env, name: ExternalId, model: str, number: int) -> None:
    """Name a record, in place of what the name pointed to.

    Two who do it at the same time meet in the unique index: the later one fails as one that
    could not be serialised.
    """
    env.cursor.execute(
        "INSERT INTO ir_model_data (module, name, model, res_id, noupdate,"
        " create_uid, create_date, write_uid, write_date)"
        " VALUES (%(module)s, %(name)s, %(model)s, %(number)s, false,"
        " %(user)s, %(now)s, %(user)s, %(now)s)"
        " ON CONFLICT (module, name) DO UPDATE"
        " SET model = excluded.model, res_id = excluded.res_id,"
        " write_uid = excluded.write_uid, write_date = excluded.write_date",
        name._asdict() | {"model": model, "number": number, "user": env.user.id, "now": env.now},
    )
