"""The server and our role in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cdc.postgres.facts import Facts
from cdc.postgres.slot import SlotState
from schemas.finding import Finding

VERSION: Final = "source.dsn (version)"
_DSN: Final = "source.dsn"
_OLDEST: Final = 150000
_LONG: Final = 600.0  # seconds that a transaction may be open
_RESTART: Final = "then restart Postgres"


def findings(facts: Facts, slot: SlotState) -> list[Finding]:
    """Return what is wrong with the server, its room and our role."""
    if facts.version < _OLDEST:
        message = f"Postgres {facts.version // 10000} is too old"
        return [Finding("error", VERSION, None, message, "use Postgres 15 or newer")]
    return [*_settings(facts), *_room(facts, slot), *_role(facts), *_warnings(facts)]


def _settings(facts: Facts) -> Iterator[Finding]:
    if facts.in_recovery:
        yield _error("the server is a standby", "name the primary in source.dsn")
    elif facts.wal_level != "logical":
        yield _error(
            f"wal_level is {facts.wal_level}, not logical: nothing can be captured",
            f"ALTER SYSTEM SET wal_level = logical; {_RESTART} (Amazon RDS: parameter"
            " rds.logical_replication = 1, Cloud SQL: flag cloudsql.logical_decoding = on)",
        )
    if facts.encoding == "SQL_ASCII":
        yield _error(
            "the database's encoding is SQL_ASCII: its texts may be in any encoding",
            "move it to a database with ENCODING 'UTF8', as Odoo wants",
        )


def _room(facts: Facts, slot: SlotState) -> Iterator[Finding]:
    if not slot.exists and facts.replication_slots >= facts.max_replication_slots:
        yield _error(
            f"all {facts.max_replication_slots} replication slots are used",
            f"drop one that nobody reads (pg_drop_replication_slot), or raise"
            f" max_replication_slots, {_RESTART}",
        )
    if slot.active_pid is None and facts.wal_senders >= facts.max_wal_senders:
        yield _error(
            f"all {facts.max_wal_senders} WAL senders are busy",
            f"raise max_wal_senders, {_RESTART}",
        )


def _role(facts: Facts) -> Iterator[Finding]:
    if not facts.role.replication:
        name = facts.role.name
        yield _error(
            f'the role "{name}" may not replicate',
            f'ALTER ROLE "{name}" REPLICATION; on Amazon RDS GRANT rds_replication TO "{name}"',
        )


def _warnings(facts: Facts) -> Iterator[Finding]:
    if facts.max_slot_wal_keep_size is None:
        yield _warning(
            "Postgres keeps WAL for the slot without limit: capture that stands still for long"
            " would fill its disk",
            "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB' or what the disk can spare, then"
            " SELECT pg_reload_conf(); beyond it the slot is lost, and everything is loaded again",
        )
    timeout = facts.idle_replication_slot_timeout
    if timeout is not None:
        yield _warning(
            f"a slot that nobody reads for {timeout / 60:.0f} minutes is lost"
            " (idle_replication_slot_timeout)",
            "set it to 0, or to longer than capture may ever be away",
        )
    oldest = facts.oldest_write
    if oldest is not None and (oldest.seconds or 0) > _LONG:
        who = f"process {oldest.pid}" if oldest.pid else "prepared transaction"
        yield _warning(
            f"{who} {oldest.name} has a write transaction open for {oldest.seconds:.0f} s: it"
            " holds WAL, and a slot cannot be created before it ends",
            f"end it, SELECT pg_terminate_backend({oldest.pid})"
            if oldest.pid
            else f"COMMIT PREPARED or ROLLBACK PREPARED '{oldest.name}'",
        )


def _error(message: str, remedy: str) -> Finding:
    return Finding("error", _DSN, None, message, remedy)


def _warning(message: str, remedy: str) -> Finding:
    return Finding("warning", _DSN, None, message, remedy)
