"""The walsender's connection: one frame at a time, never blocking once the stream runs.

psycopg has no replication of its own, but its `pq` layer has all that is needed. The reader's
loop, which is the fastest that was measured (a walsender that wakes its reader for every message
fights with it for the socket):

    while (frame := replication.read()) is not None: ...
    sleep 0.3 ms where something came, otherwise poll `replication.fileno()`
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import psycopg
from psycopg import pq

from cdc.pgoutput.frames import KEEPALIVE, status
from cdc.pgoutput.values import microseconds_of
from cdc.postgres.connect import (
    DatabaseUnreachable,
    NotPermitted,
    Row,
    Session,
    describe,
    one_line,
    open_connection,
    translated,
)
from cdc.postgres.refusals import ConnectionLost, start_refused, stream_ended
from schemas.position import Lsn, format_lsn, parse_lsn

_FIRST_TIMELINE: Final = 1


@dataclass(frozen=True, slots=True)
class System:
    """The cluster behind the connection, and how far its WAL reaches."""

    system_id: str
    timeline: int
    lsn: Lsn
    database: str
    left: Mapping[int, Lsn] = field(default_factory=dict)
    """Where each timeline was left that this one came from."""


class Replication:
    """A logical replication connection of one database."""

    def __init__(self, connection: psycopg.Connection[Row], where: str) -> None:
        """Take over an open walsender connection; `where` names the database in errors."""
        self.connection = connection
        self.where = where
        self._pgconn = connection.pgconn
        self._tls = bool(connection.pgconn.ssl_in_use)
        self._drained = False
        self._unflushed = False

    @classmethod
    def connect(cls, dsn: str, application_name: str) -> Self:
        """Open it, settings pinned. Raises BadDsn, DatabaseUnreachable, NotPermitted."""
        try:
            connection = open_connection(dsn, application_name, replication="database")
        except DatabaseUnreachable:
            _must_be_permitted(dsn, application_name)
            raise
        return cls(connection, describe(dsn))

    @property
    def backend_pid(self) -> int:
        """The process that serves us."""
        return self._pgconn.backend_pid

    def identify(self) -> System:
        """Ask which cluster this is, before the stream starts."""
        with translated(self.where):
            found = self.connection.execute("IDENTIFY_SYSTEM").fetchone()
        if found is None:
            raise ConnectionLost(f"{self.where} does not say who it is")
        system_id, timeline, lsn, database = found
        number = int(timeline)
        left = self._history(number) if number > _FIRST_TIMELINE else {}
        return System(str(system_id), number, parse_lsn(lsn), str(database), left)

    def start(
        self, slot: str, lsn: int, publications: Sequence[str], *, messages: bool = True
    ) -> None:
        """Start the stream behind `lsn`; 0 means: at the slot's confirmed position.

        Version 1 of the protocol, text, whole transactions in commit order. Raises SlotBusy,
        SlotMissing, SlotLost, StreamStopped, ConnectionLost.
        """
        statement = _start_statement(slot, lsn, publications, messages=messages)
        with translated(self.where):
            # libpq's input buffer only grows: from here on it reads in few, large pieces.
            self._pgconn.exec_(b"SELECT repeat('x', 1048576)")
            result = self._pgconn.exec_(statement)
        if result.status != pq.ExecStatus.COPY_BOTH:
            raise start_refused(self.connection, self.where, slot, result)
        self._pgconn.nonblocking = 1

    def read(self) -> memoryview | bytes | None:
        """Return the next frame, or None when none is waiting.

        The call after a None looks at the socket first. The frame is the caller's to keep.
        Raises ConnectionLost, and what `stream_ended` makes of the server's last word.
        """
        try:
            if self._drained:
                self._receive()
            size, frame = self._pgconn.get_copy_data(1)
            if size == 0 and self._tls:  # poll cannot see what OpenSSL holds back
                self._receive()
                size, frame = self._pgconn.get_copy_data(1)
            if size > 0:
                return frame
            self._drained = True
            if size == 0:
                return None
            result = self._pgconn.get_result()
        except psycopg.Error as error:
            raise self._lost(error) from error
        raise stream_ended(self.where, result)

    def fileno(self) -> int:
        """Return the socket, readable when `read` has something to do. Raises ConnectionLost."""
        try:
            return self._pgconn.socket
        except psycopg.Error as error:
            raise self._lost(error) from error

    def send_status(
        self, written: int, flushed: int, applied: int, *, reply: bool = False
    ) -> None:
        """Tell the server how far we are; a flushed LSN of 0 confirms nothing.

        `reply` asks for a keepalive at once.
        Never blocks: what the socket does not take at once goes out with the next call of
        `read` or `send_status`. Raises ConnectionLost.
        """
        frame = status(written, flushed, applied, microseconds_of(time.time()), reply=reply)
        try:
            self._pgconn.put_copy_data(frame)
            self._unflushed = bool(self._pgconn.flush())
        except psycopg.Error as error:
            raise self._lost(error) from error

    def farewell(self, written: int, flushed: int, seconds: float) -> None:
        """Tell the server for the last time, and wait so long until it has heard it.

        A connection that is closed over unread data is reset, and with it what we said last may
        be lost. What still comes is thrown away. The answer to the first of two questions may be
        a keepalive that was on its way. Raises ConnectionLost.
        """
        for _ in range(2):
            self.send_status(written, flushed, flushed, reply=True)
        deadline, heard = time.monotonic() + seconds, 0
        while heard < 2 and (left := deadline - time.monotonic()) > 0:  # noqa: PLR2004  as asked
            frame = self.read()
            if frame is None:
                readable(self.fileno(), left)
            else:
                heard += frame[0] == KEEPALIVE

    def close(self) -> None:
        """Close it; what was sent has left, what was not confirmed comes again."""
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

    def _history(self, timeline: int) -> dict[int, Lsn]:
        """Return where the timelines before this one were left."""
        with translated(self.where):
            result = self._pgconn.exec_(f"TIMELINE_HISTORY {timeline}".encode())
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise ConnectionLost(f"{self.where} does not tell of timeline {timeline}")
        return parse_history(result.get_value(0, 1) or b"")

    def _receive(self) -> None:
        self._drained = False
        if self._unflushed:
            self._unflushed = bool(self._pgconn.flush())
        self._pgconn.consume_input()

    def _lost(self, error: psycopg.Error) -> ConnectionLost:
        return ConnectionLost(f"{self.where} broke the stream off: {one_line(error)}")


def _must_be_permitted(dsn: str, application_name: str) -> None:
    """Raise NotPermitted where the role may connect, but not stream."""
    with Session.connect(dsn, application_name) as session:
        role, permitted = session.one(
            "SELECT current_user::text, r.rolreplication OR r.rolsuper OR EXISTS ("
            "  SELECT FROM pg_catalog.pg_roles c WHERE c.rolname = 'rds_replication'"
            "  AND pg_has_role(r.oid, c.oid, 'MEMBER'))"
            " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user"
        )
    if not permitted:
        raise NotPermitted(
            f'the role "{role}" may not replicate from {describe(dsn)}',
            hint=f'ALTER ROLE "{role}" REPLICATION; on Amazon RDS GRANT rds_replication TO it.',
        )


def parse_history(content: bytes) -> dict[int, Lsn]:
    """Read a timeline history file (timeline.c): timeline, where it was left, why; by tabs."""
    lines = (line.split(b"\t") for line in content.splitlines())
    rows = (line for line in lines if len(line) > 1 and line[0].strip().isdigit())
    return {int(line[0]): parse_lsn(line[1].decode()) for line in rows}


def readable(socket: int, seconds: float) -> bool:
    """Wait until the socket has something to read, `seconds` at most."""
    poller = select.poll()
    poller.register(socket, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def _start_statement(slot: str, lsn: int, publications: Sequence[str], *, messages: bool) -> bytes:
    names = ",".join(quote_name(name) for name in publications)
    options = [("proto_version", "1"), ("publication_names", names)]
    if messages:
        options.append(("messages", "true"))
    written = ", ".join(quote_name(name) + " " + _quoted(text, "'") for name, text in options)
    head = f"START_REPLICATION SLOT {quote_name(slot)} LOGICAL {format_lsn(lsn)}"
    return f"{head} ({written})".encode()


def quote_name(name: str) -> str:
    """Return a name as the replication grammar wants it."""
    return _quoted(name, '"')


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark
