"""Calls as transactions: one each, repeatable read, made again where the database asks for it."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict

from embedded.odoo_rpc import methods
from embedded.odoo_rpc.constraints import TRANSIENT, fault
from embedded.odoo_rpc.environment import FALLBACK, Env, User
from embedded.odoo_rpc.faults import AccessDenied

T = TypeVar("T")
ATTEMPTS: Final = 5
_PAUSE: Final = 0.02  # seconds, doubled by every attempt
_IDLE: Final = 16


class Called(NamedTuple):
    """A method of a model, and what it is called with."""

    model: str
    method: str
    args: Sequence[Any]
    options: Mapping[str, Any]


@dataclass(slots=True)
class Database:
    """One database and who may log in: `keys` by login; who is no writer may only read."""

    dsn: str
    keys: Mapping[str, str]
    writers: frozenset[str]
    _idle: deque[psycopg.Connection] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """What clients call it."""
        return str(conninfo_to_dict(self.dsn)["dbname"])

    def log_in(self, login: str, key: str) -> int | bool:
        """Return the user's id; False where login or key is wrong."""
        if not key or not secrets.compare_digest(self.keys.get(login, "").encode(), key.encode()):
            return False
        query = "SELECT id FROM res_users WHERE active AND login = %s"
        rows = self._transaction(lambda cursor: cursor.execute(query, [login]).fetchall())
        return int(rows[0][0]) if rows else False

    def call(self, user: int, key: str, called: Called) -> Any:
        """Call a model's method as this user, in one transaction of its own."""

        def work(cursor: psycopg.Cursor) -> Any:
            options = dict(called.options)
            env = self._env(cursor, user, key, options.pop("context", None) or {})
            return methods.call(env, called.model, called.method, called.args, options)

        try:
            return self._again(work)
        except TRANSIENT:
            raise
        except psycopg.Error as error:
            said = fault(error, user)
            if said is None:
                raise
            raise said from error

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _env(
        self, cursor: psycopg.Cursor, number: int, key: str, context: Mapping[str, Any]
    ) -> Env:
        rows = cursor.execute(
            "SELECT u.login, u.partner_id, u.company_id, p.lang,"
            " array(SELECT cid FROM res_company_users_rel WHERE user_id = u.id ORDER BY cid),"
            " now() AT TIME ZONE 'UTC'"
            " FROM res_users u JOIN res_partner p ON p.id = u.partner_id"
            " WHERE u.active AND u.id = %s",
            [number],
        ).fetchall()
        known = self.keys.get(rows[0][0], "") if rows else ""
        if not known or not secrets.compare_digest(known.encode(), str(key).encode()):
            raise AccessDenied("Access Denied")
        login, partner, company, lang, companies, now = rows[0]
        user = User(
            number, partner, company, tuple(companies), lang or FALLBACK, login in self.writers
        )
        return Env(cursor, user, context, now).checked()

    def _again(self, work: Callable[[psycopg.Cursor], T]) -> T:
        for attempt in range(1, ATTEMPTS):
            try:
                return self._transaction(work)
            except TRANSIENT:
                # The other transaction needs its time, as it does in Odoo.
                time.sleep(_PAUSE * 2**attempt * secrets.randbelow(1_000) / 1_000)
        return self._transaction(work)

    def _transaction(self, work: Callable[[psycopg.Cursor], T]) -> T:
        with self._connection() as connection, connection.transaction():
            return work(connection.cursor())

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        """Lend a connection; one that broke is not lent again."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = psycopg.connect(
                self.dsn, autocommit=True, options="-c timezone=UTC", application_name="odoo"
            )
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            yield connection
        finally:
            with self._lock:
                kept = not connection.closed and len(self._idle) < _IDLE
                if kept:
                    self._idle.append(connection)
            if not kept:
                connection.close()
