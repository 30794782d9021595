"""What operators ask for, read beside the stream: a consumer of its own that joins no group.

Kafka is waited for on a thread; the loop only takes what has come. Where reading begins the
shadow remembers, and before it does, the birth of the shadow says.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from queue import Empty, Full, Queue
from typing import Final, NamedTuple, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from cdc.kafka import TIMEOUT, Heard, consumer, said
from schemas.errors import OdooCdcError
from schemas.topics import Topics

logger = logging.getLogger(__name__)

_MOST: Final = 1_000  # records that are held for the loop
_SECONDS: Final = 0.5  # that are waited for records, and for room
_CLOSING: Final = 2.0  # seconds that one who stops waits for it: Kafka may be away
_PAUSE: Final = 2.0  # seconds until Kafka is asked again where it did not answer


class Record(NamedTuple):
    """One record of the commands topic."""

    partition: int
    offset: int
    value: bytes


class Commands:
    """Reads the commands topic of a source; what is read again has the offset that it had."""

    def __init__(
        self, settings: Mapping[str, str], topics: Topics, partitions: int, born: float
    ) -> None:
        """Read nothing before `begin`; records before `born` (UTC seconds) are never read."""
        self._settings = settings
        self._topic, self._group = topics.commands, topics.group
        self._partitions = partitions
        self._born = born
        self._round: _Round | None = None

    def begin(self, offsets: Mapping[int, int]) -> None:
        """Begin where these offsets say; where none is known, with the first record since birth.

        What was read before and not taken is read again.
        """
        if self._round is not None:
            self._round.end()
        self._round = _Round(self._reader, offsets)

    def come(self) -> list[Record]:
        """Return what has come, without waiting."""
        found: list[Record] = []
        with suppress(Empty):
            while self._round is not None and len(found) < _MOST:
                found.append(self._round.queue.get_nowait())
        return found

    def close(self) -> None:
        """Read no more."""
        if self._round is not None:
            self._round.end()
            self._round.thread.join(_CLOSING)
            self._round = None

    def _reader(self, offsets: Mapping[int, int]) -> Consumer:
        """Return a consumer that begins there."""
        client = consumer(
            {
                **self._settings,
                "auto.offset.reset": "earliest",  # where retention went past what was read
                "queued.max.messages.kbytes": "1024",
            },
            Heard(),
            self._group,
        )
        try:
            client.assign([self._place(client, p, offsets) for p in range(self._partitions)])
        except BaseException:  # raised on; no client is left open
            client.close()
            raise
        return client

    def _place(
        self, client: Consumer, partition: int, offsets: Mapping[int, int]
    ) -> TopicPartition:
        place = TopicPartition(self._topic, partition)
        if partition in offsets:
            place.offset = offsets[partition]
            return place
        # In this order: what comes in between has an offset that is read.
        _, end = client.get_watermark_offsets(place, timeout=TIMEOUT)
        place.offset = int(self._born * 1000)
        (found,) = client.offsets_for_times([place], timeout=TIMEOUT)
        place.offset = found.offset if found.offset >= 0 else end or OFFSET_BEGINNING
        return place


class _Opens(Protocol):
    def __call__(self, offsets: Mapping[int, int]) -> Consumer: ...


class _Round:
    """One reading, from where it began."""

    def __init__(self, opens: _Opens, offsets: Mapping[int, int]) -> None:
        self.queue: Queue[Record] = Queue(_MOST)
        self._opens = opens
        self._offsets = offsets
        self._ended = threading.Event()
        self._told = ""
        self.thread = threading.Thread(target=self._run, name="commands", daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Read no more; not waited for, since Kafka may be away."""
        self._ended.set()

    def _run(self) -> None:
        """Read until the end; while Kafka is away capture itself says so, and waits for it."""
        while not self._ended.is_set():
            try:
                with closing(self._opens(self._offsets)) as client:
                    self._follow(client)
            except (KafkaException, OdooCdcError) as error:
                self._tell(said(error) if isinstance(error, KafkaException) else str(error))
                self._ended.wait(_PAUSE)

    def _follow(self, client: Consumer) -> None:
        while not self._ended.is_set():
            message = client.poll(_SECONDS)
            if message is None:
                continue
            error = message.error()
            if error is None:
                place = message.partition() or 0, message.offset() or 0
                self._put(Record(*place, message.value() or b""))
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  that is its name
                self._tell(error.str())

    def _put(self, came: Record) -> None:
        while not self._ended.is_set():
            with suppress(Full):
                self.queue.put(came, timeout=_SECONDS)
                return

    def _tell(self, why: str) -> None:
        """Say each trouble once: it stays until somebody acts, and nothing else waits for it."""
        if why != self._told:
            self._told = why
            logger.warning(
                "the commands cannot be read: %s", why, extra={"action": "commands_unread"}
            )
