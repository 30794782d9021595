"""What Kafka says of each target: acknowledgements, dead letters, and how long deliveries take."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from embedded.webshop.latency import Latencies
from schemas.topics import Topics

_MOST: Final = 2_000  # records that are fetched at once
_WAIT: Final = 0.05  # seconds for the next of them
_LOOK: Final = 2.0  # seconds that one look may take: the rest comes with the next
_DELIVERED: Final = b'"state":"delivered"'


class Tail:
    """Reads the ledger, the responses and the dead letters from their beginning, as they grow.

    `delivered_by` tells of each target how long it took from a commit to its word, of what was
    committed after `live`.
    """

    def __init__(self, bootstrap: str, topics: Topics, partitions: Iterable[int]) -> None:
        """Connect when asked."""
        self._topics = topics
        self._since = float("inf")
        self._ends: Counter[tuple[str, str]] = Counter()
        self._latencies: dict[str, Latencies] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "demo-tail",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )
        names = (topics.ledger, topics.responses, topics.dead)
        self._consumer.assign([TopicPartition(n, p, 0) for n in names for p in partitions])

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def live(self) -> None:
        """Measure what is committed from this moment on."""
        self._since = time.time()

    def read(self) -> None:
        """Take in what has come."""
        end = time.monotonic() + _LOOK
        while time.monotonic() < end:
            try:
                records = self._consumer.consume(_MOST, _WAIT)
            except KafkaException:
                return
            for record in records:
                if record.error() is None:
                    self._take(record)
            if not records:
                return

    def acknowledgements(self, target: str) -> int:
        """Return how many words there are of a target's."""
        return self._ends[self._topics.responses, target]

    def dead(self, target: str) -> int:
        """Return how many dead letters there are of a target's deliveries."""
        return self._ends[self._topics.dead, target]

    def latency(self, target: str) -> dict[str, float | None]:
        """Return milliseconds, as the webshop does; None where nothing came."""
        return self._latencies.get(target, Latencies()).summary()

    def _take(self, record: Message) -> None:
        topic, value = record.topic() or "", record.value()
        target = target_of(record.key())
        if topic != self._topics.ledger:
            self._ends[topic, target] += 1
        elif value is not None and _DELIVERED in value:
            times = json.loads(value)["times"]
            committed, delivered = map(_seconds, (times["committed"], times["delivered"]))
            if committed >= self._since:
                self._latencies.setdefault(target, Latencies()).add(delivered - committed)


def target_of(key: bytes | str | None) -> str:
    """Read the target from a chain or from a delivery's id: `demo/webshop/...`."""
    text = key.decode(errors="replace") if isinstance(key, bytes) else key or ""
    return text.split("/", 2)[1] if "/" in text else ""


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
