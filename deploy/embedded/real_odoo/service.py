"""A real Odoo as a child process, on a copy of its template."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar, Self

import psycopg
from psycopg import sql

from embedded import jsonrpc
from embedded.ports import LOOPBACK, free_ports
from embedded.postgres import Postgres
from embedded.process import Service
from embedded.real_odoo.template import ADMIN, ROLE, TEMPLATE, Prepared, connection


class RealOdoo(Service):
    """An Odoo on loopback: threaded, without cron, its files in `home`.

    The database is made of the template where it is not there; it stays when the service is
    closed, for whoever owns the Postgres.
    """

    name: ClassVar[str] = "odoo"
    start_timeout: ClassVar[float] = 240.0

    def __init__(
        self,
        prepared: Prepared,
        postgres: Postgres,
        database: str,
        home: Path | None = None,
        *,
        keep: bool | None = None,
    ) -> None:
        """Prepare an Odoo for a database of this Postgres."""
        super().__init__(home, keep=keep)
        self.prepared = prepared
        self.postgres = postgres
        self.database = database
        self.keys = prepared.keys
        self.port = 0

    @classmethod
    def start(cls, prepared: Prepared, postgres: Postgres, database: str) -> Self:
        """Start it; it answers when this returns. Raises NotStarted with the end of its log."""
        return cls(prepared, postgres, database).first_launch()

    @property
    def kind(self) -> str:
        """What it is: `odoo 18.0`."""
        return f"odoo {self.prepared.checkout.version}"

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def dsn(self) -> str:
        """The connection string of its database."""
        return self.postgres.dsn(self.database)

    def choose_ports(self) -> None:
        """Take one port."""
        (self.port,) = free_ports(1)

    def command(self) -> list[str]:
        """Make the database and its files where they are not there, return what to run."""
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as server:
            known = server.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [self.database]
            ).fetchone()
            if not known:
                create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
                server.execute(
                    create.format(*map(sql.Identifier, (self.database, TEMPLATE, ROLE)))
                )
        files = self.home / "filestore" / self.database
        if not files.exists():
            shutil.copytree(self.prepared.filestore, files)
        return [
            str(self.prepared.python),
            str(self.prepared.checkout.program),
            *connection(self.postgres, self.database, self.home),
            f"--http-interface={LOOPBACK}",
            f"--http-port={self.port}",
            "--no-database-list",
            "--log-level=warn",
        ]

    def answers(self) -> bool:
        """Whether one can log in."""
        args = [self.database, ADMIN, self.keys[ADMIN]]
        return bool(jsonrpc.ask(self.url, "common", "login", args))
