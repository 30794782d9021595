"""A writer that knows what Kafka has.

Everything is written by one idempotent librdkafka producer per process, with the partition given
explicitly (`schemas.keys.partition_of`), and a write has happened only when Kafka says so.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, Message, Producer

from schemas.errors import ServiceUnavailable
from streams.kafka.clients import CLIENT_LOG, MAX_MESSAGE, client_settings, describe
from streams.kafka.records import Record

_Told = partial[None]
_PATIENCE: Final = 120.0  # seconds that a write may take


class NotWritten(ServiceUnavailable):
    """Kafka has refused or lost a record that we wrote."""

    hint = "Start the worker again; what was in hand is done again. Kafka's log says why."


class Writer:
    """Writes and tells when Kafka has it; one per process, for one event loop."""

    def __init__(
        self,
        settings: Mapping[str, str],
        beat: Callable[[], object],
        patience: float = _PATIENCE,
    ) -> None:
        """Write with a client's settings; a write that takes longer than `patience` has failed.

        `beat` is called before each record, and does not return where it may not be written.
        """
        self._beat = beat
        self._patience = patience
        self._producer = Producer(
            {
                "linger.ms": 2,
                "message.max.bytes": MAX_MESSAGE,
                **client_settings(settings),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                # One that expired would be overtaken by those behind it: none ever does.
                "message.timeout.ms": 0,
            },
            logger=CLIENT_LOG,
        )
        self._open = True
        self._poller = threading.Thread(target=self._poll, name="kafka-writer", daemon=True)
        self._poller.start()

    async def write(self, records: Sequence[Record]) -> list[int]:
        """Write in this order; return the offset of each once Kafka has them all.

        Raises NotWritten where any of them was refused, or not all were written in time; then
        they may still be, in this order, before anything that is written later.
        """
        if not records:
            return []
        waiting = _Waiting(len(records))
        try:
            async with asyncio.timeout(self._patience):
                for index, record in enumerate(records):
                    await self._produce(record, partial(waiting.told, index))
                return await waiting.all_told
        except TimeoutError as error:
            topics = ", ".join(sorted({record.topic for record in records}))
            raise NotWritten(
                f"Kafka has not taken records of {topics} within {self._patience:g} s"
            ) from error

    async def _produce(self, record: Record, told: _Told) -> None:
        while True:
            self._beat()
            try:
                self._producer.produce(
                    record.topic,
                    partition=record.partition,
                    key=record.key,
                    value=record.value,
                    on_delivery=told,
                )
            except BufferError:  # librdkafka's queue is full: the poller is emptying it
                await asyncio.sleep(0.005)
            except KafkaException as error:  # too large for any broker, or a fatal producer
                raise NotWritten(
                    f"a record of {record.topic} was refused: {describe(error)}"
                ) from error
            else:
                return

    def _poll(self) -> None:
        while self._open:
            self._producer.poll(0.1)

    def close(self, timeout: float = 5.0) -> None:
        """Wait for what is on its way, at most `timeout` seconds, and stop."""
        self._producer.flush(timeout)
        self._open = False
        self._poller.join(timeout)


class _Waiting:
    """Counts the words of librdkafka on one batch and wakes who waits for it."""

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._offsets = [OFFSET_INVALID] * count
        self._left = count
        self._problem: Exception | None = None
        self.all_told: asyncio.Future[list[int]] = self._loop.create_future()

    def told(self, index: int, error: KafkaError | None, message: Message) -> None:
        """Take in one word, on the poller's thread."""
        if error is not None:  # never `==`: it raises TypeError for None in 2.16.1
            self._problem = NotWritten(f"a record of {message.topic()}: {error.str()}")
        else:
            offset = message.offset()
            self._offsets[index] = OFFSET_INVALID if offset is None else offset
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if self.all_told.done():  # who waited was cancelled
            return
        if self._problem is not None:
            self.all_told.set_exception(self._problem)
        else:
            self.all_told.set_result(self._offsets)
