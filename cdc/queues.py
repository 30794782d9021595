"""How far the workers are in the topics that capture fills: asked for beside the stream.

Kafka's answers are waited for on a thread of their own. Nothing joins the workers' group, and
nothing is open while nobody asks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient

from cdc.aside import Aside
from cdc.kafka import CLIENT_LOG, client_settings, configured, said
from cdc.pace import Look
from schemas.kafka_errors import away

_TIMEOUT: Final = 5.0  # seconds for one answer
_EVERY: Final = 0.25  # seconds between two looks
_SPEC: Any = cast("Any", kafka_admin).OffsetSpec  # re-exported without types
_Part = tuple[str, int]


class Queues:
    """Looks at the place of one group in some topics."""

    def __init__(
        self, settings: Mapping[str, str], group: str, topics: Sequence[str], partitions: int
    ) -> None:
        """Connect to nobody yet."""
        self._settings = settings
        self._group = group
        self._parts = [TopicPartition(t, p) for t in topics for p in range(partitions)]
        self._thread = Aside("queues")
        self._busy: Future[Look] | None = None
        self._begun = -_EVERY
        self._clients: _Clients | None = None

    def look(self, now: float) -> Look | None:
        """Return a look that has come to its end, once; begin one when it is time for it.

        Raises KafkaAway where Kafka did not tell.
        """
        busy = self._busy
        if busy is None:
            if now - self._begun >= _EVERY:
                self._begun = now
                self._busy = self._thread.submit(self._look)
            return None
        if not busy.done():
            return None
        self._busy = None
        return busy.result()

    def rest(self) -> None:
        """Let Kafka go until the next look."""
        if self._clients is not None and (self._busy is None or self._busy.done()):
            self._busy, clients, self._clients = None, self._clients, None
            self._thread.submit(clients.close)

    def close(self) -> None:
        """Let Kafka go, and end the thread."""
        if self._thread.shutdown() and self._clients is not None:
            self._clients.close()

    def _look(self) -> Look:
        began = time.monotonic()
        if self._clients is None:
            self._clients = _Clients(self._settings, self._group)
        try:
            # In this order: what has been done led to what is found behind it.
            done = self._clients.committed(self._parts)
            ends = self._clients.ends(self._parts)
        except (KafkaException, TimeoutError) as error:
            # A client that knows a broker of before a restart may go on with it for ever.
            self._clients.close()
            self._clients = None
            why = said(error) if isinstance(error, KafkaException) else "no answer"
            raise away("Kafka does not tell how far the workers are", why) from error
        return _summed(began, done, ends)


class _Clients:
    def __init__(self, settings: Mapping[str, str], group: str) -> None:
        mine = client_settings(settings)
        with configured():
            self._admin = AdminClient(mine, logger=CLIENT_LOG)
            self._consumer = Consumer(
                {**mine, "group.id": group, "enable.auto.commit": False}, logger=CLIENT_LOG
            )

    def close(self) -> None:
        self._consumer.close()

    def committed(self, parts: list[TopicPartition]) -> dict[_Part, int]:
        """Return how far the group is; where it never was, it begins with what there is."""
        found = {
            (tp.topic, tp.partition): tp.offset
            for tp in self._consumer.committed(parts, timeout=_TIMEOUT)
        }
        never = [part for part, offset in found.items() if offset < 0]
        return found | self._offsets([TopicPartition(*part) for part in never], _SPEC.earliest())

    def ends(self, parts: list[TopicPartition]) -> dict[_Part, int]:
        """Return the offset behind the last record of each."""
        return self._offsets(parts, _SPEC.latest())

    def _offsets(self, parts: list[TopicPartition], spec: Any) -> dict[_Part, int]:
        if not parts:
            return {}
        futures = self._admin.list_offsets(dict.fromkeys(parts, spec), request_timeout=_TIMEOUT)
        found = {
            (tp.topic, tp.partition): future.result(timeout=_TIMEOUT).offset
            for tp, future in futures.items()
        }
        if any(offset < 0 for offset in found.values()):  # the client's word for none
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE, "no offset"))
        return found


def _summed(began: float, done: Mapping[_Part, int], ends: Mapping[_Part, int]) -> Look:
    by_topic: dict[str, int] = {}
    left: dict[str, int] = {}
    for (topic, partition), end in ends.items():
        at = done[topic, partition]
        by_topic[topic] = by_topic.get(topic, 0) + at
        left[topic] = left.get(topic, 0) + max(0, end - at)
    return Look(began, by_topic, left)
