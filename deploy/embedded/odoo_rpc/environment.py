"""One call: who asks, in which language and company, and the transaction that it writes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from embedded.odoo.transaction import Transaction
from embedded.odoo_rpc.faults import AccessError, UserError

FALLBACK: Final = "en_US"
_QUIET: Final = ("tracking_disable", "mail_create_nolog", "mail_notrack")


@dataclass(slots=True)
class User:
    """Who asks; `writes` is false for one who may only read."""

    id: int
    partner: int
    company: int
    companies: tuple[int, ...]
    lang: str
    writes: bool


@dataclass(slots=True)
class Env:
    """A call's surroundings; everything in it is read and written through `cursor`."""

    cursor: psycopg.Cursor
    user: User
    context: Mapping[str, Any]
    now: datetime
    rows: Transaction = field(init=False)

    def __post_init__(self) -> None:
        """Open the transaction's pen."""
        self.rows = Transaction(
            self.cursor,
            Random(0),  # noqa: S311 - it throws no dice here
            self.now,
            0,
            user=self.user.id,
            author=self.user.partner,
        )

    def checked(self) -> Env:
        """Refuse a language or company that the user does not have."""
        languages = self.languages()
        lang = self.context.get("lang")
        if lang and lang not in languages:
            raise UserError(f"Invalid language code: {lang}")
        allowed = self.context.get("allowed_company_ids") or ()
        if not set(allowed) <= set(self.user.companies):
            raise AccessError("The user does not belong to all of these companies.")
        return self

    @property
    def lang(self) -> str:
        """The language that translated values are read and written in."""
        return str(self.context.get("lang") or FALLBACK)

    @property
    def company(self) -> int:
        """The current company."""
        allowed = self.context.get("allowed_company_ids")
        return int(allowed[0]) if allowed else self.user.company

    @property
    def shows_archived(self) -> bool:
        """Whether searches find what is archived."""
        return not self.context.get("active_test", True)

    @property
    def quiet(self) -> bool:
        """Whether chatter is switched off."""
        return any(self.context.get(key) for key in _QUIET)

    def refuse_writing(self, model: str) -> None:
        """Raise AccessError for one who may only read."""
        if not self.user.writes:
            raise AccessError(f"The user may not change records of {model}.")

    def ask(
        self, query: LiteralString | sql.SQL | sql.Composed, *values: Any
    ) -> list[tuple[Any, ...]]:
        """Run a query; return all its rows."""
        return self.cursor.execute(query, values or None).fetchall()

    def there(self, table: str, ids: Iterable[int]) -> set[int]:
        """Return which of these rows exist."""
        query = sql.SQL("SELECT id FROM {} WHERE id = ANY (%s)").format(sql.Identifier(table))
        return {row[0] for row in self.ask(query, list(ids))}

    def languages(self) -> list[str]:
        """Return the codes of the active languages."""
        return [row[0] for row in self.ask("SELECT code FROM res_lang WHERE active ORDER BY id")]
