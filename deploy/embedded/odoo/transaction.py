"""What Odoo's ORM does to tables within one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from embedded.odoo.declarations import models
from embedded.odoo.rows import ADMIN

Values = dict[str, Any]

AUTHOR: Final = 3

_BY_NAME: Final = {
    "ir_model_data": "model",
    "mail_message": "model",
    "mail_followers": "res_model",
    "ir_attachment": "res_model",
}
"""Tables that point at a record by its model's name, without a foreign key."""


class NothingThere(Exception):
    """No record is left that this could be done to."""


class Transaction:
    """One call to Odoo: all its rows have the time of its start.

    `bulk` is how many records a mass edit takes at most; `user` writes, `author` is the partner
    that its notes are of.
    """

    def __init__(
        self,
        cursor: psycopg.Cursor,
        rng: Random,
        now: datetime,
        bulk: int,
        *,
        user: int = ADMIN,
        author: int = AUTHOR,
    ) -> None:
        self.user = user
        self.author = author
        self.cursor = cursor
        self.rng = rng
        self.now = now
        self.bulk = bulk

    def chance(self, share: float) -> bool:
        """Throw dice."""
        return self.rng.random() < share

    def rows(self, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """Run a query; return all its rows."""
        return self.cursor.execute(query, values).fetchall()

    def run(self, statement: LiteralString, *values: Any) -> None:
        """Run a statement that returns nothing."""
        self.cursor.execute(statement, values)

    def some(self, table: LiteralString, where: LiteralString = "true", *values: Any) -> int:
        """Choose a record; raise NothingThere where none fulfils `where`.

        It is the first from a random id on: no list of all ids is read for it.
        """
        name, condition = sql.Identifier(table), sql.SQL(where)
        found = self.cursor.execute(
            sql.SQL("SELECT coalesce(max(id), 0) FROM {}").format(name)
        ).fetchone()
        start = self.rng.randint(0, found[0] if found else 0)
        for compare in (">=", "<"):
            query = sql.SQL("SELECT id FROM {} WHERE id {} %s AND ({}) ORDER BY id LIMIT 1")
            filled = query.format(name, sql.SQL(compare), condition)
            found = self.cursor.execute(filled, [start, *values]).fetchone()
            if found:
                return int(found[0])
        raise NothingThere(table)

    def create(self, table: str, **values: Any) -> int:
        """Insert a row; return its id."""
        if models()[_model(table)].log:
            values |= {"create_uid": self.user, "create_date": self.now}
            values |= {"write_uid": self.user, "write_date": self.now}
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        )
        found = self.cursor.execute(statement, list(map(_adapted, values.values()))).fetchone()
        return int(found[0]) if found else 0

    def write(self, table: str, ids: int | Sequence[int], **values: Any) -> None:
        """Update rows, and who wrote them when; without values nothing else."""
        values |= {"write_uid": self.user, "write_date": self.now}
        pairs = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values]
        statement = sql.SQL("UPDATE {} SET {} WHERE id = ANY (%s)").format(
            sql.Identifier(table), sql.SQL(", ").join(pairs)
        )
        numbers = [ids] if isinstance(ids, int) else list(ids)
        self.cursor.execute(statement, [*map(_adapted, values.values()), numbers])

    def merge(self, table: str, number: int, column: str, values: Values) -> None:
        """Merge keys into a jsonb column, as a write in one language or company does."""
        name = sql.Identifier(column)
        statement = sql.SQL(
            "UPDATE {} SET {} = coalesce({}, '{{}}') || %s, write_uid = %s, write_date = %s"
            " WHERE id = %s"
        ).format(sql.Identifier(table), name, name)
        self.cursor.execute(statement, [Jsonb(values, _dumps), self.user, self.now, number])

    def relink(self, table: str, owner: tuple[str, int], column: str, ids: Sequence[int]) -> None:
        """Make a many2many hold exactly these: delete what goes, insert what comes."""
        names = {"table": table, "owner": owner[0], "other": column}
        filled = {key: sql.Identifier(name) for key, name in names.items()}
        self.cursor.execute(
            sql.SQL("DELETE FROM {table} WHERE {owner} = %s AND {other} <> ALL (%s)").format(
                **filled
            ),
            [owner[1], list(ids)],
        )
        for number in ids:
            self.cursor.execute(
                sql.SQL(
                    "INSERT INTO {table} ({owner}, {other}) VALUES (%s, %s) ON CONFLICT DO NOTHING"
                ).format(**filled),
                [owner[1], number],
            )

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete records, and what points at them by their model's name; keys do the rest."""
        for table, column in _BY_NAME.items():
            self.cursor.execute(
                sql.SQL("DELETE FROM {} WHERE {} = %s AND res_id = ANY (%s)").format(
                    sql.Identifier(table), sql.Identifier(column)
                ),
                [model, list(ids)],
            )
        self.cursor.execute(
            sql.SQL("DELETE FROM {} WHERE id = ANY (%s)").format(
                sql.Identifier(models()[model].table)
            ),
            [list(ids)],
        )

    def post(
        self, model: str, number: int, body: str, change: tuple[str, str] | None = None
    ) -> None:
        """Leave a note in a record's chatter, with what it tracks where something changed."""
        message = self.create(
            "mail_message",
            model=model,
            res_id=number,
            author_id=self.author,
            body=f"<p>{body}</p>",
            message_type="notification" if change else "comment",
            date=self.now,
        )
        if change:
            self.create(
                "mail_tracking_value",
                mail_message_id=message,
                old_value_char=change[0],
                new_value_char=change[1],
            )


def _model(table: str) -> str:
    return next(name for name, model in models().items() if model.table == table)


def _adapted(value: Any) -> Any:
    return Jsonb(value, _dumps) if isinstance(value, dict) else value


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
