"""Why Postgres does not stream, as errors that say what to do.

SQLSTATEs decide and not texts, which follow the server's `lc_messages`; where one SQLSTATE means
several things, the slot itself is asked.
"""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult

from cdc.postgres.connect import NotPermitted, Row, one_line
from schemas.errors import BadUsage, DataAtRisk, OdooCdcError, ServiceUnavailable

_UNDEFINED_OBJECT: Final = "42704"
_DUPLICATE_OBJECT: Final = "42710"
_CANCELED: Final = "57014"
_OBJECT_IN_USE: Final = "55006"
_NOT_PERMITTED: Final = "42501"
_GOING: Final = ("57P", "08")  # shutdown and termination, connection
RECOVER: Final = (
    "`odoo-cdc capture --recover` makes a new slot, reads everything again, compares it with the"
    " shadow and publishes exactly what differs, deletes included."
)
_PID: Final = re.compile(r"\bPID (\d+)")


class ConnectionLost(ServiceUnavailable):
    """The stream from Postgres broke off."""

    hint = "capture resumes where it stopped; see the Postgres log for what ended the connection."


class SlotLost(DataAtRisk):
    """Postgres has removed WAL that was not yet published."""

    hint = RECOVER


class SlotMissing(DataAtRisk):
    """The replication slot is not there."""

    hint = (
        "Before the first start run `odoo-cdc setup`. Where it went away behind capture:"
        f" {RECOVER}"
    )


class SlotBusy(ServiceUnavailable):
    """Another process reads from the replication slot."""

    hint = (
        "Stop the other capture, or wait until Postgres has noticed that it is gone"
        " (wal_sender_timeout, 60 s); `SELECT pg_terminate_backend(PID)` ends it at once."
    )

    def __init__(self, slot: str, pid: int | None = None) -> None:
        """Name the slot and the Postgres process that holds it, where known."""
        by = f" by process {pid} of Postgres" if pid else ""
        super().__init__(f'the replication slot "{slot}" is in use{by}')
        self.pid = pid


class SlotExists(BadUsage):
    """There is a replication slot of that name."""

    hint = "Use it, drop it, or name another one as source.slot in sync.yaml."


class SlotNotMade(ServiceUnavailable):
    """Postgres did not create the replication slot."""

    hint = (
        "Set wal_level = logical and enough max_replication_slots (both need a restart of"
        " Postgres), end old write transactions, then run `odoo-cdc setup` again."
    )


class PublicationMissing(DataAtRisk):
    """The publication is not there, or was not when the next transaction was written."""

    hint = (
        "Before the first start run `odoo-cdc setup`. Where it went away behind capture:"
        f" {RECOVER}"
    )


class StreamStopped(DataAtRisk):
    """Postgres refuses to stream."""

    hint = (
        "Run `odoo-cdc check`: it compares slot, publication and tables with sync.yaml. Where the"
        " slot can be read no more: `odoo-cdc capture --recover --yes` makes a new one, reads"
        " everything again and publishes exactly what differs."
    )


def start_refused(
    connection: psycopg.Connection[Row], where: str, slot: str, result: PGresult
) -> OdooCdcError:
    """Return the error for a refused START_REPLICATION; the connection can still be asked."""
    code = _sqlstate(result)
    if code == _OBJECT_IN_USE:
        return slot_busy(slot, result)
    if code == _UNDEFINED_OBJECT:
        return SlotMissing(f'{where} has no replication slot "{slot}"')
    if code == _NOT_PERMITTED:
        return NotPermitted(f"{where}: {_text(result)}")
    if not code or code.startswith(_GOING):
        return ConnectionLost(f"{where}: {_text(result)}")
    if _is_lost(connection, slot):
        return SlotLost(f'the replication slot "{slot}" of {where} is lost: {_text(result)}')
    return StreamStopped(f"{where}: {_text(result)}")


def creation_refused(where: str, slot: str, result: PGresult | None) -> OdooCdcError:
    """Return the error for a refused CREATE_REPLICATION_SLOT."""
    if result is None or not (code := _sqlstate(result)):
        return ConnectionLost(f"{where} broke off while it created the replication slot")
    if code == _DUPLICATE_OBJECT:
        return SlotExists(f'{where} already has a replication slot "{slot}"')
    if code == _NOT_PERMITTED:
        return NotPermitted(f"{where}: {_text(result)}")
    if code == _CANCELED:
        return SlotNotMade(f'the creation of the replication slot "{slot}" was cancelled')
    return SlotNotMade(f'{where} cannot create the replication slot "{slot}": {_text(result)}')


def slot_busy(slot: str, result: PGresult) -> SlotBusy:
    """Return the error for a slot in use, with the process where the text names one."""
    found = _PID.search(_text(result))
    return SlotBusy(slot, int(found[1]) if found else None)


def stream_ended(where: str, result: PGresult | None) -> OdooCdcError:
    """Return the error for a stream that the server ended."""
    if result is None or not result.error_message:
        return ConnectionLost(f"{where} ended the stream")
    code, text = _sqlstate(result), _text(result)
    if not code or code.startswith(_GOING):
        return ConnectionLost(f"{where} ended the stream: {text}")
    if code == _UNDEFINED_OBJECT:
        return PublicationMissing(f"{where}: {text}")
    return StreamStopped(f"{where} ended the stream: {text}")


def _is_lost(connection: psycopg.Connection[Row], slot: str) -> bool:
    try:
        found = connection.execute(
            "SELECT wal_status FROM pg_catalog.pg_replication_slots WHERE slot_name = %s", [slot]
        ).fetchone()
    except psycopg.Error:
        return False
    return found is not None and found[0] == "lost"


def _sqlstate(result: PGresult) -> str:
    return (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()


def _text(result: PGresult) -> str:
    """Return message and detail; a server's texts may be in any encoding before we are in."""
    fields = (DiagnosticField.MESSAGE_PRIMARY, DiagnosticField.MESSAGE_DETAIL)
    parts = [result.error_field(field) or b"" for field in fields]
    text = " ".join(part.decode(errors="replace") for part in parts if part)
    return one_line(text or (result.error_message or b"").decode(errors="replace"))
