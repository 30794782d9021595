"""Faust's acknowledgement, disarmed once.

Faust marks an event done when its agent raises or is cancelled, and a restarted agent skips it;
its own ways to crash and exit hang. So an agent here takes a batch, does all of it, durably, and
only then asks for the next; whatever else happens ends the process at once. The next start
begins at the last committed offset, which is never behind unfinished work.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

import faust
from faust.types import TP, StreamT

from schemas.errors import DataAtRisk

logger = logging.getLogger(__name__)

UNEXPECTED: Final = 70
STUCK: Final = 75
NO_PROGRESS: Final = 76


@dataclass(frozen=True, slots=True)
class Taken:
    """One record of a topic, raw."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


Work = Callable[[Sequence[Taken]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Portion:
    """How much an agent takes at a time: records, and seconds to wait for more of them."""

    most: int = 500
    within: float = 0.02


def die(code: int, why: str) -> NoReturn:
    """End the process at once. No handler, no exit hook, no flush: only the reason."""
    sys.stderr.write(f"odoo-cdc: fatal: {why}\n")
    sys.stderr.flush()
    os._exit(code)


def fatal(error: BaseException) -> NoReturn:
    """End the process for an error that nobody expected, or for one that protects data."""
    logger.critical(
        "%s: %s", type(error).__name__, error, extra={"action": "fatal"}, exc_info=error
    )
    hint = f"; hint: {error.hint}" if isinstance(error, DataAtRisk) and error.hint else ""
    code = error.exit_code if isinstance(error, DataAtRisk) else UNEXPECTED
    die(code, f"{type(error).__name__}: {error}{hint}")


def consume(app: faust.App, topic: str, work: Work, portion: Portion) -> None:
    """Give every record of a topic to `work`, in batches, in order, at least once.

    `work` returns when all of its batch is durable. One batch per topic at a time: with more,
    Faust can commit an offset beyond work that is not finished.
    """
    channel = app.topic(
        topic,
        key_type=bytes,
        key_serializer="raw",
        value_type=bytes,
        value_serializer="raw",
    )

    async def agent(stream: StreamT[bytes]) -> None:
        batches = cast("faust.Stream[bytes]", stream)  # StreamT does not declare take_events
        async for events in batches.take_events(portion.most, within=portion.within):
            try:
                await work([_taken(event.message) for event in events])
            except BaseException as error:  # noqa: BLE001  CancelledError too: see above
                fatal(error)

    app.agent(channel, name=f"odoo_cdc.{topic}", concurrency=1)(agent)


def _taken(message: Any) -> Taken:
    return Taken(
        message.topic,
        message.partition,
        message.offset,
        message.key or b"",
        message.value or b"",
    )


class Traffic:
    """Halts and resumes the reading of some topics.

    An agent that held its batch while its target is down would fill the buffer that all agents
    share and so stop every other topic. Faust resumes what is paused after a rebalance and when
    a buffer drains, so `enforce` is called again and again.

    What was fetched before the pause must still reach the agent: Faust skips records of a paused
    partition, reads on behind them, and takes the gap for done. So a halted partition counts
    for it as one whose buffer is full: those keep what was fetched.
    """

    def __init__(self, app: faust.App, topics: Iterable[str]) -> None:
        self._app = app
        self._topics = frozenset(topics)
        self._halted = False

    def pause(self) -> None:
        """Stop reading."""
        self._halted = True
        self.enforce()

    def resume(self) -> None:
        """Read on; during a rebalance Faust does it by itself when that is over."""
        self._halted = False
        if not self._app.rebalancing and (mine := self._mine()):
            self._app.consumer.resume_partitions(mine)
            for tp in mine:
                self._app.consumer.on_buffer_drop(tp)

    def enforce(self) -> None:
        """Pause again what should be paused."""
        if self._halted and (mine := self._mine()):
            self._app.consumer.pause_partitions(mine)
            for tp in mine:
                self._app.consumer.on_buffer_full(tp)

    def _mine(self) -> set[TP]:
        return {tp for tp in assignment(self._app) if tp.topic in self._topics}


def assignment(app: faust.App) -> set[TP]:
    """Return the partitions that the worker owns; none before the group has met."""
    try:
        return set(app.consumer.assignment())
    except (AttributeError, faust.exceptions.ConsumerNotStarted):
        return set()


def owned(partitions: Iterable[TP], topics: Iterable[str]) -> dict[str, set[int]]:
    """Return the partition numbers by topic, for the topics given."""
    found: dict[str, set[int]] = {topic: set() for topic in topics}
    for tp in partitions:
        if tp.topic in found:
            found[tp.topic].add(tp.partition)
    return found


def settings(kafka: Mapping[str, str], worker: str) -> dict[str, Any]:
    """Return what Faust is told beside brokers and credentials; every figure was measured."""
    session = int(kafka.get("session.timeout.ms", "10000")) / 1000
    heartbeat = int(kafka.get("heartbeat.interval.ms", "3000")) / 1000
    return {
        "processing_guarantee": "at_least_once",
        "store": "memory://",
        "autodiscover": False,
        "web_enabled": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,  # `setup` makes topics, workers never do
        "stream_wait_empty": True,  # stop and rebalance wait for the batch in work
        "stream_buffer_maxsize": 4096,
        "stream_recovery_delay": 0,
        "broker_commit_interval": 1.0,
        "broker_commit_every": 2000,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": min(heartbeat, session / 3),
        "broker_request_timeout": max(20.0, 2 * session),  # must exceed the session's
        "broker_max_poll_interval": 300.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": 30_000,
        "consumer_group_instance_id": worker,
        "worker_redirect_stdouts": False,
    }
