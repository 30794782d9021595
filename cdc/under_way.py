"""What takes long, said while it lasts: how far tables are read, and a large transaction.

A bar on a terminal, else a line of the log now and then; and the notes that `status` reads.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

from cdc.parts import Parts
from cdc.pgoutput.frames import PAYLOAD_AT, WalData, parse
from cdc.pgoutput.values import iso_time
from cdc.progress import Progress
from schemas.position import format_lsn

logger = logging.getLogger(__name__)

_LONG: Final = 5.0  # seconds of a transaction until it is told of, and again as often
_LINE: Final = 10.0  # seconds between two lines of the log
_WIDTH: Final = 24  # characters of the bar


class UnderWay:
    """Looks at the parts now and then; nothing is said of what is over soon."""

    def __init__(self, parts: Parts) -> None:
        """Say nothing yet."""
        self._parts = parts
        self._terminal = sys.stderr.isatty()
        self._said: float | None = None
        self._shown = False
        self._transaction = 0  # the xid of the one at hand
        self._told = 0.0

    def look(self, now: float) -> None:
        """Say what there is to say; monotonic seconds."""
        self._say_reading(now)
        self._tell_transaction(now)

    def end(self) -> None:
        """Leave the terminal as it was."""
        if self._shown:
            self._shown = False
            sys.stderr.write("\033[K")
            sys.stderr.flush()

    def _say_reading(self, now: float) -> None:
        text = reading_text(self._parts.epoch.progress)
        if not text:
            self._said = None
            self.end()
        elif self._terminal:
            self._shown = True
            # What is logged meanwhile begins where the bar does, and goes over it.
            sys.stderr.write(f"\r\033[K{text}\r")
            sys.stderr.flush()
        elif self._said is None or now - self._said >= _LINE:
            if self._said is not None:  # the first line only where it takes long
                logger.info("%s", text, extra={"action": "reading"})
            self._said = now

    def _tell_transaction(self, now: float) -> None:
        """Note where the stream is in a large transaction, and make durable what was before."""
        stream, progress = self._parts.stream, self._parts.epoch.progress
        begin = stream.begin
        if begin is None or begin.xid != self._transaction:
            self._transaction, self._told = begin.xid if begin else 0, now
        elif now - self._told >= _LONG:
            self._told = now
            progress.transaction = {
                "id": begin.xid,
                "commit_lsn": format_lsn(begin.final_lsn),
                "committed": iso_time(begin.commit_time),
                **self._place(),
            }
            stream.leave()

    def _place(self) -> dict[str, Any]:
        """Return where the stream is: at the row that came last, where one has."""
        frame, fold = self._parts.stream.row, self._parts.fold
        head = parse(frame) if frame else None
        at = head.start if isinstance(head, WalData) else self._parts.epoch.watermark.received
        reader = fold.readers.get(frame[PAYLOAD_AT + 1 : PAYLOAD_AT + 5])
        table = reader.plan.name if reader else ""
        return {"read_lsn": format_lsn(at), "table": table, "rows": fold.count}


def reading_text(progress: Progress) -> str:
    """Return a line about the table that is being read, "" where none is."""
    known = progress.reading
    name = min(known.keys() & progress.frontiers.keys(), default=None)
    if name is None:
        return ""
    read, more = known[name], len(progress.frontiers) - 1
    share = "" if not read.of else f"{_bar(read.rows / read.of)} "
    of = "" if read.of is None else f" of about {read.of:,}"
    rate = f", {read.rate:,.0f} rows/s" if read.rate else ""
    left = "" if read.seconds_left is None else f", {read.seconds_left:,.0f} s left"
    behind = f"; tables behind it: {more}" if more else ""
    return f"reading {name} {share}{read.rows:,}{of} rows{rate}{left}{behind}"


def _bar(share: float) -> str:
    done = int(min(1.0, share) * _WIDTH)
    return f"[{'#' * done}{'.' * (_WIDTH - done)}] {share:4.0%}"
