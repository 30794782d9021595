"""`pg_recvlogical` beside capture: it reads the same stream, and throws it away."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import psycopg

from tests.benchmarks.place import Place, Site, query
from tests.benchmarks.watching import PATIENCE

_OFTEN: Final = 0.1  # seconds between two looks
_MAKE: Final = "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, 'pgoutput')"
_DROP: Final = "SELECT pg_drop_replication_slot(%s)"
_END: Final = "SELECT pg_current_wal_insert_lsn()::text"
_SENT: Final = """
    SELECT coalesce(max(r.sent_lsn) >= %s::pg_lsn, false)::text
    FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid
    WHERE s.slot_name = %s
"""


class Recvlogical:
    """One that follows a slot of its own, while it is open."""

    def __init__(self, place: Place, site: Site) -> None:
        self._site = site
        self._slot = f"{site.name}_recvlogical"
        self._command = [
            str(place.postgres.installation.bin / "pg_recvlogical"),
            *("-d", site.dsn, "--slot", self._slot, "--start", "--file", "/dev/null"),
            *("-o", "proto_version=1", "-o", f"publication_names=odoo_cdc_{site.name}"),
            *("-o", "messages=true", "--no-loop"),
        ]
        self._process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        query(self._site.dsn, _MAKE, self._slot)
        # One for all questions: to ask must not slow down what is measured.
        self._connection = psycopg.connect(self._site.dsn, autocommit=True)
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        self._wait_for("0/1")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._connection.close()
        query(self._site.dsn, _DROP, self._slot)

    def seconds_to_one_commit(self, commit: Callable[[], object]) -> float:
        """Commit; return the seconds until Postgres has sent all up to it.

        What it has sent is read but for what the socket holds.
        """
        commit()
        at = time.monotonic()
        self._wait_for(query(self._site.dsn, _END))
        return time.monotonic() - at

    def _wait_for(self, lsn: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._connection.execute(_SENT, [lsn, self._slot]).fetchone() != ("true",):
            assert self._process.poll() is None, "pg_recvlogical has ended"
            assert time.monotonic() < deadline, "it was not sent"
            time.sleep(_OFTEN)
