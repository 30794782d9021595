"""The replication slot: what Postgres remembers for us, and what that costs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Self

from psycopg import errors, pq

from cdc.postgres.connect import Session, translated
from cdc.postgres.refusals import SlotBusy, SlotMissing, creation_refused
from cdc.postgres.replication import Replication, quote_name, readable
from schemas.errors import OdooCdcError
from schemas.position import Lsn, parse_lsn

PLUGIN: Final = "pgoutput"
FAILOVER: Final = 170000
"""The first version that synchronises slots to standbys."""
_LOOK: Final = 0.5  # seconds between two looks at what creation waits for
_RELEASE: Final = 10.0  # seconds that a reader may take to end
_SNAPSHOT_OPTION: Final = 150000


@dataclass(frozen=True, slots=True)
class SlotState:
    """One row of pg_replication_slots; what the version lacks is None. Sizes in bytes."""

    name: str
    exists: bool
    plugin: str = ""
    slot_type: str = ""
    database: str = ""
    temporary: bool = False
    active_pid: int | None = None
    restart_lsn: Lsn | None = None
    confirmed_flush_lsn: Lsn | None = None
    wal_status: str = ""  # reserved, extended, unreserved, lost
    safe_wal_size: int | None = None  # WAL that may still be written; None: without limit
    two_phase: bool = False
    conflicting: bool | None = None  # 16
    invalidation_reason: str | None = None  # 17
    failover: bool | None = None  # 17
    wal_held: int | None = None  # WAL kept for the slot
    lag: int | None = None  # WAL written and not confirmed

    @property
    def lost(self) -> bool:
        """Whether no capture can ever read from it again."""
        return self.wal_status == "lost" or bool(self.invalidation_reason)

    @classmethod
    def from_row(cls, name: str, row: dict[str, Any]) -> Self:
        """Read a row of any version, as JSON."""
        return cls(
            name,
            exists=True,
            plugin=row["plugin"] or "",
            slot_type=row["slot_type"],
            database=row["database"] or "",
            temporary=row["temporary"],
            active_pid=row["active_pid"],
            restart_lsn=_lsn(row["restart_lsn"]),
            confirmed_flush_lsn=_lsn(row["confirmed_flush_lsn"]),
            wal_status=row["wal_status"] or "",
            safe_wal_size=row["safe_wal_size"],
            two_phase=row.get("two_phase") or False,
            conflicting=row.get("conflicting"),
            invalidation_reason=row.get("invalidation_reason"),
            failover=row.get("failover"),
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """An older write transaction that must end before a slot can be created."""

    pid: int | None  # None: a prepared transaction
    role: str = ""
    application: str = ""
    seconds: float | None = None  # since it began; None where our role may not know

    def __str__(self) -> str:
        """Name it as an operator finds it: `process 812 of odoo (psql, open for 40 s)`."""
        if self.pid is None:
            return "a prepared transaction (see pg_prepared_xacts)"
        age = "" if self.seconds is None else f", open for {self.seconds:.0f} s"
        return f"process {self.pid} of {self.role or '?'} ({self.application or '?'}{age})"


OnWait = Callable[[tuple[Waiting, ...]], None]


def look(session: Session, slot: str) -> SlotState:
    """Return the slot's state; `exists` is false where there is none of that name."""
    found = session.row(
        "SELECT to_jsonb(s), at.lsn - s.restart_lsn, at.lsn - s.confirmed_flush_lsn"
        " FROM pg_catalog.pg_replication_slots s, (SELECT CASE"
        "  WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END"
        " AS lsn) at WHERE s.slot_name = %s",
        [slot],
    )
    if found is None:
        return SlotState(slot, exists=False)
    row, held, lag = found
    return replace(SlotState.from_row(slot, row), wal_held=_size(held), lag=_size(lag))


def reader(session: Session, state: SlotState) -> str:
    """Return the name that who reads from the slot has given itself, "" where nobody does."""
    query = "SELECT application_name FROM pg_catalog.pg_stat_activity WHERE pid = %s"
    found = session.row(query, [state.active_pid])
    return found[0] or "" if found else ""


