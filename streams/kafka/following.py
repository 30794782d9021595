"""Reads partitions from where one likes, on and on, without any group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import DataAtRisk
from streams.kafka.clients import Heard, consumer, marks
from streams.kafka.records import Taken

Part = tuple[str, int]  # topic, partition
_MOST: Final = 1000  # records taken at a time


class EventsGone(DataAtRisk):
    """Kafka has removed events that were not read."""

    hint = (
        "What was removed will be in no line. To begin anew with what Kafka has, remove the shadow"
        " run's folder below `state:`, and give --file or --topic another name."
    )


class Following:
    """Gives what is in partitions, then what comes; blocking, for one thread at a time."""

    def __init__(self, settings: Mapping[str, str], starts: Mapping[Part, int]) -> None:
        """Begin at these offsets."""
        self._heard = Heard()
        self._client = consumer(settings, self._heard)
        self.at = dict(starts)  # how far partitions are read
        self._client.assign([TopicPartition(*part, start) for part, start in starts.items()])

    def take(self, seconds: float) -> list[Taken]:
        """Return what comes within so many seconds, none where nothing does.

        A Kafka that is away gives nothing, and goes on when it is back. EventsGone, KafkaAway.
        """
        try:
            # For the first one it waits, then it takes what is there.
            messages = self._client.consume(1, timeout=seconds)
            if messages:
                messages += self._client.consume(_MOST - 1, timeout=0)
            return [taken for each in messages if (taken := self._taken(each)) is not None]
        except KafkaException as error:
            raise self._heard.away(self._client, error) from error

    def why_silent(self) -> str:
        """Return what librdkafka said last of a broker that it cannot reach."""
        return self._heard.words

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _taken(self, message: Message) -> Taken | None:
        part = (message.topic() or "", message.partition() or 0)
        offset = message.offset() or 0
        error = message.error()
        if error is not None:
            if error.fatal():
                raise KafkaException(error)
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  that is its name
                self.at[part] = max(self.at[part], offset)
            return None
        if offset != self.at[part]:
            self._refuse_gap(part, offset)
        self.at[part] = offset + 1
        return Taken(*part, offset, message.key() or b"", message.value() or b"")

    def _refuse_gap(self, part: Part, offset: int) -> None:
        """Raise EventsGone where records are missing: who is out of range is set elsewhere."""
        at, where = self.at[part], f"{part[0]}[{part[1]}]"
        if offset < at:
            raise EventsGone(f"{where} was read to offset {at} and begins anew at {offset}")
        low, _ = marks(self._client, *part)
        if low > at:
            raise EventsGone(f"{where}: offsets {at} to {low - 1} were removed unread")
