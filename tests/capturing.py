"""What tests of a running capture ask its source, and wait for."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from schemas.position import format_lsn
from tests.oracle import routes_yaml
from tests.programs import Programs, sync_yaml
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres


def programs_of(
    folder: Path,
    source: Source,
    name: str,
    kafka: Kafka,
    **more: Any,
) -> Programs:
    """Return the programs of a file with the oracle's routes; `more` are keys of `source`."""
    text = sync_yaml(
        source=name,
        dsn=source.dsn,
        kafka=kafka.bootstrap,
        targets=("shop", "erp"),
        routes=routes_yaml(),
        more={"source": {"name": name, "dsn": source.dsn, **more}},
    )
    return Programs(folder, text)


def ask(source: Source, query: str, *values: object) -> Any:
    """Return the first value of a query's answer, None where there is none."""
    with psycopg.connect(source.dsn, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), values)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def active(source: Source, name: str) -> bool:
    """Return whether somebody reads from the slot."""
    query = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"
    return bool(ask(source, query, f"odoo_cdc_{name}"))


def confirmed(source: Source, name: str, lsn: int) -> bool:
    """Return whether the slot is confirmed up to a position."""
    query = (
        "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s"
    )
    return bool(ask(source, query, format_lsn(lsn), f"odoo_cdc_{name}"))


class Frozen:
    """All processes of a Postgres, stopped between `with` and its end: nobody is refused or told.

    Its backends are in groups of their own, so each is stopped by its number.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._stopped: list[int] = []

    def __enter__(self) -> None:
        self._send(self._server.pid, signal.SIGSTOP)  # first: it starts no other
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                words = entry.read_text(encoding="utf-8").rpartition(")")[2].split()
                if int(words[1]) == self._server.pid:
                    self._send(int(entry.parent.name), signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        for pid in reversed(self._stopped):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _send(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            self._stopped.append(pid)
