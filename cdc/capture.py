"""The loop: read what has come, end epochs in time, tell the server, let loads go on.

One thread reads the stream, folds, publishes and commits. It never blocks on the socket, and it
leaves the server alone while Kafka is away and when it shuts down: nothing waits for us. It then
begins again where the shadow stands.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Final

from cdc.engine.relations import SchemaChanged
from cdc.epoch import CHANGES
from cdc.parts import Connection, Parts
from cdc.patience import Backoff, Ending, Stopped
from cdc.turns import Turns
from cdc.under_way import UnderWay
from schemas.errors import ServiceUnavailable

logger = logging.getLogger(__name__)

_NAP: Final = 0.0003  # seconds
_STATUS: Final = 5.0  # seconds between two words to the server
_LOOK: Final = 0.25  # seconds between two looks at everything else
_SOON: Final = 0.05  # the same while documents wait to be published
_AT_ONCE: Final = 2_000  # frames between two looks at the clock
_PATIENCE: Final = 3.0  # seconds that Kafka may take while the server is kept waiting
_FAREWELL: Final = 0.5  # seconds that the server has to hear our last word


class Capture:
    """Runs until it is stopped or, where that is asked for, caught up."""

    def __init__(self, parts: Parts, *, until_caught_up: bool = False) -> None:
        """Begin where the shadow stands; nothing is connected yet."""
        self._parts = parts
        self._until_caught_up = until_caught_up
        self._connection: Connection | None = None
        self._ending = Ending()
        self._handing_over = False
        self._told = self._looked = 0.0
        self._waiting_since: float | None = None
        self._turns = Turns(parts, self._end_epoch, to_the_end=until_caught_up)
        self._under_way = UnderWay(parts)
        self.connected_once = False
        parts.stream.on_pulse(self._pulse)

    def stop(self) -> None:
        """Finish what is in hand, then return; for signal handlers of the thread that runs."""
        self._ending.ask(time.monotonic())

    def hand_over(self) -> None:
        """Return between two transactions, for another to go on; from any thread.

        Unlike one that stops it waits for Kafka: nothing is published twice.
        """
        self._handing_over = True

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop or is caught up."""
        return self._ending.asked

    @property
    def passing(self) -> bool:
        """Whether its plan ends when every table is read: another one follows."""
        return self._parts.passing

    def close(self) -> None:
        """Let the server go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connected(self) -> bool:
        """Whether the stream is being followed."""
        return self._connection is not None

    @property
    def kafka_away(self) -> bool:
        """Whether Kafka has kept it waiting for long."""
        since = self._waiting_since
        return since is not None and time.monotonic() - since > _PATIENCE

    def run(self) -> None:
        """Capture; a connection that is lost is made again, everything else is raised."""
        backoff = Backoff()
        try:
            while not self._ends:
                try:
                    self._connect()
                    backoff.failures = 0
                    self._follow()
                except Stopped:
                    self._leave()
                    return
                except SchemaChanged:
                    self._make_durable()
                    raise
                except ServiceUnavailable as error:
                    if not (self.connected_once and error.passing):
                        raise
                    logger.warning("%s", error, extra={"action": "disconnected"})
                    self.close()
                    backoff.rest(lambda: self._ends)
        finally:
            self._under_way.end()
            self.close()

    def _make_durable(self) -> None:
        """Leave nothing to be published twice by whoever goes on."""
        with suppress(Stopped):
            if self._parts.stream.in_transaction:
                self._parts.stream.leave()
            else:
                self._parts.epoch.end()

    def kafka_is_slow(self) -> None:
        """Take care of the server while Kafka has not acknowledged everything."""
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        waited = now - self._waiting_since
        if self._ending.overdue(now):
            raise Stopped
        self._look(now)
        if waited > _PATIENCE:
            if self.stopping:
                raise Stopped
            if self._connection is not None:
                logger.warning("Kafka does not answer: waiting", extra={"action": "kafka_away"})
                self.close()
        elif now - self._told > 1:
            self._tell()

    @property
    def _ends(self) -> bool:
        return self.stopping or self._handing_over

    def _connect(self) -> None:
        """Begin where the shadow stands; what is not durable is thrown away and comes again."""
        parts = self._parts
        with self._ending.interrupts():
            parts.marks.forget()
        self._turns.begin_again()
        parts.epoch.reset()
        parts.stream.begin_again()
        self._mind_left_out()
        with self._ending.interrupts():
            self._connection = parts.connect(parts.epoch.watermark.durable)
        self.connected_once = True
        self._told = time.monotonic()
        logger.info("following the stream", extra={"action": "following"})

    def _follow(self) -> None:
        """Follow the stream until it is to stop, or was left because of Kafka."""
        parts = self._parts
        while (connection := self._connection) is not None:
            came = self._drain(connection)
            self._waiting_since = None  # what came is handled: Kafka has answered
            now = time.monotonic()
            if self._may_end(now):
                self._end_epoch()
            if self._look(now):
                self._chores(now)
            self._load_on()
            if self._finished(now):
                return
            if self._connection is not None:
                if came:
                    time.sleep(_NAP)  # a reader that naps is woken less often by the walsender
                else:
                    connection.wait(self._patience(now))
        if not parts.stream.in_transaction:
            self._end_epoch()

    def _may_end(self, now: float) -> bool:
        """Say whether to end the epoch; what a transaction has begun must not become durable.

        A crash would leave a part of it in the shadow, and when it is read again that part
        would differ from nothing.
        """
        if self._parts.stream.in_transaction:
            return False
        epoch = self._parts.epoch
        return epoch.changes >= CHANGES or not epoch.due_in(now)

    def _patience(self, now: float) -> float:
        """Return how long nothing has to be looked at but the stream; seconds."""
        epoch = self._parts.epoch
        soon = epoch.progress.ready_to_publish or self._parts.resends.busy
        longest = _SOON if soon else _LOOK
        return longest if self._parts.stream.in_transaction else min(longest, epoch.due_in(now))

    def _drain(self, connection: Connection) -> int:
        """Handle what has come, up to the end of an epoch."""
        stream, epoch = self._parts.stream, self._parts.epoch
        came = 0
        while came < _AT_ONCE and (frame := connection.read()) is not None:
            came += 1
            if stream.handle(frame):
                self._tell()
            if epoch.changes >= CHANGES or self._connection is None:
                break
        return came

    def _end_epoch(self) -> None:
        self._parts.epoch.end()
        self._waiting_since = None
        self._tell()

    def _chores(self, now: float) -> None:
        self._under_way.look(now)
        self._mind_left_out()
        if not self._parts.stream.in_transaction and self._parts.altered():
            raise SchemaChanged("columns of captured tables were changed")
        if not self._parts.stream.in_transaction and self._parts.resends.attend(now):
            self._end_epoch()
        if now - self._told > _STATUS:
            self._tell()

    def _mind_left_out(self) -> None:
        """Have models wait that show what the stream leaves out."""
        found = self._parts.watch()
        self._turns.back = found.back
        left_out = found.tables - self._parts.epoch.progress.absent
        if left_out and not self._parts.stream.in_transaction:
            self._parts.stream.readiness.leave_out(left_out)

    def _look(self, now: float) -> bool:
        """Hear of trouble now and then; a server that shuts down is not kept waiting."""
        if now - self._looked <= _LOOK:
            return False
        self._looked = now
        if self._parts.leaves() and self._connection is not None:
            logger.warning("Postgres shuts down: waiting", extra={"action": "disconnected"})
            self.close()
        return True

    def _load_on(self) -> None:
        """Begin what may be done beside the stream; hand over where nothing is left of a plan."""
        if self._turns.go_on():
            self._handing_over = True  # never set back: another thread sets it too

    def _finished(self, now: float) -> bool:
        """Say whether to stop, everything being durable and told."""
        caught_up = self._until_caught_up and self._parts.stream.caught_up
        if not (self._ends or caught_up):
            return False
        if self._parts.stream.in_transaction:
            self._be_in_time(now)
            return False
        self._end_epoch()
        if caught_up:
            self._ending.ask(now)
        self._farewell()
        return True

    def _leave(self) -> None:
        """Leave what is in hand, which comes again; make durable what went before."""
        if not self._parts.stream.in_transaction or self._waiting_since is not None:
            return  # nothing is in hand, or Kafka does not answer
        self._ending.leave(time.monotonic())
        with suppress(Stopped):
            self._parts.stream.leave()
            self._farewell()

    def _farewell(self) -> None:
        if self._connection is not None:
            mark = self._parts.epoch.watermark
            with suppress(ServiceUnavailable):  # it is durable: the next start tells it
                self._connection.farewell(mark.received, mark.durable, _FAREWELL)

    def _tell(self) -> None:
        if self._connection is not None:
            self._told = time.monotonic()
            self._connection.send_status(*self._parts.epoch.watermark.status())

    def _pulse(self) -> None:
        now = time.monotonic()
        self._waiting_since = None  # there is something to do: Kafka takes what is published
        self._parts.epoch.trim()
        self._be_in_time(now)
        self._look(now)
        if now - self._told > 1:
            self._tell()

    def _be_in_time(self, now: float) -> None:
        if self._ending.overdue(now) and self._parts.stream.in_transaction:
            raise Stopped  # other work has bounds of its own
