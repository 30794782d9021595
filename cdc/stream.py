"""The stream, message by message: transactions become events, marks let loads and portions on.

Nothing here waits: what is to be durable is the epoch's, what is to be read beside the stream is
the marks'.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final, assert_never

from cdc.engine.datum import Stamp
from cdc.engine.events import Events
from cdc.engine.fold import Fold
from cdc.engine.plan import Plan
from cdc.engine.relations import KeyLost, Relations
from cdc.epoch import Epoch
from cdc.loading import PREFIX, CaughtUp, Marked, Marks, Piece, RangeRead, Returned, inside
from cdc.pgoutput.decoder import MalformedMessage, decode
from cdc.pgoutput.frames import PAYLOAD_AT, WAL_DATA, Keepalive, WalData, parse
from cdc.pgoutput.messages import Begin, Commit, Message, Origin, Relation, Truncate, Type
from cdc.progress import Portion
from cdc.readiness import Readiness
from cdc.resending.ports import Resends
from cdc.watermark import Handled
from schemas.event import Mode

logger = logging.getLogger(__name__)

_ROWS: Final = frozenset(b"IUD")


class Stream:
    """Handles frames in the order in which they come."""

    def __init__(
        self, plan: Plan, relations: Relations, fold: Fold, events: Events, epoch: Epoch
    ) -> None:
        """Handle nothing yet; `marks` is set before the first frame."""
        self.caught_up = False
        self.transactions = 0
        self.commit_time = 0
        """Of the last transaction; microseconds since 2000-01-01."""
        self.marks: Marks
        self.resends: Resends
        """Set like `marks`."""
        self.returned: Callable[[Mapping[str, int]], object] = len
        """Called with tables that are back in the stream, to be remembered with the epoch."""
        self.readiness = Readiness(plan, relations, fold, events, epoch)
        self._relations = relations
        self._fold = fold
        self._events = events
        self._epoch = epoch
        events.relieve = epoch.end  # a crash takes the transaction back: it is in the store
        self.begin: Begin | None = None
        """Of the transaction at hand."""
        self.row = b""
        """The frame of the row of it that came last."""
        self._keyless: set[str] = set()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction's end is still to come."""
        return self.begin is not None

    def on_pulse(self, pulse: Callable[[], object]) -> None:
        """Have `pulse` called now and then while a large transaction is worked on."""
        self._events.pulse = self._epoch.pulse = pulse

    def begin_again(self) -> None:
        """Forget a transaction whose end did not come: the stream begins again."""
        self.begin = None
        self.caught_up = False
        self._keyless.clear()
        self._fold.finish()
        self._events.forget()
        self._relations.begin_again()
        self.resends.begin_again()
        self.readiness.begin_again()

    def leave(self) -> None:
        """Make durable what went before the unfinished transaction, which alone is taken back."""
        self._fold.spill()
        self._epoch.end()

    def handle(self, frame: bytes | memoryview) -> bool:
        """Handle a frame; say whether the server wants a word at once.

        Raises MalformedMessage, which names the LSN, SchemaChanged, and what publishing raises.
        """
        data = bytes(frame)
        try:
            return self._handle(data)
        except MalformedMessage as error:
            raise MalformedMessage(str(error), self._lsn_of(data)) from error
        except ValueError as error:  # of what makes a number, a text or bytes of a cell
            what = "a row with a value that its column's type never has"
            raise MalformedMessage(what, self._lsn_of(data)) from error

    def _lsn_of(self, frame: bytes) -> int:
        """Return where a frame stands; of one that does not say it, how far the stream is."""
        try:
            head = parse(frame)
        except MalformedMessage:
            return self._epoch.watermark.received
        return head.start if isinstance(head, WalData) else head.wal_end

    def _handle(self, data: bytes) -> bool:
        if len(data) > PAYLOAD_AT and data[PAYLOAD_AT] in _ROWS and data[0] == WAL_DATA:
            self._row(data)
            return False
        head = parse(data)
        if isinstance(head, Keepalive):
            self._epoch.watermark.receive(head.wal_end)
            if self.begin is None:
                self._epoch.watermark.reach(head.wal_end)
            return head.reply_requested
        self._epoch.watermark.receive(max(head.start, head.end))
        self._message(data[PAYLOAD_AT:], head)
        return False

    def _row(self, frame: bytes) -> None:
        if self.begin is None:
            raise MalformedMessage("a row outside of a transaction")
        self.row = frame
        try:
            full = self._fold.change(frame, PAYLOAD_AT)
        except KeyLost as error:
            self._keyless.add(error.table)
            self._relations.leave_out(self._epoch.progress.absent | self._keyless)
            return
        if full:
            self.leave()

    def _truncate(self, oids: Iterable[int]) -> None:
        """Drop the rows of tables; the range of one that was read before has rows that went."""
        if self.begin is None:
            raise MalformedMessage("a truncate outside of a transaction")
        for plan in self._relations.plans(oids):
            for _ in self._fold.empty(plan):
                self.leave()
            self.marks.spoil(plan.name)

    def _message(self, data: bytes, head: WalData) -> None:
        message = decode(data)
        match message:
            case Begin():
                if self.begin is not None:
                    raise MalformedMessage("a begin inside of a transaction")
                self.begin, self.row = message, b""
                self._relations.begin(message.final_lsn)
            case Commit():
                self._commit(message, head)
            case Relation():
                self._relations.learn(message)
            case Truncate(oids=oids):
                self._truncate(oids)
            case Message():
                self._mark(message, head)
            case Type() | Origin():  # they say nothing that is needed
                pass
            case _:
                assert_never(message)

    def _commit(self, commit: Commit, head: WalData) -> None:
        begin = self.begin
        if begin is None:
            raise MalformedMessage("a commit without its begin")
        if (commit.commit_lsn, commit.commit_time) != (begin.final_lsn, begin.commit_time):
            raise MalformedMessage("a commit that is not that of its begin")
        if commit.end_lsn != head.start:
            raise MalformedMessage("a commit that ends elsewhere than its frame")
        stamp = Stamp(commit.commit_lsn, begin.commit_time, begin.xid)
        if self._keyless:
            self.readiness.lose(self._keyless)
        for made in self._events.of_transaction(stamp):
            self._epoch.publish(made)
        self.readiness.put_off()
        changes, weight = self._fold.count, self._fold.remembered
        self.begin = None
        self._fold.finish()
        self.transactions += 1
        self.commit_time = begin.commit_time
        self._epoch.watermark.reach(commit.end_lsn)
        self._epoch.handled = Handled(commit.commit_lsn, begin.xid, begin.commit_time)
        self._keyless.clear()
        self._epoch.did(max(changes, 1), weight)

    def _mark(self, message: Message, head: WalData) -> None:
        if message.transactional or message.prefix != PREFIX:
            return
        if self.begin is not None:  # Postgres sends it at once, and transactions whole
            raise MalformedMessage("a mark inside of a transaction")
        if message.lsn != head.start:
            raise MalformedMessage("a mark that stands elsewhere than its frame")
        self._epoch.watermark.reach(message.lsn)
        meaning = self.marks.take(message.content)
        if meaning is not None:
            self._go_on(meaning, message, head)

    def _go_on(self, meaning: Marked, message: Message, head: WalData) -> None:
        """Do what waits for a mark."""
        lsn = inside(message.lsn)
        match meaning:
            case RangeRead():
                self._relations.refuse_unlike(meaning.plan.name, meaning.range.types)
                self.readiness.range_read(meaning, lsn, head.send_time)
            case Portion():
                self.readiness.portion(meaning, lsn, head.send_time)
            case Piece():
                stamp = Stamp(lsn, head.send_time, mode=Mode.RESEND)
                self.resends.go_on(meaning, stamp)
            case CaughtUp():
                self._epoch.end()
                self.caught_up = True
            case Returned(members=members):
                self.returned(members)
                self.readiness.returned(members.keys())
            case _:
                assert_never(meaning)
