"""Connections: one way to open them, one set of session settings, one set of errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq.abc import PGresult

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable
from schemas.from_files import current
from schemas.masking import learn

SCHEMA: Final = "public"  # where Odoo keeps its tables
APPLICATION: Final = "odoo-cdc"

# Without these, bytes depend on ALTER DATABASE, ALTER ROLE, and even on our PGDATESTYLE and PGTZ,
# which libpq sends behind `options`: so they are set by a statement, which has the last word.
SETTINGS: Final[Mapping[str, str]] = {
    "TimeZone": "UTC",
    "DateStyle": "ISO,YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "search_path": SCHEMA,
    "row_security": "off",  # a policy makes a read fail: it must not hide rows from us
    "statement_timeout": "0",
    "synchronous_commit": "local",  # a mark need not wait for standbys
}
_DEFAULTS: Final[Mapping[str, str]] = {  # where the DSN says nothing
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}

_UNSTOPPED: Final = re.compile(r"(?<=\w)\s*\n\s*(?=[A-Z])")

Statement = LiteralString | bytes | sql.SQL | sql.Composed
Parameters = Sequence[Any] | Mapping[str, Any] | None
Row = tuple[Any, ...]


class DatabaseUnreachable(ServiceUnavailable):
    """The source database does not answer."""

    hint = (
        "Start it, or correct source.dsn in sync.yaml; `odoo-cdc check` tries it. Where it does"
        " not let the role in, `odoo-cdc setup --sql --role NAME` as another role prints what to"
        " run."
    )


class BadDsn(BadUsage):
    """source.dsn is not a libpq URL or conninfo string."""

    hint = (
        "Write postgresql://user:password@host:5432/database, or host=... dbname=... user=..."
        " In a URL a password is percent-encoded: %40 for @, %3A for :, %2F for /."
    )


class NotPermitted(BadUsage):
    """The role of source.dsn may not do that."""

    hint = "`odoo-cdc setup --sql` prints what the database's owner must run."


class StatementFailed(DataAtRisk):
    """Postgres refused a statement."""

    hint = "Run `odoo-cdc check`: it compares the database with what sync.yaml needs."


def conninfo(dsn: str, application_name: str, **more: str) -> str:
    """Return `dsn` with the keepalives it lacks and our name. Raises BadDsn."""
    if _is_ambiguous(dsn):
        raise BadDsn
    try:
        given = conninfo_to_dict(dsn)
        learn("source.dsn", str(given.get("password") or ""))
        return make_conninfo(
            **{
                **_DEFAULTS,
                **{name: str(value) for name, value in given.items() if value is not None},
                **more,
                "client_encoding": "UTF8",
                "application_name": _named(application_name),
            }
        )
    except psycopg.ProgrammingError:
        raise BadDsn from None  # libpq's own text can show a password


def _is_ambiguous(dsn: str) -> bool:
    """Say whether a URL's user or password holds what ends it: the rest would be named as host."""
    if not dsn.startswith(("postgresql://", "postgres://")):
        return False
    place = dsn.partition("://")[2].partition("?")[0]
    login = place.rpartition("@")[0]
    return "@" in login or "/" in login


def _named(application_name: str) -> str:
    if application_name.startswith(APPLICATION):
        return application_name
    return f"{APPLICATION}-{application_name}"


def describe(dsn: str) -> str:
    """Name the database without user and password: `database "odoo" at db.example:5432`."""
    if _is_ambiguous(dsn):
        return "the database of source.dsn"
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        return "the database of source.dsn"
    host = given.get("host") or given.get("hostaddr") or "the local socket"
    port = f":{given['port']}" if given.get("port") else ""
    return f'database "{given.get("dbname") or "?"}" at {host}{port}'


def one_line(text: object) -> str:
    """Return a server's message as one line, with a stop where a sentence ended with its line."""
    return " ".join(_UNSTOPPED.sub(". ", str(text)).split())


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn psycopg's errors into ours; `where` names the database."""
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise NotPermitted(f"{where}: {one_line(error)}") from error
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(f"{where} does not answer: {one_line(error)}") from error
    except psycopg.Error as error:
        raise StatementFailed(f"{where}: {one_line(error)}") from error


def open_connection(dsn: str, application_name: str, **more: str) -> psycopg.Connection[Row]:
    """Open a connection in autocommit with the settings pinned; `more` is conninfo.

    Parameters are merged on our side, because a walsender knows the simple protocol only.
    Raises BadDsn, DatabaseUnreachable, NotPermitted.
    """
    dsn = current(dsn, at_once=True)
    where = describe(dsn)
    info = conninfo(dsn, application_name, **more)
    with translated(where):
        connection = psycopg.connect(info, autocommit=True, cursor_factory=psycopg.ClientCursor)
        try:
            pins = sql.SQL(", ").join([sql.SQL("set_config(%s, %s, false)")] * len(SETTINGS))
            connection.execute(
                sql.SQL("SELECT {}").format(pins),
                [word for setting in SETTINGS.items() for word in setting],
            )
        except BaseException:  # raised on; no connection is left open
            connection.close()
            raise
    return connection


class Session:
    """A connection for plain SQL; idle outside of `transaction`, which it never leaves open."""

    def __init__(self, connection: psycopg.Connection[Row], where: str) -> None:
        """Take over an open connection; `where` names the database in errors."""
        self.connection = connection
        self.where = where

    @classmethod
    def connect(cls, dsn: str, application_name: str = APPLICATION) -> Self:
        """Open a session. Raises BadDsn, DatabaseUnreachable, NotPermitted."""
        return cls(open_connection(dsn, application_name), describe(dsn))

    @property
    def version(self) -> int:
        """`server_version_num`, 180004 for 18.4."""
        return self.connection.info.server_version

    @property
    def closed(self) -> bool:
        """Whether it was closed, or the connection is known to be lost."""
        return bool(self.connection.closed)

    def rows(self, statement: Statement, parameters: Parameters = None) -> list[Row]:
        """Run a query. Raises DatabaseUnreachable, NotPermitted, StatementFailed."""
        with translated(self.where):
            return self.connection.execute(statement, parameters).fetchall()

    def row(self, statement: Statement, parameters: Parameters = None) -> Row | None:
        """Run a query for its first row, None where there is none."""
        with translated(self.where):
            return self.connection.execute(statement, parameters).fetchone()

    def one(self, statement: Statement, parameters: Parameters = None) -> Row:
        """Run a query that always has a row; StatementFailed where it has none."""
        found = self.row(statement, parameters)
        if found is None:
            raise StatementFailed(f"{self.where}: a query without an answer")
        return found

    def execute(self, statement: Statement, parameters: Parameters = None) -> None:
        """Run a statement for what it does."""
        with translated(self.where):
            self.connection.execute(statement, parameters)

    def raw(self, statement: Statement, parameters: Parameters = None) -> PGresult:
        """Run a query for its cells as Postgres wrote them."""
        with translated(self.where):
            result = self.connection.execute(statement, parameters).pgresult
        if result is None:
            raise StatementFailed(f"{self.where}: a query without an answer")
        return result

    @contextmanager
    def transaction(self, *, snapshot: bool = False) -> Iterator[None]:
        """Run a block in one transaction; `snapshot`: REPEATABLE READ READ ONLY."""
        with translated(self.where), self.connection.transaction():
            if snapshot:
                self.connection.execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                )
            yield

    def close(self) -> None:
        """Close it; closing twice is fine."""
        self.connection.close()

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