def create(dsn: str, slot: str, *, failover: bool = False, on_wait: OnWait | None = None) -> Lsn:
    """Create the slot and return its consistent point; `failover` needs Postgres 17.

    Postgres waits for every older write transaction; `on_wait` is called twice a second with
    those it waits for, and may raise to give up: then there is no slot. The publication must be
    there before. Raises NotPermitted, StreamStopped (no slot left, wal_level), SlotExists,
    DatabaseUnreachable.
    """
    with Replication.connect(dsn, "odoo-cdc-setup") as replication:
        pgconn = replication.connection.pgconn
        old = replication.connection.info.server_version < _SNAPSHOT_OPTION
        more = ", FAILOVER true" if failover else ""
        option = "NOEXPORT_SNAPSHOT" if old else f"(SNAPSHOT 'nothing'{more})"
        statement = f"CREATE_REPLICATION_SLOT {quote_name(slot)} LOGICAL {PLUGIN} {option}"
        with translated(replication.where):
            pgconn.send_query(statement.encode())
            try:
                _wait(dsn, replication, on_wait)
            except BaseException:  # raised on
                pgconn.get_cancel().cancel()  # otherwise the slot would still be made, later
                raise
            result = pgconn.get_result()
        if result is None or result.status != pq.ExecStatus.TUPLES_OK:
            raise creation_refused(replication.where, slot, result)
        return parse_lsn((result.get_value(0, 1) or b"").decode())


def synchronise(session: Session, dsn: str, slot: str) -> None:
    """Have the slot synchronised to standbys, from Postgres 17 on; nobody may read from it.

    Raises SlotBusy, NotPermitted, StatementFailed, DatabaseUnreachable.
    """
    reader = look(session, slot).active_pid
    if reader is not None:  # Postgres would wait until it ends
        raise SlotBusy(slot, reader)
    with (
        Replication.connect(dsn, "odoo-cdc-setup") as replication,
        translated(replication.where),
    ):
        replication.connection.execute(
            f"ALTER_REPLICATION_SLOT {quote_name(slot)} (FAILOVER true)".encode()
        )


def drop(session: Session, slot: str) -> None:
    """Drop the slot. Raises SlotMissing, SlotBusy, NotPermitted, DatabaseUnreachable."""
    try:
        with translated(session.where):
            session.connection.execute("SELECT pg_catalog.pg_drop_replication_slot(%s)", [slot])
    except OdooCdcError as error:
        if isinstance(error.__cause__, errors.UndefinedObject):
            raise SlotMissing(f'there is no replication slot "{slot}"') from error
        if isinstance(error.__cause__, errors.ObjectInUse):
            raise SlotBusy(slot, look(session, slot).active_pid) from error
        raise


def release(dsn: str, slot: str) -> None:
    """Drop the slot although somebody may read from it, whose session is ended.

    Raises SlotMissing, SlotBusy, NotPermitted, DatabaseUnreachable.
    """
    with Session.connect(dsn, "odoo-cdc-capture") as session:
        deadline = time.monotonic() + _RELEASE
        while True:
            try:
                return drop(session, slot)
            except SlotBusy as error:
                if time.monotonic() > deadline:
                    raise
                session.execute("SELECT pg_catalog.pg_terminate_backend(%s, 1000)", [error.pid])


def _wait(dsn: str, replication: Replication, on_wait: OnWait | None) -> None:
    """Wait until creation has come to an end."""
    pgconn = replication.connection.pgconn
    with ExitStack() as stack:
        watcher: Session | None = None
        pgconn.consume_input()
        while pgconn.is_busy():
            if not readable(pgconn.socket, _LOOK):
                watcher = watcher or stack.enter_context(Session.connect(dsn, "odoo-cdc-setup"))
                waiting = _blockers(watcher, replication.backend_pid)
                if waiting and on_wait is not None:
                    on_wait(waiting)
            pgconn.consume_input()


def _blockers(session: Session, pid: int) -> tuple[Waiting, ...]:
    rows = session.rows(
        "SELECT DISTINCT b.pid, a.usename, a.application_name,"
        " extract(epoch FROM clock_timestamp() - a.xact_start)::float8"
        " FROM unnest(pg_catalog.pg_blocking_pids(%s)) AS b(pid)"
        " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid ORDER BY b.pid",
        [pid],
    )
    # pg_blocking_pids says 0 for a prepared transaction
    return tuple(
        Waiting(pid, role or "", name or "", age) if pid else Waiting(None)
        for pid, role, name, age in rows
    )


def _lsn(text: str | None) -> Lsn | None:
    return parse_lsn(text) if text else None


def _size(value: Decimal | None) -> int | None:
    return None if value is None else max(0, int(value))
